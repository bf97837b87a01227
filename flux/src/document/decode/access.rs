//! Which items and entries a target gets of a list or map of a document, and which are left out because they are known to be bad.

use super::{ChosenPart, NodeDecoder, key::KeyDecoder};
use crate::{
    document::{NodeId, Pair, tree::TreeError},
    problem::{
        Seg,
        collect_errors::{self, NodeStep},
    },
};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use std::borrow::Cow;

/// The parts of a list or map that are still to be decoded.
pub(super) struct Rest<'d> {
    pub(super) next: usize,
    pub(super) end: usize,
    pub(super) only: Option<&'d [usize]>,
}

impl<'d> Rest<'d> {
    pub(super) fn new(part: Option<&'d ChosenPart>, end: usize) -> Self {
        match part {
            None => Rest {
                next: 0,
                end,
                only: None,
            },
            Some(ChosenPart::From(next)) => Rest {
                next: *next,
                end,
                only: None,
            },
            Some(ChosenPart::Only(only)) => Rest {
                next: 0,
                end: only.len(),
                only: Some(only),
            },
        }
    }

    pub(super) fn take(&mut self) -> Option<usize> {
        let next = (self.next < self.end).then_some(self.next)?;
        self.next += 1;
        match self.only {
            Some(only) => only.get(next).copied(),
            None => Some(next),
        }
    }

    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.next)
    }
}

pub(super) struct NodeItems<'r, 'd> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) items: Cow<'d, [NodeId]>,
    pub(super) rest: &'r mut Rest<'d>,
    pub(super) fixed: bool,
}

impl<'de> SeqAccess<'de> for NodeItems<'_, '_> {
    type Error = TreeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some(index) = self.rest.take() else {
            return Ok(None);
        };
        let Some(item) = self.items.get(index) else {
            return Ok(None);
        };
        self.decoder.take()?;
        let step = self.decoder.step(*item, index, self.fixed);
        let decode = || seed.deserialize(self.decoder.at(*item));
        collect_errors::within(Seg::Index(index), step, decode).map(Some)
    }
}

pub(super) struct NodeEntries<'r, 'd> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) entries: &'d [Pair],
    pub(super) rest: &'r mut Rest<'d>,
    pub(super) value: Option<(usize, Pair)>,
}

impl<'d> NodeDecoder<'d> {
    pub(super) fn step(self, node: NodeId, index: usize, fixed: bool) -> NodeStep {
        NodeStep {
            node: node.number(),
            index,
            fixed,
        }
    }

    pub(super) fn seg(self, key: NodeId) -> Seg {
        Seg::Key(self.document.key(key).to_owned().into())
    }

    /// Decodes the key of an entry.
    pub(super) fn key<'de, S: DeserializeSeed<'de>>(
        self,
        key: NodeId,
        index: usize,
        seed: S,
    ) -> Result<S::Value, TreeError> {
        let decoder = self.at(key);
        let result = match self.document.dialect() {
            #[cfg(feature = "yaml")]
            crate::document::Dialect::Yaml => seed.deserialize(decoder),
            _ => seed.deserialize(KeyDecoder(decoder)),
        };
        if result.is_err() {
            collect_errors::fail_at(self.seg(key), self.step(key, index, false));
        }
        result
    }
}

impl<'de> MapAccess<'de> for NodeEntries<'_, '_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some(index) = self.rest.take() else {
            return Ok(None);
        };
        #[cfg(feature = "toml")]
        if self.decoder.is_date {
            return seed.deserialize(KeyDecoder(self.decoder)).map(Some);
        }
        let Some(entry) = self.entries.get(index) else {
            return Ok(None);
        };
        self.value = Some((index, *entry));
        self.decoder.key(entry.key, index, seed).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        #[cfg(feature = "toml")]
        if self.decoder.is_date {
            return seed.deserialize(self.decoder);
        }
        let Some((index, entry)) = self.value.take() else {
            return Err(TreeError("a value was asked for before its key".to_owned()));
        };
        self.decoder.take()?;
        let step = self.decoder.step(entry.value, index, false);
        let decode = || seed.deserialize(self.decoder.at(entry.value));
        collect_errors::within(self.decoder.seg(entry.key), step, decode)
    }
}
