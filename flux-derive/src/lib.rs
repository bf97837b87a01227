//! The derive macro of Flux. What was written (`attr`, by the table in `options`; `ast`) is checked as a whole (`check`) and
//! becomes a `model` that the emitting code (`expand`) cannot fail on; after an error `fallback` keeps follow-on errors away. A
//! stage knows only those before it.

mod ast;
mod attr;
mod check;
mod errors;
mod expand;
mod fallback;
mod model;
mod options;
#[cfg(test)]
mod tests;
mod types;
mod words;

use proc_macro::TokenStream;

/// Generates the layer, the reducer, the validation and the handle of a config struct.
///
#[doc = include_str!("options.md")]
#[proc_macro_derive(Flux, attributes(flux, serde))]
pub fn derive_flux(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    let mut errors = errors::Errors::default();
    let input = ast::Input::read(&input, &mut errors);
    let model = check::model(&input, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::all(&model),
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(fallback::all(&input));
            tokens
        }
    }
    .into()
}
