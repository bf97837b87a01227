//! Why an explanation has no value: a stage changed it, it waits for a restart, the program merges it, a layer cannot be looked
//! into.

use super::{Answers, newest::AtRestart};
use crate::{
    inspect::{
        explanation::{Explanation, ValueOrigin, shown},
        item::{Effect, ExplainedItem, ItemOutcome},
        planned::printed,
        value::ConfigValue,
    },
    problem::{Seg, escaped},
    schema,
};

/// A value that waits.
fn named(answers: &Answers, path: &[Seg], waits: &Option<ConfigValue>) -> String {
    match waits {
        Some(ConfigValue::Secret) => "another one".to_owned(),
        waits => printed(answers, path, waits),
    }
}

/// Of a value that no field makes a secret.
pub(in crate::inspect) const WITHHELD: &str =
    "withheld: it has the text of a secret, or of what could be one,";

/// Of a value that runs, and is not known.
const BEFORE: &str = "the value of before";

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
        } else if self.running(path).is_some() {
            self.keep_running(path, layers_value, one);
            made_by = one.from;
        } else if self.waiting.overlaps(path) {
            one.notes.push(
                "a part of it keeps its value of before until a restart of the program".to_owned(),
            );
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
            if let Some(withheld) = setting.withheld {
                let origin = escaped(&layer.origin);
                let at = match withheld.place {
                    Some((line, column)) => format!("at {origin}:{line}:{column}"),
                    None => format!("of {origin}"),
                };
                one.notes.push(format!("{WITHHELD} {at}"));
            }
        }
    }

    /// The value that readers keep until a restart, and the one that waits.
    fn keep_running(&self, path: &[Seg], waits: Option<ConfigValue>, one: &mut Explanation) {
        let mut waits = waits;
        let running = self.running_explanation(path);
        let at_restart = self.at_restart(path);
        let runs = running.as_ref().and_then(|running| running.value.clone());
        let is_known = running
            .as_ref()
            .is_none_or(|running| running.notes.is_empty());
        if one.from != ValueOrigin::Parts {
            let words = match (&runs, is_known) {
                (Some(ConfigValue::Secret), _) => "a secret".to_owned(),
                (_, false) => BEFORE.to_owned(),
                (runs, true) => match self.running(path) {
                    Some((answers, _)) if running.is_some() => printed(answers, path, runs),
                    Some((answers, _)) => answers.around(path).to_owned(),
                    None => BEFORE.to_owned(),
                },
            };
            let next = match at_restart {
                None => Some(named(self, path, &waits)),
                Some(AtRestart::Refuses) => {
                    one.notes.push(format!(
                        "keeps its value until a restart of the program: {words} runs; what the sources hold now is refused, and a restart \
                         would refuse it"
                    ));
                    None
                }
                Some(AtRestart::Reads(answers, read)) => {
                    let (read, settings) = match read {
                        Some(read) => {
                            let read = *read;
                            (read.value, read.settings)
                        }
                        None => (None, Vec::new()),
                    };
                    let is_shown = |value: &ConfigValue| !value.has_secret();
                    if is_known && read == runs && runs.as_ref().is_none_or(is_shown) {
                        one.notes.push(format!(
                            "waits for a restart of the program no more: {words} runs, and is what a restart would read"
                        ));
                        None
                    } else {
                        one.settings = settings;
                        waits = read;
                        Some(named(answers, path, &waits))
                    }
                }
            };
            match next {
                Some(next) => one.notes.push(format!(
                    "waits for a restart of the program: {words} runs, {next} waits"
                )),
                None => {
                    waits = None;
                    let settings = running.as_ref().map(|running| running.settings.clone());
                    one.settings = settings.unwrap_or_default();
                }
            }
            one.from = running.map_or(ValueOrigin::Nothing, |running| running.from);
        } else {
            one.notes
                .push("waits for a restart of the program as a whole".to_owned());
        }
        (one.value, one.pending) = (runs, waits);
    }

    /// What is known of something in what is made as a whole.
    fn around(&self, path: &[Seg]) -> &'static str {
        let mut around = (1..path.len())
            .rev()
            .filter_map(|end| self.find(&path[..end]));
        match around.next().map(|item| &item.outcome) {
            Some(ItemOutcome::Default) => "its default",
            Some(ItemOutcome::Value(None)) => BEFORE,
            _ => "nothing",
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
