//! A terminal: colours, key bindings, a bell that is on, off or described, a style that is a word or a struct.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::{Deserialize, Deserializer, de};
use serde_json::json;
use std::{collections::BTreeSet, fmt};

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[flux(nested)]
    #[serde(default)]
    window: Window,
    #[flux(nested)]
    #[serde(default)]
    colors: Colors,
    #[serde(default)]
    bell: Bell,
    #[flux(nested)]
    #[serde(default)]
    cursor: Cursor,
    #[flux(nested)]
    #[serde(default, alias = "key_bindings")]
    bindings: Vec<Binding>,
    #[cfg(unix)]
    #[serde(default)]
    shell: Option<Program>,
    #[cfg(windows)]
    winpty: bool,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Window {
    opacity: Percentage,
    padding: (u8, u8),
    dimensions: Option<Dimensions>,
    decorations: Decorations,
}

impl Default for Window {
    fn default() -> Self {
        Window {
            opacity: Percentage(1.0),
            padding: (2, 2),
            dimensions: None,
            decorations: Decorations::Full,
        }
    }
}

/// Clamped when it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Percentage(f32);

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        f32::deserialize(d).map(|part| Percentage(part.clamp(0.0, 1.0)))
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Dimensions {
    columns: u16,
    lines: u16,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
enum Decorations {
    Full,
    #[serde(alias = "None", alias = "none")]
    Without,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default)]
struct Colors {
    #[flux(nested)]
    primary: Primary,
    indexed: Vec<Indexed>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Primary {
    foreground: Rgb,
    background: Rgb,
}

impl Default for Primary {
    fn default() -> Self {
        Primary {
            foreground: Rgb([0xd8; 3]),
            background: Rgb([0x18; 3]),
        }
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Indexed {
    index: u8,
    color: Rgb,
}

/// `#rrggbb` or `0xrrggbb`
#[derive(Clone, Copy, PartialEq)]
struct Rgb([u8; 3]);

impl fmt::Debug for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rgb([r, g, b]) = self;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let digits = text.strip_prefix('#').or_else(|| text.strip_prefix("0x"));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number.map(u32::to_be_bytes) {
            Some([0, rgb @ ..]) => Ok(Rgb(rgb)),
            _ => Err(de::Error::custom(format!("`{text}` is no colour"))),
        }
    }
}

/// `true`, `false`, or a map.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Bell {
    Switch(bool),
    Visual {
        duration: u16,
        #[serde(default)]
        animation: Animation,
    },
}

impl Default for Bell {
    fn default() -> Self {
        Bell::Switch(false)
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Default)]
enum Animation {
    #[default]
    Linear,
    EaseOut,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default)]
struct Cursor {
    style: Style,
    vi_mode_style: Option<Style>,
}

/// A word, or a map with the word in it.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Style {
    Shape(Shape),
    Both {
        shape: Shape,
        #[serde(default)]
        blinking: bool,
    },
}

impl Default for Style {
    fn default() -> Self {
        Style::Shape(Shape::Block)
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
enum Shape {
    Block,
    Underline,
    Beam,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Binding {
    key: Key,
    #[serde(default, deserialize_with = "mods")]
    mods: BTreeSet<Mod>,
    #[serde(default)]
    action: Option<Box<str>>,
    #[serde(default)]
    command: Option<Program>,
}

/// A name, or a scan code.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Key {
    Code(u32),
    Name(String),
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mod {
    Control,
    Shift,
    Alt,
}

/// `Control|Shift`
fn mods<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<Mod>, D::Error> {
    let text = String::deserialize(d)?;
    let each = text.split('|').map(|word| match word.trim() {
        "Control" => Ok(Mod::Control),
        "Shift" => Ok(Mod::Shift),
        "Alt" => Ok(Mod::Alt),
        other => Err(de::Error::custom(format!("no modifier `{other}`"))),
    });
    each.collect()
}

/// A program, alone or with its arguments.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Program {
    Just(String),
    WithArgs { program: String, args: Vec<String> },
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r##"
shell = { program = "/bin/zsh", args = ["-l"] }

[window]
opacity = 1.5
dimensions = { columns = 80, lines = 24 }
decorations = "none"

[colors]
indexed = [{ index = 16, color = "#ff8800" }, { index = 17, color = "0x010203" }]

[colors.primary]
background = "#000000"

[bell]
duration = 100
animation = "EaseOut"

[cursor]
style = { shape = "Beam", blinking = true }
vi_mode_style = "Underline"

[[key_bindings]]
key = "N"
mods = "Control|Shift"
action = "CreateNewWindow"

[[key_bindings]]
key = 42
command = "lock"
"##,
);

#[tokio::test]
async fn words_maps_switches_and_colours_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.window.opacity, Percentage(1.0));
    assert_eq!(settings.bindings[0].mods.len(), 2);
    let settings: Settings = same(Document(Format::Toml, "bell = true\nshell = \"sh\"")).await;
    assert_eq!(settings.bell, Bell::Switch(true));
}

#[tokio::test]
async fn variables_set_what_is_a_word_a_tuple_or_a_switch() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_WINDOW_OPACITY", "0.5", "/window/opacity", json!(0.5)),
            Variable(
                "APP_WINDOW_PADDING",
                "4,5",
                "/window/padding",
                json!([4, 5]),
            ),
            Variable(
                "APP_WINDOW_DECORATIONS",
                "Full",
                "/window/decorations",
                json!("Full"),
            ),
            Variable(
                "APP_COLORS_PRIMARY_FOREGROUND",
                "#ffffff",
                "/colors/primary/foreground",
                json!("#ffffff"),
            ),
            Variable("APP_BELL", "true", "/bell", json!(true)),
            Variable("APP_CURSOR_STYLE", "Block", "/cursor/style", json!("Block")),
            Variable("APP_SHELL", "fish", "/shell", json!("fish")),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
