//! Reads of a document the values alone that are written as tables: everything else is passed over, and takes no memory. A date of
//! TOML is a map of one key here, which is the same in every date.

use super::plain_tables::PlainTables;
use crate::{
    document::tree::{Key, Tree},
    schema::{self, Field, Kind},
};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor},
};
use std::fmt;

/// What a part of a document is read for.
#[derive(Clone, Copy)]
pub(super) struct TablesAlone<'t> {
    tables: &'t PlainTables,
    kind: Kind,
}

impl<'t> TablesAlone<'t> {
    /// In a whole document.
    pub(super) fn of(tables: &'t PlainTables, kind: Kind) -> Self {
        TablesAlone { tables, kind }
    }

    /// What the value of an entry is read for; none where no such value is in it.
    fn below(self, key: &str) -> Option<Self> {
        let kind = match self.kind {
            Kind::Section(fields) => {
                let (field, kind): (&'static Field, Kind) = schema::step(fields(), key)?;
                self.tables.leads_to_one(field).then_some(kind)?
            }
            Kind::Map(entry) => *entry,
            _ => return None,
        };
        Some(TablesAlone { kind, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for TablesAlone<'_> {
    type Value = Tree;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Tree, D::Error> {
        match self.kind {
            Kind::Leaf => Tree::deserialize(d),
            Kind::List(_) => IgnoredAny::deserialize(d).map(|_| Tree::Null),
            _ => d.deserialize_any(self),
        }
    }
}

/// Of what is neither a map nor null the document is read as a whole, by who calls this.
impl<'de> Visitor<'de> for TablesAlone<'_> {
    type Value = Tree;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Tree, D::Error> {
        self.deserialize(d)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(Key(key)) = entries.next_key()? {
            match self.below(&key) {
                Some(below) => map.push((key, entries.next_value_seed(below)?)),
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Tree::Map(map))
    }
}
