//! What `explain` returns and prints for one path: value, origin, layers, default, rules, names.

mod of_field;
mod of_variables;

pub(in crate::inspect) use of_variables::VariableNotes;
pub(crate) use of_variables::changed_files;

use super::{
    item::Effect,
    lines::{called, each_line},
    value::ConfigValue,
};
use crate::problem::{KeyPath, escaped, serialized};
use std::fmt;

/// Why a path of the configuration has the value that readers see: which layer sets it and where, which layers are hidden by that one,
/// the default, the rules, and the names of its variables. No secret is in it.
///
/// `Display` prints it as a compiler prints a note; with a precision, `{:.80}`, it cuts values where a line would be wider than so many
/// columns, and without one it shows 120 letters of a value. `Serialize` gives the fields below under their names; those stay.
///
/// ```
/// # use flux::{Capacitor, Flux, Format, Source, source::Channel};
/// #[derive(Flux)]
/// struct App {
///     /// Where it listens.
///     #[flux(default = 8080, range = 1..=65535)]
///     port: u16,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (document, channel) = Channel::latest("app.json");
/// # let capacitor = Capacitor::<App>::builder()
/// #     .source(Source::watcher(channel).format(Format::Json))
/// #     .override_with(Source::env("APP_").variables([("APP_PORT", "80")]))
/// #     .build()?;
/// # document.try_send(&b"{ \"port\": 9090 }"[..])?;
/// # capacitor.start().await?;
/// let port = capacitor.explain("port")?;
/// assert_eq!(port.settings[0].variable.as_deref(), Some("APP_PORT"));
/// assert_eq!(port.settings[1].to_string(), "app.json:1:11");
/// assert!(port.to_string().starts_with("port = 80\n  --> variable APP_PORT\n"));
/// # capacitor.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The path, with the fields' own names.
    pub path: KeyPath,
    /// The value that readers see. None where no layer sets it and it has no default that is written as a value, where its parts are
    /// its value, and where it is known to the program alone: then `notes` has the reason.
    pub value: Option<ConfigValue>,
    /// The value that the layers make since, and that waits for a restart of the program; readers keep `value` until then.
    pub pending: Option<ConfigValue>,
    /// Where the value comes from.
    pub from: ValueOrigin,
    /// What the layers contain at the path, highest precedence first.
    pub settings: Vec<Setting>,
    /// The default in the code.
    pub default: Option<DefaultSetting>,
    /// The Rust type, as written.
    pub type_name: &'static str,
    /// The doc comment, in one line.
    pub docs: String,
    /// Whether a layer must set it.
    pub is_required: bool,
    /// Whether the value is never printed. What is only withheld since it has the text of a secret has a note instead.
    pub is_secret: bool,
    /// What the value must satisfy.
    pub rules: Vec<String>,
    /// What the running value may become.
    pub change_rules: Vec<String>,
    /// Whether a change waits for a restart of the program.
    pub waits_for_restart: bool,
    /// The accessor of a hot field.
    pub accessor: Option<&'static str>,
    /// The names of its environment variables, under the prefixes of this program; of a field with aliases one for each name.
    pub variables: Vec<String>,
    /// The argument that can set it, where the arguments are a layer of this program: `--pool.max-size`, or `--set PATH=..`.
    pub argument: Option<String>,
    /// The letter of its short argument, where it has one beside that: `p` for `-p`.
    pub short_argument: Option<char>,
    /// Other keys that mean the same field in documents.
    pub aliases: Vec<&'static str>,
    /// What to do instead of setting it, since which version, and which one no longer reads it; none of a field that is not deprecated.
    pub deprecated: Option<String>,
    /// What is to be known besides.
    pub notes: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueOrigin {
    /// From the layers whose [`effect`](Setting::effect) is not `Shadowed`.
    Layers,
    /// From the default in the code.
    Default,
    /// It is optional, and no layer sets it.
    Nothing,
    /// It is required, and no layer that can be read sets it.
    Missing,
    /// It has parts with origins of their own.
    Parts,
    /// A stage of the program made it of what the layers contain: `transform`, `apply`, `mutate` or one of its own. Its value is not known.
    Stage,
    /// The program's own [reducer](crate::Builder::reducer) made it of the layers. Its value is not known.
    Reducer,
}

impl ValueOrigin {
    /// Its name in `Serialize`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ValueOrigin::Layers => "layers",
            ValueOrigin::Default => "default",
            ValueOrigin::Nothing => "nothing",
            ValueOrigin::Missing => "missing",
            ValueOrigin::Parts => "parts",
            ValueOrigin::Stage => "stage",
            ValueOrigin::Reducer => "reducer",
        }
    }
}

/// What one layer contains at a path. `Display` prints where: `app.yaml:3:9`, `variable APP_PORT`, `argument --port`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// The layer's origin.
    pub origin: String,
    /// The layer's number, from 0, lowest precedence first: its index in the status.
    pub layer: usize,
    /// The environment variable.
    pub variable: Option<String>,
    /// The argument, as it was typed, without its value: `--pool.max-size`.
    pub argument: Option<String>,
    /// The line in the document, from 1.
    pub line: Option<usize>,
    /// The column in that line, from 1.
    pub column: Option<usize>,
    /// The revision of the document in its store.
    pub revision: Option<String>,
    /// The value that the layer contains; none of a section, and where it is not known.
    pub value: Option<ConfigValue>,
    /// What becomes of it.
    pub effect: Effect,
}

/// A default in the code.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DefaultSetting {
    /// The expression as written; none of a secret.
    pub text: Option<String>,
    /// The value, where the expression is one.
    pub value: Option<ConfigValue>,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
}

impl Explanation {
    /// The setting that decides the value; none where several layers make it together or none sets it.
    pub fn decided_by(&self) -> Option<&Setting> {
        let mut settings = self.settings.iter();
        settings.find(|one| one.effect == Effect::Decides)
    }

    /// The settings that a higher layer hides, highest precedence first.
    pub fn shadowed(&self) -> impl Iterator<Item = &Setting> {
        let settings = self.settings.iter();
        settings.filter(|one| one.effect == Effect::Shadowed)
    }
}

/// Longer values are cut.
const WIDEST: usize = 120;
/// And so much of a value is shown, however narrow the lines are.
const FEWEST: usize = 16;

/// A value in one line, as people read it.
pub(super) fn shown(value: &ConfigValue) -> String {
    cut(value, WIDEST)
}

fn cut(value: &ConfigValue, widest: usize) -> String {
    let text = value.to_string();
    match text.char_indices().nth(widest) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

/// A line that begins so and ends with a value, as wide as it may be: of the value some letters are shown in any case.
fn write_line(f: &mut fmt::Formatter<'_>, before: &str, value: &ConfigValue) -> fmt::Result {
    let dots = "..".len();
    let widest = f.precision().map_or(WIDEST, |columns| {
        let columns = columns.saturating_sub(before.chars().count() + dots);
        columns.max(FEWEST)
    });
    write!(f, "{before}{}", cut(value, widest))
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.variable, &self.argument, self.line, self.column) {
            (Some(variable), ..) => write!(f, "variable {}", escaped(variable))?,
            (None, Some(argument), ..) => write!(f, "argument {}", escaped(argument))?,
            (None, None, Some(line), Some(column)) => {
                write!(f, "{}:{line}:{column}", escaped(&self.origin))?;
            }
            _ => f.write_str(&escaped(&self.origin))?,
        }
        match &self.revision {
            Some(revision) => write!(f, " (revision {})", escaped(revision)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DefaultSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.text) {
            (Some(value), _) => write!(f, "{}, ", shown(value))?,
            (None, Some(text)) => write!(f, "`{}`, ", escaped(text))?,
            (None, None) => {}
        }
        write!(f, "at {}:{}", self.file, self.line)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = called(&self.path);
        match (&self.value, self.from) {
            (Some(ConfigValue::Secret), ValueOrigin::Default) if self.is_secret => {
                write!(f, "{name} has its default, which is secret")?;
            }
            (Some(ConfigValue::Secret), _) if self.is_secret => {
                write!(f, "{name} is set, and secret")?;
            }
            (Some(ConfigValue::Secret), _) => write!(f, "{name} is set, and withheld")?,
            (Some(value), _) => write_line(f, &format!("{name} = "), value)?,
            (None, ValueOrigin::Parts) => write!(f, "{name} has parts")?,
            (None, ValueOrigin::Default) => write!(f, "{name} has its default")?,
            (None, ValueOrigin::Nothing) => write!(f, "{name} is not set")?,
            (None, ValueOrigin::Missing) => {
                write!(f, "{name} is not set by any layer that can be read")?
            }
            (None, ValueOrigin::Layers) => {
                write!(f, "{name} has a value that the program alone knows")?
            }
            (None, ValueOrigin::Stage) => write!(
                f,
                "{name} has a value that a stage of the program made\n  --> a stage of the program"
            )?,
            (None, ValueOrigin::Reducer) => write!(
                f,
                "{name} has a value that the program's own reducer made\n  --> the program's reducer"
            )?,
        }
        let set: Vec<&Setting> = (self.settings.iter())
            .filter(|one| one.effect != Effect::Shadowed)
            .collect();
        for one in &set {
            f.write_str("\n")?;
            match (one.effect, &one.value) {
                (_, Some(value)) if self.pending.is_some() => {
                    write_line(f, &format!("  --> after a restart: {one} = "), value)?;
                }
                (Effect::Contributes, Some(value)) => {
                    write_line(f, &format!("  --> {one} = "), value)?;
                }
                _ => write!(f, "  --> {one}")?,
            }
        }
        if self.from == ValueOrigin::Default
            && let Some(default) = &self.default
        {
            write!(f, "\n  --> default at {}:{}", default.file, default.line)?;
        }
        f.write_str("\n   |")?;
        for one in self.shadowed() {
            f.write_str("\n")?;
            match &one.value {
                Some(value) => write_line(f, &format!("   = hides: {one} = "), value)?,
                None => write!(f, "   = hides: {one}")?,
            }
        }
        if let Some(default) = &self.default {
            write!(f, "\n   = default: {default}")?;
        }
        if !self.type_name.is_empty() {
            let required = if self.is_required { ", required" } else { "" };
            write!(f, "\n   = type: `{}`{required}", self.type_name)?;
        }
        each_line(f, "   = rule: ", &self.rules)?;
        each_line(f, "   = change: ", &self.change_rules)?;
        if let Some(accessor) = self.accessor {
            write!(f, "\n   = hot: read by `{accessor}()`")?;
        }
        if !self.variables.is_empty() {
            write!(f, "\n   = variable: {}", self.variables.join(", "))?;
        }
        if let Some(argument) = &self.argument {
            write!(f, "\n   = argument: {argument}")?;
            if let Some(letter) = self.short_argument {
                write!(f, ", -{letter}")?;
            }
        }
        if !self.aliases.is_empty() {
            write!(f, "\n   = alias: {}", self.aliases.join(", "))?;
        }
        if let Some(deprecated) = &self.deprecated {
            write!(f, "\n   = note: {deprecated}")?;
        }
        if !self.docs.is_empty() {
            write!(f, "\n   = docs: {}", self.docs)?;
        }
        each_line(f, "   = note: ", &self.notes)
    }
}

serialized! {
    Explanation, own => {
        path: own.path,
        value: own.value,
        pending: own.pending,
        from: own.from.as_str(),
        settings: own.settings,
        default: own.default,
        type_name: own.type_name,
        docs: own.docs,
        is_required: own.is_required,
        is_secret: own.is_secret,
        rules: own.rules,
        change_rules: own.change_rules,
        waits_for_restart: own.waits_for_restart,
        accessor: own.accessor,
        variables: own.variables,
        argument: own.argument,
        short_argument: own.short_argument,
        aliases: own.aliases,
        deprecated: own.deprecated,
        notes: own.notes,
    }
}

serialized! {
    Setting, own => {
        origin: own.origin,
        layer: own.layer,
        variable: own.variable,
        argument: own.argument,
        line: own.line,
        column: own.column,
        revision: own.revision,
        value: own.value,
        effect: own.effect.as_str(),
    }
}

serialized! {
    DefaultSetting, own => {
        text: own.text,
        value: own.value,
        file: own.file,
        line: own.line,
    }
}
