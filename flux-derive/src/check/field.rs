//! Which field does not compile: a borrowed type, a bad alias or variable, a `hot` that is no scalar; and the model of a field.

use super::{argument, change_rules, default, evolution, kind, rules};
use crate::{
    ast::{self, Input},
    errors::Errors,
    model::Field,
    options::Key,
    types::{Shape, shape},
    words::{FUNCTIONS, plain, type_name},
};
use syn::{Ident, Type};

pub(super) fn field<'a>(
    input: &'a Input<'_>,
    written: &'a ast::FieldInput<'_>,
    key: String,
    errors: &mut Errors,
) -> Option<Field<'a>> {
    let ty = &written.original.ty;
    let options = &written.options;
    if let Some(borrowed) = borrowed(ty) {
        errors.at(
            borrowed,
            "a configuration outlives the text it was read from, so a field cannot borrow; own the value (`String` for `&str`, `Vec<T>` for `&[T]`)",
        );
        return None;
    }
    let hot = hot(input, written, errors);
    let kind = kind::kind(written, errors);
    let sealed = kind::sealed(ty);
    let secret = options.is_set(Key::Secret) || sealed.is_some();
    Some(Field {
        ident: written.ident,
        vis: &written.original.vis,
        ty,
        aliases: aliases(written, &key),
        evolution: evolution::evolution(input, written, errors),
        docs: written.docs(),
        env: env(written, errors),
        argument: argument::name(written, errors),
        short: argument::short(written, errors),
        default: default::default(input, written, errors),
        rules: rules::rules(written, errors),
        options: rules::options(ty),
        transition: change_rules::change_rules(written, errors),
        secret,
        opaque: options.is_set(Key::Opaque) || sealed == Some(kind::Sealed::Opaque),
        shown: change_rules::shown(ty, secret),
        key,
        kind,
        hot,
    })
}

/// The reference in a type, also inside its arguments; `&'static str` too: nothing that is read lives so long.
fn borrowed(ty: &Type) -> Option<&Type> {
    match shape(ty) {
        Shape::Borrowed => Some(ty),
        Shape::Option(inner) => borrowed(inner),
        Shape::Map(key, item) => borrowed(key).or_else(|| borrowed(item)),
        other => other.items().and_then(borrowed),
    }
}

fn aliases(written: &ast::FieldInput<'_>, key: &str) -> Vec<String> {
    let all = written.options.texts(Key::SerdeAlias);
    let all = all.map(syn::LitStr::value);
    all.filter(|alias| alias != key).collect()
}

fn env(written: &ast::FieldInput<'_>, errors: &mut Errors) -> Option<String> {
    let text = written.options.text(Key::Env)?;
    let name = text.value();
    if written.is_section() {
        errors.at(
            text,
            "a section has a variable for each of its fields; put `env` on them",
        );
    } else if name.is_empty() || name.contains(['=', '\0']) {
        errors.at(
            text,
            format!(
                "`{}` cannot be the name of an environment variable; write one such as `PORT`",
                name.escape_default()
            ),
        );
    }
    Some(name)
}

/// A hot field is one machine word with an accessor on the type, so it must be a scalar of a struct that has a handle.
fn hot(input: &Input<'_>, written: &ast::FieldInput<'_>, errors: &mut Errors) -> Option<Ident> {
    let given = written.options.get(Key::Hot)?;
    let key = &given.key;
    let ty = &written.original.ty;
    let scalar = match shape(ty) {
        Shape::Int(int) => !int.name.ends_with("128"),
        Shape::Float | Shape::Bool | Shape::Char => true,
        Shape::Other => !written.is_section(),
        _ => false,
    };
    if !scalar {
        errors.at(key, format!("`hot` needs an integer of at most 64 bits, a float, a bool or a char, and the field is `{}`; read it with `get()`", type_name(ty)));
    }
    if scalar && !input.is_root() {
        errors.at(key, "a section has no `hot` fields: the accessor belongs to the struct with the sources; give this struct a `source`, or remove `hot`");
    }
    let accessor = match written.options.text(Key::Hot) {
        None => written.ident.clone(),
        Some(text) => match text.parse::<Ident>() {
            Ok(ident) => ident,
            Err(_) => {
                errors.at(
                    text,
                    format!(
                        "`{}` cannot be the name of a function; write one such as `port`",
                        text.value()
                    ),
                );
                return None;
            }
        },
    };
    let plain_name = plain(&accessor);
    if FUNCTIONS.contains(&plain_name.as_str()) {
        errors.at(key, format!("the accessor would be named `{plain_name}`, which every config struct has already; name it: `hot = \"current_{plain_name}\"`"));
    }
    let before = input
        .fields
        .iter()
        .take_while(|one| one.ident != written.ident);
    let mut same = before.filter(|one| match one.options.text(Key::Hot) {
        Some(text) => text.value() == plain_name,
        None => one.options.is_set(Key::Hot) && plain(one.ident) == plain_name,
    });
    if same.next().is_some() {
        errors.at(key, format!("two fields have the accessor `{plain_name}`; name one of them: `hot = \"another_name\"`"));
    }
    Some(accessor)
}
