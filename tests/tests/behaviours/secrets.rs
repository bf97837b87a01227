//! Secrets are in no report, wherever a document has them and whatever else is wrong with it.

mod places;

use crate::start;
use flux::{
    Capacitor, Error, Flux, Format, Source,
    codec::{Codec, Tree},
    source::Channel,
};
use places::*;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux)]
#[flux(validate = whole)]
struct App {
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(default = "-", length = 1..=4)]
    host: String,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(secret, length = 0..=3)]
    password: Option<String>,
    #[flux(secret, default = 0)]
    pin: u32,
    #[flux(secret)]
    token: Option<Token>,
    #[flux(secret, validate = quoting)]
    checked: Option<String>,
    #[flux(secret)]
    mode: Option<Mode>,
    #[flux(secret, default)]
    keys: BTreeMap<String, u32>,
    #[flux(secret, default)]
    list: Vec<u32>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(default)]
    texts: BTreeMap<String, String>,
    #[flux(nested)]
    vault: Option<Vault>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Vault>,
    #[flux(nested, default)]
    pools: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1, range = 1..=100)]
    max_size: u32,
}

#[derive(Flux)]
#[flux(validate = vault_whole)]
struct Vault {
    #[flux(secret)]
    #[serde(alias = "secret-key")]
    key: Option<String>,
    #[flux(default = 1, range = 1..=9)]
    slots: u32,
}

#[derive(Deserialize, Clone, PartialEq)]
enum Mode {
    Fast,
    Slow,
}

/// A type whose errors quote what it was given, in every way that serde has.
#[derive(Clone, PartialEq)]
struct Token;

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Err(match text.len() % 4 {
            0 => de::Error::custom(format!("{text} is no token")),
            1 => de::Error::invalid_value(de::Unexpected::Str(&text), &"a token"),
            2 => de::Error::invalid_value(
                de::Unexpected::Other(&text),
                &format!("a token, expected not {text}").as_str(),
            ),
            _ => de::Error::unknown_variant(&text, &["a", "b"]),
        })
    }
}

fn quoting(text: &String) -> Result<(), String> {
    assert!(text.len().is_multiple_of(2), "{text} is odd");
    Err(format!("{text} is not good"))
}

fn whole(app: &App) -> Result<(), String> {
    match &app.password {
        Some(password) => Err(format!("with the password {password:?} nothing works")),
        None => Ok(()),
    }
}

fn vault_whole(vault: &Vault) -> Result<(), String> {
    match &vault.key {
        Some(key) => Err(format!("the key {key} opens nothing")),
        None => Ok(()),
    }
}

/// No six characters in a row of a secret are in what is told.
fn is_not_in(secret: &str, told: &str, document: &str) -> Result<(), TestCaseError> {
    let chars: Vec<char> = secret.chars().collect();
    for piece in chars.windows(6) {
        let piece: String = piece.iter().collect();
        let escaped: String = piece.escape_debug().collect();
        for piece in [piece, escaped] {
            prop_assert!(
                !told.contains(&piece),
                "{piece:?} of {secret:?} in {document}\nis told:\n{told}"
            );
        }
    }
    Ok(())
}

/// Everything that the program can print of a capacitor and its start.
fn told(capacitor: &Capacitor<App>, error: Option<Error>) -> String {
    let mut told = String::new();
    let reports = match error {
        Some(Error::Refused(report)) => vec![report],
        Some(other) => panic!("{other}"),
        None => Vec::new(),
    };
    for report in reports.into_iter().chain(capacitor.last_error()) {
        told += &format!("{report}\n{report:?}\n{:?}\n", report.problems());
        told += &serde_json::to_string(&report).unwrap();
    }
    let status = capacitor.status();
    told += &format!(
        "{:?}\n{}",
        status.error,
        serde_json::to_string(&status.error).unwrap()
    );
    for layer in &status.layers {
        told += &format!("{} {:?}", layer.origin, layer.health);
    }
    told
}

fn tell(format: Format, document: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (capacitor, error) = start::<App>(format, document).await;
        told(&capacitor, error)
    })
}

fn scalars(place: &str, quoted: &str, bare: &str) -> String {
    place.replace('@', quoted).replace('~', bare)
}

/// Texts that serde and the formats quote in their own way.
fn awkward() -> impl Strategy<Value = (String, Vec<String>)> {
    let part = "[A-Za-z0-9]{9,12}";
    (part, part, 0..9_usize).prop_map(|(a, b, kind)| {
        let text = match kind {
            0 => format!("{a}\"{b}"),
            1 => format!("{a}`{b}"),
            2 => format!("{a}, expected {b}"),
            3 => format!("{a}`, expected {b}"),
            4 => format!("{a}\n{b}"),
            5 => format!("{a}\\{b}'"),
            6 => format!("{a} {b}"),
            7 => format!("é{a}漢{b}"),
            _ => format!("{a}\", expected `{b}`"),
        };
        (text, vec![a, b])
    })
}

/// Each case tries every place, so that a few are many documents; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn a_secret_of_any_characters_is_not_told((secret, parts) in awkward(), other in 0..6_usize) {
        let quoted = serde_json::to_string(&secret).unwrap();
        let check = |format, document: String| {
            let told = tell(format, &document);
            parts.iter().try_for_each(|part| is_not_in(part, &told, &document))
        };
        for place in YAML_PLACES {
            let text = scalars(place, &quoted, "");
            check(Format::Yaml, format!("{text}\n"))?;
            if !place.starts_with(['@', '{', '-']) {
                check(Format::Yaml, format!("{}\n{text}\n", YAML_ELSE[other]))?;
                check(Format::Yaml, format!("{text}\n{}\n", YAML_ELSE[other]))?;
            }
        }
        for place in FLOW_PLACES {
            let (text, other) = (scalars(place, &quoted, ""), FLOW_ELSE[other]);
            for document in [
                format!("{{{text}, {other}}}"),
                format!("{{{other}, {text}}}"),
                format!("{{\n{other},\n{text}\n}}"),
                format!("{{{other}, {text}"),
            ] {
                check(Format::Json, document.clone())?;
                check(Format::Yaml, document)?;
            }
        }
        for place in TOML_PLACES {
            let text = scalars(place, &quoted, "");
            let other = TOML_ELSE[other % TOML_ELSE.len()];
            check(Format::Toml, format!("{other}\n{text}\n"))?;
            if !place.contains("\n[") && !place.starts_with('[') {
                check(Format::Toml, format!("{text}\n{other}\n"))?;
            }
        }
    }

    #[test]
    fn a_secret_in_a_document_that_is_none_is_not_told(secret in "[A-Za-z0-9]{9,20}", other in 0..6_usize) {
        let check = |format, document: String| is_not_in(&secret, &tell(format, &document), &document);
        for place in BARE_YAML_PLACES {
            let text = scalars(place, "@", &secret);
            check(Format::Yaml, format!("{text}\n"))?;
            check(Format::Yaml, format!("{}\n{text}\n", YAML_ELSE[other]))?;
            check(Format::Yaml, format!("{text}\n{}\n", YAML_ELSE[other]))?;
        }
        for place in BARE_JSON {
            check(Format::Json, scalars(place, "", &secret))?;
        }
        for place in BARE_TOML {
            let text = scalars(place, "", &secret);
            let other = TOML_ELSE[other % TOML_ELSE.len()];
            check(Format::Toml, format!("{other}\n{text}\n"))?;
            check(Format::Toml, format!("{text}\n{other}\n"))?;
        }
    }

    #[test]
    fn a_secret_number_is_not_told(secret in 100_000_000_u64..u64::MAX, other in 0..6_usize) {
        let text = secret.to_string();
        let check = |format, document: String| is_not_in(&text, &tell(format, &document), &document);
        for place in YAML_PLACES {
            check(Format::Yaml, scalars(place, &text, ""))?;
            check(Format::Yaml, scalars(place, &format!("-{text}"), ""))?;
            check(Format::Yaml, scalars(place, &format!("{text}.5"), ""))?;
        }
        for place in FLOW_PLACES {
            check(Format::Json, format!("{{{}, {}}}", scalars(place, &text, ""), FLOW_ELSE[other]))?;
        }
        for place in TOML_PLACES {
            check(Format::Toml, scalars(place, &text, ""))?;
        }
    }
}

#[tokio::test]
async fn a_codec_that_panics_is_a_refusal_and_tells_no_secret() {
    struct Fragile;
    impl Codec for Fragile {
        fn name(&self) -> &str {
            "fragile"
        }
        fn decode(&self, text: &str) -> Result<Tree, String> {
            panic!("cannot read {text}");
        }
    }
    #[derive(Flux)]
    struct Secretive {
        #[flux(secret)]
        _password: String,
    }
    let (sender, channel) = Channel::buffered("app", 4);
    sender.send(&b"hunter2hunter2"[..]).await.unwrap();
    let capacitor = Capacitor::<Secretive>::builder()
        .manual()
        .source(Source::watcher(channel).codec(Fragile))
        .build()
        .unwrap();
    let error = capacitor.start().await.expect_err("a panic").to_string();
    assert!(!error.contains("hunter"), "{error}");
}
