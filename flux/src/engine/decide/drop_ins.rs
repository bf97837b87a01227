//! What a source of several files delivers: each file is observed by its own layer, and what is known by the numbers of layers follows
//! where some come or go.

use super::Engine;
use crate::{
    engine::{
        content::LayerContent,
        event::EngineEvent,
        layer_state::{LayerState, renumber_entry},
        now::Now,
        proposal::Direction,
        renumbered::Renumbered,
        served::WaitingPath,
    },
    source::{Content, Observation, SourceError, drop_ins::files_of},
};
use std::{collections::BTreeSet, sync::Arc};

impl Engine {
    /// The source whose layer this is has several files, each with a layer of its own. Answers whether any of them is another content
    /// than before.
    #[cold]
    pub(super) fn observe_files(
        &mut self,
        layer: usize,
        observation: Observation,
        now: Now,
    ) -> bool {
        let content = match observation {
            Observation::Absent => None,
            Observation::Value(content) => Some(content),
            unreadable @ Observation::Unreadable(_) => {
                return self.observe_one(layer, unreadable, now);
            }
        };
        let files = content.as_ref().map(|content| files_of(&content.bytes));
        let Some(files) = files.unwrap_or_else(|| Some(Vec::new())) else {
            let error = SourceError::configuration(NO_FILES);
            return self.observe_one(layer, Observation::Unreadable(error), now);
        };
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        self.files_are(layer, &names);
        let keys = self.holds_first().then(|| self.layers.keys());
        let revision = content.as_ref().and_then(|one| one.revision.clone());
        let of_files = LayerState::of_files(!files.is_empty(), revision.clone());
        let mut news = self.layers.states[layer].observe(of_files, now);
        let mut files = files.into_iter().peekable();
        for number in self.layers.files_behind(layer) {
            let state = &mut self.layers.states[number];
            let file = files.next_if(|(file, _)| Some(*file) == state.drop_in.as_deref());
            let observation = match file {
                // Most of them are what they were, and are not copied.
                Some((_, bytes)) if state.holds(bytes) => {
                    state.revision.clone_from(&revision);
                    continue;
                }
                Some((_, bytes)) => Observation::Value(Content {
                    bytes: bytes.into(),
                    revision: revision.clone(),
                }),
                None => Observation::Absent,
            };
            if let Some(keys) = &keys {
                self.hold_first((number, keys[number].clone()), &observation, now);
            }
            news |= self.layers.states[number].observe(observation, now);
        }
        if news {
            let state = &mut self.layers.states[layer];
            state.changed = Some(now.wall);
            self.received_news(layer, now);
        }
        news
    }

    /// Each of these files has a layer, and those that are gone have none once nothing needs it.
    fn files_are(&mut self, layer: usize, names: &[&str]) {
        let needed = self.needed_layers();
        let trials = self.trials.as_deref();
        let keys = trials.map(|_| self.layers.keys());
        // As long as it is trusted with a file, that the file is gone may be what a process dies of.
        let is_trusted = |number: usize| {
            let mut known = trials.zip(keys.as_ref()).into_iter();
            known.any(|(trials, keys)| trials.trusts(&keys[number]))
        };
        let may_go = |number: usize, state: &LayerState| {
            state.is_gone() && !needed[number] && !is_trusted(number)
        };
        if let Some(numbers) = self.layers.files_are(layer, names, may_go) {
            self.renumber(&numbers);
        }
    }

    /// Which layers contain anything in what is served, or was and may be again.
    fn needed_layers(&self) -> Vec<bool> {
        let of_generations = self.generations.newest();
        let contents = of_generations.flat_map(|one| one.all_contents());
        let waiting = self.waiting.iter().flat_map(|all| all.iter());
        let withdrawn = self.withdrawn.iter();
        let withdrawn = withdrawn.flat_map(|one| {
            one.paths
                .iter()
                .map(|path| &path.running)
                .chain([&one.waited])
        });
        let all = contents
            .chain(waiting.map(|one| &one.running))
            .chain(withdrawn)
            .chain([&self.served.contents]);
        let mut needed = vec![false; self.layers.states.len()];
        for contents in all {
            for (needed, content) in needed.iter_mut().zip(&**contents) {
                *needed |= !matches!(content, LayerContent::Silent(_));
            }
        }
        needed
    }

    /// Layers have come or gone: every number of one follows.
    fn renumber(&mut self, numbers: &Renumbered) {
        self.layers.renumber(numbers);
        self.generations.renumber(numbers);
        let layers = self.layers.served().layers.to_vec();
        self.served = self.served.renumbered(numbers, layers);
        if let Some(waiting) = &mut self.waiting {
            *waiting = WaitingPath::renumbered(waiting, numbers).into();
        }
        for withdrawn in &mut self.withdrawn {
            *withdrawn = Arc::new(withdrawn.renumbered(numbers));
        }
        let mut entries: Vec<_> = self.unreported.iter_mut().collect();
        if let Some(proposal) = &mut self.proposal
            && let Direction::Forward {
                chosen, refused, ..
            } = &mut proposal.direction
        {
            *chosen = numbers.each(chosen, &false);
            entries.extend(refused);
        }
        if let Some(denied) = &mut self.denied {
            entries.extend(denied.entries_mut());
        }
        for entry in entries {
            renumber_entry(entry, numbers);
        }
        self.condition.renumber(|layer| numbers.now(layer));
        for event in &mut self.events {
            if let EngineEvent::ChangeReceived { layer }
            | EngineEvent::HealthChanged { layer }
            | EngineEvent::Judged { layer, .. } = event
                && let Some(now) = numbers.now(*layer)
            {
                *layer = now;
            }
        }
        self.remember_new(numbers);
    }

    /// The layers of files with these keys are known from now on.
    #[cfg_attr(
        not(feature = "json"),
        allow(dead_code, reason = "what outlives a process is kept as JSON")
    )]
    pub(crate) fn expect_files(&mut self, keys: &[&str], now: Now) {
        let names = self.layers.declared_names();
        let of_folder = |(folder, number): (usize, usize)| {
            let known = keys.iter().filter_map(|key| names.file(folder, key));
            let known: BTreeSet<String> = known.map(str::to_owned).collect();
            (number, known)
        };
        let folders = self.layers.folders().into_iter().enumerate();
        let found: Vec<_> = folders.map(of_folder).collect();
        // From the last one on, so that the numbers stay.
        for (number, mut files) in found.into_iter().rev() {
            for behind in self.layers.files_behind(number) {
                if let Some(known) = &self.layers.states[behind].drop_in {
                    files.remove(&**known);
                }
            }
            let names: Vec<&str> = files.iter().map(|file| &**file).collect();
            let numbers = self.layers.files_are(number, &names, |_, _| false);
            if let Some(numbers) = numbers {
                self.renumber(&numbers);
            }
            if !self.layers.states[number].answered() {
                continue;
            }
            // The source has answered, and without them.
            for behind in self.layers.files_behind(number) {
                let state = &mut self.layers.states[behind];
                let is_new = |name: &Arc<str>| files.contains(&**name);
                if state.drop_in.as_ref().is_some_and(is_new) {
                    state.observe(Observation::Absent, now);
                }
            }
        }
    }
}

/// In the place of a document that holds no files.
const NO_FILES: &str =
    "its documents hold files, as `source::DropIns::document` makes them, and this one does not";
