//! Which keys of a value are lost where another one is in its place.

use super::plain_tables::{TableForm, entries_of};
use crate::{document::tree::Tree, schema};
use std::collections::HashMap;

/// A warning names so many keys.
const MOST_KEYS: usize = 4;

/// The keys of a value that the one in its place lacks.
#[derive(Default)]
pub(super) struct LostKeys {
    /// The first of them, with what contains them.
    pub(super) named: Vec<String>,
    pub(super) count: usize,
}

impl LostKeys {
    pub(super) fn of(form: &TableForm, value: &Tree, below: &Tree) -> Self {
        let mut lost = LostKeys::default();
        let (Some(now), Some(before)) = (entries_of(value), entries_of(below)) else {
            return lost;
        };
        match form {
            TableForm::Variant => {
                // Another variant has other keys.
                if let ([(one, now)], [(other, before)]) = (&*now, &*before)
                    && one == other
                {
                    lost.compare(now, before, None, &mut vec![one.clone()]);
                }
            }
            // Where nothing is the same, another variant may be meant.
            TableForm::Tagged if !share_a_text(&now, &before) => {}
            TableForm::Struct(keys) => lost.compare(value, below, Some(*keys), &mut Vec::new()),
            _ => lost.compare(value, below, None, &mut Vec::new()),
        }
        lost
    }

    fn compare(
        &mut self,
        now: &Tree,
        before: &Tree,
        known: Option<&[&str]>,
        path: &mut Vec<String>,
    ) {
        let (Some(now), Some(before)) = (entries_of(now), entries_of(before)) else {
            return;
        };
        let now = by_key(&now);
        for (key, below) in before.iter() {
            let is_known = known.is_none_or(|known| known.contains(&key.as_str()));
            // A key with a blank or a quote may be a value whose colon was forgotten.
            if !is_known || matches!(below, Tree::Null) || schema::separates(key) {
                continue;
            }
            path.push(key.clone());
            match now.get(key.as_str()) {
                None => {
                    self.count += 1;
                    if self.named.len() < MOST_KEYS {
                        self.named.push(path.join("."));
                    }
                }
                Some(value) => self.compare(value, below, None, path),
            }
            path.pop();
        }
    }
}

fn by_key(entries: &[(String, Tree)]) -> HashMap<&str, &Tree> {
    let entries = entries.iter();
    entries.map(|(key, value)| (key.as_str(), value)).collect()
}

fn share_a_text(now: &[(String, Tree)], before: &[(String, Tree)]) -> bool {
    let text = |tree: &Tree| match tree {
        Tree::Str(text) | Tree::Raw(text) => Some(text.clone()),
        _ => None,
    };
    let before = by_key(before);
    now.iter().any(|(key, value)| {
        let same = before.get(key.as_str());
        let value = text(value);
        value.is_some() && same.is_some_and(|below| text(below) == value)
    })
}
