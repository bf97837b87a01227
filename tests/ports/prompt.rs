//! A shell prompt: dozens of modules, each with a struct of defaults that the document changes here and there.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Settings {
    #[serde(alias = "prompt")]
    format: String,
    scan_timeout: u64,
    add_newline: bool,
    palette: Option<String>,
    palettes: HashMap<String, HashMap<String, String>>,
    #[flux(nested)]
    directory: Directory,
    #[flux(nested)]
    battery: Battery,
    #[flux(nested)]
    git_status: GitStatus,
    #[flux(nested)]
    env_var: HashMap<String, EnvVar>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            format: "$all".to_owned(),
            scan_timeout: 30,
            add_newline: true,
            palette: None,
            palettes: HashMap::new(),
            directory: Directory::default(),
            battery: Battery::default(),
            git_status: GitStatus::default(),
            env_var: HashMap::new(),
        }
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Directory {
    truncation_length: i64,
    substitutions: IndexMap<String, String>,
    read_only: char,
    #[serde(rename = "use_os_path_sep", alias = "os_separator")]
    os_path: bool,
}

impl Default for Directory {
    fn default() -> Self {
        Directory {
            truncation_length: 3,
            substitutions: IndexMap::new(),
            read_only: '🔒',
            os_path: true,
        }
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Battery {
    full_symbol: String,
    display: Vec<Display>,
    disabled: bool,
}

impl Default for Battery {
    fn default() -> Self {
        Battery {
            full_symbol: "full".to_owned(),
            display: vec![Display {
                threshold: 10,
                style: "red bold".to_owned(),
                symbol: None,
            }],
            disabled: false,
        }
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(default)]
struct Display {
    threshold: i64,
    style: String,
    symbol: Option<char>,
}

impl Default for Display {
    fn default() -> Self {
        Display {
            threshold: 10,
            style: "red".to_owned(),
            symbol: None,
        }
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "camelCase")]
struct GitStatus {
    use_counts: Option<bool>,
    ignore_submodules: bool,
    conflicted: Option<Box<str>>,
    #[serde(rename(deserialize = "windows_starship"))]
    windows: Option<String>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default)]
struct EnvVar {
    default: Option<String>,
    style: String,
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r##"
prompt = "$directory$git_status$character"
palette = "night"
scan_timeout = 10

[palettes.night]
blue = "21"
"mustard.light" = "#af8700"

[directory]
truncation_length = -1
os_separator = false
read_only = "R"
substitutions = { "~/work" = "W", "/tmp" = "T", "a=b" = "c,d" }

[battery]
display = [{ threshold = 30, symbol = "!" }, { style = "green" }]

[git_status]
useCounts = true
conflicted = "="
windows_starship = "C:\\bin"

[env_var.SHELL]
default = "unknown"

[env_var.USER]
style = "bold"
"##,
);

#[tokio::test]
async fn what_a_document_leaves_out_is_the_structs_default() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.directory.substitutions["a=b"], "c,d");
    assert_eq!(settings.battery.full_symbol, "full");
    let empty: Settings = same(Document(Format::Json, "{}")).await;
    assert_eq!(empty, Settings::default());
}

#[tokio::test]
async fn variables_set_what_the_document_left_to_the_default() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_ADD_NEWLINE", "no", "/add_newline", json!(false)),
            Variable("APP_SCAN_TIMEOUT", "5", "/scan_timeout", json!(5)),
            Variable(
                "APP_DIRECTORY_READ_ONLY",
                "x",
                "/directory/read_only",
                json!("x"),
            ),
            Variable(
                "APP_BATTERY_DISABLED",
                "true",
                "/battery/disabled",
                json!(true),
            ),
            Variable(
                "APP_GIT_STATUS_IGNORE_SUBMODULES",
                "on",
                "/git_status/ignoreSubmodules",
                json!(true),
            ),
            Variable(
                "APP_DIRECTORY_TRUNCATION_LENGTH",
                "-2",
                "/directory/truncation_length",
                json!(-2),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
