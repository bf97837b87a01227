//! That two fields with the same key, alias, earlier name or variable do not compile, and what each field's key is after `rename` and
//! `rename_all`.

use super::evolution::old_names;
use crate::{
    ast::{FieldInput, Input},
    errors::Errors,
    model,
    options::Key,
    words::plain,
};
use flux_syntax::Case;
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::collections::HashMap;

/// Every field's key: its own name, in the struct's case, or as renamed.
pub(super) fn keys(input: &Input<'_>, errors: &mut Errors) -> Vec<String> {
    let case = input.options.text(Key::SerdeRenameAll).and_then(|text| {
        let case = Case::parse(&text.value());
        if case.is_none() {
            errors.at(
                text,
                format!("`{}` is not a case; the cases are lowercase, UPPERCASE, PascalCase, camelCase, snake_case, SCREAMING_SNAKE_CASE, kebab-case and SCREAMING-KEBAB-CASE", text.value()),
            );
        }
        case
    });
    let key = |field: &FieldInput<'_>| match field.options.text(Key::SerdeRename) {
        Some(name) => name.value(),
        None => match case {
            Some(case) => case.apply_to_field(&plain(field.ident)),
            None => plain(field.ident),
        },
    };
    let keys: Vec<String> = input.fields.iter().map(key).collect();
    for (field, key) in input.fields.iter().zip(&keys) {
        if key.is_empty() {
            errors.at(renamed(field), "a key needs at least one character");
        }
    }
    keys
}

/// Where a field's key was written.
fn renamed(field: &FieldInput<'_>) -> TokenStream {
    match field.options.text(Key::SerdeRename) {
        Some(name) => name.to_token_stream(),
        None => field.ident.to_token_stream(),
    }
}

/// Two maps could not share the keys that no field has.
pub(super) fn one_rest(input: &Input<'_>, fields: &[model::Field<'_>], errors: &mut Errors) {
    let rests = |one: &&model::Field<'_>| matches!(one.kind, model::Kind::Rest { .. });
    let mut rests = fields.iter().filter(rests);
    let Some(first) = rests.next() else { return };
    for second in rests {
        let written = input.fields.iter().find(|one| one.ident == second.ident);
        let key = written.and_then(|written| written.options.key(Key::SerdeFlatten));
        if let Some(key) = key {
            let first = plain(first.ident);
            errors.at(key, format!("`{first}` takes the keys that no field has already; give this map a key of its own"));
        }
    }
}

/// Two fields with one name could not be distinguished in a document, or in the environment.
pub(super) fn distinct(input: &Input<'_>, fields: &[model::Field<'_>], errors: &mut Errors) {
    let mut documents: HashMap<String, String> = HashMap::new();
    let mut variables: HashMap<String, String> = HashMap::new();
    for field in fields.iter().filter(|field| field.is_keyed()) {
        let Some(written) = input.fields.iter().find(|one| one.ident == field.ident) else {
            continue;
        };
        let name = plain(field.ident);
        let mut taken = false;
        let mut claim = |key: &str, what: &str, at: TokenStream, errors: &mut Errors| {
            if let Some(other) = documents.insert(key.to_owned(), name.clone()) {
                taken = true;
                if other == name {
                    errors.at(at, format!("the {what} `{key}` is given twice; keep one"));
                } else {
                    errors.at(
                        at,
                        format!(
                            "the key `{key}` means both `{other}` and `{name}`; rename one of them"
                        ),
                    );
                }
            }
        };
        claim(&field.key, "key", renamed(written), errors);
        for alias in written.options.texts(Key::SerdeAlias) {
            if alias.value() != field.key {
                claim(&alias.value(), "alias", alias.to_token_stream(), errors);
            }
        }
        for old in old_names(written) {
            let (text, at) = (old.value(), old.to_token_stream());
            if text.is_empty() {
                errors.at(at, "a key needs at least one character");
            } else if text == field.key {
                errors.at(
                    at,
                    format!("`{text}` is the key of the field itself; `was` is the one that it had before"),
                );
            } else {
                claim(&text, "name", at, errors);
            }
        }
        if taken {
            continue;
        }
        let (variable, at) = match (&field.env, written.options.text(Key::Env)) {
            (Some(name), Some(text)) => (format!("={name}"), text.to_token_stream()),
            _ => (flux_syntax::env_segment(&field.key), renamed(written)),
        };
        if let Some(other) = variables.insert(variable.clone(), name.clone()) {
            let message = match variable.strip_prefix('=') {
                Some(variable) => format!(
                    "the environment variable `{variable}` sets both `{other}` and `{name}`; name another one"
                ),
                None => format!(
                    "`{other}` and `{name}` have the same environment name, `{variable}`; rename one of them, or give it one of its own: `env = \"NAME\"`"
                ),
            };
            errors.at(at, message);
        }
    }
}
