//! Which values, layer for layer and path for path, an explanation has; made once for each configuration, when someone asks, and
//! kept until the next one. The first questions about single paths make these alone.

mod explain;
mod newest;
mod notes;
mod refused_newest;
mod running;

use super::{
    explanation::{Explanation, VariableNotes},
    fold::{Secrecy, fold},
    item::{ExplainedItem, ExplainedItems, ItemOutcome, each_leaf},
    names::SettingNames,
    path_set::PathSet,
    value::ConfigValue,
    views::{LayerView, views},
};
use crate::{
    engine::{GenerationContents, LayerContent, Schema, Served, ServedLayer, Status},
    problem::{KeyPath, Seg},
    report::secrets::{DocumentText, KnownSecrets, SecretSources},
    schema::{Field, TypeFacts},
};
use explain::DEEPEST;
pub(super) use newest::NewestAnswers;
pub(super) use notes::WITHHELD;
use refused_newest::RefusedNewest;
use running::RunningPaths;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// So many paths are made alone. Everything takes some six times as long as one of them: whoever asks for each setting by itself
/// pays for it once.
const MOST_ALONE: usize = 32;

/// What readers see of one configuration.
pub(super) struct Answers {
    pub(super) schema: &'static Schema,
    pub(super) fields: &'static [Field],
    pub(super) types: fn() -> Vec<TypeFacts>,
    /// Everything, made once it is needed.
    items: OnceLock<ExplainedItems>,
    /// The paths that were made alone, with what leads there; none once everything is made.
    alone: Mutex<Vec<(Vec<Seg>, Arc<ExplainedItems>)>>,
    pub(super) layers: Vec<AnsweredLayer>,
    /// The paths that a stage changed.
    pub(super) staged: PathSet,
    /// Whether the program's own reducer puts the layers together.
    pub(super) reduced: bool,
    pub(super) names: SettingNames,
    /// Of what it is, without the configurations themselves.
    served: Served,
    generation: u64,
    pending: Vec<String>,
    /// The paths that wait for a restart.
    pub(super) waiting: PathSet,
    /// What runs at them.
    pub(super) running: RunningPaths,
    /// What a restart would read there, where that is not what these are about.
    pub(super) newest: Option<Box<NewestAnswers>>,
}

/// The layers, read once more for everything that is made of them.
pub(super) struct ReadLayers<'a> {
    pub(super) views: Vec<LayerView<'a>>,
    secrets: KnownSecrets,
}

impl<'a> ReadLayers<'a> {
    pub(super) fn of(schema: &Schema, served: &'a Served) -> Self {
        ReadLayers {
            views: views(schema, served),
            secrets: known_secrets((schema.fields)(), served),
        }
    }

    /// What they make, or of it what leads to a path.
    pub(super) fn fold(
        &self,
        schema: &Schema,
        types: fn() -> Vec<TypeFacts>,
        secrecy: Secrecy,
        path: &[Seg],
    ) -> ExplainedItems {
        fold(schema, types, &self.views, &self.secrets, secrecy, path)
    }
}

/// A layer of the answers.
#[derive(PartialEq)]
pub(super) struct AnsweredLayer {
    pub(super) origin: String,
    pub(super) note: Option<&'static str>,
    /// Whether anything may be set by it that is not known.
    pub(super) is_opaque: bool,
}

impl Answers {
    /// Reads the layers once more. Where one path is asked for, nothing else is made until something else is asked for.
    pub(super) fn new(
        schema: &'static Schema,
        types: fn() -> Vec<TypeFacts>,
        status: &Status,
        asked: Option<&KeyPath>,
    ) -> Self {
        let read = ReadLayers::of(schema, &status.served);
        Answers::of(schema, types, status, &read, asked)
    }

    /// [`new`](Self::new), of layers that were read.
    pub(super) fn of(
        schema: &'static Schema,
        types: fn() -> Vec<TypeFacts>,
        status: &Status,
        read: &ReadLayers<'_>,
        asked: Option<&KeyPath>,
    ) -> Self {
        let served = &status.served;
        let views = &read.views;
        let layer = |view: &LayerView<'_>| AnsweredLayer {
            origin: view.origin.to_owned(),
            note: view.note,
            is_opaque: view.note.is_some() && view.layer.is_none(),
        };
        let prefixes = served.layers.iter().rev();
        let prefixes = prefixes.filter_map(|layer| layer.prefix.clone()).collect();
        let reads_arguments = views.iter().any(|view| view.arguments.is_some());
        let make = |path: &[Seg]| read.fold(schema, types, Secrecy::Withheld, path);
        let asked = asked.map(KeyPath::steps).filter(|path| is_one(path));
        let (items, alone) = match asked {
            Some(path) => (OnceLock::new(), vec![(path.to_vec(), make(path).into())]),
            None => (OnceLock::from(make(&[])), Vec::new()),
        };
        let waiting = status.pending_restart.iter();
        let waiting = waiting.filter_map(|text| text.parse::<KeyPath>().ok());
        Answers {
            schema,
            fields: (schema.fields)(),
            types,
            items,
            alone: Mutex::new(alone),
            layers: views.iter().map(layer).collect(),
            staged: staged(schema, served).into_iter().collect(),
            reduced: served.reduced,
            names: SettingNames::new(prefixes, reads_arguments),
            served: Served {
                staged: None,
                ..served.clone()
            },
            generation: status.generation,
            pending: status.pending_restart.clone(),
            waiting: waiting.map(|path| path.steps().to_vec()).collect(),
            running: RunningPaths::of(served),
            newest: served
                .newest()
                .map(|newest| Box::new(NewestAnswers::new(newest))),
        }
    }

    /// Whether they are about what this status is about.
    pub(super) fn are_of(&self, status: &Status) -> bool {
        self.generation == status.generation
            && Arc::ptr_eq(&self.served.contents, &status.served.contents)
            && self.pending == status.pending_restart
            && self.served.newest() == status.served.newest()
    }

    /// Whether they are about these contents of these layers, of which this waited for a restart, and no stage has a part in them.
    pub(super) fn are_of_generation(
        &self,
        generation: u64,
        layers: &Arc<[ServedLayer]>,
        contents: &GenerationContents,
    ) -> bool {
        let is_same_wait = match (&self.served.waiting, &contents.waiting) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.generation == generation
            && Arc::ptr_eq(&self.served.layers, layers)
            && Arc::ptr_eq(&self.served.contents, &contents.layers)
            && self.staged.is_empty()
            && self.newest.is_none()
            && is_same_wait
    }

    /// Whether equal items are explained alike, apart from what a stage changed and what waits for a restart.
    #[cfg(feature = "page")]
    pub(super) fn have_surroundings_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.served.layers, &other.served.layers)
            && self.layers == other.layers
            && self.reduced == other.reduced
            && self.names.are_those_of(&other.names)
    }

    /// Everything, in the order of the fields.
    pub(super) fn items(&self) -> &ExplainedItems {
        if let Some(items) = self.items.get() {
            return items;
        }
        // Not while the cell is held: types of the program read the documents, and may ask in turn.
        let everything = self.fold(&[]);
        let items = self.items.get_or_init(|| everything);
        let alone = std::mem::take(&mut *self.alone());
        drop(alone);
        items
    }

    /// What leads to this path, and what is there. Made alone for the first paths that are asked for; none where everything is made, or
    /// is to be made.
    pub(super) fn about(&self, path: &[Seg]) -> Option<Arc<ExplainedItems>> {
        if !is_one(path) || self.items.get().is_some() {
            return None;
        }
        {
            let alone = self.alone();
            let known = alone.iter().find(|(asked, _)| path.starts_with(asked));
            if let Some((_, items)) = known {
                return Some(Arc::clone(items));
            }
            if alone.len() >= MOST_ALONE {
                return None;
            }
        }
        // Not while the lock is held, for the same reason.
        let items = Arc::new(self.fold(path));
        let mut alone = self.alone();
        if self.items.get().is_none() && alone.len() < MOST_ALONE {
            alone.push((path.to_vec(), Arc::clone(&items)));
        }
        Some(items)
    }

    fn alone(&self) -> MutexGuard<'_, Vec<(Vec<Seg>, Arc<ExplainedItems>)>> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the layers once more.
    fn fold(&self, path: &[Seg]) -> ExplainedItems {
        let read = ReadLayers::of(self.schema, &self.served);
        read.fold(self.schema, self.types, Secrecy::Withheld, path)
    }

    /// What is known of a path that has the fields' own names.
    pub(super) fn find(&self, path: &[Seg]) -> Option<&ExplainedItem> {
        let (mut items, mut found) = (self.items(), None);
        for step in path {
            let next = items.at(step)?;
            (items, found) = (&next.parts, Some(next));
        }
        found
    }

    /// The value that the layers make at a path, where it has no parts of its own.
    pub(super) fn value(&self, path: &[Seg]) -> Option<ConfigValue> {
        match &self.find(path)?.outcome {
            ItemOutcome::Value(value) => value.clone(),
            ItemOutcome::Default => self.find(path)?.default.clone(),
            _ => None,
        }
    }

    /// Explains every setting that has no parts of its own, in the order of the fields.
    pub(super) fn all(&self, status: &Status) -> Vec<Explanation> {
        let (mut all, refused) = (Vec::new(), RefusedNewest::of(status));
        let variables = VariableNotes::of(status);
        each_leaf(self.items(), &mut |path, item| {
            let mut one = self.explanation(path, item, status);
            refused.note(&mut one);
            variables.note(&mut one);
            all.push(one);
        });
        all
    }
}

/// Whether a path can be made alone.
fn is_one(path: &[Seg]) -> bool {
    !path.is_empty() && path.len() <= DEEPEST
}

/// The paths in which what readers see differs from what the layers make.
fn staged(schema: &Schema, served: &Served) -> Vec<Vec<Seg>> {
    let Some(staged) = &served.staged else {
        return Vec::new();
    };
    let differences = || (schema.differences)(&staged.current, &staged.before_pipeline, false);
    let found = catch_unwind(AssertUnwindSafe(differences));
    found.unwrap_or_else(|_| vec![Vec::new()])
}

fn known_secrets(fields: &'static [Field], served: &Served) -> KnownSecrets {
    KnownSecrets::read(fields, &secret_sources(served))
}

/// Where the secrets of the layers are.
pub(super) fn secret_sources(served: &Served) -> SecretSources<'_> {
    let mut sources = SecretSources::default();
    let both = served.layers.iter().zip(&*served.contents).enumerate();
    for (number, (layer, content)) in both {
        match (content, &layer.decoder) {
            (LayerContent::Document(bytes, _), Some(decoder)) => {
                sources.documents.push(DocumentText {
                    layer: number,
                    bytes,
                    decoder,
                });
            }
            (LayerContent::Given(given), _) => {
                let secrets = given.secrets.iter();
                sources.given.extend(secrets.map(|text| (number, text)));
            }
            _ => {}
        }
    }
    sources
}
