//! One decoded content of a layer: what is kept of it, and when it is decoded a second time.

#[cfg(feature = "json")]
use super::layer_state::KeptContent;
use super::{
    content::{FoundPlace, GivenContent, KeptDocument, KeptPart, LayerContent},
    schema::Schema,
    value::AnyLayer,
};
use crate::{
    codec::{Decoder, Unknown},
    document::tree::Tree,
    source::VariablePath,
};
use std::sync::Arc;

/// One decoded content of a layer.
#[derive(Default)]
pub(crate) struct DecodedContent {
    /// The document; none for an absent one and for the environment.
    pub(crate) bytes: Option<Arc<[u8]>>,
    /// What a layer without a document contains.
    given: Option<Arc<GivenContent>>,
    /// None for a layer that contains nothing, and after the lowest layer was moved into the struct: then it is decoded once more
    /// when it is needed again, which is cheaper than a copy at every change.
    layer: Option<AnyLayer>,
    silent: bool,
    fresh: bool,
    /// From the last known good configuration on disk: its document, where it can be read again.
    kept: Option<KeptPart>,
    /// In which of its places the source was found, where it looks in several.
    pub(super) found: FoundPlace,
}

impl DecodedContent {
    /// Nothing: absent, or an empty document.
    pub(crate) fn silent(bytes: Option<Arc<[u8]>>) -> Self {
        DecodedContent {
            bytes,
            silent: true,
            ..DecodedContent::default()
        }
    }

    /// A document that was decoded before, and is again when it is needed.
    pub(super) fn later(bytes: Arc<[u8]>, found: FoundPlace) -> Self {
        DecodedContent {
            bytes: Some(bytes),
            found,
            ..DecodedContent::default()
        }
    }

    pub(super) fn fresh(bytes: Arc<[u8]>, layer: AnyLayer) -> Self {
        DecodedContent {
            bytes: Some(bytes),
            layer: Some(layer),
            fresh: true,
            ..DecodedContent::default()
        }
    }

    /// A layer that has no document, such as the environment.
    pub(crate) fn given(layer: AnyLayer, given: GivenContent) -> Self {
        DecodedContent {
            given: Some(Arc::new(given)),
            layer: Some(layer),
            ..DecodedContent::default()
        }
    }

    /// What was kept of the layer on disk.
    #[cfg(feature = "json")]
    pub(crate) fn kept(kept: KeptContent) -> Self {
        DecodedContent {
            silent: kept.layer.is_none(),
            kept: Some(match (&kept.layer, kept.document) {
                (None, _) => KeptPart::Nothing,
                (Some(_), None) => KeptPart::Unread,
                (Some(_), Some(document)) => KeptPart::Document(document),
            }),
            layer: kept.layer,
            ..DecodedContent::default()
        }
    }

    /// Which variable set which path.
    pub(super) fn variables(&self) -> &[VariablePath] {
        self.given.as_ref().map_or(&[], |given| &given.variables)
    }

    /// What a layer without a document contains, as it was read.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.given.as_ref()?.tree.as_ref()
    }

    /// The layer, where it is one without a document.
    #[cfg(feature = "json")]
    pub(super) fn given_layer(&self) -> Option<&AnyLayer> {
        self.given.as_ref().and(self.layer.as_ref())
    }

    /// Whether it is from the last known good file.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// What was kept of it on disk, where that is a document.
    pub(super) fn kept_document(&self) -> Option<&KeptDocument> {
        match self.kept.as_ref()? {
            KeptPart::Document(document) => Some(document),
            KeptPart::Nothing | KeptPart::Unread => None,
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(super) fn content(&self) -> LayerContent {
        match (&self.bytes, self) {
            (
                _,
                DecodedContent {
                    kept: Some(kept), ..
                },
            ) => LayerContent::Kept(kept.clone()),
            (bytes, DecodedContent { silent: true, .. }) => LayerContent::Silent(bytes.clone()),
            (Some(bytes), one) => LayerContent::Document(Arc::clone(bytes), one.found.clone()),
            (None, _) => LayerContent::Given(self.given.clone().unwrap_or_default()),
        }
    }

    /// The layer, as long as it is there.
    pub(super) fn decoded_layer(&self) -> Option<&AnyLayer> {
        self.layer.as_ref()
    }

    /// The layer, decoded again if it was moved away.
    pub(super) fn layer(
        &mut self,
        schema: &Schema,
        decoder: Option<&Decoder>,
    ) -> Option<&AnyLayer> {
        if self.silent {
            return None;
        }
        if self.layer.is_none() {
            let bytes = self.bytes.as_ref()?;
            let again = (schema.decode)(decoder?, bytes, Unknown::Ignore).ok()?;
            self.layer = Some(again.layer);
        }
        self.fresh = false;
        self.layer.as_ref()
    }

    /// The layer, and which variable set which path of it.
    pub(super) fn with_variables(
        &mut self,
        schema: &Schema,
        decoder: Option<&Decoder>,
    ) -> Option<(&AnyLayer, &[VariablePath])> {
        self.layer(schema, decoder)?;
        Some((self.layer.as_ref()?, self.variables()))
    }

    /// The layer as the base of a fold: moved the first time, a copy afterwards.
    pub(super) fn base(&mut self, schema: &Schema, decoder: Option<&Decoder>) -> Option<AnyLayer> {
        if self.fresh && self.bytes.is_some() {
            self.fresh = false;
            return self.layer.take();
        }
        self.layer(schema, decoder).map(schema.copy)
    }
}
