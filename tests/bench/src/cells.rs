//! What is measured.

use crate::config::{App, Plain, plain};
use arc_swap::ArcSwap;
use flux::{
    Capacitor, Format, Source,
    source::{Channel, ChannelSender},
};
use std::{hint::black_box, sync::LazyLock};

/// A row of the printed table.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) cell: &'static str,
    pub(crate) of: Option<&'static str>,
    pub(crate) limit: Option<f64>,
}

const fn row(
    what: &'static str,
    cell: &'static str,
    of: Option<&'static str>,
    limit: Option<f64>,
) -> Row {
    Row {
        what,
        cell,
        of,
        limit,
    }
}

/// Cells and their rounds.
pub(crate) const ALL: &[(&str, u64)] = &[
    ("loop", 10_000),
    ("get", 10_000),
    ("get-64-held", 10_000),
    ("reader", 10_000),
    ("hot", 10_000),
    ("arc-swap", 10_000),
    ("json-2000", 10),
    ("fresh-json-2000", 10),
    ("small-json-2000", 10),
    ("json-200", 50),
    ("fresh-json-200", 50),
    ("json-20000", 2),
    ("fresh-json-20000", 2),
    ("yaml-2000", 4),
    ("fresh-yaml-2000", 4),
    ("toml-2000", 4),
    ("fresh-toml-2000", 4),
    ("figment-2000", 4),
];

pub(crate) const TABLE: &[Row] = &[
    row("get(), one field, drop", "get", None, Some(25.0)),
    row(
        "the same with 64 guards held",
        "get-64-held",
        None,
        Some(25.0),
    ),
    row("reader().get(), one field", "reader", None, Some(12.0)),
    row("hot accessor", "hot", None, Some(4.0)),
    row("arc-swap load(), one field, drop", "arc-swap", None, None),
    row("serde_json alone, 2,000 keys", "json-2000", None, None),
    row(
        "update, JSON of 2,000 keys fresh",
        "fresh-json-2000",
        Some("json-2000"),
        Some(1.15),
    ),
    row(
        "update, only a small layer changed",
        "small-json-2000",
        Some("json-2000"),
        Some(0.5),
    ),
    row(
        "update, JSON of 200 keys fresh",
        "fresh-json-200",
        Some("json-200"),
        None,
    ),
    row(
        "update, JSON of 20,000 keys fresh",
        "fresh-json-20000",
        Some("json-20000"),
        None,
    ),
    row(
        "update, YAML of 2,000 keys fresh",
        "fresh-yaml-2000",
        Some("yaml-2000"),
        Some(1.2),
    ),
    row(
        "update, TOML of 2,000 keys fresh",
        "fresh-toml-2000",
        Some("toml-2000"),
        Some(1.2),
    ),
    row(
        "figment, JSON of 2,000 keys",
        "figment-2000",
        Some("json-2000"),
        None,
    ),
];

/// Runs a cell.
pub(crate) fn run(cell: &str, rounds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match cell {
            "loop" | "get" | "get-64-held" | "reader" | "hot" => read(cell, rounds).await,
            "arc-swap" => arc_swap(rounds),
            "figment-2000" => figment(rounds),
            _ => {
                let (kind, keys) = cell.rsplit_once('-').expect("a size");
                let keys = keys.parse().expect("a size");
                match kind {
                    "small-json" => small(keys, rounds).await,
                    _ => match kind.strip_prefix("fresh-") {
                        Some(format) => fresh(format, keys, rounds).await,
                        None => direct(kind, keys, rounds),
                    },
                }
            }
        }
    });
}

async fn read(cell: &str, rounds: u64) {
    App::start().await.expect("a start");
    let held: Vec<_> = match cell {
        "get-64-held" => (0..64).map(|_| App::get()).collect(),
        _ => Vec::new(),
    };
    let mut reader = App::reader();
    // Every round of every cell hands one number to `black_box`; the cell `loop` does only that.
    match cell {
        "loop" => (0..rounds).for_each(|round| drop_number(round as u16)),
        "reader" => (0..rounds).for_each(|_| drop_number(reader.get().port)),
        "hot" => (0..rounds).for_each(|_| drop_number(App::port())),
        _ => (0..rounds).for_each(|_| drop_number(App::get().port)),
    }
    drop(held);
}

fn drop_number(number: u16) {
    black_box(number);
}

fn arc_swap(rounds: u64) {
    static SHARED: LazyLock<ArcSwap<Plain>> = LazyLock::new(|| ArcSwap::from_pointee(plain(20, 1)));
    LazyLock::force(&SHARED);
    (0..rounds).for_each(|_| drop_number(SHARED.load().port));
}

fn text(format: &str, keys: usize, port: u16) -> String {
    let config = plain(keys, port);
    match format {
        "json" => serde_json::to_string(&config).expect("JSON"),
        "yaml" => serde_yaml::to_string(&config).expect("YAML"),
        _ => toml::to_string(&config).expect("TOML"),
    }
}

fn direct(format: &str, keys: usize, rounds: u64) {
    let text = text(format, keys, 1);
    for _ in 0..rounds {
        let config: Plain = match format {
            "json" => serde_json::from_str(&text).expect("JSON"),
            "yaml" => serde_yaml::from_str(&text).expect("YAML"),
            _ => toml::from_str(&text).expect("TOML"),
        };
        black_box(config);
    }
}

fn figment(rounds: u64) {
    use figment::{
        Figment,
        providers::{Env, Format as _, Json},
    };
    let text = text("json", 2_000, 1);
    for _ in 0..rounds {
        let figment = Figment::new()
            .merge(Json::string(&text))
            .merge(Env::prefixed("NOTHING_"));
        black_box(figment.extract::<Plain>().expect("figment"));
    }
}

/// Three layers: a large document, a small one, the environment.
async fn capacitor(format: &str, first: &str) -> (Capacitor<App>, ChannelSender, ChannelSender) {
    let format = match format {
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        _ => Format::Toml,
    };
    let (large, one) = Channel::buffered("large", 4);
    let (small, two) = Channel::buffered("small", 4);
    let capacitor = App::builder()
        .clear_sources()
        .source(Source::watcher(one).format(format))
        .source(Source::watcher(two).format(Format::Json))
        .override_with(Source::env("NOTHING_"))
        .manual()
        .build()
        .expect("layers");
    large.send(first.as_bytes()).await.expect("a receiver");
    small
        .send(&b"{\"host\": \"elsewhere\"}"[..])
        .await
        .expect("a receiver");
    capacitor.start().await.expect("a start");
    (capacitor, large, small)
}

async fn fresh(format: &str, keys: usize, rounds: u64) {
    let documents = [text(format, keys, 1), text(format, keys, 2)];
    let (capacitor, large, _small) = capacitor(format, &documents[1]).await;
    for round in 0..rounds as usize {
        large
            .send(documents[round % 2].as_bytes())
            .await
            .expect("a receiver");
        assert!(capacitor.process().await.expect("manual mode"));
        assert_eq!(capacitor.get().port as usize, round % 2 + 1);
    }
}

async fn small(keys: usize, rounds: u64) {
    let (capacitor, _large, small) = capacitor("json", &text("json", keys, 1)).await;
    for round in 0..rounds {
        let document = format!("{{\"host\": \"host-{}\"}}", round % 2);
        small.send(document.into_bytes()).await.expect("a receiver");
        assert!(capacitor.process().await.expect("manual mode"));
    }
    assert_eq!(capacitor.get().tenants.len(), keys / 20);
}
