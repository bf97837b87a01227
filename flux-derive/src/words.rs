//! How errors of the derive write names, types and expressions of the code.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Ident, Path, Type, ext::IdentExt, spanned::Spanned};

/// The functions on a struct with sources.
pub(crate) const FUNCTIONS: [&str; 14] = [
    "start",
    "start_blocking",
    "load",
    "ready",
    "reload",
    "get",
    "try_get",
    "snapshot",
    "try_snapshot",
    "reader",
    "builder",
    "status",
    "explain",
    "capacitor",
];

/// A name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The type: without the spaces between tokens, except behind a comma or a word.
pub(crate) fn type_name(ty: &Type) -> String {
    joined(ty.to_token_stream())
}

/// A path, or a call without arguments.
pub(crate) fn path_name(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

/// An expression.
pub(crate) fn expression(expr: impl ToTokens) -> String {
    let text = expr.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace("- ", "-")
        .replace(" . ", ".")
        .replace(" (", "(")
}

fn joined(tokens: TokenStream) -> String {
    let text = tokens.to_string();
    text.replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(" :: ", "::")
        .replace(":: ", "::")
        .replace(" ;", ";")
        .replace("& ", "&")
}

/// The type as the place of errors about it, with names looked up as in generated code.
pub(crate) fn place(ty: &Type) -> Span {
    ty.span().resolved_at(Span::call_site())
}
