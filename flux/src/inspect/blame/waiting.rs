//! Which changes of a path `blame` names that wait for a restart of the program, or waited for one, by which layer and since when.

use super::{BlameOutcome, BlamedChange, Blaming, ChangedSetting, settings};
use crate::{
    engine::{LayerContent, WaitingPath, WithdrawnWaits},
    problem::KeyPath,
};
use std::{sync::Arc, time::SystemTime};

impl Blaming<'_> {
    /// What the newest documents have at the path, and readers do not see yet.
    pub(super) fn waiting(&self) -> Vec<BlamedChange> {
        let served = &self.status.served;
        let mut all = Vec::new();
        for one in served.waiting.as_deref().unwrap_or_default() {
            let accepted = |outcome| self.waits(one, &served.contents, one.since, outcome);
            let Some(newest) = served.newest() else {
                all.extend(accepted(BlameOutcome::WaitsForRestart));
                continue;
            };
            // Since something else is refused or taken back, a restart would not read what was accepted.
            let since = self.status.since.max(one.since);
            let waited = accepted(BlameOutcome::Withdrawn(since));
            let waits = match newest.is_refused {
                true => None,
                false => {
                    let outcome = BlameOutcome::WaitsForRestart;
                    self.waits(one, &newest.contents, since, outcome)
                }
            };
            let is_same = |waits: &BlamedChange, waited: &BlamedChange| {
                let values = |one: &BlamedChange| -> Vec<_> {
                    let all = one.settings.iter();
                    all.map(|one| (one.path.clone(), one.new.clone())).collect()
                };
                values(waits) == values(waited)
            };
            match (waits, waited) {
                (Some(mut waits), Some(waited)) if is_same(&waits, &waited) => {
                    waits.at = one.since;
                    all.push(waits);
                }
                (waits, waited) => all.extend(waits.into_iter().chain(waited)),
            }
        }
        all
    }

    /// What waited for a restart, and does no more.
    pub(super) fn withdrawn(&self) -> Vec<BlamedChange> {
        let besides = self.status.served.besides.iter();
        let withdrawn = besides.flat_map(|one| &one.withdrawn);
        let each = withdrawn.flat_map(|all| all.paths.iter().map(move |one| (all, one)));
        let change = |(all, one): (&Arc<WithdrawnWaits>, &WaitingPath)| {
            let outcome = BlameOutcome::Withdrawn(all.until);
            self.waits(one, &all.waited, one.since, outcome)
        };
        each.filter_map(change).collect()
    }

    /// What of it is about the path that is asked about, where these contents are what waits or waited.
    fn waits(
        &self,
        one: &WaitingPath,
        contents: &Arc<[LayerContent]>,
        at: SystemTime,
        outcome: BlameOutcome,
    ) -> Option<BlamedChange> {
        let path = one.path.parse::<KeyPath>().ok()?;
        if !self.overlaps(path.steps()) {
            return None;
        }
        let path = match path.steps().starts_with(self.path) {
            true => path.steps(),
            false => self.path,
        };
        let number = self.status.generation;
        let before = self.made_of(&one.running, None, number, at);
        let newest = self.made_of(contents, None, number, at);
        let mut changed = settings::of_change(path, Some(&before), &newest);
        // A part of what waits may be the same in both.
        changed.retain(|one| !one.is_same());
        if changed.is_empty() {
            return None;
        }
        let mut origins: Vec<String> = Vec::new();
        for by in changed
            .iter()
            .filter_map(|one: &ChangedSetting| one.by.as_ref())
        {
            if !origins.contains(&by.origin) {
                origins.push(by.origin.clone());
            }
        }
        Some(BlamedChange {
            at,
            generation: None,
            origins,
            outcome,
            settings: changed,
        })
    }
}
