//! The programs "before" on the guide's page, as they are printed there, between `before:` and `end`.

use crate::flux_side::block_on;
use config::{Config, Environment, File};
use dynamic_config::dynamic_config;
use figment::{
    Figment,
    providers::{Env, Format, Json, Serialized},
};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Duration};

type Outcome = Result<u16, Box<dyn std::error::Error>>;

#[derive(Debug, Deserialize, Serialize)]
#[serde(default)]
struct Settings {
    port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { port: 8080 }
    }
}

fn of_config() -> Outcome {
    // before: config
    let settings: Settings = Config::builder()
        .add_source(File::with_name("settings"))
        .add_source(File::with_name("local").required(false))
        .add_source(Environment::with_prefix("APP").separator("__"))
        .set_default("port", 8080)?
        .build()?
        .try_deserialize()?;
    // end
    Ok(settings.port)
}

fn of_envy() -> Outcome {
    // before: envy
    let settings = envy::prefixed("APP_").from_env::<Settings>()?;
    // end
    Ok(settings.port)
}

mod of_confique {
    use super::Outcome;
    use confique::Config as _;

    // before: confique
    #[derive(confique::Config)]
    struct Settings {
        #[config(env = "PORT", default = 8080)]
        port: u16,
        #[config(nested)]
        pool: Pool,
    }
    // then
    #[derive(confique::Config)]
    struct Pool {
        #[config(default = 10)]
        max_size: u32,
    }

    pub(super) fn run() -> Outcome {
        // then
        let settings = Settings::builder().env().file("settings.toml").load()?;
        // end
        assert_eq!(settings.pool.max_size, 10);
        Ok(settings.port)
    }
}

fn of_figment() -> Outcome {
    // before: figment
    let settings: Settings = Figment::from(Serialized::defaults(Settings::default()))
        .merge(Json::file("App.json"))
        .merge(Env::prefixed("APP_").split("_"))
        .extract()?;
    // end
    Ok(settings.port)
}

// before: dynamic-config
#[dynamic_config]
#[derive(Debug, Deserialize)]
struct DatabaseConfig {
    host: String,
    port: u16,
}
// then

fn of_dynamic_config() -> Outcome {
    // then
    let builder = DatabaseConfig::builder("db")
        .file("config.json")
        .env("APP_");
    builder.init()?;
    builder.watch(Duration::from_millis(250))?.detach();
    let config = DatabaseConfig::current();
    // end
    assert_eq!(config.host, "h");
    Ok(config.port)
}

/// Runs the program in a folder of its own, with the variables of the child.
pub(crate) fn program(of: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    std::env::set_current_dir(folder.path()).expect("the folder");
    let write = |name: &str, text: &str| std::fs::write(Path::new(name), text).expect("a file");
    write("settings.toml", "port = 1");
    write("App.json", "{\"port\": 1}");
    write("config.json", "{\"db\": {\"host\": \"h\", \"port\": 1}}");
    // What `APP_PORT` and `APP_DB_PORT` contain is above the files; the separator of the first program is another one.
    let (outcome, port) = match of {
        "config" => (of_config(), 1),
        "envy" => (of_envy(), 9090),
        "confique" => (of_confique::run(), 1),
        "figment" => (of_figment(), 9090),
        "dynamic-config" => (block_on(async { of_dynamic_config() }), 5432),
        _ => return false,
    };
    assert_eq!(outcome.expect(of), port, "{of}");
    std::env::set_current_dir("/").expect("the root");
    true
}

/// The lines of a program, as they are above.
pub(crate) fn lines(of: &str) -> Vec<&'static str> {
    let text = include_str!("before.rs");
    let begin = format!("// before: {of}");
    let lines = text.lines().map(str::trim);
    let mut lines = lines.skip_while(|line| *line != begin).skip(1);
    let (mut all, mut counts) = (Vec::new(), true);
    for line in lines.by_ref().take_while(|line| *line != "// end") {
        match line {
            "// then" => counts = !counts,
            line if counts && !line.is_empty() => all.push(line),
            _ => {}
        }
    }
    all
}
