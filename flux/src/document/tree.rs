//! The tree in which variables, foreign providers and texts of a program's own codec are read; it has no places. Never on the good
//! path of a document.

use serde::de::{
    self, Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// A document, whatever its format.
///
/// It is dropped without recursion, so that no depth exhausts the stack; for that, its parts are taken out with
/// [`std::mem::take`] and not by a pattern.
#[derive(Clone, Default, PartialEq)]
pub enum Tree {
    /// Null.
    #[default]
    Null,
    /// A bool.
    Bool(bool),
    /// A negative integer.
    I64(i64),
    /// An integer.
    U64(u64),
    /// A float.
    F64(f64),
    /// A string.
    Str(String),
    /// Text whose type the target decides, as in the environment.
    Raw(String),
    /// A list.
    Seq(Vec<Tree>),
    /// A map, in the document's order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The parts of a list or a map.
    fn parts(&self) -> Box<dyn Iterator<Item = &Tree> + '_> {
        match self {
            Tree::Seq(items) => Box::new(items.iter()),
            Tree::Map(entries) => Box::new(entries.iter().map(|(_, value)| value)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Whether lists and maps are nested more than `limit` deep.
    pub(crate) fn is_deeper_than(&self, limit: usize) -> bool {
        let mut level: Vec<&Tree> = vec![self];
        for _ in 0..=limit {
            level = level.iter().flat_map(|tree| tree.parts()).collect();
            if level.is_empty() {
                return false;
            }
        }
        true
    }
}

/// Without the values, which may be secrets: the keys, and of which kind each value is.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tree::Null => "Null",
            Tree::Bool(_) => "Bool(..)",
            Tree::I64(_) => "I64(..)",
            Tree::U64(_) => "U64(..)",
            Tree::F64(_) => "F64(..)",
            Tree::Str(_) => "Str(..)",
            Tree::Raw(_) => "Raw(..)",
            Tree::Seq(items) => return f.debug_list().entries(items).finish(),
            Tree::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key, value));
                return f.debug_map().entries(entries).finish();
            }
        })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut rest = Vec::new();
        let dismantle = |tree: &mut Tree, rest: &mut Vec<Tree>| match tree {
            Tree::Seq(items) => rest.append(items),
            Tree::Map(entries) => rest.extend(entries.drain(..).map(|(_, value)| value)),
            _ => {}
        };
        dismantle(self, &mut rest);
        while let Some(mut tree) = rest.pop() {
            dismantle(&mut tree, &mut rest);
        }
    }
}

/// Decoding's error: serde's sentence.
#[derive(Debug)]
pub(crate) struct TreeError(pub(crate) String);

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TreeError {}

impl de::Error for TreeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        TreeError(message.to_string())
    }
}

impl From<crate::document::raw::Unreadable> for TreeError {
    fn from(unreadable: crate::document::raw::Unreadable) -> Self {
        TreeError(unreadable.to_string())
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::I64(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::U64(value))
    }
    /// Beyond 64 bits the text is kept for the number: the target's type reads it again.
    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Raw(value.to_string()))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Raw(value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::F64(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Str(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Tree, D::Error> {
        Tree::deserialize(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Tree, D::Error> {
        Tree::deserialize(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::Seq(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Key, Tree>()? {
            map.push((key.0, value));
        }
        Ok(Tree::Map(map))
    }
    /// YAML's `!tag value`.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Tree, A::Error> {
        let (tag, value) = tagged.variant::<Key>()?;
        Ok(Tree::Map(vec![(tag.0, value.newtype_variant()?)]))
    }
}

/// A map's key; YAML's may be numbers and bools.
pub(crate) struct Key(pub(crate) String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut key = Tree::deserialize(d)?;
        Ok(Key(match key {
            Tree::Str(ref mut text) | Tree::Raw(ref mut text) => std::mem::take(text),
            Tree::Bool(value) => value.to_string(),
            Tree::I64(value) => value.to_string(),
            Tree::U64(value) => value.to_string(),
            Tree::F64(value) => value.to_string(),
            Tree::Null => "null".to_owned(),
            _ => return Err(de::Error::custom("a list or a map cannot be a key")),
        }))
    }
}
