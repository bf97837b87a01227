//! The parts of lists and maps of a tree.

use super::tree::TreeDecoder;
use crate::{
    document::tree::{Tree, TreeError},
    problem::{Seg, TWICE, collect_errors},
};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use std::collections::HashSet;

/// The items of a list.
pub(super) struct TreeItems<'i, 'a>(
    pub(super) &'i mut std::iter::Enumerate<std::slice::Iter<'a, Tree>>,
);

impl<'de> SeqAccess<'de> for TreeItems<'_, '_> {
    type Error = TreeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        collect_errors::enter(Seg::Index(index), None);
        let result = seed.deserialize(TreeDecoder(item));
        collect_errors::leave(result.is_err(), false);
        result.map(Some)
    }
}

/// The entries of a map.
pub(super) struct TreeEntries<'a> {
    rest: std::slice::Iter<'a, (String, Tree)>,
    current: Option<&'a (String, Tree)>,
    /// They are items of a list, and the keys are their numbers.
    by_number: bool,
}

impl<'a> TreeEntries<'a> {
    pub(super) fn new(entries: &'a [(String, Tree)], by_number: bool) -> Self {
        TreeEntries {
            rest: entries.iter(),
            current: None,
            by_number,
        }
    }

    /// Decodes a key. What is wrong with it is at the entry, as in a document.
    fn key<'de, S: DeserializeSeed<'de>>(
        &self,
        name: &str,
        key: Tree,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let result = seed.deserialize(TreeDecoder(&key));
        if result.is_err() {
            at_key(name);
        }
        result.map(Some)
    }
}

/// An error is at this entry of the map.
#[cold]
fn at_key(name: &str) {
    collect_errors::enter(Seg::Key(name.to_owned().into()), None);
    collect_errors::leave(true, false);
}

/// What takes anything takes the last of two entries with one key, and nobody sees the first.
pub(super) fn no_key_twice(entries: &[(String, Tree)]) -> Result<(), TreeError> {
    let mut keys = HashSet::new();
    match entries.iter().find(|(key, _)| !keys.insert(key)) {
        Some((key, _)) => {
            at_key(key);
            Err(TreeError(TWICE.to_owned()))
        }
        None => Ok(()),
    }
}

impl<'de> MapAccess<'de> for TreeEntries<'_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        self.current = self.rest.next();
        match self.current {
            // A key is a string in every format; a map with other keys reads them out of the text, but never a list or a map.
            Some((key, _)) if key.starts_with(['[', '{']) => {
                self.key(key, Tree::Str(key.clone()), seed)
            }
            Some((key, _)) => self.key(key, Tree::Raw(key.clone()), seed),
            None => Ok(None),
        }
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        let Some((key, value)) = self.current.take() else {
            return Err(TreeError("a value was asked for before its key".to_owned()));
        };
        let seg = match key.parse() {
            Ok(index) if self.by_number => Seg::Index(index),
            _ => Seg::Key(key.clone().into()),
        };
        collect_errors::enter(seg, None);
        let result = seed.deserialize(TreeDecoder(value));
        collect_errors::leave(result.is_err(), false);
        result
    }
}
