//! How a document is planned where what its layer contains now is missing or refused: the document takes the place of the layer's source
//! in a start, and is compared with a configuration without it.

use super::{
    check::{Checked, judge, name_of, offline, with_variables},
    drop_ins::with_files,
    inputs::{InputDocument, InputError, Inputs, LayerName, by_layer, read_file},
};
use crate::{
    Builder, Config,
    engine::Schema,
    source::{
        Channel, ChannelSender, Source,
        declare::{OfflineContent, OfflineLayer},
        drop_ins::written,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why a comparison is not the one that was asked for.
pub(crate) const WITHOUT_GIVEN: &str = "what a start would read now is refused, so this is compared with a configuration without the given documents";

/// What a start is to be made of.
pub(crate) struct StartInPlace<C: Config> {
    pub(crate) builder: Builder<C>,
    /// The same documents, each for the number of its layer.
    pub(crate) inputs: Inputs,
    /// The file of each layer that a document is given for.
    pub(crate) files: Vec<Option<PathBuf>>,
    /// Each has a document until the start has read it.
    _documents: Vec<ChannelSender>,
}

impl<C: Config> Builder<C> {
    /// Declares the given documents in the place of their sources. `other` is the same declaration once more.
    ///
    /// # Errors
    /// [`InputError`]: no layer has the name, or a file cannot be read.
    pub(crate) fn in_place(
        mut self,
        other: Self,
        inputs: &Inputs,
    ) -> Result<StartInPlace<C>, InputError> {
        let mut other = other.spec;
        with_variables(&mut other, inputs)?;
        let layers = other.sources.into_iter().chain(other.overrides);
        let layers: Vec<Vec<OfflineLayer>> = layers
            .map(|source| with_files(offline(source, inputs), inputs))
            .collect();
        let names: Vec<_> = layers.iter().flatten().map(name_of).collect();
        let given = by_layer(inputs, &names, &[])?;
        let path = |document: &Option<&InputDocument>| document.as_ref()?.path().map(PathBuf::from);
        let files = given.iter().map(path).collect();
        let (mut documents, mut rest) = (Vec::new(), &given[..]);
        let sources = self.spec.sources.iter_mut().chain(&mut self.spec.overrides);
        for (source, layers) in sources.zip(layers) {
            let (own, behind) = rest.split_at(layers.len());
            rest = behind;
            if own.iter().all(Option::is_none) {
                continue;
            }
            let mut all = layers.into_iter().zip(own);
            let Some((layer, document)) = all.next() else {
                continue;
            };
            let bytes = match (&layer.content, document) {
                (OfflineContent::Files(drop_ins, _), _) => {
                    source.drop_ins = Some(Arc::clone(drop_ins));
                    document_of_files(all)?.into()
                }
                (_, Some(document)) => document.read()?.bytes,
                (_, None) => continue,
            };
            let (sender, channel) = Channel::latest(layer.origin);
            // It has just been made.
            let _ = sender.try_send(bytes);
            documents.push(sender);
            source.kind = Source::watcher(channel).kind;
            source.format = layer.decoder;
        }
        Ok(StartInPlace {
            builder: self,
            inputs: inputs.by_number(&given),
            files,
            _documents: documents,
        })
    }

    /// The layers whose documents are given by another file than their own, and that file.
    pub(crate) fn given_in_place(self, inputs: &Inputs) -> Vec<(String, PathBuf)> {
        let layers = self.spec.sources.into_iter().chain(self.spec.overrides);
        let layers = layers.flat_map(|one| with_files(offline(one, inputs), inputs));
        let names: Vec<LayerName> = layers.map(|one| name_of(&one)).collect();
        // Why not is in the verdict.
        let given = by_layer(inputs, &names, &[]).unwrap_or_default();
        let is_other = |own: &LayerName, path: &Path| {
            let own = own.file.as_ref().map(std::path::absolute);
            own.is_none_or(|own| own.ok() != std::path::absolute(path).ok())
        };
        let pairs = names.into_iter().zip(given);
        let pairs = pairs.filter_map(|(name, document)| {
            let path = document?.path()?;
            is_other(&name, path).then(|| (name.origin, path.to_owned()))
        });
        pairs.collect()
    }

    /// What the layers make without those that documents are given for, whatever is refused of it.
    ///
    /// # Errors
    /// [`InputError`]: no layer has the name, or another layer cannot be looked at.
    pub(crate) fn without_given(self, inputs: &Inputs) -> Result<Checked, InputError> {
        let name = self.spec.options.name.clone();
        let (judged, layers, _) = judge(self.spec, &inputs.without_documents())?;
        let (schema, types) = (Schema::of::<C>(), C::types as fn() -> _);
        Ok(Checked::new(schema, types, name, judged, layers))
    }
}

/// The document of a source of several files: the given ones in the place of those that are there.
fn document_of_files<'d>(
    files: impl Iterator<Item = (OfflineLayer, &'d Option<&'d InputDocument>)>,
) -> Result<Vec<u8>, InputError> {
    let mut all = Vec::new();
    for (layer, document) in files {
        let OfflineContent::File(path) = &layer.content else {
            continue;
        };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let bytes = match document {
            Some(document) => Some(document.read()?.bytes),
            None => {
                let unreadable = |error: std::io::Error| InputError::Unreadable {
                    path: path.display().to_string(),
                    error: error.to_string(),
                };
                read_file(path).map_err(unreadable)?.map(Arc::from)
            }
        };
        all.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
    }
    Ok(written(all.iter().map(|(name, bytes)| (&**name, &**bytes))))
}
