//! The field table.

use super::place;
use crate::model::{Field, Kind, Model};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

pub(super) fn fields(model: &Model<'_>) -> TokenStream {
    let fields = model.layered().map(|one| field(one, model.strict));
    quote! {
        #[inline]
        fn fields() -> &'static [__f::Field] {
            static __FIELDS: &[__f::Field] = &[#(#fields),*];
            __FIELDS
        }
    }
}

fn field(field: &Field<'_>, strict: bool) -> TokenStream {
    let (key, ty) = (&field.key, field.ty);
    let env = flux_syntax::env_segment(key);
    let mut all = quote!(__f::Field::new(#key, #env));
    if !matches!(field.kind, Kind::Leaf { .. }) {
        all.extend(quote_spanned!(place(field)=> .kind(<#ty as __f::Nested>::KIND)));
    }
    if matches!(field.kind, Kind::Flat) {
        all.extend(quote!(.flatten()));
    }
    if strict {
        all.extend(quote!(.strict()));
    }
    let type_name = type_name(ty);
    all.extend(quote!(.type_name(#type_name)));
    if !field.docs.is_empty() {
        let docs = &field.docs;
        all.extend(quote!(.docs(#docs)));
    }
    if let Some(shown) = field
        .default
        .as_ref()
        .and_then(|default| default.shown.as_ref())
    {
        all.extend(quote!(.default(#shown)));
    }
    if field.secret {
        all.extend(quote!(.secret()));
    }
    let rules = &field.transition;
    if rules.immutable || rules.max_change.is_some() || rules.monotonic {
        all.extend(quote!(.guarded()));
    }
    if rules.restart {
        all.extend(quote!(.restart()));
    }
    if !field.aliases.is_empty() {
        let aliases = &field.aliases;
        all.extend(quote!(.aliases(&[#(#aliases),*])));
    }
    if let Some(name) = &field.env {
        all.extend(quote!(.env_exact(#name)));
    }
    all
}

/// The type as people write it: without the spaces between tokens, except behind a comma or a word.
fn type_name(ty: &syn::Type) -> String {
    let text = ty.to_token_stream().to_string();
    let mut name = text
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace("< ", "<")
        .replace(" ,", ",");
    name = name
        .replace(" :: ", "::")
        .replace(":: ", "::")
        .replace(" ;", ";")
        .replace(" <", "<");
    name
}
