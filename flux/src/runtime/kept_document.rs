//! In which form a layer's document is kept on disk: every scalar as it was written, without comments and without secrets.
//!
//! In the file it is JSON. What JSON writes as the document does, is written as such; everything else is an object with one
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

mod text;
mod writer;

use crate::{
    codec::{self, Decoder, Failed, Found, Tree},
    document::{Document, items_by_number},
    engine::{AnyLayer, Schema},
    problem::{KeyPath, LONGEST, Seg, What, caught},
    schema::{self, Cursor, Field, Reached, SecretPlaces},
};
use flux_syntax::Format;
use std::sync::Arc;

/// Lists and maps in each other beyond this depth are not kept: no decoder follows them.
const DEEPEST: usize = 200;

/// The formats as they are named in the file.
const NAMES: [(&str, Format); 5] = [
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("toml", Format::Toml),
    ("jsonc", Format::Jsonc),
    ("json5", Format::Json5),
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
        #[cfg(feature = "jsonc")]
        Decoder::Jsonc => "jsonc",
        #[cfg(feature = "json5")]
        Decoder::Json5 => "json5",
        #[cfg(feature = "dotenv")]
        Decoder::Variables(_) => "tree",
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
    /// How many more such there are.
    pub(super) more: usize,
    /// The fields that have a value without which the configuration is another one: their paths, without what is in a secret.
    pub(super) paths: Vec<Vec<Seg>>,
}

/// More paths of what is left out are not kept.
const MOST_PATHS: usize = 64;

/// More of those are counted.
const MOST_ALIKE: usize = 8;

impl Omitted {
    fn add(&mut self, fields: &'static [Field], path: &[Seg]) {
        self.any = true;
        // No reader sees what no field has, and its key may be a secret itself, as in `{secret}`.
        let Reached::Leaf(field, _) = schema::follow(fields, path) else {
            return;
        };
        let shown = &path[..schema::shown_steps(fields, path)];
        if self.paths.len() < MOST_PATHS && !self.paths.iter().any(|known| known == shown) {
            self.paths.push(shown.to_vec());
        }
        if !field.is_secret() {
            match self.alike.len() < MOST_ALIKE {
                true => self
                    .alike
                    .push(KeyPath::shortened(path, LONGEST).to_string()),
                false => self.more += 1,
            }
        }
    }
}

/// A document without its secrets, as JSON, and what is left out. An error has the reason why it cannot be kept.
pub(super) fn keep(
    schema: &Schema,
    decoder: &Decoder,
    bytes: &[u8],
) -> Result<(Tree, Omitted), String> {
    let fields = (schema.fields)();
    let text = codec::text_of(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let Some(dialect) = codec::dialect(decoder) else {
        let Ok(Ok(tree)) = caught(|| codec::tree(decoder, text)) else {
            return Err("it cannot be read a second time".to_owned());
        };
        let mut writer = TreeWriter {
            fields,
            places: SecretPlaces::of(fields),
            path: Vec::new(),
            omitted: Omitted::default(),
        };
        let kept = writer.kept(&tree, Cursor::Section(fields))?;
        return Ok((kept.unwrap_or_default(), writer.omitted));
    };
    let Ok(document) = Document::parse(dialect, text) else {
        return match schema::any_secret(fields) {
            false => Ok((one("$text", Tree::Str(text.to_owned())), Omitted::default())),
            true => Err("its secrets cannot be found in it".to_owned()),
        };
    };
    writer::kept(fields, &document)
}

/// A document of what was kept, and the decoder for it. An error has the reason why there is none.
pub(super) fn document(format: &str, kept: &Tree) -> Result<(Decoder, String), String> {
    let Some((_, format)) = NAMES.iter().find(|(name, _)| *name == format) else {
        return Err("is no document of a known format".to_owned());
    };
    let Some(decoder) = Decoder::enabled(*format) else {
        return Err(format!("is {format}, and that feature is off"));
    };
    let text = match only(kept, "$text") {
        Some(Tree::Str(text)) => text.clone(),
        // All of it was secret, which TOML has no word for.
        _ if matches!(kept, Tree::Map(entries) if entries.is_empty()) => "{}".to_owned(),
        _ => text::document(*format, kept).ok_or_else(unfit)?,
    };
    let decoder = match text.as_str() {
        "{}" => Decoder::from(Format::Json),
        _ => decoder,
    };
    Ok((decoder, text))
}

/// What was kept of a layer in a format of the program's own or of variables, as a document for whoever only looks at it: the decoder has
/// what it contains.
pub(super) fn tree_document(kept: &Tree) -> Result<(Decoder, String), String> {
    let tree = to_tree(kept).ok_or_else(unfit)?;
    Ok((Decoder::Custom(Arc::new(KeptTree(tree))), "tree".to_owned()))
}

/// Reads one tree, whatever the text is.
struct KeptTree(Tree);

impl codec::Codec for KeptTree {
    fn name(&self) -> &str {
        "tree"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        Ok(self.0.clone())
    }
}

/// A layer from what was kept, and what is wrong with it but does not refuse it. An error has the reason why it is not used.
pub(super) fn decode(
    schema: &Schema,
    format: &str,
    decoder: Option<&Decoder>,
    kept: &Tree,
) -> Result<(AnyLayer, Vec<String>), String> {
    if !NAMES.iter().any(|(name, _)| *name == format) {
        return decode_tree(schema, decoder, &to_tree(kept).ok_or_else(unfit)?);
    }
    let (decoder, text) = document(format, kept)?;
    let is_outdated = |found: &&Found| matches!(found.problem.what, What::Outdated { .. });
    let warnings = |all: &[Found]| -> Vec<String> {
        let unknown = all.iter().filter(|found| !is_outdated(found));
        let warning = |found: &Found| {
            let path = crate::problem::Dotted(&found.problem.path);
            format!("`{path}` is no field of today, and what was kept of it is not used")
        };
        unknown.map(warning).collect()
    };
    match caught(|| (schema.decode)(&decoder, text.as_bytes(), codec::Unknown::Warn)) {
        Ok(Ok(decoded)) if !decoded.empty => Ok((decoded.layer, warnings(&decoded.warnings))),
        // What a program wrote that still read a key is meant as it was.
        Ok(Err(Failed {
            found,
            partial: Some(layer),
        })) if (found.iter().filter(|one| !one.is_warning)).all(|one| is_outdated(&one)) => {
            Ok((layer, warnings(&found)))
        }
        _ => Err(unfit()),
    }
}

/// Warnings of what is secret by the rules of today and was not when it was kept.
pub(super) fn secrets_of_today(schema: &Schema, format: &str, kept: &Tree) -> Vec<String> {
    let omitted = document(format, kept).and_then(|(decoder, text)| {
        let (_, omitted) = keep(schema, &decoder, text.as_bytes())?;
        Ok(omitted.paths)
    });
    let warning = |path: &Vec<Seg>| {
        let path = KeyPath::new(path);
        format!(
            "`{path}` is secret now, and its value stays in the file until the next configuration is kept"
        )
    };
    omitted.unwrap_or_default().iter().map(warning).collect()
}

/// A layer from a tree, of a codec of the program's own or of the first version of the file.
pub(super) fn decode_tree(
    schema: &Schema,
    decoder: Option<&Decoder>,
    tree: &Tree,
) -> Result<(AnyLayer, Vec<String>), String> {
    let plain = decoder.is_some_and(codec::plain_scalars);
    let decode = || (schema.decode_tree)(tree, plain);
    match caught(|| match decoder.is_some_and(codec::numbers_items) {
        true => items_by_number(decode),
        false => decode(),
    }) {
        Ok((Some(layer), problems)) if problems.is_empty() => Ok((layer, Vec::new())),
        _ => Err(unfit()),
    }
}

fn unfit() -> String {
    "does not fit the configuration any more".to_owned()
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
fn hides(places: &SecretPlaces, at: Cursor, has_parts: bool) -> bool {
    match at {
        Cursor::Section(_) | Cursor::Items(..) if has_parts => false,
        at => places.is_secret(at),
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

/// Writes what a codec of the program's own read.
struct TreeWriter {
    fields: &'static [Field],
    places: SecretPlaces,
    path: Vec<Seg>,
    omitted: Omitted,
}

impl TreeWriter {
    /// A value; none where it is secret.
    fn kept(&mut self, tree: &Tree, at: Cursor) -> Result<Option<Tree>, String> {
        let has_parts = matches!(tree, Tree::Map(_) | Tree::Seq(_));
        if !self.path.is_empty() && hides(&self.places, at, has_parts) {
            self.omitted.add(self.fields, &self.path);
            return Ok(None);
        }
        if self.path.len() >= DEEPEST {
            return Err("it is too deep".to_owned());
        }
        Ok(Some(match tree {
            Tree::Raw(text) => one("$raw", Tree::Str(text.clone())),
            Tree::F64(number) => one("$float", Tree::Str(format!("{number:?}"))),
            Tree::Seq(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Seg::Index(index));
                    let value = self.kept(item, self.places.below(at, None))?;
                    self.path.pop();
                    list.extend(value);
                }
                Tree::Seq(list)
            }
            Tree::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    self.path.push(Seg::Key(key.clone().into()));
                    let value = self.kept(value, self.places.below(at, Some(key)))?;
                    self.path.pop();
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
