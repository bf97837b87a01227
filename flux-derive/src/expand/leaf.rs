//! Emits how leaves are decoded and merged. The type decides, by the methods of `TypeProbe`: each distinct type is looked at once.

use crate::{
    model::{Decode, Field, Kind, Model},
    words::place,
};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::collections::{HashMap, HashSet};
use syn::{Ident, Type};

/// The unit structs that implement `Leaf`, by field.
pub(super) struct Leaves {
    by_field: HashMap<String, Ident>,
    definitions: TokenStream,
}

impl Leaves {
    pub(super) fn of(model: &Model<'_>) -> Self {
        let mut leaves = Leaves {
            by_field: HashMap::new(),
            definitions: TokenStream::new(),
        };
        let mut by_type: HashMap<String, Ident> = HashMap::new();
        for field in model.layered() {
            let decode = match &field.kind {
                Kind::Leaf { decode, .. } => decode,
                Kind::Rest { .. } => {
                    let (name, ty) = (format_ident!("__L{}", leaves.by_field.len()), field.ty);
                    let value = quote_spanned!(place(ty)=> <#ty as __f::RestMap>::Value);
                    let read =
                        quote_spanned!(place(ty)=> __f::TypeProbe::<#value>::new().read(__d));
                    leaves.define(&name, ty, &value, &read, false, false);
                    leaves.by_field.insert(field.ident.to_string(), name);
                    continue;
                }
                _ => continue,
            };
            let ty = field.ty;
            let next = format_ident!("__L{}", leaves.by_field.len());
            let name = match decode {
                Some(decode) => {
                    leaves.define(
                        &next,
                        ty,
                        &ty.to_token_stream(),
                        &by_function(*decode, ty),
                        false,
                        false,
                    );
                    next
                }
                None => {
                    let known = by_type.entry(format!(
                        "{} {}",
                        field.may_take_away(),
                        ty.to_token_stream()
                    ));
                    known
                        .or_insert_with(|| {
                            leaves.define(
                                &next,
                                ty,
                                &ty.to_token_stream(),
                                &by_type_of(ty),
                                field.may_take_away(),
                                cfg!(feature = "schemars"),
                            );
                            next
                        })
                        .clone()
                }
            };
            leaves.by_field.insert(field.ident.to_string(), name);
        }
        leaves
    }

    /// The struct that names the field's decoding.
    pub(super) fn name(&self, field: &Field<'_>) -> Option<&Ident> {
        self.by_field.get(&field.ident.to_string())
    }

    fn define(
        &mut self,
        name: &Ident,
        at: &Type,
        ty: &TokenStream,
        decode: &TokenStream,
        entries: bool,
        has_schema: bool,
    ) {
        let merge = quote_spanned!(place(at)=> __f::TypeProbe::<#ty>::new().merge());
        let entries = entries.then(|| {
            quote_spanned! {place(at)=>
                #[inline]
                fn entries<'__de, __D: __serde::Deserializer<'__de>>(
                    __d: __D,
                    __taken: &mut ::core::option::Option<__f::Taken>,
                ) -> ::core::result::Result<#ty, __D::Error> {
                    match __f::TypeProbe::<#ty>::new().entries(__d, __taken) {
                        ::core::result::Result::Ok(__read) => __read,
                        ::core::result::Result::Err(__d) => #decode,
                    }
                }
                fn take_away(__below: &mut #ty, __taken: &__f::Taken) {
                    __f::TypeProbe::<#ty>::new().take_away(__below, __taken)
                }
            }
        });
        let schema = has_schema.then(|| {
            quote_spanned! {place(at)=>
                fn schema() -> ::core::option::Option<__f::LeafSchema> {
                    __f::TypeProbe::<#ty>::new().schema()
                }
            }
        });
        self.definitions.extend(quote! {
            struct #name;
            #[automatically_derived]
            impl __f::Leaf for #name {
                type Out = #ty;
                #[inline]
                fn decode<'__de, __D: __serde::Deserializer<'__de>>(
                    __d: __D,
                ) -> ::core::result::Result<#ty, __D::Error> {
                    #decode
                }
                #entries
                #[inline]
                fn merge() -> ::core::option::Option<fn(&mut #ty, &#ty)> {
                    #merge
                }
                #schema
            }
        });
    }
}

impl ToTokens for Leaves {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(quote!(
            use __f::probe::*;
        ));
        tokens.extend(self.definitions.clone());
    }
}

fn by_type_of(ty: &Type) -> TokenStream {
    quote_spanned!(place(ty)=> __f::TypeProbe::<#ty>::new().read(__d))
}

fn by_function(decode: Decode<'_>, ty: &Type) -> TokenStream {
    match decode {
        Decode::Function(path) => quote!(#path(__d)),
        Decode::Module(path) => quote!(#path::deserialize(__d)),
        Decode::Bytes => quote_spanned!(place(ty)=> __f::read_bytes::<#ty, __D>(__d)),
    }
}

/// A function that is never called: it compiles only if no leaf's type is a section, unless that is meant. What is known by its
/// name is looked at once.
pub(super) fn sections(model: &Model<'_>) -> TokenStream {
    let mut seen = HashSet::new();
    let lines = model.layered().filter_map(|field| {
        let ty = field.ty;
        match field.kind {
            Kind::Leaf { value: true, .. }
            | Kind::Rest { value: true }
            | Kind::Section { .. }
            | Kind::Flat => return None,
            Kind::Leaf { known: true, .. } if !seen.insert(ty.to_token_stream().to_string()) => {
                return None;
            }
            _ => {}
        }
        Some(quote_spanned!(place(ty)=> __f::single::<#ty, _>(__f::TypeProbe::<#ty>::new().section());))
    });
    quote! {
        fn __values() {
            #(#lines)*
        }
    }
}
