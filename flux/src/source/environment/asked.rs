//! What the type of a value reads: a map, a list, a struct with these keys. Each place is asked once, however many names lead to it.

use super::{
    Environment,
    asked_before::once,
    step::{self, PathStep, path_of},
};
use crate::{
    document::{AskedForm, AskedValue, asked_form, asked_value, tree::Tree},
    problem::Seg,
    schema::{self, Reached},
};

impl<L> Environment<'_, L> {
    /// What the value at a path is read as.
    pub(super) fn asked(&self, path: &[Seg]) -> AskedValue {
        once(&self.asked.values, path.to_vec(), || {
            let tree = alone(path, Tree::Raw("x".to_owned()));
            asked_value(|| {
                (self.decode)(&tree, false);
            })
        })
    }

    /// What the value at these steps is written as, where that is a map or a list whose parts may be set: without those below it, what
    /// is around a map would lose its other entries.
    pub(super) fn form(&self, steps: &[PathStep]) -> Option<AskedForm> {
        let form = once(&self.asked.forms, path_of(steps), || {
            let tree = step::alone(steps, Tree::Raw(String::new()));
            asked_form(|| {
                (self.decode)(&tree, false);
            })
        });
        let is_whole =
            |step: &PathStep| matches!(step, PathStep::Field(field) if !field.lays_entries());
        form.filter(|form| *form != AskedForm::Map || !steps.last().is_some_and(is_whole))
    }

    /// Whether the value of a field is a map with something around it, as in a newtype: no entry of it can be set by itself.
    pub(super) fn is_whole_map(&self, path: &[Seg]) -> bool {
        let Reached::Leaf(field, end) = schema::follow(self.fields, path) else {
            return false;
        };
        let is_map = || {
            let tree = alone(path, Tree::Raw("x".to_owned()));
            let ask = || {
                (self.decode)(&tree, false);
            };
            asked_form(ask) == Some(AskedForm::Map)
        };
        end == path.len()
            && !field.lays_entries()
            && once(&self.asked.whole_maps, path.to_vec(), is_map)
    }
}

/// A tree with this value at the path, and nothing else.
pub(super) fn alone(path: &[Seg], value: Tree) -> Tree {
    path.iter().rev().fold(value, |inner, seg| match seg {
        Seg::Key(key) => Tree::Map(vec![(key.to_string(), inner)]),
        Seg::Index(_) => Tree::Seq(vec![inner]),
    })
}
