//! The parts of the page as HTML, in their order: what is wrong first.

mod control;
mod document;
mod generations;
mod head;
mod layers;
mod own_page;
mod problems;
mod settings;

pub(super) use document::{PageDocument, document};
pub(super) use head::title;
pub(super) use own_page::{planned, refused_order, silent};
pub(super) use settings::{row, words};

use super::{
    diffs::GenerationDiffs,
    html::{Html, ReadAt},
};
use crate::{Status, inspect::ConfigFingerprint};

/// What is replaced as a whole where it changes.
#[derive(PartialEq, Eq)]
pub(super) struct PageParts {
    head: Html,
    problems: Html,
    control: Html,
    layers: Html,
    generations: Html,
}

impl PageParts {
    /// The parts, for who reads them now.
    pub(super) fn of(
        status: &Status,
        diffs: &GenerationDiffs,
        fingerprint: Option<ConfigFingerprint>,
        now: ReadAt,
    ) -> Self {
        PageParts {
            head: head::head(status, fingerprint, now),
            problems: problems::problems(status, now),
            control: control::control(status),
            layers: layers::layers(status, now),
            generations: generations::generations(status, diffs, now),
        }
    }

    /// Each with the id of its element.
    pub(super) fn each(&self) -> [(&'static str, &Html); 5] {
        [
            ("head", &self.head),
            ("problems", &self.problems),
            ("control", &self.control),
            ("layers", &self.layers),
            ("generations", &self.generations),
        ]
    }
}
