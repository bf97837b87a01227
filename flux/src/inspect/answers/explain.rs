//! What `explain` answers for a path: the item that it leads to, a suggestion where no field has it, and each layer's setting.

use super::{Answers, refused_newest::RefusedNewest};
use crate::{
    engine::{LayerContent, Status},
    inspect::{
        error::ExplainError,
        explanation::{Explanation, Setting, ValueOrigin, VariableNotes},
        into_value::steps_that_exist,
        item::{
            Effect, ExplainedItem, ExplainedItems, ItemOutcome, LayerSetting, PartsForm, each_leaf,
        },
        value::ConfigValue,
    },
    problem::{KeyPath, LONGEST, Seg},
    schema::{self, Field, Kind, Reached},
};
use flux_syntax::nearest;

/// No document is read so deep, and following a path through a recursive type takes stack for each step.
pub(super) const DEEPEST: usize = 256;

/// Longer keys are compared with no other key: the work grows with the product of both lengths.
const LONGEST_HINT: usize = 64;

/// How far a path leads.
struct PathWalk<'a> {
    /// The path so far, with the fields' own names.
    own: Vec<Seg>,
    /// What is there.
    found: Option<&'a ExplainedItem>,
    /// Its parts.
    parts: &'a ExplainedItems,
    /// What is hidden of what is around it. What hides a list or a map as a whole hides what is in it.
    hidden: Vec<Setting>,
}

impl Answers {
    /// Explains one path.
    pub(in crate::inspect) fn explain(
        &self,
        text: &str,
        status: &Status,
    ) -> Result<Explanation, ExplainError> {
        let path: KeyPath = text.parse().map_err(|error| ExplainError::NoPath {
            text: crate::problem::escaped(text).into_owned(),
            error,
        })?;
        let path = path.steps();
        if path.len() > DEEPEST {
            return Err(ExplainError::Unknown {
                path: KeyPath::shortened(path, LONGEST),
                near: None,
            });
        }
        if let Some(set) = self.set_by(path) {
            return self.explain(set.as_str(), status);
        }
        let is_there = |walk: &PathWalk<'_>| walk.own.len() == path.len();
        let about = self.about(path);
        let walk = (about.as_deref()).map(|items| self.walk(items, path, status));
        let walk = walk.filter(is_there);
        let walk = walk.unwrap_or_else(|| self.walk(self.items(), path, status));
        let one = match walk.found {
            // What is in a secret has no paths, nor has an entry that is null.
            Some(item) if is_there(&walk) || item.has_secret_value() || item.is_taken_away() => {
                self.explanation(&walk.own, item, status)
            }
            None if path.is_empty() => return Ok(self.whole(status)),
            _ => self.not_there(&walk.own, &path[walk.own.len()..], walk.parts)?,
        };
        let mut one = one.with_hidden(walk.hidden);
        RefusedNewest::of(status).note(&mut one);
        VariableNotes::of(status).note(&mut one);
        Ok(one)
    }

    fn walk<'a>(&self, items: &'a ExplainedItems, path: &[Seg], status: &Status) -> PathWalk<'a> {
        let mut walk = PathWalk {
            own: Vec::with_capacity(path.len()),
            found: None,
            parts: items,
            hidden: Vec::new(),
        };
        for step in path {
            if let Some(around) = walk.found {
                walk.hidden.extend(self.hidden_around(around, step, status));
            }
            let by_index = || walk.parts.at(&as_index(step)?);
            let Some(next) = walk.parts.at(step).or_else(by_index) else {
                break;
            };
            walk.own.push(next.step.clone());
            (walk.parts, walk.found) = (&next.parts, Some(next));
        }
        walk
    }

    /// The configuration as a whole.
    fn whole(&self, status: &Status) -> Explanation {
        let mut whole = Explanation::empty(&[]);
        whole.from = ValueOrigin::Parts;
        let served = &status.served;
        let layers = served.layers.iter().enumerate().rev();
        let layers = layers.filter(|(number, _)| {
            !matches!(
                served.contents.get(*number),
                None | Some(LayerContent::Silent(_))
            )
        });
        let setting = |(layer, one): (usize, &crate::engine::ServedLayer)| Setting {
            origin: one.origin.to_string(),
            layer,
            variable: None,
            argument: None,
            line: None,
            column: None,
            revision: revision(layer, status),
            value: None,
            effect: Effect::Contributes,
        };
        whole.settings = layers.map(setting).collect();
        whole
    }

    fn setting(&self, setting: &LayerSetting, status: &Status) -> Setting {
        Setting {
            origin: self.layers[setting.layer].origin.clone(),
            layer: setting.layer,
            variable: setting.variable.clone(),
            argument: setting.argument.clone(),
            line: setting.place.map(|(line, _)| line),
            column: setting.place.map(|(_, column)| column),
            revision: revision(setting.layer, status),
            value: setting.value.clone(),
            effect: setting.effect,
        }
    }

    /// The hidden lists that an item would be in, and the hidden maps that have the key.
    fn hidden_around(&self, around: &ExplainedItem, step: &Seg, status: &Status) -> Vec<Setting> {
        let is_list = around.outcome == ItemOutcome::Parts(PartsForm::List);
        let has = |setting: &&LayerSetting| match (step, &setting.value) {
            (Seg::Index(_), Some(ConfigValue::List(_))) => true,
            (Seg::Index(_), None) => is_list,
            (Seg::Key(key), Some(ConfigValue::Map(entries))) => {
                entries.iter().any(|(known, _)| *known == **key)
            }
            _ => false,
        };
        let settings = around.settings.iter().rev();
        let hidden = settings.filter(|one| one.effect == Effect::Shadowed);
        let hidden = hidden.filter(has);
        hidden.map(|one| self.setting(one, status)).collect()
    }

    pub(in crate::inspect) fn explanation(
        &self,
        path: &[Seg],
        item: &ExplainedItem,
        status: &Status,
    ) -> Explanation {
        let mut one = Explanation::of_field(path, item.field, item.is_field);
        let settings = item.settings.iter().rev();
        one.settings = settings.map(|one| self.setting(one, status)).collect();
        if let Some(default) = &mut one.default {
            default.value.clone_from(&item.default);
        }
        self.describe(path, item, &mut one);
        one.variables = self.names.variables(self.fields, path);
        let is_section = matches!(item.field.kind(), Kind::Section(_)) && item.is_field;
        one.argument = (!is_section)
            .then(|| self.names.argument(self.fields, path))
            .flatten();
        let short = item.field.short().filter(|_| item.is_field);
        one.short_argument = one.argument.as_ref().and(short);
        one
    }

    /// Its value, where it comes from, and the notes on it.
    pub(in crate::inspect) fn describe(
        &self,
        path: &[Seg],
        item: &ExplainedItem,
        one: &mut Explanation,
    ) {
        (one.from, one.value) = match &item.outcome {
            ItemOutcome::Value(value) => (ValueOrigin::Layers, value.clone()),
            ItemOutcome::Parts(_) => (ValueOrigin::Parts, None),
            ItemOutcome::Default if item.field.is_secret() => {
                (ValueOrigin::Default, Some(ConfigValue::Secret))
            }
            ItemOutcome::Default => (ValueOrigin::Default, item.default.clone()),
            ItemOutcome::Nothing => (ValueOrigin::Nothing, None),
            ItemOutcome::Missing => (ValueOrigin::Missing, None),
        };
        let is_withheld = item.settings.iter().any(|one| one.withheld.is_some());
        if !is_withheld && one.value.as_ref().is_some_and(ConfigValue::has_secret) {
            one.is_secret = true;
        }
        self.remark(path, item, one);
    }

    /// The only setting that is meant by a path in another spelling: that of its argument, or its last steps alone.
    fn written_otherwise(&self, path: &[Seg]) -> Option<KeyPath> {
        let plain = |path: &[Seg]| {
            let text = KeyPath::new(path).to_string();
            // A shell takes quotes away.
            let text = text.replace('"', "");
            text.trim_start_matches('-')
                .to_lowercase()
                .replace('-', "_")
        };
        let asked = plain(path);
        let is_meant = |path: &[Seg]| {
            let known = plain(path);
            let before = known.strip_suffix(&asked);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let mut meant: Vec<KeyPath> = Vec::new();
        if asked.is_empty() || asked.len() > LONGEST_HINT {
            return None;
        }
        each_leaf(self.items(), &mut |path, _| {
            if meant.len() < 2 && is_meant(path) {
                meant.push(KeyPath::new(path));
            }
        });
        let first = meant.pop();
        first.filter(|_| meant.is_empty())
    }

    /// A path whose field exists, in something that is not there; or no such field.
    fn not_there(
        &self,
        own: &[Seg],
        rest: &[Seg],
        siblings: &ExplainedItems,
    ) -> Result<Explanation, ExplainError> {
        let path = [own, rest].concat();
        let (field, is_field) = match schema::follow(self.fields, &path) {
            Reached::Leaf(field, at) => (Some(field), at == path.len()),
            Reached::Section(_) | Reached::Collection => (last_field(self.fields, &path), true),
            Reached::Unknown(_) => (None, false),
        };
        if let Some(field) = field {
            let exists = steps_that_exist(self.fields, self.types, &path);
            let index = path.get(exists).and_then(as_index);
            if let Some(index) = index {
                let mut other = path.clone();
                other[exists] = index;
                if steps_that_exist(self.fields, self.types, &other) > exists {
                    return self.not_there(own, &other[own.len()..], siblings);
                }
            }
            if exists < path.len() {
                return Err(ExplainError::NoPart {
                    path: KeyPath::new(&path),
                    value: KeyPath::new(&path[..exists]),
                    type_name: field.type_name(),
                });
            }
            let mut one = Explanation::of_field(&path, field, is_field);
            one.from = ValueOrigin::Nothing;
            one.variables = self.names.variables(self.fields, &path);
            one.argument = self.names.argument(self.fields, &path);
            let around = KeyPath::new(&[own, &rest[..1]].concat());
            one.notes
                .push(format!("`{around}` is not in the configuration"));
            if let Some(layer) = self.layers.iter().find(|layer| layer.is_opaque) {
                let note = layer.note.unwrap_or_default();
                one.notes.push(format!("{}: {note}", layer.origin));
            }
            return Ok(one);
        }
        let mut near = self.written_otherwise(&path);
        if near.is_none()
            && let Some(Seg::Key(key)) = rest.first()
            && key.len() <= LONGEST_HINT
        {
            let mut names: Vec<String> = (siblings.iter())
                .filter_map(|item| match &item.step {
                    Seg::Key(key) if key.len() <= LONGEST_HINT => Some(key.to_string()),
                    Seg::Key(_) | Seg::Index(_) => None,
                })
                .collect();
            let table = schema::table(self.fields, own);
            names.extend(schema::keys(table).into_iter().map(str::to_owned));
            near = nearest(key, names.iter().map(String::as_str)).map(|name| {
                let step = Seg::Key(name.to_owned().into());
                KeyPath::new(&[own, &[step]].concat())
            });
        }
        if let (None, [], [Seg::Key(name)]) = (&near, own, rest) {
            near = self.names.nearly_set_by(self.fields, name);
        }
        let path = KeyPath::new(&path);
        Err(ExplainError::Unknown { path, near })
    }

    /// The path that a variable sets, where what is asked for is the name of one, and of no field.
    fn set_by(&self, path: &[Seg]) -> Option<KeyPath> {
        let [Seg::Key(name)] = path else {
            return None;
        };
        match schema::step(self.fields, name) {
            Some(_) => None,
            None => self.names.set_by(self.fields, name),
        }
    }
}

/// The index that a key is, where it is written as one: `tags.1` for `tags[1]`.
fn as_index(step: &Seg) -> Option<Seg> {
    match step {
        Seg::Key(key) => Some(Seg::Index(key.parse().ok()?)),
        Seg::Index(_) => None,
    }
}

/// The field of a section, or of a list or map of sections.
fn last_field(fields: &'static [Field], path: &[Seg]) -> Option<&'static Field> {
    let end = path.iter().rposition(|seg| matches!(seg, Seg::Key(_)))?;
    let Seg::Key(key) = &path[end] else {
        return None;
    };
    schema::find(schema::table(fields, &path[..end]), key)
}

/// The revision of what readers see of a layer; of a layer whose newest content is refused it is not known.
fn revision(layer: usize, status: &Status) -> Option<String> {
    let layer = status.layers.get(layer).filter(|layer| !layer.refused)?;
    layer.revision.clone()
}
