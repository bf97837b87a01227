//! Which names a file of variables such as `.env` is read by: its own, or those of the environment. It is watched like any other file.

mod assignments;
mod reader;

use super::{
    DecodeTree,
    declare::{Source, SourceKind, expand, read},
};
use crate::{codec::Decoder, schema::Field};
use flux_syntax::{Dotenv, Template};
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
        let usual = match (namings.as_slice(), file.prefix) {
            ([], _) | (_, Some(_)) => "",
            ([one], None) => one,
            ([one, other, ..], None) => {
                return Err(wrong(format!(
                    "the environment is read with `{one}` and with `{other}`: name the prefix of the file, `dotenv:{}?prefix=..`",
                    file.path
                )));
            }
        };
        let naming = file.naming(usual);
        super::environment::check_names(fields(), &naming).map_err(wrong)?;
        let path = Template::from(file.path);
        let reader = VariablesFile::new(fields, decode, naming);
        layer.kind = SourceKind::File(path);
        layer.format = Some(Decoder::Variables(Arc::new(reader)));
    }
    Ok(())
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
