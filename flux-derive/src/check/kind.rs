//! Whether a field is a single value, a section, a flattened one or the rest of the keys, and which of `nested`, `value`, `merge`
//! and serde's options exclude each other.

use crate::{
    ast,
    attr::{Given, Written},
    errors::{Errors, did_you_mean},
    model::{Decode, Kind, Merge},
    options::Key,
    types::{Shape, shape},
    words::type_name,
};
use syn::{GenericArgument, PathArguments, Type};

const MERGES: [&str; 5] = ["replace", "append", "prepend", "union", "by_key"];

pub(super) fn kind<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Kind<'a> {
    if written.options.is_set(Key::SerdeSkip) {
        Kind::Skipped
    } else if written.is_section() {
        section(written, errors)
    } else {
        leaf(written, errors)
    }
}

/// A type of `secrecy` or `zeroize`: it holds a secret.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sealed {
    /// Compared like any other.
    Comparable,
    /// Cannot be compared.
    Opaque,
}

/// Whether the type is one that holds a secret, or contains one: by its name, since Flux depends on neither crate. Behind an alias,
/// the runtime recognizes it (`Field::is_secret`), and the compiler asks for `opaque`.
pub(super) fn sealed(ty: &Type) -> Option<Sealed> {
    match ty {
        Type::Group(group) => sealed(&group.elem),
        Type::Paren(paren) => sealed(&paren.elem),
        Type::Array(array) => sealed(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(sealed),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match last.ident.to_string().as_str() {
                "SecretString" | "SecretBox" | "SecretSlice" => return Some(Sealed::Opaque),
                "Zeroizing" => return Some(Sealed::Comparable),
                _ => {}
            }
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return None;
            };
            let mut types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.find_map(sealed)
        }
        _ => None,
    }
}

/// A section is decoded and merged key by key, so options of a single value have no meaning on it.
fn section<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Kind<'a> {
    let (options, ty) = (&written.options, &written.original.ty);
    let own = shape(ty).inner();
    if !innermost(own).is_other() {
        errors.at(
            ty,
            format!("`{}` is a value and no section; remove `nested`, which is for structs that derive `Flux`", type_name(ty)),
        );
    }
    if let Some(key) = options.key(Key::Value) {
        errors.at(
            key,
            "a field is a section (`nested`) or a single value (`value`); keep one",
        );
    }
    if let Some(key) = options.key(Key::Secret) {
        errors.at(
            key,
            "a section is not secret as a whole; put `secret` on its fields",
        );
    }
    if let Some(key) = options.key(Key::Bytes) {
        errors.at(
            key,
            "a section is no number of bytes; put `bytes` on its fields",
        );
    }
    if let Some(key) = options.key(Key::Opaque) {
        errors.at(
            key,
            "a section is compared field by field; put `opaque` on its fields",
        );
    }
    if let Some(key) = decoder(written).map(|given| &given.key) {
        errors.at(
            key,
            format!(
                "a section is decoded by its own fields, not by `{key}`; remove `{key}` or `nested`"
            ),
        );
    }
    if options.is_set(Key::SerdeFlatten) {
        return flat(written, errors);
    }
    let is_list = matches!(own, Shape::Vec(_) | Shape::Deque(_));
    let is_map = matches!(own, Shape::Map(..));
    let merge = merge(written, |name| match name.value().as_str() {
        "replace" => Some(Merge::Call("replace")),
        "append" if is_list || own.is_other() => Some(Merge::Call("append")),
        "prepend" if is_list || own.is_other() => Some(Merge::Call("prepend")),
        "by_key" if is_map || own.is_other() => None,
        other if MERGES.contains(&other) => {
            let fits = if is_list {
                "`replace`, `append` and `prepend` do"
            } else {
                "`replace` and `by_key` do"
            };
            let ty = type_name(ty);
            errors.at(
                name,
                format!("`{other}` does not fit `{ty}`, which is nested; {fits}"),
            );
            None
        }
        other => unknown_merge(name, other, errors),
    });
    Kind::Section { merge }
}

/// What is inside of options, lists and maps.
fn innermost(own: Shape<'_>) -> Shape<'_> {
    match own {
        Shape::Option(inner) => innermost(shape(inner)),
        own => own.items().map_or(own, |item| innermost(shape(item))),
    }
}

/// A map that takes the keys that no field has. It has no key of its own, and its entries merge by key.
fn rest<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Kind<'a> {
    let (options, ty) = (&written.options, &written.original.ty);
    if !matches!(shape(ty), Shape::Map(..) | Shape::Other) {
        errors.at(
            ty,
            format!("`flatten` takes the keys that no field has into a map, and the field is `{}`; write a map such as `BTreeMap<String, T>`, or remove `flatten`", type_name(ty)),
        );
    }
    no_key_of_its_own(written, "map", errors);
    if let Some(key) = options.key(Key::Bytes) {
        errors.at(
            key,
            "the values of a flattened map are read as their type says; use a type such as `bytesize::ByteSize`, or remove `bytes`",
        );
    }
    if let Some(key) = decoder(written).map(|given| &given.key) {
        errors.at(
            key,
            format!("a flattened map is decoded entry by entry, not by `{key}`; remove `{key}` or `flatten`"),
        );
    }
    if let Some(text) = options.text(Key::Env) {
        errors.at(
            text,
            "a flattened map has no key of its own, and so no variable; remove `env`",
        );
    }
    Kind::Rest {
        value: options.is_set(Key::Value),
    }
}

/// What is flattened has no name, and merges by its keys.
fn no_key_of_its_own(written: &ast::FieldInput<'_>, what: &str, errors: &mut Errors) {
    let options = &written.options;
    if let Some(key) = options.key(Key::Merge) {
        let fix = match what {
            "map" => "remove `merge`",
            _ => "put `merge` on its fields",
        };
        errors.at(
            key,
            format!("a flattened {what} is merged key by key; {fix}"),
        );
    }
    if let Some(key) = options.key(Key::SerdeRename) {
        errors.at(
            key,
            format!("a flattened {what} has no key of its own; remove `rename`"),
        );
    }
    if let Some(alias) = options.texts(Key::SerdeAlias).next() {
        errors.at(
            alias,
            format!("a flattened {what} has no key of its own; remove `alias`"),
        );
    }
}

/// A flattened section shares the struct's keys, so it must be exactly one, always there, with nothing of its own. A map of sections
/// takes the keys that no field has.
fn flat<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Kind<'a> {
    let ty = &written.original.ty;
    if !matches!(shape(ty), Shape::Other | Shape::Map(..)) {
        errors.at(
            ty,
            format!("`flatten` puts the keys of one section beside the others; `{}` cannot be flattened, name the section itself", type_name(ty)),
        );
    }
    no_key_of_its_own(written, "section", errors);
    Kind::Flat
}

/// The merge as written; none where the type decides.
fn merge<'a>(
    written: &'a ast::FieldInput<'_>,
    named: impl FnOnce(&'a syn::LitStr) -> Option<Merge<'a>>,
) -> Option<Merge<'a>> {
    match written.options.text(Key::Merge) {
        Some(name) => named(name),
        None => written.options.function(Key::Merge).map(Merge::By),
    }
}

fn unknown_merge(name: &syn::LitStr, word: &str, errors: &mut Errors) -> Option<Merge<'static>> {
    let near = did_you_mean(word, &MERGES);
    errors.at(
        name,
        format!("`merge` is `replace`, `append`, `prepend`, `union`, `by_key` or a function, not `{word}`{near}"),
    );
    None
}

/// serde's `with` or `deserialize_with`.
fn decoder<'a>(written: &'a ast::FieldInput<'_>) -> Option<&'a Given> {
    let options = &written.options;
    let module = options.get(Key::SerdeWith);
    module.or_else(|| options.get(Key::SerdeDeserializeWith))
}

fn leaf<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Kind<'a> {
    let (options, ty) = (&written.options, &written.original.ty);
    if options.is_set(Key::SerdeFlatten) {
        return rest(written, errors);
    }
    if let (Some(_), Some(key)) = (
        options.get(Key::SerdeWith),
        options.key(Key::SerdeDeserializeWith),
    ) {
        errors.at(
            key,
            "the field is decoded by `with` and by `deserialize_with`; keep one",
        );
    }
    let bytes = options.key(Key::Bytes);
    if let Some(key) = bytes {
        bytes_fit(written, key, errors);
    }
    let bytes = bytes.map(|_| Decode::Bytes);
    let decode = decoder(written).and_then(|given| match &given.value {
        Written::Function(path) if given.spec.key == Key::SerdeWith => Some(Decode::Module(path)),
        Written::Function(path) => Some(Decode::Function(path)),
        _ => None,
    });
    Kind::Leaf {
        decode: decode.or(bytes),
        merge: merge(written, |name| leaf_merge(name, ty, errors)),
        value: options.is_set(Key::Value),
        known: is_known(shape(ty)),
    }
}

/// Only integers are numbers of bytes, and only one function decodes a field.
fn bytes_fit(written: &ast::FieldInput<'_>, key: &syn::Ident, errors: &mut Errors) {
    let ty = &written.original.ty;
    if !matches!(innermost(shape(ty)), Shape::Int(_) | Shape::Other) {
        errors.at(
            ty,
            format!("`bytes` needs an integer, or an `Option`, a list or a map of integers, and the field is `{}`; remove `bytes`", type_name(ty)),
        );
    }
    if let Some(given) = decoder(written) {
        errors.at(
            key,
            format!(
                "the field is decoded by `{}` already; remove it or `bytes`",
                given.key
            ),
        );
    }
}

/// Scalars, and options and lists of them.
fn is_known(own: Shape<'_>) -> bool {
    match own {
        Shape::Other | Shape::Borrowed => false,
        Shape::Map(key, item) => is_known(shape(key)) && is_known(shape(item)),
        Shape::Option(inner) => is_known(shape(inner)),
        own => own.items().is_none_or(|item| is_known(shape(item))),
    }
}

/// A merge must have something to work on: an order, items that count once, or keys.
fn leaf_merge<'a>(name: &'a syn::LitStr, ty: &Type, errors: &mut Errors) -> Option<Merge<'a>> {
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
        errors.at(name, format!("`merge = \"{word}\"` needs {needs}, and the field is `{}`; use `\"replace\"`, or remove `merge`", type_name(ty)));
    }
    Some(Merge::Call(known))
}
