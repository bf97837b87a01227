//! A layer's document as it is kept on disk: every scalar as it was written, without comments and without secrets.
//!
//! In the file it is JSON. What JSON says in the same way as the document, is written as such; everything else is an object with one
//! key that begins with `$`:
//!
//! | object | is |
//! |---|---|
//! | `{"$plain": "1.10"}` | a scalar without quotes: a number, a date, text |
//! | `{"$tag": "!name", "$of": ..}` | a value with a tag of YAML |
//! | `{"$entries": [[key, value], ..]}` | a map with keys that are no plain text |
//! | `{"$raw": "text"}`, `{"$float": "inf"}` | what only a codec of the program's own has |
//! | `{"$text": ".."}` | the whole document as it is, where its parser with spans cannot follow it and the type has no secrets |
//!
//! For decoding, a document in the layer's own format is made of it, which the fast decoder reads as it read the first one.

use crate::{
    codec::{self, Decoder, Tree},
    document::{Document, NodeContent, NodeId, Pair, ResolvedKind, ScalarStyle},
    engine::{AnyLayer, Schema},
    problem::{Dotted, Seg},
    schema::{self, Field, Place, Reached},
};
use flux_syntax::Format;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lists and maps in each other beyond this depth are not kept: no decoder follows them.
const DEEPEST: usize = 200;

/// How many times its size a document may have with its aliases written out.
const GROWTH: usize = 64;

/// The formats as they are named in the file.
const NAMES: [(&str, Format); 3] = [
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("toml", Format::Toml),
];

/// What the format of a layer is called in the file; `tree` is a codec of the program's own.
pub(super) fn format_name(decoder: &Decoder) -> &'static str {
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => "json",
        #[cfg(feature = "yaml")]
        Decoder::Yaml => "yaml",
        #[cfg(feature = "toml")]
        Decoder::Toml => "toml",
        Decoder::Off(_) | Decoder::Custom(_) => "tree",
    }
}

/// What of a document is not kept.
#[derive(Default)]
pub(super) struct Omitted {
    /// Secrets, or what may be some.
    pub(super) any: bool,
    /// What readers see in a field that is no secret, under a key that is the name of one, or nearly.
    pub(super) alike: Vec<String>,
}

impl Omitted {
    fn add(&mut self, fields: &'static [Field], path: &[Seg]) {
        self.any = true;
        if let Reached::Leaf(field, _) = schema::follow(fields, path)
            && !field.is_secret()
        {
            self.alike.push(Dotted(path).to_string());
        }
    }
}

/// A document without its secrets, as JSON, and what is left out. An error says why it cannot be kept.
pub(super) fn keep(
    schema: &Schema,
    decoder: &Decoder,
    bytes: &[u8],
) -> Result<(Tree, Omitted), String> {
    let fields = (schema.fields)();
    let text = codec::text_of(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let Some(dialect) = codec::dialect(decoder) else {
        let tree = catch_unwind(AssertUnwindSafe(|| codec::tree(decoder, text)));
        let Ok(Ok(tree)) = tree else {
            return Err("it cannot be read a second time".to_owned());
        };
        let mut path = Vec::new();
        let mut omitted = Omitted::default();
        let kept = of_tree(fields, &tree, &mut path, &mut omitted)?;
        return Ok((kept.unwrap_or_default(), omitted));
    };
    let Ok(document) = Document::parse(dialect, text) else {
        return match schema::any_secret(fields) {
            false => Ok((one("$text", Tree::Str(text.to_owned())), Omitted::default())),
            true => Err("its secrets cannot be found in it".to_owned()),
        };
    };
    let mut writer = KeptWriter {
        fields,
        document: &document,
        path: Vec::new(),
        left: document
            .len()
            .saturating_mul(GROWTH)
            .saturating_add(1 << 12),
        omitted: Omitted::default(),
    };
    let kept = writer.value(document.root())?.unwrap_or_default();
    Ok((kept, writer.omitted))
}

/// A layer from what was kept, and what is wrong with it but does not refuse it. An error says why it is not used.
pub(super) fn decode(
    schema: &Schema,
    format: &str,
    decoder: Option<&Decoder>,
    kept: &Tree,
) -> Result<(AnyLayer, Vec<String>), String> {
    let unfit = || "does not fit the configuration any more".to_owned();
    let Some((_, format)) = NAMES.iter().find(|(name, _)| *name == format) else {
        let tree = to_tree(kept).ok_or_else(unfit)?;
        let plain = decoder.is_some_and(codec::plain_scalars);
        let decoded = catch_unwind(AssertUnwindSafe(|| (schema.decode_tree)(&tree, plain)));
        return match decoded {
            Ok((Some(layer), problems)) if problems.is_empty() => Ok((layer, Vec::new())),
            _ => Err(unfit()),
        };
    };
    let Some(decoder) = Decoder::enabled(*format) else {
        return Err(format!("is {format}, and that feature is off"));
    };
    let text = match only(kept, "$text") {
        Some(Tree::Str(text)) => text.clone(),
        // All of it was secret, which TOML has no word for.
        _ if matches!(kept, Tree::Map(entries) if entries.is_empty()) => "{}".to_owned(),
        _ => document(*format, kept).ok_or_else(unfit)?,
    };
    let decoder = match text.as_str() {
        "{}" => Decoder::from(Format::Json),
        _ => decoder,
    };
    let decode = || (schema.decode)(&decoder, text.as_bytes(), codec::Unknown::Warn);
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(decoded)) if !decoded.empty => {
            let warnings = decoded.warnings.iter().map(|found| {
                let path = crate::problem::Dotted(&found.problem.path);
                format!("`{path}` is no field of today, and what was kept of it is not used")
            });
            Ok((decoded.layer, warnings.collect()))
        }
        _ => Err(unfit()),
    }
}

/// A map with one entry.
fn one(key: &str, value: Tree) -> Tree {
    Tree::Map(vec![(key.to_owned(), value)])
}

/// The value of the only entry, if its key is this one.
fn only<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
    match tree {
        Tree::Map(entries) => match entries.as_slice() {
            [(found, value)] if found == key => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// A leaf that is secret, or something that may be one; of a section the parts are asked one by one.
fn is_secret(fields: &'static [Field], path: &[Seg], has_parts: bool) -> bool {
    match schema::place(fields, path) {
        Place::Structure if has_parts => false,
        _ => schema::is_secret(fields, path),
    }
}

struct KeptWriter<'d> {
    fields: &'static [Field],
    document: &'d Document<'d>,
    path: Vec<Seg>,
    /// How many values may still be written.
    left: usize,
    omitted: Omitted,
}

impl KeptWriter<'_> {
    /// A value; none where it is secret.
    fn value(&mut self, id: NodeId) -> Result<Option<Tree>, String> {
        let node = self.document.node(id);
        let has_parts = !matches!(node.content, NodeContent::Scalar(_));
        if !self.path.is_empty() && is_secret(self.fields, &self.path, has_parts) {
            self.omitted.add(self.fields, &self.path);
            return Ok(None);
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) if self.path.len() < DEEPEST => left,
            Some(_) => return Err("it is too deep".to_owned()),
            None => return Err("its aliases make it too large".to_owned()),
        };
        let mut value = match &node.content {
            NodeContent::Scalar(_) => self.scalar(id),
            NodeContent::List(items) => Tree::Seq(self.list(items)?),
            NodeContent::Map(entries) => self.map(entries)?,
            NodeContent::Alias(_) => return Err("an alias of an alias is in it".to_owned()),
        };
        if let Some(tag) = &node.tag {
            if matches!(value, Tree::Null) {
                value = one("$plain", Tree::Str(self.document.key(id).to_owned()));
            }
            value = Tree::Map(vec![
                ("$tag".to_owned(), Tree::Str(tag.to_string())),
                ("$of".to_owned(), value),
            ]);
        }
        Ok(Some(value))
    }

    fn list(&mut self, items: &[NodeId]) -> Result<Vec<Tree>, String> {
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(Seg::Index(index));
            let value = self.value(*item)?;
            self.path.pop();
            list.extend(value);
        }
        Ok(list)
    }

    fn map(&mut self, entries: &[Pair]) -> Result<Tree, String> {
        let mut simple = Vec::with_capacity(entries.len());
        let mut others = Vec::new();
        for entry in entries {
            let key = self.document.key(entry.key);
            self.path.push(Seg::Key(key.to_owned().into()));
            let value = self.value(entry.value)?;
            self.path.pop();
            let Some(value) = value else { continue };
            match self.is_simple(entry.key) && others.is_empty() {
                true => simple.push((key.to_owned(), value)),
                false => {
                    let key = self.key(entry.key)?;
                    others.push(Tree::Seq(vec![key, value]));
                }
            }
        }
        if others.is_empty() {
            return Ok(Tree::Map(simple));
        }
        let pair = |(key, value)| Tree::Seq(vec![simple_key(key), value]);
        let mut all: Vec<Tree> = simple.into_iter().map(pair).collect();
        all.append(&mut others);
        Ok(one("$entries", Tree::Seq(all)))
    }

    /// Whether a key in JSON means the same as this one.
    fn is_simple(&self, id: NodeId) -> bool {
        let Some(scalar) = self.document.scalar(id) else {
            return false;
        };
        let text = scalar.text.as_ref();
        if text.starts_with('$') || self.document.node(id).tag.is_some() {
            return false;
        }
        match codec_is_yaml(self.document) {
            false => true,
            true if scalar.style == ScalarStyle::Plain => {
                is_integer(text) || is_word(text) && self.is_text(id)
            }
            true => !is_integer(text),
        }
    }

    /// Any key.
    fn key(&mut self, id: NodeId) -> Result<Tree, String> {
        // A key is no value of the schema: nothing in it is asked for.
        let path = std::mem::take(&mut self.path);
        let fields = std::mem::take(&mut self.fields);
        let key = self.value(id);
        (self.path, self.fields) = (path, fields);
        Ok(key?.unwrap_or_default())
    }

    fn is_text(&self, id: NodeId) -> bool {
        self.document.kind(id) == Some(ResolvedKind::Text)
    }

    fn scalar(&self, id: NodeId) -> Tree {
        let Some(scalar) = self.document.scalar(id) else {
            return Tree::Null;
        };
        if scalar.style != ScalarStyle::Plain {
            return Tree::Str(scalar.text.as_ref().to_owned());
        }
        let yaml = codec_is_yaml(self.document);
        let text = match yaml {
            true => scalar.text.as_ref(),
            // Numbers with their underscores.
            false => self.document.source(self.document.resolved(id)),
        };
        match text {
            "null" => return Tree::Null,
            "" | "~" if yaml => return Tree::Null,
            "true" => return Tree::Bool(true),
            "false" => return Tree::Bool(false),
            _ => {}
        }
        if is_integer(text) {
            if let Ok(number) = text.parse() {
                return Tree::U64(number);
            }
            if let Ok(number) = text.parse() {
                return Tree::I64(number);
            }
        }
        match yaml && is_word(text) && self.is_text(id) {
            true => Tree::Str(text.to_owned()),
            false => one("$plain", Tree::Str(text.to_owned())),
        }
    }
}

fn codec_is_yaml(document: &Document<'_>) -> bool {
    match document.dialect() {
        #[cfg(feature = "yaml")]
        crate::document::Dialect::Yaml => true,
        _ => false,
    }
}

/// What a key of a JSON object is where keys can be anything.
fn simple_key(key: String) -> Tree {
    match key.parse() {
        Ok(number) if is_integer(&key) => Tree::U64(number),
        _ => match key.parse() {
            Ok(number) if is_integer(&key) => Tree::I64(number),
            _ => Tree::Str(key),
        },
    }
}

/// An integer of 64 bits in the only form that is printed.
fn is_integer(text: &str) -> bool {
    let unsigned = text.parse::<u64>().map(|number| number.to_string());
    let signed = text.parse::<i64>().map(|number| number.to_string());
    unsigned.is_ok_and(|printed| printed == text) || signed.is_ok_and(|printed| printed == text)
}

/// Text that no type reads as anything but text, with or without quotes.
fn is_word(text: &str) -> bool {
    let first = text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '/' | '_'));
    let reserved = ["null", "true", "false", "nan", "inf", "infinity"];
    first && !reserved.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A document of the format.
fn document(format: Format, kept: &Tree) -> Option<String> {
    let mut text = String::new();
    match (format, kept) {
        (Format::Toml, Tree::Map(entries)) => {
            for (key, value) in entries {
                quoted(key, &mut text);
                text.push_str(" = ");
                value_text(format, value, &mut text)?;
                text.push('\n');
            }
        }
        (Format::Toml, _) => return None,
        _ => value_text(format, kept, &mut text)?,
    }
    Some(text)
}

fn value_text(format: Format, kept: &Tree, text: &mut String) -> Option<()> {
    match kept {
        Tree::Null if format == Format::Toml => return None,
        Tree::Null => text.push_str("null"),
        Tree::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::U64(number) => text.push_str(&number.to_string()),
        Tree::I64(number) => text.push_str(&number.to_string()),
        // They are written as plain text.
        Tree::F64(_) | Tree::Raw(_) => return None,
        Tree::Str(value) => quoted(value, text),
        Tree::Seq(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push_str(", ");
                }
                value_text(format, item, text)?;
            }
            text.push(']');
        }
        Tree::Map(entries) => match entries.as_slice() {
            [(key, Tree::Str(plain))] if key == "$plain" => plain_text(format, plain, text),
            [(key, Tree::Seq(pairs))] if key == "$entries" => {
                text.push('{');
                for (number, pair) in pairs.iter().enumerate() {
                    let Tree::Seq(pair) = pair else { return None };
                    let [key, value] = pair.as_slice() else {
                        return None;
                    };
                    if number > 0 {
                        text.push_str(", ");
                    }
                    entry(format, key, value, text)?;
                }
                text.push('}');
            }
            [(tag, Tree::Str(name)), (of, value)] if tag == "$tag" && of == "$of" => {
                if format != Format::Yaml {
                    return None;
                }
                match name.strip_prefix("tag:yaml.org,2002:") {
                    Some(short) => text.push_str(&format!("!!{short} ")),
                    None if name.starts_with('!') => text.push_str(&format!("{name} ")),
                    None => text.push_str(&format!("!<{name}> ")),
                }
                match only(value, "$plain") {
                    // Nothing but the tag.
                    Some(Tree::Str(nothing)) if nothing.is_empty() => {}
                    _ => value_text(format, value, text)?,
                }
            }
            entries => {
                text.push('{');
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        text.push_str(", ");
                    }
                    let key = match format {
                        Format::Yaml => simple_key(key.clone()),
                        _ => Tree::Str(key.clone()),
                    };
                    entry(format, &key, value, text)?;
                }
                text.push('}');
            }
        },
    }
    Some(())
}

fn entry(format: Format, key: &Tree, value: &Tree, text: &mut String) -> Option<()> {
    // A key that could be too long for its short form, or of several parts.
    let long = |key: &String| key.len() > 100;
    let marked = match key {
        Tree::Str(key) => long(key),
        Tree::Seq(_) | Tree::Map(_) => true,
        _ => false,
    };
    if format == Format::Yaml && marked {
        text.push_str("? ");
    }
    value_text(format, key, text)?;
    text.push_str(if format == Format::Toml { " = " } else { " : " });
    value_text(format, value, text)
}

/// A scalar without quotes.
fn plain_text(format: Format, plain: &str, text: &mut String) {
    let safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-' | '~' | ':');
    // What begins with these alone is no plain scalar.
    let rest = plain.strip_prefix(['-', ':']).unwrap_or(plain);
    let begins =
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '~' | '+' | '_'));
    let verbatim = format != Format::Yaml
        || begins && plain.chars().all(safe) && !plain.ends_with(':') && !plain.starts_with("...");
    match verbatim {
        true => text.push_str(plain),
        // It is no number, and text is text.
        false => quoted(plain, text),
    }
}

/// A string in double quotes, as JSON, YAML and TOML read it alike.
fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// What a codec of the program's own read; none where it is secret.
fn of_tree(
    fields: &'static [Field],
    tree: &Tree,
    path: &mut Vec<Seg>,
    omitted: &mut Omitted,
) -> Result<Option<Tree>, String> {
    let has_parts = matches!(tree, Tree::Map(_) | Tree::Seq(_));
    if !path.is_empty() && is_secret(fields, path, has_parts) {
        omitted.add(fields, path);
        return Ok(None);
    }
    if path.len() >= DEEPEST {
        return Err("it is too deep".to_owned());
    }
    Ok(Some(match tree {
        Tree::Raw(text) => one("$raw", Tree::Str(text.clone())),
        Tree::F64(number) => one("$float", Tree::Str(format!("{number:?}"))),
        Tree::Seq(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(Seg::Index(index));
                let value = of_tree(fields, item, path, omitted)?;
                path.pop();
                list.extend(value);
            }
            Tree::Seq(list)
        }
        Tree::Map(entries) => {
            let mut all = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                path.push(Seg::Key(key.clone().into()));
                let value = of_tree(fields, value, path, omitted)?;
                path.pop();
                all.extend(value.map(|value| (key.clone(), value)));
            }
            match all.iter().any(|(key, _)| key.starts_with('$')) {
                false => Tree::Map(all),
                true => {
                    let pair = |(key, value)| Tree::Seq(vec![Tree::Str(key), value]);
                    one("$entries", Tree::Seq(all.into_iter().map(pair).collect()))
                }
            }
        }
        plain => plain.clone(),
    }))
}

/// The other way round.
fn to_tree(kept: &Tree) -> Option<Tree> {
    let all = |items: &[Tree]| items.iter().map(to_tree).collect::<Option<Vec<_>>>();
    Some(match kept {
        Tree::Seq(items) => Tree::Seq(all(items)?),
        Tree::Map(entries) => match entries.as_slice() {
            [(key, Tree::Str(text))] if key == "$raw" => Tree::Raw(text.clone()),
            [(key, Tree::Str(text))] if key == "$float" => Tree::F64(text.parse().ok()?),
            [(key, Tree::Seq(pairs))] if key == "$entries" => {
                let pair = |pair: &Tree| match pair {
                    Tree::Seq(pair) => match pair.as_slice() {
                        [Tree::Str(key), value] => Some((key.clone(), to_tree(value)?)),
                        _ => None,
                    },
                    _ => None,
                };
                Tree::Map(pairs.iter().map(pair).collect::<Option<_>>()?)
            }
            entries => {
                let pair = |(key, value): &(String, Tree)| Some((key.clone(), to_tree(value)?));
                Tree::Map(entries.iter().map(pair).collect::<Option<_>>()?)
            }
        },
        plain => plain.clone(),
    })
}
