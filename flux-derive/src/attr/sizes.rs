//! That a size such as `"10MB"` in an option of a field of bytes is the number that it means.

use super::{Options, Written};
use crate::{errors::Errors, options::Key};
use syn::{Expr, ExprLit, Lit, LitInt};

/// Replaces the texts in the default and in the rules by numbers, where the field is one of bytes.
pub(crate) fn as_numbers(mut options: Options, errors: &mut Errors) -> Options {
    if options.is_set(Key::Bytes) {
        inside(&mut options, errors);
    }
    options
}

fn inside(options: &mut Options, errors: &mut Errors) {
    for given in &mut options.all {
        match (given.spec.key, &mut given.value) {
            (Key::Default, Written::Expr(expr)) => number(expr, errors),
            (Key::Range, Written::Range(range)) => {
                for end in [&mut range.start, &mut range.end].into_iter().flatten() {
                    number(end, errors);
                }
            }
            (Key::OneOf, Written::List(list)) => {
                list.elems.iter_mut().for_each(|one| number(one, errors));
            }
            (Key::Each, Written::Inside(_, rules)) => inside(rules, errors),
            _ => {}
        }
    }
}

fn number(expr: &mut Expr, errors: &mut Errors) {
    match expr {
        Expr::Group(group) => number(&mut group.expr, errors),
        Expr::Paren(paren) => number(&mut paren.expr, errors),
        Expr::Array(list) => list.elems.iter_mut().for_each(|one| number(one, errors)),
        // `Some("10MB")`
        Expr::Call(call) if call.args.len() == 1 => {
            call.args.iter_mut().for_each(|one| number(one, errors));
        }
        Expr::Lit(ExprLit {
            lit: literal @ Lit::Str(_),
            ..
        }) => {
            let Lit::Str(text) = &*literal else { return };
            let bytes = match flux_syntax::parse_bytes(&text.value()) {
                Ok(bytes) => bytes,
                Err(error) => return errors.at(text, error.to_string()),
            };
            *literal = Lit::Int(LitInt::new(&bytes.to_string(), text.span()));
        }
        _ => {}
    }
}
