//! Why an explanation has no value: a stage changed it, it waits for a restart, the program merges it, a layer cannot be looked
//! into.

use super::Answers;
use crate::{
    inspect::{
        explanation::{Explanation, ValueOrigin, shown},
        item::{Effect, ExplainedItem, ItemOutcome},
        value::ConfigValue,
    },
    problem::Seg,
    schema,
};

impl Answers {
    /// Notes, and the value's absence where it is not the one of the layers.
    pub(in crate::inspect) fn remark(
        &self,
        path: &[Seg],
        item: &ExplainedItem,
        one: &mut Explanation,
    ) {
        let layers_value = one.value.take();
        let mut made_by = ValueOrigin::Layers;
        let made = || match &layers_value {
            Some(ConfigValue::Secret) | None => String::new(),
            Some(value) => format!("; the layers make {} of it", shown(value)),
        };
        if let Some(note) = self.hidden_by_opaque(item) {
            one.notes.push(note);
        } else if self.reduced {
            made_by = ValueOrigin::Reducer;
            one.notes.push(format!(
                "the program's own reducer puts the layers together{}",
                made()
            ));
        } else if self.staged.overlaps(path) {
            made_by = ValueOrigin::Stage;
            one.notes
                .push(format!("a stage of the program changed it{}", made()));
        } else if self.waiting.overlaps(path) {
            one.notes.push(format!(
                "readers keep the value of before until a restart of the program{}",
                made()
            ));
        } else {
            one.value = layers_value;
            let merge = item.field.merge();
            if let (ItemOutcome::Value(None), Some(schema::MergeRule::Custom(function))) =
                (&item.outcome, merge)
            {
                one.notes.push(format!(
                    "`{function}` of the program merges the layers' values"
                ));
            }
        }
        if one.value.is_none() && one.from != ValueOrigin::Parts && !one.notes.is_empty() {
            one.from = made_by;
        }
        for setting in &item.settings {
            let layer = &self.layers[setting.layer];
            if let Some(note) = layer.note.filter(|_| !layer.is_opaque) {
                one.notes.push(format!("{}: {note}", layer.origin));
            }
        }
    }

    /// The note on a layer that may set the value without that being known.
    fn hidden_by_opaque(&self, item: &ExplainedItem) -> Option<String> {
        let decides = item
            .settings
            .iter()
            .rev()
            .find(|one| one.effect == Effect::Decides);
        let above = decides.map_or(0, |one| one.layer + 1);
        let mut layers = self.layers.iter().skip(above);
        let opaque = layers.find(|layer| layer.is_opaque)?;
        Some(format!(
            "{}: {}",
            opaque.origin,
            opaque.note.unwrap_or_default()
        ))
    }
}
