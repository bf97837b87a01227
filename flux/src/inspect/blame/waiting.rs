//! Which changes of a path `blame` names that wait for a restart of the program, by which layer and since when.

use super::{BlameOutcome, BlamedChange, Blaming, ChangedSetting, settings};
use crate::problem::KeyPath;

impl Blaming<'_> {
    /// What the newest documents have at the path, and readers do not see yet.
    pub(super) fn waiting(&self) -> Vec<BlamedChange> {
        let waiting = self.status.served.waiting.as_deref().unwrap_or_default();
        let mut all = Vec::new();
        for one in waiting {
            let Ok(path) = one.path.parse::<KeyPath>() else {
                continue;
            };
            if !self.overlaps(path.steps()) {
                continue;
            }
            let path = match path.steps().starts_with(self.path) {
                true => path.steps(),
                false => self.path,
            };
            let number = self.status.generation;
            let before = self.made_of(&one.running, number, one.since);
            let newest = self.made_of(&self.status.served.contents, number, one.since);
            let mut changed = settings::of_change(path, Some(&before), &newest);
            // A part of what waits may be the same in both.
            changed.retain(|one| !one.is_same());
            if changed.is_empty() {
                continue;
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
            all.push(BlamedChange {
                at: one.since,
                generation: None,
                origins,
                outcome: BlameOutcome::WaitsForRestart,
                settings: changed,
            });
        }
        all
    }
}
