//! What is written of a config type without a start.

use super::explain::over;
use flux::{Flux, Format, inspect::Describe as _};
use std::{collections::BTreeMap, time::Duration};

/// The settings of a service.
#[derive(Flux, Debug, PartialEq)]
struct App {
    /// Where it
    /// listens.
    #[flux(default = 8_080, range = 1..=65535)]
    port: u16,
    #[flux(default = Duration::from_secs(2 + 3))]
    timeout: Duration,
    #[flux(default = ["a", "b c"], each(non_empty))]
    hosts: Vec<String>,
    #[flux(default = "a \"quoted\" | text")]
    title: String,
    name: Option<String>,
    #[flux(secret, default = "changeit")]
    salt: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    backup: Option<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Vec<Pool>>,
    #[flux(nested)]
    #[serde(flatten)]
    log: Log,
}

#[derive(Flux, Debug, PartialEq)]
struct Pool {
    #[flux(default = 1, immutable)]
    min: u32,
}

#[derive(Flux, Debug, PartialEq)]
struct Log {
    #[flux(default = "info", one_of = ["info", "debug"])]
    level: String,
}

#[derive(Flux, Debug, PartialEq)]
struct Needs {
    #[flux(nested)]
    app: App,
    /// Required of all.
    token: String,
}

#[tokio::test]
async fn a_template_decodes_to_the_defaults() {
    let defaults = over::<App>(&[("empty", Format::Json, "{}")], &[]).await;
    for format in [
        Format::Json,
        Format::Jsonc,
        Format::Json5,
        Format::Yaml,
        Format::Toml,
    ] {
        let text = App::template(format);
        assert!(!text.contains("changeit"), "{text}");
        let app = over::<App>(&[("template", format, &text)], &[]).await;
        assert_eq!(*app.get(), *defaults.get(), "{text}");
        // Every default that is a value is written.
        assert!(
            text.contains("8080") && text.contains("b c") && text.contains("level"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_template_with_its_comments_taken_away_has_every_key() {
    let text = App::template(Format::Yaml);
    let line = |line: &str| {
        let key = line
            .trim_start()
            .strip_prefix("# ")
            .unwrap_or(line.trim_start());
        key.split_once(':').map(|(key, _)| key.to_owned())
    };
    let keys: Vec<String> = text.lines().filter_map(line).collect();
    for key in [
        "port",
        "timeout",
        "name",
        "salt",
        "backup",
        "tenants",
        "NAME",
        "upstreams",
        "min",
        "level",
    ] {
        assert!(keys.iter().any(|known| known == key), "{key}: {text}");
    }
}

#[test]
fn required_keys_are_marked_and_written_as_comments() {
    let text = Needs::template(Format::Yaml);
    assert!(
        text.ends_with("# Required of all.\n# required\n# token:\n"),
        "{text}"
    );
    let text = Needs::template(Format::Toml);
    assert!(
        text.starts_with("# Required of all.\n# required\n# token =\n"),
        "{text}"
    );
    assert!(
        text.contains("\n[app]\n") && text.contains("\n[app.pool]\n"),
        "{text}"
    );
    assert!(text.contains("\n# [app.tenants]"), "{text}");
}

#[test]
fn the_reference_has_a_row_for_each_setting() {
    let text = App::reference("APP_");
    assert!(
        text.starts_with("# App\n\nThe settings of a service.\n\n| key |"),
        "{text}"
    );
    for row in [
        "| `port` | `u16` | `8_080` | must be in 1..=65535 | `APP_PORT` | Where it listens. |",
        "| `title` | `String` | `a \"quoted\" \\| text` |  | `APP_TITLE` |  |",
        "| `salt` | `String` | secret | secret | `APP_SALT` |  |",
        "| `pool.min` | `u32` | `1` | must not change while the program runs | `APP_POOL_MIN` |  |",
        "| `tenants.NAME.min` | `u32` | `1` | must not change while the program runs |  |  |",
        "| `level` | `String` | `info` | must be one of [\"info\", \"debug\"] | `APP_LEVEL` |  |",
    ] {
        assert!(text.contains(row), "{row}\n{text}");
    }
    assert!(!text.contains("changeit"), "{text}");
}

/// Settings with every kind of name.
#[derive(Flux, Debug)]
#[flux(override = "env:FLUX_TEST_NAMED_", override = "args")]
struct Named {
    #[flux(default = 80, hot, short = 'p')]
    #[serde(alias = "listen", alias = "bind")]
    port: u16,
    #[flux(secret)]
    token: Option<String>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
}

#[test]
fn every_text_has_arguments_aliases_and_accessors() {
    let text = Named::reference("APP_");
    for row in [
        "| key | type | default | rules | variable | argument | docs |\n|---|---|---|---|---|---|---|\n",
        "| `port` (alias `listen`, `bind`) | `u16` | `80` | hot: read by `port()` | `APP_PORT` | `--port`, `-p` |  |\n",
        "| `token` | `Option<String>` |  | secret | `APP_TOKEN` |  |  |\n",
        "| `pool.min` | `u32` | `1` | must not change while the program runs | `APP_POOL_MIN` | `--pool.min` |  |\n",
        "| `tenants.NAME.min` | `u32` | `1` | must not change while the program runs |  |  |  |\n",
    ] {
        assert!(text.contains(row), "{row}\n{text}");
    }
    let comments = "# alias: listen, bind\n# hot: read by `port()`\n# argument: --port, -p\n";
    let (yaml, toml) = (Named::template(Format::Yaml), Named::template(Format::Toml));
    for (text, line) in [
        (yaml, "port: 80\n"),
        (toml, "port = 80\n"),
        (Named::variables("APP_"), "# APP_PORT=80\n"),
    ] {
        assert!(text.contains(&format!("{comments}{line}")), "{text}");
    }
    let page = Named::manual_page("APP_");
    let port = "hot: read by `port()`; alias: listen, bind; variable APP_PORT; argument \\-\\-port, \\-p\n";
    assert!(page.contains(port), "{page}");
    assert!(!App::manual_page("APP_").contains("argument"));
}

#[tokio::test]
async fn a_template_with_other_names_decodes_to_the_defaults() {
    for format in [
        Format::Json,
        Format::Jsonc,
        Format::Json5,
        Format::Yaml,
        Format::Toml,
    ] {
        let text = Named::template(format);
        let named = over::<Named>(&[("template", format, &text)], &[]).await;
        assert_eq!(named.get().port, 80, "{text}");
    }
}

#[test]
fn the_file_of_variables_sets_what_is_required() {
    let text = Needs::variables("X_");
    for line in [
        "# X_APP_PORT=8080",
        "# X_APP_TIMEOUT=  # default: Duration::from_secs(2 + 3)",
        "# X_APP_HOSTS='[\"a\", \"b c\"]'",
        "# X_APP_SALT=",
        "# X_APP_POOL_MIN=1",
        "X_TOKEN=",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(!text.contains("changeit"), "{text}");
}
