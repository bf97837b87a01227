//! Documents that are empty, or have keys that no field has.

use crate::{applied, by_hand, refusal};
use flux::{Capacitor, Flux, Format, Source, State, Unknown, source::Channel};
use std::collections::BTreeMap;

#[derive(Flux)]
struct App {
    #[flux(default = 8080)]
    port: u16,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1)]
    max_size: u32,
}

const EMPTY: &[(Format, &str)] = &[
    (Format::Json, ""),
    (Format::Json, " \n\t"),
    (Format::Json, "\u{feff}"),
    (Format::Json, "null"),
    (Format::Yaml, ""),
    (Format::Yaml, "# only a comment\n"),
    (Format::Yaml, "---"),
    (Format::Yaml, "--- # nothing\n..."),
    (Format::Yaml, "%YAML 1.2\n---\n"),
    (Format::Yaml, "~"),
    (Format::Yaml, "null # really"),
    (Format::Yaml, "!t"),
    (Format::Yaml, "# above\n--- !!map # behind"),
    (Format::Yaml, "%YAML 1.2\n---\n&a !!str\n"),
    (Format::Toml, ""),
    (Format::Toml, "# only a comment"),
    (Format::Toml, "\u{feff}\n  # a\r\n\t# b\n\n"),
];

#[tokio::test]
async fn an_empty_document_is_refused_where_it_is_required() {
    for (format, document) in EMPTY {
        let report = refusal::<App>(*format, document).await;
        let text = report.to_string();
        assert!(
            text.contains("is empty, and this layer is required"),
            "{document:?}: {text}"
        );
    }
}

#[tokio::test]
async fn an_empty_document_says_nothing_where_it_is_optional_and_never_becomes_defaults() {
    for (format, document) in EMPTY {
        let (below, one) = Channel::buffered("below", 4);
        let (above, two) = Channel::buffered("above", 4);
        below.send(&b"port: 1"[..]).await.unwrap();
        above.send(document.as_bytes()).await.unwrap();
        let capacitor = Capacitor::<App>::builder()
            .manual()
            .source(Source::watcher(one).format(Format::Yaml))
            .source(Source::watcher(two).format(*format).optional())
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.state(), State::Healthy, "{document:?}");
        assert_eq!(capacitor.get().port, 1, "{document:?}");
    }
}

#[tokio::test]
async fn a_document_that_holds_an_empty_map_or_section_is_not_empty() {
    for (format, document) in [
        (Format::Json, "{}"),
        (Format::Yaml, "{}"),
        (Format::Yaml, "--- {}"),
        (Format::Yaml, "!!map {}"),
        (Format::Yaml, "&a {}"),
        (Format::Toml, "[pool]"),
        (Format::Toml, "# above\n[pool] # behind"),
    ] {
        let app = applied::<App>(format, document).await;
        assert_eq!((app.port, app.pool.max_size), (8080, 1));
    }
}

#[tokio::test]
async fn a_configuration_is_kept_when_its_document_is_emptied_but_for_comments() {
    for (format, good, emptied) in [
        (Format::Json, "{\"port\": 1}", "null"),
        (Format::Yaml, "port: 1", "# port: 1"),
        (Format::Toml, "port = 1", "# port = 1"),
    ] {
        let (sender, channel) = Channel::buffered("app", 4);
        sender.send(good.as_bytes()).await.unwrap();
        let capacitor = Capacitor::<App>::builder()
            .manual()
            .source(Source::watcher(channel).format(format))
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        sender.send(emptied.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        assert_eq!(
            (capacitor.state(), capacitor.get().port),
            (State::Degraded, 1),
            "{format}"
        );
    }
}

#[tokio::test]
async fn unknown_keys_are_refused_in_a_section_that_denies_them() {
    #[derive(Flux)]
    struct Mixed {
        #[flux(nested)]
        strict: Strict,
        #[flux(nested, default)]
        many: BTreeMap<String, Strict>,
    }
    #[derive(Flux)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[flux(default = 1)]
        n: u32,
        #[flux(nested)]
        lenient: Lenient,
    }
    #[derive(Flux)]
    struct Lenient {
        #[flux(default = 2)]
        n: u32,
    }
    for unknown in [Unknown::Warn, Unknown::Ignore, Unknown::Deny] {
        let state = |document: &'static str| async move {
            let (capacitor, sender) = by_hand::<Mixed>(|builder| builder.unknown(unknown));
            sender.send(document.as_bytes()).await.unwrap();
            let told = capacitor.start().await.err().map(|error| error.to_string());
            (capacitor.state(), told.unwrap_or_default())
        };
        let (refused, told) = state("strict: {n: 5, m: 1}").await;
        assert_eq!(refused, State::Empty, "{unknown:?}");
        assert!(told.contains("strict.m: unknown key"), "{told}");
        let (refused, told) = state("many: {a: {n: 1}, b: {nn: 1}}").await;
        assert_eq!(refused, State::Empty, "{unknown:?}");
        assert!(told.contains("many.b.nn: unknown key"), "{told}");
        let lenient = match unknown {
            Unknown::Deny => State::Empty,
            _ => State::Healthy,
        };
        let (elsewhere, _) = state("m: 1\nstrict: {lenient: {m: 1}}").await;
        assert_eq!(elsewhere, lenient, "{unknown:?}");
    }
    let app = applied::<Mixed>(Format::Yaml, "strict: {n: 5, lenient: {n: 6}}").await;
    assert_eq!((app.strict.n, app.strict.lenient.n), (5, 6));
}
