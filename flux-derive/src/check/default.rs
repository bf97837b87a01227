//! Which default does not compile because the field's type cannot hold it, and how a default that is a text, a number or a path is
//! understood.

use super::literals::duration;
use crate::{
    ast::{self, Input},
    attr::Written,
    errors::Errors,
    model::{Default, DefaultSource, Value},
    options::Key,
    types::{Number, Shape, literal_text, shape},
    words::type_name,
};
use syn::{Expr, ExprLit, Lit, Type, spanned::Spanned};

/// The field's own default, serde's, or the struct's.
pub(super) fn default<'a>(
    input: &'a Input<'_>,
    written: &'a ast::FieldInput<'_>,
    errors: &mut Errors,
) -> Option<Default<'a>> {
    let (options, ty) = (&written.options, &written.original.ty);
    let own = options.get(Key::Default);
    let serde = options.get(Key::SerdeDefault);
    if let (Some(_), Some(given)) = (own, serde) {
        errors.at(
            &given.key,
            "the default is given twice, here and in `#[flux(default)]`; keep one",
        );
    }
    let given = own
        .or(serde)
        .or_else(|| input.options.get(Key::SerdeStructDefault))?;
    let of_struct = given.spec.key == Key::SerdeStructDefault;
    let source = match &given.value {
        Written::Expr(expr) => DefaultSource::Value(value(expr, ty, errors), expr),
        Written::Function(path) if of_struct => DefaultSource::Struct(Some(path)),
        Written::Function(path) => DefaultSource::Function(path),
        _ if of_struct => DefaultSource::Struct(None),
        _ => DefaultSource::Type,
    };
    let span = match &given.value {
        Written::Expr(expr) => expr.span(),
        _ => given.key.span(),
    };
    Some(Default { source, span })
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
pub(super) fn value<'a>(expr: &'a Expr, ty: &'a Type, errors: &mut Errors) -> Value<'a> {
    let own = shape(ty);
    if let Shape::Option(inner) = own {
        if is_option(expr) {
            return Value::Written(expr);
        }
        return Value::Some(Box::new(value(expr, inner, errors)));
    }
    if let (Expr::Array(list), Some(item)) = (expr, own.items()) {
        let items: Vec<_> = list
            .elems
            .iter()
            .map(|one| value(one, item, errors))
            .collect();
        return match own {
            Shape::Array(_) => Value::Array(items),
            Shape::Map(..) => Value::Written(expr),
            _ => Value::Collection(ty, items),
        };
    }
    let Some(kind) = kind(expr) else {
        return Value::Written(expr);
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
            Value::Written(expr)
        }
        (Shape::Float, Some(Number::Int(value)), _) => Value::Float(value),
        (Shape::Float, Some(_), _) | (Shape::Other, Some(_), _) => Value::Written(expr),
        (Shape::Text | Shape::TextPointer | Shape::Path, _, Some(text)) => Value::Into(text),
        (Shape::Other, _, Some(text)) => Value::Text(ty, text),
        (Shape::Duration, _, Some(text)) => {
            Value::Duration(duration(Some(text), errors).unwrap_or_default())
        }
        (Shape::Net(name), _, Some(text)) => address(name, ty, text, errors),
        (Shape::Bool, ..) if kind == "a bool" => Value::Written(expr),
        (Shape::Char, ..) if kind == "a character" => Value::Written(expr),
        (Shape::Other, ..) => Value::Written(expr),
        _ => {
            errors.at(
                expr,
                format!(
                    "this is {kind}, and the field is `{}`; write {}",
                    type_name(ty),
                    example(own)
                ),
            );
            Value::Written(expr)
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

/// An address, parsed once here so that it cannot fail there.
fn address<'a>(
    name: &str,
    ty: &'a Type,
    literal: &'a syn::LitStr,
    errors: &mut Errors,
) -> Value<'a> {
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
    Value::Address(ty, literal)
}
