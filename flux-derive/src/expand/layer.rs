//! The layer struct and how it is decoded, laid over another and asked.

use super::{allow, place};
use crate::model::{Decode, Field, Kind, Merge, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

fn slot(field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    match field.kind {
        Kind::Leaf { .. } => quote!(::core::option::Option<#ty>),
        _ => {
            quote_spanned!(place(field)=> ::core::option::Option<<#ty as ::flux::__private::Nested>::Layer>)
        }
    }
}

/// The struct, beside the user's own.
pub(super) fn definition(model: &Model<'_>) -> TokenStream {
    let (vis, layer, allow) = (model.vis, &model.layer, allow());
    let docs = format!(
        "What one source says about [`{}`]: every field optional.",
        model.ident
    );
    let fields = model.layered().map(|field| {
        let (vis, ident, slot) = (field.vis, field.ident, slot(field));
        quote!(#vis #ident: #slot)
    });
    quote! {
        #[doc = #docs]
        #allow
        #vis struct #layer { #(#fields,)* }
    }
}

/// `Clone`, `Default` and `Layer`.
pub(super) fn implementation(model: &Model<'_>) -> TokenStream {
    let layer = &model.layer;
    let idents: Vec<_> = model.layered().map(|field| field.ident).collect();
    let clones = model.layered().map(|field| {
        let ident = field.ident;
        quote_spanned!(place(field)=> ::core::clone::Clone::clone(&self.#ident))
    });
    let keys = keys(model);
    let withs = withs(model);
    let index = index(model);
    let put = put(model);
    let over = model.layered().map(over);
    let said = said(model);
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #layer {
            #[inline]
            fn clone(&self) -> Self {
                #layer { #(#idents: #clones,)* }
            }
        }
        #[automatically_derived]
        impl ::core::default::Default for #layer {
            #[inline]
            fn default() -> Self {
                #layer { #(#idents: ::core::option::Option::None,)* }
            }
        }
        #withs
        #[automatically_derived]
        impl __f::Layer for #layer {
            #keys
            #index
            #put
            #[inline]
            fn over(&mut self, __top: &Self) {
                #(#over)*
            }
            #said
        }
    }
}

fn keys(model: &Model<'_>) -> TokenStream {
    let names = model.keyed().map(|field| &field.key);
    let mut sorted: Vec<(&String, usize)> = Vec::new();
    for (index, field) in model.keyed().enumerate() {
        sorted.push((&field.key, index));
        sorted.extend(field.aliases.iter().map(|alias| (alias, index)));
    }
    sorted.sort_unstable();
    let sorted = sorted
        .into_iter()
        .map(|(name, index)| quote!((#name, #index)));
    quote! {
        const KEYS: __f::Keys = __f::Keys::new(&[#(#names),*], &[#(#sorted),*]);
    }
}

/// With flattened sections: the own keys first, then each section's in turn.
fn index(model: &Model<'_>) -> TokenStream {
    let inner: Vec<_> = model.flat().map(|field| field.ty).collect();
    if inner.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn width() -> usize {
            Self::KEYS.len() #(+ <<#inner as __f::Config>::Layer as __f::Layer>::width())*
        }
        fn index(__key: &str, __hint: usize) -> usize {
            let __i = Self::KEYS.find(__key, __hint);
            if __i != __f::UNKNOWN {
                return __i;
            }
            let mut __base = Self::KEYS.len();
            #(
                let __i = <<#inner as __f::Config>::Layer as __f::Layer>::index(__key, __hint.wrapping_sub(__base));
                if __i != __f::UNKNOWN {
                    return __base + __i;
                }
                __base += <<#inner as __f::Config>::Layer as __f::Layer>::width();
            )*
            __f::UNKNOWN
        }
    }
}

fn with_name(index: usize) -> syn::Ident {
    format_ident!("__W{index}")
}

/// A unit struct for each field with a decoding function of its own.
fn withs(model: &Model<'_>) -> TokenStream {
    let mut all = TokenStream::new();
    for (index, field) in model.keyed().enumerate() {
        if let Kind::Leaf {
            decode: Decode::With(path),
            ..
        } = &field.kind
        {
            let (name, ty) = (with_name(index), field.ty);
            all.extend(quote! {
                struct #name;
                #[automatically_derived]
                impl __f::With for #name {
                    type Out = #ty;
                    #[inline]
                    fn decode<'__de, __D: __f::serde::Deserializer<'__de>>(
                        __d: __D,
                    ) -> ::core::result::Result<#ty, __D::Error> {
                        #path(__d)
                    }
                }
            });
        }
    }
    all
}

fn put(model: &Model<'_>) -> TokenStream {
    let arms = model.keyed().enumerate().map(|(index, field)| {
        let (ident, ty) = (field.ident, field.ty);
        let slot = quote_spanned!(place(field)=> &mut self.#ident);
        let call = match &field.kind {
            Kind::Leaf { decode, .. } => match decode {
                Decode::Plain => quote_spanned!(place(field)=> __f::put(__m, #slot)),
                Decode::Strict => quote_spanned!(place(field)=> __f::put_strict(__m, #slot)),
                Decode::Human => quote_spanned!(place(field)=> __f::put_human(__m, #slot)),
                Decode::Distinct(name) => {
                    let name = syn::Ident::new(name, place(field));
                    quote_spanned!(place(field)=> __f::put_with::<__f::#name<#ty>, _>(__m, #slot))
                }
                Decode::With(_) => {
                    let with = with_name(index);
                    quote_spanned!(place(field)=> __f::put_with::<#with, _>(__m, #slot))
                }
            },
            _ => quote_spanned!(place(field)=> __f::put_nested::<#ty, _>(__m, #slot)),
        };
        quote!(#index => #call,)
    });
    let rest = through(model, quote!(::core::result::Result::Ok(())), |field| {
        let ident = field.ident;
        quote! {
            __f::Layer::put(self.#ident.get_or_insert_with(::core::default::Default::default), __i, __m)
        }
    });
    quote! {
        #[inline]
        fn put<'__de, __A: __f::serde::de::MapAccess<'__de>>(
            &mut self,
            __i: usize,
            __m: &mut __A,
        ) -> ::core::result::Result<(), __A::Error> {
            match __i {
                #(#arms)*
                _ => { #rest }
            }
        }
    }
}

/// Hands an index beyond the own keys to the flattened section it belongs to.
fn through(
    model: &Model<'_>,
    none: TokenStream,
    call: impl Fn(&Field<'_>) -> TokenStream,
) -> TokenStream {
    let own = model.keyed().count();
    let mut steps = TokenStream::new();
    let mut before = quote!(#own);
    for field in model.flat() {
        let (ty, call) = (field.ty, call(field));
        steps.extend(quote! {
            let __i = __i - #before;
            let __width = <<#ty as __f::Config>::Layer as __f::Layer>::width();
            if __i < __width {
                return #call;
            }
        });
        before = quote!(__width);
    }
    quote!(#steps #none)
}

fn over(field: &Field<'_>) -> TokenStream {
    let (ident, ty) = (field.ident, field.ty);
    let slots = quote_spanned!(place(field)=> &mut self.#ident, &__top.#ident);
    let merge = match &field.kind {
        Kind::Leaf { merge, .. } | Kind::Section { merge } => merge,
        _ => &Merge::Nested,
    };
    match merge {
        Merge::Call(name) => {
            let name = syn::Ident::new(name, place(field));
            quote_spanned!(place(field)=> __f::merge::#name(#slots);)
        }
        Merge::Nested => quote_spanned!(place(field)=> __f::merge::nested::<#ty>(#slots);),
        Merge::By(path) => quote!(__f::merge::by(#slots, |__below, __top| #path(__below, __top));),
    }
}

fn said(model: &Model<'_>) -> TokenStream {
    let arms = model.keyed().enumerate().map(|(index, field)| {
        let (ident, ty) = (field.ident, field.ty);
        match field.kind {
            Kind::Leaf { .. } => quote!(#index => __f::said::leaf(&self.#ident),),
            _ => quote_spanned!(place(field)=> #index => __f::said::nested::<#ty>(&self.#ident),),
        }
    });
    let rest = through(model, quote!(__f::Said::Nothing), |field| {
        let ident = field.ident;
        quote! {
            match &self.#ident {
                ::core::option::Option::Some(__inner) => __f::Layer::said(__inner, __i),
                ::core::option::Option::None => __f::Said::Nothing,
            }
        }
    });
    quote! {
        #[inline]
        fn said(&self, __i: usize) -> __f::Said<'_> {
            match __i {
                #(#arms)*
                _ => { #rest }
            }
        }
    }
}
