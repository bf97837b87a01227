//! The process environment as a layer: names are computed from the field table, values are read by the target's type.

use crate::{
    codec::Unknown,
    document::tree::Tree,
    problem::{Dotted, Fix, Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::{self, Field, Kind, MAX_DEPTH},
    source::{DecodeTree, Given},
};
use flux_syntax::{Naming, env_segment};
use std::{collections::HashMap, ffi::OsString, sync::Arc};

/// Where variables are looked up: in the process, or in what was given instead.
#[derive(Clone, Default)]
pub(crate) enum Variables {
    #[default]
    Process,
    Given(Arc<HashMap<String, OsString>>),
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        match self {
            Variables::Process => std::env::var_os(name),
            Variables::Given(known) => known.get(name).cloned(),
        }
    }

    /// The names of all that are set and not empty, in order.
    fn names(&self) -> Vec<String> {
        let name = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok();
            name.filter(|_| !value.is_empty())
        };
        let mut names: Vec<String> = match self {
            Variables::Process => std::env::vars_os().filter_map(name).collect(),
            Variables::Given(known) => {
                let known = known.iter().filter(|(_, value)| !value.is_empty());
                known.map(|(name, _)| name.clone()).collect()
            }
        };
        names.sort_unstable();
        names
    }
}

/// One variable that a config type reads.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) path: Vec<Seg>,
}

/// Every variable of the table under a prefix, which has the options of [`Naming`]: of a field with aliases one for each name, the field's own first.
pub(crate) fn variables(fields: &'static [Field], prefix: &str) -> Vec<Variable> {
    let Ok(naming) = Naming::parse(prefix) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let prefixes = [naming.prefix.to_owned()];
    collect(
        fields,
        naming.separator,
        &prefixes,
        &[],
        MAX_DEPTH,
        &mut all,
    );
    all
}

/// Every name of a field's variable, the one that is not an alias first.
fn names_of(field: &Field, prefixes: &[String]) -> Vec<String> {
    if let Some(exact) = field.env_exact {
        return vec![exact.to_owned()];
    }
    let aliases = field.aliases.iter().map(|alias| env_segment(alias));
    let segments = std::iter::once(field.env.to_owned()).chain(aliases);
    let mut names = Vec::new();
    for segment in segments {
        for prefix in prefixes {
            let name = format!("{prefix}{segment}");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn collect(
    fields: &'static [Field],
    separator: &str,
    prefixes: &[String],
    path: &[Seg],
    depth: u8,
    all: &mut Vec<Variable>,
) {
    for field in fields {
        let mut path = path.to_vec();
        match field.kind {
            Kind::Section(inner) if field.flatten => {
                if depth > 0 {
                    collect(inner(), separator, prefixes, &path, depth - 1, all);
                }
            }
            Kind::Section(inner) => {
                path.push(Seg::Key(field.name.into()));
                if depth > 0 {
                    let names = names_of(field, prefixes).into_iter();
                    let inside: Vec<_> = names.map(|name| name + separator).collect();
                    collect(inner(), separator, &inside, &path, depth - 1, all);
                }
            }
            // A flattened map has no name of its own.
            _ if field.flatten => {}
            Kind::Leaf | Kind::List(_) | Kind::Map(_) => {
                path.push(Seg::Key(field.name.into()));
                for name in names_of(field, prefixes) {
                    let path = path.clone();
                    all.push(Variable { name, path });
                }
            }
        }
    }
}

/// Two fields that one variable would set under `prefix` are refused.
pub(crate) fn check_names(fields: &'static [Field], prefix: &str) -> Result<(), String> {
    Naming::parse(prefix).map_err(|error| format!("the source `env:{prefix}`: {error}"))?;
    let mut known: HashMap<String, Vec<Seg>> = HashMap::new();
    for variable in variables(fields, prefix) {
        if let Some(other) = known.insert(variable.name.clone(), variable.path.clone())
            && other != variable.path
        {
            return Err(format!(
                "the environment variable {} would set both `{}` and `{}`; rename one, or give it a variable of its own: `#[flux(env = \"..\")]`",
                variable.name,
                Dotted(&other),
                Dotted(&variable.path),
            ));
        }
    }
    Ok(())
}

/// Reads the environment. An empty variable is as one that is not set; every wrong one is reported. So is one that looks like a
/// misspelt one of the table: as a warning, or as a problem where unknown keys are refused.
pub(crate) fn layer<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &str,
    variables: &Variables,
    unknown: Unknown,
) -> Given<L> {
    let mut given = read(fields, decode, prefix, &|name| variables.get(name));
    let mut suspects = misspelt(fields, prefix, variables);
    if unknown == Unknown::Deny || schema::is_strict(fields) {
        if !suspects.is_empty() {
            let mut refused = given.read.err().unwrap_or_default();
            refused.append(&mut suspects);
            given.read = Err(refused);
        }
    } else if unknown == Unknown::Warn {
        given.warnings = suspects;
    }
    given
}

/// Reads the variables of the table.
pub(crate) fn read<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &str,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Given<L> {
    let empty_is_value = Naming::parse(prefix).is_ok_and(|naming| naming.empty_is_value);
    let is_set = |value: &OsString| empty_is_value || !value.is_empty();
    let mut root = Vec::new();
    let mut set: Vec<(Vec<Seg>, String)> = Vec::new();
    let mut problems = Vec::new();
    let mut secrets = Vec::new();
    for Variable { name, path } in variables(fields, prefix) {
        let Some(value) = lookup(&name).filter(is_set) else {
            continue;
        };
        if schema::is_secret(fields, &path) {
            secrets.push(value.to_string_lossy().into_owned());
        }
        if let Some((_, other)) = set.iter().find(|(known, _)| *known == path) {
            if lookup(other).as_ref() != Some(&value) {
                let what = What::plain(
                    ProblemKind::DuplicateKey,
                    format!("is set by both {other} and {name}, with different values; unset one"),
                );
                problems.push(Flaw { path, what });
            }
            continue;
        }
        match value.into_string() {
            Ok(text) => insert(&mut root, &path, text),
            Err(_) => problems.push(Flaw {
                path: path.clone(),
                what: What::plain(ProblemKind::InvalidValue, "is not valid Unicode"),
            }),
        }
        set.push((path, name));
    }
    let (layer, more) = decode(&Tree::Map(root), false);
    problems.extend(more);
    let read = match layer {
        Some(layer) if problems.is_empty() => Ok((layer, set)),
        _ => Err(problems
            .into_iter()
            .map(|problem| entry(problem, &set))
            .collect()),
    };
    Given {
        read,
        secrets,
        warnings: Vec::new(),
        prefix: Some(prefix.to_owned()),
    }
}

/// Variables under the prefix that no field has, and whose names are near to those of fields. Others belong to somebody else.
pub(crate) fn misspelt(
    fields: &'static [Field],
    prefix: &str,
    variables: &Variables,
) -> Vec<Entry> {
    let all = self::variables(fields, prefix);
    let prefix = Naming::parse(prefix).map_or("", |naming| naming.prefix);
    if prefix.is_empty() {
        return Vec::new();
    }
    let known: HashMap<&str, &Variable> = all
        .iter()
        .filter_map(|variable| Some((variable.name.strip_prefix(prefix)?, variable)))
        .collect();
    let suspect = |name: String| {
        let rest = name.strip_prefix(prefix)?;
        if known.contains_key(rest) || all.iter().any(|variable| variable.name == name) {
            return None;
        }
        let near = *known.get(flux_syntax::nearest(rest, known.keys().copied())?)?;
        let what = match rest.strip_prefix('_').filter(|_| !prefix.ends_with('_')) {
            Some(rest) if known.contains_key(rest) => format!(
                "this variable is not read: the prefix `{prefix}` has no `_` at its end; write `env:{prefix}_`"
            ),
            _ => format!("this variable is not read, did you mean `{}`?", near.name),
        };
        let entry = Entry::new(
            "environment",
            Flaw {
                path: near.path.clone(),
                what: What::plain(ProblemKind::UnknownKey, what),
            },
        );
        let to = near.name.clone();
        let mut entry = entry.fix(Some(Fix::Rename { to }));
        entry.variable = Some(name);
        Some(entry)
    };
    variables.names().into_iter().filter_map(suspect).collect()
}

fn entry(problem: Flaw, set: &[(Vec<Seg>, String)]) -> Entry {
    let variable = set.iter().find(|(path, _)| problem.path.starts_with(path));
    let mut entry = Entry::new("environment", problem);
    entry.variable = variable.map(|(_, name)| name.clone());
    entry
}

fn insert(map: &mut Vec<(String, Tree)>, path: &[Seg], text: String) {
    let Some((Seg::Key(key), rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        map.push((key.to_string(), Tree::Raw(text)));
        return;
    }
    if !map.iter().any(|(known, _)| known == key) {
        map.push((key.to_string(), Tree::Map(Vec::new())));
    }
    if let Some((_, Tree::Map(inner))) = map.iter_mut().find(|(known, _)| known == key) {
        insert(inner, rest, text);
    }
}
