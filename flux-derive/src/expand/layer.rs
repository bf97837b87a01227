//! Emits the layer struct, and how it is decoded, laid over another one and asked what it contains.

use super::{keys, leaf::Leaves};
use crate::{
    model::{Field, Kind, Merge, Model},
    words::{place, plain},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type};

fn slot(field: &Field<'_>, leaves: &Leaves) -> TokenStream {
    let ty = field.ty;
    match field.kind {
        Kind::Rest { .. } => {
            let leaf = leaves.name(field);
            quote_spanned!(place(field.ty)=> ::core::option::Option<__f::Rest<#ty, #leaf>>)
        }
        Kind::Leaf { .. } => quote!(::core::option::Option<#ty>),
        _ => {
            quote_spanned!(place(field.ty)=> ::core::option::Option<<#ty as __f::Nested>::Layer>)
        }
    }
}

/// The layer's name. It is known only inside the block of generated code; people write `flux::LayerOf<AppConfig>`.
pub(crate) fn name(ident: &Ident) -> Ident {
    format_ident!("__{}Layer", plain(ident), span = ident.span())
}

/// The struct.
fn definition(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let (vis, layer) = (model.vis, name(model.ident));
    let fields = model.layered().map(|field| {
        let (vis, ident, slot) = (field.vis, field.ident, slot(field, leaves));
        quote!(#vis #ident: #slot)
    });
    let gone = model
        .may_take_away()
        .then(|| quote!(#[doc(hidden)] pub __gone: __f::Gone,));
    quote! {
        #vis struct #layer { #(#fields,)* #gone }
    }
}

/// `Clone`, `Default` and `Layer`.
pub(super) fn layer(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let layer = name(model.ident);
    let definition = definition(model, leaves);
    let gone = model.may_take_away();
    let clone_gone = gone.then(|| quote!(__gone: ::core::clone::Clone::clone(&self.__gone),));
    let no_gone = gone.then(|| quote!(__gone: ::core::default::Default::default(),));
    let take_away = gone.then(|| take_away(model, leaves));
    let idents: Vec<_> = model.layered().map(|field| field.ident).collect();
    let clones = model.layered().map(|field| {
        let ident = field.ident;
        quote_spanned!(place(field.ty)=> ::core::clone::Clone::clone(&self.#ident))
    });
    let keys = keys::keys(model);
    let index = keys::index(model, leaves);
    let rests = rests(model, leaves);
    let one_rest = model
        .flat()
        .next()
        .map(|_| quote!(const _: usize = <#layer as __f::Layer>::RESTS;));
    let put = put(model, leaves);
    let over = model.layered().map(|field| over(field, leaves));
    let presence_of = presence_of(model, leaves);
    quote! {
        #definition
        #[automatically_derived]
        impl ::core::clone::Clone for #layer {
            #[inline]
            fn clone(&self) -> Self {
                #layer { #(#idents: #clones,)* #clone_gone }
            }
        }
        #[automatically_derived]
        impl ::core::default::Default for #layer {
            #[inline]
            fn default() -> Self {
                #layer { #(#idents: ::core::option::Option::None,)* #no_gone }
            }
        }
        #[automatically_derived]
        impl __f::Layer for #layer {
            #keys
            #index
            #rests
            #put
            #[inline]
            fn over(&mut self, __top: &Self) {
                #take_away
                #(#over)*
            }
            #presence_of
        }
        #one_rest
    }
}

/// The entries that the upper layer takes away.
fn take_away(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let arms = model
        .keyed()
        .enumerate()
        .filter(|(_, field)| field.may_take_away());
    let arms = arms.map(|(index, field)| {
        let (ident, leaf) = (field.ident, leaves.name(field));
        quote_spanned!(place(field.ty)=> #index => __f::take_away::<#leaf>(&mut self.#ident, __taken),)
    });
    quote! {
        if !__top.__gone.all().is_empty() {
            for (__i, __taken) in __top.__gone.all() {
                match *__i {
                    #(#arms)*
                    _ => {}
                }
            }
            self.__gone.join(&__top.__gone);
        }
    }
}

/// The layer of something flattened.
pub(super) fn flat_layer(field: &Field<'_>, leaves: &Leaves) -> TokenStream {
    let ty = field.ty;
    match leaves.name(field) {
        Some(leaf) => quote_spanned!(place(ty)=> __f::Rest<#ty, #leaf>),
        None => quote_spanned!(place(ty)=> <#ty as __f::Nested>::Layer),
    }
}

/// The keys that no field has, where something flattened may take them.
fn rests(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let flat: Vec<_> = model
        .flat()
        .map(|field| flat_layer(field, leaves))
        .collect();
    if flat.is_empty() {
        return TokenStream::new();
    }
    let idents: Vec<_> = model.flat().map(|field| field.ident).collect();
    quote! {
        const RESTS: usize = {
            let __rests = 0 #(+ <#flat as __f::FlatLayer>::RESTS)*;
            ::core::assert!(__rests <= 1, "two flattened maps would take the same keys; keep one of them");
            __rests
        };
        fn put_rest<'__de, __A: __serde::de::MapAccess<'__de>>(
            &mut self,
            __key: ::std::string::String,
            __m: &mut __A,
        ) -> ::core::result::Result<(), __A::Error> {
            #(
                if <#flat as __f::FlatLayer>::RESTS > 0 {
                    let __flat = self.#idents.get_or_insert_with(::core::default::Default::default);
                    return __f::FlatLayer::put_rest(__flat, __key, __m);
                }
            )*
            ::core::result::Result::Ok(())
        }
        fn presence_of_rest(&self, __key: &str) -> __f::Presence<'_> {
            #(
                if let (true, ::core::option::Option::Some(__flat)) = (<#flat as __f::FlatLayer>::RESTS > 0, &self.#idents) {
                    return __f::FlatLayer::rest(__flat, __key);
                }
            )*
            __f::Presence::Nothing
        }
    }
}

/// Fields that are decoded in the same way.
struct Alike<'m> {
    leaf: &'m Ident,
    at: &'m Type,
    /// The type decides how, and no attribute.
    by_type: bool,
    slots: Vec<(usize, TokenStream)>,
}

impl Alike<'_> {
    /// One call for all of them: it is compiled once, and inlined where it would not be in each of many places.
    fn arm(&self) -> TokenStream {
        let (leaf, at) = (self.leaf, self.at);
        let indices = self.slots.iter().map(|(index, _)| quote!(#index));
        let slot = match &*self.slots {
            [(_, slot)] => slot.clone(),
            [(_, first), more @ ..] => {
                let more = more.iter().map(|(index, slot)| quote!(#index => #slot,));
                quote!(match __i { #(#more)* _ => #first })
            }
            [] => return TokenStream::new(),
        };
        let seed = match self.by_type {
            true => quote_spanned!(place(at)=> __f::TypeProbe::<#at>::new().seed::<#leaf>(__slot)),
            false => quote!(__f::LeafSeed::<#leaf>(__slot)),
        };
        let call = quote_spanned! {place(at)=>
            let __slot = #slot;
            match __slot.is_some() {
                true => __f::again(__m),
                false => __serde::de::MapAccess::next_value_seed(__m, #seed),
            }
        };
        quote!(#(#indices)|* => { #call })
    }
}

fn put(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let (mut arms, mut alike) = (TokenStream::new(), Vec::<Alike<'_>>::new());
    for (index, field) in model.keyed().enumerate() {
        let (ident, ty) = (field.ident, field.ty);
        let slot = quote_spanned!(place(field.ty)=> &mut self.#ident);
        let call = match leaves.name(field) {
            Some(leaf) if field.may_take_away() => {
                quote_spanned!(place(field.ty)=> __f::put_entries::<#leaf, _>(__m, #slot, &mut self.__gone, #index))
            }
            Some(leaf) => {
                match alike.iter_mut().find(|one| one.leaf == leaf) {
                    Some(one) => one.slots.push((index, slot)),
                    None => alike.push(Alike {
                        leaf,
                        at: field.ty,
                        by_type: matches!(field.kind, Kind::Leaf { decode: None, .. }),
                        slots: vec![(index, slot)],
                    }),
                }
                continue;
            }
            None => quote_spanned!(place(field.ty)=> __f::put_nested::<#ty, _>(__m, #slot)),
        };
        arms.extend(quote!(#index => #call,));
    }
    arms.extend(alike.iter().map(Alike::arm));
    let rest = through(
        model,
        leaves,
        quote!(::core::result::Result::Ok(())),
        |field| {
            let ident = field.ident;
            quote! {
                __f::FlatLayer::put_field(self.#ident.get_or_insert_with(::core::default::Default::default), __i, __m)
            }
        },
    );
    let deprecated = keys::deprecated(model);
    quote! {
        #[inline]
        fn put<'__de, __A: __serde::de::MapAccess<'__de>>(
            &mut self,
            __i: usize,
            __m: &mut __A,
        ) -> ::core::result::Result<(), __A::Error> {
            #deprecated
            match __i {
                #arms
                _ => { #rest }
            }
        }
    }
}

/// Hands an index beyond the own keys to the flattened section it belongs to.
fn through(
    model: &Model<'_>,
    leaves: &Leaves,
    none: TokenStream,
    call: impl Fn(&Field<'_>) -> TokenStream,
) -> TokenStream {
    let own = model.keyed().count();
    let mut steps = TokenStream::new();
    let mut before = quote!(#own);
    for field in model.flat() {
        let (layer, call) = (flat_layer(field, leaves), call(field));
        steps.extend(quote! {
            let __i = __i - #before;
            let __width = <#layer as __f::FlatLayer>::width();
            if __i < __width {
                return #call;
            }
        });
        before = quote!(__width);
    }
    quote!(#steps #none)
}

fn over(field: &Field<'_>, leaves: &Leaves) -> TokenStream {
    let (ident, ty) = (field.ident, field.ty);
    let slots = quote_spanned!(place(ty)=> &mut self.#ident, &__top.#ident);
    let merge = match &field.kind {
        Kind::Leaf { merge, .. } | Kind::Section { merge } => merge.as_ref(),
        _ => None,
    };
    if matches!(field.kind, Kind::Rest { .. }) {
        return quote_spanned!(place(ty)=> __f::rest_over(#slots););
    }
    match (merge, leaves.name(field)) {
        (Some(Merge::Call("union")), _) => {
            quote_spanned!(place(ty)=> __f::merge::union(#slots, __f::TypeProbe::<#ty>::new().unite());)
        }
        (Some(Merge::Call(name)), _) => {
            let name = Ident::new(name, place(ty));
            quote_spanned!(place(ty)=> __f::merge::#name(#slots);)
        }
        (Some(Merge::By(path)), _) => {
            quote!(__f::merge::by(#slots, |__below, __top| #path(__below, __top));)
        }
        (None, Some(leaf)) => quote_spanned!(place(ty)=> __f::merge::leaf::<#leaf>(#slots);),
        (None, None) => quote_spanned!(place(ty)=> __f::merge::nested::<#ty>(#slots);),
    }
}

fn presence_of(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let arms = model.keyed().enumerate().map(|(index, field)| {
        let (ident, ty) = (field.ident, field.ty);
        match field.kind {
            Kind::Leaf { .. } => quote!(#index => __f::presence::leaf(&self.#ident),),
            _ => {
                quote_spanned!(place(field.ty)=> #index => __f::presence::nested::<#ty>(&self.#ident),)
            }
        }
    });
    let rest = through(model, leaves, quote!(__f::Presence::Nothing), |field| {
        let ident = field.ident;
        quote! {
            match &self.#ident {
                ::core::option::Option::Some(__inner) => __f::FlatLayer::field(__inner, __i),
                ::core::option::Option::None => __f::Presence::Nothing,
            }
        }
    });
    quote! {
        #[inline]
        fn presence_of(&self, __i: usize) -> __f::Presence<'_> {
            match __i {
                #(#arms)*
                _ => { #rest }
            }
        }
    }
}
