//! What a restart would read at a path that waits for one, where readers do not see all of what the sources hold: after a way back, or
//! beside a refused document.

use super::Answers;
use crate::{
    engine::{NewestContents, Served, Status},
    inspect::explanation::Explanation,
    problem::Seg,
};
use std::sync::OnceLock;

/// What the sources hold, read when somebody asks.
pub(in crate::inspect) struct NewestAnswers {
    newest: NewestContents,
    read: OnceLock<(Answers, Status)>,
}

/// What a restart would do with a path.
pub(super) enum AtRestart<'a> {
    /// It would refuse what the sources hold.
    Refuses,
    /// It would read this; none where the path is not set.
    Reads(&'a Answers, Option<Box<Explanation>>),
}

impl NewestAnswers {
    pub(super) fn new(newest: &NewestContents) -> Self {
        NewestAnswers {
            newest: newest.clone(),
            read: OnceLock::new(),
        }
    }

    /// Whether both are about the same.
    #[cfg(feature = "page")]
    pub(in crate::inspect) fn are_alike(&self, other: &Self) -> bool {
        self.newest == other.newest
    }
}

impl Answers {
    /// What a restart would do; none where it would read what these answers are about.
    pub(super) fn at_restart(&self, path: &[Seg]) -> Option<AtRestart<'_>> {
        let newest = self.newest.as_ref()?;
        if newest.newest.is_refused {
            return Some(AtRestart::Refuses);
        }
        let (answers, status) = match newest.read.get() {
            Some(read) => read,
            // Not while the cell is held: types of the program read the documents, and may ask in turn.
            None => {
                let read = self.read_again(Served {
                    contents: newest.newest.contents.clone(),
                    ..self.served.alone()
                });
                newest.read.get_or_init(|| read)
            }
        };
        let item = answers.find(path);
        let explained = item.map(|item| Box::new(answers.explanation(path, item, status)));
        Some(AtRestart::Reads(answers, explained))
    }

    /// What other contents of the same layers make.
    pub(super) fn read_again(&self, served: Served) -> (Answers, Status) {
        let mut status = Status::idle("", std::time::UNIX_EPOCH);
        status.generation = self.generation;
        status.served = served;
        let answers = Answers::new(self.schema, self.types, &status, None);
        (answers, status)
    }
}
