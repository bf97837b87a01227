//! A modal editor: keymaps that are tries of any depth, gutters as a list or a struct, a switch that may be a struct.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroU8,
    time::Duration,
};

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    theme: Option<String>,
    #[flux(nested)]
    #[serde(default)]
    editor: Editor,
    #[serde(default)]
    keys: HashMap<Mode, Trie>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Normal,
    Insert,
    Select,
}

/// A command, a sequence of commands, or more keys.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Trie {
    Command(String),
    Sequence(Vec<String>),
    Node(BTreeMap<String, Trie>),
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default, rename_all = "kebab-case")]
struct Editor {
    #[serde(alias = "line-number")]
    line_numbers: LineNumber,
    scrolloff: usize,
    shell: Vec<String>,
    #[serde(deserialize_with = "millis")]
    idle_timeout: Duration,
    auto_save: AutoSave,
    gutters: Gutters,
    rulers: BTreeSet<u16>,
    text_width: Option<NonZeroU8>,
    #[flux(nested)]
    cursor_shape: CursorShape,
    whitespace: Whitespace,
    auto_pairs: AutoPairs,
    features: BTreeSet<Feature>,
}

impl Default for Editor {
    fn default() -> Self {
        Editor {
            line_numbers: LineNumber::Absolute,
            scrolloff: 5,
            shell: vec!["sh".to_owned(), "-c".to_owned()],
            idle_timeout: Duration::from_millis(250),
            auto_save: AutoSave::Switch(false),
            gutters: Gutters::List(vec![Gutter::Diagnostics]),
            rulers: BTreeSet::new(),
            text_width: None,
            cursor_shape: CursorShape::default(),
            whitespace: Whitespace::All(Render::None),
            auto_pairs: AutoPairs::Switch(true),
            features: BTreeSet::new(),
        }
    }
}

fn millis<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    u64::deserialize(d).map(Duration::from_millis)
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum LineNumber {
    Absolute,
    Relative,
}

/// A switch or a struct.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum AutoSave {
    Switch(bool),
    #[serde(rename_all = "kebab-case")]
    Delay {
        focus_lost: bool,
        after_delay: Option<u64>,
    },
}

/// A list or a struct.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Gutters {
    List(Vec<Gutter>),
    #[serde(rename_all = "kebab-case")]
    Layout {
        layout: Vec<Gutter>,
        min_width: u8,
    },
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Gutter {
    Diagnostics,
    Spacer,
    LineNumbers,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default)]
struct CursorShape {
    normal: Cursor,
    insert: Cursor,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(rename_all = "lowercase")]
enum Cursor {
    #[default]
    Block,
    Bar,
}

/// One for all, or each by name.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Whitespace {
    All(Render),
    Each {
        space: Option<Render>,
        tab: Option<Render>,
    },
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Render {
    None,
    All,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum AutoPairs {
    Switch(bool),
    Pairs(BTreeMap<char, char>),
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Feature {
    InlayHints,
    Signatures,
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
theme = "onedark"

[editor]
line-number = "relative"
idle-timeout = 400
auto-save = { focus-lost = true, after-delay = 3000 }
gutters = { layout = ["diagnostics", "line-numbers"], min-width = 2 }
rulers = [120, 80, 80]
text-width = 100
features = ["signatures", "inlay-hints"]

[editor.cursor-shape]
insert = "bar"

[editor.whitespace]
space = "all"

[editor.auto-pairs]
"(" = ")"
"<" = ">"

[keys.normal]
C-s = ":w"
"\\" = { "\"" = "x" }

[keys.normal.space]
"." = "file_picker"
w = ["normal_mode", ":w"]

[keys.normal.space.g.g]
g = { o = { d = "deep" } }

[keys.insert]
j = { k = "normal_mode" }
"#,
);

#[tokio::test]
async fn tries_of_any_depth_and_lists_or_structs_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.editor.rulers.len(), 2);
    let Trie::Node(keys) = &settings.keys[&Mode::Normal] else {
        panic!("{:?}", settings.keys);
    };
    assert!(matches!(keys["space"], Trie::Node(_)));
    let other = "[editor]\nauto-save = true\ngutters = [\"spacer\"]\nwhitespace = \"all\"\nauto-pairs = false\n";
    let settings: Settings = same(Document(Format::Toml, other)).await;
    assert_eq!(settings.editor.auto_save, AutoSave::Switch(true));
}

#[tokio::test]
async fn variables_set_lists_sets_and_what_may_be_a_struct() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_THEME", "nord", "/theme", json!("nord")),
            Variable(
                "APP_EDITOR_LINE_NUMBERS",
                "absolute",
                "/editor/line-number",
                json!("absolute"),
            ),
            Variable(
                "APP_EDITOR_SHELL",
                "bash,-c",
                "/editor/shell",
                json!(["bash", "-c"]),
            ),
            Variable(
                "APP_EDITOR_IDLE_TIMEOUT",
                "5",
                "/editor/idle-timeout",
                json!(5),
            ),
            Variable(
                "APP_EDITOR_AUTO_SAVE",
                "true",
                "/editor/auto-save",
                json!(true),
            ),
            Variable(
                "APP_EDITOR_RULERS",
                "[100, 80]",
                "/editor/rulers",
                json!([100, 80]),
            ),
            Variable(
                "APP_EDITOR_GUTTERS",
                "[spacer, line-numbers]",
                "/editor/gutters",
                json!(["spacer", "line-numbers"]),
            ),
            Variable(
                "APP_EDITOR_FEATURES",
                "inlay-hints",
                "/editor/features",
                json!(["inlay-hints"]),
            ),
            Variable(
                "APP_EDITOR_TEXT_WIDTH",
                "72",
                "/editor/text-width",
                json!(72),
            ),
            Variable(
                "APP_EDITOR_CURSOR_SHAPE_NORMAL",
                "bar",
                "/editor/cursor-shape/normal",
                json!("bar"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
