//! Secrets by their defaults: the last known good file has none, and while it serves the status names each that nothing sets.

use crate::kit::{Ear, over_a_channel, settle, write};
use flux::{
    Capacitor, Flux, Format, Secrets, Source, State,
    source::{Channel, ChannelSender, SourceError},
};
use std::path::{Path, PathBuf};

#[derive(Debug, Flux)]
struct Lent {
    #[flux(range = 1..=99)]
    n: u32,
    #[flux(secret, default = "changeme")]
    password: String,
    #[flux(secret, default)]
    token: Option<String>,
}

/// Two layers, of which the second one is optional; and a variable, where one is given.
fn lent(path: &Path, token: Option<&str>) -> (Capacitor<Lent>, ChannelSender, ChannelSender) {
    let (builder, sender) = over_a_channel::<Lent>();
    let (upper, channel) = Channel::buffered("upper", 8);
    let mut builder = builder
        .source(Source::watcher(channel).format(Format::Yaml).optional())
        .last_known_good(path.to_str().unwrap(), Secrets::Omit);
    if let Some(token) = token {
        let variables = [("APP_TOKEN", token)];
        builder = builder.override_with(Source::env("APP_").variables(variables));
    }
    (builder.build().unwrap(), sender, upper)
}

const GOOD: &str = "{n: 1, password: hunter2hunter2, token: correct-horse}";

/// A file with [`GOOD`], but its secrets.
async fn kept(folder: &Path) -> PathBuf {
    let path = folder.join("last.json");
    let (capacitor, sender, upper) = lent(&path, None);
    write(&sender, GOOD).await;
    upper.absent().await.unwrap();
    capacitor.start().await.unwrap();
    assert!(capacitor.status().secrets_by_default.is_empty());
    capacitor.stop().await;
    path
}

async fn down(sender: &ChannelSender) {
    let error = SourceError::transient("no route");
    sender.fail(error).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_the_default_of_a_secret_serves_the_status_and_the_log_name_it_and_then_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path()).await;
    let (ear, _guard) = Ear::listen();
    let (capacitor, sender, upper) = lent(&path, None);
    down(&sender).await;
    upper.absent().await.unwrap();
    capacitor.start().await.unwrap();
    settle().await;
    assert_eq!(capacitor.get().password, "changeme");
    let status = capacitor.status();
    assert_eq!(status.secrets_by_default, ["password", "token"]);
    let text =
        "by default, since the last known good file contains no secrets: `password`, `token`";
    assert!(status.to_string().contains(text), "{status}");
    let json = serde_json::to_value(&*status).unwrap();
    assert_eq!(
        json["secrets_by_default"],
        serde_json::json!(["password", "token"])
    );
    // It was not written by this process, and nothing is wrong with it.
    assert_eq!(status.last_known_good, None);
    let told = ear.text();
    for secret in ["password", "token"] {
        let warning = format!(
            "last.json: `{secret}` was secret, so it was not kept; no other layer sets it, and its default serves"
        );
        assert_eq!(told.matches(&warning).count(), 1, "{told}");
    }
    // The source is there again with just what it had.
    write(&sender, GOOD).await;
    settle().await;
    assert_eq!(capacitor.state(), State::Healthy);
    assert_eq!(capacitor.get().password, "hunter2hunter2");
    assert!(capacitor.status().secrets_by_default.is_empty());
    let told = ear.text();
    assert!(!told.contains("was secret"), "{told}");
    assert!(!told.contains("disk.recovered"), "{told}");
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_refused_document_sets_is_named_since_readers_do_not_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path()).await;
    for refused in [
        "{n: 0, password: hunter3hunter3}",
        "{n: x, password: hunter3hunter3}",
    ] {
        let (capacitor, sender, upper) = lent(&path, None);
        write(&sender, refused).await;
        upper.absent().await.unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().password, "changeme", "{refused}");
        assert_eq!(
            capacitor.status().secrets_by_default,
            ["password", "token"],
            "{refused}"
        );
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_layer_sets_is_not_named_whenever_that_layer_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = kept(folder.path()).await;
    let (ear, _guard) = Ear::listen();
    let (capacitor, sender, upper) = lent(&path, Some("of-the-variable"));
    down(&sender).await;
    upper.absent().await.unwrap();
    capacitor.start().await.unwrap();
    settle().await;
    assert_eq!(capacitor.get().token.as_deref(), Some("of-the-variable"));
    assert_eq!(capacitor.status().secrets_by_default, ["password"]);
    assert!(!ear.text().contains("`token` was secret"));
    // The upper layer sets it while the lower one is still down, and takes it away again.
    for (document, named) in [
        ("password: hunter4hunter4", 0),
        ("{}", 1),
        // The same value, which is no change for readers.
        ("password: changeme", 0),
        ("{}", 1),
    ] {
        write(&upper, document).await;
        settle().await;
        let status = capacitor.status();
        assert_eq!(status.secrets_by_default.len(), named, "{document}");
        assert_eq!(status.state, State::Degraded, "{document}");
    }
    capacitor.stop().await;
}
