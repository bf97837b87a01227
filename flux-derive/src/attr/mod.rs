//! Parsing of `#[flux(..)]` and `#[serde(..)]`. Each option is parsed on its own, so that one mistake does not hide the next.

mod container;
mod field;
mod pipeline;
mod rules;

pub(crate) use container::{ContainerAttrs, LastKnownGoodAttr, SourceAttr};
pub(crate) use field::{DefaultAttr, FieldAttrs, MergeAttr, SerdeDefault};
pub(crate) use pipeline::{StepAttr, StepKind, example};
pub(crate) use rules::{RuleAttr, RuleKind, Rules};

use crate::errors::{Errors, did_you_mean, listed};
use proc_macro2::TokenTree;
use syn::{
    Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    token,
};

/// An option that may be given once.
pub(crate) struct Once<T>(Option<(Ident, T)>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once(None)
    }
}

impl<T> Once<T> {
    fn set(&mut self, key: &Ident, value: T, errors: &mut Errors) {
        if self.0.is_some() {
            errors.at(key, format!("`{key}` is given twice; keep one"));
        } else {
            self.0 = Some((key.clone(), value));
        }
    }
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
    /// The option's name as written, for its span.
    pub(crate) fn key(&self) -> Option<&Ident> {
        self.0.as_ref().map(|(key, _)| key)
    }
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

/// Calls `option` for each `key ..` of the attribute, goes on behind the next comma after a mistake.
fn each_option(
    attr: &Attribute,
    errors: &mut Errors,
    option: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let Meta::List(list) = &attr.meta else {
        let name = attr.path().get_ident().map(Ident::to_string);
        let name = name.unwrap_or_default();
        errors.at(
            &attr.meta,
            format!("options stand in brackets: `#[{name}(..)]`"),
        );
        return;
    };
    let parsed = list.parse_args_with(|input: ParseStream<'_>| options(input, errors, option));
    if let Err(error) = parsed {
        errors.push(error);
    }
}

/// The options of a bracket.
fn options(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut option: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    while !input.is_empty() {
        let result = match Ident::parse_any(input) {
            Ok(key) => option(&key, input, errors).and_then(|()| {
                if input.is_empty() || input.peek(Token![,]) {
                    Ok(())
                } else {
                    Err(input.error(format!("expected `,` after `{key}`")))
                }
            }),
            Err(_) => Err(input.error("expected the name of an option")),
        };
        if let Err(error) = result {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// The options in the brackets behind `key`.
fn brackets(
    key: &Ident,
    input: ParseStream<'_>,
    example: &str,
    errors: &mut Errors,
    option: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` takes its options in brackets: `{example}`"),
        ));
    }
    let content;
    syn::parenthesized!(content in input);
    options(&content, errors, option)
}

/// An option without a value.
fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` takes no value: write just `{key}`"),
        ));
    }
    Ok(())
}

/// The value behind `key =`; `example` is what the mend shows.
fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` needs a value: `{key} = {example}`"),
        ));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` needs a value: `{key} = {example}`"),
        ));
    }
    input.parse()
}

/// A text behind `key =`.
fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<LitStr> {
    let written: Expr = value(key, input, example)?;
    match crate::types::literal_text(&written) {
        Some(text) => Ok(text.clone()),
        None => Err(syn::Error::new_spanned(
            written,
            format!("`{key}` is written as text: `{key} = {example}`"),
        )),
    }
}

/// A function behind `key =`, as a path or (serde's way) as a text.
fn function(key: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    match value::<Expr>(key, input, "path::to::function")? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.parse().map_err(|_| {
            syn::Error::new_spanned(
                &text,
                format!("`{}` is not a path of a function", text.value()),
            )
        }),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` names a function: `{key} = path::to::function`"),
        )),
    }
}

/// What to say of an option that does not exist.
fn unknown(
    key: &Ident,
    owner: &str,
    known: &[&str],
    elsewhere: &[&str],
    other: &str,
) -> syn::Error {
    let word = key.to_string();
    let near = did_you_mean(&word, known);
    let message = if elsewhere.contains(&word.as_str()) {
        format!("`{word}` is an option of {other}, not of {owner}")
    } else if near.is_empty() {
        format!(
            "{owner} has no option `{word}`; the options are {}",
            listed(known)
        )
    } else {
        format!("{owner} has no option `{word}`{near}")
    };
    syn::Error::new_spanned(key, message)
}

/// The deserializing half of serde's `key = ".."` or `key(serialize = "..", deserialize = "..")`.
fn deserialize_half(
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<LitStr>> {
    if !input.peek(token::Paren) {
        return text(key, input, "\"..\"").map(Some);
    }
    let content;
    syn::parenthesized!(content in input);
    let mut found = None;
    options(&content, errors, |half, input, _| {
        let name = text(half, input, "\"..\"")?;
        if half == "deserialize" {
            found = Some(name);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Reads over an option that does not concern Flux.
fn ignore(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        input.parse::<Expr>()?;
    } else if input.peek(token::Paren) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
