//! What is emitted after an error: every name that code using the type relies on, so that only the error itself is reported.

use crate::{
    ast::Input,
    check, expand,
    options::Key,
    words::{FUNCTIONS, plain},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

pub(crate) fn all(input: &Input<'_>) -> TokenStream {
    let (ident, vis) = (&input.original.ident, &input.original.vis);
    let (name, layer) = (plain(ident), expand::layer_name(ident));
    let imports = check::crates(input).imports();
    let (generics, args, bounds) = input.original.generics.split_for_impl();
    // A generic type's layer is not, so the bounds that the trait asks for are repeated here.
    let bounds = match (&bounds, input.original.generics.params.is_empty()) {
        (_, true) => quote!(#bounds),
        (Some(written), false) => {
            let written = &written.predicates;
            quote!(where Self: ::core::marker::Send + ::core::marker::Sync + 'static, #written)
        }
        (None, false) => quote!(where Self: ::core::marker::Send + ::core::marker::Sync + 'static),
    };
    let allow = expand::allow();
    let root = input.is_root().then(|| root(input));
    quote! {
        #allow
        const _: () = {
            #imports
            #[derive(::core::clone::Clone, ::core::default::Default)]
            #vis struct #layer {}
            impl __f::Layer for #layer {
                const KEYS: __f::Keys = __f::Keys::new(&[], &[]);
                fn put<'__de, __A: __serde::de::MapAccess<'__de>>(
                    &mut self,
                    _: usize,
                    _: &mut __A,
                ) -> ::core::result::Result<(), __A::Error> {
                    ::core::unreachable!()
                }
                fn over(&mut self, _: &Self) {}
                fn presence_of(&self, _: usize) -> __f::Presence<'_> {
                    __f::Presence::Nothing
                }
            }
            impl #generics __f::Config for #ident #args #bounds {
                const NAME: &'static str = #name;
                fn fields() -> &'static [__f::Field] {
                    &[]
                }
            }
            impl #generics __f::Nested for #ident #args #bounds {
                type Layer = #layer;
                const KIND: __f::Kind = __f::Kind::Section(|| &[]);
                fn finish(_: Self::Layer, _: &mut __f::Cx) -> ::core::option::Option<Self> {
                    ::core::unreachable!()
                }
                fn validate(&self, _: &mut __f::Cx) {}
                fn diff(&self, _: &Self, _: &mut __f::Diff) {}
            }
            #root
        };
    }
}

fn root(input: &Input<'_>) -> TokenStream {
    let (ident, vis) = (&input.original.ident, &input.original.vis);
    let flux = check::crates(input).flux();
    let (generics, args, bounds) = input.original.generics.split_for_impl();
    let has_params = !input.original.generics.params.is_empty();
    // Nothing promises that a generic type has a handle: its functions alone keep the rest of the program quiet.
    let implementation = (!has_params).then(|| {
        quote! {
            impl __f::Root for #ident {
                fn declared() -> #flux::Builder<Self> { ::core::unreachable!() }
                fn global() -> &'static __f::Global<Self> { ::core::unreachable!() }
                fn local() -> &'static ::std::thread::LocalKey<__f::Local<Self>> { ::core::unreachable!() }
            }
        }
    });
    let functions = (!has_params).then(|| {
        quote! {
            #vis fn get() -> #flux::Guard<Self> { ::core::unreachable!() }
            #vis fn try_get() -> ::core::option::Option<#flux::Guard<Self>> { ::core::unreachable!() }
            #vis fn snapshot() -> ::std::sync::Arc<#flux::Snapshot<Self>> { ::core::unreachable!() }
            #vis fn try_snapshot() -> ::core::option::Option<::std::sync::Arc<#flux::Snapshot<Self>>> { ::core::unreachable!() }
            #vis fn reader() -> #flux::Reader<Self> { ::core::unreachable!() }
            #vis fn builder() -> #flux::Builder<Self> { ::core::unreachable!() }
            #vis fn status() -> ::std::sync::Arc<#flux::Status> { ::core::unreachable!() }
            #vis fn explain(_: &str) -> ::core::result::Result<#flux::inspect::Explanation, #flux::inspect::ExplainError> { ::core::unreachable!() }
            #vis async fn ready() -> ::core::result::Result<#flux::Guard<Self>, #flux::Error> { ::core::unreachable!() }
            #vis fn capacitor() -> &'static #flux::Capacitor<Self> { ::core::unreachable!() }
        }
    });
    let accessors = accessors(input);
    quote! {
        #implementation
        impl #generics #ident #args #bounds {
            #vis async fn start() -> ::core::result::Result<(), #flux::Error> { ::core::unreachable!() }
            #vis fn start_blocking() -> ::core::result::Result<(), #flux::Error> { ::core::unreachable!() }
            #vis fn load() -> ::core::result::Result<Self, #flux::Error> { ::core::unreachable!() }
            #vis async fn reload() -> ::core::result::Result<u64, #flux::Error> { ::core::unreachable!() }
            #functions
            #accessors
        }
    }
}

/// The functions of the hot fields, each name once.
fn accessors(input: &Input<'_>) -> TokenStream {
    let vis = &input.original.vis;
    let mut seen: Vec<String> = FUNCTIONS.iter().map(ToString::to_string).collect();
    let mut all = TokenStream::new();
    for field in &input.fields {
        if !field.options.is_set(Key::Hot) {
            continue;
        }
        let name = match field.options.text(Key::Hot) {
            Some(text) => text.parse::<Ident>().ok(),
            None => Some(field.ident.clone()),
        };
        if let Some(name) = name.filter(|name| !seen.contains(&plain(name))) {
            let ty = &field.original.ty;
            all.extend(quote!(#vis fn #name() -> #ty { ::core::unreachable!() }));
            seen.push(plain(&name));
        }
    }
    all
}
