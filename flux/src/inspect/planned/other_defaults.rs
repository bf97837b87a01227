//! Which settings differ from a configuration of a program that had other defaults.

use super::change::{AnsweredSide, PlannedChange, different_or};
use crate::{
    inspect::{
        default,
        explanation::shown,
        item::{ExplainedItem, ItemOutcome},
        value::ConfigValue,
    },
    problem::Seg,
    runtime::{KeptDefault, KeptDefaults},
    schema::Field,
};

/// The defaults of then beside those of this program.
pub(super) struct OtherDefaults<'a> {
    fields: &'static [Field],
    before: &'a KeptDefaults,
    now: KeptDefaults,
}

impl<'a> OtherDefaults<'a> {
    pub(super) fn new(fields: &'static [Field], before: &'a KeptDefaults) -> Self {
        let now = KeptDefaults::of(fields);
        OtherDefaults {
            fields,
            before,
            now,
        }
    }

    /// What differs, without the rules on changes. `old` was made with the defaults of this program.
    pub(super) fn changes(
        &self,
        old: AnsweredSide<'_>,
        new: AnsweredSide<'_>,
    ) -> Vec<PlannedChange> {
        let is_other = |path: &[Seg], item: &ExplainedItem| self.of_item(path, item).is_some();
        let paths = different_or(old.0, new.0, &is_other);
        let changes = paths.iter().map(|path| {
            let mut change = PlannedChange::new(path, old, new, false);
            let (was, is) = (old.0.find(path), new.0.find(path));
            if let Some((before, now)) = was.and_then(|item| self.of_item(path, item)) {
                let today = was.and_then(|item| item.default.as_ref());
                (change.old, change.printed[0]) = value(before, today);
                let is_default = is.is_some_and(|item| item.outcome == ItemOutcome::Default);
                if is_default && change.new.is_none() {
                    change.printed[1] = value(Some(now), None).1;
                }
            }
            change
        });
        // A document may set what the default was.
        let is_change = |one: &PlannedChange| one.old.is_none() || one.old != one.new;
        changes.filter(is_change).collect()
    }

    /// The default of then, none where there was none, and that of today, where something has it as its value and they differ.
    fn of_item(
        &self,
        path: &[Seg],
        item: &ExplainedItem,
    ) -> Option<(Option<&KeptDefault>, &KeptDefault)> {
        if item.outcome != ItemOutcome::Default {
            return None;
        }
        // None of what is secret today.
        let now = self.now.at(self.fields, path)?;
        let before = self.before.at(self.fields, path);
        let is_same = before == Some(now)
            || item.default.is_some() && value(before, item.default.as_ref()).0 == item.default;
        (!is_same).then_some((before, now))
    }
}

/// A default as a value of the form of today's, and for people.
fn value(
    default: Option<&KeptDefault>,
    today: Option<&ConfigValue>,
) -> (Option<ConfigValue>, String) {
    match default {
        None => (None, "nothing".to_owned()),
        Some(KeptDefault::Value(text)) => {
            let value = default::of_before(text, today);
            let printed = shown(&value);
            (Some(value), printed)
        }
        Some(KeptDefault::Code(text)) if text.starts_with("Default::default") => {
            (None, "its default".to_owned())
        }
        Some(KeptDefault::Code(text)) => (None, format!("its default `{text}`")),
    }
}
