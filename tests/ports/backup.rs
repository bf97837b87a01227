//! A backup tool: options of three structs beside each other, sources as a text, a list or a struct, what is kept by number.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    #[flux(nested)]
    repository: Repository,
    #[flux(nested)]
    #[serde(default)]
    backup: Backup,
    #[flux(nested)]
    #[serde(default)]
    forget: Keep,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Repository {
    repository: String,
    repo_hot: Option<String>,
    #[flux(nested)]
    #[serde(flatten)]
    credentials: Credentials,
    #[flux(nested)]
    #[serde(flatten)]
    cache: Cache,
    #[serde(default)]
    options: BTreeMap<String, String>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Credentials {
    #[flux(secret)]
    password: Option<String>,
    password_file: Option<PathBuf>,
    password_command: Option<Command>,
}

/// A line, or its words.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Command {
    Line(String),
    Words(Vec<String>),
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Cache {
    #[serde(default)]
    no_cache: bool,
    #[flux(nested)]
    #[serde(flatten)]
    place: Place,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Place {
    cache_dir: Option<PathBuf>,
    #[serde(default)]
    warm_up: Option<bool>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Backup {
    #[serde(deserialize_with = "sources")]
    sources: Vec<Source>,
    exclude_if_present: Vec<String>,
    one_file_system: bool,
    label: String,
    hooks: Hooks,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Source {
    path: PathBuf,
    #[serde(default)]
    globs: Vec<String>,
}

/// A text, a struct, or a list of either.
fn sources<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Source>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum One {
        Path(PathBuf),
        Full(Source),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum All {
        One(One),
        Many(Vec<One>),
    }
    let each = |one| match one {
        One::Path(path) => Source {
            path,
            globs: Vec::new(),
        },
        One::Full(source) => source,
    };
    Ok(match All::deserialize(d)? {
        All::One(one) => vec![each(one)],
        All::Many(all) => all.into_iter().map(each).collect(),
    })
}

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Hooks {
    run_before: Vec<Hook>,
    run_finally: Vec<Hook>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Hook {
    Line(String),
    #[serde(rename_all = "kebab-case")]
    Full {
        command: String,
        args: Vec<String>,
        on_failure: OnFailure,
    },
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum OnFailure {
    Warn,
    Error,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Keep {
    keep_last: Option<i32>,
    keep_within: Option<Span>,
    keep_tags: Vec<Vec<String>>,
    prune: bool,
}

/// `3 months`
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(try_from = "String")]
struct Span {
    count: u32,
    unit: String,
}

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parts = text
            .split_once(' ')
            .and_then(|(count, unit)| Some((count.parse().ok()?, unit)));
        match parts {
            Some((count, unit)) => Ok(Span {
                count,
                unit: unit.to_owned(),
            }),
            None => Err(format!("`{text}` is no span")),
        }
    }
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
[repository]
repository = "opendal:s3"
password-command = ["pass", "show", "backup"]
no-cache = true
cache-dir = "/cache"

[repository.options]
bucket = "b"
"retry.max" = "5"

[backup]
sources = ["/home", { path = "/etc", globs = ["!*.bak", "!a,b"] }]
exclude-if-present = [".nobackup"]

[backup.hooks]
run-before = ["mount /mnt", { command = "echo", args = ["a"], on-failure = "warn" }]

[forget]
keep-last = -1
keep-within = "3 months"
keep-tags = [["a", "b"], ["c"]]
prune = true
"#,
);

#[tokio::test]
async fn options_of_several_structs_beside_each_other_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.backup.sources.len(), 2);
    assert_eq!(
        settings.repository.cache.place.cache_dir.unwrap(),
        PathBuf::from("/cache")
    );
    let one: Settings = same(Document(
        Format::Toml,
        "repository.repository = \"r\"\nbackup.sources = { path = \"p\" }",
    ))
    .await;
    assert_eq!(one.backup.sources[0].path, PathBuf::from("p"));
}

#[tokio::test]
async fn variables_set_options_at_every_depth_of_flatten() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_REPOSITORY_REPOSITORY",
                "local:/r",
                "/repository/repository",
                json!("local:/r"),
            ),
            Variable(
                "APP_REPOSITORY_PASSWORD",
                "a=b",
                "/repository/password",
                json!("a=b"),
            ),
            Variable(
                "APP_REPOSITORY_PASSWORD_COMMAND",
                "pass show x",
                "/repository/password-command",
                json!("pass show x"),
            ),
            Variable(
                "APP_REPOSITORY_NO_CACHE",
                "0",
                "/repository/no-cache",
                json!(false),
            ),
            Variable(
                "APP_REPOSITORY_CACHE_DIR",
                "/c",
                "/repository/cache-dir",
                json!("/c"),
            ),
            Variable(
                "APP_REPOSITORY_WARM_UP",
                "true",
                "/repository/warm-up",
                json!(true),
            ),
            Variable(
                "APP_BACKUP_SOURCES",
                "/only",
                "/backup/sources",
                json!("/only"),
            ),
            Variable(
                "APP_BACKUP_EXCLUDE_IF_PRESENT",
                "[.a, .b]",
                "/backup/exclude-if-present",
                json!([".a", ".b"]),
            ),
            Variable("APP_FORGET_KEEP_LAST", "3", "/forget/keep-last", json!(3)),
            Variable(
                "APP_FORGET_KEEP_WITHIN",
                "1 year",
                "/forget/keep-within",
                json!("1 year"),
            ),
            Variable(
                "APP_FORGET_KEEP_TAGS",
                "[[x, y], [z]]",
                "/forget/keep-tags",
                json!([["x", "y"], ["z"]]),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
