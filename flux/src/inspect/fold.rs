//! Lays the layers over one another once more, as the reducer does, and notes at every path which layer decides what, and which are
//! hidden. The typed layers decide what a layer contains; its document adds the text and the place.

use super::{
    value::{self, ConfigValue},
    views::LayerView,
};
use crate::{
    document::{NodeContent, NodeId},
    engine::Schema,
    layer::{Parts, Presence},
    problem::Seg,
    report::secrets::KnownSecrets,
    schema::{self, Field, Kind, MAX_DEPTH, MergeRule, TypeFacts, ValueType},
    source::environment,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

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
    /// What the layers contain, lowest first.
    pub(super) settings: Vec<LayerSetting>,
    pub(super) parts: Vec<ExplainedItem>,
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
#[derive(Debug, Clone)]
pub(super) struct LayerSetting {
    pub(super) layer: usize,
    pub(super) place: Option<(usize, usize)>,
    pub(super) variable: Option<String>,
    pub(super) argument: Option<String>,
    /// None of a structure, and where it is not known.
    pub(super) value: Option<ConfigValue>,
    pub(super) effect: Effect,
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

/// What a layer has at a path.
#[derive(Clone, Copy)]
struct Here<'a> {
    layer: usize,
    /// None for a value, null included.
    parts: Option<&'a dyn Parts>,
    node: Option<NodeId>,
}

pub(super) struct Fold<'a> {
    fields: &'static [Field],
    views: &'a [LayerView<'a>],
    secrets: KnownSecrets,
    has_secrets: bool,
    path: RefCell<Vec<Seg>>,
    /// How many values may still be read.
    left: Cell<usize>,
    keys: RefCell<HashMap<(usize, NodeId), Rc<KeyIndex>>>,
    facts: RefCell<HashMap<usize, Rc<Vec<TypeFacts>>>>,
}

/// The values of a map by their keys.
type KeyIndex = HashMap<String, NodeId>;

/// What a layer has of a map of values.
type OwnEntries<'a, 's> = (Here<'a>, &'s LayerSetting, &'s [(String, ConfigValue)]);

/// So many values are looked at: more than any document may have, aliases included.
const MOST: usize = 1 << 20;

/// Everything that readers see, section by section.
pub(super) fn fold<'a>(
    schema: &Schema,
    types: fn() -> Vec<TypeFacts>,
    views: &'a [LayerView<'a>],
    secrets: KnownSecrets,
) -> Vec<ExplainedItem> {
    let fields = (schema.fields)();
    let fold = Fold {
        fields,
        views,
        secrets,
        has_secrets: schema::any_secret(fields),
        path: RefCell::default(),
        left: Cell::new(MOST),
        keys: RefCell::default(),
        facts: RefCell::default(),
    };
    let root = |(layer, view): (usize, &'a LayerView<'a>)| {
        let parts = view.layer.as_ref().map(|layer| (schema.parts)(layer))?;
        let node = view.document.as_ref().map(|document| document.root());
        let parts = Some(parts);
        Some(Here { layer, parts, node })
    };
    let heres: Vec<Here<'a>> = views.iter().enumerate().filter_map(root).collect();
    let mut items = Vec::new();
    fold.section(
        fields,
        fields,
        &fold.facts(types),
        &heres,
        MAX_DEPTH,
        &mut items,
    );
    items
}

impl<'a> Fold<'a> {
    fn facts(&self, of: fn() -> Vec<TypeFacts>) -> Rc<Vec<TypeFacts>> {
        let mut known = self.facts.borrow_mut();
        let facts = known.entry(of as usize).or_insert_with(|| Rc::new(of()));
        Rc::clone(facts)
    }

    /// The node under a key, by any name of the field.
    fn under(&self, here: Here<'_>, names: &[&str]) -> Option<NodeId> {
        let document = self.views[here.layer].document.as_ref()?;
        let id = document.resolved(here.node?);
        let index = {
            let mut keys = self.keys.borrow_mut();
            let index = keys.entry((here.layer, id)).or_insert_with(|| {
                // Of a key that a merge key brings in once more, the first counts.
                let entries = document.entries(id).iter().rev();
                let entry =
                    |pair: &crate::document::Pair| (document.key(pair.key).to_owned(), pair.value);
                Rc::new(entries.map(entry).collect())
            });
            Rc::clone(index)
        };
        names.iter().find_map(|name| index.get(*name)).copied()
    }

    /// What a layer has at a step below.
    fn child(&self, here: Here<'a>, seg: &Seg, names: &[&str]) -> Option<Here<'a>> {
        let parts = match here.parts?.part(seg) {
            Presence::Nothing => return None,
            Presence::Value => None,
            Presence::Parts(parts) => Some(parts),
        };
        let node = match seg {
            Seg::Key(_) => self.under(here, names),
            Seg::Index(index) => {
                let document = self.views[here.layer].document.as_ref();
                document.zip(here.node).and_then(|(document, id)| {
                    match &document.node(id).content {
                        NodeContent::List(items) => items.get(*index).copied(),
                        // Single items, by their numbers.
                        _ => self.under(here, &[&index.to_string()]),
                    }
                })
            }
        };
        let layer = here.layer;
        Some(Here { layer, parts, node })
    }

    fn below<T>(&self, seg: Seg, go: impl FnOnce() -> T) -> T {
        self.path.borrow_mut().push(seg);
        let done = go();
        self.path.borrow_mut().pop();
        done
    }

    /// The fields of a section. `table` is the one of the section in whose keys they are.
    fn section(
        &self,
        table: &'static [Field],
        fields: &'static [Field],
        facts: &[TypeFacts],
        heres: &[Here<'a>],
        depth: u8,
        items: &mut Vec<ExplainedItem>,
    ) {
        let unknown = TypeFacts::unknown();
        for (number, field) in fields.iter().enumerate() {
            let facts = facts.get(number).unwrap_or(&unknown);
            match field.kind {
                Kind::Section(inner) if field.flatten => {
                    if depth > 0 {
                        let inner_facts = facts.fields.map(|of| self.facts(of));
                        let inner_facts = inner_facts.as_deref().map_or(&[][..], |all| all);
                        self.section(table, inner(), inner_facts, heres, depth - 1, items);
                    }
                }
                _ if field.flatten => self.rest(table, field, facts, heres, depth, items),
                kind => {
                    let seg = Seg::Key(field.name.into());
                    let mut names = vec![field.name];
                    names.extend(field.aliases);
                    let children: Vec<_> = (heres.iter())
                        .filter_map(|here| self.child(*here, &seg, &names))
                        .collect();
                    let go = || self.item(seg.clone(), field, facts, kind, true, &children, depth);
                    items.push(self.below(seg.clone(), go));
                }
            }
        }
    }

    /// The entries of a flattened map: the keys that no field has.
    fn rest(
        &self,
        table: &'static [Field],
        field: &'static Field,
        facts: &TypeFacts,
        heres: &[Here<'a>],
        depth: u8,
        items: &mut Vec<ExplainedItem>,
    ) {
        let kind = match field.kind {
            Kind::Map(entry) => *entry,
            kind => kind,
        };
        let entry_facts = TypeFacts {
            value_type: value::part(&facts.value_type).clone(),
            merge: MergeRule::Replace,
            ..facts.clone()
        };
        let keys = self.keys(heres);
        for key in keys.iter().filter(|key| schema::find(table, key).is_none()) {
            let seg = Seg::Key(key.clone().into());
            let children: Vec<_> = (heres.iter())
                .filter_map(|here| self.child(*here, &seg, &[key]))
                .collect();
            if children.is_empty() {
                continue;
            }
            let go = || {
                self.item(
                    seg.clone(),
                    field,
                    &entry_facts,
                    kind,
                    false,
                    &children,
                    depth,
                )
            };
            items.push(self.below(seg.clone(), go));
        }
    }

    /// Every key of these maps, in the order of its first appearance.
    fn keys(&self, heres: &[Here<'_>]) -> Vec<String> {
        let mut known = std::collections::HashSet::new();
        let mut keys = Vec::new();
        for here in heres {
            let (Some(document), Some(id)) = (&self.views[here.layer].document, here.node) else {
                continue;
            };
            for entry in document.entries(id) {
                let key = document.key(entry.key);
                if known.insert(key.to_owned()) {
                    keys.push(key.to_owned());
                }
            }
        }
        keys
    }

    #[allow(clippy::too_many_arguments, reason = "one place in two trees")]
    fn item(
        &self,
        step: Seg,
        field: &'static Field,
        facts: &TypeFacts,
        kind: Kind,
        is_field: bool,
        heres: &[Here<'a>],
        depth: u8,
    ) -> ExplainedItem {
        if matches!(kind, Kind::Leaf) {
            return self.leaf(step, field, facts, is_field, heres);
        }
        // Null turns off what is below it.
        let from = (heres.iter().rposition(|here| here.parts.is_none())).map_or(0, |at| at + 1);
        let (hidden, active) = heres.split_at(from);
        let merge = field.merge().filter(|_| is_field);
        let (active, more_hidden, parts, form) = match kind {
            Kind::Section(inner) => {
                let mut parts = Vec::new();
                let is_there = !active.is_empty() || self.silent(field, facts, is_field).is_none();
                if is_there && depth > 0 {
                    let inner_facts = facts.fields.map(|of| self.facts(of));
                    let inner_facts = inner_facts.as_deref().map_or(&[][..], |all| all);
                    let fields = inner();
                    self.section(fields, fields, inner_facts, active, depth - 1, &mut parts);
                }
                (active.to_vec(), Vec::new(), parts, PartsForm::Map)
            }
            Kind::Map(entry) => {
                let mut parts = Vec::new();
                for key in self.keys(active) {
                    let seg = Seg::Key(key.clone().into());
                    let children: Vec<_> = (active.iter())
                        .filter_map(|here| self.child(*here, &seg, &[&key]))
                        .collect();
                    if !children.is_empty() {
                        let step = seg.clone();
                        let go = || self.item(step, field, facts, *entry, false, &children, depth);
                        parts.push(self.below(seg, go));
                    }
                }
                (active.to_vec(), Vec::new(), parts, PartsForm::Map)
            }
            Kind::List(item) => {
                let (used, unused) = self.lists(active, merge);
                let mut parts = Vec::new();
                for (number, here) in self.list_items(&used, merge).into_iter().enumerate() {
                    let seg = Seg::Index(number);
                    let step = seg.clone();
                    let go = || self.item(step, field, facts, *item, false, &here, depth);
                    parts.push(self.below(seg, go));
                }
                (used, unused, parts, PartsForm::List)
            }
            Kind::Leaf => return self.leaf(step, field, facts, is_field, heres),
        };
        let outcome = match (active.is_empty(), hidden.last()) {
            (true, Some(_)) => ItemOutcome::Value(Some(ConfigValue::Null)),
            (true, None) => match self.silent(field, facts, is_field) {
                Some(outcome) => outcome,
                None => ItemOutcome::Parts(form),
            },
            (false, _) if matches!(merge, Some(MergeRule::Custom(_))) && active.len() > 1 => {
                ItemOutcome::Value(None)
            }
            (false, _) => ItemOutcome::Parts(form),
        };
        let decides = |last: bool, count: usize| match (last, count) {
            (_, 1) => Effect::Decides,
            _ => Effect::Contributes,
        };
        let mut settings = Vec::new();
        for (number, here) in hidden.iter().chain(&more_hidden).enumerate() {
            let ends = active.is_empty() && number + 1 == hidden.len();
            let effect = match ends {
                true => Effect::Decides,
                false => Effect::Shadowed,
            };
            let mut setting = self.setting(*here, effect);
            setting.value = here.parts.is_none().then_some(ConfigValue::Null);
            settings.push(setting);
        }
        let count = active.len();
        for (number, here) in active.iter().enumerate() {
            settings.push(self.setting(*here, decides(number + 1 == count, count)));
        }
        settings.sort_by_key(|setting| setting.layer);
        ExplainedItem {
            step,
            field,
            is_field,
            is_structure: true,
            outcome,
            default: None,
            settings,
            parts,
        }
    }

    /// What something nested is where no layer contains anything of it; none where its own fields decide.
    fn silent(&self, field: &Field, facts: &TypeFacts, is_field: bool) -> Option<ItemOutcome> {
        match field.kind {
            _ if !is_field => None,
            _ if field.default().is_some() => Some(ItemOutcome::Default),
            _ if facts.is_optional => Some(ItemOutcome::Nothing),
            Kind::Section(_) => None,
            _ => Some(ItemOutcome::Missing),
        }
    }

    /// Which layers' lists count, and which are replaced by a higher one.
    fn lists(
        &self,
        heres: &[Here<'a>],
        merge: Option<MergeRule>,
    ) -> (Vec<Here<'a>>, Vec<Here<'a>>) {
        if merge.is_some_and(|rule| rule != MergeRule::Replace) {
            return (heres.to_vec(), Vec::new());
        }
        let from = heres.iter().rposition(|here| self.is_whole(*here));
        let (unused, used) = heres.split_at(from.unwrap_or(0));
        (used.to_vec(), unused.to_vec())
    }

    /// Whether a layer has the list as a whole, and not single items of it.
    fn is_whole(&self, here: Here<'_>) -> bool {
        let document = self.views[here.layer].document.as_ref();
        let both = document.zip(here.node);
        both.is_none_or(|(document, id)| !matches!(document.node(id).content, NodeContent::Map(_)))
    }

    /// The items of a list, with what each layer has of them.
    fn list_items(&self, heres: &[Here<'a>], merge: Option<MergeRule>) -> Vec<Vec<Here<'a>>> {
        let mut all: Vec<Vec<Here<'a>>> = Vec::new();
        for here in heres {
            let own = self.own_items(*here);
            match merge {
                Some(MergeRule::Append | MergeRule::Union) => {
                    all.extend(own.into_iter().map(|(_, item)| vec![item]));
                }
                Some(MergeRule::Prepend) => {
                    let own: Vec<_> = own.into_iter().map(|(_, item)| vec![item]).collect();
                    all.splice(0..0, own);
                }
                _ => {
                    for (index, item) in own {
                        match all.get_mut(index) {
                            Some(known) => known.push(item),
                            None => all.push(vec![item]),
                        }
                    }
                }
            }
        }
        all
    }

    /// The items that a layer has, by their numbers.
    fn own_items(&self, here: Here<'a>) -> Vec<(usize, Here<'a>)> {
        let document = self.views[here.layer].document.as_ref();
        let Some((document, id)) = document.zip(here.node) else {
            return Vec::new();
        };
        let mut numbers: Vec<usize> = match &document.node(id).content {
            NodeContent::List(items) => (0..items.len()).collect(),
            _ => {
                let entries = document.entries(id).iter();
                let number = |key| document.key(key).parse().ok();
                entries.filter_map(|entry| number(entry.key)).collect()
            }
        };
        numbers.sort_unstable();
        let item = |number| Some((number, self.child(here, &Seg::Index(number), &[])?));
        numbers.into_iter().filter_map(item).collect()
    }

    fn setting(&self, here: Here<'_>, effect: Effect) -> LayerSetting {
        let view = &self.views[here.layer];
        let (variable, argument) = view.names(&self.path.borrow());
        LayerSetting {
            layer: here.layer,
            place: view.place(here.node),
            variable,
            argument,
            value: None,
            effect,
        }
    }

    /// What a layer contains at a step below what it contains as a whole.
    fn part_setting(
        &self,
        here: Here<'_>,
        whole: &LayerSetting,
        step: Seg,
        value: &ConfigValue,
        effect: Effect,
    ) -> LayerSetting {
        let view = &self.views[here.layer];
        let (variable, argument) = match whole.variable.is_some() || whole.argument.is_some() {
            true => {
                let mut path = self.path.borrow().clone();
                path.push(step);
                view.names(&path)
            }
            false => (None, None),
        };
        LayerSetting {
            layer: whole.layer,
            place: view.place(here.node).or(whole.place),
            variable,
            argument,
            value: Some(value.clone()),
            effect,
        }
    }

    fn leaf(
        &self,
        step: Seg,
        field: &'static Field,
        facts: &TypeFacts,
        is_field: bool,
        heres: &[Here<'a>],
    ) -> ExplainedItem {
        let is = &facts.value_type;
        let shows_default = is_field && !field.is_secret();
        let default = shows_default.then(|| super::default::of_field(field, is));
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
            settings: Vec::with_capacity(heres.len()),
            parts: Vec::new(),
        };
        for here in heres {
            let mut setting = self.setting(*here, Effect::Shadowed);
            setting.value = self.value(field, *here, is);
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
                item.parts = self.inside(field, *here, value.as_ref(), setting);
                item.outcome = ItemOutcome::Value(value);
            }
            (active, rule) => {
                let settings = &item.settings[from..];
                (item.outcome, item.parts) = self.merged(field, rule, active, settings);
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
    fn value(&self, field: &Field, here: Here<'_>, is: &ValueType) -> Option<ConfigValue> {
        if field.is_secret() {
            return Some(ConfigValue::Secret);
        }
        let document = self.views[here.layer].document.as_ref()?;
        let mut left = self.left.get();
        let value = value::of_node(document, here.node?, is, &mut left);
        self.left.set(left);
        let mut value = value?;
        if self.has_secrets {
            let mut path = self.path.borrow().clone();
            self.withhold(&mut path, &mut value, true);
        }
        Some(value)
    }

    /// Takes out what is secret by its path, or quotes a secret.
    fn withhold(&self, path: &mut Vec<Seg>, value: &mut ConfigValue, is_field: bool) {
        if !is_field && schema::is_secret(self.fields, path) {
            *value = ConfigValue::Secret;
            return;
        }
        match value {
            ConfigValue::Text(text) if self.secrets.are_in(text) => *value = ConfigValue::Secret,
            ConfigValue::List(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    path.push(Seg::Index(number));
                    self.withhold(path, item, false);
                    path.pop();
                }
            }
            ConfigValue::Map(entries) => {
                for (key, value) in entries {
                    path.push(Seg::Key(key.clone().into()));
                    self.withhold(path, value, false);
                    path.pop();
                }
            }
            _ => {}
        }
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

    fn node_below(&self, here: Here<'_>, seg: &Seg, names: &[&str]) -> Option<NodeId> {
        let document = self.views[here.layer].document.as_ref()?;
        match (seg, &document.node(here.node?).content) {
            (Seg::Index(number), NodeContent::List(items)) => items.get(*number).copied(),
            (Seg::Key(_), _) => self.under(here, names),
            _ => None,
        }
    }

    /// A part of a leaf; the last of the settings decides.
    fn part(
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
            settings: settings.into_iter().map(|(_, setting)| setting).collect(),
            parts,
        }
    }

    /// What several layers make together of a leaf.
    fn merged(
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
        for (here, whole, items) in lists {
            let mut own = Vec::new();
            for (number, value) in items.iter().enumerate() {
                let is_known = || all.iter().chain(&own).any(|(_, _, known)| known == value);
                if rule == MergeRule::Union && is_known() {
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

impl LayerView<'_> {
    fn place(&self, node: Option<NodeId>) -> Option<(usize, usize)> {
        let document = self.document.as_ref().filter(|one| one.has_places())?;
        Some(document.start(node?))
    }

    /// The variable or the argument that sets a path.
    fn names(&self, path: &[Seg]) -> (Option<String>, Option<String>) {
        let variable = environment::variable_of(self.variables, path);
        let argument = (self.arguments).and_then(|set| environment::variable_of(set, path));
        (variable, argument.map(|argument| argument.name))
    }
}
