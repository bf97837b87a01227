//! Emits how the field of a key is found, and how a key of an earlier version is noted on the way.

use super::{layer::flat_layer, leaf::Leaves};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// The keys of the struct itself, with aliases and the names of earlier versions.
pub(super) fn keys(model: &Model<'_>) -> TokenStream {
    let names = model.keyed().map(|field| &field.key);
    let mut sorted: Vec<(&String, usize)> = Vec::new();
    for (index, field) in model.keyed().enumerate() {
        sorted.push((&field.key, index));
        sorted.extend(field.aliases.iter().map(|alias| (alias, index)));
        sorted.extend(field.evolution.was.iter().map(|old| (old, index)));
    }
    sorted.sort_unstable();
    let is_old = |name: &String| {
        let mut fields = model.keyed();
        fields.any(|field| field.evolution.was.contains(name))
    };
    let sorted = sorted.into_iter().map(|(name, index)| match is_old(name) {
        true => quote!((#name, __f::OLD + #index)),
        false => quote!((#name, #index)),
    });
    quote! {
        const KEYS: __f::Keys = __f::Keys::new(&[#(#names),*], &[#(#sorted),*]);
    }
}

/// With flattened sections: the own keys first, then each section's in turn. The names of earlier versions are noted.
pub(super) fn index(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let inner: Vec<_> = model
        .flat()
        .map(|field| flat_layer(field, leaves))
        .collect();
    let mut found = quote!(Self::KEYS.find(__key, __hint));
    if model.has_old_names() {
        found = quote!(__f::current(#found));
    }
    if inner.is_empty() && model.has_old_names() {
        return quote! {
            #[inline]
            fn index(__key: &str, __hint: usize) -> usize {
                #found
            }
        };
    }
    if inner.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn width() -> usize {
            Self::KEYS.len() #(+ <#inner as __f::FlatLayer>::width())*
        }
        fn index(__key: &str, __hint: usize) -> usize {
            let __i = #found;
            if __i != __f::UNKNOWN {
                return __i;
            }
            let mut __base = Self::KEYS.len();
            #(
                let __i = <#inner as __f::FlatLayer>::index(__key, __hint.wrapping_sub(__base));
                if __i != __f::UNKNOWN {
                    return __base + __i;
                }
                __base += <#inner as __f::FlatLayer>::width();
            )*
            __f::UNKNOWN
        }
    }
}

/// Notes that a field is deprecated.
pub(super) fn deprecated(model: &Model<'_>) -> Option<TokenStream> {
    let all = model.keyed().enumerate();
    let deprecated = all.filter(|(_, field)| field.evolution.deprecated.is_some());
    let indices: Vec<_> = deprecated.map(|(index, _)| quote!(#index)).collect();
    (!indices.is_empty()).then(|| {
        quote! {
            if ::core::matches!(__i, #(#indices)|*) {
                __f::saw_outdated();
            }
        }
    })
}
