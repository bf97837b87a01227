//! Defaults: what a field is when no layer sets it.

use super::{container::duration, field::text, plain};
use crate::{
    ast::{self, Input},
    attr::{DefaultAttr, SerdeDefault},
    errors::Errors,
    expand,
    model::Default,
    types::{Number, Shape, literal_text, shape},
};
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, Type, spanned::Spanned};

/// The field's own default, serde's, the struct's, or `None` for an `Option`.
pub(super) fn default(
    input: &Input<'_>,
    written: &ast::Field<'_>,
    is_section: bool,
    errors: &mut Errors,
) -> Option<Default> {
    let (attrs, ty) = (&written.attrs, &written.original.ty);
    let span = ty.span().resolved_at(proc_macro2::Span::call_site());
    let by_type = quote_spanned!(span=> <#ty as ::core::default::Default>::default());
    if let (Some(_), Some(key)) = (attrs.default.get(), attrs.serde_default.key()) {
        errors.at(
            key,
            "the default is given twice, here and in `#[flux(default)]`; keep one",
        );
    }
    match (attrs.default.get(), attrs.serde_default.get()) {
        (Some(DefaultAttr::Value(expr)), _) => {
            return Some(Default {
                code: value(expr, ty, errors),
                shown: Some(shown(expr)),
            });
        }
        (None, Some(SerdeDefault::Function(path))) => {
            return Some(Default {
                code: quote!(#path()),
                shown: Some(format!("{}()", path.to_token_stream()).replace(' ', "")),
            });
        }
        (Some(DefaultAttr::Flag), _) | (None, Some(SerdeDefault::Flag)) => {
            return Some(Default {
                code: by_type,
                shown: Some("Default::default()".to_owned()),
            });
        }
        (None, None) => {}
    }
    let ident = written.ident;
    if let Some(function) = input.attrs.default.get() {
        let (base, name) = match function {
            Some(path) => (
                quote!(#path()),
                format!("{}()", path.to_token_stream()).replace(' ', ""),
            ),
            None => (
                quote!(<Self as ::core::default::Default>::default()),
                "Default::default()".to_owned(),
            ),
        };
        return Some(Default {
            code: quote!({ let __base: Self = #base; __base.#ident }),
            shown: Some(format!("{name}.{}", plain(ident))),
        });
    }
    if matches!(shape(ty), Shape::Option(_)) && !is_section {
        return Some(Default {
            code: quote!(::core::option::Option::None),
            shown: None,
        });
    }
    None
}

/// As written, a text without its quotes.
fn shown(expr: &Expr) -> String {
    match literal_text(expr) {
        Some(text) => text.value(),
        None => expr
            .to_token_stream()
            .to_string()
            .replace(" :: ", "::")
            .replace("- ", "-"),
    }
}

/// What a literal is called.
fn kind(expr: &Expr) -> Option<&'static str> {
    match (Number::of(expr), expr) {
        (Some(Number::Int(_)), _) => Some("an integer"),
        (Some(Number::Float(_)), _) => Some("a float"),
        (None, Expr::Group(group)) => kind(&group.expr),
        (None, Expr::Lit(ExprLit { lit, .. })) => match lit {
            Lit::Str(_) => Some("text"),
            Lit::Bool(_) => Some("a bool"),
            Lit::Char(_) => Some("a character"),
            Lit::ByteStr(_) | Lit::CStr(_) | Lit::Byte(_) => Some("bytes"),
            _ => None,
        },
        _ => None,
    }
}

/// An expression as a value of the type: literals are converted and checked, anything else is taken as it is. On an `Option` the
/// value is that of the inside.
pub(super) fn value(expr: &Expr, ty: &Type, errors: &mut Errors) -> TokenStream {
    let own = shape(ty);
    if let Shape::Option(inner) = own {
        if is_option(expr) {
            return expr.to_token_stream();
        }
        let inner = value(expr, inner, errors);
        return quote!(::core::option::Option::Some(#inner));
    }
    if let (Expr::Array(list), Some(item)) = (expr, own.items()) {
        let items: Vec<_> = list
            .elems
            .iter()
            .map(|one| value(one, item, errors))
            .collect();
        return match own {
            Shape::Array(_) => quote!([#(#items),*]),
            Shape::Map(..) => expr.to_token_stream(),
            _ => quote!(<#ty as ::core::convert::From<_>>::from([#(#items),*])),
        };
    }
    let Some(kind) = kind(expr) else {
        return expr.to_token_stream();
    };
    match (own, Number::of(expr), literal_text(expr)) {
        (Shape::Int(int), Some(Number::Int(value)), _) => {
            if !int.holds(value) {
                errors.at(
                    expr,
                    format!(
                        "{value} does not fit `{}`, which holds {} to {}",
                        int.name, int.min, int.max
                    ),
                );
            }
            expr.to_token_stream()
        }
        (Shape::Float, Some(Number::Int(value)), _) => float(value),
        (Shape::Float, Some(_), _) | (Shape::Other, Some(_), _) => expr.to_token_stream(),
        (Shape::Text | Shape::TextPointer | Shape::Path | Shape::Other, _, Some(text)) => {
            quote!(::core::convert::Into::into(#text))
        }
        (Shape::Duration, _, Some(text)) => {
            let time = duration(Some(text), errors).unwrap_or_default();
            expand::duration(time)
        }
        (Shape::Net(name), _, Some(text)) => address(name, ty, text, errors),
        (Shape::Bool, ..) if kind == "a bool" => expr.to_token_stream(),
        (Shape::Char, ..) if kind == "a character" => expr.to_token_stream(),
        (Shape::Other, ..) => expr.to_token_stream(),
        _ => {
            errors.at(
                expr,
                format!(
                    "this is {kind}, and the field is `{}`; write {}",
                    text(ty),
                    example(own)
                ),
            );
            expr.to_token_stream()
        }
    }
}

/// What a literal of this shape looks like.
fn example(shape: Shape<'_>) -> &'static str {
    match shape {
        Shape::Int(_) => "an integer such as `8080`",
        Shape::Float => "a number such as `0.5`",
        Shape::Bool => "`true` or `false`",
        Shape::Char => "a character such as `'x'`",
        Shape::Text | Shape::TextPointer | Shape::Path => "text in quotes, such as `\"name\"`",
        Shape::Net(_) => "an address in quotes, such as `\"127.0.0.1\"`",
        Shape::Duration => "a number and a unit in quotes, such as `\"30s\"`",
        Shape::Vec(_) | Shape::Deque(_) | Shape::Set(_) | Shape::Array(_) => {
            "a list such as `[\"a\", \"b\"]`, or an expression"
        }
        _ => "an expression of this type",
    }
}

fn is_option(expr: &Expr) -> bool {
    let path = match expr {
        Expr::Path(path) => &path.path,
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => &path.path,
            _ => return false,
        },
        _ => return false,
    };
    let last = path.segments.last();
    last.is_some_and(|last| last.ident == "None" || last.ident == "Some")
}

/// An integer as a literal of a float type.
pub(super) fn float(value: i128) -> TokenStream {
    let literal = Literal::f64_unsuffixed(value.unsigned_abs() as f64);
    if value < 0 {
        quote!(-#literal)
    } else {
        quote!(#literal)
    }
}

/// An address, parsed once here so that it cannot fail there.
fn address(name: &str, ty: &Type, literal: &syn::LitStr, errors: &mut Errors) -> TokenStream {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
    let written = literal.value();
    let fine = match name {
        "IpAddr" => written.parse::<IpAddr>().is_ok(),
        "Ipv4Addr" => written.parse::<Ipv4Addr>().is_ok(),
        "Ipv6Addr" => written.parse::<Ipv6Addr>().is_ok(),
        "SocketAddrV4" => written.parse::<SocketAddrV4>().is_ok(),
        "SocketAddrV6" => written.parse::<SocketAddrV6>().is_ok(),
        _ => written.parse::<SocketAddr>().is_ok(),
    };
    if !fine {
        let example = if name.starts_with("Socket") {
            "127.0.0.1:8080"
        } else {
            "127.0.0.1"
        };
        errors.at(
            literal,
            format!("`{written}` is not a valid `{name}`; write an address such as `{example}`"),
        );
    }
    quote! {
        match <#ty as ::core::str::FromStr>::from_str(#literal) {
            ::core::result::Result::Ok(__address) => __address,
            ::core::result::Result::Err(_) => ::core::unreachable!(),
        }
    }
}
