//! How documents are compared with the last known good configuration on disk where no process can be asked.

use super::{
    check::{Checked, absent, evaluated, name_of, offline, read, with_variables},
    drop_ins::of_files,
    inputs::{Inputs, left_out},
    planned::{KeptBase, PlanBase, PlannedChange},
};
use crate::{
    Builder, Config,
    engine::{self, DeclaredNames, KeyedLayer, LayerState, Schema},
    runtime::{self, KeptConfiguration, KeptDefaults},
    source::{
        Content, Observation,
        declare::{OfflineContent, OfflineLayer},
        drop_ins::DropInLayers,
    },
};

use std::{collections::BTreeSet, sync::Arc};

/// What a program served last, as far as it is on disk.
pub(crate) struct LastGood {
    /// Without secrets. The environment is that of now, since it is not kept.
    pub(super) configuration: Checked,
    /// What messages call the file.
    pub(crate) name: String,
    /// The layers on servers and in folders, which nobody asks for an answer, with their documents.
    elsewhere: Vec<(String, Vec<u8>)>,
    /// The defaults of the program that wrote the file, where it has them.
    defaults: Option<KeptDefaults>,
}

impl<C: Config> Builder<C> {
    /// What is kept on disk of this program; none where it keeps nothing, or was never started.
    ///
    /// # Errors
    /// Why it cannot be compared with.
    pub(crate) fn last_good(mut self, inputs: &Inputs) -> Result<Option<LastGood>, String> {
        let Some(kept) = KeptConfiguration::read(&self.spec)? else {
            return Ok(None);
        };
        with_variables(&mut self.spec, inputs).map_err(|error| error.to_string())?;
        let (now, schema, options) = (runtime::now(), self.spec.options.schema, &self.spec.options);
        let (mut states, mut elsewhere) = (Vec::<LayerState>::new(), Vec::new());
        let sources = self.spec.sources.into_iter().chain(self.spec.overrides);
        let declared: Vec<OfflineLayer> = sources.map(|source| offline(source, inputs)).collect();
        let kept_layers = kept.with_content();
        let layers = with_kept_files(declared, &kept_layers);
        let keys = engine::keys(layers.iter().map(keyed));
        let names: Vec<_> = layers.iter().map(name_of).collect();
        let none: Vec<_> = names.iter().map(|_| None).collect();
        let left_out = left_out(&inputs.terms(), &names, &none);
        let left_out = left_out.map_err(|error| error.to_string())?;
        for ((layer, key), is_left_out) in layers.into_iter().zip(keys).zip(left_out) {
            let origin = layer.declared.clone();
            if is_left_out {
                states.push(absent(layer, now));
                continue;
            }
            if matches!(layer.content, OfflineContent::Given(_)) {
                let read = read(schema, layer, options.unknown, now);
                states.push(read.map_err(|error| error.to_string())?.0);
                continue;
            }
            // What nobody asks a server for is read as the layer declares it.
            let is_file = matches!(layer.content, OfflineContent::File(_));
            let Some((decoder, bytes)) = kept.document(&key, is_file)? else {
                states.push(absent(layer, now));
                continue;
            };
            if key == origin && !is_file {
                elsewhere.push((origin.clone(), bytes.clone()));
            }
            let mut state = LayerState::new(origin, Some(decoder), true);
            let bytes = bytes.into();
            let revision = None;
            state.observe(Observation::Value(Content { bytes, revision }), now);
            states.push(state);
        }
        let judged = evaluated(
            schema,
            options.unknown,
            options.reducer.clone(),
            states,
            true,
            now,
        );
        if let Some(report) = &judged.refused {
            return Err(format!("it would be refused today: {report}"));
        }
        let name = options.name.clone();
        let types = C::types as fn() -> _;
        Ok(Some(LastGood {
            configuration: Checked::new(Schema::of::<C>(), types, name, judged, Vec::new()),
            name: kept.name.clone(),
            elsewhere,
            defaults: kept.into_defaults(),
        }))
    }
}

/// The layers, and behind those of sources of several files the ones of the files that were kept.
fn with_kept_files(declared: Vec<OfflineLayer>, kept: &[&str]) -> Vec<OfflineLayer> {
    let names = DeclaredNames::of(declared.iter().map(keyed));
    let folders = declared.iter().filter_map(folder).enumerate();
    let files: Vec<(Arc<DropInLayers>, BTreeSet<String>)> = folders
        .map(|(number, folder)| {
            let known = kept.iter().filter_map(|key| names.file(number, key));
            (Arc::clone(folder), known.map(str::to_owned).collect())
        })
        .collect();
    let mut files = files.into_iter();
    let mut with_files = |layer: OfflineLayer| match folder(&layer).is_some() {
        true => match files.next() {
            Some((folder, files)) => of_files(layer, &folder, files),
            None => vec![layer],
        },
        false => vec![layer],
    };
    declared.into_iter().flat_map(&mut with_files).collect()
}

fn folder(layer: &OfflineLayer) -> Option<&Arc<DropInLayers>> {
    match &layer.content {
        OfflineContent::Files(folder, _) => Some(folder),
        _ => None,
    }
}

fn keyed(layer: &OfflineLayer) -> KeyedLayer<'_> {
    KeyedLayer {
        declared: &layer.declared,
        drop_ins: folder(layer).map(|folder| &**folder),
        is_file: layer.drop_in.is_some(),
    }
}

impl LastGood {
    /// These documents, and for layers that are not read here what is kept of them.
    pub(crate) fn with(&self, inputs: &Inputs) -> Inputs {
        let mut inputs = inputs.clone();
        if !self.elsewhere.is_empty() {
            inputs.is_partial = true;
            let kept = self.elsewhere.iter();
            inputs.kept = kept
                .map(|(origin, bytes)| (origin.clone(), bytes[..].into()))
                .collect();
        }
        inputs
    }

    /// What a plan is compared with.
    pub(crate) fn as_base(&self) -> PlanBase<'_> {
        PlanBase::Kept(self.kept())
    }

    fn kept(&self) -> KeptBase<'_> {
        KeptBase {
            configuration: &self.configuration,
            defaults: self.defaults.as_ref(),
        }
    }

    /// Whether the defaults of then are compared with those of this program.
    pub(crate) fn has_defaults(&self) -> bool {
        self.defaults.is_some()
    }

    /// What would change if `other` were applied now. Secrets are not kept, and so not compared.
    pub(crate) fn changes_to(&self, other: &Checked) -> Vec<PlannedChange> {
        self.kept().changes_to((other.answers(), &other.status))
    }
}
