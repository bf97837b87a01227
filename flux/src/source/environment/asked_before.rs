//! What was asked of the places of a config type, so that each is asked once.

use crate::{
    document::{AskedForm, AskedValue},
    problem::Seg,
};
use std::{cell::RefCell, collections::HashMap, hash::Hash};

/// What was asked before.
#[derive(Default)]
pub(super) struct AskedBefore {
    pub(super) values: RefCell<HashMap<Vec<Seg>, AskedValue>>,
    pub(super) forms: RefCell<HashMap<Vec<Seg>, Option<AskedForm>>>,
    pub(super) whole_maps: RefCell<HashMap<Vec<Seg>, bool>>,
}

/// The answer for this key, asked for if it is not known.
pub(super) fn once<K: Hash + Eq, T: Copy>(
    known: &RefCell<HashMap<K, T>>,
    key: K,
    ask: impl FnOnce() -> T,
) -> T {
    if let Some(known) = known.borrow().get(&key) {
        return *known;
    }
    let asked = ask();
    known.borrow_mut().insert(key, asked);
    asked
}
