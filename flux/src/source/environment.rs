//! The process environment as a layer: names are computed from the field table, values are read by the target's type.

use crate::{
    document::tree::Tree,
    problem::{Dotted, Problem, Seg, What},
    report::Entry,
    schema::{self, Field, Kind, MAX_DEPTH},
    source::{DecodeTree, Given},
};
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
}

/// One variable that a config type reads.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) path: Vec<Seg>,
}

/// Every variable of the table, under `prefix`.
pub(crate) fn variables(fields: &'static [Field], prefix: &str) -> Vec<Variable> {
    let mut all = Vec::new();
    collect(fields, prefix, &[], MAX_DEPTH, &mut all);
    all
}

fn collect(
    fields: &'static [Field],
    prefix: &str,
    path: &[Seg],
    depth: u8,
    all: &mut Vec<Variable>,
) {
    for field in fields {
        let mut path = path.to_vec();
        let name = match field.env_exact {
            Some(exact) => exact.to_owned(),
            None => format!("{prefix}{}", field.env),
        };
        match field.kind {
            Kind::Section(inner) if field.flatten => {
                if depth > 0 {
                    collect(inner(), prefix, &path, depth - 1, all);
                }
            }
            Kind::Section(inner) => {
                path.push(Seg::Key(field.name.into()));
                if depth > 0 {
                    collect(inner(), &format!("{name}_"), &path, depth - 1, all);
                }
            }
            Kind::Leaf | Kind::List(_) | Kind::Map(_) => {
                path.push(Seg::Key(field.name.into()));
                all.push(Variable { name, path });
            }
        }
    }
}

/// Two fields that one variable would set under `prefix` are refused.
pub(crate) fn check_names(fields: &'static [Field], prefix: &str) -> Result<(), String> {
    let mut known: HashMap<String, Vec<Seg>> = HashMap::new();
    for variable in variables(fields, prefix) {
        if let Some(other) = known.insert(variable.name.clone(), variable.path.clone()) {
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

/// Reads the environment. An empty variable says nothing; every wrong one is told.
pub(crate) fn layer<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &str,
    lookup: &dyn Fn(&str) -> Option<OsString>,
) -> Given<L> {
    let mut root = Vec::new();
    let mut set = Vec::new();
    let mut problems = Vec::new();
    let mut secrets = Vec::new();
    for variable in variables(fields, prefix) {
        let Some(value) = lookup(&variable.name).filter(|value| !value.is_empty()) else {
            continue;
        };
        if schema::is_secret(fields, &variable.path) {
            secrets.push(value.to_string_lossy().into_owned());
        }
        match value.into_string() {
            Ok(text) => insert(&mut root, &variable.path, text),
            Err(_) => problems.push(Problem {
                path: variable.path.clone(),
                what: What::Plain("is not valid Unicode".to_owned()),
            }),
        }
        set.push((variable.path, variable.name));
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
        prefix: Some(prefix.to_owned()),
    }
}

fn entry(problem: Problem, set: &[(Vec<Seg>, String)]) -> Entry {
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
