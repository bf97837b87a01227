//! What readers see, path by path: made once for each configuration, when someone asks, and kept until the next one.

use super::{
    explanation::{DefaultSetting, Explanation, Setting, ValueOrigin, shown},
    fold::{Effect, ExplainedItem, ItemOutcome, LayerSetting, PartsForm, fold},
    value::ConfigValue,
    views::{LayerView, views},
    wording,
};
use crate::{
    engine::{LayerContent, Schema, Served, Status},
    problem::{KeyPath, KeyPathError, Seg},
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

/// Why a path cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// No configuration was applied since the start.
    #[error(
        "{name}: no configuration was applied since its start (state: {state}), so there is nothing to explain; `last_error()` has the reason of a refusal"
    )]
    NotApplied {
        /// The capacitor's name.
        name: String,
        /// Its state.
        state: crate::State,
    },
    /// The text is no path.
    #[error("`{text}` {error}")]
    NoPath {
        /// The text.
        text: String,
        /// What is wrong with it.
        error: KeyPathError,
    },
    /// No field is at the path.
    #[error("no field is at `{path}`{}", near.as_ref().map_or(String::new(), |near| format!(", did you mean `{near}`?")))]
    Unknown {
        /// The path.
        path: KeyPath,
        /// A path that exists, and is written nearly so.
        near: Option<KeyPath>,
    },
}

/// What readers see of one configuration.
pub(super) struct Answers {
    pub(super) fields: &'static [Field],
    pub(super) items: Vec<ExplainedItem>,
    pub(super) layers: Vec<AnsweredLayer>,
    /// The paths that a stage changed.
    staged: Vec<Vec<Seg>>,
    /// Whether the program's own reducer puts the layers together.
    reduced: bool,
    /// The variables of each field.
    variables: HashMap<Vec<Seg>, Vec<String>>,
    prefixes: Vec<String>,
    /// The argument of each field; none where no layer reads arguments.
    arguments: Option<HashMap<Vec<Seg>, Option<String>>>,
    contents: Arc<[LayerContent]>,
    generation: u64,
    pending_restart: Vec<String>,
}

/// A layer of the answers.
pub(super) struct AnsweredLayer {
    pub(super) origin: String,
    note: Option<&'static str>,
    /// Whether anything may be set by it that is not known.
    is_opaque: bool,
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
        let items = fold(schema, types, &views, secrets);
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
            fields,
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

    /// Explains every setting that has no parts of its own, in the order of the fields.
    pub(super) fn all(&self, status: &Status) -> Vec<Explanation> {
        let mut all = Vec::new();
        self.each_leaf(&mut |path, item| all.push(self.explanation(path, item, status)));
        all
    }

    /// Every leaf, and every section, list and map that has no parts.
    pub(super) fn each_leaf<'s>(&'s self, each: &mut dyn FnMut(&[Seg], &'s ExplainedItem)) {
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
        go(&mut Vec::new(), &self.items, each);
    }

    /// Every list, map and section with parts of its own that hides what lower layers have of it.
    pub(super) fn each_hidden_list<'s>(&'s self, each: &mut dyn FnMut(&[Seg], &'s ExplainedItem)) {
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
        go(&mut Vec::new(), &self.items, each);
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
            origin: one.origin.clone(),
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

    /// Notes, and the value's absence where it is not the one of the layers.
    fn remark(&self, path: &[Seg], item: &ExplainedItem, one: &mut Explanation) {
        let layers_value = one.value.take();
        let made = match &layers_value {
            Some(ConfigValue::Secret) | None => String::new(),
            Some(value) => format!("; the layers make {} of it", shown(value)),
        };
        let overlaps = |other: &[Seg]| other.starts_with(path) || path.starts_with(other);
        let pending = |text: &String| {
            let waiting: Result<KeyPath, _> = text.parse();
            waiting.is_ok_and(|waiting| overlaps(waiting.steps()))
        };
        if let Some(note) = self.hidden_by_opaque(item) {
            one.notes.push(note);
        } else if self.reduced {
            one.notes.push(format!(
                "the program's own reducer puts the layers together{made}"
            ));
        } else if self.staged.iter().any(|staged| overlaps(staged)) {
            one.notes
                .push(format!("a stage of the program changed it{made}"));
        } else if self.pending_restart.iter().any(pending) {
            let text =
                format!("readers keep the value of before until a restart of the program{made}");
            one.notes.push(text);
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
            one.from = ValueOrigin::Layers;
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
        if let Some(Seg::Key(key)) = rest.first() {
            let mut names: Vec<String> = (siblings.iter())
                .filter_map(|item| match &item.step {
                    Seg::Key(key) => Some(key.to_string()),
                    Seg::Index(_) => None,
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

impl Explanation {
    /// Adds what is hidden as a whole, of layers that contain nothing at the path itself.
    fn with_hidden(mut self, hidden: Vec<Setting>) -> Self {
        for one in hidden {
            if self.settings.iter().all(|known| known.layer != one.layer) {
                self.settings.push(one);
            }
        }
        self.settings
            .sort_by_key(|one| std::cmp::Reverse(one.layer));
        self
    }

    fn empty(path: &[Seg]) -> Self {
        Explanation {
            path: KeyPath::new(path),
            value: None,
            from: ValueOrigin::Nothing,
            settings: Vec::new(),
            default: None,
            type_name: "",
            docs: String::new(),
            is_required: false,
            is_secret: false,
            rules: Vec::new(),
            change_rules: Vec::new(),
            waits_for_restart: false,
            accessor: None,
            variables: Vec::new(),
            argument: None,
            aliases: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What the code says of a field; of what is in it, only what holds there too.
    fn of_field(path: &[Seg], field: &'static Field, is_field: bool) -> Self {
        let mut one = Explanation {
            is_secret: field.is_secret(),
            change_rules: wording::change_rules(field),
            waits_for_restart: field.waits_for_restart(),
            ..Explanation::empty(path)
        };
        if is_field {
            one.default = field.default().map(|default| DefaultSetting {
                text: (!field.is_secret()).then(|| default.text.to_owned()),
                value: None,
                file: default.file,
                line: default.line,
            });
            one.type_name = field.type_name();
            one.docs = wording::docs(field);
            one.is_required = field.is_required();
            one.rules = wording::rules(field);
            one.accessor = field.accessor();
            one.aliases = field.aliases().to_vec();
        }
        one
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
    KnownSecrets::read(fields, &sources)
}
