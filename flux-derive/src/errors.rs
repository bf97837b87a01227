//! Collects every mistake of one struct, so that all are reported together, and words "did you mean".

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::fmt::Display;

/// Collects the compile errors.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// An error on these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// An error with its span.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them as `compile_error!` calls.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let all = self.0.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        all.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

/// `; did you mean `word`?`, or nothing.
pub(crate) fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match flux_syntax::nearest(word, candidates.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    }
}

/// The words in backquotes with commas between them, for messages.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
