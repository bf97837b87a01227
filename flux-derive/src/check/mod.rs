//! What is wrong with a struct, all of it at once; and, where nothing is, the model.

mod container;
mod default;
mod field;
mod names;
mod pipeline;
mod range;
mod rules;
mod safety;
mod transition;

use crate::{ast::Input, errors::Errors, model::Model};
use quote::format_ident;
use syn::{Data, Fields, Ident, ext::IdentExt};

/// The functions on a struct with sources.
pub(crate) const FUNCTIONS: [&str; 8] = [
    "start",
    "start_blocking",
    "get",
    "try_get",
    "snapshot",
    "reader",
    "builder",
    "capacitor",
];

/// A name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Checks everything. The model is whole only if no error was recorded.
pub(crate) fn model<'a>(input: &'a Input<'a>, errors: &mut Errors) -> Option<Model<'a>> {
    let is_struct = shape(input, errors);
    let root = container::root(&input.attrs, errors);
    if !is_struct {
        return None;
    }
    let keys = names::keys(input, errors);
    let fields = input.fields.iter().zip(keys);
    let fields: Vec<_> = fields
        .filter_map(|(one, key)| field::field(input, one, key, errors))
        .collect();
    names::distinct(input, &fields, errors);
    let ident = &input.original.ident;
    Some(Model {
        vis: &input.original.vis,
        ident,
        layer: format_ident!("{}Layer", plain(ident), span = ident.span()),
        fields,
        validate: input.attrs.validate.get(),
        strict: input.attrs.deny_unknown_fields.is_set() && !input.attrs.unknown.is_set(),
        root,
    })
}

/// A config is a struct with named fields and concrete types: anything else has no keys, or no single field table and handle.
fn shape(input: &Input<'_>, errors: &mut Errors) -> bool {
    let original = input.original;
    let name = &original.ident;
    let mut fine = true;
    let mut wrong = |message: String| {
        fine = false;
        errors.at(name, message);
    };
    match &original.data {
        Data::Enum(_) => wrong(format!(
            "`Flux` fills structs, and `{name}` is an enum, which cannot be filled layer by layer; derive `serde::Deserialize`, `Clone` and `PartialEq` on it and use it as the type of a field"
        )),
        Data::Union(_) => wrong(format!(
            "`Flux` fills structs, and `{name}` is a union; make it a struct with named fields"
        )),
        Data::Struct(data) => match &data.fields {
            Fields::Named(_) => {}
            Fields::Unnamed(_) => wrong(format!(
                "the fields of `{name}` have no names, so no key can set them; write `struct {name} {{ name: Type }}`"
            )),
            Fields::Unit => wrong(format!(
                "`{name}` has no fields, so there is nothing to configure; write `struct {name} {{ name: Type }}`"
            )),
        },
    }
    if let Some(first) = original.generics.params.first() {
        fine = false;
        let message = match first {
            syn::GenericParam::Lifetime(_) => format!(
                "a configuration outlives the text it was read from, so `{name}` cannot borrow; own the values (`String` for `&str`)"
            ),
            _ => format!(
                "`{name}` is generic, so it has no single field table and no single handle; write the concrete types, or one struct for each use"
            ),
        };
        errors.at(&original.generics, message);
    }
    fine
}
