//! What the original system's tests ask for and no other file shows, and the table of all of them in `tests/ORIGINAL.md`.

use crate::kit::{App, Count, over_a_channel, pass, running, say, settle, write};
use flux::{
    Capacitor, Format, Snapshot, Source, State,
    source::{Channel, Health, Observer, SourceError, Watcher},
};
use std::{collections::BTreeSet, fs, path::Path, sync::Arc, time::Duration};

#[tokio::test(start_paused = true)]
async fn before_start_there_is_nothing_to_read_and_nothing_to_complain_about() {
    let (builder, _sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    assert!(capacitor.try_snapshot().is_none());
    assert!(capacitor.try_get().is_none());
    assert!(capacitor.last_error().is_none());
    assert_eq!(capacitor.state(), State::Loading);
    let status = capacitor.status();
    assert!(!status.running && status.layers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn json_is_the_default_and_each_format_refuses_what_is_not_its_own() {
    let (yaml, json, toml) = (
        "n: 1\ntext: a",
        "{\"n\": 1, \"text\": \"a\"}",
        "n = 1\ntext = \"a\"",
    );
    let cases = [
        (None, json, true),
        (None, yaml, false),
        (None, toml, false),
        (Some(Format::Json), json, true),
        (Some(Format::Json), yaml, false),
        (Some(Format::Json), "{\"n\": 1,}", false),
        (Some(Format::Yaml), yaml, true),
        (Some(Format::Yaml), json, true),
        (Some(Format::Yaml), toml, false),
        (Some(Format::Toml), toml, true),
        (Some(Format::Toml), yaml, false),
        (Some(Format::Toml), json, false),
    ];
    for (format, document, good) in cases {
        let (sender, channel) = Channel::buffered("channel", 4);
        let mut source = Source::watcher(channel);
        if let Some(format) = format {
            source = source.format(format);
        }
        let capacitor = Capacitor::<App>::builder().source(source).build().unwrap();
        write(&sender, document).await;
        let outcome = capacitor.start().await;
        assert_eq!(outcome.is_ok(), good, "{format:?}: {document}");
        let state = if good { State::Healthy } else { State::Empty };
        assert_eq!(capacitor.state(), state);
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_holds_so_many_refusals_and_forgets_the_oldest() {
    for (size, kept) in [(0, vec![]), (1, vec![105]), (3, vec![103, 104, 105])] {
        let (capacitor, sender) = running(|builder| builder.history(size)).await;
        for n in 100..=105 {
            say(&sender, n).await;
            settle().await;
        }
        let status = capacitor.status();
        let told = status.history.iter().map(|refusal| {
            let message = &refusal.report.problems()[0].message;
            message.rsplit(' ').next().unwrap().parse().unwrap()
        });
        assert_eq!(told.collect::<Vec<u32>>(), kept);
        assert!(capacitor.last_error().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn every_failing_layer_is_told_also_while_another_stage_refuses() {
    let (builder, sender) = over_a_channel::<App>();
    let mut builder = builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
        (next.n != 7).then_some(()).ok_or("no sevens")
    });
    let mut others = Vec::new();
    for name in ["second", "third"] {
        let (other, channel) = Channel::buffered(name, 4);
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
        write(&other, "{}").await;
        others.push(other);
    }
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    for other in &others {
        write(other, "text: [").await;
        settle().await;
    }
    let origins = || -> BTreeSet<String> {
        let report = capacitor.last_error().unwrap();
        report
            .problems()
            .iter()
            .map(|problem| problem.origin.clone())
            .collect()
    };
    let both: BTreeSet<String> = ["second", "third"].map(String::from).into();
    assert_eq!(origins(), both);
    for (document, also) in [("n: 7", "pipeline"), ("n: 100", "channel")] {
        write(&sender, document).await;
        settle().await;
        let mut all = both.clone();
        all.insert(also.to_owned());
        assert_eq!(origins(), all, "{document}");
        assert_eq!(capacitor.get().n, 1);
    }
    let refused = |i: usize| capacitor.status().layers[i].refused;
    assert!(refused(1) && refused(2));
    say(&sender, 2).await;
    settle().await;
    assert_eq!(capacitor.get().n, 2, "the good layer goes on");
    assert_eq!(origins(), both);
    for other in &others {
        write(other, "text: a").await;
    }
    settle().await;
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn good_content_that_a_callback_refused_is_not_forgotten_when_another_layer_breaks_a_rule() {
    let calls = Count::default();
    let (builder, sender) = over_a_channel::<App>();
    let (over, channel) = Channel::buffered("over", 4);
    let capacitor = builder
        .override_with(Source::watcher(channel).format(Format::Yaml))
        .on_apply(move |_, next: Arc<Snapshot<App>>| {
            let refuses = next.text == "b" && calls.add() < 3;
            async move { if refuses { Err("not now") } else { Ok(()) } }
        })
        .build()
        .unwrap();
    write(&sender, "text: a").await;
    write(&over, "n: 1").await;
    capacitor.start().await.unwrap();
    write(&sender, "text: b").await;
    settle().await;
    assert_eq!(capacitor.state(), State::Degraded);
    write(&over, "n: 100").await;
    pass(60.0).await;
    let app = capacitor.get();
    assert_eq!((app.n, &*app.text), (1, "b"));
    let report = capacitor.last_error().unwrap();
    assert_eq!(report.problems()[0].origin, "over");
}

#[tokio::test(start_paused = true)]
async fn a_reducer_that_fails_is_a_refusal_and_it_sees_what_readers_see() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .reducer(|current: Option<&App>, layers| {
            let jump = current.is_some_and(|app| app.n == 2);
            match jump {
                true => Err("nothing comes after two"),
                false => Ok(layers[0].clone()),
            }
        })
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    for (n, state) in [(2, State::Healthy), (3, State::Degraded)] {
        say(&sender, n).await;
        settle().await;
        assert_eq!((capacitor.state(), capacitor.get().n), (state, 2));
    }
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("the reducer refused: nothing comes after two"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_watched_shows_in_its_health_and_start_waits_for_it() {
    struct Late(Count);
    impl Watcher for Late {
        fn origin(&self) -> String {
            "late".to_owned()
        }
        async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
            if self.0.add() < 5 {
                return Err(SourceError::transient("connection refused"));
            }
            observer.value(*b"{\"n\": 3}");
            std::future::pending().await
        }
    }
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(Late(Count::default())))
        .build()
        .unwrap();
    let starting = tokio::spawn({
        let capacitor = capacitor.clone();
        async move { capacitor.start().await }
    });
    settle().await;
    match &capacitor.status().layers[0].health {
        Health::Stale { error, .. } => assert!(error.to_string().contains("connection refused")),
        other => panic!("{other:?}"),
    }
    assert_eq!(capacitor.state(), State::Loading);
    starting.await.unwrap().unwrap();
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
    assert!(matches!(capacitor.status().layers[0].health, Health::Live));
}

#[tokio::test(start_paused = true)]
async fn an_update_is_taken_up_whole_when_several_sources_change_within_the_quiet_window() {
    let calls = Count::default();
    let count = calls.clone();
    let (builder, sender) = over_a_channel::<App>();
    let (other, channel) = Channel::buffered("other", 4);
    let capacitor = builder
        .debounce(Duration::from_millis(100))
        .source(Source::watcher(channel).format(Format::Yaml))
        .on_apply(move |_, _| {
            count.add();
            async { Ok::<_, std::io::Error>(()) }
        })
        .build()
        .unwrap();
    say(&sender, 1).await;
    write(&other, "text: a").await;
    capacitor.start().await.unwrap();
    say(&sender, 2).await;
    pass(0.05).await;
    write(&other, "text: b").await;
    pass(0.2).await;
    let app = capacitor.get();
    assert_eq!((app.n, &*app.text, calls.get()), (2, "b", 2));
}

/// Every Rust file below, in order.
fn sources(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// The names of functions that are marked as tests, also inside `proptest!`, and of the cases of the suite of servers.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    let marked = source
        .split("#[test]")
        .chain(source.split("#[tokio::test"))
        .skip(1)
        .filter_map(|after| after.split_once("fn "));
    let cases = source
        .split("pub(crate) async fn ")
        .skip(1)
        .map(|after| ("", after))
        .filter(|(_, after)| after.contains(") -> Shown {"));
    marked
        .chain(cases)
        .filter_map(|(_, name)| name.split(['(', '<']).next())
}

#[test]
fn every_test_that_the_table_of_the_original_names_exists() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().unwrap();
    let table = fs::read_to_string(own.join("ORIGINAL.md")).unwrap();
    let mut all = Vec::new();
    for folder in [
        "tests/tests",
        "flux/src",
        "flux/syntax/src",
        "flux-derive/src",
    ] {
        sources(&root.join(folder), &mut all);
    }
    let known: BTreeSet<&str> = all.iter().flat_map(|source| tests(source)).collect();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let named: Vec<&str> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| name.contains('_') && !name.contains("::"))
        .collect();
    assert!(named.len() > 100, "the table names {} tests", named.len());
    let missing: Vec<_> = named.iter().filter(|name| !known.contains(*name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    let counted: u32 = table
        .lines()
        .filter_map(|line| {
            line.strip_prefix("## ")?
                .split_once('(')?
                .1
                .split(')')
                .next()?
                .parse::<u32>()
                .ok()
        })
        .sum();
    assert_eq!(counted, 217, "the groups hold all tests of the original");
}
