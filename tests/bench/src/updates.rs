//! One update of three layers (a large document, a small one, the environment): Flux, and others.

use crate::{
    callgrind::{Cell, cost},
    config::{App, DynamicApp, Plain, PlainPool, WithValue, block_on, plain},
    table::{Row, Table},
};
use flux::{
    Capacitor, Config, Format, Source,
    source::{Channel, ChannelSender},
};
use std::{fs, hint::black_box};

/// The environment is a layer of every one, and says nothing.
const PREFIX: &str = "FLUX_BENCH_NOTHING_";
const SMALL: &str = "{\"host\": \"elsewhere\"}";
/// A value without `Flux`, in both layers; the upper one takes nothing away.
const VALUE: &str = "\"pool\": {\"min\": 1, \"max\": 2}";

pub(crate) const CELLS: &[Cell] = &[
    cell("serde-json-2000", 10, |rounds| {
        direct("json", 2_000, rounds)
    }),
    cell("serde-json-200", 50, |rounds| direct("json", 200, rounds)),
    cell("serde-json-20000", 2, |rounds| {
        direct("json", 20_000, rounds)
    }),
    cell("serde-yaml-2000", 4, |rounds| direct("yaml", 2_000, rounds)),
    cell("serde-toml-2000", 4, |rounds| direct("toml", 2_000, rounds)),
    cell("flux-json-2000", 10, |rounds| fresh("json", 2_000, rounds)),
    cell("flux-small-2000", 10, |rounds| small(2_000, rounds)),
    cell("flux-json-200", 50, |rounds| fresh("json", 200, rounds)),
    cell("flux-json-20000", 2, |rounds| fresh("json", 20_000, rounds)),
    cell("flux-yaml-2000", 4, |rounds| fresh("yaml", 2_000, rounds)),
    cell("flux-toml-2000", 4, |rounds| fresh("toml", 2_000, rounds)),
    cell("value-json-2000", 10, |rounds| value_changed(2_000, rounds)),
    cell("value-small-2000", 10, |rounds| {
        below_a_value(2_000, rounds)
    }),
    cell("figment-2000", 4, figment),
    cell("config-2000", 2, config),
    cell("dynamic-config-2000", 2, dynamic_config),
];

const fn cell(name: &'static str, rounds: u64, run: fn(u64)) -> Cell {
    Cell { name, rounds, run }
}

pub(crate) fn run(table: &mut Table) {
    table.title("One update of three layers (instructions, by callgrind; ratio to the format's decoder and plain serde)");
    let costs: Vec<f64> = CELLS.iter().map(cost).collect();
    let of = |name: &str| {
        let at = CELLS.iter().position(|cell| cell.name == name);
        costs[at.expect("a cell")]
    };
    for (what, name, base, at_most) in [
        (
            "JSON of 2,000 keys changed",
            "flux-json-2000",
            "serde-json-2000",
            Some(1.08),
        ),
        (
            "only a small layer changed",
            "flux-small-2000",
            "serde-json-2000",
            Some(0.475),
        ),
        (
            "JSON of 200 keys changed",
            "flux-json-200",
            "serde-json-200",
            None,
        ),
        (
            "JSON of 20,000 keys changed",
            "flux-json-20000",
            "serde-json-20000",
            None,
        ),
        (
            "YAML of 2,000 keys changed",
            "flux-yaml-2000",
            "serde-yaml-2000",
            Some(1.035),
        ),
        (
            "TOML of 2,000 keys changed",
            "flux-toml-2000",
            "serde-toml-2000",
            Some(1.055),
        ),
        (
            "JSON of 2,000 keys changed, with a value in two layers",
            "value-json-2000",
            "serde-json-2000",
            Some(1.5),
        ),
        (
            "only a small layer changed, with a value in two layers",
            "value-small-2000",
            "serde-json-2000",
            Some(0.49),
        ),
        (
            "peer: plain serde, JSON of 2,000 keys, one layer",
            "serde-json-2000",
            "serde-json-2000",
            None,
        ),
        (
            "peer: figment, JSON of 2,000 keys",
            "figment-2000",
            "serde-json-2000",
            None,
        ),
        (
            "peer: config, JSON of 2,000 keys",
            "config-2000",
            "serde-json-2000",
            None,
        ),
        (
            "peer: dynamic-config, JSON of 2,000 keys",
            "dynamic-config-2000",
            "serde-json-2000",
            None,
        ),
    ] {
        let row = Row::new(what, of(name), "instructions").of(base, of(base));
        table.add(match at_most {
            Some(limit) => row.at_most(limit),
            None => row,
        });
    }
}

fn text(format: &str, keys: usize, port: u16) -> String {
    let config = plain(keys, port);
    match format {
        "json" => serde_json::to_string(&config).expect("JSON"),
        "yaml" => serde_yaml::to_string(&config).expect("YAML"),
        _ => toml::to_string(&config).expect("TOML"),
    }
}

/// Two versions of the large document, taken in turn.
fn versions(format: &str, keys: usize) -> [String; 2] {
    [text(format, keys, 1), text(format, keys, 2)]
}

fn direct(format: &str, keys: usize, rounds: u64) {
    let documents = versions(format, keys);
    for round in 0..rounds as usize {
        let text = &documents[round % 2];
        let config: Plain = match format {
            "json" => serde_json::from_str(text).expect("JSON"),
            "yaml" => serde_yaml::from_str(text).expect("YAML"),
            _ => toml::from_str(text).expect("TOML"),
        };
        black_box(config);
    }
}

/// A capacitor with its layers, and what feeds the first two.
async fn capacitor<C: Config>(
    format: &str,
    first: &str,
    second: &str,
) -> (Capacitor<C>, ChannelSender, ChannelSender) {
    let format = match format {
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        _ => Format::Toml,
    };
    let (large, one) = Channel::buffered("large", 4);
    let (small, two) = Channel::buffered("small", 4);
    let capacitor = Capacitor::<C>::builder()
        .clear_sources()
        .source(Source::watcher(one).format(format))
        .source(Source::watcher(two).format(Format::Json))
        .override_with(Source::env(PREFIX))
        .manual()
        .build()
        .expect("layers");
    large.send(first.as_bytes()).await.expect("a receiver");
    small.send(second.as_bytes()).await.expect("a receiver");
    capacitor.start().await.expect("a start");
    (capacitor, large, small)
}

fn fresh(format: &str, keys: usize, rounds: u64) {
    block_on(async {
        let documents = versions(format, keys);
        let (capacitor, large, _small) = capacitor::<App>(format, &documents[1], SMALL).await;
        for round in 0..rounds as usize {
            let document = documents[round % 2].as_bytes();
            large.send(document).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
            let now = capacitor.get();
            assert_eq!(
                (now.port as usize, &*now.host),
                (round % 2 + 1, "elsewhere")
            );
        }
    });
}

fn small(keys: usize, rounds: u64) {
    block_on(async {
        let (capacitor, _large, small) =
            capacitor::<App>("json", &text("json", keys, 1), SMALL).await;
        for round in 0..rounds {
            let document = format!("{{\"host\": \"host-{}\"}}", round % 2);
            small.send(document.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
        }
        assert_eq!(capacitor.get().tenants.len(), keys / 20);
    });
}

/// The large document or the small one, with a value that both have.
fn with_value(document: &str) -> String {
    document.replacen('{', &format!("{{{VALUE}, "), 1)
}

fn value_changed(keys: usize, rounds: u64) {
    block_on(async {
        let documents = versions("json", keys).map(|text| with_value(&text));
        let (capacitor, large, _small) =
            capacitor::<WithValue>("json", &documents[1], &with_value(SMALL)).await;
        for round in 0..rounds as usize {
            let document = documents[round % 2].as_bytes();
            large.send(document).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
            assert_eq!(capacitor.get().port as usize, round % 2 + 1);
        }
    });
}

fn below_a_value(keys: usize, rounds: u64) {
    block_on(async {
        let large = with_value(&text("json", keys, 1));
        let (capacitor, _large, small) =
            capacitor::<WithValue>("json", &large, &with_value(SMALL)).await;
        for round in 0..rounds {
            let document = with_value(&format!("{{\"host\": \"host-{}\"}}", round % 2));
            small.send(document.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
        }
        let now = capacitor.get();
        assert!(now.tenants.len() == keys / 20 && now.pool != PlainPool::default());
    });
}

fn figment(rounds: u64) {
    use figment::{
        Figment,
        providers::{Env, Format as _, Json},
    };
    let documents = versions("json", 2_000);
    for round in 0..rounds as usize {
        let figment = Figment::new()
            .merge(Json::string(&documents[round % 2]))
            .merge(Json::string(SMALL))
            .merge(Env::prefixed(PREFIX).split("_"));
        let now: Plain = figment.extract().expect("figment");
        assert_eq!(
            (now.port as usize, &*now.host),
            (round % 2 + 1, "elsewhere")
        );
    }
}

fn config(rounds: u64) {
    use config::{Config, Environment, File, FileFormat};
    let documents = versions("json", 2_000);
    for round in 0..rounds as usize {
        let config = Config::builder()
            .add_source(File::from_str(&documents[round % 2], FileFormat::Json))
            .add_source(File::from_str(SMALL, FileFormat::Json))
            .add_source(Environment::with_prefix(PREFIX.trim_end_matches('_')).separator("_"))
            .build()
            .expect("config");
        let now: Plain = config.try_deserialize().expect("config");
        assert_eq!(
            (now.port as usize, &*now.host),
            (round % 2 + 1, "elsewhere")
        );
    }
}

/// Its documents are sections of files, read again at every reload; the reading is some hundred of its instructions.
fn dynamic_config(rounds: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let section = |text: &str| format!("{{\"app\": {text}}}");
    let (large, small) = (
        folder.path().join("large.json"),
        folder.path().join("small.json"),
    );
    let documents = versions("json", 2_000).map(|text| section(&text));
    fs::write(&large, &documents[1]).expect("a file");
    fs::write(&small, section(SMALL)).expect("a file");
    let builder = DynamicApp::builder("app")
        .file(large.to_str().expect("Unicode"))
        .file(small.to_str().expect("Unicode"))
        .env(PREFIX);
    builder.init().expect("a start");
    for round in 0..rounds as usize {
        fs::write(&large, &documents[round % 2]).expect("a file");
        builder.reload().expect("a reload");
        let now = DynamicApp::current();
        assert_eq!(
            (now.port as usize, &*now.host),
            (round % 2 + 1, "elsewhere")
        );
    }
}
