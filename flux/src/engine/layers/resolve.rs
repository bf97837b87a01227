//! From the layers to a configuration that keeps every rule: which updates are applied where several layers together break one, and
//! else everything that is wrong.

use super::Layers;
use crate::{
    engine::{
        judge::broken_rules,
        locate::{locate, locate_in, pick},
        schema::{Built, Stamp},
        value::{AnyLayer, AnySnapshot},
    },
    problem::{Flaw, ProblemKind, Seg, What, caught, printed},
    report::Entry,
    schema::with_own_names,
};
use std::collections::HashSet;

/// What a configuration is built beside.
pub(in crate::engine) struct Beside<'a> {
    /// What readers see, for the program's reducer.
    pub(in crate::engine) current: Option<&'a AnySnapshot>,
    /// What the rules on changes compare with; none for the first configuration after a start.
    pub(in crate::engine) running: Option<&'a AnySnapshot>,
    pub(in crate::engine) stamp: Stamp,
}

/// What can be made of the newest content of the layers.
pub(in crate::engine) enum Resolved {
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
    /// Makes the best of what was taken up; where readers see nothing yet, even what is kept on disk counts.
    pub(in crate::engine) fn resolve(&mut self, beside: &Beside<'_>) -> Resolved {
        let refused = self.diagnose(self.refusals());
        let newest = self.newest_chosen();
        // Of a file that is held back by another one of its folder, nothing may be accepted yet: then it would count as absent.
        let mut states = self.states.iter().zip(&newest);
        if states.any(|(state, newest)| !newest && !state.is_accepted()) {
            return Resolved::Undecodable(refused);
        }
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
        // What is kept on disk serves as a whole until there is something good.
        #[cfg(feature = "json")]
        if let (None, Some(kept)) = (beside.current, self.kept.clone())
            && let Some((built, chosen)) = self.build_kept(beside)
        {
            let last = entries.pop().map(|last| last.kept(kept));
            entries.extend(last);
            return Resolved::Good {
                built,
                chosen,
                refused: entries,
            };
        }
        if let Some((built, chosen)) = self.without_what_is_bad(&newest, beside) {
            return Resolved::Good {
                built,
                chosen,
                refused: entries,
            };
        }
        Resolved::Invalid(entries)
    }

    /// What is kept on disk, with which layers were filled. What has nothing there, such as the environment, is what it is.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn build_kept(
        &mut self,
        beside: &Beside<'_>,
    ) -> Option<(Built, Vec<bool>)> {
        let states = self.states.iter();
        let chosen: Vec<bool> = states.map(|state| !state.is_accepted()).collect();
        if !self.mean_the_same_above_accepted(&chosen) {
            return None;
        }
        let built = self.build(&chosen, beside).ok()?;
        Some((built, chosen))
    }

    /// Content that is refused must not block what is good: of the candidates, those that make a valid value, the newest first.
    /// What was taken up together stays together, and so do the files of one source.
    fn without_what_is_bad(
        &mut self,
        newest: &[bool],
        beside: &Beside<'_>,
    ) -> Option<(Built, Vec<bool>)> {
        let since = self.taken_up(newest);
        let mut updates: Vec<u64> = since.iter().flatten().copied().collect();
        updates.sort_unstable_by(|a, b| b.cmp(a));
        updates.dedup();
        let mut best = None;
        let mut chosen = vec![false; self.states.len()];
        for update in updates {
            let states = since.iter().zip(&chosen);
            let with: Vec<bool> = states
                .map(|(since, chosen)| *chosen || *since == Some(update))
                .collect();
            let possible =
                (self.states.iter().zip(&with)).all(|(state, with)| *with || state.is_accepted());
            if with != newest
                && possible
                && self.mean_the_same_above_accepted(&with)
                && let Ok(built) = self.build(&with, beside)
            {
                best = Some((built, with.clone()));
                chosen = with;
            }
        }
        best
    }

    /// Folds the chosen contents, builds the struct and checks its rules.
    pub(in crate::engine) fn build(
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
        let states = &mut self.states;
        // Of a list that an upper layer replaces, nobody will see the items.
        entries.retain(|entry| {
            !entry.is_replaced_rule(|problem| locate(schema, states, problem, None))
        });
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
