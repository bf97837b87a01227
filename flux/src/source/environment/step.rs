//! Steps of paths by which a field is found under any of its names.

use crate::{document::tree::Tree, problem::Seg, schema::Field};

/// One step to a value.
#[derive(Clone, Debug)]
pub(in crate::source) enum PathStep {
    /// Of a section.
    Field(&'static Field),
    /// Of a map.
    Entry(String),
    /// Of a list.
    Item(usize),
}

impl PathStep {
    pub(in crate::source) fn seg(&self) -> Seg {
        match self {
            PathStep::Field(field) => Seg::Key(field.name.into()),
            PathStep::Entry(key) => Seg::Key(key.clone().into()),
            PathStep::Item(index) => Seg::Index(*index),
        }
    }

    /// Whether it leads to the same place as another one from there.
    pub(in crate::source) fn is_same(&self, other: &PathStep) -> bool {
        match (self, other) {
            (PathStep::Field(one), PathStep::Field(other)) => one.name == other.name,
            (PathStep::Entry(one), PathStep::Entry(other)) => one == other,
            (PathStep::Item(one), PathStep::Item(other)) => one == other,
            _ => false,
        }
    }

    /// Whether a key of a document is this one.
    pub(in crate::source) fn is(&self, key: &str) -> bool {
        match self {
            PathStep::Field(field) => field.is(key),
            PathStep::Entry(entry) => entry == key,
            PathStep::Item(_) => false,
        }
    }
}

/// The path in documents.
pub(in crate::source) fn path_of(steps: &[PathStep]) -> Vec<Seg> {
    steps.iter().map(PathStep::seg).collect()
}

/// A document that contains nothing but `value`, at the end of the steps.
pub(in crate::source) fn alone(steps: &[PathStep], value: Tree) -> Tree {
    let outwards = steps.iter().rev();
    outwards.fold(value, |value, step| match step.seg() {
        Seg::Key(key) => Tree::Map(vec![(key.into_owned(), value)]),
        Seg::Index(_) => Tree::Seq(vec![value]),
    })
}
