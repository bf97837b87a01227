//! The emitted code: short calls into `flux::__private`.

mod describe;
mod handle;
pub(crate) use handle::duration;
mod layer;
mod pipeline;
mod reduce;
mod transition;
mod validate;

use crate::model::{Field, Model};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

/// The lints that generated code must not raise in the user's crate.
pub(crate) fn allow() -> TokenStream {
    quote! {
        #[allow(
            missing_docs, unreachable_pub, dead_code, deprecated, private_bounds, private_interfaces, non_snake_case,
            non_upper_case_globals, non_camel_case_types, unused_qualifications, unused_imports, unused_variables,
            unused_mut, unreachable_code, clippy::all, clippy::pedantic, clippy::nursery
        )]
    }
}

/// The field's type as the place of errors about it, with names looked up as in generated code.
pub(crate) fn place(field: &Field<'_>) -> Span {
    field.ty.span().resolved_at(Span::call_site())
}

/// Everything.
pub(crate) fn all(model: &Model<'_>) -> TokenStream {
    let allow = allow();
    let definition = layer::definition(model);
    let layer = layer::implementation(model);
    let config = config(model);
    let handle = handle::all(model);
    quote! {
        #definition
        #allow
        const _: () = {
            use ::flux::__private as __f;
            #layer
            #config
            #handle
        };
    }
}

fn config(model: &Model<'_>) -> TokenStream {
    let (ident, layer) = (model.ident, &model.layer);
    let name = crate::check::plain(ident);
    let fields = describe::fields(model);
    let finish = reduce::finish(model);
    let validate = validate::validate(model);
    let diff = reduce::diff(model);
    let transition = transition::transition(model);
    let hold = transition::hold(model);
    quote! {
        #[automatically_derived]
        impl __f::Config for #ident {
            type Layer = #layer;
            const NAME: &'static str = #name;
            #fields
            #finish
            #validate
            #diff
            #transition
            #hold
        }
    }
}
