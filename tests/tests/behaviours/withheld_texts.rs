//! Texts that may be secret and are no value of a secret field: comments, values of misspelt variables; and what is kept of odd keys.

use crate::kit::{over_a_channel, settle};
use flux::{
    Capacitor, Flux, Format, Secrets, Source,
    source::{Channel, SourceError},
};
use std::collections::BTreeMap;

#[derive(Debug, Flux)]
struct Guarded {
    #[flux(default)]
    name: String,
    #[flux(secret, default)]
    password: String,
}

#[tokio::test(start_paused = true)]
async fn a_comment_of_yaml_directly_behind_a_key_in_quotes_is_not_shown() {
    for document in [
        "{\"name\":#the password was hunter2secret\n}",
        "{'name':#the password was hunter2secret\n}",
        "{\"name\": #the password was hunter2secret\n}",
    ] {
        let (builder, sender) = over_a_channel::<Guarded>();
        let capacitor = builder.build().unwrap();
        sender.send(document.as_bytes()).await.unwrap();
        let error = capacitor.start().await.unwrap_err().to_string();
        assert!(error.contains("name: expected a string"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_value_of_a_misspelt_variable_is_withheld_where_an_error_of_a_source_quotes_it() {
    let (sender, channel) = Channel::buffered("server", 8);
    let capacitor = Capacitor::<Guarded>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables([("APP_PASWORD", "fQsgTC8G9dFR")]))
        .build()
        .unwrap();
    sender.send(&b"name: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    let quoted = SourceError::transient("the server says fQsgTC8G9dFR");
    sender.fail(quoted).await.unwrap();
    settle().await;
    let status = capacitor.status();
    let all = format!(
        "{status} {status:?} {}",
        serde_json::to_string(&*status).unwrap()
    );
    assert!(all.contains("APP_PASWORD"), "{all}");
    assert!(!all.contains("fQsgTC8G9dFR"), "{all}");
    capacitor.stop().await;
}

#[derive(Debug, Flux)]
struct OddKeys {
    map: BTreeMap<String, String>,
}

#[tokio::test(start_paused = true)]
async fn a_map_with_a_number_and_a_dollar_among_its_keys_is_kept_from_every_format() {
    for (format, document) in [
        (Format::Json, r#"{"map": {"1": "a", "$b": "c", "-3": "d"}}"#),
        (
            Format::Jsonc,
            r#"{"map": {"1": "a", "$b": "c", "-3": "d"}}"#,
        ),
        (
            Format::Json5,
            r#"{"map": {"1": "a", "$b": "c", "-3": "d"}}"#,
        ),
        (Format::Yaml, r#"{"map": {"1": "a", $b: "c", "-3": "d"}}"#),
        (Format::Toml, r#"map = {1 = "a", "$b" = "c", -3 = "d"}"#),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let make = || {
            let (sender, channel) = Channel::buffered("app", 4);
            let capacitor = Capacitor::<OddKeys>::builder()
                .source(Source::watcher(channel).format(format))
                .last_known_good(path.to_str().unwrap(), Secrets::Omit)
                .build()
                .unwrap();
            (capacitor, sender)
        };
        let (capacitor, sender) = make();
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.start().await.unwrap();
        let map = capacitor.get().map.clone();
        assert_eq!(map.len(), 3);
        capacitor.stop().await;
        let problem = capacitor.status().last_known_good.clone();
        assert_eq!(problem.and_then(|file| file.problem), None, "{format:?}");
        let (capacitor, sender) = make();
        sender
            .fail(SourceError::transient("no route"))
            .await
            .unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().map, map, "{format:?}");
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_of_toml_directly_behind_a_value_is_not_shown() {
    for document in [
        "name = 1#the password was hunter2secret",
        "name = [1, \"#\"]#the password was hunter2secret",
        "name = 1\t#the password was hunter2secret",
        "name = [#the password was hunter2secret\n]",
        "[name]#the password was hunter2secret",
    ] {
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = Capacitor::<Guarded>::builder()
            .source(Source::watcher(channel).format(Format::Toml))
            .build()
            .unwrap();
        sender.send(document.as_bytes()).await.unwrap();
        let error = capacitor.start().await.unwrap_err().to_string();
        assert!(error.contains("name: expected a string"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[derive(Debug, Flux)]
struct GuardedKeys {
    #[flux(secret, default)]
    users: BTreeMap<String, u32>,
}

#[tokio::test(start_paused = true)]
async fn a_key_of_a_secret_map_is_not_shown_whatever_line_it_is_on() {
    for (format, document) in [
        (Format::Toml, "[users.hunter2secret]\nx = 1"),
        (Format::Toml, "[users.hunter2secret.x]\ny = 1"),
        (Format::Toml, "[[users.hunter2secret]]\nx = 1"),
        (Format::Toml, "[users]\nhunter2secret = 'x'"),
        (Format::Toml, "users.hunter2secret = [\n1]"),
        (Format::Yaml, "users:\n  hunter2secret: x"),
        (Format::Yaml, "users:\n  hunter2secret:\n    x"),
        (Format::Yaml, "users:\n  hunter2secret:\n  - x"),
        (Format::Yaml, "users:\n  hunter2secret:\n    x: 1"),
        (Format::Yaml, "users:\n  ? hunter2secret\n  : [x]"),
        (Format::Json, "{\"users\": {\n\"hunter2secret\":\n[1]}}"),
        (Format::Json, "{\"users\": {\n\"hunter2secret\": {}}}"),
    ] {
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = Capacitor::<GuardedKeys>::builder()
            .source(Source::watcher(channel).format(format))
            .build()
            .unwrap();
        sender.send(document.as_bytes()).await.unwrap();
        let error = capacitor.start().await.unwrap_err().to_string();
        assert!(error.contains("users"), "{document}\n{error}");
        assert!(!error.contains("hunter2"), "{document}\n{error}");
    }
}
