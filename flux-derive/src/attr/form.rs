//! How the value of one option is parsed: a flag, a text, a function, a range, a list; and the error where it has another form.

use crate::{options::Spec, types::literal_text};
use syn::{
    Expr, ExprArray, ExprLit, ExprRange, Ident, Lit, LitStr, Path, Token,
    parse::{Parse, ParseStream},
    token,
};

/// An option without a value.
pub(super) fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` takes no value: write just `{key}`"),
        ));
    }
    Ok(())
}

/// The value behind `key =`.
pub(super) fn value<T: Parse>(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<T> {
    let missing = || {
        syn::Error::new_spanned(
            key,
            format!("`{key}` needs a value: `{key} = {}`", spec.example),
        )
    };
    if !input.peek(Token![=]) {
        return Err(missing());
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(missing());
    }
    input.parse()
}

/// A text behind `key =`.
pub(super) fn text(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let written: Expr = value(spec, key, input)?;
    match literal_text(&written) {
        Some(text) => Ok(text.clone()),
        None => Err(syn::Error::new_spanned(
            written,
            format!("`{key}` is written as text: `{key} = {}`", spec.example),
        )),
    }
}

/// A function, module or crate behind `key =`, as a path or (serde's way) as a text.
pub(super) fn function(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    let what = match spec.example {
        "path::to::flux" | "path::to::serde" => "crate",
        _ => "function",
    };
    match value::<Expr>(spec, key, input)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.parse().map_err(|_| {
            syn::Error::new_spanned(
                &text,
                format!("`{}` is not a path of a {what}", text.value()),
            )
        }),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` names a {what}: `{key} = {}`", spec.example),
        )),
    }
}

/// A range behind `key =`.
pub(super) fn range(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<ExprRange> {
    match value(spec, key, input)? {
        Expr::Range(range) => Ok(range),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` takes a range: `{key} = {}`", spec.example),
        )),
    }
}

/// A list behind `key =`.
pub(super) fn list(spec: &Spec, key: &Ident, input: ParseStream<'_>) -> syn::Result<ExprArray> {
    match value(spec, key, input)? {
        Expr::Array(list) => Ok(list),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` takes a list: `{key} = {}`", spec.example),
        )),
    }
}
