//! What a template, the reference of settings and the list of variables have of a config type, without any layer.

use super::{
    check::{CheckError, Checked},
    field_names::FieldNames,
    inputs::Inputs,
    json_schema::json_schema,
    manual,
    print::{PrintedContent, PrintedEntry, print, print_json},
    value::{ConfigValue, quoted},
    wording,
};
use crate::{
    Config, Root,
    problem::{Dotted, Seg},
    schema::{Descent, Field, Kind, TypeFacts, ValueType},
};
use flux_syntax::Format;
use std::fmt::Write as _;

/// What can be written of a config type without a start: every type that derives `Flux` has it, once the trait is imported.
///
/// ```
/// use flux::{Flux, Format, inspect::Describe as _};
///
/// #[derive(Flux)]
/// struct AppConfig {
///     /// Where it listens.
///     #[flux(default = 8080, range = 1..=65535)]
///     port: u16,
///     #[flux(secret)]
///     token: String,
/// }
///
/// assert_eq!(
///     AppConfig::template(Format::Yaml),
///     "# Where it listens.
/// ## must be in 1..=65535
/// port: 8080
/// ## required; secret
/// ## token:
/// "
/// );
/// assert_eq!(AppConfig::variables("APP_"), "# Where it listens.
/// ## must be in 1..=65535
/// ## APP_PORT=8080
/// ## required; secret
/// APP_TOKEN=
/// ");
/// ```
pub trait Describe: Config {
    /// A commented file with every setting and its default, but for those that are deprecated. It decodes to the defaults. What has no value there is a comment: required
    /// keys, which are marked, optional ones, defaults that are expressions, secrets, and the entries of lists and maps of sections. Aliases,
    /// the accessors of hot fields, and arguments where the struct declares them, are named in comments. JSON has no comments, and contains
    /// the defaults alone.
    fn template(format: Format) -> String {
        let mut path = Vec::new();
        let root = Descent::at(Self::fields(), MAX_DEPTH);
        let names = FieldNames::of::<Self>(None);
        let entries = template(Self::fields(), &Self::types(), &names, &mut path, &root);
        print(format, &entries)
    }

    /// Judges documents as a start would, without a start: see [`Builder::check`](crate::Builder::check).
    ///
    /// # Errors
    /// [`CheckError::Refused`] with the report of a start; [`CheckError::Inputs`] where there is nothing to judge.
    fn check(inputs: Inputs) -> Result<Checked, CheckError>
    where
        Self: Root,
    {
        Self::declared().check(inputs)
    }

    /// The JSON Schema (2020-12) of a whole configuration: types, rules, required keys, defaults, docs, and keys that begin with `x-flux-`
    /// for what JSON Schema has no word for. What it accepts the decoder accepts, and what breaks it is refused, as far as JSON Schema can
    /// express it; see [the guide](crate::guide::answers) for the limits. One is the other way round: a number or a bool without quotes is a text
    /// in YAML where a field is one, and the schema refuses it. With the feature `schemars`, leaf types that implement its
    /// `JsonSchema` are described by it.
    fn schema() -> String {
        schema_text::<Self>(true, "")
    }

    /// [`schema`](Describe::schema) of one layer, in which nothing is required, and nothing counts the parts of what several layers make
    /// together: for editors, where other layers add the rest.
    fn layer_schema() -> String {
        schema_text::<Self>(false, "")
    }

    /// A page in Markdown with a row for each setting: key with aliases, type, default, rules, variable under the prefix `APP_` or another
    /// one, argument where the struct declares `override = "args"`, and docs.
    fn reference(prefix: &str) -> String {
        let mut text = format!("# {}\n\n", Self::NAME);
        let docs = Self::DOCS.trim();
        if !docs.is_empty() {
            text.push_str(docs);
            text.push_str("\n\n");
        }
        let names = FieldNames::of::<Self>(Some(prefix));
        text.push_str(match names.have_arguments() {
            true => {
                "| key | type | default | rules | variable | argument | docs |\n|---|---|---|---|---|---|---|\n"
            }
            false => {
                "| key | type | default | rules | variable | docs |\n|---|---|---|---|---|---|\n"
            }
        });
        let mut path = Vec::new();
        let mut each = |field: &'static Field, path: &[Seg], key: &str| {
            row(field, key, path, &names, &mut text);
        };
        let root = Descent::at(Self::fields(), MAX_DEPTH);
        rows(Self::fields(), &mut path, &root, &mut each);
        text
    }

    /// [`reference`](Describe::reference) as a manual page, to be read with `man`: the source text in roff, of section 5.
    fn manual_page(prefix: &str) -> String {
        let mut settings = Vec::new();
        let names = FieldNames::of::<Self>(Some(prefix));
        let mut each = |field: &'static Field, path: &[Seg], key: &str| {
            settings.push(manual::entry(field, key, path, &names));
        };
        let root = Descent::at(Self::fields(), MAX_DEPTH);
        rows(Self::fields(), &mut Vec::new(), &root, &mut each);
        manual::page(Self::NAME, Self::DOCS, &settings)
    }

    /// A file for `.env` with every variable under the prefix, but for those of fields that are deprecated. Required ones are set to nothing, all others are comments.
    fn variables(prefix: &str) -> String {
        let mut text = String::new();
        let names = FieldNames::of::<Self>(Some(prefix));
        let mut path = Vec::new();
        lines(
            Self::fields(),
            &Self::types(),
            &names,
            &mut path,
            &Descent::at(Self::fields(), MAX_DEPTH),
            &mut text,
        );
        text
    }
}

impl<C: Config> Describe for C {}

/// How often a type that contains itself is described in itself.
const MAX_DEPTH: u8 = 4;

/// The JSON Schema whose variables have this prefix: of a whole configuration, or of one layer.
pub(crate) fn schema_text<C: Config>(is_whole: bool, prefix: &str) -> String {
    let (title, docs) = (C::NAME, C::DOCS);
    print_json(&json_schema(
        title,
        docs,
        C::fields,
        C::types,
        is_whole,
        prefix,
    ))
}

/// Docs, rules, marks and other names of a field.
fn comments(field: &'static Field, names: &FieldNames, path: &[Seg]) -> Vec<String> {
    let docs = field.docs().lines().map(|line| line.trim().to_owned());
    let mut all: Vec<String> = docs.collect();
    all.extend(wording::rules(field));
    all.extend(wording::change_rules(field));
    let marks = [
        (field.is_required(), "required"),
        (field.is_secret(), "secret"),
    ];
    let marks: Vec<&str> = (marks.iter())
        .filter(|(holds, _)| *holds)
        .map(|(_, mark)| *mark)
        .collect();
    if !marks.is_empty() {
        all.push(marks.join("; "));
    }
    all.extend(wording::aliases(field));
    all.extend(wording::hot(field));
    let arguments = names.arguments(field, path);
    if !arguments.is_empty() {
        all.push(format!("argument: {}", arguments.join(", ")));
    }
    all.iter().map(|line| one_line(line)).collect()
}

fn one_line(text: &str) -> String {
    crate::problem::escaped(text).into_owned()
}

/// The default as a value of a document; none of a secret, and where it is an expression.
fn default(field: &Field, is: &ValueType) -> Option<ConfigValue> {
    super::default::of_field(field, is).filter(|_| !field.is_secret())
}

fn expression(field: &Field) -> Option<String> {
    let default = field.default().filter(|_| !field.is_secret())?;
    Some(format!("default: {}", one_line(default.text)))
}

fn template(
    fields: &'static [Field],
    facts: &[TypeFacts],
    names: &FieldNames,
    path: &mut Vec<Seg>,
    way: &Descent<'_>,
) -> Vec<PrintedEntry> {
    let unknown = TypeFacts::unknown();
    let mut all = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        let facts = facts.get(number).unwrap_or(&unknown);
        let inner = || facts.fields.map(|of| of()).unwrap_or_default();
        if field.is_flattened() {
            if let Kind::Section(of) = field.kind()
                && let Some(way) = way.enter(of())
            {
                all.extend(template(of(), &inner(), names, path, &way));
            }
            continue;
        }
        if field.deprecated().is_some() {
            continue;
        }
        path.push(Seg::Key(field.name().into()));
        let mut above = comments(field, names, path);
        let mut behind = None;
        let (content, is_comment) = match field.kind() {
            Kind::Leaf => match default(field, &facts.value_type) {
                Some(ConfigValue::Null) => (PrintedContent::Open, true),
                Some(value) => (PrintedContent::Value(value), false),
                None => {
                    behind = expression(field);
                    (PrintedContent::Open, true)
                }
            },
            kind if beyond(kind, way) => (PrintedContent::Open, true),
            kind => {
                behind = expression(field);
                if facts.is_optional {
                    above.push("optional".to_owned());
                }
                let is_comment = facts.is_optional || field.default().is_some();
                match kind {
                    Kind::Section(_) => (example(kind, &inner(), names, path, way), is_comment),
                    kind => (example(kind, &inner(), names, path, way), true),
                }
            }
        };
        path.pop();
        all.push(PrintedEntry {
            key: field.name().to_owned(),
            above,
            behind,
            content,
            is_comment,
        });
    }
    all
}

/// Whether a type that contains itself is not described once more.
fn beyond(kind: Kind, way: &Descent<'_>) -> bool {
    let inner = kind.table();
    inner.is_some_and(|inner| way.enter(inner).is_none())
}

/// A section, or a list or a map of sections with one entry.
fn example(
    kind: Kind,
    facts: &[TypeFacts],
    names: &FieldNames,
    path: &mut Vec<Seg>,
    way: &Descent<'_>,
) -> PrintedContent {
    match kind {
        Kind::Leaf => PrintedContent::Open,
        Kind::Section(of) => match way.enter(of()) {
            Some(way) => PrintedContent::Map(template(of(), facts, names, path, &way)),
            None => PrintedContent::Open,
        },
        Kind::List(item) => PrintedContent::List(vec![example(*item, facts, names, path, way)]),
        Kind::Map(entry) => PrintedContent::Map(vec![PrintedEntry {
            key: "NAME".to_owned(),
            above: Vec::new(),
            behind: None,
            content: example(*entry, facts, names, path, way),
            is_comment: false,
        }]),
    }
}

/// Each setting with its key, and the entries of lists and maps of sections.
fn rows(
    fields: &'static [Field],
    path: &mut Vec<Seg>,
    way: &Descent<'_>,
    each: &mut dyn FnMut(&'static Field, &[Seg], &str),
) {
    for field in fields {
        let is_flat = field.is_flattened();
        if !is_flat {
            path.push(Seg::Key(field.name().into()));
        }
        let within = match field.kind() {
            Kind::List(_) => "[N]",
            Kind::Map(_) if is_flat => "NAME",
            Kind::Map(_) => ".NAME",
            Kind::Leaf | Kind::Section(_) => "",
        };
        if !matches!(field.kind(), Kind::Section(_)) {
            each(field, path, &format!("{}{within}", Dotted(path)));
        }
        let inner = field.kind().table();
        if let Some((inner, way)) = inner.and_then(|inner| Some((inner, way.enter(inner)?))) {
            match field.kind() {
                Kind::Section(_) => rows(inner, path, &way, each),
                Kind::List(_) => {
                    path.push(Seg::Index(0));
                    rows(inner, path, &way, each);
                    path.pop();
                }
                _ => {
                    path.push(Seg::Key("NAME".into()));
                    rows(inner, path, &way, each);
                    path.pop();
                }
            }
        }
        if !is_flat {
            path.pop();
        }
    }
}

fn row(field: &'static Field, key: &str, path: &[Seg], names: &FieldNames, text: &mut String) {
    let cell = |text: &str| one_line(text).replace('|', "\\|");
    let default = match field.default() {
        Some(_) if field.is_secret() => "secret".to_owned(),
        Some(default) => {
            let printed = field.printed_default().unwrap_or(default.text);
            format!("`{}`", cell(printed))
        }
        None if field.is_required() => "required".to_owned(),
        None => String::new(),
    };
    let mut rules = wording::rules(field);
    rules.extend(wording::change_rules(field));
    rules.extend(wording::deprecation(field));
    if field.is_secret() {
        rules.push("secret".to_owned());
    }
    rules.extend(wording::hot(field));
    let aliases = field.aliases().iter();
    let aliases: Vec<String> = aliases.map(|alias| format!("`{}`", cell(alias))).collect();
    let alias = match aliases.is_empty() {
        true => String::new(),
        false => format!(" (alias {})", aliases.join(", ")),
    };
    let argument = names.have_arguments().then(|| {
        let all = names.arguments(field, path).into_iter();
        let all: Vec<String> = all.map(|name| format!("`{name}`")).collect();
        format!(" {} |", all.join(", "))
    });
    let variable = names
        .variable(path)
        .map_or(String::new(), |name| format!("`{name}`"));
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "| `{}`{alias} | `{}` | {default} | {} | {variable} |{} {} |",
        cell(key),
        cell(field.type_name()),
        cell(&rules.join("; ")),
        argument.unwrap_or_default(),
        cell(&wording::docs(field)),
    );
}

fn lines(
    fields: &'static [Field],
    facts: &[TypeFacts],
    names: &FieldNames,
    path: &mut Vec<Seg>,
    way: &Descent<'_>,
    text: &mut String,
) {
    let unknown = TypeFacts::unknown();
    for (number, field) in fields.iter().enumerate() {
        if field.deprecated().is_some() {
            continue;
        }
        let facts = facts.get(number).unwrap_or(&unknown);
        let is_flat = field.is_flattened();
        if !is_flat {
            path.push(Seg::Key(field.name().into()));
        }
        match (field.kind(), names.variable(path)) {
            (Kind::Section(of), _) => {
                let inner = facts.fields.map(|of| of()).unwrap_or_default();
                if let Some(way) = way.enter(of()) {
                    lines(of(), &inner, names, path, &way, text);
                }
            }
            (_, Some(name)) if !is_flat => {
                for comment in comments(field, names, path) {
                    let _ = writeln!(text, "# {comment}");
                }
                let value = default(field, &facts.value_type).map(|value| variable_text(&value));
                let sign = if field.is_required() { "" } else { "# " };
                let behind = match (&value, expression(field)) {
                    (None, Some(default)) => format!("  # {default}"),
                    _ => String::new(),
                };
                let _ = writeln!(text, "{sign}{name}={}{behind}", value.unwrap_or_default());
            }
            _ => {}
        }
        if !is_flat {
            path.pop();
        }
    }
}

/// A value as the text of a variable: lists and maps as JSON.
fn variable_text(value: &ConfigValue) -> String {
    match value {
        ConfigValue::Text(text) if text.chars().all(is_plain) => text.clone(),
        ConfigValue::Text(text) => quoted(text),
        ConfigValue::List(_) | ConfigValue::Map(_) => format!("'{value}'"),
        value => value.to_string(),
    }
}

/// What needs no quotes in a file of variables.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | ',' | '+' | '%')
}
