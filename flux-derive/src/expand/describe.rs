//! The field table.

use crate::{
    model::{DefaultSource, Field, Kind, Model},
    types::literal_text,
    words::{expression, path_name, place, plain, type_name},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

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
        all.extend(quote_spanned!(place(ty)=> .kind(<#ty as __f::Nested>::KIND)));
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
    if let Some(shown) = default(field) {
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

/// The default as written, a text without its quotes.
fn default(field: &Field<'_>) -> Option<String> {
    Some(match &field.default.as_ref()?.source {
        DefaultSource::Value(_, expr) => match literal_text(expr) {
            Some(text) => text.value(),
            None => expression(expr),
        },
        DefaultSource::Function(path) => format!("{}()", path_name(path)),
        DefaultSource::Type => "Default::default()".to_owned(),
        DefaultSource::Struct(path) => {
            let base = path.map_or("Default::default".to_owned(), path_name);
            format!("{base}().{}", plain(field.ident))
        }
    })
}
