//! What is kept for each path of an explained configuration: the outcome, and what every layer contains there with its effect.

use super::value::ConfigValue;
use crate::{
    problem::Seg,
    schema::{Field, ValueType},
};
use std::{collections::HashMap, ops::Deref, sync::OnceLock};

/// One path of the configuration.
#[derive(Debug)]
pub(super) struct ExplainedItem {
    /// The last step of its path.
    pub(super) step: Seg,
    /// The field that the path leads to, or into.
    pub(super) field: &'static Field,
    /// Whether the path is that of the field itself.
    pub(super) is_field: bool,
    /// A section, or a list or map of sections: its parts are settings of their own.
    pub(super) is_structure: bool,
    pub(super) outcome: ItemOutcome,
    /// The default as a value, where it is written as one.
    pub(super) default: Option<ConfigValue>,
    /// The type of a value, where secrets are revealed.
    pub(super) value_type: Option<ValueType>,
    /// What the layers contain, lowest first.
    pub(super) settings: Vec<LayerSetting>,
    pub(super) parts: ExplainedItems,
}

/// Paths beside one another, in order, each found by its step.
#[derive(Debug, Default)]
pub(super) struct ExplainedItems {
    all: Vec<ExplainedItem>,
    /// Of many, made once one of them is looked for.
    by_step: OnceLock<HashMap<Seg, usize>>,
}

/// As many are looked at one by one.
const FEW: usize = 16;

impl ExplainedItems {
    /// The one to which a step leads, by any name of its field.
    pub(super) fn at(&self, step: &Seg) -> Option<&ExplainedItem> {
        if self.all.len() <= FEW {
            return self.all.iter().find(|item| item.is_at(step));
        }
        let by_step = self.by_step.get_or_init(|| {
            let mut by_step = HashMap::with_capacity(self.all.len());
            for (number, item) in self.all.iter().enumerate() {
                by_step.entry(item.step.clone()).or_insert(number);
                let aliases = if item.is_field {
                    item.field.aliases
                } else {
                    &[]
                };
                for alias in aliases {
                    let step = Seg::Key((*alias).into());
                    by_step.entry(step).or_insert(number);
                }
            }
            by_step
        });
        self.all.get(*by_step.get(step)?)
    }
}

impl From<Vec<ExplainedItem>> for ExplainedItems {
    fn from(all: Vec<ExplainedItem>) -> Self {
        let by_step = OnceLock::new();
        ExplainedItems { all, by_step }
    }
}

impl Deref for ExplainedItems {
    type Target = [ExplainedItem];

    fn deref(&self) -> &[ExplainedItem] {
        &self.all
    }
}

impl<'s> IntoIterator for &'s ExplainedItems {
    type Item = &'s ExplainedItem;
    type IntoIter = std::slice::Iter<'s, ExplainedItem>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl ExplainedItem {
    /// Whether a step leads here, by any name of the field.
    fn is_at(&self, step: &Seg) -> bool {
        match step {
            Seg::Key(key) if self.is_field => self.field.is(key),
            step => self.step == *step,
        }
    }

    /// Whether there is the same to explain of both, apart from their parts.
    #[cfg(feature = "page")]
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        std::ptr::eq(self.field, other.field)
            && self.step == other.step
            && self.is_field == other.is_field
            && self.is_structure == other.is_structure
            && self.outcome == other.outcome
            && self.default == other.default
            && self.settings == other.settings
    }

    /// An entry of a map of sections that is null: there is none.
    pub(super) fn is_taken_away(&self) -> bool {
        !self.is_field
            && self.is_structure
            && self.outcome == ItemOutcome::Value(Some(ConfigValue::Null))
    }

    pub(super) fn has_secret_value(&self) -> bool {
        self.field.is_secret() || self.outcome == ItemOutcome::Value(Some(ConfigValue::Secret))
    }
}

/// What comes of the layers at a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ItemOutcome {
    /// This value; none where it is known to the program alone.
    Value(Option<ConfigValue>),
    /// The parts are the value.
    Parts(PartsForm),
    /// The default, as in the code.
    Default,
    /// Optional, and no layer sets it.
    Nothing,
    /// Required, and no layer is known to set it.
    Missing,
}

/// What the parts of something are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartsForm {
    Map,
    List,
}

/// What one layer contains at a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerSetting {
    pub(super) layer: usize,
    pub(super) place: Option<(usize, usize)>,
    pub(super) variable: Option<String>,
    pub(super) argument: Option<String>,
    /// None of a structure, and where it is not known.
    pub(super) value: Option<ConfigValue>,
    pub(super) effect: Effect,
    /// Why it, or a part of it, is withheld where no field is secret.
    pub(super) withheld: Option<Withheld>,
}

/// A value has the text of a secret of its layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Withheld {
    /// Where that is, as far as it is known.
    pub(super) place: Option<(usize, usize)>,
}

/// What becomes of what a layer contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// It is the value.
    Decides,
    /// It is a part of the value.
    Contributes,
    /// A higher layer decides.
    Shadowed,
}

impl Effect {
    /// Its name in `Serialize`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Effect::Decides => "decides",
            Effect::Contributes => "contributes",
            Effect::Shadowed => "shadowed",
        }
    }
}

/// Every leaf, and every section, list and map that has no parts.
pub(super) fn each_leaf<'s>(
    items: &'s [ExplainedItem],
    each: &mut dyn FnMut(&[Seg], &'s ExplainedItem),
) {
    fn go<'s>(
        path: &mut Vec<Seg>,
        items: &'s [ExplainedItem],
        each: &mut dyn FnMut(&[Seg], &'s ExplainedItem),
    ) {
        for item in items {
            path.push(item.step.clone());
            match item.is_structure && !item.parts.is_empty() {
                true => go(path, &item.parts, each),
                false => each(path, item),
            }
            path.pop();
        }
    }
    go(&mut Vec::new(), items, each);
}

/// Every list, map and section with parts of its own that hides what lower layers have of it.
pub(super) fn each_hidden_list<'s>(
    items: &'s [ExplainedItem],
    each: &mut dyn FnMut(&[Seg], &'s ExplainedItem),
) {
    fn go<'s>(
        path: &mut Vec<Seg>,
        items: &'s [ExplainedItem],
        each: &mut dyn FnMut(&[Seg], &'s ExplainedItem),
    ) {
        for item in items
            .iter()
            .filter(|item| item.is_structure && !item.parts.is_empty())
        {
            path.push(item.step.clone());
            if item
                .settings
                .iter()
                .any(|one| one.effect == Effect::Shadowed)
            {
                each(path, item);
            }
            go(path, &item.parts, each);
            path.pop();
        }
    }
    go(&mut Vec::new(), items, each);
}
