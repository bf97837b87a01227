//! One field: what stands behind it, and which options fit that.

use super::{FUNCTIONS, default, plain, rules, transition};
use crate::{
    ast::{self, Input, docs},
    attr::MergeAttr,
    errors::{Errors, did_you_mean},
    model::{Decode, Field, Kind, Merge},
    types::{Shape, shape},
};
use quote::ToTokens;
use syn::{Ident, Type};

const MERGES: [&str; 5] = ["replace", "append", "prepend", "union", "by_key"];

pub(super) fn field<'a>(
    input: &'a Input<'a>,
    written: &'a ast::Field<'a>,
    key: String,
    errors: &mut Errors,
) -> Option<Field<'a>> {
    let ty = &written.original.ty;
    let attrs = &written.attrs;
    if let Some(borrowed) = borrowed(ty) {
        errors.at(
            borrowed,
            "a configuration outlives the text it was read from, so a field cannot borrow; own the value (`String` for `&str`, `Vec<T>` for `&[T]`)",
        );
        return None;
    }
    let is_section = attrs.nested.is_set() && !attrs.skip.is_set();
    let kind = if attrs.skip.is_set() {
        Kind::Skipped
    } else if is_section {
        section(written, ty, errors)
    } else {
        leaf(written, ty, errors)
    };
    let hot = hot(input, written, is_section, errors);
    Some(Field {
        ident: written.ident,
        vis: &written.original.vis,
        ty,
        aliases: aliases(written, &key),
        docs: docs(&written.original.attrs),
        env: env(written, is_section, errors),
        default: default::default(input, written, is_section, errors),
        rules: rules::rules(written, is_section, errors),
        transition: transition::transition(written, is_section, errors),
        secret: attrs.secret.is_set(),
        opaque: attrs.opaque.is_set(),
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

fn aliases(written: &ast::Field<'_>, key: &str) -> Vec<String> {
    let all = written.attrs.aliases.iter().map(syn::LitStr::value);
    all.filter(|alias| alias != key).collect()
}

/// A section is decoded and merged key by key, so options of a single value have no meaning on it.
fn section<'a>(written: &'a ast::Field<'a>, ty: &'a Type, errors: &mut Errors) -> Kind<'a> {
    let attrs = &written.attrs;
    let own = shape(ty);
    let item = own.inner();
    let item = item.items().map_or(item, shape);
    if !item.is_other() {
        errors.at(
            ty,
            format!("`{}` is a value and no section; remove `nested`, which is for structs that derive `Flux`", text(ty)),
        );
    }
    if let Some(key) = attrs.secret.key() {
        errors.at(
            key,
            "a section is not secret as a whole; put `secret` on its fields",
        );
    }
    if let Some(key) = attrs.opaque.key() {
        errors.at(
            key,
            "a section is compared field by field; put `opaque` on its fields",
        );
    }
    if let Some(key) = attrs.decode.key() {
        errors.at(
            key,
            format!(
                "a section is decoded by its own fields, not by `{key}`; remove `{key}` or `nested`"
            ),
        );
    }
    if attrs.flatten.is_set() {
        return flat(written, ty, errors);
    }
    let is_list = matches!(own, Shape::Vec(_));
    let merge = match attrs.merge.get() {
        None => Merge::Nested,
        Some(MergeAttr::Function(path)) => Merge::By(path),
        Some(MergeAttr::Named(name)) => match name.value().as_str() {
            "replace" => Merge::Call("replace"),
            "append" if is_list => Merge::Call("append"),
            "prepend" if is_list => Merge::Call("prepend"),
            "by_key" if !is_list => Merge::Nested,
            other if MERGES.contains(&other) => {
                let fits = if is_list {
                    "`replace`, `append` and `prepend` do"
                } else {
                    "`replace` and `by_key` do"
                };
                errors.at(
                    name,
                    format!(
                        "`{other}` does not fit `{}`, which is nested; {fits}",
                        text(ty)
                    ),
                );
                Merge::Nested
            }
            other => unknown_merge(name, other, errors),
        },
    };
    Kind::Section { merge }
}

/// A flattened section shares the struct's keys, so it must be exactly one, always there, with nothing of its own.
fn flat<'a>(written: &'a ast::Field<'a>, ty: &'a Type, errors: &mut Errors) -> Kind<'a> {
    let attrs = &written.attrs;
    if !shape(ty).is_other() {
        errors.at(
            ty,
            format!("`flatten` puts the keys of one section beside the others; `{}` cannot be flattened, name the section itself", text(ty)),
        );
    }
    if let Some(key) = attrs.merge.key() {
        errors.at(
            key,
            "a flattened section is merged key by key; put `merge` on its fields",
        );
    }
    if let Some(key) = attrs.rename.key() {
        errors.at(
            key,
            "a flattened section has no key of its own; remove `rename`",
        );
    }
    if let Some(alias) = attrs.aliases.first() {
        errors.at(
            alias,
            "a flattened section has no key of its own; remove `alias`",
        );
    }
    Kind::Flat
}

fn unknown_merge(name: &syn::LitStr, word: &str, errors: &mut Errors) -> Merge<'static> {
    let near = did_you_mean(word, &MERGES);
    errors.at(
        name,
        format!("`merge` is `replace`, `append`, `prepend`, `union`, `by_key` or a function, not `{word}`{near}"),
    );
    Merge::Call("replace")
}

fn leaf<'a>(written: &'a ast::Field<'a>, ty: &'a Type, errors: &mut Errors) -> Kind<'a> {
    let attrs = &written.attrs;
    if let Some(key) = attrs.flatten.key() {
        errors.at(
            key,
            "only a section can be flattened, since a catch-all would hide misspelt keys; add `#[flux(nested)]` to a struct that derives `Flux`, or give the map a key of its own",
        );
    }
    let own = shape(ty);
    let decode = match attrs.decode.get() {
        Some(path) => Decode::With(path),
        None if own.is_human() && own.inner().items().is_some() => {
            Decode::Distinct("DistinctHuman")
        }
        None if own.is_human() => Decode::Human,
        None if own.holds_map() => Decode::Distinct("Distinct"),
        None => match own {
            Shape::Vec(_) | Shape::Deque(_) | Shape::Set(_) => Decode::Strict,
            _ => Decode::Plain,
        },
    };
    let merge = match attrs.merge.get() {
        None if matches!(own.inner(), Shape::Map(..)) => Merge::Call("by_key"),
        None => Merge::Call("replace"),
        Some(MergeAttr::Function(path)) => Merge::By(path),
        Some(MergeAttr::Named(name)) => leaf_merge(name, ty, errors),
    };
    Kind::Leaf { decode, merge }
}

/// A merge must have something to work on: an order, items that count once, or keys.
fn leaf_merge(name: &syn::LitStr, ty: &Type, errors: &mut Errors) -> Merge<'static> {
    let word = name.value();
    let Some(known) = MERGES.iter().find(|one| **one == word) else {
        return unknown_merge(name, &word, errors);
    };
    let inner = shape(ty).inner();
    let (fits, needs) = match *known {
        "append" | "prepend" => (
            matches!(inner, Shape::Vec(_) | Shape::Deque(_)),
            "a `Vec` or a `VecDeque`",
        ),
        "union" => (
            matches!(inner, Shape::Set(_) | Shape::Vec(_)),
            "a set or a `Vec`",
        ),
        "by_key" => (
            matches!(inner, Shape::Map(..)),
            "a `BTreeMap` or a `HashMap`",
        ),
        _ => (true, ""),
    };
    if !fits && !inner.is_other() {
        errors.at(name, format!("`merge = \"{word}\"` needs {needs}, and the field is `{}`; use `\"replace\"`, or remove `merge`", text(ty)));
    }
    Merge::Call(known)
}

/// The type as written.
pub(super) fn text(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(" :: ", "::")
        .replace("& ", "&")
}

fn env(written: &ast::Field<'_>, is_section: bool, errors: &mut Errors) -> Option<String> {
    let text = written.attrs.env.get()?;
    let name = text.value();
    if is_section {
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
fn hot(
    input: &Input<'_>,
    written: &ast::Field<'_>,
    is_section: bool,
    errors: &mut Errors,
) -> Option<Ident> {
    let name = written.attrs.hot.get()?;
    let key = written.attrs.hot.key()?;
    let ty = &written.original.ty;
    let scalar = match shape(ty) {
        Shape::Int(int) => !int.name.ends_with("128"),
        Shape::Float | Shape::Bool | Shape::Char => true,
        Shape::Other => !is_section,
        _ => false,
    };
    if !scalar {
        errors.at(key, format!("`hot` needs an integer of at most 64 bits, a float, a bool or a char, and the field is `{}`; read it with `get()`", text(ty)));
    }
    if scalar && !input.is_root() {
        errors.at(key, "a section has no `hot` fields: the accessor belongs to the struct with the sources; give this struct a `source`, or remove `hot`");
    }
    let accessor = match name {
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
    let mut same = before.filter(|one| match (one.attrs.hot.get(), one.attrs.hot.is_set()) {
        (Some(Some(text)), _) => text.value() == plain_name,
        (_, set) => set && plain(one.ident) == plain_name,
    });
    if same.next().is_some() {
        errors.at(key, format!("two fields have the accessor `{plain_name}`; name one of them: `hot = \"another_name\"`"));
    }
    Some(accessor)
}
