//! Holds the document model against the fast decoders in tests and in the fuzz target `model`: acceptance, keys and every scalar.
//!
//! The properties panic where they do not hold.

pub(super) mod targets;

use super::{
    Dialect, Document, NodeContent, NodeId, Pair, ResolvedKind, ScalarStyle, Unfollowed,
    scalar::yaml,
};
use crate::codec::{Decoder, LazyModel};
use serde::de::{
    Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// Both properties of a text that is in this format.
#[cfg(flux_fuzzing)]
pub(crate) fn check(format: flux_syntax::Format, text: &str) {
    let dialect = match format {
        flux_syntax::Format::Json => Dialect::Json,
        flux_syntax::Format::Yaml => Dialect::Yaml,
        flux_syntax::Format::Toml => Dialect::Toml,
        #[cfg(feature = "jsonc")]
        flux_syntax::Format::Jsonc => Dialect::Jsonc,
        #[cfg(feature = "json5")]
        flux_syntax::Format::Json5 => Dialect::Json5,
        #[allow(unreachable_patterns, reason = "a format may be off")]
        _ => return,
    };
    agree(dialect, text);
    targets::all(dialect, text);
}

/// What a fast decoder gives to a target that takes anything.
#[derive(Debug, Clone)]
pub(super) enum Any {
    Null,
    Bool(bool),
    Integer(i128),
    Wide(u128),
    Float(f64),
    Text(String),
    List(Vec<Any>),
    Map(Vec<(Any, Any)>),
    Tagged(String, Box<Any>),
}

impl PartialEq for Any {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Any::Null, Any::Null) => true,
            (Any::Bool(a), Any::Bool(b)) => a == b,
            (Any::Integer(a), Any::Integer(b)) => a == b,
            (Any::Wide(a), Any::Wide(b)) => a == b,
            (Any::Float(a), Any::Float(b)) => a.to_bits() == b.to_bits(),
            (Any::Text(a), Any::Text(b)) => a == b,
            (Any::List(a), Any::List(b)) => a == b,
            (Any::Map(a), Any::Map(b)) => a == b,
            (Any::Tagged(a, x), Any::Tagged(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Any, E> {
        Ok(Any::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Any, E> {
        Ok(Any::Integer(value.into()))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Any, E> {
        Ok(Any::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Any, E> {
        Ok(Any::Integer(value.into()))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Any, E> {
        Ok(match i128::try_from(value) {
            Ok(value) => Any::Integer(value),
            Err(_) => Any::Wide(value),
        })
    }
    fn visit_f64<E>(self, value: f64) -> Result<Any, E> {
        Ok(Any::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Any, E> {
        Ok(Any::Text(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }
    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Any, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Any::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Any, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Any::Map(map))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Any, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        Ok(Any::Tagged(tag, Box::new(value.newtype_variant()?)))
    }
}

pub(super) fn fast(dialect: Dialect, text: &str) -> Option<Any> {
    match dialect {
        Dialect::Json => serde_json::from_str(text).ok(),
        #[cfg(feature = "jsonc")]
        Dialect::Jsonc => crate::codec::fast(&LazyModel::new(&Decoder::Jsonc, text)).ok(),
        #[cfg(feature = "json5")]
        Dialect::Json5 => crate::codec::fast(&LazyModel::new(&Decoder::Json5, text)).ok(),
        Dialect::Yaml => crate::codec::as_written(&LazyModel::new(&Decoder::Yaml, text)).ok(),
        Dialect::Toml => ::toml::from_str(text).ok(),
        Dialect::Tree => Some(Any::Text(text.to_owned())),
    }
}

/// The same from the model; none where it is too deep.
pub(super) fn modelled(document: &Document<'_>, id: NodeId, depth: usize) -> Option<Any> {
    let depth = depth.checked_sub(1)?;
    let tag = document.node(id).tag.as_deref();
    let bare = match &document.node(id).content {
        NodeContent::List(items) => {
            let items = items.iter().map(|item| modelled(document, *item, depth));
            Any::List(items.collect::<Option<_>>()?)
        }
        NodeContent::Map(entries) => {
            let key = |id| match document.dialect() {
                Dialect::Yaml | Dialect::Tree => modelled(document, id, depth),
                _ => Some(Any::Text(document.key(id).to_owned())),
            };
            let pair =
                |entry: &Pair| Some((key(entry.key)?, modelled(document, entry.value, depth)?));
            let mut map: Vec<_> = entries.iter().map(pair).collect::<Option<_>>()?;
            if document.dialect() == Dialect::Toml {
                // toml's decoder sorts them where it keeps no order.
                map.sort_by_key(|(key, _)| format!("{key:?}"));
            }
            Any::Map(map)
        }
        NodeContent::Scalar(scalar) => of_scalar(document, id, &scalar.text)?,
        NodeContent::Alias(_) => return None,
    };
    match tag.and_then(|tag| tag.strip_prefix('!')) {
        Some(tag) => {
            let tag = if tag.is_empty() { "!" } else { tag };
            Some(Any::Tagged(tag.to_owned(), Box::new(bare)))
        }
        None => Some(bare),
    }
}

fn of_scalar(document: &Document<'_>, id: NodeId, text: &str) -> Option<Any> {
    let source = document.source(document.resolved(id));
    Some(match document.kind(id)? {
        ResolvedKind::Null => Any::Null,
        ResolvedKind::Text | ResolvedKind::Raw => Any::Text(text.to_owned()),
        ResolvedKind::Date => {
            let key = "$__toml_private_datetime".to_owned();
            let date: ::toml::value::Datetime = text.parse().ok()?;
            Any::Map(vec![(Any::Text(key), Any::Text(date.to_string()))])
        }
        kind => match document.dialect() {
            Dialect::Json => fast(Dialect::Json, source)?,
            dialect if dialect.is_json() => match text {
                "NaN" => Any::Float(f64::NAN),
                "Infinity" => Any::Float(f64::INFINITY),
                "-Infinity" => Any::Float(f64::NEG_INFINITY),
                text => fast(Dialect::Json, text)?,
            },
            Dialect::Toml => match fast(Dialect::Toml, &format!("a = {source}"))? {
                Any::Map(mut entries) => entries.pop()?.1,
                _ => return None,
            },
            _ => match kind {
                ResolvedKind::Bool => Any::Bool(yaml::bool(text)?),
                ResolvedKind::Float => Any::Float(yaml::float(text)?),
                _ => match yaml::integer(text)? {
                    yaml::Integer::U64(n) => Any::Integer(n.into()),
                    yaml::Integer::I64(n) => Any::Integer(n.into()),
                    yaml::Integer::I128(n) => Any::Integer(n),
                    yaml::Integer::U128(n) => match i128::try_from(n) {
                        Ok(n) => Any::Integer(n),
                        Err(_) => Any::Wide(n),
                    },
                },
            },
        },
    })
}

pub(super) fn sorted(any: Any) -> Any {
    match any {
        Any::Map(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by_key(|(key, _)| format!("{key:?}"));
            Any::Map(entries)
        }
        Any::List(items) => Any::List(items.into_iter().map(sorted).collect()),
        any => any,
    }
}

/// Nothing that the fast decoder accepts is refused by the model, unless it is too deep; of JSON neither accepts more than the other.
/// The parser of YAML with spans cannot follow every text, but then there is a document without places.
fn accepts(dialect: Dialect, text: &str, fast: bool, document: &Result<Document<'_>, Unfollowed>) {
    match (dialect, document) {
        (_, Err(Unfollowed::TooDeep)) => {}
        (Dialect::Yaml, Err(_)) if fast => {
            let refusal = Document::unplaced(text).err();
            assert!(refusal.is_none(), "YAML {text:?}: {refusal:?}");
        }
        (_, Err(refusal)) => assert!(!fast, "{dialect:?} {text:?}: {refusal:?}"),
        // serde_json refuses what is deeper than this, and numbers beyond those of f64, of which nothing is modelled.
        (dialect, Ok(document)) if !fast && dialect.is_json() => {
            let modelled = modelled(document, document.root(), 127);
            assert!(modelled.is_none(), "{dialect:?} {text:?}: {modelled:?}");
        }
        _ => {}
    }
}

/// The model and the fast decoder agree on acceptance, and on everything wherever both read the text; answers whether the fast one
/// does, and the model.
pub(super) fn agree(dialect: Dialect, text: &str) -> (bool, bool) {
    let document = Document::parse(dialect, text);
    let fast = fast(dialect, text);
    accepts(dialect, text, fast.is_some(), &document);
    if let Ok(document) = &document {
        within(document);
    }
    if let (Some(fast), Ok(document)) = (&fast, &document) {
        let mut fast = fast.clone();
        if dialect == Dialect::Toml {
            fast = sorted(fast);
        }
        if let Some(modelled) = modelled(document, document.root(), 200) {
            assert_eq!(modelled, fast, "{dialect:?} {text:?}");
        }
    }
    (fast.is_some(), document.is_ok())
}

/// Whether one of the two words before the place has a `!`; the other may be an anchor.
fn has_tag_before(text: &str, at: usize) -> bool {
    let words = text[..at].split_whitespace().rev();
    words.take(2).any(|word| word.contains('!'))
}

/// Every span is inside the text and inside what contains it, and slices back to the scalar.
pub(super) fn within(document: &Document<'_>) {
    for id in (0..document.len()).map(|id| NodeId(id as u32)) {
        let node = document.written(id);
        let source = document.text.get(node.span.clone());
        let source = source.unwrap_or_else(|| panic!("{:?} of {:?}", node.span, document.text));
        match &node.content {
            // What YAML's own tags make of a text depends on no quotes.
            NodeContent::Scalar(_) if has_tag_before(document.text, node.span.start) => {}
            // Its numbers are modelled as JSON writes them, and keys may be without quotes.
            #[cfg(feature = "json5")]
            _ if document.dialect() == Dialect::Json5 => {}
            // Comments alone are null, which is written nowhere.
            NodeContent::Scalar(_) if source.is_empty() && document.len() == 1 => {}
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Plain => {
                let folded = source.contains(['\n', '\r']);
                assert!(
                    // Other blanks are part of a plain text.
                    folded || source.trim_matches([' ', '\t', '\r', '\n']) == scalar.text,
                    "{source:?} {scalar:?}"
                );
            }
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => {
                assert!(source.starts_with(['"', '\'']), "{source:?} {scalar:?}");
                assert!(source.ends_with(['"', '\'']), "{source:?} {scalar:?}");
            }
            _ => {}
        }
        let (line, column) = document.start(id);
        let from_place = document.text.split_inclusive('\n').nth(line - 1);
        let from_place: String = from_place
            .unwrap_or_default()
            .chars()
            .skip(column - 1)
            .collect();
        let first = source.split_inclusive('\n').next().unwrap_or_default();
        assert!(from_place.starts_with(first), "{from_place:?} {first:?}");
    }
}
