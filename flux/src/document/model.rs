//! The document model: nodes with their span, text, style and tag, whatever the format.

mod parse;

use super::{
    lines::Lines,
    scalar::{self, ResolvedKind},
};
use crate::schema;
use std::{borrow::Cow, cell::OnceCell, ops::Range};

/// Lists and maps in each other beyond this depth are not followed.
pub(crate) const DEEPEST: usize = 1024;

/// The language that scalars and keys are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[cfg(feature = "json")]
    Json,
    #[cfg(feature = "jsonc")]
    Jsonc,
    #[cfg(feature = "json5")]
    Json5,
    #[cfg(feature = "yaml")]
    Yaml,
    #[cfg(feature = "toml")]
    Toml,
    /// A [`Tree`](tree::Tree): of a variable, of a provider, of a format of the user's own. Nothing in it has
    /// a place, but for what is in a file of variables.
    Tree,
}

#[cfg(feature = "json")]
impl Dialect {
    /// Whether it is JSON, or JSON with more ways to write the same values.
    pub(crate) fn is_json(self) -> bool {
        match self {
            Dialect::Json => true,
            #[cfg(feature = "jsonc")]
            Dialect::Jsonc => true,
            #[cfg(feature = "json5")]
            Dialect::Json5 => true,
            _ => false,
        }
    }
}

/// A document.
pub(crate) struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) dialect: Dialect,
    pub(super) nodes: Vec<DocumentNode<'t>>,
    pub(super) root: NodeId,
    pub(super) comments: Vec<Range<usize>>,
    pub(super) lines: OnceCell<Lines>,
}

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(super) u32);

impl NodeId {
    /// Its place among the nodes.
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

/// A value or a key.
#[derive(Debug)]
pub(crate) struct DocumentNode<'t> {
    /// In bytes. Of a list or map in block style, from its first item or key to the end of its last. Empty where nothing is
    /// written, as after `key:` in YAML.
    pub(crate) span: Range<usize>,
    /// YAML's tag, resolved: `!name`, or `tag:yaml.org,2002:int`.
    pub(crate) tag: Option<Box<str>>,
    pub(crate) content: NodeContent<'t>,
}

/// What a node contains.
#[derive(Debug)]
pub(crate) enum NodeContent<'t> {
    Scalar(DocumentScalar<'t>),
    List(Vec<NodeId>),
    /// In the order of the document; a key may occur more than once.
    Map(Vec<Pair>),
    #[cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only YAML has it"))]
    /// YAML's `*name`: the node that has this anchor, which may contain the alias.
    Alias(NodeId),
}

/// One entry of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: NodeId,
    pub(crate) value: NodeId,
}

/// A scalar.
#[derive(Debug)]
pub(crate) struct DocumentScalar<'t> {
    /// Its text without quotes, with escapes resolved.
    pub(crate) text: Cow<'t, str>,
    pub(crate) style: ScalarStyle,
    /// YAML's tag `!!float` makes a float of a text that would be something else without it, such as `7`.
    #[cfg_attr(
        not(feature = "yaml"),
        allow(dead_code, reason = "YAML alone has tags")
    )]
    pub(crate) is_tagged_float: bool,
}

impl<'t> DocumentScalar<'t> {
    pub(super) fn new(text: Cow<'t, str>, style: ScalarStyle) -> Self {
        DocumentScalar {
            text,
            style,
            is_tagged_float: false,
        }
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// In quotes of any kind.
    Quoted,
    #[cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only YAML has it"))]
    /// YAML's `|`.
    Literal,
    #[cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only YAML has it"))]
    /// YAML's `>`.
    Folded,
    /// The text of a variable, whose type the target decides.
    Raw,
}

/// Why there is no document. The fast decoder's sentence is what people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfollowed {
    /// The parser with spans cannot follow the text beyond this byte.
    Syntax(usize),
    #[cfg_attr(
        not(any(feature = "json", feature = "yaml", feature = "toml")),
        allow(dead_code, reason = "for documents with a text")
    )]
    /// Lists and maps are in each other more than [`DEEPEST`] deep.
    TooDeep,
    #[cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only YAML has it"))]
    /// The text contains more than one document; the next one begins at this byte.
    Another(usize),
}

impl<'t> Document<'t> {
    /// The node with this place among the nodes.
    pub(crate) fn id(&self, number: usize) -> NodeId {
        NodeId(u32::try_from(number.min(self.nodes.len().saturating_sub(1))).unwrap_or(0))
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether its nodes have places: it is a text, and no tree alone.
    pub(crate) fn has_places(&self) -> bool {
        self.dialect != Dialect::Tree || !self.text.is_empty()
    }

    /// Where comments are, in bytes, of a format whose comments may be anywhere in a line; empty for the others.
    pub(crate) fn comments(&self) -> &[Range<usize>] {
        &self.comments
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    /// A node; aliases as they are.
    pub(crate) fn written(&self, id: NodeId) -> &DocumentNode<'t> {
        &self.nodes[id.0 as usize]
    }

    /// A node; for an alias, the one it refers to.
    pub(crate) fn node(&self, id: NodeId) -> &DocumentNode<'t> {
        self.written(self.resolved(id))
    }

    /// The number of a node; for an alias, of the one it refers to.
    pub(crate) fn resolved(&self, id: NodeId) -> NodeId {
        match self.written(id).content {
            NodeContent::Alias(to) => to,
            _ => id,
        }
    }

    /// A node's text as it is in the document.
    pub(crate) fn source(&self, id: NodeId) -> &'t str {
        self.text
            .get(self.written(id).span.clone())
            .unwrap_or_default()
    }

    /// The text of a scalar; none of a list or map.
    pub(crate) fn scalar(&self, id: NodeId) -> Option<&DocumentScalar<'t>> {
        match &self.node(id).content {
            NodeContent::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The kind of a scalar; none for a list or a map.
    pub(crate) fn kind(&self, id: NodeId) -> Option<ResolvedKind> {
        let tag = self.node(id).tag.as_deref();
        Some(scalar::kind(self.dialect, self.scalar(id)?, tag))
    }

    /// YAML's tag with which a value is written so that it is read as the same.
    #[cfg_attr(
        not(feature = "json"),
        allow(
            dead_code,
            reason = "the last known good file and recordings are written"
        )
    )]
    pub(crate) fn tag(&self, id: NodeId) -> Option<&str> {
        let is_float = self.scalar(id).is_some_and(|scalar| scalar.is_tagged_float);
        let float = is_float.then_some("tag:yaml.org,2002:float");
        self.node(id).tag.as_deref().or(float)
    }

    /// A number as decoders print it, where it is written in another way.
    pub(crate) fn printed(&self, id: NodeId) -> Option<String> {
        scalar::printed(self.kind(id)?, &self.scalar(id)?.text)
    }

    /// The entries of a map, those of YAML's merge keys included; none for anything else.
    pub(crate) fn entries(&self, id: NodeId) -> &[Pair] {
        match &self.node(id).content {
            NodeContent::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What a key is called in a path: its text; of a list or map, as it is written.
    pub(crate) fn key(&self, id: NodeId) -> &str {
        match self.scalar(id) {
            Some(scalar) => &scalar.text,
            None => self.source(id),
        }
    }

    /// Whether an entry is written as a key alone, as YAML allows it in braces: `{key}`. Of a tree this cannot be known where the value
    /// is null.
    pub(crate) fn is_key_alone(&self, entry: &Pair) -> bool {
        let NodeContent::Scalar(value) = &self.written(entry.value).content else {
            return false;
        };
        if self.dialect == Dialect::Tree {
            return self.kind(entry.value) == Some(ResolvedKind::Null);
        }
        let behind_key = self.text.get(self.written(entry.key).span.end..);
        let is_followed_by_colon =
            || behind_key.is_some_and(|text| text.trim_start().starts_with(':'));
        value.text.is_empty() && value.style == ScalarStyle::Plain && !is_followed_by_colon()
    }

    /// Whether nothing is written behind a key but an anchor: `key: &name`. A `&` in a comment there counts as one, and so does one behind
    /// it in a line of several entries, as far as it is looked for: a document in one line is not searched for each of its entries.
    pub(crate) fn is_anchor_alone(&self, entry: &Pair) -> bool {
        const LOOKED_AT: usize = 256;
        let (key, value) = (&self.written(entry.key).span, self.written(entry.value));
        let is_empty =
            matches!(&value.content, NodeContent::Scalar(scalar) if scalar.text.is_empty());
        if !is_empty {
            return false;
        }
        let behind = self.text.as_bytes().get(key.end..).unwrap_or_default();
        let behind = &behind[..behind.len().min(LOOKED_AT)];
        let line = behind.iter().position(|byte| *byte == b'\n');
        let line = line.unwrap_or(behind.len());
        let between = value.span.start.saturating_sub(key.end).max(line);
        behind[..between.min(behind.len())].contains(&b'&')
    }

    /// Whether an entry in the place of a section may be a value whose own key or colon was forgotten.
    pub(crate) fn is_lost_entry(&self, entry: &Pair) -> bool {
        let is_scalar = || matches!(self.node(entry.value).content, NodeContent::Scalar(_));
        self.is_key_alone(entry) || schema::separates(self.key(entry.key)) && is_scalar()
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Line and column of a byte, counted from 1, the column in characters.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| Lines::of(self.text));
        lines.place(self.text, offset)
    }

    /// Line and column where a node begins.
    pub(crate) fn start(&self, id: NodeId) -> (usize, usize) {
        self.place(self.written(id).span.start)
    }

    /// The last line of a node.
    pub(crate) fn last_line(&self, id: NodeId) -> usize {
        let span = &self.written(id).span;
        // A block in YAML ends with its line break.
        let text = self.text.get(span.clone()).unwrap_or_default();
        let end = span.start + text.trim_end().len();
        self.place(end).0
    }
}
