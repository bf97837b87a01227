//! The rows of the first table, and the sentences around the habits.

use crate::flux_side::{self, Settings, block_on, from_environment, read, settings};
use config::{Config, Environment, FileFormat};
use dynamic_config::dynamic_config;
use figment::{
    Figment,
    providers::{Env, Format as _, Json, Serialized},
};
use flux::{Capacitor, Flux, Source};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

/// For every crate: the same type.
#[dynamic_config]
#[derive(Debug, Deserialize, Serialize)]
struct Root {
    #[serde(default = "default_port")]
    port: u16,
    #[serde(default)]
    pool: BTreeMap<String, u32>,
}

fn default_port() -> u16 {
    8080
}

fn config(path: &Path) -> Config {
    let file = config::File::from(path).format(FileFormat::Json);
    Config::builder().add_source(file).build().unwrap()
}

/// One document for the others, and one beside it for `dynamic-config`, whose structs are sections.
fn document(folder: &Path, name: &str, port: u16) -> std::path::PathBuf {
    let path = folder.join(name);
    let text = format!("{{\"port\": {port}}}");
    fs::write(in_section(&path), format!("{{\"root\": {text}}}")).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn in_section(path: &Path) -> String {
    let path = path.with_extension("section.json");
    path.to_str().unwrap().to_owned()
}

/// A row of the table of words.
pub(crate) fn row(name: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = document(folder.path(), "config.json", 1);
    let text = || in_section(&path);
    let from_flux = |path: &Path| {
        let source = Source::file(path.to_str().unwrap());
        read::<Settings>(&[], |builder| builder.source(source)).unwrap()
    };
    match name {
        "the type" | "a file" | "to the struct" => {
            let of_config: Root = config(&path).try_deserialize().unwrap();
            let of_figment: Root = Figment::new().merge(Json::file(&path)).extract().unwrap();
            let builder = Root::builder("root").file(text());
            builder.init().unwrap();
            let all = [of_config.port, of_figment.port, Root::current().port];
            assert_eq!(all, [1; 3]);
            assert_eq!(from_flux(&path).port, 1);
        }
        "the environment" => {
            let environment = Environment::with_prefix("APP").try_parsing(true);
            let of_config = Config::builder().add_source(environment).build().unwrap();
            assert_eq!(of_config.get_int("port").unwrap(), 9090);
            let of_figment = Figment::from(Env::prefixed("APP_"));
            assert_eq!(of_figment.extract_inner::<u16>("port").unwrap(), 9090);
            assert_eq!(from_environment::<Settings>().port, 9090);
            // That of `dynamic-config` has the section's name in it: a habit of the table below.
        }
        "`pool.size` in it" => {
            let environment = Environment::with_prefix("APP").separator("__");
            let of_config = Config::builder().add_source(environment).build().unwrap();
            assert_eq!(of_config.get_string("pool.max_size").unwrap(), "8");
            let split = Figment::from(Env::prefixed("APP_").split("_"));
            assert!(split.find_value("pool.max.size").is_ok());
            assert_eq!(from_environment::<Settings>().pool.max_size, 7);
            let environment = Source::env("APP__?separator=__");
            let of_flux = read::<Settings>(&[], |builder| builder.override_with(environment));
            assert_eq!(of_flux.unwrap().pool.max_size, 8);
        }
        "a default" => {
            let builder = Config::builder().set_default("port", 8080).unwrap();
            assert_eq!(builder.build().unwrap().get_int("port").unwrap(), 8080);
            let empty: Root = Config::default().try_deserialize().unwrap();
            let defaults = Serialized::default("port", 8080);
            let of_figment = Figment::from(defaults).extract::<Root>().unwrap();
            fs::write(text(), "{\"root\": {}}").unwrap();
            let of_dynamic = Root::builder("root").file(text()).load().unwrap();
            assert_eq!([empty.port, of_figment.port, of_dynamic.port], [8080; 3]);
            assert_eq!(settings(&["name = 'n'"]).unwrap().port, 8080);
            assert_eq!(read::<Defaulted>(&["a = 1"], |one| one).unwrap().port, 8080);
        }
        "precedence" => {
            let upper = document(folder.path(), "upper.json", 2);
            let both = [&path, &upper].map(|path| config::File::from(&**path));
            let [lower_file, upper_file] = both;
            let builder = Config::builder().add_source(lower_file);
            let of_config = builder.add_source(upper_file).build().unwrap();
            assert_eq!(of_config.get_int("port").unwrap(), 2);
            let of_figment = || Figment::from(Json::file(&path));
            let port = |figment: Figment| figment.extract_inner::<u16>("port").unwrap();
            assert_eq!(port(of_figment().merge(Json::file(&upper))), 2);
            assert_eq!(port(of_figment().join(Json::file(&upper))), 1);
            let of_dynamic = Root::builder("root").file(text());
            let of_dynamic = of_dynamic.file(in_section(&upper)).load().unwrap();
            assert_eq!(of_dynamic.port, 2);
            let above = Source::env("X_").variables([("X_PORT", "3")]);
            let documents = ["port = 1", "port = 2"];
            assert_eq!(settings(&documents).unwrap().port, 2);
            let of_flux = read::<Settings>(&documents, |one| one.override_with(above));
            assert_eq!(of_flux.unwrap().port, 3);
        }
        // What is read is kept by the program: another content of the file is nothing to it.
        "reading" | "watching" => {
            let kept: Root = config(&path).try_deserialize().unwrap();
            let figment: Root = Figment::from(Json::file(&path)).extract().unwrap();
            let of_flux = block_on(changed_while_it_runs(&path));
            assert_eq!((kept.port, figment.port, of_flux), (1, 1, 2));
            let builder = Root::builder("root").file(text());
            builder.init().unwrap();
            assert_eq!(Root::current().port, 2);
            // It is watched for good, so that only one row begins that.
            if name == "watching" {
                let pause = std::time::Duration::from_millis(20);
                builder.watch(pause).unwrap().detach();
                document(folder.path(), "config.json", 3);
                flux_side::until(|| Root::current().port == 3);
            }
        }
        "rules" => {
            let of_config: Root = config(&path).try_deserialize().unwrap();
            assert_eq!(of_config.port, 1, "none is asked");
            let error = settings(&["port = 0"]).unwrap_err();
            assert!(error.contains("port"), "{error}");
        }
        _ => return false,
    }
    true
}

/// Starts over the file, changes it to 2, and waits until that is applied.
async fn changed_while_it_runs(path: &Path) -> u16 {
    let source = Source::file(path.to_str().unwrap());
    let builder = Capacitor::<Settings>::builder().source(source);
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().port, 1);
    document(path.parent().unwrap(), "config.json", 2);
    let mut port = capacitor.watch(|settings| &settings.port);
    let limit = std::time::Duration::from_secs(60);
    let changed = tokio::time::timeout(limit, port.changed()).await;
    let changed = *changed.expect("it is watched").expect("it runs");
    assert_eq!(changed, capacitor.get().port);
    capacitor.stop().await;
    changed
}

#[derive(Flux, Debug)]
struct Defaulted {
    #[serde(default = "default_port")]
    port: u16,
    #[flux(default = 0)]
    a: u32,
}

/// A struct as `config` and `figment` decode it, with the derive of Flux beside serde's.
#[derive(Debug, Deserialize, Flux, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Kept {
    #[serde(alias = "listen")]
    bind_to: String,
    #[serde(rename = "n", default)]
    number: u32,
    #[serde(default = "default_port")]
    port: u16,
}

/// Plain: it derives no Flux.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct PlainPool {
    #[serde(default)]
    size: u32,
    #[serde(default)]
    name: String,
}

#[derive(Flux, Debug)]
struct WithPlain {
    #[flux(default)]
    pool: PlainPool,
}

/// Cannot be compared.
#[derive(Debug, Clone, Default, Deserialize)]
struct Incomparable(#[expect(dead_code, reason = "only decoded")] u32);

#[derive(Flux, Debug)]
struct WithOpaque {
    #[flux(opaque)]
    #[expect(dead_code, reason = "only decoded")]
    token: Incomparable,
}

#[derive(Flux, Serialize)]
struct Served {
    port: u16,
}

/// A sentence, or a few of them, by their beginning.
pub(crate) fn paragraph(text: &str) -> bool {
    let begins = |with: &str| text.starts_with(with);
    if begins("From another library") || begins("Each row is tried") {
        // Those are about this test.
    } else if begins("**Your struct stays.**") {
        for (json, toml) in [
            (r#"{"bind-to": "a", "n": 7}"#, "bind-to = 'a'\nn = 7"),
            (r#"{"listen": "b"}"#, "listen = 'b'"),
        ] {
            let of_figment: Kept = Figment::from(Json::string(json)).extract().unwrap();
            let file = config::File::from_str(toml, FileFormat::Toml);
            let of_config = Config::builder().add_source(file).build().unwrap();
            let of_config: Kept = of_config.try_deserialize().unwrap();
            let of_flux = read::<Kept>(&[toml], |one| one).unwrap();
            assert_eq!((&of_figment, &of_config), (&**of_flux, &**of_flux));
        }
    } else if begins("- `#[flux(nested)]`") {
        let lower = "pool = {size = 1, name = 'a'}";
        let of_flux = read::<WithPlain>(&[lower, "pool = {size = 2}"], |one| one);
        assert_eq!(
            of_flux.unwrap().pool,
            PlainPool {
                size: 2,
                ..PlainPool::default()
            }
        );
        // One key after the other in a struct that is a section, and in the other crates.
        let sections = ["host = 'h'\npool = {max_size = 1}", "pool = {}"];
        assert_eq!(settings(&sections).unwrap().pool.max_size, 1);
        let of = |text: &str| config::File::from_str(text, FileFormat::Toml);
        let builder = Config::builder().add_source(of(lower));
        let merged = builder.add_source(of("pool = {size = 2}")).build().unwrap();
        assert_eq!(merged.get_string("pool.name").unwrap(), "a");
        let variable = Source::env("X_").variables([("X_POOL", "{size = 3}")]);
        let of_flux = read::<WithPlain>(&[], |one| one.override_with(variable));
        assert_eq!(of_flux.unwrap().pool.size, 3);
        let unknown = read::<WithPlain>(&["pool = {szie = 2}"], |one| {
            one.unknown(flux::Unknown::Deny)
        });
        assert!(unknown.is_ok(), "what its type accepts is accepted");
        // That forgetting it is a compile error is in `ui-tests/fail/section/forgotten.rs`.
    } else if begins("- Leaf types need") {
        assert!(read::<WithOpaque>(&["token = 1"], |one| one).is_ok());
    } else if begins("**Names in the environment**") {
        assert!(row("`pool.size` in it"));
    } else if begins("Step by step") {
        block_on(step_by_step());
    } else if begins("The other way round, a capacitor") {
        block_on(async {
            let source = Source::env("X_").variables([("X_PORT", "8000")]);
            let builder = Capacitor::<Served>::builder().override_with(source);
            let capacitor = builder.build().unwrap();
            capacitor.start().await.unwrap();
            let figment = Figment::from(capacitor.clone());
            assert_eq!(figment.extract_inner::<u16>("port").unwrap(), 8000);
            assert_eq!(capacitor.get().port, 8000);
        });
    } else {
        return false;
    }
    true
}

/// A figment is read once, below every override, and above what was declared before it where it is one itself.
async fn step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = document(folder.path(), "config.json", 1);
    let figment = || Figment::from(Json::file(&path));
    let variables = || Source::env("X_").variables([("X_PORT", "3")]);
    let capacitor = Capacitor::<Settings>::builder()
        .provider(figment())
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().port, 1);
    document(folder.path(), "config.json", 2);
    capacitor.reload().await.unwrap();
    assert_eq!(capacitor.get().port, 1, "it is read once");
    capacitor.stop().await;
    for (builder, port) in [
        (
            Capacitor::<Settings>::builder()
                .override_with(variables())
                .provider(figment()),
            3,
        ),
        (
            Capacitor::<Settings>::builder()
                .override_with(variables())
                .override_with(Source::provider(figment()).named("command line")),
            2,
        ),
    ] {
        let capacitor = builder.build().unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().port, port);
        let explained = capacitor.status().to_string();
        assert_eq!(explained.contains("command line"), port == 2, "{explained}");
        capacitor.stop().await;
    }
}
