//! All layers of a capacitor together: which warnings are new, what of them reports and explanations get, and which secrets no
//! report may show.

mod alike_entries;
mod changed_by;
mod drop_ins;
mod empty_entries;
mod entries;
mod hidden_edits;
mod keys;
mod lost_keys;
#[cfg(feature = "dotenv")]
mod other_spellings;
mod plain_tables;
mod read_tables;
mod replaced_tables;
pub(super) mod resolve;
#[cfg(feature = "json")]
mod secret_defaults;
mod tables_alone;

use super::{
    content::LayerContent,
    identity::Identities,
    layer_state::LayerState,
    schema::Schema,
    seen::SeenConfigurations,
    served::{Served, ServedLayer},
    value::{AnyLayer, AnySnapshot},
};
use crate::{
    Report,
    codec::{self, Decoder, LazyModel, Unknown},
    document::Document,
    report::{
        Entry, Keeping, Problem,
        outgoing::SecretBook,
        secrets::{DocumentText, SecretSources},
    },
    schema::any_secret,
};
#[cfg(test)]
use crate::{
    layer::presence,
    problem::Seg,
    schema::{Field, Kind, MAX_DEPTH},
};
use drop_ins::TakenBackFile;
#[cfg(feature = "json")]
pub(crate) use keys::keys_of;
#[cfg(feature = "cli")]
pub(crate) use keys::{DeclaredNames, KeyedLayer, keys};
use read_tables::LayerTables;
use std::{collections::VecDeque, sync::Arc};

/// A reducer of the program: the configuration that readers see and the layers, lowest first, to the folded layer.
pub(crate) type Reducer =
    Arc<dyn Fn(Option<&AnySnapshot>, &[&AnyLayer]) -> Result<AnyLayer, ReducerError> + Send + Sync>;

/// Layers, and what of each is warned of.
type WarnedLayers = Vec<(usize, Vec<Entry>)>;

/// Why a reducer of the program refuses.
pub(crate) type ReducerError = Box<dyn std::error::Error + Send + Sync>;

/// The layers of a capacitor, lowest precedence first.
pub(crate) struct Layers {
    pub(crate) schema: &'static Schema,
    pub(crate) states: Vec<LayerState>,
    pub(super) unknown: Unknown,
    pub(super) reducer: Option<Reducer>,
    /// Whether the type or a URI has secrets: asked on every update with a pipeline.
    pub(super) has_secrets: bool,
    /// The fields that are single values and may be written as tables; none where no layer can replace another's.
    tables: Option<Box<LayerTables>>,
    /// Whether a layer looks for its file in several places.
    searches: bool,
    /// Whether a source has several files, each with a layer.
    has_drop_ins: bool,
    /// What was taken back of files that are gone, the oldest first.
    taken_back: VecDeque<TakenBackFile>,
    /// What reports call that which is kept on disk, where a layer is filled with it.
    #[cfg(feature = "json")]
    pub(super) kept: Option<String>,
}

impl Layers {
    pub(crate) fn new(
        schema: &'static Schema,
        mut states: Vec<LayerState>,
        unknown: Unknown,
        reducer: Option<Reducer>,
    ) -> Self {
        for state in &mut states {
            state.identities = Some(Box::new(Identities::new(schema.fields)));
        }
        let of_uris = states.iter().any(|state| state.uri_secrets.is_some());
        let has_drop_ins = states.iter().any(|state| state.drop_ins.is_some());
        let can_replace = (states.len() > 1 || has_drop_ins) && reducer.is_none();
        Layers {
            tables: can_replace.then(|| LayerTables::of(schema)).flatten(),
            searches: states.iter().any(|state| !state.searched.is_empty()),
            has_drop_ins,
            has_secrets: any_secret((schema.fields)()) || of_uris,
            schema,
            states,
            unknown,
            reducer,
            taken_back: VecDeque::new(),
            #[cfg(feature = "json")]
            kept: None,
        }
    }

    /// Decodes everything that is pending; answers with the warnings.
    pub(super) fn take_up(&mut self, update: u64) -> Vec<Entry> {
        let (mut all, mut warned) = (Vec::new(), Vec::new());
        let above = self.highest_given();
        for number in 0..self.states.len() {
            let state = &mut self.states[number];
            let (taken, before) = (state.unjudged, state.since);
            let mut warnings = state.take_up(self.schema, self.unknown, update);
            let anew = state.unjudged && (!taken || state.since != before);
            if anew && above.is_some_and(|above| number < above) {
                warnings.extend(self.hidden_edits(number));
            }
            #[cfg(feature = "dotenv")]
            if let (true, Some(Decoder::Variables(_))) = (anew, &self.states[number].decoder) {
                warnings.extend(self.other_spellings(number));
            }
            let state = &self.states[number];
            if !warnings.is_empty() || (anew && !state.warnings.is_empty()) {
                self.warned(number, warnings, &mut warned);
            }
        }
        for (number, warnings) in self.read_entries_again(update) {
            self.warned(number, warnings, &mut warned);
        }
        self.note_warned(warned, &mut all);
        if self.may_have_entries_without_effect() {
            all.extend(self.entries_without_effect());
        }
        if self.tables.is_some() {
            all.extend(self.replaced_tables());
        }
        all
    }

    /// The highest layer that sets paths by variables or arguments.
    fn highest_given(&self) -> Option<usize> {
        let is_given = |state: &LayerState| state.prefix.is_some() || state.arguments.is_some();
        self.states.iter().rposition(is_given)
    }

    /// These are the warnings of the layer from now on. What a variable is warned of is known at once, to those of other layers.
    fn warned(&mut self, number: usize, warnings: Vec<Entry>, all: &mut WarnedLayers) {
        let new = warnings
            .into_iter()
            .filter(|entry| !self.is_warned_of(number, entry));
        let entries: Vec<Entry> = new.map(|entry| entry.layer(number)).collect();
        if self.states[number].prefix.is_some() {
            self.states[number].warnings = self.problems_of_warnings(entries.clone());
        }
        all.push((number, entries));
    }

    /// Each of these layers has these warnings: they are put into words all together, since every document is searched for secrets.
    fn note_warned(&mut self, warned: WarnedLayers, all: &mut Vec<Entry>) {
        if warned.is_empty() {
            return;
        }
        let entries = warned.iter().map(|(_, entries)| entries.clone());
        let problems = self.problems_of_each(entries.collect());
        for ((number, entries), problems) in warned.into_iter().zip(problems) {
            self.states[number].warnings = problems;
            all.extend(entries);
        }
    }

    /// Whether the variable is reported by a layer below: a name without a prefix is one to each layer of the environment.
    fn is_warned_of(&self, number: usize, entry: &Entry) -> bool {
        let (below, at) = self.states.split_at(number);
        let of_environment = |state: &&LayerState| state.prefix.is_some();
        let of_environments = below.iter().filter(of_environment);
        let mut known = of_environments.flat_map(|state| &state.warnings);
        entry.variable.is_some()
            && at.first().is_some_and(|state| of_environment(&state))
            && known
                .any(|known| known.variable == entry.variable && known.path.steps() == entry.path())
    }

    /// The warnings of every layer, as the status has them.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for state in &self.states {
            for some in [
                &state.warnings,
                &state.empty_entries,
                &state.replaced_tables,
            ] {
                if !some.is_empty() {
                    warnings.extend_from_slice(some);
                }
            }
        }
        warnings
    }

    /// Warnings as the status has them.
    fn problems_of_warnings(&self, entries: Vec<Entry>) -> Vec<Problem> {
        // What a document is warned of quotes nothing but the document.
        let report = self.report(entries, Keeping::Applied, &SeenConfigurations::default());
        report.problems().to_vec()
    }

    /// The same for several layers, each by itself.
    fn problems_of_each(&self, layers: Vec<Vec<Entry>>) -> Vec<Vec<Problem>> {
        if layers.iter().all(Vec::is_empty) {
            return layers.iter().map(|_| Vec::new()).collect();
        }
        let secrets = self.secrets(&SeenConfigurations::default());
        let fields = (self.schema.fields)();
        let reports = Report::compose_each(fields, layers, Keeping::Applied, &secrets);
        let problems = reports.into_iter().map(Report::into_problems);
        problems.collect()
    }

    /// Why the newest content of the layers could not be decoded.
    pub(super) fn refusals(&self) -> Vec<Entry> {
        let mut refusals = Vec::new();
        for (number, state) in self.states.iter().enumerate() {
            let entries = state.refusal.iter().flatten().cloned();
            refusals.extend(entries.map(|entry| entry.layer(number)));
        }
        refusals
    }

    /// Whether there is content that was taken up and is not what readers see.
    pub(super) fn waits(&self) -> bool {
        self.states.iter().any(|state| state.candidate.is_some())
    }

    /// What the layers contain in what readers see; none where it is partly from a file of before.
    pub(crate) fn contents(&self) -> Option<Arc<[LayerContent]>> {
        let contents = self.all_contents();
        (!contents.iter().any(LayerContent::is_kept)).then_some(contents)
    }

    /// What the layers contain in what readers see.
    pub(super) fn all_contents(&self) -> Arc<[LayerContent]> {
        self.states.iter().map(LayerState::content).collect()
    }

    /// What the sources hold now, whether or not readers see it.
    pub(super) fn observed_contents(&self) -> Arc<[LayerContent]> {
        let states = self.states.iter();
        states.map(LayerState::observed_content).collect()
    }

    /// Whether the program makes the configuration of the layers, and not the merge rules of the fields.
    #[cfg(feature = "json")]
    pub(crate) fn is_reduced(&self) -> bool {
        self.reducer.is_some()
    }

    /// The layers, of which nobody sees anything yet.
    pub(super) fn served(&self) -> Served {
        let layers = self.states.iter().map(|state| ServedLayer {
            origin: state.origin.clone(),
            decoder: state.decoder.clone(),
            prefix: state.prefix.clone(),
            source: state.source,
            is_folder: state.drop_ins.is_some(),
            drop_in: state.drop_in.clone(),
        });
        Served {
            layers: layers.collect(),
            reduced: self.reducer.is_some(),
            ..Served::default()
        }
    }

    /// What is served, each layer called as the place where what readers see of it was found.
    pub(super) fn found(&self, served: &Served) -> Served {
        if !self.searches {
            return served.clone();
        }
        let layers = self.states.iter().zip(&*served.layers);
        let layers = layers.map(|(state, layer)| ServedLayer {
            origin: state.origin_of(false).clone(),
            decoder: layer.decoder.clone(),
            prefix: layer.prefix.clone(),
            source: layer.source,
            is_folder: layer.is_folder,
            drop_in: layer.drop_in.clone(),
        });
        // The same document may have been found in another place since.
        let contents = self.states.iter().zip(&*served.contents);
        let contents = contents.map(|(state, content)| match state.content() {
            newest if newest == *content => newest,
            _ => content.clone(),
        });
        Served {
            layers: layers.collect(),
            contents: contents.collect(),
            ..served.clone()
        }
    }

    /// The layers, with what of each is newest.
    pub(super) fn newest(&self) -> Served {
        let newest = |state: &LayerState| {
            let content = state.newest_content();
            content.unwrap_or(LayerContent::Silent(None))
        };
        Served {
            contents: self.states.iter().map(newest).collect(),
            ..self.served()
        }
    }

    /// The documents of an update, lowest layer first.
    pub(super) fn raw(&self, chosen: &[bool]) -> Arc<[Option<Arc<[u8]>>]> {
        (self.states.iter().zip(chosen))
            .map(|(state, candidate)| {
                let content = match candidate {
                    true => &state.candidate,
                    false => &state.accepted,
                };
                content.as_ref().and_then(|content| content.bytes.clone())
            })
            .collect()
    }

    /// Puts a report together, without any secret of the layers in it, or of these configurations.
    pub(super) fn report(
        &self,
        entries: Vec<Entry>,
        keeping: Keeping,
        built: &SeenConfigurations<'_>,
    ) -> Report {
        let secrets = self.secrets(built);
        Report::compose((self.schema.fields)(), entries, keeping, &secrets)
    }

    /// The secrets of the layers and of these configurations, for texts of the program's own code.
    pub(super) fn secret_book(&self, built: &SeenConfigurations<'_>) -> SecretBook {
        match self.has_secrets {
            true => SecretBook::of((self.schema.fields)(), self.secrets(built)),
            false => SecretBook::default(),
        }
    }

    /// Where the secrets of the layers and of these configurations are.
    fn secrets(&self, built: &SeenConfigurations<'_>) -> SecretSources<'_> {
        let states = || self.states.iter().enumerate();
        let documents = states().flat_map(|(layer, state)| {
            let documents = state.documents();
            documents.map(move |(bytes, decoder)| DocumentText {
                layer,
                bytes,
                decoder,
            })
        });
        let given = states().flat_map(|(layer, state)| {
            let secrets = state.secrets.iter();
            secrets.map(move |text| (layer, text))
        });
        SecretSources {
            documents: documents.collect(),
            given: given.collect(),
            uris: (self.states.iter())
                .filter_map(|state| Some(state.uri_secrets.as_ref()?.texts()))
                .collect(),
            built: match self.has_secrets {
                true => built.secrets(self.schema),
                false => Vec::new(),
            },
        }
    }

    /// Which layer sets which field, section by section: the highest one that contains a value for it.
    #[cfg(test)]
    pub(super) fn origins(&mut self) -> Vec<(Vec<Seg>, String)> {
        let mut paths = Vec::new();
        leaves((self.schema.fields)(), &[], MAX_DEPTH, &mut paths);
        let mut origins: Vec<Option<String>> = vec![None; paths.len()];
        let schema = self.schema;
        for state in &mut self.states {
            let decoder = state.decoder.as_ref();
            let content = state.candidate.as_mut().or(state.accepted.as_mut());
            let Some(layer) = content.and_then(|content| content.layer(schema, decoder)) else {
                continue;
            };
            for (path, origin) in paths.iter().zip(&mut origins) {
                if presence::depth((schema.parts)(layer), path) == path.len() {
                    *origin = Some(state.origin.to_string());
                }
            }
        }
        let set = paths.into_iter().zip(origins);
        set.filter_map(|(path, origin)| Some((path, origin?)))
            .collect()
    }
}

/// A document of a layer, without places where the parser with spans cannot follow it. None where it cannot be read.
fn document<'t>(bytes: &'t [u8], decoder: &Decoder) -> Option<Document<'t>> {
    let text = codec::text_of(bytes).ok()?;
    LazyModel::new(decoder, text).into_document()
}

/// Every field that is no section of its own; lists and maps of sections as a whole.
#[cfg(test)]
fn leaves(fields: &'static [Field], path: &[Seg], depth: u8, all: &mut Vec<Vec<Seg>>) {
    for field in fields {
        let mut path = path.to_vec();
        if !field.flatten {
            path.push(Seg::Key(field.name.into()));
        }
        match field.kind {
            Kind::Section(inner) if depth > 0 => leaves(inner(), &path, depth - 1, all),
            _ if field.flatten => {}
            _ => all.push(path),
        }
    }
}
