//! The struct and its fields as they are written, borrowed so that errors point at the code; whether a struct is a root, a field a
//! section, and its docs.

use crate::{
    attr::{self, Options},
    errors::Errors,
    options::{Key, Owner},
};
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Ident, Lit, Meta};

/// The struct as written.
pub(crate) struct Input<'a> {
    pub(crate) original: &'a DeriveInput,
    pub(crate) options: Options,
    /// The named fields; none where the type has no such thing.
    pub(crate) fields: Vec<FieldInput<'a>>,
}

/// A field as written.
pub(crate) struct FieldInput<'a> {
    pub(crate) original: &'a syn::Field,
    pub(crate) ident: &'a Ident,
    pub(crate) options: Options,
}

impl<'a> Input<'a> {
    /// Reads the attributes; what is wrong with them is recorded and left out.
    pub(crate) fn read(original: &'a DeriveInput, errors: &mut Errors) -> Self {
        let options = attr::read(&original.attrs, Owner::Struct, Owner::SerdeStruct, errors);
        let named = match &original.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(named) => Some(&named.named),
                _ => None,
            },
            _ => None,
        };
        let fields = named.into_iter().flatten().filter_map(|field| {
            Some(FieldInput {
                original: field,
                ident: field.ident.as_ref()?,
                options: attr::as_numbers(
                    attr::read(&field.attrs, Owner::Field, Owner::SerdeField, errors),
                    errors,
                ),
            })
        });
        let fields = fields.collect();
        Input {
            original,
            options,
            fields,
        }
    }

    /// Whether the struct has sources, right or wrong, and so a static handle.
    pub(crate) fn is_root(&self) -> bool {
        self.options.sources().next().is_some()
    }
}

impl FieldInput<'_> {
    /// Stands for a section, or for a list or map of them.
    pub(crate) fn is_section(&self) -> bool {
        self.options.is_set(Key::Nested) && !self.options.is_set(Key::SerdeSkip)
    }

    /// The doc comment as one text, without the space that `///` leaves before each line.
    pub(crate) fn docs(&self) -> String {
        docs(&self.original.attrs)
    }
}

/// The doc comment as one text, without the space that `///` leaves before each line.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => {
                    let text = text.value();
                    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
