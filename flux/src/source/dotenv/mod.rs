//! Which names a file of variables such as `.env` is read by: its own, or those of the environment. It is watched like any other file.

mod assignments;
mod reader;

use super::{
    DecodeTree,
    declare::{Source, SourceKind, expand, read},
};
use crate::{codec::Decoder, schema::Field};
use flux_syntax::{Dotenv, Naming, Template};
use reader::VariablesFile;
use std::sync::Arc;

/// Makes each file of variables among the layers a file that is read for this type, by the names that it has: its own, or those of
/// the environment among the layers.
///
/// # Errors
/// What is wrong with the declaration of which layer.
pub(crate) fn name_variables<'s, L: 'static>(
    layers: impl Iterator<Item = &'s mut Source>,
    fields: fn() -> &'static [Field],
    decode: DecodeTree<L>,
) -> Result<(), (String, String)> {
    let mut layers: Vec<&mut Source> = layers.collect();
    let mut namings: Vec<String> = Vec::new();
    for layer in &mut layers {
        settle(layer);
        if let SourceKind::Env(prefix) = &layer.kind
            && let Ok(naming) = expand(prefix, &layer.variables)
            && !namings.contains(&naming)
        {
            namings.push(naming);
        }
    }
    for layer in layers {
        let SourceKind::Dotenv(file) = &layer.kind else {
            continue;
        };
        let origin = format!("dotenv:{file}");
        let wrong = |problem: String| (origin.clone(), problem);
        if layer.format.is_some() {
            return Err(wrong("it has one form; remove its format".to_owned()));
        }
        let text = expand(file, &layer.variables).map_err(wrong)?;
        let file = Dotenv::parse(&text).map_err(wrong)?;
        let naming = naming_of(&file, &namings).map_err(wrong)?;
        super::environment::check_names(fields(), &naming).map_err(wrong)?;
        let path = Template::from(file.path);
        let reader = VariablesFile::new(fields, decode, naming);
        layer.kind = SourceKind::File(path);
        layer.format = Some(Decoder::Variables(Arc::new(reader)));
    }
    Ok(())
}

/// How the names in a file are made where the environment has these prefixes and options.
///
/// # Errors
/// They differ in what the file leaves open.
fn naming_of(file: &Dotenv<'_>, namings: &[String]) -> Result<String, String> {
    let is_of_prefix = |usual: &&String| {
        let prefix = Naming::parse(usual).ok().map(|naming| naming.prefix);
        prefix.is_some() && prefix == file.prefix
    };
    // Of several, the one with the prefix of the file counts.
    let same: Vec<&String> = namings.iter().filter(is_of_prefix).collect();
    let usual: Vec<&String> = match same.is_empty() {
        true => namings.iter().collect(),
        false => same,
    };
    let Some((first, rest)) = usual.split_first() else {
        return Ok(file.naming(""));
    };
    let naming = file.naming(first);
    let differs = |usual: &&&String| {
        let other = file.naming(usual);
        Naming::parse(&other) != Naming::parse(&naming)
    };
    match rest.iter().find(differs) {
        None => Ok(naming),
        Some(other) => {
            let (what, how) = match file.prefix {
                None => ("prefix", "?prefix=..".to_owned()),
                Some(prefix) => ("separator", format!("?prefix={prefix}&separator=..")),
            };
            Err(format!(
                "the environment is read with `{first}` and with `{other}`: name the {what} of the file, `dotenv:{}{how}`",
                file.path
            ))
        }
    }
}

/// A URI may be that of a file of variables, or of the environment.
fn settle(layer: &mut Source) {
    let mut kind = None;
    while let SourceKind::Uri(uri) = kind.as_ref().unwrap_or(&layer.kind) {
        match read(uri, &layer.variables) {
            Ok(next) => kind = Some(next),
            // It is reported where the layer is opened.
            Err(_) => return,
        }
    }
    if let Some(kind @ (SourceKind::Dotenv(_) | SourceKind::Env(_))) = kind {
        layer.kind = kind;
    }
}
