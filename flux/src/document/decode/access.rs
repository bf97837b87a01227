//! Which items and entries a target gets of a list or map of a document, and which are left out because they are known to be bad.

use super::{ListKind, NodeDecoder, key::KeyDecoder, parts::Rest};
use crate::{
    document::{NodeId, Pair, tree::TreeError},
    problem::{
        Seg,
        collect_errors::{self, NodeStep},
        without_found,
    },
    schema,
};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use std::{any::type_name, borrow::Cow};

pub(super) struct NodeItems<'r, 'd> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) items: Cow<'d, [NodeId]>,
    pub(super) rest: &'r mut Rest<'d>,
    pub(super) kind: ListKind,
}

impl<'de> SeqAccess<'de> for NodeItems<'_, '_> {
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
        self.decoder.take()?;
        let step = self.decoder.step(*item, index, self.kind);
        let decode = || seed.deserialize(self.decoder.at(*item));
        collect_errors::within(Seg::Index(index), step, decode).map(Some)
    }
}

pub(super) struct NodeEntries<'r, 'd> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) entries: &'d [Pair],
    pub(super) rest: &'r mut Rest<'d>,
    pub(super) value: Option<(usize, Pair)>,
    /// The target takes any entries.
    pub(super) alike: bool,
}

impl<'d> NodeDecoder<'d> {
    pub(super) fn step(self, node: NodeId, index: usize, kind: ListKind) -> NodeStep {
        NodeStep {
            node: node.number(),
            index,
            fixed: kind.is_fixed(),
            alike: kind.is_alike(),
        }
    }

    pub(super) fn entry_step(self, node: NodeId, index: usize, alike: bool) -> NodeStep {
        NodeStep {
            node: node.number(),
            index,
            fixed: false,
            alike,
        }
    }

    pub(super) fn seg(self, key: NodeId) -> Seg {
        Seg::Key(self.document.key(key).to_owned().into())
    }

    /// Decodes the key of an entry.
    pub(super) fn key<'de, S: DeserializeSeed<'de>>(
        self,
        key: NodeId,
        (index, alike): (usize, bool),
        seed: S,
    ) -> Result<S::Value, TreeError> {
        let decoder = self.at(key);
        let result = match self.document.dialect() {
            #[cfg(feature = "yaml")]
            crate::document::Dialect::Yaml => decoder
                .without_tag_in_key()
                .and_then(|()| seed.deserialize(decoder)),
            _ => seed.deserialize(KeyDecoder(decoder)),
        };
        if result.is_err() {
            collect_errors::fail_at(self.seg(key), self.entry_step(key, index, alike));
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
        self.decoder
            .key(entry.key, (index, self.alike), seed)
            .map(Some)
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
        let step = self.decoder.entry_step(entry.value, index, self.alike);
        let decode = || seed.deserialize(self.decoder.at(entry.value));
        let value = collect_errors::within(self.decoder.seg(entry.key), step, decode);
        value.map_err(without_secret::<S>)
    }
}

/// The error of a value in a type of the program, without what it quotes where the value is a secret by its type. The fields of
/// sections have seeds of their own, and the field table knows their secrets.
#[cold]
pub(super) fn without_secret<S>(error: TreeError) -> TreeError {
    // Decoders that wrap another one have seeds around that of the type.
    let seed = type_name::<S>();
    let of_type = seed.find("PhantomData<").and_then(|at| seed.get(at..));
    match of_type.is_some_and(schema::is_secret_type) {
        true => TreeError(without_found(&error)),
        false => error,
    }
}
