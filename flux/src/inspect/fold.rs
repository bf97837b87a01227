//! Which layer decides each path, and which layers are hidden there: the layers laid over one another once more, as the reducer
//! does. The typed layers decide what a layer contains; its document adds the text and the place.

mod leaf;
mod lists;
mod merged;
mod settings;

use super::{
    item::{Effect, ExplainedItem, ExplainedItems, ItemOutcome, PartsForm},
    value::{self, ConfigValue},
    views::LayerView,
};
use crate::{
    document::{NodeContent, NodeId},
    engine::Schema,
    layer::{Parts, Presence},
    problem::Seg,
    report::secrets::KnownSecrets,
    schema::{self, Descent, Field, Kind, MAX_DEPTH, MergeRule, SecretPlaces, TypeFacts},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

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
    secrets: &'a KnownSecrets,
    has_secrets: bool,
    places: SecretPlaces,
    secrecy: Secrecy,
    path: RefCell<Vec<Seg>>,
    /// What is made alone, with what leads there; everything where it is empty.
    asked: &'a [Seg],
    /// How many values may still be read.
    left: Cell<usize>,
    /// How many characters may still be compared to find which secret a withheld value has.
    compared: Cell<usize>,
    keys: RefCell<HashMap<(usize, NodeId), Rc<KeyIndex>>>,
    facts: RefCell<HashMap<usize, Rc<Vec<TypeFacts>>>>,
}

/// Whether secrets are in what is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// [`ConfigValue::Secret`] is in their place.
    Withheld,
    /// They are. Nothing of it may be printed or kept.
    Revealed,
}

/// The values of a map by their keys.
type KeyIndex = HashMap<String, NodeId>;

/// So many values are looked at: more than any document may have, aliases included.
const MOST: usize = 1 << 20;

/// A document can have many secrets, and many values with their texts.
const COMPARED: usize = 1 << 20;

/// Everything that readers see, section by section; or of it what leads to the path that is asked for, and what is there.
pub(super) fn fold<'a>(
    schema: &Schema,
    types: fn() -> Vec<TypeFacts>,
    views: &'a [LayerView<'a>],
    secrets: &'a KnownSecrets,
    secrecy: Secrecy,
    asked: &'a [Seg],
) -> ExplainedItems {
    let fields = (schema.fields)();
    let fold = Fold {
        fields,
        views,
        secrets,
        has_secrets: schema::any_secret(fields),
        places: SecretPlaces::of(fields),
        secrecy,
        path: RefCell::default(),
        asked,
        left: Cell::new(MOST),
        compared: Cell::new(COMPARED),
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
        &Descent::at(fields, MAX_DEPTH),
        &mut items,
    );
    items.into()
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

    /// Whether a step leads to what is asked for, or is below it.
    fn is_asked(&self, is_it: impl FnOnce(&Seg) -> bool) -> bool {
        self.asked.get(self.path.borrow().len()).is_none_or(is_it)
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
        way: &Descent<'_>,
        items: &mut Vec<ExplainedItem>,
    ) {
        let unknown = TypeFacts::unknown();
        for (number, field) in fields.iter().enumerate() {
            let facts = facts.get(number).unwrap_or(&unknown);
            match field.kind {
                Kind::Section(inner) if field.flatten => {
                    if let Some(way) = way.enter(inner()) {
                        let inner_facts = facts.fields.map(|of| self.facts(of));
                        let inner_facts = inner_facts.as_deref().map_or(&[][..], |all| all);
                        self.section(table, inner(), inner_facts, heres, &way, items);
                    }
                }
                _ if field.flatten => self.rest(table, field, facts, heres, way, items),
                _ if !self.is_asked(|step| matches!(step, Seg::Key(key) if field.is(key))) => {}
                kind => {
                    let seg = Seg::Key(field.name.into());
                    let mut names = vec![field.name];
                    names.extend(field.aliases);
                    let children: Vec<_> = (heres.iter())
                        .filter_map(|here| self.child(*here, &seg, &names))
                        .collect();
                    let go = || self.item(seg.clone(), field, facts, kind, true, &children, way);
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
        way: &Descent<'_>,
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
        let keys = self.keys(heres, kind);
        for key in keys.iter().filter(|key| schema::find(table, key).is_none()) {
            let seg = Seg::Key(key.clone().into());
            if !self.is_asked(|step| *step == seg) {
                continue;
            }
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
                    way,
                )
            };
            items.push(self.below(seg.clone(), go));
        }
    }

    /// Every key of these maps, in the order of its first appearance.
    fn keys(&self, heres: &[Here<'_>], entries: Kind) -> Vec<String> {
        let is_of_sections = self.has_secrets && !matches!(entries, Kind::Leaf);
        let mut known = std::collections::HashSet::new();
        let mut keys = Vec::new();
        for here in heres {
            let (Some(document), Some(id)) = (&self.views[here.layer].document, here.node) else {
                continue;
            };
            for entry in document.entries(id) {
                let key = document.key(entry.key);
                // A value whose key was forgotten, `{hunter2}`, may be a secret, and sets nothing.
                let is_lost = is_of_sections && document.is_key_alone(entry);
                if !is_lost && known.insert(key.to_owned()) {
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
        way: &Descent<'_>,
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
                let is_there = match active.is_empty() {
                    false => true,
                    // An entry that is null is taken away, and has no defaults.
                    true if !is_field => hidden.is_empty(),
                    true => self.silent(field, facts, is_field).is_none(),
                };
                if is_there && let Some(way) = way.enter(inner()) {
                    let inner_facts = facts.fields.map(|of| self.facts(of));
                    let inner_facts = inner_facts.as_deref().map_or(&[][..], |all| all);
                    let fields = inner();
                    self.section(fields, fields, inner_facts, active, &way, &mut parts);
                }
                (active.to_vec(), Vec::new(), parts, PartsForm::Map)
            }
            Kind::Map(entry) => {
                let mut parts = Vec::new();
                for key in self.keys(active, *entry) {
                    let seg = Seg::Key(key.clone().into());
                    if !self.is_asked(|step| *step == seg) {
                        continue;
                    }
                    let children: Vec<_> = (active.iter())
                        .filter_map(|here| self.child(*here, &seg, &[&key]))
                        .collect();
                    if !children.is_empty() {
                        let step = seg.clone();
                        let go = || self.item(step, field, facts, *entry, false, &children, way);
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
                    if !self.is_asked(|step| *step == seg) {
                        continue;
                    }
                    let step = seg.clone();
                    let go = || self.item(step, field, facts, *item, false, &here, way);
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
            value_type: None,
            settings,
            parts: parts.into(),
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
}
