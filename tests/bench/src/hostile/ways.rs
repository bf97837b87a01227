//! What is done with a document whose cost is measured.

use super::{config::Hostile, memory, processor_time};
use crate::config::block_on;
#[cfg(feature = "recordings")]
use flux::testing::{Recorder, Recording};
use flux::{
    Builder, Capacitor, Format, Secrets, Source,
    inspect::Inputs,
    source::{Channel, ChannelSender, SourceError},
};
use std::{future::Future, hint::black_box, path::Path};

/// What becomes of the second document, once the first one is served.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Second {
    /// It is in the layer above.
    Above,
    /// It takes the place of the first one, as in all that follow but the variables.
    Later,
    /// There is a recorder.
    Recorded,
    /// A recording of it is read and played again.
    Replayed,
    /// It is written into the last known good file.
    Kept,
    /// It is served from that file, as its source fails.
    Started,
    /// Every path of it is explained.
    Explained,
    /// What is in effect is printed.
    Effective,
    /// It would be in the place of the first one.
    Planned,
    /// The first one is served again.
    TakenBack,
    /// It is no document: the lines are variables, read at the start.
    Variables,
}

impl Second {
    /// Whether this program can measure it.
    pub(crate) fn is_measured(self) -> bool {
        cfg!(feature = "recordings") || !matches!(self, Second::Recorded | Second::Replayed)
    }
}

/// Prints the cost of the second document.
pub(crate) fn cell(second: Second, pair: [String; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept.json");
    block_on(async {
        match second {
            Second::Above | Second::Later => update(second, pair).await,
            #[cfg(feature = "recordings")]
            Second::Recorded => recorded(pair).await,
            #[cfg(feature = "recordings")]
            Second::Replayed => replayed(pair).await,
            #[cfg(not(feature = "recordings"))]
            Second::Recorded | Second::Replayed => {}
            Second::Kept => self::kept(pair, &kept).await,
            Second::Started => started(pair, &kept).await,
            Second::Explained | Second::Effective | Second::Planned | Second::TakenBack => {
                asked(second, pair).await;
            }
            Second::Variables => variables(pair).await,
        }
    });
}

/// Measures, and prints what was measured and whether there is a report.
async fn measured(work: impl Future<Output = Capacitor<Hostile>>) {
    let before = memory();
    let began = processor_time();
    let capacitor = work.await;
    let report = capacitor.last_error().map(|report| report.to_string());
    // What changed is kept with the generation.
    black_box(capacitor.status().to_string());
    let seconds = processor_time() - began;
    let length = report.map_or(0, |report| report.len());
    println!("{seconds} {} {length}", memory() - before);
}

/// A capacitor that serves the first document, and where the next one goes.
async fn serving(
    first: String,
    with: impl FnOnce(Builder<Hostile>) -> Builder<Hostile>,
) -> (Capacitor<Hostile>, ChannelSender) {
    let (sender, channel) = Channel::buffered("document", 4);
    let source = Source::watcher(channel).format(Format::Json);
    let builder = Hostile::builder().clear_sources().source(source).manual();
    let capacitor = with(builder).build().expect("a layer");
    sender.send(first.into_bytes()).await.expect("a receiver");
    capacitor.start().await.expect("a start");
    (capacitor, sender)
}

async fn next(capacitor: &Capacitor<Hostile>, sender: &ChannelSender, document: String) {
    let document = document.into_bytes();
    sender.send(document).await.expect("a receiver");
    capacitor.process().await.expect("manual mode");
}

async fn update(second: Second, [first, other]: [String; 2]) {
    let (lower, below) = Channel::buffered("below", 4);
    let (upper, above) = Channel::buffered("above", 4);
    let capacitor = Hostile::builder()
        .clear_sources()
        .source(Source::watcher(below).format(Format::Json))
        .source(Source::watcher(above).format(Format::Json))
        .manual()
        .build()
        .expect("two layers");
    lower.send(first.into_bytes()).await.expect("a receiver");
    upper.send(&b"{}"[..]).await.expect("a receiver");
    capacitor.start().await.expect("a start");
    let sender = if second == Second::Above {
        upper
    } else {
        lower
    };
    measured(async {
        next(&capacitor, &sender, other).await;
        capacitor
    })
    .await;
}

#[cfg(feature = "recordings")]
async fn recorded([first, second]: [String; 2]) {
    let recorder = Recorder::in_memory();
    let (capacitor, sender) = serving(first, |builder| builder.record(&recorder)).await;
    measured(async {
        next(&capacitor, &sender, second).await;
        black_box(recorder.lines());
        capacitor
    })
    .await;
}

#[cfg(feature = "recordings")]
async fn replayed([first, second]: [String; 2]) {
    let recorder = Recorder::in_memory();
    let (capacitor, sender) = serving(first, |builder| builder.record(&recorder)).await;
    next(&capacitor, &sender, second).await;
    let log = recorder.lines();
    measured(async {
        let recording: Recording = log.parse().expect("a recording");
        let replay = recording.replay(Hostile::builder()).await;
        black_box(replay.expect("a replay").difference());
        capacitor
    })
    .await;
}

async fn kept([first, second]: [String; 2], path: &Path) {
    let path = path.to_str().expect("a path");
    let keep = |builder: Builder<Hostile>| builder.last_known_good(path, Secrets::Omit);
    let (capacitor, sender) = serving(first, keep).await;
    measured(async {
        next(&capacitor, &sender, second).await;
        // It waits until the file is written.
        capacitor.stop().await;
        capacitor
    })
    .await;
}

async fn started([first, second]: [String; 2], path: &Path) {
    let path = path.to_str().expect("a path");
    // The file has no secrets.
    let password = |builder: Builder<Hostile>| {
        let variables = [("APP_PASSWORD", "hunter2hunter2")];
        let environment = Source::env("APP_").variables(variables);
        let kept = builder.last_known_good(path, Secrets::Omit);
        kept.override_with(environment)
    };
    let (capacitor, sender) = serving(first, password).await;
    next(&capacitor, &sender, second).await;
    capacitor.stop().await;
    let (sender, channel) = Channel::buffered("document", 4);
    let source = Source::watcher(channel).format(Format::Json);
    let builder = Hostile::builder().clear_sources().source(source).manual();
    let capacitor = password(builder).build().expect("a layer");
    let lost = SourceError::transient("the source is lost");
    sender.fail(lost).await.expect("a receiver");
    measured(async {
        capacitor.start().await.expect("a start from the file");
        capacitor
    })
    .await;
}

async fn asked(second: Second, [first, other]: [String; 2]) {
    let (capacitor, sender) = serving(first, |builder| builder.generations(2)).await;
    if second == Second::Planned {
        measured(async {
            let inputs = Inputs::new().layer("document", other.into_bytes());
            black_box(capacitor.plan(&inputs).expect("a plan").to_string());
            capacitor
        })
        .await;
        return;
    }
    next(&capacitor, &sender, other).await;
    measured(async {
        match second {
            Second::Explained => {
                let all = capacitor.explain_all().expect("explanations");
                black_box(all.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            Second::Effective => {
                let effective = capacitor.effective().expect("what is in effect");
                black_box(effective.with_origins().print(Format::Json));
            }
            _ => {
                capacitor.rollback(None).await.expect("an earlier one");
            }
        }
        capacitor
    })
    .await;
}

async fn variables([first, lines]: [String; 2]) {
    let variables = lines.lines().filter_map(|line| line.split_once('='));
    let (sender, channel) = Channel::buffered("document", 4);
    let capacitor = Hostile::builder()
        .clear_sources()
        .source(Source::watcher(channel).format(Format::Json))
        .override_with(Source::env("APP_").variables(variables))
        .manual()
        .build()
        .expect("two layers");
    sender.send(first.into_bytes()).await.expect("a receiver");
    measured(async {
        // It may be refused.
        black_box(capacitor.start().await.is_ok());
        capacitor
    })
    .await;
}
