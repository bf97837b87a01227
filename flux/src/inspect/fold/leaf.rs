//! Which layers an explanation shows for a value that is decoded as a whole, what is in it, and where in it a secret is withheld.

use super::{Fold, Here, Secrecy};
use crate::{
    document::{NodeContent, NodeId},
    inspect::{
        default,
        item::{Effect, ExplainedItem, ExplainedItems, ItemOutcome, LayerSetting, Withheld},
        value::{self, ConfigValue},
    },
    problem::Seg,
    schema::{Cursor, Field, MergeRule, TypeFacts, ValueType},
};

impl<'a> Fold<'a> {
    pub(super) fn leaf(
        &self,
        step: Seg,
        field: &'static Field,
        facts: &TypeFacts,
        is_field: bool,
        heres: &[Here<'a>],
    ) -> ExplainedItem {
        let is = &facts.value_type;
        let is_revealed = self.secrecy == Secrecy::Revealed;
        let shows_default = is_field && (is_revealed || !field.is_secret());
        let default = shows_default.then(|| default::of_field(field, is));
        let default = default.flatten();
        let mut item = ExplainedItem {
            step,
            field,
            is_field,
            is_structure: false,
            outcome: match field.default() {
                _ if !is_field => ItemOutcome::Missing,
                Some(_) => ItemOutcome::Default,
                None if field.is_required() => ItemOutcome::Missing,
                None => ItemOutcome::Nothing,
            },
            default,
            value_type: is_revealed.then(|| is.clone()),
            settings: Vec::with_capacity(heres.len()),
            parts: ExplainedItems::default(),
        };
        for here in heres {
            let mut setting = self.setting(*here, Effect::Shadowed);
            setting.value = self.value(field, *here, is, &mut setting.withheld);
            item.settings.push(setting);
        }
        let merge = match is_field {
            true => field.merge().unwrap_or(facts.merge),
            false => MergeRule::Replace,
        };
        let null = |setting: &LayerSetting| setting.value == Some(ConfigValue::Null);
        let from = match merge {
            MergeRule::Replace => item.settings.len().saturating_sub(1),
            _ => item.settings.iter().rposition(null).unwrap_or(0),
        };
        let ends = item.settings.get(from).is_some_and(null);
        // Null ends what is below it, and is nothing that could be added to.
        let from = from + usize::from(ends && from + 1 < item.settings.len());
        let active = item.settings.get_mut(from..).unwrap_or_default();
        let one = active.len() == 1;
        for setting in &mut *active {
            setting.effect = if one {
                Effect::Decides
            } else {
                Effect::Contributes
            };
        }
        let active = &heres[from.min(heres.len())..];
        match (active, merge) {
            ([], _) => {}
            ([here], _) => {
                let setting = &item.settings[from];
                let value = setting.value.clone();
                item.parts = self.inside(field, *here, value.as_ref(), setting).into();
                item.outcome = ItemOutcome::Value(value);
            }
            (active, rule) => {
                let settings = &item.settings[from..];
                let (outcome, parts) = self.merged(field, rule, active, settings);
                (item.outcome, item.parts) = (outcome, parts.into());
            }
        }
        // Null takes an entry away, unless the values have a null of their own.
        let takes_away = !matches!(
            value::part(is),
            ValueType::Any | ValueType::Optional(_) | ValueType::Null
        );
        if let ItemOutcome::Value(Some(ConfigValue::Map(entries))) = &mut item.outcome
            && takes_away
            && merge == MergeRule::ByKey
        {
            entries.retain(|(_, value)| *value != ConfigValue::Null);
        }
        item
    }

    /// The value that a layer contains, without what is secret in it.
    fn value(
        &self,
        field: &Field,
        here: Here<'_>,
        is: &ValueType,
        withheld: &mut Option<Withheld>,
    ) -> Option<ConfigValue> {
        let withholds = self.secrecy == Secrecy::Withheld;
        if withholds && field.is_secret() {
            return Some(ConfigValue::Secret);
        }
        let document = self.views[here.layer].document.as_ref()?;
        let mut left = self.left.get();
        let value = value::of_node(document, here.node?, is, &mut left);
        self.left.set(left);
        let mut value = value?;
        if withholds && self.has_secrets {
            let at = self.places.at(self.fields, &self.path.borrow());
            self.withhold(here.layer, at, &mut value, true, withheld);
        }
        Some(value)
    }

    /// Takes out what is secret by its path, or quotes a secret of its own layer. Secrets of other layers are not compared with: whoever
    /// may write this one and read answers could guess them.
    fn withhold(
        &self,
        layer: usize,
        at: Cursor,
        value: &mut ConfigValue,
        is_field: bool,
        withheld: &mut Option<Withheld>,
    ) {
        if !is_field && self.places.is_secret(at) {
            *value = ConfigValue::Secret;
            return;
        }
        match value {
            ConfigValue::Text(text) | ConfigValue::Number(text)
                if self.secrets.of_layer_are_in_value(Some(layer), text) =>
            {
                if withheld.is_none() {
                    let place = self.place_of_secret(layer, text);
                    *withheld = Some(Withheld { place });
                }
                *value = ConfigValue::Secret;
            }
            ConfigValue::List(items) => {
                let below = self.places.below(at, None);
                for item in items {
                    self.withhold(layer, below, item, false, withheld);
                }
            }
            ConfigValue::Map(entries) => {
                for (key, value) in entries {
                    let below = self.places.below(at, Some(key));
                    self.withhold(layer, below, value, false, withheld);
                }
            }
            _ => {}
        }
    }

    /// Where the secret is that a value of the layer has the text of.
    fn place_of_secret(&self, layer: usize, value: &str) -> Option<(usize, usize)> {
        let node = self.secrets.node_in_value(layer, value, &self.compared)?;
        self.views[layer].place(Some(node))
    }

    /// The parts of a value that one layer decides.
    fn inside(
        &self,
        field: &'static Field,
        here: Here<'a>,
        value: Option<&ConfigValue>,
        whole: &LayerSetting,
    ) -> Vec<ExplainedItem> {
        let part = |seg: Seg, names: &[&str], value: &ConfigValue| {
            let node = self.node_below(here, &seg, names);
            let inner = Here { node, ..here };
            let setting = self.part_setting(inner, whole, seg.clone(), value, Effect::Decides);
            self.part(seg, field, Some(value.clone()), vec![(inner, setting)])
        };
        match value {
            Some(ConfigValue::List(items)) => {
                let items = items.iter().enumerate();
                items
                    .map(|(number, value)| part(Seg::Index(number), &[], value))
                    .collect()
            }
            Some(ConfigValue::Map(entries)) => {
                let entries = entries.iter();
                let entry = |(key, value): &(String, ConfigValue)| {
                    part(Seg::Key(key.clone().into()), &[key], value)
                };
                entries.map(entry).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn node_below(&self, here: Here<'_>, seg: &Seg, names: &[&str]) -> Option<NodeId> {
        let document = self.views[here.layer].document.as_ref()?;
        match (seg, &document.node(here.node?).content) {
            (Seg::Index(number), NodeContent::List(items)) => items.get(*number).copied(),
            (Seg::Key(_), _) => self.under(here, names),
            _ => None,
        }
    }

    /// A part of a leaf; the last of the settings decides.
    pub(super) fn part(
        &self,
        step: Seg,
        field: &'static Field,
        value: Option<ConfigValue>,
        settings: Vec<(Here<'a>, LayerSetting)>,
    ) -> ExplainedItem {
        let mut parts = Vec::new();
        if let Some((here, setting)) = settings.last() {
            let go = || self.inside(field, *here, setting.value.as_ref(), setting);
            parts = self.below(step.clone(), go);
        }
        ExplainedItem {
            step,
            field,
            is_field: false,
            is_structure: false,
            outcome: ItemOutcome::Value(value),
            default: None,
            value_type: None,
            settings: settings.into_iter().map(|(_, setting)| setting).collect(),
            parts: parts.into(),
        }
    }
}
