//! Emits how the folded layer becomes the struct (defaults, missing values), how two structs are compared, and which secrets a
//! value has.

use super::{validate::checks, value::default};
use crate::{
    model::{Field, Kind, Model},
    words::place,
};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

/// `Nested::finish`
pub(super) fn finish(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let locals: Vec<_> = (0..model.fields.len())
        .map(|i| format_ident!("__{i}"))
        .collect();
    let values = model.fields.iter().map(value);
    let names = model.fields.iter().map(|field| field.ident);
    let checked = model
        .fields
        .iter()
        .zip(&locals)
        .filter_map(|(field, local)| {
            let checks = checks(field, &quote!(__value));
            let check = quote! {
                if let ::core::option::Option::Some(__value) = &#local {
                    #checks
                }
            };
            (!checks.is_empty()).then_some(check)
        });
    let checked: Vec<_> = checked.collect();
    // Without one of the fields there is no struct to validate: the rules of the others are asked here.
    let checked = (!checked.is_empty()).then(|| {
        quote! {
            if #(#locals.is_none())||* {
                #(#checked)*
                return ::core::option::Option::None;
            }
        }
    });
    quote! {
        #[cfg_attr(debug_assertions, inline)]
        fn finish(__layer: Self::Layer, __cx: &mut __f::Cx) -> ::core::option::Option<Self> {
            #(let #locals = #values;)*
            #checked
            #(let ::core::option::Option::Some(#locals) = #locals else { return ::core::option::Option::None; };)*
            ::core::option::Option::Some(#ident { #(#names: #locals,)* })
        }
    }
}

fn value(field: &Field<'_>) -> TokenStream {
    let (ident, ty, step) = (field.ident, field.ty, field.step());
    let code = field.default.as_ref().map(|one| default(field, one));
    match (&field.kind, code) {
        (Kind::Leaf { .. }, None) => {
            quote_spanned!(place(field.ty)=> __f::TypeProbe::<#ty>::need(__cx, #step, __layer.#ident))
        }
        (Kind::Leaf { .. }, Some(code)) => {
            quote_spanned!(place(field.ty)=> __f::or::<#ty>(__layer.#ident, || #code))
        }
        (Kind::Section { .. } | Kind::Flat, None) => {
            quote_spanned!(place(field.ty)=> __f::nested::<#ty>(__cx, #step, __layer.#ident))
        }
        (Kind::Section { .. } | Kind::Flat, Some(code)) => {
            quote_spanned!(place(field.ty)=> __f::nested_or::<#ty>(__cx, #step, __layer.#ident, || #code))
        }
        (Kind::Rest { .. }, code) => {
            let code = code.unwrap_or_else(
                || quote_spanned!(place(field.ty)=> ::core::default::Default::default()),
            );
            quote_spanned!(place(field.ty)=> __f::rest::<#ty, _>(__layer.#ident, || #code))
        }
        (Kind::Skipped, code) => {
            let code = code.unwrap_or_else(
                || quote_spanned!(place(field.ty)=> ::core::default::Default::default()),
            );
            quote!(::core::option::Option::<#ty>::Some(#code))
        }
    }
}

/// Whether a float is written in the type: one that is no number differs from itself.
fn names_a_float(ty: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => name == "f32" || name == "f64",
            TokenTree::Group(group) => any(group.stream()),
            _ => false,
        })
    }
    any(ty.to_token_stream())
}

/// `Nested::diff`
pub(super) fn diff(model: &Model<'_>) -> TokenStream {
    let lines = model.layered().map(|field| {
        let (ident, step) = (field.ident, field.step());
        match field.kind {
            Kind::Leaf { .. } | Kind::Rest { .. } if field.opaque => quote!(__d.opaque(#step);),
            Kind::Rest { .. } => {
                let ty = field.ty;
                let value = quote_spanned!(place(ty)=> <#ty as __f::RestMap>::Value);
                quote_spanned!(place(ty)=> __f::rest_diff(
                    __d,
                    &self.#ident,
                    &__old.#ident,
                    |__a: &#value, __b: &#value| __f::differ(__a, __b) && (&__f::Unequal(__a, __b)).differ(),
                );)
            }
            Kind::Leaf { .. } if field.is_known() && !names_a_float(field.ty) => {
                quote_spanned!(place(field.ty)=> __d.leaf(#step, self.#ident != __old.#ident);)
            }
            Kind::Leaf { .. } => {
                quote_spanned!(place(field.ty)=> __d.leaf(
                    #step,
                    __f::differ(&self.#ident, &__old.#ident)
                        && (&__f::Unequal(&self.#ident, &__old.#ident)).differ(),
                );)
            }
            _ => quote_spanned!(place(field.ty)=> __f::diff(__d, #step, &self.#ident, &__old.#ident);),
        }
    });
    quote! {
        #[cfg_attr(debug_assertions, inline)]
        fn diff(&self, __old: &Self, __d: &mut __f::Diff) {
            #[allow(unused_imports)]
            use __f::{OfFloats as _, OfOthers as _};
            #(#lines)*
        }
    }
}

/// `Nested::secrets`; nothing where no field is secret or a section.
pub(super) fn secrets(model: &Model<'_>) -> TokenStream {
    let lines = model.layered().filter_map(|field| {
        let ident = field.ident;
        match field.kind {
            Kind::Section { .. } | Kind::Flat => Some(
                quote_spanned!(place(field.ty)=> __f::Nested::secrets(&self.#ident, __secrets);),
            ),
            _ if field.secret => Some(
                quote_spanned!(place(field.ty)=> (&&&&&__f::SecretProbe(&self.#ident)).texts(__secrets);),
            ),
            _ => None,
        }
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn secrets(&self, __secrets: &mut __f::SecretTexts) {
            #(#lines)*
        }
    }
}
