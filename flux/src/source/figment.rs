//! How a figment provider becomes a layer, and where its problems are.

use crate::{
    codec::{MAX_DEPTH, TOO_DEEP, Unknown, WITHHELD},
    document::{Document, tree::Tree},
    problem::{Flaw, ProblemKind, Seg, What},
    report::{Entry, hidden::texts},
    schema::{self, Field},
    source::{
        DecodeTree, Given,
        environment::{UnreadKey, outdated_keys, unread_keys},
    },
};
use figment::{
    Error, Profile, Provider,
    error::Kind,
    value::{Dict, Map, Num, Value},
};

/// Reads a provider: its default profile, and over it the one it selects.
pub(crate) fn layer_of<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    provider: &dyn Provider,
    unknown: Unknown,
) -> Given<L> {
    let origin = provider.metadata().name.into_owned();
    let refused = |problems: Vec<Flaw>, secrets| Given {
        read: Err(problems
            .into_iter()
            .map(|problem| Entry::new(&origin, problem))
            .collect()),
        partial: None,
        secrets,
        warnings: Vec::new(),
        arguments: None,
        prefix: None,
        tree: None,
        again: None,
        empty: Vec::new(),
        files: Vec::new(),
    };
    let tree = match provider.data() {
        Ok(data) => tree_of_profiles(&data, provider.profile()),
        Err(error) => return refused(problems_of(fields, error), Vec::new()),
    };
    let Some(tree) = tree else {
        let (path, what) = (Vec::new(), What::Plain(TOO_DEEP.to_owned()));
        return refused(vec![Flaw { path, what }], Vec::new());
    };
    let secrets = texts(fields, &Document::of_tree(&tree)).unwrap_or_default();
    let (layer, mut problems) = decode(&tree, false);
    let mut warnings = Vec::new();
    // Every variable of the process is in it: most belong to somebody else.
    let is_whole_environment = origin == "environment variable(s)";
    for UnreadKey { flaw, is_strict } in unread_keys(fields, &tree, is_whole_environment) {
        match unknown {
            _ if is_whole_environment && flaw.what == What::Unknown(None) => {}
            _ if is_strict || unknown == Unknown::Deny => problems.push(flaw),
            Unknown::Ignore => {}
            _ => warnings.push(Entry::new(&origin, flaw)),
        }
    }
    for flaw in outdated_keys(fields, &tree) {
        match flaw.what.is_removed() {
            true => problems.push(flaw),
            false => warnings.push(Entry::new(&origin, flaw)),
        }
    }
    let layer = layer.map(|layer| (layer, Vec::new()));
    match layer {
        Some(layer) if problems.is_empty() => Given {
            read: Ok(layer),
            partial: None,
            secrets,
            warnings,
            arguments: None,
            prefix: None,
            tree: Some(tree),
            again: None,
            empty: Vec::new(),
            files: Vec::new(),
        },
        partial => Given {
            partial,
            warnings,
            ..refused(problems, secrets)
        },
    }
}

/// What a provider contains.
#[cfg(feature = "testing")]
pub(crate) fn tree(provider: &dyn Provider) -> Result<Tree, String> {
    let data = provider.data().map_err(|error| error.to_string())?;
    tree_of_profiles(&data, provider.profile()).ok_or_else(|| TOO_DEEP.to_owned())
}

/// Everything that figment reports, taken apart so that a secret can be left out of it.
fn problems_of(fields: &'static [Field], error: Error) -> Vec<Flaw> {
    let problem = |error: Error| {
        let path: Vec<Seg> = error.path.into_iter().map(seg).collect();
        let what = match error.kind {
            Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
                let found = found.to_string();
                What::Type { found, expected }
            }
            // A file's syntax error shows the line.
            _ if schema::any_secret(fields) => What::plain(ProblemKind::InvalidValue, WITHHELD),
            kind => What::Message(format!("cannot be read: {kind}")),
        };
        Flaw { path, what }
    };
    error.into_iter().map(problem).collect()
}

/// figment's path has items by their number.
fn seg(step: String) -> Seg {
    match step.parse() {
        Ok(index) => Seg::Index(index),
        Err(_) => Seg::Key(step.into()),
    }
}

/// None where it is too deep.
fn tree_of_profiles(data: &Map<Profile, Dict>, selected: Option<Profile>) -> Option<Tree> {
    let mut root = Vec::new();
    let selected = selected.filter(|profile| *profile != Profile::Default);
    for profile in [Some(Profile::Default), selected, Some(Profile::Global)]
        .into_iter()
        .flatten()
    {
        if let Some(dict) = data.get(&profile) {
            merge(&mut root, tree_of(dict, MAX_DEPTH)?);
        }
    }
    Some(Tree::Map(root))
}

fn merge(below: &mut Vec<(String, Tree)>, top: Vec<(String, Tree)>) {
    for (key, mut value) in top {
        let known = below.iter_mut().find(|(known, _)| *known == key);
        match (known.map(|(_, known)| known), &mut value) {
            (Some(Tree::Map(below)), Tree::Map(top)) => merge(below, std::mem::take(top)),
            (Some(below), _) => *below = value,
            (None, _) => below.push((key, value)),
        }
    }
}

fn tree_of(dict: &Dict, depth: usize) -> Option<Vec<(String, Tree)>> {
    let inner = depth.checked_sub(1)?;
    let entry = |(key, value): (&String, &Value)| Some((key.clone(), value_of(value, inner)?));
    dict.iter().map(entry).collect()
}

fn value_of(value: &Value, depth: usize) -> Option<Tree> {
    Some(match value {
        Value::String(_, text) => Tree::Str(text.clone()),
        Value::Char(_, c) => Tree::Str(c.to_string()),
        Value::Bool(_, value) => Tree::Bool(*value),
        Value::Num(_, number) => number_of(*number),
        Value::Empty(..) => Tree::Null,
        Value::Dict(_, dict) => Tree::Map(tree_of(dict, depth)?),
        Value::Array(_, items) => {
            let inner = depth.checked_sub(1)?;
            let items = items.iter().map(|item| value_of(item, inner));
            Tree::Seq(items.collect::<Option<_>>()?)
        }
    })
}

fn number_of(number: Num) -> Tree {
    if let Some(float) = match number {
        Num::F32(float) => Some(f64::from(float)),
        Num::F64(float) => Some(float),
        _ => None,
    } {
        return Tree::F64(float);
    }
    match (number.to_u128(), number.to_i128()) {
        (Some(n), _) if u64::try_from(n).is_ok() => Tree::U64(n as u64),
        (_, Some(n)) if i64::try_from(n).is_ok() => Tree::I64(n as i64),
        (Some(n), _) => Tree::Raw(n.to_string()),
        (_, Some(n)) => Tree::Raw(n.to_string()),
        _ => Tree::Null,
    }
}
