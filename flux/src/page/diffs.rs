//! What the page shows that each kept generation changed. Each is found out once, since its documents are read for it.

use super::subject::PageSubject;
use crate::{Status, inspect::Survey};
use std::{collections::BTreeMap, sync::Arc};

/// The most lines that are kept of one generation.
const MOST_LINES: usize = 50;

/// The lines of each generation: `pool.size: 4 -> 6 (app.yaml:3:9)`.
#[derive(Default)]
pub(super) struct GenerationDiffs(BTreeMap<u64, Arc<[String]>>);

impl GenerationDiffs {
    /// Of the generations in this status. What `before` has is used again; `known` is the survey of before.
    pub(super) fn of(
        subject: &dyn PageSubject,
        status: &Status,
        before: Option<&Self>,
        known: Option<&Survey>,
        now: Option<&Survey>,
    ) -> Self {
        let generations = status.generations.iter().map(|one| one.number);
        let lines = |number| {
            let found = before.and_then(|before| before.0.get(&number));
            let lines = found.cloned().unwrap_or_else(|| {
                let changed = now.map(|now| subject.changed_in(number, known, now));
                let changed = changed.into_iter().flatten().take(MOST_LINES);
                changed.map(|one| one.to_string()).collect()
            });
            (number, lines)
        };
        GenerationDiffs(generations.map(lines).collect())
    }

    pub(super) fn lines(&self, number: u64) -> &[String] {
        self.0.get(&number).map_or(&[], |lines| lines)
    }
}
