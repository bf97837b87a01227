//! A document of any bytes, in each format: nothing panics, what is served is what plain serde makes of it, everything else keeps the
//! previous configuration, and no secret is told.
#![no_main]

use flux::{Format, Source, State, source::Channel};
use flux_fuzz::{block_on, by_hand, is_peculiar, plain, told};
use libfuzzer_sys::{Corpus, fuzz_target};

/// What is served before, in JSON. The other formats have the same.
const GOOD: &str = "{\"id\": 7}";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((first, document)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let (format, good) = match first {
        b'J' => (Format::Json, GOOD),
        b'Y' => (Format::Yaml, "id: 7"),
        b'T' => (Format::Toml, "id = 7"),
        b'C' => (Format::Jsonc, "{\"id\": 7,} // a comment"),
        b'5' => (Format::Json5, "{id: 0x7,} // a comment"),
        _ => return Corpus::Reject,
    };
    block_on(check(format, good, document));
    Corpus::Keep
});

async fn check(format: Format, good: &'static str, document: &[u8]) {
    let (sender, channel) = Channel::buffered("channel", 2);
    let capacitor = by_hand([Source::watcher(channel).format(format)]);
    sender.send(good.as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(document).await.unwrap();
    capacitor.process().await.unwrap();
    let told = told(&capacitor);
    let plain = plain::decode(format, document);
    match (capacitor.state(), plain) {
        (State::Healthy, Some(plain)) => plain.must_be(&capacitor.get()),
        // Nobody else is asked what JSON5 is; where it is JSON, it is read as such.
        (State::Healthy, None) if format == Format::Json5 => {}
        (State::Healthy, None) => panic!(
            "served, and refused by plain serde: {:?}",
            &*capacitor.get()
        ),
        (State::Degraded, plain) => {
            let before = plain::decode(Format::Json, GOOD.as_bytes()).unwrap();
            before.must_be(&capacitor.get());
            // Flux bounds how much a small document can repeat, and takes no unknown key twice and no tag without a meaning.
            let own = ["deep", "repeat too much", "twice", "a YAML tag"]
                .iter()
                .any(|reason| told.contains(reason));
            assert!(
                plain.is_none() || own || format == Format::Json5,
                "refused, and served by plain serde: {told}"
            );
        }
        (state, _) => panic!("{state} after a first success"),
    }
    for secret in secrets(format, document) {
        assert!(!told.contains(&secret), "{secret} is told: {told}");
    }
}

/// The secrets of a document that can be read, where they stand nowhere else in it.
fn secrets(format: Format, document: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(document) else {
        return Vec::new();
    };
    let Some(value) = plain::any::<serde_json::Value>(format, text) else {
        return Vec::new();
    };
    let password = value.get("password");
    let key = value.get("tls").and_then(|tls| tls.get("key"));
    let texts = [password, key]
        .into_iter()
        .flatten()
        .filter_map(|value| value.as_str());
    texts
        .filter(|secret| is_peculiar(secret) && text.matches(secret).count() == 1)
        .map(str::to_owned)
        .collect()
}
