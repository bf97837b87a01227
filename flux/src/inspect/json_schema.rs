//! The JSON Schema (2020-12) of a config type, as far as it has words for what the decoder accepts and the rules allow: its
//! sections and keys, and which are required.

mod leaf;
#[cfg(feature = "schemars")]
mod own_schema;

use super::{default, value::ConfigValue, wording};
use crate::{
    problem::Seg,
    schema::{
        ChangeRule, Constraint, ConstraintKind, Descent, Field, Kind, MAX_DEPTH, MergeRule,
        Outdated, TypeFacts,
    },
    source::environment,
};
use std::collections::HashMap;

/// A map of a schema, in the order in which it is printed.
pub(super) type SchemaMap = Vec<(String, ConfigValue)>;

pub(super) fn text(text: impl Into<String>) -> ConfigValue {
    ConfigValue::Text(text.into())
}

pub(super) fn number(number: impl ToString) -> ConfigValue {
    ConfigValue::Number(number.to_string())
}

pub(super) fn put(map: &mut SchemaMap, key: &str, value: ConfigValue) {
    map.push((key.to_owned(), value));
}

fn reference(name: &str) -> SchemaMap {
    vec![("$ref".to_owned(), text(format!("#/$defs/{name}")))]
}

/// A value of this schema or null.
fn or_null(schema: SchemaMap) -> SchemaMap {
    let null = vec![("type".to_owned(), text("null"))];
    let both = [schema, null].map(ConfigValue::Map).to_vec();
    vec![("anyOf".to_owned(), ConfigValue::List(both))]
}

/// The types of a section's fields, and where they are described.
type SectionKey = (usize, usize);

/// Describes sections, each once.
struct Describing {
    /// Whether a document must have what is required.
    is_whole: bool,
    variables: HashMap<Vec<Seg>, String>,
    names: HashMap<SectionKey, String>,
    sections: SchemaMap,
    #[cfg(feature = "schemars")]
    own: own_schema::OwnSchemas,
}

/// The schema of a whole configuration, or of one layer of it, in which nothing is required. Variables have this prefix.
pub(super) fn json_schema(
    title: &str,
    docs: &str,
    fields: fn() -> &'static [Field],
    types: fn() -> Vec<TypeFacts>,
    is_whole: bool,
    prefix: &str,
) -> ConfigValue {
    let table = fields();
    let mut variables = HashMap::new();
    for one in environment::variables(table, prefix) {
        variables.entry(one.path).or_insert(one.name);
    }
    let mut describing = Describing {
        is_whole,
        variables,
        names: HashMap::new(),
        sections: Vec::new(),
        #[cfg(feature = "schemars")]
        own: own_schema::OwnSchemas::new(),
    };
    let mut schema = Vec::new();
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    put(&mut schema, "$schema", text(dialect));
    put(&mut schema, "title", text(title));
    let docs: Vec<&str> = docs.split_whitespace().collect();
    if !docs.is_empty() {
        put(&mut schema, "description", text(docs.join(" ")));
    }
    let section = describing.section(table, &types(), Some(&mut Vec::new()));
    schema.extend(section);
    #[cfg(feature = "schemars")]
    describing.sections.extend(describing.own.definitions());
    if !describing.sections.is_empty() {
        let by_name =
            |one: &(String, ConfigValue), other: &(String, ConfigValue)| one.0.cmp(&other.0);
        describing.sections.sort_by(by_name);
        put(&mut schema, "$defs", ConfigValue::Map(describing.sections));
    }
    ConfigValue::Map(schema)
}

/// What a section's keys come to.
#[derive(Default)]
struct SectionKeys {
    properties: SchemaMap,
    required: Vec<ConfigValue>,
    /// Conditions on keys that are names of one field.
    conditions: Vec<ConfigValue>,
    rest: Option<ConfigValue>,
    is_strict: bool,
}

impl Describing {
    /// `path` is where the section is; none where it is in a list or a map, or described for more than one place.
    fn section(
        &mut self,
        fields: &'static [Field],
        facts: &[TypeFacts],
        path: Option<&mut Vec<Seg>>,
    ) -> SchemaMap {
        let mut keys = SectionKeys::default();
        self.keys(fields, facts, path, false, &mut keys);
        let mut schema = vec![("type".to_owned(), text("object"))];
        put(&mut schema, "properties", ConfigValue::Map(keys.properties));
        if !keys.required.is_empty() {
            put(&mut schema, "required", ConfigValue::List(keys.required));
        }
        if !keys.conditions.is_empty() {
            put(&mut schema, "allOf", ConfigValue::List(keys.conditions));
        }
        let rest = keys
            .rest
            .or(keys.is_strict.then_some(ConfigValue::Bool(false)));
        if let Some(rest) = rest {
            put(&mut schema, "additionalProperties", rest);
        }
        schema
    }

    fn keys(
        &mut self,
        fields: &'static [Field],
        facts: &[TypeFacts],
        mut path: Option<&mut Vec<Seg>>,
        is_optional: bool,
        keys: &mut SectionKeys,
    ) {
        let unknown = TypeFacts::unknown();
        for (number, field) in fields.iter().enumerate() {
            let facts = facts.get(number).unwrap_or(&unknown);
            keys.is_strict |= field.strict;
            match field.kind() {
                Kind::Section(inner) if field.is_flattened() => {
                    let inner_facts = facts.fields.map(|of| of()).unwrap_or_default();
                    let is_optional = is_optional || facts.is_optional || field.default().is_some();
                    let path = path.as_deref_mut();
                    self.keys(inner(), &inner_facts, path, is_optional, keys);
                    continue;
                }
                Kind::Map(entry) if field.is_flattened() => {
                    keys.rest = Some(ConfigValue::Map(self.nested(*entry, facts, field)));
                    continue;
                }
                _ if field.is_flattened() => {
                    let mut rest = self.leaf(field, facts);
                    let entries = rest
                        .iter()
                        .position(|(key, _)| key == "additionalProperties");
                    keys.rest = entries.map(|at| rest.swap_remove(at).1);
                    continue;
                }
                _ => {}
            }
            let mut schema = match field.kind() {
                Kind::Leaf => self.leaf(field, facts),
                kind => {
                    let mut schema = self.nested(kind, facts, field);
                    // In the place of a section that must be there anyway, null sets nothing.
                    let sets_nothing = matches!(kind, Kind::Section(_))
                        && (!self.is_whole || !must_be_there(field, facts, None));
                    if facts.is_optional || sets_nothing {
                        schema = or_null(schema);
                    }
                    let rules = self.rules(field, facts);
                    leaf::constrain(&mut schema, &rules, None);
                    schema
                }
            };
            self.annotate(&mut schema, field, facts, path.as_deref_mut());
            self.key(field, facts, schema, is_optional, keys);
        }
    }

    /// One key, and the other names of it.
    fn key(
        &self,
        field: &'static Field,
        facts: &TypeFacts,
        schema: SchemaMap,
        is_optional: bool,
        keys: &mut SectionKeys,
    ) {
        let is_required = self.is_whole && !is_optional && must_be_there(field, facts, None);
        let names: Vec<&str> = [field.name].iter().chain(field.aliases).copied().collect();
        for (number, name) in names.iter().enumerate() {
            let schema = match (number, Outdated::of_key(field, name)) {
                // What the program no longer reads is refused.
                (_, Some(_)) if field.is_removed() => ConfigValue::Bool(false),
                (0, _) => ConfigValue::Map(schema.clone()),
                (_, outdated) => {
                    let mut other = schema.clone();
                    let is_marked = other.iter().any(|(key, _)| key == "deprecated");
                    if outdated.is_some() && !is_marked {
                        put(&mut other, "deprecated", ConfigValue::Bool(true));
                    }
                    put(&mut other, "x-flux-alias-of", text(field.name()));
                    ConfigValue::Map(other)
                }
            };
            put(&mut keys.properties, name, schema);
        }
        let required = |names: &[&str]| {
            let names = names.iter().map(|name| text(*name)).collect();
            ConfigValue::Map(vec![("required".to_owned(), ConfigValue::List(names))])
        };
        let condition =
            |key: &str, value: ConfigValue| ConfigValue::Map(vec![(key.to_owned(), value)]);
        match names[..] {
            [only] if is_required => keys.required.push(text(only)),
            [_] => {}
            _ => {
                // Two names of one field are a key that occurs twice.
                for (number, one) in names.iter().enumerate() {
                    for other in &names[number + 1..] {
                        keys.conditions
                            .push(condition("not", required(&[one, other])));
                    }
                }
                if is_required {
                    let any = names.iter().map(|name| required(&[name])).collect();
                    keys.conditions
                        .push(condition("anyOf", ConfigValue::List(any)));
                }
            }
        }
    }

    fn leaf(&mut self, field: &'static Field, facts: &TypeFacts) -> SchemaMap {
        let traced = || leaf::of_type(&facts.value_type, field.type_name());
        #[cfg(feature = "schemars")]
        let mut schema = self.own.of(field, facts).unwrap_or_else(traced);
        #[cfg(not(feature = "schemars"))]
        let mut schema = traced();
        if takes_entries_away(field, facts) {
            leaf::with_null_entries(&mut schema);
        }
        let rules = self.rules(field, facts);
        leaf::constrain(&mut schema, &rules, Some(&facts.value_type));
        schema
    }

    /// The rules that a document can break.
    fn rules(&self, field: &Field, facts: &TypeFacts) -> Vec<Constraint> {
        let merge = field.merge().unwrap_or(facts.merge);
        let is_part = !self.is_whole && merge != MergeRule::Replace;
        let is_ruled = |rule: &&Constraint| match rule.kind {
            // The values that a secret may have are not shown.
            ConstraintKind::OneOf(_) => !field.is_secret(),
            // What other layers add or take away counts too.
            ConstraintKind::Length(..) | ConstraintKind::NonEmpty => !is_part,
            _ => true,
        };
        let rules = field.constraints().iter().filter(is_ruled);
        rules.copied().collect()
    }

    /// A section, or a list or a map of sections.
    fn nested(&mut self, kind: Kind, facts: &TypeFacts, field: &'static Field) -> SchemaMap {
        match kind {
            Kind::Leaf => leaf::of_type(super::value::part(&facts.value_type), ""),
            Kind::Section(inner) => {
                let of = facts.fields;
                let key = (inner as usize, of.map_or(0, |of| of as usize));
                if let Some(name) = self.names.get(&key) {
                    return reference(name);
                }
                let name = self.free_name(field.type_name());
                self.names.insert(key, name.clone());
                let facts = of.map(|of| of()).unwrap_or_default();
                let section = self.section(inner(), &facts, None);
                put(&mut self.sections, &name, ConfigValue::Map(section));
                reference(&name)
            }
            Kind::List(item) => {
                let items = ConfigValue::Map(self.nested(*item, facts, field));
                let mut schema = vec![("type".to_owned(), text("array"))];
                put(&mut schema, "items", items);
                schema
            }
            Kind::Map(entry) => {
                let mut entries = self.nested(*entry, facts, field);
                if takes_entries_away(field, facts) {
                    entries = or_null(entries);
                }
                let mut schema = vec![("type".to_owned(), text("object"))];
                put(
                    &mut schema,
                    "additionalProperties",
                    ConfigValue::Map(entries),
                );
                schema
            }
        }
    }

    /// The innermost type's own name, and a number where another one has it.
    fn free_name(&self, type_name: &str) -> String {
        let innermost = type_name.rsplit(['<', ',']).next().unwrap_or_default();
        let innermost = innermost.trim_end_matches('>').trim();
        let own = innermost.rsplit("::").next().unwrap_or_default();
        let plain: String = own
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let plain = if plain.is_empty() {
            "Section".to_owned()
        } else {
            plain
        };
        let is_taken = |name: &String| self.names.values().any(|known| known == name);
        let mut name = plain.clone();
        let mut number = 1;
        while is_taken(&name) {
            number += 1;
            name = format!("{plain}{number}");
        }
        name
    }

    fn annotate(
        &self,
        schema: &mut SchemaMap,
        field: &'static Field,
        facts: &TypeFacts,
        path: Option<&mut Vec<Seg>>,
    ) {
        let docs = wording::docs(field);
        if !docs.is_empty() {
            put(schema, "description", text(docs));
        }
        let shown = |_: &crate::schema::DefaultValue| !field.is_secret();
        if let Some(declared) = field.default().filter(shown) {
            match default::of_field(field, &facts.value_type) {
                Some(value) => put(schema, "default", value),
                None => put(schema, "x-flux-default", text(declared.text)),
            }
        }
        if let Some(deprecation) = wording::deprecation(field) {
            put(schema, "deprecated", ConfigValue::Bool(true));
            put(schema, "x-flux-deprecated", text(deprecation));
        }
        if field.is_secret() {
            put(schema, "writeOnly", ConfigValue::Bool(true));
            put(schema, "x-flux-secret", ConfigValue::Bool(true));
        }
        let has = |rule: ChangeRule| field.changes().contains(&rule);
        for (holds, key) in [
            (has(ChangeRule::Restart), "x-flux-restart"),
            (has(ChangeRule::Immutable), "x-flux-immutable"),
            (field.accessor().is_some(), "x-flux-hot"),
        ] {
            if holds {
                put(schema, key, ConfigValue::Bool(true));
            }
        }
        let rules: Vec<_> = wording::rules(field).into_iter().map(text).collect();
        if !rules.is_empty() && !field.is_secret() {
            put(schema, "x-flux-rules", ConfigValue::List(rules));
        }
        let changes: Vec<_> = wording::change_rules(field).into_iter().map(text).collect();
        if !changes.is_empty() {
            put(schema, "x-flux-changes", ConfigValue::List(changes));
        }
        let Some(path) = path else { return };
        path.push(Seg::Key(field.name().into()));
        if let Some(name) = self.variables.get(path) {
            put(schema, "x-flux-variable", text(name));
        }
        path.pop();
    }
}

/// Whether null as an entry of a map takes away what a lower layer has there.
fn takes_entries_away(field: &Field, facts: &TypeFacts) -> bool {
    field.merge().unwrap_or(facts.merge) == MergeRule::ByKey
}

/// Whether a configuration cannot do without the key: it is required, or something in it is.
fn must_be_there(field: &Field, facts: &TypeFacts, way: Option<&Descent<'_>>) -> bool {
    match field.kind() {
        Kind::Section(_) if facts.is_optional || field.default().is_some() => false,
        Kind::Section(inner) => {
            let way = match way {
                Some(way) => way.enter(inner()),
                None => Some(Descent::at(inner(), MAX_DEPTH)),
            };
            let Some(way) = way else { return false };

            let inner_facts = facts.fields.map(|of| of()).unwrap_or_default();
            let unknown = TypeFacts::unknown();
            inner().iter().enumerate().any(|(number, field)| {
                let facts = inner_facts.get(number).unwrap_or(&unknown);
                must_be_there(field, facts, Some(&way))
            })
        }
        _ => field.is_required() && !field.is_flattened(),
    }
}
