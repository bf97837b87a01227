//! Secrets that no layer contains: defaults in code, conversions, and what stages put in.

use crate::{
    Builder, Capacitor, Config, Format, Snapshot, Source,
    pipeline::{BoxError, Request},
    source::{Channel, ChannelSender},
};
use flux_derive::Flux;
use serde::{Deserialize, Deserializer};
use std::{fmt, sync::Arc, time::Duration};

const MADE: &str = "s3cret-of-code";

fn made() -> String {
    MADE.to_owned()
}

fn reversed<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    String::deserialize(d).map(|text| text.chars().rev().collect())
}

#[derive(Debug, Clone, Flux)]
#[flux(crate = crate, validate = whole)]
struct MadeApp {
    #[flux(secret, default = made())]
    password: String,
    #[serde(deserialize_with = "reversed")]
    #[flux(secret, default)]
    turned: String,
    #[flux(nested)]
    pool: MadePool,
    #[flux(default = 1)]
    port: u16,
    #[flux(default)]
    needed: Option<u16>,
}

#[derive(Debug, Clone, Flux)]
#[flux(crate = crate, validate = whole_pool)]
struct MadePool {
    #[flux(secret, default = made())]
    key: String,
    #[flux(default = 1)]
    size: u16,
    host: String,
}

fn whole(app: &MadeApp) -> Result<(), String> {
    match app.port {
        2 => Err(format!("the password `{}` fits no port 2", app.password)),
        3 => Err(format!("turned, it is {}", app.turned)),
        4 => panic!("no port for {}", app.password),
        5 => Err("no port 5".to_owned()),
        _ => Ok(()),
    }
}

fn whole_pool(pool: &MadePool) -> Result<(), String> {
    match pool.size {
        2 => Err(format!("the key {} is too short", pool.key)),
        _ => Ok(()),
    }
}

/// Starts with the document, and answers with all that is reported of it.
async fn started<C: Config>(
    builder: Builder<C>,
    document: &str,
) -> (Capacitor<C>, String, ChannelSender) {
    let (sender, channel) = Channel::buffered("app", 4);
    let builder = builder.source(Source::watcher(channel).format(Format::Json));
    let capacitor = builder.build().expect("a declaration that works");
    let sent = sender.send(document.as_bytes().to_vec()).await;
    sent.expect("a watched channel");
    let report = capacitor.start().await.err();
    let report = report.map_or(String::new(), |error| error.to_string());
    (capacitor, report, sender)
}

fn plain() -> Builder<MadeApp> {
    Capacitor::<MadeApp>::builder().debounce(Duration::ZERO)
}

#[tokio::test]
async fn a_rule_does_not_quote_a_secret_that_a_default_or_a_conversion_made() {
    for (document, secret) in [
        (r#"{"port": 2, "pool": {"host": "h"}}"#, MADE),
        (r#"{"port": 4, "pool": {"host": "h"}}"#, MADE),
        (r#"{"pool": {"host": "h", "size": 2}}"#, MADE),
        (
            r#"{"port": 3, "turned": "2retnuh-ab", "pool": {"host": "h"}}"#,
            "ba-hunter2",
        ),
    ] {
        let (_, report, _sender) = started(plain(), document).await;
        assert!(report.contains("may quote the secret"), "{report}");
        assert!(!report.contains(secret), "{report}");
    }
    let good = r#"{"port": 5, "pool": {"host": "h"}}"#;
    let (_, report, _sender) = started(plain(), good).await;
    assert!(report.contains("no port 5"), "{report}");
}

#[tokio::test]
async fn a_stage_or_a_callback_does_not_quote_a_secret_that_a_stage_or_a_default_made() {
    const PUT_IN: &str = "t0ken-of-vault";
    type Quotes = fn(&MadeApp) -> String;
    let quotes: [(Quotes, bool); 3] = [
        (|app| format!("no login with {}", app.turned), true),
        (|app| format!("no login with {}", app.password), true),
        (|app| format!("no login at {}", app.port), false),
    ];
    for (quote, hides) in quotes {
        let fill = |request: Request<MadeApp>| {
            let mut next = MadeApp::clone(&request.current);
            next.turned = PUT_IN.to_owned();
            request.with(next)
        };
        let stages = plain()
            .transform(fill)
            .effect(move |request: Request<MadeApp>| {
                let text = quote(&request.current);
                async move { Err::<(), _>(BoxError::from(text)) }
            });
        let callback = plain().transform(fill).on_apply(
            move |_: Option<Arc<Snapshot<MadeApp>>>, new: Arc<Snapshot<MadeApp>>| {
                let text = quote(&new);
                async move { Err::<(), _>(BoxError::from(text)) }
            },
        );
        for builder in [stages, callback] {
            let (capacitor, report, _sender) = started(builder, r#"{"pool": {"host": "h"}}"#).await;
            let status = format!("{report}\n{:?}", capacitor.status());
            assert_eq!(report.contains("and is not shown"), hides, "{report}");
            assert!(
                !status.contains(PUT_IN) && !status.contains(MADE),
                "{status}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_taken_back_does_not_quote_a_secret_that_was_made() {
    const PUT_IN: &str = "t0ken-of-vault";
    let builder = plain()
        .transform(|request: Request<MadeApp>| {
            let mut next = MadeApp::clone(&request.current);
            // Not a piece of the one is in the other.
            let put_in = if next.port == 1 { PUT_IN } else { "5afe1s0pen" };
            put_in.clone_into(&mut next.turned);
            request.with(next)
        })
        .history(3)
        .probation(Duration::from_secs(60));
    let (capacitor, report, sender) = started(builder, r#"{"pool": {"host": "h"}}"#).await;
    assert_eq!(report, "");
    let next = r#"{"port": 9, "pool": {"host": "h"}}"#;
    sender.send(next.as_bytes().to_vec()).await.unwrap();
    let mut waited = 0;
    while capacitor.get().port != 9 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        waited += 1;
        assert!(waited < 6_000, "{:?}", capacitor.status());
    }
    // That of the configuration before.
    capacitor.report_unhealthy(format!("no login with {PUT_IN}"));
    while capacitor.get().port == 9 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        waited += 1;
        assert!(waited < 12_000, "{:?}", capacitor.status());
    }
    let status = format!("{:?}", capacitor.status());
    assert!(!status.contains("t0ken"), "{status}");
    assert!(status.contains("may quote a secret"), "{status}");
}

#[tokio::test]
async fn a_rule_of_a_part_is_not_quoted_where_the_rest_could_not_be_built() {
    let document = r#"{"pools": [{"size": 2, "host": "h"}, {"size": 1}]}"#;
    let (_, report, _sender) = started(Capacitor::<MadeParts>::builder(), document).await;
    assert!(report.contains("pools[1].host"), "{report}");
    assert!(!report.contains(MADE), "{report}");
}

#[derive(Debug, Clone, Flux)]
#[flux(crate = crate)]
struct MadeParts {
    #[flux(nested)]
    pools: Vec<MadePool>,
}

#[test]
fn a_uri_that_cannot_be_read_is_reported_without_what_may_be_a_password_or_a_token() {
    for uri in [
        "redis://bob:hunter2/key",
        "etcd://127.0.0.1/app?pasword=hunter2",
        "rdis://127.0.0.1/app?token=hunter2",
        "k8s://bob:hunter2/configmap/app",
        "env:bob:hunter2@h",
    ] {
        let builder = Capacitor::<MadeApp>::builder().source(Source::uri(uri));
        let error = builder.build().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let builder = Capacitor::<MadeApp>::builder().source(Source::uri("env:A B?separator=x"));
    let error = builder.build().unwrap_err().to_string();
    assert!(error.contains("env:A B?separator=x"), "{error}");
}

#[cfg(feature = "yaml")]
#[tokio::test]
async fn the_line_of_a_key_in_a_secret_is_not_shown_whatever_is_under_it() {
    for under in ["", " null", " [x]", "\n    - x"] {
        let document = format!("pool: {{host: h}}\npassword:\n  hunter2:{under}\n");
        let (sender, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        let capacitor = plain().source(source).build().unwrap();
        sender.send(document.into_bytes()).await.unwrap();
        let report = capacitor.start().await.unwrap_err().to_string();
        assert!(report.contains("password: expected"), "{report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[cfg(feature = "yaml")]
#[tokio::test]
async fn a_key_alone_in_a_map_of_sections_may_be_a_secret_and_is_not_shown_when_it_has_no_effect() {
    #[derive(Debug, Clone, Flux)]
    #[flux(crate = crate)]
    struct Tenants {
        #[flux(nested, default)]
        tenants: std::collections::BTreeMap<String, MadePool>,
    }
    let (sender, channel) = Channel::buffered("app", 4);
    let builder = Capacitor::<Tenants>::builder().debounce(Duration::ZERO);
    let source = Source::watcher(channel).format(Format::Yaml);
    let capacitor = builder.source(source).build().unwrap();
    let document = "tenants: {hunter2, a: {host: h}, b: null}\n";
    sender.send(document.as_bytes().to_vec()).await.unwrap();
    capacitor.start().await.unwrap();
    let status = capacitor.status().to_string();
    assert!(status.contains("tenants.…"), "{status}");
    assert!(status.contains("tenants.b"), "{status}");
    assert!(!status.contains("hunter2"), "{status}");
    assert_eq!(capacitor.get().tenants.len(), 1);
    // Nor in what is answered of the configuration.
    let effective = capacitor.effective().unwrap().with_origins();
    for explanation in capacitor.explain_all().unwrap() {
        assert!(!explanation.to_string().contains("hunter2"));
    }
    let effective = effective.print(Format::Yaml);
    assert!(effective.contains("size: 1"), "{effective}");
    assert!(!effective.contains("hunter2"), "{effective}");
}

/// Nobody has its text but those who know it.
#[derive(Clone, Deserialize)]
struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

#[derive(Debug, Clone, Flux)]
#[flux(crate = crate, validate = refused)]
struct SealedApp {
    #[flux(secret, opaque)]
    token: Sealed,
}

#[derive(Debug, Clone, Flux)]
#[flux(crate = crate, validate = refused_default)]
struct SealedDefault {
    #[flux(secret, opaque, default = Sealed(made()))]
    token: Sealed,
}

fn refused(app: &SealedApp) -> Result<(), String> {
    match app.token.0.as_str() {
        "quoted-in-full" => Err(format!("no login with {}", app.token.0)),
        _ => Err("no login".to_owned()),
    }
}

fn refused_default(app: &SealedDefault) -> Result<(), String> {
    Err(format!("no login with {}", app.token.0))
}

#[tokio::test]
async fn a_secret_that_nobody_can_read_is_known_by_its_layer_and_else_hides_every_reason() {
    for (token, shown) in [("quoted-in-full", false), ("another", true)] {
        let document = format!("{{\"token\": \"{token}\"}}");
        let builder = Capacitor::<SealedApp>::builder();
        let (_, report, _sender) = started(builder, &document).await;
        assert_eq!(report.contains("no login"), shown, "{report}");
    }
    let builder = Capacitor::<SealedDefault>::builder();
    let (_, report, _sender) = started(builder, "{}").await;
    assert!(report.contains("may quote the secret"), "{report}");
}
