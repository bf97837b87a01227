//! Emits `Nested::transition` and `Nested::defer`, a call for each rule on changes and each `restart`; a struct without either
//! keeps the trait's empty functions.

use crate::{
    model::{Field, Model, Shown},
    words::place,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

pub(super) fn transition(model: &Model<'_>) -> TokenStream {
    let lines: TokenStream = model.layered().map(rules).collect();
    if lines.is_empty() {
        return lines;
    }
    quote! {
        fn transition(&self, __old: &Self, __cx: &mut __f::Cx) { #lines }
    }
}

pub(super) fn defer(model: &Model<'_>) -> TokenStream {
    let lines: TokenStream = model.layered().map(kept).collect();
    if lines.is_empty() {
        return lines;
    }
    quote! {
        fn defer(&mut self, __running: &Self, __deferred: &mut __f::Diff) { #lines }
    }
}

fn rules(field: &Field<'_>) -> TokenStream {
    let (ident, step, rules) = (field.ident, field.step(), field.transition);
    let values = quote_spanned!(place(field.ty)=> &self.#ident, &__old.#ident);
    if field.is_nested() {
        // What is kept or refused as a whole needs no look at its fields.
        return match (rules.immutable, rules.restart) {
            (true, _) => {
                quote_spanned!(place(field.ty)=> __f::transition::immutable_section(__cx, #step, #values);)
            }
            (_, true) => TokenStream::new(),
            _ => quote_spanned!(place(field.ty)=> __f::transition::nested(__cx, #step, #values);),
        };
    }
    let show = show(field.shown);
    let mut all = TokenStream::new();
    if rules.immutable {
        all.extend(
            quote_spanned!(place(field.ty)=> __f::transition::immutable(__cx, #step, #values, #show);),
        );
    }
    if let Some(limit) = rules.max_change {
        all.extend(quote_spanned! {place(field.ty)=>
            __f::transition::max_change(__cx, #step, #values, __f::transition::Percent::new(#limit), #show);
        });
    }
    if rules.monotonic {
        all.extend(
            quote_spanned!(place(field.ty)=> __f::transition::monotonic(__cx, #step, #values, #show);),
        );
    }
    all
}

fn kept(field: &Field<'_>) -> TokenStream {
    let (ident, step, rules) = (field.ident, field.step(), field.transition);
    let values = quote_spanned!(place(field.ty)=> &mut self.#ident, &__running.#ident);
    match (rules.restart, field.is_nested()) {
        (true, true) => {
            quote_spanned!(place(field.ty)=> __f::transition::defer_section(__deferred, #step, #values);)
        }
        (true, false) => {
            quote_spanned!(place(field.ty)=> __f::transition::defer(__deferred, #step, #values);)
        }
        (false, true) if !rules.immutable => {
            quote_spanned!(place(field.ty)=> __f::transition::defer_nested(__deferred, #step, #values);)
        }
        _ => TokenStream::new(),
    }
}

/// How a report prints the value.
fn show(shown: Shown) -> TokenStream {
    match shown {
        Shown::Hidden => quote!(__f::transition::hidden),
        Shown::Plain => quote!(__f::transition::shown),
        Shown::Inside => quote!(__f::transition::shown_inside),
    }
}
