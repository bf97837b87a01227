//! Which settings `blame` lists for a path that changed: of a section that several layers make, each one with the layer that sets it.

use super::{AnsweredGeneration, ChangedSetting};
use crate::{
    inspect::{
        effective::value_at,
        item::{Effect, ExplainedItem, each_leaf},
        value::ConfigValue,
    },
    problem::Seg,
};
use std::collections::HashSet;

/// The path as one setting where one layer has all of it, or it has no parts; otherwise what is set in it, or has changed.
pub(super) fn of_change(
    path: &[Seg],
    before: Option<&AnsweredGeneration>,
    now: &AnsweredGeneration,
) -> Vec<ChangedSetting> {
    let one = |path: &[Seg]| ChangedSetting::new(path, before, now);
    let item = now.0.find(path);
    if !path.is_empty() && !item.is_some_and(is_of_several_layers) {
        return vec![one(path)];
    }
    let (mut leaves, mut known) = (Vec::new(), HashSet::new());
    let mut add = |(answers, _): &AnsweredGeneration| {
        let parts = match path.is_empty() {
            true => answers.items(),
            false => match answers.find(path) {
                Some(item) => &item.parts,
                None => return,
            },
        };
        each_leaf(parts, &mut |below, _| {
            let leaf = [path, below].concat();
            if known.insert(leaf.clone()) {
                leaves.push(leaf);
            }
        });
    };
    add(now);
    before.into_iter().for_each(&mut add);
    let secret = |(answers, status): &AnsweredGeneration, leaf: &[Seg]| {
        value_at(answers, status, leaf) == Some(ConfigValue::Secret)
    };
    // Whether a secret is another one than before is not known here.
    let is_kept =
        |leaf: &Vec<Seg>| before.is_none_or(|before| !(secret(before, leaf) && secret(now, leaf)));
    let all = leaves.iter().filter(|leaf| is_kept(leaf));
    let all = all.map(|leaf| one(leaf)).filter(|one| match before {
        Some(_) => !one.is_same(),
        None => one.by.is_some(),
    });
    let all: Vec<ChangedSetting> = all.collect();
    match all.is_empty() {
        true => vec![one(path)],
        false => all,
    }
}

fn is_of_several_layers(item: &ExplainedItem) -> bool {
    let set = item.settings.iter();
    let set = set.filter(|one| one.effect != Effect::Shadowed);
    item.is_structure && !item.parts.is_empty() && set.count() > 1
}
