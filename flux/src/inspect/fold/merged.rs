//! Which layers an explanation shows for a list or map that several layers make together, entry by entry.

use super::{Fold, Here};
use crate::{
    inspect::{
        item::{Effect, ExplainedItem, ItemOutcome, LayerSetting},
        value::ConfigValue,
    },
    problem::Seg,
    schema::{Field, MergeRule},
};
use std::collections::{HashMap, HashSet};

/// What a layer has of a map of values.
type OwnEntries<'a, 's> = (Here<'a>, &'s LayerSetting, &'s [(String, ConfigValue)]);

impl<'a> Fold<'a> {
    /// What several layers make together of a leaf.
    pub(super) fn merged(
        &self,
        field: &'static Field,
        rule: MergeRule,
        heres: &[Here<'a>],
        settings: &[LayerSetting],
    ) -> (ItemOutcome, Vec<ExplainedItem>) {
        let (mut lists, mut maps) = (Vec::new(), Vec::new());
        for (here, setting) in heres.iter().zip(settings) {
            match &setting.value {
                Some(ConfigValue::List(items)) => lists.push((*here, setting, items)),
                Some(ConfigValue::Map(entries)) => maps.push((*here, setting, &entries[..])),
                Some(ConfigValue::Secret) => {
                    return (ItemOutcome::Value(Some(ConfigValue::Secret)), Vec::new());
                }
                _ => return (ItemOutcome::Value(None), Vec::new()),
            }
        }
        match rule {
            MergeRule::ByKey if lists.is_empty() => self.by_key(field, &maps),
            MergeRule::Append | MergeRule::Prepend | MergeRule::Union if maps.is_empty() => {
                self.concatenated(field, rule, &lists)
            }
            _ => (ItemOutcome::Value(None), Vec::new()),
        }
    }

    fn concatenated(
        &self,
        field: &'static Field,
        rule: MergeRule,
        lists: &[(Here<'a>, &LayerSetting, &Vec<ConfigValue>)],
    ) -> (ItemOutcome, Vec<ExplainedItem>) {
        let mut all: Vec<(Here<'a>, LayerSetting, ConfigValue)> = Vec::new();
        let mut known = HashSet::new();
        for (at, (here, whole, items)) in lists.iter().enumerate() {
            let mut own = Vec::new();
            for (number, value) in items.iter().enumerate() {
                let is_new = rule != MergeRule::Union || known.insert(value);
                // The lowest list is taken as it is.
                if at > 0 && !is_new {
                    continue;
                }
                let step = Seg::Index(number);
                let node = self.node_below(*here, &step, &[]);
                let item = Here { node, ..*here };
                let setting = self.part_setting(item, whole, step, value, Effect::Decides);
                own.push((item, setting, value.clone()));
            }
            match rule {
                MergeRule::Prepend => drop(all.splice(0..0, own)),
                _ => all.append(&mut own),
            }
        }
        let value = ConfigValue::List(all.iter().map(|(_, _, value)| value.clone()).collect());
        let part = |(number, (here, setting, value))| {
            self.part(
                Seg::Index(number),
                field,
                Some(value),
                vec![(here, setting)],
            )
        };
        let parts = all.into_iter().enumerate().map(part).collect();
        (ItemOutcome::Value(Some(value)), parts)
    }

    fn by_key(
        &self,
        field: &'static Field,
        maps: &[OwnEntries<'a, '_>],
    ) -> (ItemOutcome, Vec<ExplainedItem>) {
        let mut keys: Vec<&String> = Vec::new();
        let mut entries: HashMap<&String, Vec<(Here<'a>, LayerSetting)>> = HashMap::new();
        for (here, whole, own) in maps {
            for (key, value) in *own {
                let step = Seg::Key(key.clone().into());
                let node = self.under(*here, &[key]);
                let entry = Here { node, ..*here };
                let setting = self.part_setting(entry, whole, step, value, Effect::Shadowed);
                let known = entries.entry(key).or_insert_with(|| {
                    keys.push(key);
                    Vec::new()
                });
                known.push((entry, setting));
            }
        }
        let mut value = Vec::new();
        let mut parts = Vec::new();
        for key in keys {
            let Some(mut settings) = entries.remove(key) else {
                continue;
            };
            let Some((_, last)) = settings.last_mut() else {
                continue;
            };
            last.effect = Effect::Decides;
            let one = last.value.clone();
            value.extend(one.clone().map(|one| (key.clone(), one)));
            parts.push(self.part(Seg::Key(key.clone().into()), field, one, settings));
        }
        (ItemOutcome::Value(Some(ConfigValue::Map(value))), parts)
    }
}
