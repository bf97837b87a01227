//! Which fields are single values that documents write as tables (structs without `Flux`, tagged enums, maps of them), found by
//! asking their types; and what of such a value is lost where a layer above replaces it.

use super::tables_alone::TablesAlone;
use crate::{
    document::{AskedForm, AskedValue, asked_form, asked_value, raw, tree::Tree},
    engine::{schema::Schema, value::AnyLayer},
    problem::{Flaw, Seg, What, caught},
    schema::{self, Descent, Field, Kind, MAX_DEPTH, MergeRule},
    source::DecodeTree,
};
use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The fields of a config type that are read as single values and written as tables, unless it is declared what becomes of the whole.
pub(super) struct PlainTables {
    root: fn() -> &'static [Field],
    /// By the address of the field: sections of one type at several places have the same fields.
    forms: HashMap<usize, Arc<TableForm>>,
    /// The fields, by their addresses, that are one or contain one.
    leading: HashSet<usize>,
    /// The keys under which they are written; none where they take the keys that no field has.
    names: Option<Vec<&'static str>>,
}

/// What is written as a table.
pub(super) enum TableForm {
    /// A struct with these keys.
    Struct(&'static [&'static str]),
    /// A struct whose keys are not known: something is flattened into it.
    Open,
    /// An enum: a map of one key, the variant.
    Variant,
    /// What decides by its content, such as an enum with a tag.
    Tagged,
    /// A map that is replaced: with something around it, as a newtype, or in another map.
    Map,
    /// A map that merges by key; each of its entries is replaced.
    Entries(Arc<TableForm>),
}

/// A value that is written as a table, or in its place.
pub(super) struct PlainTable {
    /// Its path by the own names of the fields.
    pub(super) path: Vec<Seg>,
    /// Its path as it is written.
    pub(super) written: Vec<Seg>,
    pub(super) value: Tree,
    /// Where it is in its document; searched for when a value above takes keys of it away.
    pub(super) line: OnceCell<Option<usize>>,
    pub(super) form: Arc<TableForm>,
    pub(super) is_entry: bool,
}

impl PlainTables {
    /// None where the type has no such field.
    pub(super) fn of(schema: &Schema) -> Option<Self> {
        let fields = (schema.fields)();
        if !schema::any_of_the_program(fields) {
            return None;
        }
        let mut tables = PlainTables {
            root: schema.fields,
            forms: HashMap::new(),
            leading: HashSet::new(),
            names: Some(Vec::new()),
        };
        let descent = Descent::at(fields, MAX_DEPTH);
        // Types of the program are asked, and may panic.
        let asked = caught(|| tables.ask(fields, schema.decode_tree, &descent, &mut Vec::new()));
        (asked.is_ok() && !tables.forms.is_empty()).then_some(tables)
    }

    /// Whether there is one in a section.
    fn ask(
        &mut self,
        fields: &'static [Field],
        decode: DecodeTree<AnyLayer>,
        at: &Descent<'_>,
        path: &mut Vec<Seg>,
    ) -> bool {
        let mut any = false;
        for field in fields {
            let depth = path.len();
            let is_rest = field.flatten && !matches!(field.kind, Kind::Section(_));
            if !field.flatten {
                path.push(Seg::Key(field.name.into()));
            }
            let mut kind = field.kind;
            while let Kind::Map(entry) = kind {
                path.push(any_key());
                kind = *entry;
            }
            let leads = match kind {
                Kind::Section(inner) => match at.enter(inner()) {
                    Some(at) => self.ask(inner(), decode, &at, path),
                    // A section in itself: what is in it is asked further up.
                    None => true,
                },
                Kind::Leaf if field.is_of_the_program() && !field.is_meant_as_a_whole() => {
                    if is_rest {
                        path.push(any_key());
                    }
                    let form = form_of(field, decode, path);
                    form.inspect(|_| self.name(field, is_rest))
                        .map(|form| self.forms.insert(address(field), Arc::new(form)))
                        .is_some()
                }
                _ => false,
            };
            if leads {
                self.leading.insert(address(field));
                any = true;
            }
            path.truncate(depth);
        }
        any
    }

    fn name(&mut self, field: &Field, is_rest: bool) {
        match &mut self.names {
            Some(names) if !is_rest => {
                names.push(field.name);
                names.extend(field.aliases);
            }
            names => *names = None,
        }
    }

    /// Reads of a document these values alone.
    pub(super) fn alone(&self) -> TablesAlone<'_> {
        TablesAlone::of(self, Kind::Section(self.root))
    }

    /// Whether a field is one, or may contain one.
    pub(super) fn leads_to_one(&self, field: &'static Field) -> bool {
        self.leading.contains(&address(field))
    }

    /// Whether a text may have such a value: only then is it worth reading.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        let (Some(names), Ok(text)) = (&self.names, std::str::from_utf8(text)) else {
            return true;
        };
        names.iter().any(|name| text.contains(name))
    }

    /// Those in what a layer contains.
    pub(super) fn in_tree(&self, tree: Tree) -> Vec<PlainTable> {
        let mut found = Vec::new();
        self.section((self.root)(), tree, &TablePlace::default(), &mut found);
        found
    }

    fn section(
        &self,
        table: &'static [Field],
        tree: Tree,
        at: &TablePlace,
        found: &mut Vec<PlainTable>,
    ) {
        for (key, value) in entries(tree).into_iter().flatten() {
            let Some((field, kind)) = schema::step(table, &key) else {
                continue;
            };
            if matches!(
                field.merge(),
                Some(MergeRule::Replace | MergeRule::Custom(_))
            ) {
                continue;
            }
            let own = schema::find(table, &key).map_or(key.as_str(), |field| field.name);
            self.kind(field, kind, value, &at.below(own, &key), found);
        }
    }

    fn kind(
        &self,
        field: &'static Field,
        kind: Kind,
        value: Tree,
        at: &TablePlace,
        found: &mut Vec<PlainTable>,
    ) {
        match kind {
            Kind::Section(inner) => self.section(inner(), value, at, found),
            Kind::Map(item) => {
                for (key, value) in entries(value).into_iter().flatten() {
                    self.kind(field, *item, value, &at.below(&key, &key), found);
                }
            }
            Kind::Leaf => {
                if let Some(form) = self.forms.get(&address(field)) {
                    tables(form, value, at, field.flatten, found);
                }
            }
            // A list of sections is replaced by its own rule.
            Kind::List(_) => {}
        }
    }
}

/// The table of a type is made once.
fn address(field: &'static Field) -> usize {
    std::ptr::from_ref(field) as usize
}

/// Where a value is, by the own names of the fields and as it is written.
#[derive(Default)]
struct TablePlace {
    path: Vec<Seg>,
    written: Vec<Seg>,
}

impl TablePlace {
    fn below(&self, own: &str, written: &str) -> TablePlace {
        let with = |path: &[Seg], key: &str| [path, &[Seg::Key(key.to_owned().into())]].concat();
        TablePlace {
            path: with(&self.path, own),
            written: with(&self.written, written),
        }
    }
}

fn tables(
    form: &Arc<TableForm>,
    value: Tree,
    at: &TablePlace,
    is_entry: bool,
    found: &mut Vec<PlainTable>,
) {
    match &**form {
        TableForm::Entries(form) => {
            for (key, value) in entries(value).into_iter().flatten() {
                tables(form, value, &at.below(&key, &key), true, found);
            }
        }
        _ => found.push(PlainTable {
            path: at.path.clone(),
            written: at.written.clone(),
            value,
            line: OnceCell::new(),
            form: Arc::clone(form),
            is_entry,
        }),
    }
}

/// The entries of a map; none of anything else.
fn entries(mut tree: Tree) -> Option<Vec<(String, Tree)>> {
    match &mut tree {
        Tree::Map(entries) => Some(std::mem::take(entries)),
        Tree::Raw(text) => match raw::map(text).ok()? {
            Tree::Raw(_) => None,
            opened => entries(opened),
        },
        _ => None,
    }
}

/// The same of a value that is kept.
pub(super) fn entries_of(tree: &Tree) -> Option<Cow<'_, [(String, Tree)]>> {
    match tree {
        Tree::Map(entries) => Some(Cow::Borrowed(entries)),
        Tree::Raw(_) => entries(tree.clone()).map(Cow::Owned),
        _ => None,
    }
}

/// A key that is a text and a number.
fn any_key() -> Seg {
    Seg::Key("1".into())
}

fn form_of(field: &Field, decode: DecodeTree<AnyLayer>, path: &mut Vec<Seg>) -> Option<TableForm> {
    // The path of a flattened map leads into it.
    let is_entered = field.flatten;
    if is_entered || !field.lays_entries() || !is_map(decode, path) {
        return value_form(decode, path);
    }
    path.push(any_key());
    let form = value_form(decode, path);
    path.pop();
    Some(TableForm::Entries(Arc::new(form?)))
}

fn value_form(decode: DecodeTree<AnyLayer>, path: &[Seg]) -> Option<TableForm> {
    let asked = asked_value(|| ask(decode, path));
    match asked {
        AskedValue::Struct(keys) => Some(TableForm::Struct(keys)),
        AskedValue::Enum(variants) => {
            let has_parts = |variant: &&'static str| {
                let content = vec![((*variant).to_owned(), Tree::Map(Vec::new()))];
                takes_a_map(decode, path, Tree::Map(content))
            };
            variants.iter().any(has_parts).then_some(TableForm::Variant)
        }
        AskedValue::Anything => {
            takes_a_map(decode, path, Tree::Map(Vec::new())).then_some(TableForm::Tagged)
        }
        AskedValue::OpenStruct => Some(TableForm::Open),
        AskedValue::Other => is_map(decode, path).then_some(TableForm::Map),
    }
}

fn is_map(decode: DecodeTree<AnyLayer>, path: &[Seg]) -> bool {
    asked_form(|| ask(decode, path)) == Some(AskedForm::Map)
}

fn ask(decode: DecodeTree<AnyLayer>, path: &[Seg]) {
    decode(&alone(path, Tree::Raw("x".to_owned())), false);
}

/// Whether a map is a value there, good or bad.
fn takes_a_map(decode: DecodeTree<AnyLayer>, path: &[Seg], map: Tree) -> bool {
    let (_, flaws) = decode(&alone(path, map), false);
    let refuses = |flaw: &Flaw| match &flaw.what {
        What::Type { found, .. } => found.starts_with("map"),
        _ => false,
    };
    !flaws
        .iter()
        .any(|flaw| flaw.path.starts_with(path) && refuses(flaw))
}

fn alone(path: &[Seg], value: Tree) -> Tree {
    path.iter().rev().fold(value, |inner, seg| match seg {
        Seg::Key(key) => Tree::Map(vec![(key.to_string(), inner)]),
        Seg::Index(_) => inner,
    })
}
