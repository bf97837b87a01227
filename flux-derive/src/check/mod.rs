//! Which structs cannot be a config type at all (enums, tuples, generics); calls every check, so that all mistakes are reported at
//! once, and makes the model.

mod argument;
mod change_rules;
mod default;
mod evolution;
mod field;
mod kind;
mod literals;
mod names;
mod pipeline;
mod range;
mod root;
mod rules;
mod safety;
mod source;

use crate::{
    ast::{self, Input},
    errors::Errors,
    model::{Crates, Model},
    options::Key,
};
use syn::{Data, Fields};

/// Checks everything. The model is whole only if no error was recorded.
pub(crate) fn model<'a>(input: &'a Input<'_>, errors: &mut Errors) -> Option<Model<'a>> {
    let is_struct = shape(input, errors);
    let options = &input.options;
    let root = root::root(options, input.is_root(), errors);
    if !is_struct {
        return None;
    }
    let keys = names::keys(input, errors);
    let fields = input.fields.iter().zip(keys);
    let fields: Vec<_> = fields
        .filter_map(|(one, key)| field::field(input, one, key, errors))
        .collect();
    names::distinct(input, &fields, errors);
    names::one_rest(input, &fields, errors);
    argument::distinct(input, &fields, errors);
    Some(Model {
        vis: &input.original.vis,
        ident: &input.original.ident,
        crates: crates(input),
        docs: ast::docs(&input.original.attrs),
        fields,
        validate: options.function(Key::ValidateStruct),
        strict: options.is_set(Key::SerdeDenyUnknownFields) && !options.is_set(Key::Unknown),
        root,
    })
}

/// The crates that generated code names, also after an error.
pub(crate) fn crates<'a>(input: &'a Input<'_>) -> Crates<'a> {
    Crates {
        flux: input.options.function(Key::Crate),
        serde: input.options.function(Key::SerdeCrate),
    }
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
