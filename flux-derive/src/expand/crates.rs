//! By which paths generated code names `flux` and `serde`, also where they are renamed.

use crate::model::Crates;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

impl Crates<'_> {
    /// `::flux`, or where it is.
    pub(crate) fn flux(self) -> TokenStream {
        self.flux
            .map_or_else(|| quote!(::flux), ToTokens::to_token_stream)
    }

    /// `use` of what generated code calls.
    pub(crate) fn imports(self) -> TokenStream {
        let flux = self.flux();
        let serde = match self.serde {
            Some(path) => path.to_token_stream(),
            None => quote!(#flux::__private::serde),
        };
        quote! {
            use #flux::__private as __f;
            use #serde as __serde;
        }
    }
}
