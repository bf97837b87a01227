//! From the layers to a configuration that keeps every rule, or to everything that is wrong and where.

use super::{
    content::LayerContent,
    judge::broken_rules,
    layer_state::LayerState,
    locate::{locate, locate_in, pick},
    schema::{Built, Schema, Stamp},
    served::{Served, ServedLayer},
    value::{AnyLayer, AnySnapshot},
};
use crate::{
    Report,
    codec::Unknown,
    problem::{Flaw, ProblemKind, Seg, What, caught, printed},
    report::{
        Entry, Keeping,
        outgoing::SecretBook,
        secrets::{DocumentText, SecretSources},
    },
    schema::{any_secret, with_own_names},
};
#[cfg(test)]
use crate::{
    layer::presence,
    schema::{Field, Kind, MAX_DEPTH},
};
use std::{collections::HashSet, sync::Arc};

/// A reducer of the program: the configuration that readers see and the layers, lowest first, to the folded layer.
pub(crate) type Reducer =
    Arc<dyn Fn(Option<&AnySnapshot>, &[&AnyLayer]) -> Result<AnyLayer, ReducerError> + Send + Sync>;

/// Why a reducer of the program refuses.
pub(crate) type ReducerError = Box<dyn std::error::Error + Send + Sync>;

/// The layers of a capacitor, lowest precedence first.
pub(crate) struct Layers {
    pub(crate) schema: &'static Schema,
    pub(crate) states: Vec<LayerState>,
    unknown: Unknown,
    reducer: Option<Reducer>,
    /// Whether the type has secrets: asked on every update with a pipeline.
    has_secrets: bool,
}

/// What a configuration is built beside.
pub(super) struct Beside<'a> {
    /// What readers see, for the program's reducer.
    pub(super) current: Option<&'a AnySnapshot>,
    /// What the rules on changes compare with; none for the first configuration after a start.
    pub(super) running: Option<&'a AnySnapshot>,
    pub(super) stamp: Stamp,
}

/// What can be made of the newest content of the layers.
pub(super) enum Resolved {
    /// A configuration from the candidates of these layers; what else of the newest content is refused.
    Good {
        built: Built,
        chosen: Vec<bool>,
        refused: Vec<Entry>,
    },
    /// A layer has never had any content that could be decoded.
    Undecodable(Vec<Entry>),
    /// Everything could be decoded, and nothing good can be made of it.
    Invalid(Vec<Entry>),
}

impl Layers {
    pub(crate) fn new(
        schema: &'static Schema,
        states: Vec<LayerState>,
        unknown: Unknown,
        reducer: Option<Reducer>,
    ) -> Self {
        Layers {
            schema,
            states,
            unknown,
            reducer,
            has_secrets: any_secret((schema.fields)()),
        }
    }

    /// What the layers are called where they are kept: their origins, the second with the same one as `origin#2`.
    pub(crate) fn keys(&self) -> Vec<String> {
        let key = |(number, state): (usize, &LayerState)| {
            let before = self.states.iter().take(number);
            match before.filter(|one| one.origin == state.origin).count() {
                0 => state.origin.clone(),
                same => format!("{}#{}", state.origin, same + 1),
            }
        };
        self.states.iter().enumerate().map(key).collect()
    }

    /// Decodes everything that is pending; answers with the warnings.
    pub(super) fn take_up(&mut self, update: u64) -> Vec<Entry> {
        let mut all = Vec::new();
        for number in 0..self.states.len() {
            let state = &mut self.states[number];
            let (taken, before) = (state.unjudged, state.since);
            let mut warnings = state.take_up(self.schema, self.unknown, update);
            let anew = state.unjudged && (!taken || state.since != before);
            if anew {
                warnings.extend(self.hidden_edits(number));
            }
            let state = &self.states[number];
            if !warnings.is_empty() || (anew && !state.warnings.is_empty()) {
                all.extend(self.warned(number, warnings));
            }
        }
        for (number, warnings) in self.read_entries_again(update) {
            all.extend(self.warned(number, warnings));
        }
        all
    }

    /// These are the warnings of the layer from now on.
    fn warned(&mut self, number: usize, warnings: Vec<Entry>) -> Vec<Entry> {
        let numbered = warnings.into_iter().map(|entry| entry.layer(number));
        let entries: Vec<Entry> = numbered.collect();
        let report = self.report(entries.clone(), Keeping::Applied);
        self.states[number].warnings = report.problems().to_vec();
        entries
    }

    /// Makes the best of what was taken up. `nothing_applied` where readers see nothing yet: then even what is kept on disk counts.
    pub(super) fn resolve(&mut self, beside: &Beside<'_>) -> Resolved {
        let refused = self.diagnose(self.refusals());
        if self.states.iter().any(|state| !state.is_usable()) {
            return Resolved::Undecodable(refused);
        }
        let newest: Vec<bool> = (self.states.iter())
            .map(|state| state.candidate.is_some())
            .collect();
        let problems = match self.build(&newest, beside) {
            Ok(built) => {
                return Resolved::Good {
                    built,
                    chosen: newest,
                    refused,
                };
            }
            Err(problems) => problems,
        };
        let mut entries = refused;
        let mut known: HashSet<u64> = entries.iter().map(Entry::place_hash).collect();
        for entry in self.locate(problems, &newest, beside) {
            let is_new = known.insert(entry.place_hash());
            if is_new || !entries.iter().any(|known| known.is_same(&entry)) {
                entries.push(entry);
            }
        }
        if let Some((built, chosen)) = self.without_what_is_bad(&newest, beside) {
            return Resolved::Good {
                built,
                chosen,
                refused: entries,
            };
        }
        // What is kept on disk serves until there is something good.
        let kept = vec![false; self.states.len()];
        if beside.current.is_none()
            && self.states.iter().all(LayerState::is_accepted)
            && let Ok(built) = self.build(&kept, beside)
        {
            return Resolved::Good {
                built,
                chosen: kept,
                refused: entries,
            };
        }
        Resolved::Invalid(entries)
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
        (!contents.contains(&LayerContent::Kept)).then_some(contents)
    }

    /// What the layers contain in what readers see.
    pub(super) fn all_contents(&self) -> Arc<[LayerContent]> {
        self.states.iter().map(LayerState::content).collect()
    }

    /// The layers, of which nobody sees anything yet.
    pub(super) fn served(&self) -> Served {
        let layers = self.states.iter().map(|state| ServedLayer {
            origin: state.origin.clone(),
            decoder: state.decoder.clone(),
            prefix: state.prefix.clone(),
        });
        Served {
            layers: layers.collect(),
            reduced: self.reducer.is_some(),
            ..Served::default()
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

    /// Puts a report together, without any secret of the layers in it.
    pub(super) fn report(&self, entries: Vec<Entry>, keeping: Keeping) -> Report {
        Report::compose((self.schema.fields)(), entries, keeping, &self.secrets())
    }

    /// The secrets of the layers, for texts of the program's own code.
    pub(crate) fn secret_book(&self) -> SecretBook {
        if !self.has_secrets {
            return SecretBook::default();
        }
        let sources = self.secrets();
        let given = sources.given.into_iter();
        SecretBook::of((self.schema.fields)(), sources.documents.into_iter(), given)
    }

    /// Where the secrets of the layers are.
    fn secrets(&self) -> SecretSources<'_> {
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
                    *origin = Some(state.origin.clone());
                }
            }
        }
        let set = paths.into_iter().zip(origins);
        set.filter_map(|(path, origin)| Some((path, origin?)))
            .collect()
    }

    /// Content that is refused must not block what is good: of the candidates, those that make a valid value, the newest first.
    /// What was taken up together stays together.
    fn without_what_is_bad(
        &mut self,
        newest: &[bool],
        beside: &Beside<'_>,
    ) -> Option<(Built, Vec<bool>)> {
        let candidates = self.states.iter().zip(newest);
        let mut updates: Vec<u64> = candidates
            .filter(|(_, candidate)| **candidate)
            .map(|(state, _)| state.since)
            .collect();
        updates.sort_unstable_by(|a, b| b.cmp(a));
        updates.dedup();
        let mut best = None;
        let mut chosen = vec![false; self.states.len()];
        for update in updates {
            let states = self.states.iter().zip(newest).zip(&chosen);
            let with: Vec<bool> = states
                .map(|((state, candidate), chosen)| *chosen || *candidate && state.since == update)
                .collect();
            let possible =
                (self.states.iter().zip(&with)).all(|(state, with)| *with || state.is_accepted());
            if with != newest
                && possible
                && let Ok(built) = self.build(&with, beside)
            {
                best = Some((built, with.clone()));
                chosen = with;
            }
        }
        best
    }

    /// Folds the chosen contents, builds the struct and checks its rules.
    pub(super) fn build(
        &mut self,
        chosen: &[bool],
        beside: &Beside<'_>,
    ) -> Result<Built, Vec<Flaw>> {
        let built = caught(|| {
            let folded = self.fold(chosen, beside.current)?;
            (self.schema.build)(folded, beside.running, beside.stamp)
        });
        built.unwrap_or_else(|panic| {
            let text = format!("building it panicked: {panic}");
            Err(vec![Flaw::whole(What::Panic(text))])
        })
    }

    fn fold(
        &mut self,
        chosen: &[bool],
        current: Option<&AnySnapshot>,
    ) -> Result<AnyLayer, Vec<Flaw>> {
        let schema = self.schema;
        if let Some(reducer) = self.reducer.clone() {
            let mut layers = Vec::with_capacity(self.states.len());
            for (state, candidate) in self.states.iter_mut().zip(chosen) {
                let (content, decoder) = pick(state, *candidate);
                layers.extend(content.and_then(|content| content.layer(schema, decoder)));
            }
            return reducer(current, &layers).map_err(|error| {
                let text = format!("the reducer refused: {}", printed(&error));
                vec![Flaw::whole(What::message(ProblemKind::Reducer, text))]
            });
        }
        let mut base: Option<AnyLayer> = None;
        for (state, candidate) in self.states.iter_mut().zip(chosen) {
            let (content, decoder) = pick(state, *candidate);
            let Some(content) = content else { continue };
            match &mut base {
                None => base = content.base(schema, decoder),
                Some(base) => {
                    if let Some(layer) = content.layer(schema, decoder) {
                        (schema.over)(base, layer);
                    }
                }
            }
        }
        Ok(base.unwrap_or_else(schema.empty))
    }

    /// Adds what else is wrong with content that could only be read in part: its broken rules and missing values.
    fn diagnose(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let unread = (self.states.iter())
            .rposition(|state| state.partial.is_none() && !state.is_usable())
            .filter(|_| !entries.is_empty());
        if unread.is_none() && self.states.iter().all(|state| state.partial.is_none()) {
            return entries;
        }
        let schema = self.schema;
        let layers = self.states.iter_mut().filter_map(|state| {
            let decoder = state.decoder.as_ref();
            let content = state.candidate.as_mut().or(state.accepted.as_mut());
            match &state.partial {
                Some(partial) => Some(partial),
                None => content.and_then(|content| content.layer(schema, decoder)),
            }
        });
        let found = broken_rules(schema, layers);
        let known = entries.len();
        let own_name = |entry: &Entry| with_own_names((schema.fields)(), entry.path());
        let paths: Vec<Vec<Seg>> = entries.iter().map(own_name).collect();
        for problem in found.unwrap_or_default().0 {
            let entry = locate(schema, &mut self.states, problem, None);
            let is_told = || {
                let mut told = entries[..known].iter().zip(&paths);
                told.any(|(known, path)| known.explains(path, &entry))
            };
            // What a layer contains that nobody could read may be right.
            let is_unsure = || unread.is_some_and(|unread| !entry.is_set_above(unread));
            if !is_unsure() && !is_told() {
                entries.push(entry);
            }
        }
        entries
    }

    /// Finds the layer that set each problem's value, and where in its document.
    fn locate(&mut self, problems: Vec<Flaw>, chosen: &[bool], beside: &Beside<'_>) -> Vec<Entry> {
        let changes = self.changes(&problems, chosen, beside);
        let located = problems.into_iter().map(|problem| {
            let states = &mut self.states;
            match changes.made_by(&problem) {
                Some(layer) => locate_in(self.schema, &mut states[layer], layer, problem),
                None => locate(self.schema, states, problem, Some(chosen)),
            }
        });
        located.collect()
    }
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
