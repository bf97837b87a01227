//! Puts the emitted code together: the traits of a section and of a struct with sources, as short calls into `flux::__private`.

mod change_rules;
mod crates;
mod describe;
mod finish;
mod handle;
mod keys;
mod layer;
mod leaf;
mod lints;
mod pipeline;
mod source;
mod validate;
mod value;

pub(crate) use layer::name as layer_name;
pub(crate) use lints::allow;

use crate::{
    model::{Model, SourcePlace},
    words::{path_name, plain},
};
use proc_macro2::TokenStream;
use quote::quote;

/// Everything, in a block of its own: no name of it can collide with one of the user's.
pub(crate) fn all(model: &Model<'_>) -> TokenStream {
    let (allow, imports) = (allow(), model.crates.imports());
    let leaves = leaf::Leaves::of(model);
    let sections = leaf::sections(model);
    let layer = layer::layer(model, &leaves);
    let config = config(model, &leaves);
    let handle = handle::all(model);
    let version = version(model);
    quote! {
        #allow
        const _: () = {
            #imports
            #version
            #leaves
            #sections
            #layer
            #config
            #handle
        };
    }
}

/// Whether a version is reached was asked of this variable: with another one the struct is compiled anew.
fn version(model: &Model<'_>) -> Option<TokenStream> {
    let mut fields = model.layered();
    let asks = fields.any(|field| field.evolution.removed.is_some());
    asks.then(|| {
        quote!(
            const _: ::core::option::Option<&str> = ::core::option_env!("CARGO_PKG_VERSION");
        )
    })
}

fn config(model: &Model<'_>, leaves: &leaf::Leaves) -> TokenStream {
    let (ident, layer) = (model.ident, layer::name(model.ident));
    let name = plain(ident);
    let docs = Some(&model.docs).filter(|docs| !docs.is_empty());
    let docs = docs.map(|docs| quote!(const DOCS: &'static str = #docs;));
    let rule = model.validate.map(path_name);
    let rule = rule.map(|path| {
        quote!(const RULE: ::core::option::Option<&'static str> = ::core::option::Option::Some(#path);)
    });
    let sources = model.root.iter().flat_map(|root| &root.sources);
    let mut arguments = sources.filter(|one| matches!(one.place, SourcePlace::Args));
    let arguments = arguments.next();
    let arguments = arguments.map(|_| {
        quote!(
            const READS_ARGUMENTS: bool = true;
        )
    });
    let fields = describe::fields(model, leaves);
    let types = describe::types(model, leaves);
    let finish = finish::finish(model);
    let validate = validate::validate(model);
    let diff = finish::diff(model);
    let transition = change_rules::transition(model);
    let defer = change_rules::defer(model);
    let secrets = finish::secrets(model);
    let transformed = model.root.as_ref().map(pipeline::transformed);
    quote! {
        #[automatically_derived]
        impl __f::Config for #ident {
            const NAME: &'static str = #name;
            #docs
            #rule
            #arguments
            #fields
            #transformed
        }
        #[automatically_derived]
        impl __f::Nested for #ident {
            type Layer = #layer;
            const KIND: __f::Kind = __f::Kind::Section(<Self as __f::Config>::fields);
            #types
            #finish
            #[inline]
            fn silent(__cx: &mut __f::Cx) -> ::core::option::Option<Self> {
                Self::finish(::core::default::Default::default(), __cx)
            }
            #validate
            #diff
            #transition
            #defer
            #secrets
        }
    }
}
