//! Emits values, defaults and bounds of ranges as expressions of the field's type.

use crate::model::{Bounds, Default, DefaultSource, Field, Value};
use crate::words::place;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::time::Duration;

/// A duration as a constant.
pub(super) fn duration(time: Duration) -> TokenStream {
    let (secs, nanos) = (time.as_secs(), time.subsec_nanos());
    quote!(::core::time::Duration::new(#secs, #nanos))
}

impl ToTokens for Value<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Value::Written(expr) => expr.to_token_stream(),
            Value::Float(number) => {
                let literal = Literal::f64_unsuffixed(number.unsigned_abs() as f64);
                match *number < 0 {
                    true => quote!(-#literal),
                    false => quote!(#literal),
                }
            }
            Value::Duration(time) => duration(*time),
            Value::Into(text) => quote!(::core::convert::Into::into(#text)),
            Value::Text(ty, text) => quote! {{
                #[allow(unused_imports)]
                use __f::{ReadAsDocument as _, ReadAsText as _};
                (&__f::DefaultText::<#ty>::new(#text)).value()
            }},
            Value::Address(ty, text) => quote! {
                match <#ty as ::core::str::FromStr>::from_str(#text) {
                    ::core::result::Result::Ok(__address) => __address,
                    ::core::result::Result::Err(_) => ::core::unreachable!(),
                }
            },
            Value::Some(inner) => quote!(::core::option::Option::Some(#inner)),
            Value::Array(items) => quote!([#(#items),*]),
            Value::Collection(ty, items) => {
                quote!(<#ty as ::core::convert::From<_>>::from([#(#items),*]))
            }
        });
    }
}

impl ToTokens for Bounds<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let start = self.start.as_ref().map(|bound| &bound.value);
        let end = self.end.as_ref().map(|bound| &bound.value);
        start.to_tokens(tokens);
        self.limits.to_tokens(tokens);
        end.to_tokens(tokens);
    }
}

/// The default as an expression of the field's type.
pub(super) fn default(field: &Field<'_>, default: &Default<'_>) -> TokenStream {
    let (ident, ty) = (field.ident, field.ty);
    match &default.source {
        DefaultSource::Value(value, _) => value.to_token_stream(),
        DefaultSource::Function(path) => quote!(#path()),
        DefaultSource::Type => {
            quote_spanned!(place(ty)=> <#ty as ::core::default::Default>::default())
        }
        DefaultSource::Struct(Some(path)) => quote!({ let __base: Self = #path(); __base.#ident }),
        DefaultSource::Struct(None) => quote!({
            let __base: Self = <Self as ::core::default::Default>::default();
            __base.#ident
        }),
    }
}
