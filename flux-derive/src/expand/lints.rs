//! Which lints generated code must not raise in the user's crate.

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn allow() -> TokenStream {
    quote! {
        #[allow(
            missing_docs, unreachable_pub, dead_code, deprecated, private_bounds, private_interfaces, non_snake_case,
            non_upper_case_globals, non_camel_case_types, unused_qualifications, unused_imports, unused_variables,
            unused_mut, unreachable_code, clippy::all, clippy::pedantic, clippy::nursery
        )]
    }
}
