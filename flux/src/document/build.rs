//! Puts the nodes of a document together while a parser reads it, value after value as they are nested.

use super::{
    model::{
        DEEPEST, Dialect, Document, DocumentNode, DocumentScalar, NodeContent, NodeId, Pair,
        ScalarStyle,
    },
    tree::Tree,
};
use std::{borrow::Cow, cell::OnceCell, ops::Range};

/// Where the value at a path is in its text.
#[cfg(feature = "dotenv")]
pub(crate) type VariablePlaces = std::collections::HashMap<Vec<String>, Range<usize>>;

/// The nodes so far, and the lists and maps that are open.
#[derive(Default)]
pub(super) struct NodeBuilder<'t> {
    pub(super) nodes: Vec<DocumentNode<'t>>,
    /// Where comments are, in a format whose parser reports them.
    pub(super) comments: Vec<Range<usize>>,
    open: Vec<OpenNode>,
    root: Option<NodeId>,
}

struct OpenNode {
    id: NodeId,
    /// In a map, the key whose value comes next.
    key: Option<NodeId>,
}

impl<'t> NodeBuilder<'t> {
    /// Adds a node beside the others, without a place in the tree.
    pub(super) fn node(
        &mut self,
        span: Range<usize>,
        tag: Option<Box<str>>,
        content: NodeContent<'t>,
    ) -> NodeId {
        // No text is larger: it is read into memory, and a node is far larger than its text.
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(DocumentNode { span, tag, content });
        id
    }

    /// Puts a node where the tree is open.
    fn place(&mut self, id: NodeId) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(id);
            return;
        };
        match &mut self.nodes[open.id.0 as usize].content {
            NodeContent::List(items) => items.push(id),
            NodeContent::Map(entries) => match open.key.take() {
                Some(key) => entries.push(Pair { key, value: id }),
                None => open.key = Some(id),
            },
            NodeContent::Scalar(_) | NodeContent::Alias(_) => {}
        }
    }

    pub(super) fn scalar(
        &mut self,
        span: Range<usize>,
        style: ScalarStyle,
        text: Cow<'t, str>,
        tag: Option<Box<str>>,
    ) -> NodeId {
        let id = self.node(
            span,
            tag,
            NodeContent::Scalar(DocumentScalar::new(text, style)),
        );
        self.place(id);
        id
    }

    #[cfg(feature = "yaml")]
    pub(super) fn alias(&mut self, span: Range<usize>, to: NodeId) {
        let id = self.node(span, None, NodeContent::Alias(to));
        self.place(id);
    }

    /// Begins a list or a map; none where it is too deep.
    pub(super) fn begin(
        &mut self,
        start: usize,
        tag: Option<Box<str>>,
        content: NodeContent<'t>,
    ) -> Option<NodeId> {
        if self.open.len() >= DEEPEST {
            return None;
        }
        let id = self.node(start..start, tag, content);
        self.place(id);
        self.open.push(OpenNode { id, key: None });
        Some(id)
    }

    /// Ends the innermost list or map.
    pub(super) fn end(&mut self, end: usize) {
        if let Some(open) = self.open.pop() {
            let span = &mut self.nodes[open.id.0 as usize].span;
            span.end = end.max(span.start);
        }
    }

    /// What is open now.
    #[cfg(feature = "json")]
    pub(super) fn innermost(&self) -> Option<&NodeContent<'t>> {
        let open = self.open.last()?;
        Some(&self.nodes[open.id.0 as usize].content)
    }

    #[cfg(feature = "json")]
    pub(super) fn is_closed(&self) -> bool {
        self.open.is_empty()
    }

    /// The document; none where there is no value.
    #[cfg_attr(
        not(any(feature = "json", feature = "yaml", feature = "toml")),
        allow(dead_code, reason = "for documents with a text")
    )]
    pub(super) fn finish(self, text: &'t str, dialect: Dialect) -> Option<Document<'t>> {
        Some(Document {
            text,
            dialect,
            root: self.root?,
            nodes: self.nodes,
            comments: self.comments,
            lines: OnceCell::new(),
        })
    }

    /// Adds what a tree contains.
    pub(super) fn tree(&mut self, tree: &Tree) {
        match tree {
            Tree::Seq(items) => {
                // No tree is deeper than a document may be: that was checked where it came from.
                if self.begin(0, None, NodeContent::List(Vec::new())).is_some() {
                    items.iter().for_each(|item| self.tree(item));
                    self.end(0);
                }
            }
            Tree::Map(entries) => {
                if self.begin(0, None, NodeContent::Map(Vec::new())).is_some() {
                    for (key, value) in entries {
                        self.scalar(0..0, ScalarStyle::Quoted, Cow::Owned(key.clone()), None);
                        self.tree(value);
                    }
                    self.end(0);
                }
            }
            scalar => self.scalar_of_tree(scalar, 0..0),
        }
    }

    /// Adds a tree of variables: where each value is, `places` has by its path until it is added, also of what is in it; `place` is that of
    /// what contains it. Answers where the value begins.
    #[cfg(feature = "dotenv")]
    pub(super) fn variables(
        &mut self,
        tree: &Tree,
        places: &mut VariablePlaces,
        place: Range<usize>,
        path: &mut Vec<String>,
    ) -> usize {
        let place = places.remove(path).unwrap_or(place);
        let (content, parts): (_, Vec<(String, &Tree)>) = match tree {
            Tree::Seq(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| (index.to_string(), item));
                (NodeContent::List(Vec::new()), items.collect())
            }
            Tree::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value));
                (NodeContent::Map(Vec::new()), entries.collect())
            }
            scalar => {
                self.scalar_of_tree(scalar, place.clone());
                return place.start;
            }
        };
        let is_map = matches!(content, NodeContent::Map(_));
        let Some(id) = self.begin(place.start, None, content) else {
            return place.start;
        };
        let mut first = None;
        for (name, value) in parts {
            let mut key = None;
            if is_map {
                let text = Cow::Owned(name.clone());
                key = Some(self.scalar(place.clone(), ScalarStyle::Quoted, text, None));
            }
            path.push(name);
            let start = self.variables(value, places, place.clone(), path);
            path.pop();
            if let Some(key) = key {
                self.nodes[key.0 as usize].span = start..start;
            }
            first = Some(first.map_or(start, |first: usize| first.min(start)));
        }
        self.end(place.end);
        if place.is_empty()
            && let Some(first) = first
        {
            self.nodes[id.0 as usize].span = first..first;
        }
        self.nodes[id.0 as usize].span.start
    }

    fn scalar_of_tree(&mut self, tree: &Tree, place: Range<usize>) {
        let (style, text) = match tree {
            Tree::Null => (ScalarStyle::Plain, "null".to_owned()),
            Tree::Bool(value) => (ScalarStyle::Plain, value.to_string()),
            Tree::I64(number) => (ScalarStyle::Plain, number.to_string()),
            Tree::U64(number) => (ScalarStyle::Plain, number.to_string()),
            Tree::F64(number) if number.is_nan() => (ScalarStyle::Plain, "nan".to_owned()),
            // With its point, so that it is no integer.
            Tree::F64(number) => (ScalarStyle::Plain, format!("{number:?}")),
            Tree::Str(text) => (ScalarStyle::Quoted, text.clone()),
            Tree::Raw(text) => (ScalarStyle::Raw, text.clone()),
            Tree::Seq(_) | Tree::Map(_) => return,
        };
        self.scalar(place, style, Cow::Owned(text), None);
    }
}
