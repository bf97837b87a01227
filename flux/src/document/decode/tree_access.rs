//! Which items and entries a target gets of a list or map of a tree.

use super::{
    access::without_secret,
    parts::{ListKind, Rest},
    reading::chosen,
    tree::TreeDecoder,
};
use crate::{
    document::tree::{Tree, TreeError},
    problem::{
        Seg, TWICE,
        collect_errors::{self, NodeStep},
    },
};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;

fn step(index: usize, fixed: bool, alike: bool) -> NodeStep {
    NodeStep {
        node: 0,
        index,
        fixed,
        alike,
    }
}

/// The items of a list.
pub(super) struct TreeItems<'r, 'a> {
    pub(super) items: &'a [Tree],
    pub(super) rest: &'r mut Rest<'a>,
    pub(super) kind: ListKind,
}

impl<'de> SeqAccess<'de> for TreeItems<'_, '_> {
    type Error = TreeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some((index, from)) = self.rest.take_item() else {
            return Ok(None);
        };
        let Some(item) = self.items.get(from) else {
            return Ok(None);
        };
        let step = step(index, self.kind.is_fixed(), self.kind.is_alike());
        let decode = || seed.deserialize(TreeDecoder(item));
        collect_errors::within(Seg::Index(index), step, decode).map(Some)
    }
}

pub(super) fn entries_of<'de, V: Visitor<'de>>(
    entries: &[(String, Tree)],
    (by_number, alike): (bool, bool),
    visitor: V,
) -> Result<V::Value, TreeError> {
    let chosen = chosen();
    let mut rest = Rest::new(chosen.as_ref(), entries.len());
    visitor.visit_map(TreeEntries::new(entries, (by_number, alike), &mut rest))
}

/// The entries of a map.
pub(super) struct TreeEntries<'r, 'a> {
    entries: &'a [(String, Tree)],
    rest: &'r mut Rest<'a>,
    current: Option<(usize, &'a (String, Tree))>,
    /// They are items of a list, and the keys are their numbers.
    by_number: bool,
    /// The target takes any entries.
    alike: bool,
}

impl<'r, 'a> TreeEntries<'r, 'a> {
    pub(super) fn new(
        entries: &'a [(String, Tree)],
        (by_number, alike): (bool, bool),
        rest: &'r mut Rest<'a>,
    ) -> Self {
        TreeEntries {
            entries,
            rest,
            current: None,
            by_number,
            alike,
        }
    }

    /// Decodes a key. What is wrong with it is at the entry, as in a document.
    fn key<'de, S: DeserializeSeed<'de>>(
        &self,
        (index, name): (usize, &str),
        key: Tree,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let result = seed.deserialize(TreeDecoder(&key));
        if result.is_err() {
            at_key(name, index, self.alike);
        }
        result.map(Some)
    }
}

/// An error is at this entry of the map.
#[cold]
fn at_key(name: &str, index: usize, alike: bool) {
    collect_errors::fail_at(Seg::Key(name.to_owned().into()), step(index, false, alike));
}

/// What takes anything takes the last of two entries with one key, and nobody sees the first.
pub(super) fn no_key_twice(entries: &[(String, Tree)]) -> Result<(), TreeError> {
    let mut keys = HashSet::new();
    let mut numbered = entries.iter().enumerate();
    match numbered.find(|(_, (key, _))| !keys.insert(key)) {
        Some((index, (key, _))) => {
            at_key(key, index, false);
            Err(TreeError(TWICE.to_owned()))
        }
        None => Ok(()),
    }
}

impl<'de> MapAccess<'de> for TreeEntries<'_, '_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let index = self.rest.take();
        self.current = index.and_then(|index| Some((index, self.entries.get(index)?)));
        match self.current {
            // A key is a string in every format; a map with other keys reads them out of the text, but never a list or a map.
            Some((index, (key, _))) if key.starts_with(['[', '{']) => {
                self.key((index, key), Tree::Str(key.clone()), seed)
            }
            Some((index, (key, _))) => self.key((index, key), Tree::Raw(key.clone()), seed),
            None => Ok(None),
        }
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        let Some((place, (key, value))) = self.current.take() else {
            return Err(TreeError("a value was asked for before its key".to_owned()));
        };
        let seg = match key.parse() {
            Ok(index) if self.by_number => Seg::Index(index),
            _ => Seg::Key(key.clone().into()),
        };
        let decode = || seed.deserialize(TreeDecoder(value));
        let value = collect_errors::within(seg, step(place, false, self.alike), decode);
        value.map_err(without_secret::<S>)
    }
}
