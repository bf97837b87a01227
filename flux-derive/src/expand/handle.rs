//! Emits what a struct with sources has beyond a section: the declared builder, the static handle, the functions on the type, the
//! publishing of hot fields.

use super::{pipeline, source::source, value::duration};
use crate::{
    model::{Model, Root},
    words::{place, plain},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

pub(super) fn all(model: &Model<'_>) -> TokenStream {
    let Some(root) = &model.root else {
        return TokenStream::new();
    };
    let ident = model.ident;
    let flux = model.crates.flux();
    let declared = declared(root, &flux);
    let hot: Vec<_> = model
        .fields
        .iter()
        .filter(|field| field.hot.is_some())
        .collect();
    let statics: Vec<_> = hot
        .iter()
        .map(|field| format_ident!("__HOT_{}", plain(field.ident)))
        .collect();
    let definitions = hot.iter().zip(&statics).map(|(field, name)| {
        let ty = field.ty;
        quote_spanned!(place(field.ty)=> static #name: __f::Hot<#ty> = __f::Hot::new();)
    });
    let publish = hot.iter().zip(&statics).map(|(field, name)| {
        let ident = field.ident;
        quote_spanned!(place(field.ty)=> #name.publish(self.#ident);)
    });
    let publish_hot = (!hot.is_empty()).then(|| {
        quote! {
            fn publish_hot(&self) { #(#publish)* }
            fn unpublish_hot() { #(#statics.unpublish();)* }
        }
    });
    let vis = model.vis;
    let accessors = hot.iter().zip(&statics).map(|(field, name)| {
        let (accessor, ty, member) = (&field.hot, field.ty, field.ident);
        let docs = format!(
            "The current `{}`, read with one atomic load. Panics before a successful start.",
            field.key
        );
        quote_spanned! {place(field.ty)=>
            #[doc = #docs]
            #[inline]
            #[must_use]
            #vis fn #accessor() -> #ty { #name.get::<#ident>(|config| config.#member) }
        }
    });
    let functions = functions(model);
    quote! {
        #[automatically_derived]
        impl __f::Root for #ident {
            fn declared() -> #flux::Builder<Self> { #declared }
            #[inline]
            fn global() -> &'static __f::Global<Self> {
                static __GLOBAL: __f::Global<#ident> = __f::Global::new();
                &__GLOBAL
            }
            #[inline]
            fn local() -> &'static ::std::thread::LocalKey<__f::Local<Self>> {
                ::std::thread_local! {
                    static __LOCAL: __f::Local<#ident> = const { __f::Local::new() };
                }
                &__LOCAL
            }
            #publish_hot
        }
        #(#definitions)*
        impl #ident {
            #functions
            #(#accessors)*
        }
    }
}

/// The functions on the type.
fn functions(model: &Model<'_>) -> TokenStream {
    let (vis, ident, flux) = (model.vis, model.ident, model.crates.flux());
    let get = format!(
        "The current configuration, read without a lock. Panics before a successful start; see [`{ident}::try_get`]."
    );
    quote! {
        /// Starts watching the declared sources. Returns once the first configuration is applied, or with what is wrong with it.
        #vis async fn start() -> ::core::result::Result<(), #flux::Error> {
            #flux::Builder::start(Self::builder()).await
        }
        /// Like `start`, for a program without an async runtime.
        #vis fn start_blocking() -> ::core::result::Result<(), #flux::Error> {
            #flux::Builder::start_blocking(Self::builder())
        }
        /// Reads every declared layer once and returns the value, for a program that does not watch. It needs no async runtime and
        /// leaves nothing running; `get` is not affected.
        #vis fn load() -> ::core::result::Result<Self, #flux::Error> {
            #flux::Builder::load(Self::builder())
        }
        /// Waits for the first good configuration, wherever the start is called, and returns it.
        #vis async fn ready() -> ::core::result::Result<#flux::Guard<Self>, #flux::Error> {
            #flux::Capacitor::ready(Self::capacitor()).await
        }
        /// Reads every source again now, and returns the number of the configuration that is served, or what is wrong.
        #vis async fn reload() -> ::core::result::Result<u64, #flux::Error> {
            #flux::Capacitor::reload(Self::capacitor()).await
        }
        #[doc = #get]
        #[inline]
        #[must_use]
        #vis fn get() -> #flux::Guard<Self> { __f::get::<Self>() }
        /// The current configuration; none before a successful start.
        #[inline]
        #[must_use]
        #vis fn try_get() -> ::core::option::Option<#flux::Guard<Self>> { __f::try_get::<Self>() }
        /// The current configuration as an `Arc`, to keep. Panics before a successful start.
        #[must_use]
        #vis fn snapshot() -> ::std::sync::Arc<#flux::Snapshot<Self>> { __f::snapshot::<Self>() }
        /// The current configuration as an `Arc`, to keep; none before a successful start.
        #[must_use]
        #vis fn try_snapshot() -> ::core::option::Option<::std::sync::Arc<#flux::Snapshot<Self>>> { __f::try_snapshot::<Self>() }
        /// A reader of its own for a hot loop. Panics before a successful start.
        #[must_use]
        #vis fn reader() -> #flux::Reader<Self> { __f::reader::<Self>() }
        /// The builder with everything that the attributes declare, to change before the start.
        #[must_use]
        #vis fn builder() -> #flux::Builder<Self> { <Self as __f::Root>::declared() }
        /// State, generation, error, layers and history, as one consistent picture.
        #[must_use]
        #vis fn status() -> ::std::sync::Arc<#flux::Status> { #flux::Capacitor::status(Self::capacitor()) }
        /// Why a path such as `pool.max` has the value that readers see: the layer that sets it and where, and what that one hides.
        #vis fn explain(path: &str) -> ::core::result::Result<#flux::inspect::Explanation, #flux::inspect::ExplainError> {
            #flux::Capacitor::explain(Self::capacitor(), path)
        }
        /// The capacitor behind `get`: subscriptions, rollback, stop, and everything above.
        #[must_use]
        #vis fn capacitor() -> &'static #flux::Capacitor<Self> { __f::capacitor::<Self>() }
    }
}

fn declared(root: &Root<'_>, flux: &TokenStream) -> TokenStream {
    let mut all = quote!(#flux::Builder::new());
    for one in &root.sources {
        let method = if one.overrides {
            quote!(override_with)
        } else {
            quote!(source)
        };
        let one = source(one, flux);
        all.extend(quote!(.#method(#one)));
    }
    let times = [
        (quote!(debounce), root.debounce),
        (quote!(max_wait), root.max_wait),
        (quote!(startup_timeout), root.startup_timeout),
        (quote!(resync), root.resync),
    ];
    for (method, time) in times {
        if let Some(time) = time {
            let time = duration(time);
            all.extend(quote!(.#method(#time)));
        }
    }
    if let Some(variant) = root.unknown {
        let variant = format_ident!("{variant}");
        all.extend(quote!(.unknown(#flux::Unknown::#variant)));
    }
    if let Some(name) = &root.name {
        all.extend(quote!(.name(#name)));
    }
    all.extend(pipeline::safety(root, flux));
    all.extend(pipeline::steps(root, flux));
    all
}
