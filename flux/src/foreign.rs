//! figment, both ways: any provider is a layer, and a capacitor is a provider.

use crate::{
    Capacitor, Config,
    codec::decode_tree,
    layer::Seg,
    report::{Entry, tree::Tree},
};
use figment::{
    Error, Metadata, Profile, Provider,
    value::{Dict, Map, Num, Value},
};

type Read<L> = Result<(L, Vec<(Vec<Seg>, String)>), Vec<Entry>>;

/// Reads a provider: its default profile, and over it the one it selects.
pub(crate) fn layer_of<C: Config>(provider: &dyn Provider) -> Read<C::Layer> {
    let origin = provider.metadata().name.into_owned();
    let tree = tree(provider).map_err(|error| {
        let problem = crate::layer::Problem {
            path: Vec::new(),
            what: crate::layer::path::What::Message(format!("cannot be read: {error}")),
        };
        vec![Entry::new(&origin, problem)]
    })?;
    let (layer, problems) = decode_tree::<C>(&tree, false);
    match layer {
        Some(layer) if problems.is_empty() => Ok((layer, Vec::new())),
        _ => Err(problems
            .into_iter()
            .map(|problem| Entry::new(&origin, problem))
            .collect()),
    }
}

/// What a provider says.
pub(crate) fn tree(provider: &dyn Provider) -> Result<Tree, String> {
    let data = provider.data().map_err(|error| error.to_string())?;
    let mut root = Vec::new();
    let selected = provider
        .profile()
        .filter(|profile| *profile != Profile::Default);
    for profile in [Some(Profile::Default), selected, Some(Profile::Global)]
        .into_iter()
        .flatten()
    {
        if let Some(dict) = data.get(&profile) {
            merge(&mut root, tree_of(dict));
        }
    }
    Ok(Tree::Map(root))
}

fn merge(below: &mut Vec<(String, Tree)>, top: Vec<(String, Tree)>) {
    for (key, value) in top {
        match (below.iter_mut().find(|(known, _)| *known == key), value) {
            (Some((_, Tree::Map(below))), Tree::Map(top)) => merge(below, top),
            (Some((_, below)), value) => *below = value,
            (None, value) => below.push((key, value)),
        }
    }
}

fn tree_of(dict: &Dict) -> Vec<(String, Tree)> {
    dict.iter()
        .map(|(key, value)| (key.clone(), value_of(value)))
        .collect()
}

fn value_of(value: &Value) -> Tree {
    match value {
        Value::String(_, text) => Tree::Str(text.clone()),
        Value::Char(_, c) => Tree::Str(c.to_string()),
        Value::Bool(_, value) => Tree::Bool(*value),
        Value::Num(_, number) => number_of(*number),
        Value::Empty(..) => Tree::Null,
        Value::Dict(_, dict) => Tree::Map(tree_of(dict)),
        Value::Array(_, items) => Tree::Seq(items.iter().map(value_of).collect()),
    }
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

/// The applied configuration, for frameworks that take a figment provider.
impl<C: Config + serde::Serialize> Provider for Capacitor<C> {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("flux capacitor {}", self.status().name))
    }
    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        match self.current() {
            Some(snapshot) => figment::providers::Serialized::defaults(&**snapshot).data(),
            None => Err(Error::from(format!(
                "{}: no configuration was applied yet",
                self.status().name
            ))),
        }
    }
}
