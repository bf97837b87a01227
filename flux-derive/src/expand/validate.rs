//! Emits the rules of each field as calls of `rules/value.rs`, in `Nested::validate`.

use crate::{
    model::{Check, Field, Kind, Model, Rule},
    words::{path_name, place},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

pub(super) fn validate(model: &Model<'_>) -> TokenStream {
    let fields = model.fields.iter().map(field);
    let container = model.validate.map(|path| {
        let text = path_name(path);
        quote!(__f::rules::whole(__cx, #text, self, |__v| #path(__v));)
    });
    quote! {
        #[cfg_attr(debug_assertions, inline)]
        fn validate(&self, __cx: &mut __f::Cx) {
            #(#fields)*
            #container
        }
    }
}

fn field(field: &Field<'_>) -> TokenStream {
    let ident = field.ident;
    checks(field, &quote_spanned!(place(field.ty)=> &self.#ident))
}

/// The rules of a field, asked of a reference to its value.
pub(super) fn checks(field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let step = field.step();
    let mut all = TokenStream::new();
    if !field.rules.is_empty() {
        all.extend(within(value, field.options, step, &field.rules));
    }
    if matches!(field.kind, Kind::Section { .. } | Kind::Flat) {
        all.extend(quote_spanned!(place(field.ty)=> __f::rules::nested(__cx, #step, #value);));
    }
    all
}

/// The rules on a value, inside its `Option`s.
fn within(value: &TokenStream, options: usize, name: &str, rules: &[Rule<'_>]) -> TokenStream {
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

fn rule(value: &TokenStream, name: &str, rule: &Rule<'_>) -> TokenStream {
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
        Check::OneOf { items, of, .. } => {
            let list = match of {
                Some(ty) => quote!({ const __ALLOWED: &[#ty] = &[#(#items),*]; __ALLOWED }),
                None => quote!(&[#(#items),*]),
            };
            quote!(__f::rules::one_of(__cx, #name, #value, #list, #message);)
        }
        Check::Email => quote!(__f::rules::email(__cx, #name, #value, #message);),
        Check::Url => quote!(__f::rules::url(__cx, #name, #value, #message);),
        Check::Ip => quote!(__f::rules::ip(__cx, #name, #value, #message);),
        Check::Custom(path) => {
            let text = path_name(path);
            quote!(__f::rules::custom(__cx, #name, #text, #value, |__v| #path(__v), #message);)
        }
        Check::Each { rules, options } => {
            let inner = within(&quote!(__v), *options, "", rules);
            quote!(__f::rules::each(__cx, #name, #value, |__cx, __v| { #inner });)
        }
    }
}
