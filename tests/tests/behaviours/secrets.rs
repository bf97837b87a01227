//! Secrets are in no report, wherever a document has them and whatever else is wrong with it.

use crate::start;
use flux::{
    Capacitor, Error, Flux, Format, Source,
    codec::{Codec, Tree},
    source::Channel,
};
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

/// What else is wrong, so that lines are shown: before, behind and beside the secret.
const YAML_ELSE: [&str; 6] = [
    "port: x",
    "hosst: 1",
    "timeout: soon",
    "pool: [1]",
    "host: ''",
    "pin: []",
];
const FLOW_ELSE: [&str; 6] = [
    "\"port\": \"x\"",
    "\"hosst\": 1",
    "\"timeout\": \"soon\"",
    "\"pool\": [1]",
    "\"host\": \"\"",
    "\"pool\": {\"max_size\": 500}",
];
const TOML_ELSE: [&str; 5] = [
    "port = \"x\"",
    "hosst = 1",
    "timeout = \"soon\"",
    "host = \"\"",
    "pin = []",
];

/// Places of a text in block YAML; `@` is the text as a scalar, `~` the bare text.
const YAML_PLACES: &[&str] = &[
    "password: @",
    "pasword: @",
    "passwords: [@, @]",
    "pin: @",
    "token: @",
    "checked: @",
    "mode: @",
    "keys: {a: @}",
    "keys: @",
    "list: [1, @]",
    "list: @",
    "vault: @",
    "vault: [@]",
    "vault: {key: [@]}",
    "vault: {kye: @, slots: 0}",
    "vault: {key: @, slots: 0}",
    "vault: {secret-key: @, slots: 0}",
    "vault: {slots: 0, key: @}",
    "vault:\n  slots: 0\n  key: @",
    "vault:\n  key: @\n  slots: 0",
    "pool: {password: @, max_size: 0}",
    "pool: {max_size: 0, pasword: @}",
    "pool: @",
    "labels: {password: @, x: y}",
    "labels: {pin: @}",
    "texts: {password: @, x: []}",
    "tenants: {a: {key: @, slots: 0}, b: {slots: 0}}",
    "tenants: {a: @}",
    "tenants: {password: @}",
    "tenants: @",
    "pools: {password: @}",
    "upstreams: [{password: @, max_size: 0}]",
    "upstreams: [@]",
    "x: &x @\npassword: *x",
    "x: {y: &x @, port: 1}\npassword: *x",
    "password: &x @\nhost: *x",
    "password: &x @\nport: *x\nupstreams: [*x]",
    "defaults: &d {password: @}\n<<: *d",
    "<<: {password: @}",
    "password: @\npassword: @",
    "vault: {key: @}\nvault: {key: @, slots: 0}",
    "vault: ~\nvault: {key: @, slots: 0}",
    "? password\n: @",
    "{password: @, port: x}",
    "password: !secret @",
    "password: !!int @",
    "password: !!str\n  @",
    "password: &x\n  @\nhost: ''",
    "config:\n  password: @\n  port: 0",
    "- password: @",
    "@",
];

/// The same for texts of letters and digits.
const BARE_YAML_PLACES: &[&str] = &[
    "password: ~",
    "password:~",
    "{password:~, port: x}",
    "{password: {~}, port: x}",
    "vault: {~}",
    "vault: {~, slots: 0}",
    "vault: ~ more",
    "password: |\n  ~\n  second",
    "password: >-\n  first\n  ~\n\n  third\nport: 0",
    "password: |2\n   ~\nport: 0",
    "password: &x |\n  ~\nhost: *x",
    "vault:\n  key: |\n    ~\n  slots: 0",
    "password: first\n  ~\nport: x",
    "password: \"first\n  ~\"\nport: x",
    "{password: \"first\n  ~\", port: 0}",
    "{password: first\n  ~, port: 0, vault: {slots: 0}}",
    "{password: 'it''s\n  ~', port: 0}",
    "password: \"~\\\n  ~\"",
    "{password: \"a\\\n  ~\", port: 0}",
    "pasword: \"~",
    "pasword: [~",
    "pasword: {a: ~",
    "password: '~",
    "password: ~: ~",
    "password: @~",
    "password: %~",
    "password: *~",
    "password: &~ x",
    "password: !~ x",
    "password: \"\\q~\"",
    "port: 0 # ~\npassword: ~",
    "# ~\npassword: ~\nport: 0 # was ~",
    "password: ~\n\tport: 0",
    "password:\n- ~\n  x",
    "key: |\n~\nport: 0",
    "password: 0x~",
    "pin: 1~",
    "password: a ~ b: c",
    "a: &a [~, ~]\nb: &b [*a, *a]\npassword: *b\nport: x",
];

const FLOW_PLACES: &[&str] = &[
    "\"password\": @",
    "\"password\": [@]",
    "\"pasword\": @",
    "\"pin\": @",
    "\"token\": @",
    "\"checked\": @",
    "\"mode\": @",
    "\"keys\": {\"a\": @}",
    "\"list\": [1, @]",
    "\"vault\": @",
    "\"vault\": {\"key\": @, \"slots\": 0}",
    "\"vault\": {\"key\": [@]}",
    "\"pool\": {\"password\": @}",
    "\"labels\": {\"password\": @}",
    "\"texts\": {\"pin\": @, \"a\": 1}",
    "\"tenants\": {\"a\": @}",
    "\"pools\": {\"a\": @}",
    "\"upstreams\": [@]",
    "\"password\": @, \"password\": @",
    "\"vault\": {\"key\": @}, \"vault\": {\"key\": @, \"slots\": 0}",
    "\"config\": {\"password\": @}",
];

const BARE_JSON: &[&str] = &[
    "{\"password\": ~}",
    "{\"password\": \"~}",
    "{\"password\": \"~\", \"port\"}",
    "{\"pasword\": \"~\\q\"}",
    "{\"password\": \"~\n\"}",
    "{\"password\": '~'}",
    "{\"pin\": 1e~}",
    "\"~\"",
    "[\"~\"]",
    "{\"password\": \"~\"} ~",
    "{\"password\" \"~\"}",
    "{~: 1}",
];

const TOML_PLACES: &[&str] = &[
    "password = @",
    "password = [@]",
    "pasword = @",
    "pin = @",
    "token = @",
    "checked = @",
    "mode = @",
    "vault = @",
    "pool = @",
    "list = [1,\n @]",
    "password = @\npassword = @",
    "labels = {password = @, x = 1}",
    "vault = {key = @, slots = 0}",
    "[vault]\nkey = @\nslots = 0",
    "[vault]\nkye = @\nslots = 0",
    "[pool]\npassword = @\nmax_size = 0",
    "[keys]\na = @",
    "[tenants.a]\nkey = @\nslots = 0",
    "[pools]\na = @",
    "[[upstreams]]\npassword = @\nmax_size = 0",
    "[vault]\nkey = @\n[vault]\nkey = @",
    "[config]\npassword = @\nport = 0",
];

const BARE_TOML: &[&str] = &[
    "password = ~",
    "password = \"~",
    "pasword = '~",
    "password = \"\"\"\n~\nsecond\"\"\"",
    "vault = {key = \"\"\"\n~\"\"\", slots = 0}",
    "password = '''~\n~''' x",
    "password = \"\"\"first \\\n   ~\"\"\"\nport = 0",
    "password = \"\\q~\"",
    "password ~",
    "pin = 0x~",
    "pin = 1979-05-27T~",
    "password = \"a\" ~",
    "password.~ = 1",
    "[vault]\nkey = ~",
    "[vault\nkey = \"~\"",
    "port = 0 # ~\npassword = \"~\"",
];

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
