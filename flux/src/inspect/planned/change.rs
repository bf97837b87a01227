//! Which settings a plan lists as changed, with their old and new values.

use crate::{
    engine::Status,
    inspect::{
        answers::Answers,
        effective::value_at,
        explanation::{Setting, shown},
        item::{ExplainedItem, ItemOutcome, each_leaf},
        value::ConfigValue,
    },
    problem::{KeyPath, Seg},
};
use std::collections::HashSet;

/// A setting that would change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlannedChange {
    /// The path.
    pub path: KeyPath,
    /// The value that runs; none where it is not set, or known to the program alone.
    pub old: Option<ConfigValue>,
    /// The value that would run.
    pub new: Option<ConfigValue>,
    /// Where the new value would come from; none of a default.
    pub by: Option<Setting>,
    /// Whether readers would keep the old value until a restart of the program.
    pub waits_for_restart: bool,
    /// Both values for people.
    pub(super) printed: [String; 2],
}

/// The leaves that have another value, where nothing could be built to compare.
pub(super) fn different(old: &Answers, new: &Answers) -> Vec<Vec<Seg>> {
    different_or(old, new, &|_, _| false)
}

/// The same, and those of which `is_other` holds all the same.
pub(super) fn different_or(
    old: &Answers,
    new: &Answers,
    is_other: &dyn Fn(&[Seg], &ExplainedItem) -> bool,
) -> Vec<Vec<Seg>> {
    let (mut paths, mut known) = (Vec::new(), HashSet::new());
    let mut add = |path: &[Seg], one: &ExplainedItem, other: &Answers| {
        let is_same = (other.find(path)).is_some_and(|item| item.outcome == one.outcome);
        if (!is_same || is_other(path, one)) && known.insert(path.to_vec()) {
            paths.push(path.to_vec());
        }
    };
    each_leaf(new.items(), &mut |path, item| add(path, item, old));
    each_leaf(old.items(), &mut |path, item| add(path, item, new));
    paths
}

/// Answers, and the status that they are about.
pub(super) type AnsweredSide<'a> = (&'a Answers, &'a Status);

impl PlannedChange {
    /// What differs, without the rules on changes.
    pub(in crate::inspect) fn between(old: AnsweredSide<'_>, new: AnsweredSide<'_>) -> Vec<Self> {
        let paths = different(old.0, new.0);
        let paths = paths.iter();
        paths
            .map(|path| PlannedChange::new(path, old, new, false))
            .collect()
    }

    /// Whether one of its values is secret, or has a secret in it, which is not compared by what is shown of it.
    pub(super) fn has_secret(&self) -> bool {
        let values = [&self.old, &self.new];
        let mut values = values.into_iter().flatten();
        values.any(ConfigValue::has_secret)
    }

    pub(super) fn new(
        path: &[Seg],
        old: AnsweredSide<'_>,
        new: AnsweredSide<'_>,
        waits: bool,
    ) -> Self {
        let values = (value_at(old.0, old.1, path), value_at(new.0, new.1, path));
        let printed = [
            printed(old.0, path, &values.0),
            printed(new.0, path, &values.1),
        ];
        let path = KeyPath::new(path);
        let by = new.0.explain(path.as_str(), new.1).ok();
        PlannedChange {
            path,
            old: values.0,
            new: values.1,
            by: by.and_then(|one| one.decided_by().cloned()),
            waits_for_restart: waits,
            printed,
        }
    }
}

/// In the place of a value that has the text of a secret.
pub(in crate::inspect) const WITHHELD_VALUE: &str = "<withheld>";

/// A value for people, or why there is none.
pub(in crate::inspect) fn printed(
    answers: &Answers,
    path: &[Seg],
    value: &Option<ConfigValue>,
) -> String {
    let item = answers.find(path);
    let outcome = item.map(|item| &item.outcome);
    match (value, outcome) {
        (Some(ConfigValue::Secret), _)
            if item.is_some_and(|item| item.settings.iter().any(|one| one.withheld.is_some())) =>
        {
            WITHHELD_VALUE.to_owned()
        }
        (Some(value), _) => shown(value),
        (None, Some(ItemOutcome::Default)) => "its default".to_owned(),
        (None, Some(ItemOutcome::Value(_))) => "what the program makes of it".to_owned(),
        (None, _) => "nothing".to_owned(),
    }
}
