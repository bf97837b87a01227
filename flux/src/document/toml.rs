//! Reads TOML with spans, by the parser that the fast decoder itself uses; unlike that one, a key may occur twice.

use super::{
    build::NodeBuilder,
    model::{DEEPEST, Dialect, Document, NodeContent, NodeId, Pair, ScalarStyle, Unfollowed},
};
use std::{
    borrow::Cow,
    collections::{HashMap, hash_map},
    ops::Range,
};
use toml_parser::{
    ErrorSink, ParseError, Source, Span,
    decoder::ScalarKind,
    parser::{Event, EventKind, RecursionGuard, ValidateWhitespace, parse_document},
};

/// As deep as the fast decoder goes.
const LIMIT: u32 = 80;

pub(super) fn parse(text: &str) -> Result<Document<'_>, Unfollowed> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut failed = FirstError(None);
    let mut whitespace = ValidateWhitespace::new(&mut events, source);
    let mut guard = RecursionGuard::new(&mut whitespace, LIMIT);
    parse_document(&tokens, &mut guard, &mut failed);
    let mut reader = TomlReader {
        source,
        events: &events,
        at: 0,
        failed,
        builder: NodeBuilder::default(),
        tables: HashMap::new(),
        kinds: HashMap::new(),
    };
    let is_comment = |event: &&Event| event.kind() == EventKind::Comment;
    let comments = events.iter().filter(is_comment);
    reader.builder.comments = comments
        .map(|event| event.span().start()..event.span().end())
        .collect();
    reader.document()?;
    if let Some(at) = reader.failed.0 {
        return Err(Unfollowed::Syntax(at));
    }
    let document = reader.builder.finish(text, Dialect::Toml);
    document.ok_or(Unfollowed::Syntax(0))
}

/// Where the first error is.
struct FirstError(Option<usize>);

impl ErrorSink for FirstError {
    fn report_error(&mut self, error: ParseError) {
        let at = error.unexpected().or_else(|| error.context());
        self.0.get_or_insert(at.map_or(0, |span| span.start()));
    }
}

/// How a table came to be, which decides what may be added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TableOrigin {
    /// By a header below it.
    Implied,
    /// By its own header.
    Header,
    /// By a key with dots.
    Dotted,
    /// A list of `[[tables]]`.
    Tables,
    /// A value: nothing is added.
    Closed,
}

struct TomlReader<'e, 't> {
    source: Source<'t>,
    events: &'e [Event],
    at: usize,
    failed: FirstError,
    builder: NodeBuilder<'t>,
    /// The first value behind each key of each table.
    tables: HashMap<(NodeId, Cow<'t, str>), NodeId>,
    kinds: HashMap<NodeId, TableOrigin>,
}

/// A key, and its text.
type TomlKey<'t> = (NodeId, Cow<'t, str>);

impl<'t> TomlReader<'_, 't> {
    fn document(&mut self) -> Result<(), Unfollowed> {
        let end = self.source.input().len();
        let root = NodeContent::Map(Vec::new());
        let root = self
            .builder
            .begin(0, None, root)
            .ok_or(Unfollowed::TooDeep)?;
        self.builder.end(end);
        self.kinds.insert(root, TableOrigin::Header);
        let mut current = root;
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    current = self.header(root, &event)?;
                }
                EventKind::SimpleKey => {
                    let keys = self.keys(event);
                    let value = self.value()?;
                    self.add(current, keys, value)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<Event> {
        let event = self.events.get(self.at).copied();
        self.at += 1;
        event
    }

    /// The keys from this one on, up to what follows them.
    fn keys(&mut self, first: Event) -> Vec<TomlKey<'t>> {
        let mut keys = vec![self.key(first)];
        while let Some(event) = self.events.get(self.at).copied() {
            match event.kind() {
                EventKind::SimpleKey => keys.push(self.key(event)),
                EventKind::KeySep | EventKind::Whitespace => {}
                _ => break,
            }
            self.at += 1;
        }
        keys
    }

    fn key(&mut self, event: Event) -> TomlKey<'t> {
        let mut text = Cow::Borrowed("");
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut text, &mut self.failed);
        }
        let style = match event.encoding() {
            Some(_) => ScalarStyle::Quoted,
            None => ScalarStyle::Plain,
        };
        let content = NodeContent::Scalar(super::model::DocumentScalar::new(text.clone(), style));
        let id = self.builder.node(bytes(event.span()), None, content);
        (id, text)
    }

    /// A `[header]` or `[[header]]`; the table that what follows is in.
    fn header(&mut self, root: NodeId, open: &Event) -> Result<NodeId, Unfollowed> {
        let mut keys = Vec::new();
        let mut end = open.span().end();
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::SimpleKey => keys = self.keys(event),
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    end = event.span().end();
                    break;
                }
                _ => {}
            }
        }
        let span = open.span().start()..end;
        let refused = Unfollowed::Syntax(span.start);
        let Some((key, path)) = keys.split_last() else {
            return Err(refused);
        };
        let parent = self.descend(root, path, TableOrigin::Implied)?;
        let known = self.tables.get(&(parent, key.1.clone())).copied();
        let kind = known.and_then(|known| self.kinds.get(&known).copied());
        if open.kind() == EventKind::ArrayTableOpen {
            let list = match (known, kind) {
                (Some(list), Some(TableOrigin::Tables)) => list,
                (Some(_), _) => return Err(refused),
                (None, _) => {
                    let list = NodeContent::List(Vec::new());
                    let list = self.builder.node(span.clone(), None, list);
                    self.kinds.insert(list, TableOrigin::Tables);
                    self.entry(parent, key.clone(), list);
                    list
                }
            };
            let table = self.table(span, TableOrigin::Header);
            if let NodeContent::List(items) = &mut self.builder.nodes[list.0 as usize].content {
                items.push(table);
            }
            return Ok(table);
        }
        if let (Some(known), Some(TableOrigin::Implied)) = (known, kind) {
            self.builder.nodes[known.0 as usize].span = span;
            self.kinds.insert(known, TableOrigin::Header);
            return Ok(known);
        }
        let table = self.table(span, TableOrigin::Header);
        self.entry(parent, key.clone(), table);
        Ok(table)
    }

    fn table(&mut self, span: Range<usize>, kind: TableOrigin) -> NodeId {
        let table = self.builder.node(span, None, NodeContent::Map(Vec::new()));
        self.kinds.insert(table, kind);
        table
    }

    /// Adds an entry, also where the key is there already.
    fn entry(&mut self, table: NodeId, (key, text): TomlKey<'t>, value: NodeId) {
        if let NodeContent::Map(entries) = &mut self.builder.nodes[table.0 as usize].content {
            entries.push(Pair { key, value });
        }
        if let hash_map::Entry::Vacant(entry) = self.tables.entry((table, text)) {
            entry.insert(value);
        }
    }

    fn add(
        &mut self,
        table: NodeId,
        mut keys: Vec<TomlKey<'t>>,
        value: NodeId,
    ) -> Result<(), Unfollowed> {
        let Some(key) = keys.pop() else {
            return Err(Unfollowed::Syntax(0));
        };
        let table = self.descend(table, &keys, TableOrigin::Dotted)?;
        self.entry(table, key, value);
        Ok(())
    }

    /// The table at the end of `path`, made where it is not there yet. A path that the fast decoder refuses leads to a table
    /// of its own, so that nothing is hidden.
    fn descend(
        &mut self,
        from: NodeId,
        path: &[TomlKey<'t>],
        made: TableOrigin,
    ) -> Result<NodeId, Unfollowed> {
        let mut table = from;
        for (depth, key) in path.iter().enumerate() {
            if depth >= DEEPEST {
                return Err(Unfollowed::TooDeep);
            }
            let known = self.tables.get(&(table, key.1.clone())).copied();
            let kind = known.and_then(|known| self.kinds.get(&known).copied());
            table = match (known, kind) {
                (Some(list), Some(TableOrigin::Tables)) if made == TableOrigin::Implied => {
                    match &self.builder.nodes[list.0 as usize].content {
                        NodeContent::List(items) => items.last().copied().unwrap_or(list),
                        _ => list,
                    }
                }
                (Some(known), Some(TableOrigin::Dotted)) => known,
                (Some(known), Some(TableOrigin::Implied | TableOrigin::Header))
                    if made == TableOrigin::Implied =>
                {
                    known
                }
                (Some(known), Some(TableOrigin::Implied)) => known,
                (Some(_), Some(TableOrigin::Header)) => {
                    let span = self.builder.nodes[key.0.0 as usize].span.clone();
                    let again = self.table(span, made);
                    self.entry(table, key.clone(), again);
                    again
                }
                (Some(_), _) => {
                    let span = &self.builder.nodes[key.0.0 as usize].span;
                    return Err(Unfollowed::Syntax(span.start));
                }
                (None, _) => {
                    let span = self.builder.nodes[key.0.0 as usize].span.clone();
                    let inner = self.table(span, made);
                    self.entry(table, key.clone(), inner);
                    inner
                }
            };
        }
        Ok(table)
    }

    /// The value that comes next, with everything in it.
    fn value(&mut self) -> Result<NodeId, Unfollowed> {
        // The lists and inline tables that are open, with the keys of the entry that is being read.
        let mut open: Vec<(NodeId, Vec<TomlKey<'t>>)> = Vec::new();
        while let Some(event) = self.next() {
            let done = match event.kind() {
                EventKind::ArrayOpen => {
                    let list = NodeContent::List(Vec::new());
                    let list = self.builder.node(bytes(event.span()), None, list);
                    open.push((list, Vec::new()));
                    continue;
                }
                EventKind::InlineTableOpen => {
                    let table = self.table(bytes(event.span()), TableOrigin::Closed);
                    open.push((table, Vec::new()));
                    continue;
                }
                EventKind::SimpleKey => {
                    let keys = self.keys(event);
                    if let Some((_, known)) = open.last_mut() {
                        *known = keys;
                    }
                    continue;
                }
                EventKind::ArrayClose | EventKind::InlineTableClose => {
                    let Some((id, _)) = open.pop() else {
                        return Err(Unfollowed::Syntax(event.span().start()));
                    };
                    self.builder.nodes[id.0 as usize].span.end = event.span().end();
                    id
                }
                EventKind::Scalar => self.scalar(event),
                EventKind::Error => return Err(Unfollowed::Syntax(event.span().start())),
                _ => continue,
            };
            let Some((parent, keys)) = open.last_mut() else {
                return Ok(done);
            };
            let (parent, keys) = (*parent, std::mem::take(keys));
            if let NodeContent::List(items) = &mut self.builder.nodes[parent.0 as usize].content {
                items.push(done);
            } else {
                self.add(parent, keys, done)?;
            }
        }
        Err(Unfollowed::Syntax(self.source.input().len()))
    }

    fn scalar(&mut self, event: Event) -> NodeId {
        let mut text = Cow::Borrowed("");
        let mut kind = ScalarKind::String;
        if let Some(raw) = self.source.get(event) {
            kind = raw.decode_scalar(&mut text, &mut self.failed);
            let is_date = matches!(kind, ScalarKind::DateTime);
            if is_date && text.parse::<::toml::value::Datetime>().is_err() {
                self.failed.0.get_or_insert(event.span().start());
            }
            if !matches!(kind, ScalarKind::String) {
                text = Cow::Borrowed(raw.as_str());
            }
        }
        let style = match kind {
            ScalarKind::String => ScalarStyle::Quoted,
            _ => ScalarStyle::Plain,
        };
        let content = NodeContent::Scalar(super::model::DocumentScalar::new(text, style));
        self.builder.node(bytes(event.span()), None, content)
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.start()..span.end()
}
