//! Which value readers keep at a path that waits for a restart: it is in what the layers contained when it was applied.

use super::Answers;
use crate::{
    engine::{LayerContent, Served, Status},
    inspect::explanation::Explanation,
    problem::{KeyPath, Seg},
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

/// The paths that wait for a restart.
#[derive(Default)]
pub(in crate::inspect) struct RunningPaths {
    /// The number of the contents with the value that runs.
    paths: HashMap<Vec<Seg>, usize>,
    contents: Vec<RunningContents>,
}

/// What the layers contained once, read when somebody asks.
struct RunningContents {
    contents: Arc<[LayerContent]>,
    read: OnceLock<(Answers, Status)>,
}

impl RunningPaths {
    pub(super) fn of(served: &Served) -> Self {
        let mut all = RunningPaths::default();
        for waiting in served.waiting.as_deref().unwrap_or_default() {
            let Ok(path) = waiting.path.parse::<KeyPath>() else {
                continue;
            };
            let is_it = |one: &RunningContents| Arc::ptr_eq(&one.contents, &waiting.running);
            let known = all.contents.iter().position(is_it);
            let number = known.unwrap_or_else(|| {
                all.contents.push(RunningContents {
                    contents: Arc::clone(&waiting.running),
                    read: OnceLock::new(),
                });
                all.contents.len() - 1
            });
            all.paths.insert(path.steps().to_vec(), number);
        }
        all
    }

    fn find(&self, path: &[Seg]) -> Option<&RunningContents> {
        if self.paths.is_empty() {
            return None;
        }
        let number = (0..=path.len()).find_map(|end| self.paths.get(&path[..end]))?;
        self.contents.get(*number)
    }

    /// Whether the same runs at a path, by these and by those.
    #[cfg(feature = "page")]
    pub(in crate::inspect) fn are_alike(&self, other: &Self, path: &[Seg]) -> bool {
        match (self.find(path), other.find(path)) {
            (Some(one), Some(other)) => Arc::ptr_eq(&one.contents, &other.contents),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Answers {
    /// What has the value that runs at a path which waits for a restart, or is in one that does; none for any other path.
    pub(in crate::inspect) fn running(&self, path: &[Seg]) -> Option<(&Answers, &Status)> {
        let running = self.running.find(path)?;
        let (answers, status) = match running.read.get() {
            Some(read) => read,
            // Not while the cell is held: types of the program read the documents, and may ask in turn.
            None => {
                let read = self.read(&running.contents);
                running.read.get_or_init(|| read)
            }
        };
        Some((answers, status))
    }

    fn read(&self, contents: &Arc<[LayerContent]>) -> (Answers, Status) {
        self.read_again(Served {
            contents: Arc::clone(contents),
            ..self.served.alone()
        })
    }

    /// What has the values that run, for each of the contents that some are in.
    pub(in crate::inspect) fn all_running(&self) -> Vec<(&Answers, &Status)> {
        let one_of_each = (0..self.running.contents.len()).filter_map(|number| {
            let mut paths = self.running.paths.iter();
            let (path, _) = paths.find(|(_, one)| **one == number)?;
            self.running(path)
        });
        one_of_each.collect()
    }

    /// The explanation of the value that runs at such a path; none where it is not set in what runs.
    pub(in crate::inspect) fn running_explanation(&self, path: &[Seg]) -> Option<Explanation> {
        let (answers, status) = self.running(path)?;
        let item = answers.find(path)?;
        Some(answers.explanation(path, item, status))
    }
}
