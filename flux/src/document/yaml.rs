//! Reads YAML by a parser with spans. Where it reads something else than the fast decoder does, there is no document.

use super::{
    agree,
    build::NodeBuilder,
    merge,
    model::{Dialect, Document, NodeContent, NodeId, ScalarStyle, Unfollowed},
    tags,
};
use granit_parser::{Event, Parser, ScalarStyle as Written, Span, Tag};
use std::{borrow::Cow, collections::HashMap, ops::Range};

pub(super) fn parse(text: &str) -> Result<Document<'_>, Unfollowed> {
    let mut options = granit_parser::options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: super::model::DEEPEST,
        block_nesting_limit: super::model::DEEPEST,
    };
    options.set_emit_comments(false);
    let mut builder = NodeBuilder::default();
    let mut anchors: HashMap<usize, NodeId> = HashMap::new();
    let mut documents = 0;
    let mut before = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset();
            Unfollowed::Syntax(at.unwrap_or(text.len()))
        })?;
        let mut at = bytes(&span);
        let after = std::mem::replace(&mut before, at.end);
        let (id, anchor) = match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(Unfollowed::Another(at.start));
                }
                continue;
            }
            Event::Alias(anchor) => {
                let to = anchors.get(&anchor);
                builder.alias(at.clone(), *to.ok_or(Unfollowed::Syntax(at.start))?);
                continue;
            }
            Event::Scalar(value, style, anchor, tag) => {
                let style = match style {
                    Written::Plain => ScalarStyle::Plain,
                    Written::SingleQuoted | Written::DoubleQuoted => ScalarStyle::Quoted,
                    Written::Literal => ScalarStyle::Literal,
                    Written::Folded => ScalarStyle::Folded,
                };
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    at.start = header(text, after, at.start);
                }
                // What is not written at all has the text of a null here, and none in libyaml.
                let value = match style {
                    ScalarStyle::Plain if at.is_empty() => Cow::Borrowed(""),
                    _ => value,
                };
                (builder.scalar(at, style, value, tag.map(resolved)), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let content = NodeContent::List(Vec::new());
                let id = builder.begin(at.start, tag.map(resolved), content);
                (id.ok_or(Unfollowed::TooDeep)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = NodeContent::Map(Vec::new());
                let id = builder.begin(at.start, tag.map(resolved), content);
                (id.ok_or(Unfollowed::TooDeep)?, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                builder.end(at.end);
                continue;
            }
            _ => continue,
        };
        if anchor != 0 {
            anchors.insert(anchor, id);
        }
    }
    let document = builder.finish(text, Dialect::Yaml);
    let mut document = document.ok_or(Unfollowed::Syntax(text.len()))?;
    let agrees = agree::with_fast_decoder(&document, text);
    tags::settle(&mut document);
    let followed = agrees && (!text.contains(merge::MERGE) || merge::follow(&mut document));
    match followed {
        true => Ok(document),
        false => Err(Unfollowed::Syntax(0)),
    }
}

/// Where the `|` or `>` of a block scalar is, whose text begins at `start`.
fn header(text: &str, after: usize, start: usize) -> usize {
    let before = text.get(after..start).unwrap_or_default();
    before.find(['|', '>']).map_or(start, |at| after + at)
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

fn resolved(tag: Cow<'_, Tag>) -> Box<str> {
    format!("{}{}", tag.handle(), tag.suffix()).into_boxed_str()
}
