//! What ends a start before anything is opened: a default that its type cannot read, names of arguments that mean two fields, and
//! `--help`.

use crate::{
    engine::Schema,
    problem::{Dotted, Seg},
    runtime::error::Error,
    schema::Field,
    source::{
        arguments,
        declare::{Input, Opened},
    },
};

/// A default that its type cannot read is found before it is needed.
pub(super) fn check_defaults(
    fields: &'static [Field],
    depth: u8,
    path: &mut Vec<Seg>,
) -> Result<(), String> {
    for field in fields {
        if !field.flatten {
            path.push(Seg::Key(field.name.into()));
        }
        if let Err(why) = field.try_default() {
            let why = match field.is_secret() {
                true => "its default cannot be read".to_owned(),
                false => why,
            };
            let place = field.default().map_or(String::new(), |default| {
                format!(" ({}, line {})", default.file, default.line)
            });
            let path = Dotted(path);
            return Err(format!(
                "`{path}`: {why}; write a default that its type reads{place}"
            ));
        }
        if let Some(inner) = field.kind.table()
            && depth > 0
        {
            check_defaults(inner, depth - 1, path)?;
        }
        if !field.flatten {
            path.pop();
        }
    }
    Ok(())
}

/// Names that mean two fields are refused; and `--help` gives the help instead of a configuration.
pub(super) fn check_arguments(schema: &Schema, name: &str, layers: &[Opened]) -> Result<(), Error> {
    let given = layers.iter().find_map(|layer| match &layer.input {
        Input::Arguments(given) => Some(given),
        _ => None,
    });
    let Some(given) = given else { return Ok(()) };
    let (fields, decode) = ((schema.fields)(), schema.decode_tree);
    arguments::check_names(fields, decode).map_err(|problem| Error::Declaration {
        name: name.to_owned(),
        problem,
    })?;
    if !arguments::ask_for_help(fields, decode, given) {
        return Ok(());
    }
    let prefixes = layers.iter().filter_map(|layer| match &layer.input {
        Input::Environment(prefix, _) => Some(prefix.as_str()),
        _ => None,
    });
    let prefixes: Vec<&str> = prefixes.collect();
    Err(Error::Help(arguments::help(
        fields, decode, &prefixes, given,
    )))
}
