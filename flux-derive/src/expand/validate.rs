//! `Config::validate`: a call for every rule.

use super::place;
use crate::{
    model::{Check, Field, Kind, Model, Rule},
    types::{Shape, shape},
};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

pub(super) fn validate(model: &Model<'_>) -> TokenStream {
    let fields = model.fields.iter().map(field);
    let container = model.validate.map(|path| {
        let text = shown(path);
        quote!(__f::rules::custom(__cx, "", #text, self, |__v| #path(__v), ::core::option::Option::None);)
    });
    quote! {
        fn validate(&self, __cx: &mut __f::Cx) {
            #(#fields)*
            #container
        }
    }
}

fn field(field: &Field<'_>) -> TokenStream {
    let (ident, step) = (field.ident, field.step());
    let mut all = TokenStream::new();
    if !field.rules.is_empty() {
        let value = quote_spanned!(place(field)=> &self.#ident);
        let mut options = 0;
        let mut inner = shape(field.ty);
        // The rules of an optional section's own fields are checked below.
        while let Shape::Option(ty) = inner {
            options += 1;
            inner = shape(ty);
        }
        all.extend(within(&value, options, step, &field.rules));
    }
    if matches!(field.kind, Kind::Section { .. } | Kind::Flat) {
        all.extend(quote_spanned!(place(field)=> __f::rules::nested(__cx, #step, &self.#ident);));
    }
    all
}

/// The rules on a value, inside its `Option`s.
fn within(value: &TokenStream, options: usize, name: &str, rules: &[Rule]) -> TokenStream {
    if options == 0 {
        return rules.iter().map(|one| rule(value, name, one)).collect();
    }
    let inner = within(&quote!(__v), options - 1, name, rules);
    quote! {
        if let ::core::option::Option::Some(__v) = #value {
            #inner
        }
    }
}

fn rule(value: &TokenStream, name: &str, rule: &Rule) -> TokenStream {
    let message = match &rule.message {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    };
    match &rule.check {
        Check::Range(range) => quote!(__f::rules::range(__cx, #name, #value, #range, #message);),
        Check::Length(range) => quote!(__f::rules::length(__cx, #name, #value, #range, #message);),
        Check::NonEmpty => quote!(__f::rules::non_empty(__cx, #name, #value, #message);),
        Check::Pattern(text) => quote! {{
            static __P: __f::rules::Pattern = __f::rules::Pattern::new(#text);
            __f::rules::pattern(__cx, #name, #value, &__P, #message);
        }},
        Check::OneOf(list) => quote!(__f::rules::one_of(__cx, #name, #value, #list, #message);),
        Check::Email => quote!(__f::rules::email(__cx, #name, #value, #message);),
        Check::Url => quote!(__f::rules::url(__cx, #name, #value, #message);),
        Check::Ip => quote!(__f::rules::ip(__cx, #name, #value, #message);),
        Check::Custom(path) => {
            let text = shown(path);
            quote!(__f::rules::custom(__cx, #name, #text, #value, |__v| #path(__v), #message);)
        }
        Check::Each { rules, options } => {
            let inner = within(&quote!(__v), *options, "", rules);
            quote!(__f::rules::each(__cx, #name, #value, |__cx, __v| { #inner });)
        }
    }
}

/// A path as people write it.
fn shown(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
