//! The last known good file after the program has changed: what an earlier struct kept is served exactly, or refused with the reason.

use flux::{
    Capacitor, Config, Error, Flux, Format, Secrets, Source,
    source::{Channel, ChannelSender, SourceError},
};
use std::{
    fmt::{self, Debug},
    path::Path,
    sync::{Arc, Mutex},
};
use tracing::{Event, Subscriber, field::Field, field::Visit, span};

fn keeping<C: Config>(path: &Path) -> (Capacitor<C>, ChannelSender) {
    let (sender, channel) = Channel::buffered("app", 4);
    let builder = Capacitor::<C>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .startup_timeout(std::time::Duration::from_secs(20));
    (builder.build().unwrap(), sender)
}

/// What `Later` is served in a start without sources, of what `Earlier` kept of the document, and what is reported; an error is the
/// report of a refused start.
async fn served<Earlier: Config, Later: Config + Debug>(
    document: &str,
) -> Result<(String, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let (capacitor, sender) = keeping::<Earlier>(&path);
    sender.send(document.as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let (capacitor, sender) = keeping::<Later>(&path);
    let lost = SourceError::transient("no route");
    sender.fail(lost).await.unwrap();
    let warned = Warned::default();
    let _guard = tracing::subscriber::set_default(warned.clone());
    match capacitor.start().await {
        Ok(()) => {
            let error = capacitor.status().error.as_ref().map(ToString::to_string);
            let served = format!("{:?}", **capacitor.snapshot());
            let told = format!("{}\n{}", error.unwrap_or_default(), warned.texts());
            capacitor.stop().await;
            Ok((served, told))
        }
        Err(Error::Refused(report)) => Err(format!("{report}\n{}", warned.texts())),
        // The source may still come.
        Err(Error::StartupTimeout { waiting, unfit, .. }) => {
            assert_eq!(waiting.len(), 1, "{waiting:?}");
            Err(unfit.expect("why the file does not serve"))
        }
        Err(other) => panic!("{other}"),
    }
}

/// The texts of the events on this thread.
#[derive(Clone, Default)]
struct Warned(Arc<Mutex<Vec<String>>>);

impl Warned {
    fn texts(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

struct EventText(String);

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{}={value:?} ", field.name());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 += &format!("{}={value} ", field.name());
    }
}

impl Subscriber for Warned {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event()
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = EventText(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// A program's struct at one time. The file belongs to the name of the struct.
macro_rules! app {
    ($module:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? }) => {
        mod $module {
            #[allow(unused_imports, reason = "not every one has sections")]
            use super::*;

            #[derive(Flux, Debug)]
            #[allow(dead_code, reason = "printed")]
            pub(super) struct App { $($(#[$attribute])* pub(super) $field: $type,)* }
        }
    };
}

app!(before {
    port: u32,
    #[flux(default = "none")]
    host: String,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(before_pool {
    max: u32,
    #[flux(default = 1)]
    min: u32,
});

const DOCUMENT: &str = "port: 8080\nhost: '1.10'\npool: {max: 70000, min: 2}";

app!(field_with_default {
    port: u32,
    host: String,
    #[flux(default = 9)]
    added: u8,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(field_without_default {
    port: u32,
    host: String,
    added: u8,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(field_removed {
    port: u32,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(field_renamed {
    #[serde(alias = "port")]
    listen: u32,
    #[flux(default = "none")]
    #[serde(alias = "host")]
    name: String,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(field_renamed_without_alias {
    #[flux(default = 80)]
    listen: u32,
    #[flux(nested)]
    pool: before_pool::App,
});
app!(narrowed {
    port: u32,
    #[flux(nested)]
    pool: narrow_pool::App,
});
app!(narrow_pool { max: u16, min: u32 });
app!(optional_section {
    port: u32,
    #[flux(nested)]
    pool: Option<before_pool::App>,
});
app!(stricter {
    port: u32,
    #[flux(nested)]
    pool: strict_pool::App,
});
app!(strict_pool {
    #[flux(range = 1..=100)]
    max: u32,
    min: u32,
});
app!(other_type {
    port: u32,
    host: f64,
});
app!(section_is_a_value {
    port: u32,
    pool: String,
});
app!(newly_secret {
    #[flux(secret)]
    port: u32,
    host: String,
    #[flux(nested)]
    pool: before_pool::App,
});

#[tokio::test(start_paused = true)]
async fn what_an_earlier_struct_kept_is_served_exactly_or_refused_with_the_reason() {
    let is_served = |read: Result<(String, String), String>, value: &str, told: &[&str]| {
        let (served, report) = read.unwrap();
        assert!(served.contains(value), "{value} is not in {served}");
        for one in told {
            assert!(report.contains(one), "{one} is not in {report}");
        }
    };
    let is_refused = |read: Result<(String, String), String>, told: &[&str]| {
        let report = read.unwrap_err();
        for one in told {
            assert!(report.contains(one), "{one} is not in {report}");
        }
    };
    let pool = "pool: App { max: 70000, min: 2 }";
    let all = format!("port: 8080, host: \"1.10\", added: 9, {pool}");
    is_served(
        served::<before::App, field_with_default::App>(DOCUMENT).await,
        &all,
        &["no route"],
    );
    is_refused(
        served::<before::App, field_without_default::App>(DOCUMENT).await,
        &["added", "is required, and no layer sets it"],
    );
    is_served(
        served::<before::App, field_removed::App>(DOCUMENT).await,
        pool,
        &["`host` is no field of today"],
    );
    let renamed = format!("listen: 8080, name: \"1.10\", {pool}");
    is_served(
        served::<before::App, field_renamed::App>(DOCUMENT).await,
        &renamed,
        &[],
    );
    is_served(
        served::<before::App, field_renamed_without_alias::App>(DOCUMENT).await,
        "listen: 80,",
        &["`port` is no field of today"],
    );
    is_refused(
        served::<before::App, narrowed::App>(DOCUMENT).await,
        &["does not fit the configuration any more"],
    );
    is_served(
        served::<before::App, optional_section::App>(DOCUMENT).await,
        "pool: Some(",
        &[],
    );
    is_refused(
        served::<before::App, stricter::App>(DOCUMENT).await,
        &["pool.max", "must be in 1..=100"],
    );
    // A text stays a text.
    is_refused(
        served::<before::App, other_type::App>(DOCUMENT).await,
        &["does not fit the configuration any more"],
    );
    is_refused(
        served::<before::App, section_is_a_value::App>(DOCUMENT).await,
        &["does not fit the configuration any more"],
    );
    is_served(
        served::<before::App, newly_secret::App>(DOCUMENT).await,
        "host: \"1.10\"",
        &["`port` is secret now"],
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_secret_since_then_leaves_the_file_with_the_next_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let (capacitor, sender) = keeping::<without_mark::App>(&path);
    let document = &b"{port: 1, token: t0ken}"[..];
    sender.send(document).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    assert!(std::fs::read_to_string(&path).unwrap().contains("t0ken"));
    let (capacitor, sender) = keeping::<new_required_secret::App>(&path);
    sender.send(document).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"port\": 1"), "{text}");
    assert!(!text.contains("t0ken"), "{text}");
}

app!(with_secret {
    port: u16,
    #[flux(secret)]
    token: String,
    #[flux(secret)]
    pin: Option<u32>,
    #[flux(secret, default = "guest")]
    user: String,
});
app!(without_mark {
    port: u16,
    token: String,
});
app!(without_mark_optional {
    port: u16,
    pin: Option<u32>,
});
app!(without_mark_default {
    port: u16,
    #[flux(default = "guest")]
    user: String,
});
app!(no_secret { port: u16 });
app!(new_required_secret {
    port: u16,
    #[flux(secret)]
    token: String,
});

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_left_out_of_the_file_is_never_served_as_a_default_in_silence() {
    const SECRETS: &str = "{port: 1, token: t0ken, pin: 1234, user: admin}";
    let report = served::<with_secret::App, without_mark::App>(SECRETS)
        .await
        .unwrap_err();
    assert!(report.contains("token"), "{report}");
    let report = served::<no_secret::App, new_required_secret::App>("port: 1")
        .await
        .unwrap_err();
    assert!(report.contains("contains no secrets"), "{report}");
    for (read, path) in [
        (
            served::<with_secret::App, without_mark_optional::App>(SECRETS).await,
            "pin",
        ),
        (
            served::<with_secret::App, without_mark_default::App>(SECRETS).await,
            "user",
        ),
    ] {
        match read {
            Ok((served, told)) => {
                assert!(
                    told.contains(path),
                    "{served} without a word of {path}: {told}"
                );
            }
            Err(report) => assert!(report.contains(path), "{report}"),
        }
    }
}
