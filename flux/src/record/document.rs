//! How a document is written into a recording and read back: scalars as they were written, except for what is replaced.

use crate::{
    Format,
    codec::{self, Codec, Decoder, LazyModel, Tree},
    document::{Document, NodeContent, NodeId, Pair, ResolvedKind},
    problem::Seg,
    record::placeholder::Shape,
    schema::{self, Cursor, Field, SecretPlaces},
};
#[cfg(feature = "dotenv")]
use crate::{
    codec::variables::{Refuses, VariableFlaw, VariableText, VariablesRead},
    problem::{Flaw, ProblemKind, What},
    source::environment::{outdated_keys, unread_keys},
};
use std::{fmt::Write, sync::Arc};

/// How a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Yaml,
    Toml,
    Jsonc,
    Json5,
    /// The tree of a format of the user's own, as JSON.
    Tree,
    /// The tree of a file of variables, likewise.
    #[cfg(feature = "dotenv")]
    Variables,
}

impl Encoding {
    pub(super) fn of(decoder: &Decoder) -> Self {
        match decoder {
            #[cfg(feature = "yaml")]
            Decoder::Yaml => Encoding::Yaml,
            #[cfg(feature = "toml")]
            Decoder::Toml => Encoding::Toml,
            #[cfg(feature = "jsonc")]
            Decoder::Jsonc => Encoding::Jsonc,
            #[cfg(feature = "json5")]
            Decoder::Json5 => Encoding::Json5,
            #[cfg(feature = "dotenv")]
            Decoder::Variables(_) => Encoding::Variables,
            Decoder::Custom(_) => Encoding::Tree,
            _ => Encoding::Json,
        }
    }

    /// Its name in a recording.
    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::Yaml => "yaml",
            Encoding::Toml => "toml",
            Encoding::Jsonc => "jsonc",
            Encoding::Json5 => "json5",
            Encoding::Tree => "tree",
            #[cfg(feature = "dotenv")]
            Encoding::Variables => "variables",
        }
    }

    /// Every encoding.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let documents = [
            Encoding::Json,
            Encoding::Yaml,
            Encoding::Toml,
            Encoding::Jsonc,
            Encoding::Json5,
        ];
        let trees = [
            Encoding::Tree,
            #[cfg(feature = "dotenv")]
            Encoding::Variables,
        ];
        documents.into_iter().chain(trees)
    }

    /// Whether it is a tree, as JSON.
    pub(super) fn is_tree(self) -> bool {
        self.format().is_none()
    }

    /// The format of what is no tree.
    pub(super) fn format(self) -> Option<Format> {
        match self {
            Encoding::Json => Some(Format::Json),
            Encoding::Yaml => Some(Format::Yaml),
            Encoding::Toml => Some(Format::Toml),
            Encoding::Jsonc => Some(Format::Jsonc),
            Encoding::Json5 => Some(Format::Json5),
            Encoding::Tree => None,
            #[cfg(feature = "dotenv")]
            Encoding::Variables => None,
        }
    }

    /// How what was printed of a document is read again; none where it is as the document was.
    pub(super) fn tree_decoder(self, fields: &'static [Field]) -> Option<Decoder> {
        let _ = fields;
        match self {
            Encoding::Json
            | Encoding::Yaml
            | Encoding::Toml
            | Encoding::Jsonc
            | Encoding::Json5 => None,
            Encoding::Tree => Some(Decoder::Custom(Arc::new(TreeCodec))),
            #[cfg(feature = "dotenv")]
            Encoding::Variables => Some(Decoder::Variables(Arc::new(TreeText(fields)))),
        }
    }
}

/// Reads what [`Encoding::Tree`] printed.
pub(super) struct TreeCodec;

impl Codec for TreeCodec {
    fn name(&self) -> &str {
        "tree"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let tree = codec::tree(&Decoder::from(Format::Json), text);
        tree.map(with_raw_texts)
            .map_err(|_| "it cannot be read".to_owned())
    }
}

/// Reads what [`Encoding::Variables`] printed: as [`TreeCodec`] does, with items of lists by their numbers.
#[cfg(feature = "dotenv")]
struct TreeText(&'static [Field]);

#[cfg(feature = "dotenv")]
impl VariableText for TreeText {
    fn fields(&self) -> &'static [Field] {
        self.0
    }
    /// It is a tree that was printed.
    fn name_of(&self, _: &[Seg]) -> Option<String> {
        None
    }
    fn read(&self, text: &str) -> VariablesRead {
        let read = TreeCodec.decode(text);
        let problems = read.as_ref().err().map(|why| VariableFlaw {
            flaw: Flaw::whole(What::plain(ProblemKind::Syntax, why)),
            at: None,
            refuses: Refuses::Always,
        });
        let is_followed = read.is_ok();
        let tree = read.unwrap_or_default();
        let unread = unread_keys(self.0, &tree, false).into_iter();
        let outdated = outdated_keys(self.0, &tree).into_iter();
        let outdated = outdated.map(|flaw| VariableFlaw {
            refuses: match flaw.what.is_removed() {
                true => Refuses::Always,
                false => Refuses::Warns,
            },
            flaw,
            at: None,
        });
        let unread = unread.map(|unread| VariableFlaw {
            flaw: unread.flaw,
            at: None,
            refuses: match unread.is_strict {
                true => Refuses::Always,
                false => Refuses::AsUnknown,
            },
        });
        VariablesRead {
            set: Vec::new(),
            problems: problems.into_iter().collect(),
            unread: unread.chain(outdated).collect(),
            tree,
            is_followed,
            has_places: false,
        }
    }
}

/// The tree whose raw texts are printed as `{"$raw": ".."}`.
fn with_raw_texts(mut tree: Tree) -> Tree {
    match &mut tree {
        Tree::Map(entries) => match entries.as_mut_slice() {
            [(key, Tree::Str(text))] if key == RAW => return Tree::Raw(std::mem::take(text)),
            entries => {
                for (_, value) in entries {
                    *value = with_raw_texts(std::mem::take(value));
                }
            }
        },
        Tree::Seq(items) => {
            for item in items {
                *item = with_raw_texts(std::mem::take(item));
            }
        }
        _ => {}
    }
    tree
}

/// The key of a raw text.
const RAW: &str = "$raw";

/// Reads a document; none where its format's decoder cannot read it. Where the parser with spans cannot follow it, scalars are as
/// they were read.
pub(super) fn read<'t>(decoder: &Decoder, text: &'t str) -> Option<Document<'t>> {
    let model = LazyModel::new(decoder, text);
    let tree = model.tree().ok()?;
    match model.placed() {
        Ok(_) => model.into_document(),
        Err(_) => Some(Document::of_tree(&tree)),
    }
}

/// Prints a tree as [`TreeCodec`] reads it.
pub(super) fn printed_tree(tree: &Tree) -> String {
    let document = Document::of_tree(tree);
    print(&document, Encoding::Tree, &[], &mut |_, _, text| {
        text.to_owned()
    })
}

/// What a scalar or a key at this path becomes.
pub(super) type Replacement<'r> = dyn FnMut(&[Seg], Shape, &str) -> String + 'r;

/// Prints a document in one line, with every secret scalar, every key below a secret, and every key that may be a secret, replaced. Null and the empty text stay:
/// they mean that there is no secret.
pub(super) fn print(
    document: &Document<'_>,
    encoding: Encoding,
    fields: &'static [Field],
    by: &mut Replacement<'_>,
) -> String {
    let mut printer = Printer {
        document,
        encoding,
        fields,
        by,
        path: Vec::new(),
        places: SecretPlaces::of(fields),
        at: Cursor::Section(fields),
        out: String::new(),
    };
    let root = document.root();
    match (encoding, &document.node(root).content) {
        (Encoding::Toml, NodeContent::Map(entries)) => {
            // An empty document is another thing than an empty table.
            if entries.is_empty() {
                printer.out.push('#');
            }
            for entry in entries {
                printer.entry(*entry, false);
                printer.out.push('\n');
            }
        }
        _ => printer.value(root),
    }
    printer.out
}

struct Printer<'p, 'd, 'r> {
    document: &'p Document<'d>,
    encoding: Encoding,
    fields: &'static [Field],
    by: &'p mut Replacement<'r>,
    path: Vec<Seg>,
    places: SecretPlaces,
    /// What is at the path.
    at: Cursor,
    out: String,
}

impl<'p> Printer<'p, '_, '_> {
    fn value(&mut self, id: NodeId) {
        let document = self.document;
        self.tag(id);
        match &document.node(id).content {
            NodeContent::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    let around = self.at;
                    self.at = self.places.below(around, None);
                    self.path.push(Seg::Index(index));
                    self.value(*item);
                    self.path.pop();
                    self.at = around;
                }
                self.out.push(']');
            }
            NodeContent::Map(entries) => {
                let hidden = !self.path.is_empty()
                    && self.places.is_secret(self.at)
                    && !matches!(self.at, Cursor::Section(_) | Cursor::Items(..));
                self.out.push('{');
                for (number, entry) in entries.iter().enumerate() {
                    self.out.push_str(if number > 0 { ", " } else { "" });
                    self.entry(*entry, hidden);
                }
                self.out.push('}');
            }
            _ => self.scalar(id),
        }
    }

    /// One entry of a map; `hidden` where its key is replaced.
    fn entry(&mut self, entry: Pair, hidden: bool) {
        let document = self.document;
        let name = document.key(entry.key);
        // It stays alone, so that it is judged as one.
        let is_alone = document.is_key_alone(&entry);
        let may_be_a_value = || match schema::follow(self.fields, &self.path) {
            schema::Reached::Section(table) => schema::may_be_a_value(table, name, is_alone),
            schema::Reached::Collection => document.is_lost_entry(&entry),
            _ => false,
        };
        let is_lost = schema::any_secret(self.fields) && !hidden && may_be_a_value();
        self.path.push(Seg::Key(name.to_owned().into()));
        let around = self.at;
        self.at = self.places.below(around, Some(name));
        // A key of JSON and TOML is a text, however it is written.
        let kind = match self.encoding {
            Encoding::Yaml => document.kind(entry.key),
            _ => Some(ResolvedKind::Text),
        };
        if let Some(kind) = kind {
            let shape = match kind {
                // In a secret it is no name that the type knows, which would be left as it is where no other is taken.
                ResolvedKind::Text if is_lost || hidden && is_alone => Some(Shape::LostKey),
                ResolvedKind::Text => Some(Shape::Key),
                ResolvedKind::Integer | ResolvedKind::Float => Some(Shape::Number),
                _ => None,
            };
            self.tag(entry.key);
            match shape.filter(|_| hidden || is_lost) {
                Some(shape) => {
                    let replaced = (self.by)(&self.path, shape, name);
                    self.written(kind, &replaced);
                }
                None => self.written(kind, name),
            }
        } else {
            self.value(entry.key);
        }
        if !is_alone || self.encoding != Encoding::Yaml {
            self.out.push_str(match self.encoding {
                Encoding::Toml => " = ",
                _ => ": ",
            });
            self.value(entry.value);
        }
        self.path.pop();
        self.at = around;
    }

    fn scalar(&mut self, id: NodeId) {
        let Some(kind) = self.document.kind(id) else {
            return;
        };
        let text = self.document.key(id);
        let is_nothing = kind == ResolvedKind::Null && text.is_empty();
        if is_nothing && self.encoding == Encoding::Yaml && self.document.node(id).tag.is_none() {
            // Between commas nothing is no value. Behind the tag of a variant it stays nothing.
            return self.out.push('~');
        }
        if text.is_empty() || kind == ResolvedKind::Null || !self.places.is_secret(self.at) {
            return self.written(kind, text);
        }
        let shape = match kind {
            ResolvedKind::Bool => Shape::Bool,
            ResolvedKind::Integer | ResolvedKind::Float => Shape::Number,
            _ => Shape::Text,
        };
        // A text takes a date's place.
        let kind = match kind {
            ResolvedKind::Date => ResolvedKind::Text,
            kind => kind,
        };
        let replaced = (self.by)(&self.path, shape, text);
        self.written(kind, &replaced);
    }

    fn written(&mut self, kind: ResolvedKind, text: &str) {
        match kind {
            ResolvedKind::Null if self.encoding != Encoding::Yaml => self.out.push_str("null"),
            ResolvedKind::Raw if self.encoding.is_tree() => {
                self.out.push_str("{\"$raw\": ");
                quote(text, &mut self.out);
                self.out.push('}');
            }
            ResolvedKind::Text | ResolvedKind::Raw => quote(text, &mut self.out),
            _ => self.out.push_str(text),
        }
    }

    /// YAML's tag.
    fn tag(&mut self, id: NodeId) {
        const CORE: &str = "tag:yaml.org,2002:";
        let document = self.document;
        if self.encoding != Encoding::Yaml {
            return;
        }
        let Some(tag) = document.tag(id) else {
            return;
        };
        let is_of_document = document.node(id).tag.is_some();
        let is_secret = is_of_document && self.places.is_secret(self.at);
        let written = match (tag.strip_prefix(CORE), tag.starts_with('!')) {
            // The text after `!` may be the secret.
            _ if is_secret => "!x ".to_owned(),
            (Some(name), _) => format!("!!{name} "),
            (None, true) => format!("{tag} "),
            (None, false) => format!("!<{tag}> "),
        };
        self.out.push_str(&written);
    }
}

/// Quotes that JSON, YAML and TOML read alike.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Not all of the three take these as they are.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
