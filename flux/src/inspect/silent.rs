//! Which settings count as useless: hidden by a higher layer, the same as the layer below or as the default, or under a key that no
//! field has.

use super::{
    answers::Answers,
    explanation::Setting,
    item::{Effect, ExplainedItems, each_hidden_list, each_leaf},
    value::ConfigValue,
};
use crate::{
    engine::{LayerContent, Served, Status},
    problem::{KeyPath, ProblemKind, Seg, serialized},
};
use std::fmt;

/// A setting of a layer that has no effect on what readers see. `Display` prints it in one line, `Serialize` gives the fields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SilentSetting {
    /// The path.
    pub path: KeyPath,
    /// Where it is set.
    pub setting: Setting,
    /// Why it has no effect.
    pub why: SilentReason,
}

/// Why a setting has no effect.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SilentReason {
    /// A higher layer sets the path: this one.
    Shadowed(Setting),
    /// A lower layer has the same value: this one. Without the setting, the configuration would be the same.
    Repeats(Setting),
    /// The default is the same value.
    RepeatsDefault,
    /// No field has the key, or nothing reads the variable: in the words of the warning.
    UnknownKey(String),
    /// The variable is empty, which counts as not set.
    Empty,
}

impl SilentReason {
    /// Its name in `Serialize`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            SilentReason::Shadowed(_) => "shadowed",
            SilentReason::Repeats(_) => "repeats",
            SilentReason::RepeatsDefault => "repeats_default",
            SilentReason::UnknownKey(_) => "unknown_key",
            SilentReason::Empty => "empty",
        }
    }
}

impl fmt::Display for SilentSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at {} ", self.path, self.setting)?;
        if let SilentReason::Repeats(below) = &self.why {
            return write!(f, "counts, and changes nothing: {below} has the same value");
        }
        f.write_str("has no effect: ")?;
        match &self.why {
            SilentReason::Shadowed(by) => write!(f, "{by} hides it"),
            SilentReason::Repeats(_) => Ok(()),
            SilentReason::Empty => f.write_str(EMPTY),
            SilentReason::RepeatsDefault => f.write_str("the default is the same value"),
            SilentReason::UnknownKey(words) => f.write_str(words),
        }
    }
}

serialized! {
    SilentSetting, own => {
        path: own.path,
        setting: own.setting,
        why: own.why.as_str(),
        other: match &own.why {
            SilentReason::Shadowed(other) | SilentReason::Repeats(other) => Some(other),
            SilentReason::RepeatsDefault | SilentReason::UnknownKey(_) | SilentReason::Empty => {
                None
            }
        },
        message: match &own.why {
            SilentReason::UnknownKey(words) => Some(words),
            _ => None,
        },
    }
}

/// Every setting without effect, in the order of the fields; keys that no field has at the end.
pub(super) fn silent(answers: &Answers, status: &Status) -> Vec<SilentSetting> {
    let mut all = Vec::new();
    for one in answers.all(status) {
        let Some((by, below)) = one
            .settings
            .split_first()
            .filter(|(by, _)| by.effect == Effect::Decides)
        else {
            continue;
        };
        let hidden = below.iter().filter(|one| one.effect == Effect::Shadowed);
        all.extend(hidden.map(|hidden| SilentSetting {
            path: one.path.clone(),
            setting: hidden.clone(),
            why: SilentReason::Shadowed(by.clone()),
        }));
        // Secrets are not compared: that two are equal must not be shown.
        if one.is_secret || one.value.as_ref().is_none_or(ConfigValue::has_secret) {
            continue;
        }
        let default = one
            .default
            .as_ref()
            .and_then(|default| default.value.as_ref());
        let why = match below.first() {
            Some(below) if below.value == by.value => Some(SilentReason::Repeats(below.clone())),
            None if default.is_some() && default == by.value.as_ref() => {
                Some(SilentReason::RepeatsDefault)
            }
            _ => None,
        };
        all.extend(why.map(|why| SilentSetting {
            path: one.path.clone(),
            setting: by.clone(),
            why,
        }));
    }
    each_leaf(answers.items(), &mut |path, item| {
        if !item.is_structure {
            hidden_entries(answers, status, path, &item.parts, &mut all);
        }
    });
    each_hidden_list(answers.items(), &mut |path, item| {
        let one = answers.explanation(path, item, status);
        let mut kept = one
            .settings
            .iter()
            .filter(|one| one.effect != Effect::Shadowed);
        if let Some(by) = kept.next() {
            all.extend(one.shadowed().map(|hidden| SilentSetting {
                path: one.path.clone(),
                setting: hidden.clone(),
                why: SilentReason::Shadowed(by.clone()),
            }));
        }
    });
    all.extend(empty(&status.served));
    let unknown = status.warnings.iter();
    let unknown = unknown.filter(|warning| warning.kind == ProblemKind::UnknownKey);
    all.extend(unknown.map(|warning| SilentSetting {
        path: warning.path.clone(),
        setting: Setting {
            origin: warning.origin.clone(),
            layer: warning.layer.unwrap_or_default(),
            variable: warning.variable.clone(),
            argument: warning.argument.clone(),
            line: warning.line,
            column: warning.column,
            revision: None,
            value: None,
            effect: Effect::Shadowed,
        },
        why: SilentReason::UnknownKey(warning.message.clone()),
    }));
    all
}

/// The entries of a map that is a value which another layer sets as well.
fn hidden_entries(
    answers: &Answers,
    status: &Status,
    path: &[Seg],
    parts: &ExplainedItems,
    all: &mut Vec<SilentSetting>,
) {
    for part in &**parts {
        // Most entries are of one layer, and are not explained for this.
        let mut settings = part.settings.iter();
        let is_hidden = settings.any(|one| one.effect == Effect::Shadowed);
        let path = [path, std::slice::from_ref(&part.step)].concat();
        if is_hidden {
            let one = answers.explanation(&path, part, status);
            let decides = one
                .settings
                .first()
                .filter(|by| by.effect == Effect::Decides);
            if let Some(by) = decides {
                all.extend(one.shadowed().map(|hidden| SilentSetting {
                    path: one.path.clone(),
                    setting: hidden.clone(),
                    why: SilentReason::Shadowed(by.clone()),
                }));
            }
        }
        hidden_entries(answers, status, &path, &part.parts, all);
    }
}

/// Of a variable.
pub(super) const EMPTY: &str = "it is empty, which counts as not set";

/// The variables that are set to nothing.
pub(super) fn empty(served: &Served) -> impl Iterator<Item = SilentSetting> {
    let layers = served.layers.iter().zip(&*served.contents).enumerate();
    layers.flat_map(|(layer, (named, content))| {
        let given = match content {
            LayerContent::Given(given) => &given.empty[..],
            _ => &[],
        };
        let one = move |(path, variable): &(Vec<Seg>, String)| SilentSetting {
            path: KeyPath::new(path),
            setting: Setting {
                origin: named.origin.to_string(),
                layer,
                variable: Some(variable.clone()),
                argument: None,
                line: None,
                column: None,
                revision: None,
                value: None,
                effect: Effect::Shadowed,
            },
            why: SilentReason::Empty,
        };
        given.iter().map(one)
    })
}
