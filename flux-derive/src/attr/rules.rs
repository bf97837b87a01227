//! The rules that a field's value must keep.

use super::{Once, flag, function, options, text, value};
use crate::errors::Errors;
use syn::{Expr, ExprArray, ExprRange, Ident, LitStr, Path, parse::ParseStream, token};

/// The rules by name.
pub(crate) const KNOWN: [&str; 11] = [
    "range",
    "length",
    "non_empty",
    "pattern",
    "one_of",
    "email",
    "url",
    "ip",
    "each",
    "validate",
    "message",
];

/// One rule as written.
pub(crate) struct RuleAttr {
    pub(crate) key: Ident,
    pub(crate) kind: RuleKind,
}

/// What a rule asks.
pub(crate) enum RuleKind {
    Range(ExprRange),
    Length(ExprRange),
    NonEmpty,
    Pattern(LitStr),
    OneOf(ExprArray),
    Email,
    Url,
    Ip,
    Each(Rules),
    Validate(Path),
}

/// The rules of a field, or of its items.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) all: Vec<RuleAttr>,
    pub(crate) message: Once<LitStr>,
}

impl Rules {
    /// Parses the option if it is a rule.
    pub(super) fn option(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<bool> {
        let kind = match key.to_string().as_str() {
            "range" => RuleKind::Range(range(key, input, "1..=100")?),
            "length" => RuleKind::Length(range(key, input, "1..=64")?),
            "non_empty" => flag(key, input).map(|()| RuleKind::NonEmpty)?,
            "pattern" => RuleKind::Pattern(text(key, input, "\"^[a-z]+$\"")?),
            "one_of" => match value(key, input, "[\"a\", \"b\"]")? {
                Expr::Array(list) => RuleKind::OneOf(list),
                other => {
                    let message = "`one_of` takes a list: `one_of = [\"a\", \"b\"]`";
                    return Err(syn::Error::new_spanned(other, message));
                }
            },
            "email" => flag(key, input).map(|()| RuleKind::Email)?,
            "url" => flag(key, input).map(|()| RuleKind::Url)?,
            "ip" => flag(key, input).map(|()| RuleKind::Ip)?,
            "each" => RuleKind::Each(each(key, input, errors)?),
            "validate" => RuleKind::Validate(function(key, input)?),
            "message" => {
                self.message.set(key, text(key, input, "\"..\"")?, errors);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        if self.all.iter().any(|rule| rule.key == *key) {
            errors.at(key, format!("`{key}` is given twice; keep one"));
        } else {
            self.all.push(RuleAttr {
                key: key.clone(),
                kind,
            });
        }
        Ok(true)
    }
}

fn range(key: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<ExprRange> {
    match value(key, input, example)? {
        Expr::Range(range) => Ok(range),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` takes a range: `{key} = {example}`"),
        )),
    }
}

fn each(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Rules> {
    if !input.peek(token::Paren) {
        let message = "`each` takes the rules of the items in brackets: `each(non_empty)`";
        return Err(syn::Error::new_spanned(key, message));
    }
    let content;
    syn::parenthesized!(content in input);
    let mut rules = Rules::default();
    let nothing = content.is_empty();
    options(&content, errors, |word, input, errors| {
        if rules.option(word, input, errors)? {
            return Ok(());
        }
        Err(super::unknown(
            word,
            "`each`",
            &KNOWN,
            &super::field::KNOWN,
            "the field",
        ))
    })?;
    if nothing {
        errors.at(
            key,
            "`each` has no rule: write one in its brackets, as in `each(non_empty)`",
        );
    }
    Ok(rules)
}
