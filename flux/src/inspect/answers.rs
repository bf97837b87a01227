//! What readers see, path by path: made once for each configuration, when someone asks, and kept until the next one.

use super::{
    error::ExplainError,
    explanation::{Explanation, Setting, ValueOrigin},
    fold::{Secrecy, fold},
    into_value::steps_that_exist,
    item::{Effect, ExplainedItem, ItemOutcome, LayerSetting, PartsForm, each_leaf},
    value::ConfigValue,
    views::{LayerView, views},
};
use crate::{
    engine::{LayerContent, Schema, Served, Status},
    problem::{KeyPath, LONGEST, Seg},
    report::secrets::{DocumentText, KnownSecrets, SecretSources},
    schema::{self, Field, Kind, Reached, TypeFacts},
    source::{arguments, environment},
};
use flux_syntax::nearest;
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// No document is read so deep, and following a path through a recursive type takes stack for each step.
const DEEPEST: usize = 256;

/// Longer keys are compared with no other key: the work grows with the product of both lengths.
const LONGEST_HINT: usize = 64;

/// What readers see of one configuration.
pub(super) struct Answers {
    pub(super) schema: &'static Schema,
    pub(super) fields: &'static [Field],
    pub(super) types: fn() -> Vec<TypeFacts>,
    pub(super) items: Vec<ExplainedItem>,
    pub(super) layers: Vec<AnsweredLayer>,
    /// The paths that a stage changed.
    pub(super) staged: Vec<Vec<Seg>>,
    /// Whether the program's own reducer puts the layers together.
    pub(super) reduced: bool,
    /// The variables of each field.
    variables: HashMap<Vec<Seg>, Vec<String>>,
    prefixes: Vec<String>,
    /// The argument of each field; none where no layer reads arguments.
    arguments: Option<HashMap<Vec<Seg>, Option<String>>>,
    contents: Arc<[LayerContent]>,
    generation: u64,
    pub(super) pending_restart: Vec<String>,
}

/// A layer of the answers.
pub(super) struct AnsweredLayer {
    pub(super) origin: String,
    pub(super) note: Option<&'static str>,
    /// Whether anything may be set by it that is not known.
    pub(super) is_opaque: bool,
}

impl Answers {
    /// Reads the layers once more.
    pub(super) fn new(
        schema: &'static Schema,
        types: fn() -> Vec<TypeFacts>,
        status: &Status,
    ) -> Self {
        let served = &status.served;
        let fields = (schema.fields)();
        let views = views(schema, served);
        let secrets = known_secrets(fields, served);
        let items = fold(schema, types, &views, secrets, Secrecy::Withheld);
        let layer = |view: &LayerView<'_>| AnsweredLayer {
            origin: view.origin.to_owned(),
            note: view.note,
            is_opaque: view.note.is_some() && view.layer.is_none(),
        };
        let layers = views.iter().map(layer).collect();
        let prefixes: Vec<String> = (served.layers.iter().rev())
            .filter_map(|layer| layer.prefix.clone())
            .collect();
        let mut variables: HashMap<Vec<Seg>, Vec<String>> = HashMap::new();
        for prefix in &prefixes {
            for one in environment::variables(fields, prefix) {
                variables.entry(one.path).or_default().push(one.name);
            }
        }
        let reads_arguments = views.iter().any(|view| view.arguments.is_some());
        let arguments = reads_arguments.then(|| arguments::names_by_path(fields).collect());
        Answers {
            schema,
            fields,
            types,
            items,
            layers,
            staged: staged(schema, served),
            reduced: served.reduced,
            variables,
            prefixes,
            arguments,
            contents: Arc::clone(&served.contents),
            generation: status.generation,
            pending_restart: status.pending_restart.clone(),
        }
    }

    /// Whether they are about what this status is about.
    pub(super) fn are_of(&self, status: &Status) -> bool {
        self.generation == status.generation
            && Arc::ptr_eq(&self.contents, &status.served.contents)
            && self.pending_restart == status.pending_restart
    }

    /// Explains one path.
    pub(super) fn explain(&self, text: &str, status: &Status) -> Result<Explanation, ExplainError> {
        let path: KeyPath = text.parse().map_err(|error| ExplainError::NoPath {
            text: crate::problem::escaped(text).into_owned(),
            error,
        })?;
        if path.steps().len() > DEEPEST {
            return Err(ExplainError::Unknown {
                path: KeyPath::shortened(path.steps(), LONGEST),
                near: None,
            });
        }
        let (mut items, mut found): (&[ExplainedItem], Option<&ExplainedItem>) =
            (&self.items, None);
        let mut own = Vec::new();
        // What hides a list or a map as a whole hides what is in it.
        let mut hidden: Vec<Setting> = Vec::new();
        for (at, seg) in path.steps().iter().enumerate() {
            if let Some(around) = found {
                hidden.extend(self.hidden_around(around, seg, status));
            }
            let next = items.iter().find(|item| item.is_at(seg));
            let Some(next) = next else {
                // What is in a secret has no paths.
                let secret = found.filter(|item| item.has_secret_value());
                let one = match secret {
                    Some(item) => self.explanation(&own, item, status),
                    None => self.not_there(&own, &path.steps()[at..], items)?,
                };
                return Ok(one.with_hidden(hidden));
            };
            own.push(next.step.clone());
            (items, found) = (&next.parts, Some(next));
        }
        Ok(match found {
            Some(item) => self.explanation(&own, item, status).with_hidden(hidden),
            None => self.whole(status),
        })
    }

    /// What is known of a path that has the fields' own names.
    pub(super) fn find(&self, path: &[Seg]) -> Option<&ExplainedItem> {
        let (mut items, mut found) = (&self.items, None);
        for seg in path {
            let next = items.iter().find(|item| item.is_at(seg))?;
            (items, found) = (&next.parts, Some(next));
        }
        found
    }

    /// The value that the layers make at a path, where it has no parts of its own.
    pub(super) fn value(&self, path: &[Seg]) -> Option<ConfigValue> {
        match &self.find(path)?.outcome {
            ItemOutcome::Value(value) => value.clone(),
            ItemOutcome::Default => self.find(path)?.default.clone(),
            _ => None,
        }
    }

    /// Explains every setting that has no parts of its own, in the order of the fields.
    pub(super) fn all(&self, status: &Status) -> Vec<Explanation> {
        let mut all = Vec::new();
        each_leaf(&self.items, &mut |path, item| {
            all.push(self.explanation(path, item, status))
        });
        all
    }

    /// The configuration as a whole.
    fn whole(&self, status: &Status) -> Explanation {
        let mut whole = Explanation::empty(&[]);
        whole.from = ValueOrigin::Parts;
        let layers = status.served.layers.iter().enumerate().rev();
        let layers = layers.filter(|(number, _)| {
            !matches!(
                self.contents.get(*number),
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

    pub(super) fn explanation(
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
        if one.value.as_ref().is_some_and(ConfigValue::has_secret) {
            one.is_secret = true;
        }
        one.variables = self.variables_of(path);
        let is_section = matches!(item.field.kind(), Kind::Section(_)) && item.is_field;
        one.argument = (!is_section).then(|| self.argument_of(path)).flatten();
        self.remark(path, item, &mut one);
        one
    }

    /// A path whose field exists, in something that is not there; or no such field.
    fn not_there(
        &self,
        own: &[Seg],
        rest: &[Seg],
        siblings: &[ExplainedItem],
    ) -> Result<Explanation, ExplainError> {
        let path = [own, rest].concat();
        let (field, is_field) = match schema::follow(self.fields, &path) {
            Reached::Leaf(field, at) => (Some(field), at == path.len()),
            Reached::Section(_) | Reached::Collection => (last_field(self.fields, &path), true),
            Reached::Unknown(_) => (None, false),
        };
        if let Some(field) = field {
            let exists = steps_that_exist(self.fields, self.types, &path);
            if exists < path.len() {
                return Err(ExplainError::NoPart {
                    path: KeyPath::new(&path),
                    value: KeyPath::new(&path[..exists]),
                    type_name: field.type_name(),
                });
            }
            let mut one = Explanation::of_field(&path, field, is_field);
            one.from = ValueOrigin::Nothing;
            one.variables = self.variables_of(&path);
            one.argument = self.argument_of(&path);
            let around = KeyPath::new(&[own, &rest[..1]].concat());
            one.notes
                .push(format!("`{around}` is not in the configuration"));
            if let Some(layer) = self.layers.iter().find(|layer| layer.is_opaque) {
                let note = layer.note.unwrap_or_default();
                one.notes.push(format!("{}: {note}", layer.origin));
            }
            return Ok(one);
        }
        let mut near = None;
        if let Some(Seg::Key(key)) = rest.first()
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
        let path = KeyPath::new(&path);
        Err(ExplainError::Unknown { path, near })
    }

    /// The argument that can set a path: its own, or the one for any path.
    fn argument_of(&self, path: &[Seg]) -> Option<String> {
        let arguments = self.arguments.as_ref()?;
        match arguments.get(path) {
            Some(name) => name.clone(),
            None => arguments::name_of(self.fields, path),
        }
    }

    fn variables_of(&self, path: &[Seg]) -> Vec<String> {
        if let Some(known) = self.variables.get(path) {
            return known.clone();
        }
        if self.prefixes.is_empty() || path.len() < 2 {
            return Vec::new();
        }
        let prefixes = self.prefixes.iter();
        prefixes
            .filter_map(|prefix| self.entry_variable(prefix, path))
            .collect()
    }

    /// The variable of an entry or an item, where it may have one.
    fn entry_variable(&self, prefix: &str, path: &[Seg]) -> Option<String> {
        let within = (1..path.len()).any(|end| self.variables.contains_key(&path[..end]));
        within.then(|| environment::name_of(self.fields, prefix, path))?
    }
}

impl ExplainedItem {
    /// Whether a step leads here, by any name of the field.
    fn is_at(&self, seg: &Seg) -> bool {
        match seg {
            Seg::Key(key) if self.is_field => self.field.is(key),
            seg => self.step == *seg,
        }
    }

    fn has_secret_value(&self) -> bool {
        self.field.is_secret() || self.outcome == ItemOutcome::Value(Some(ConfigValue::Secret))
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

/// The paths in which what readers see differs from what the layers make.
fn staged(schema: &Schema, served: &Served) -> Vec<Vec<Seg>> {
    let Some(staged) = &served.staged else {
        return Vec::new();
    };
    let differences = || (schema.differences)(&staged.current, &staged.before_pipeline, false);
    let found = catch_unwind(AssertUnwindSafe(differences));
    found.unwrap_or_else(|_| vec![Vec::new()])
}

fn known_secrets(fields: &'static [Field], served: &Served) -> KnownSecrets {
    KnownSecrets::read(fields, &secret_sources(served))
}

/// Where the secrets of the layers are.
pub(super) fn secret_sources(served: &Served) -> SecretSources<'_> {
    let mut sources = SecretSources::default();
    let both = served.layers.iter().zip(&*served.contents).enumerate();
    for (number, (layer, content)) in both {
        match (content, &layer.decoder) {
            (LayerContent::Document(bytes), Some(decoder)) => {
                sources.documents.push(DocumentText {
                    layer: number,
                    bytes,
                    decoder,
                });
            }
            (LayerContent::Given(given), _) => {
                let secrets = given.secrets.iter();
                sources.given.extend(secrets.map(|text| (number, text)));
            }
            _ => {}
        }
    }
    sources
}
