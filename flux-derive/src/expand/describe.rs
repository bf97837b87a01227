//! Emits the field table: keys, variables, defaults, rules, secrets and docs of each field as data.

use super::{leaf::Leaves, value};
use crate::{
    model::{
        Bound, Bounds, Check, Decode, DefaultSource, Field, Kind, Merge, Model, Removal, Rule,
        Value,
    },
    types::{Shape, literal_text, shape},
    words::{expression, path_name, place, plain, type_name},
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::{Expr, ExprCall, ExprLit, Ident, Lit, RangeLimits};

pub(super) fn fields(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let fields = model
        .layered()
        .map(|one| field(one, leaves.name(one), model.strict));
    quote! {
        #[inline]
        fn fields() -> &'static [__f::Field] {
            static __FIELDS: &[__f::Field] = &[#(#fields),*];
            __FIELDS
        }
    }
}

/// What is known of the fields by their types.
pub(super) fn types(model: &Model<'_>, leaves: &Leaves) -> TokenStream {
    let types = model.layered().map(|field| match leaves.name(field) {
        Some(leaf) if matches!(field.kind, Kind::Rest { .. }) => {
            let ty = field.ty;
            quote_spanned!(place(ty)=> __f::rest_type::<#ty, #leaf>())
        }
        Some(leaf) => quote!(__f::leaf_type::<#leaf>()),
        None => {
            let ty = field.ty;
            quote_spanned!(place(ty)=> __f::section_type::<#ty>())
        }
    });
    quote! {
        #[inline]
        fn type_facts() -> ::std::vec::Vec<__f::TypeFacts> {
            ::std::vec![#(#types),*]
        }
    }
}

fn field(field: &Field<'_>, leaf: Option<&Ident>, strict: bool) -> TokenStream {
    let (key, ty) = (&field.key, field.ty);
    let (env, type_name) = (flux_syntax::env_segment(key), type_name(ty));
    let mut all = quote!(__f::Field::new(#key, #env).with_type(#type_name));
    match field.kind {
        Kind::Leaf { .. } if field.is_known() => {}
        Kind::Leaf { .. } => {
            let leaf = leaf.into_iter();
            all.extend(quote!(.of::<#ty>()#(.with_entries(__f::merge::by_key_of::<#leaf>))*));
        }
        Kind::Rest { .. } => all.extend(quote!(.of::<#ty>())),
        _ => all.extend(quote_spanned!(place(ty)=> .with_kind(<#ty as __f::Nested>::KIND))),
    }
    if let (Kind::Leaf { .. }, None) = (&field.kind, &field.default) {
        all.extend(quote_spanned!(place(ty)=> .with_required(__f::TypeProbe::<#ty>::REQUIRED)));
    }
    if matches!(field.kind, Kind::Flat | Kind::Rest { .. }) {
        all.extend(quote!(.with_flatten()));
    }
    if strict {
        all.extend(quote!(.with_strict()));
    }
    if !field.docs.is_empty() {
        let docs = &field.docs;
        all.extend(quote!(.with_docs(#docs)));
    }
    all.extend(default(field));
    all.extend(checked_default(field));
    if matches!(
        field.kind,
        Kind::Leaf {
            decode: Some(Decode::Bytes),
            ..
        }
    ) {
        all.extend(quote!(.with_byte_size()));
    }
    let is_meant = |value: bool| (value || field.opaque) && !field.is_known() && !field.secret;
    if matches!(field.kind, Kind::Leaf { value, .. } if is_meant(value)) {
        all.extend(quote!(.with_meant()));
    }
    if field.secret {
        all.extend(quote!(.with_secret()));
    }
    if !field.rules.is_empty() {
        let rules = constraints(&field.rules);
        all.extend(quote!(.with_constraints(#rules)));
    }
    all.extend(changes(field));
    all.extend(merge(field));
    all.extend(other_names(field));
    if let Some(name) = &field.env {
        all.extend(quote!(.with_variable(#name)));
    }
    all.extend(segment_in_rust(field, &env));
    if let Some(name) = &field.argument {
        all.extend(quote!(.with_argument(#name)));
    }
    if let Some(letter) = field.short {
        all.extend(quote!(.with_short(#letter)));
    }
    if let Some(accessor) = &field.hot {
        let accessor = plain(accessor);
        all.extend(quote!(.with_accessor(#accessor)));
    }
    all
}

/// Aliases, the names of earlier versions behind them, and how long those and a deprecated field are read.
fn other_names(field: &Field<'_>) -> TokenStream {
    let (aliases, evolution) = (&field.aliases, &field.evolution);
    let was = &evolution.was;
    let mut all = TokenStream::new();
    if !aliases.is_empty() || !was.is_empty() {
        all.extend(quote!(.with_aliases(&[#(#aliases,)* #(#was),*])));
    }
    if !was.is_empty() {
        all.extend(quote!(.with_was(&[#(#was),*])));
    }
    if let Some(instead) = &evolution.deprecated {
        all.extend(quote!(.with_deprecated(#instead)));
    }
    if let Some(version) = &evolution.since {
        all.extend(quote!(.with_since(#version)));
    }
    if let Some(Removal {
        version,
        is_reached,
    }) = &evolution.removed
    {
        all.extend(quote!(.with_removed(#version, #is_reached)));
    }
    all
}

/// What the field's variable would be called by its name in Rust, where serde calls it something else.
fn segment_in_rust(field: &Field<'_>, env: &str) -> Option<TokenStream> {
    let in_rust = flux_syntax::env_segment(&plain(field.ident));
    let mut aliases = field.aliases.iter().chain(&field.evolution.was);
    let is_read = in_rust == env || aliases.any(|alias| flux_syntax::env_segment(alias) == in_rust);
    let has_name = !matches!(field.kind, Kind::Flat | Kind::Rest { .. });
    (has_name && !is_read).then(|| quote!(.with_segment_in_rust(#in_rust)))
}

/// The default as written, a text without its quotes, and where.
fn default(field: &Field<'_>) -> Option<TokenStream> {
    let default = field.default.as_ref()?;
    let (text, literal) = match &default.source {
        DefaultSource::Value(value, expr) => match duration_of(field, expr) {
            Some(time) => (time, true),
            None => (shown(expr), is_literal(value, expr)),
        },
        DefaultSource::Function(path) => (format!("{}()", path_name(path)), false),
        DefaultSource::Type => ("Default::default()".to_owned(), false),
        DefaultSource::Struct(path) => {
            let base = path.map_or("Default::default".to_owned(), path_name);
            (format!("{base}().{}", plain(field.ident)), false)
        }
    };
    let literal = literal.then(|| quote!(.literal()));
    // The span is that of the attribute, so that both macros answer with its place.
    let (file, line) = (
        quote_spanned!(default.span=> ::core::file!()),
        quote_spanned!(default.span=> ::core::line!()),
    );
    Some(quote!(.with_default(__f::DefaultValue::new(#text, #file, #line)#literal)))
}

/// A default that the type reads from a text at run time is tried once before the program starts.
fn checked_default(field: &Field<'_>) -> Option<TokenStream> {
    let default = field.default.as_ref()?;
    match &default.source {
        DefaultSource::Value(value, _) if value.has_text() => {
            let (ty, value) = (field.ty, value::default(field, default));
            Some(quote!(.with_checked_default(|| { let _: #ty = #value; })))
        }
        _ => None,
    }
}

/// A duration that is made of a number, as a document has it: `Duration::from_secs(30)` is `30s`. None where the type is another one, or
/// code of the program reads the field.
fn duration_of(field: &Field<'_>, expr: &Expr) -> Option<String> {
    let is_read_by_type = matches!(field.kind, Kind::Leaf { decode: None, .. });
    if !is_read_by_type || !matches!(shape(field.ty), Shape::Duration) {
        return None;
    }
    let Expr::Call(ExprCall { func, args, .. }) = expr else {
        return None;
    };
    let (Expr::Path(function), Some(argument), 1) = (&**func, args.first(), args.len()) else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Int(number),
        ..
    }) = argument
    else {
        return None;
    };
    let segments = function.path.segments.iter().rev();
    let mut names = segments.map(|segment| segment.ident.to_string());
    let (make, of) = (names.next()?, names.next()?);
    let number: u64 = number.base10_parse().ok()?;
    let time = match make.as_str() {
        "from_secs" => Duration::from_secs(number),
        "from_millis" => Duration::from_millis(number),
        "from_micros" => Duration::from_micros(number),
        "from_nanos" => Duration::from_nanos(number),
        "from_mins" => Duration::from_secs(number.checked_mul(60)?),
        "from_hours" => Duration::from_secs(number.checked_mul(3_600)?),
        _ => return None,
    };
    (of == "Duration").then(|| flux_syntax::format_duration(time))
}

fn shown(expr: &Expr) -> String {
    match literal_text(expr) {
        Some(text) => text.value(),
        None => expression(expr),
    }
}

/// Whether the text of the expression is what a document would contain.
fn is_literal(value: &Value<'_>, expr: &Expr) -> bool {
    match value {
        Value::Some(inner) => is_literal(inner, expr),
        Value::Array(items) | Value::Collection(_, items) => match expr {
            Expr::Array(list) => {
                let mut both = items.iter().zip(&list.elems);
                both.all(|(item, one)| is_literal(item, one))
            }
            _ => false,
        },
        Value::Written(_) => matches!(expr, Expr::Lit(_) | Expr::Unary(_)),
        _ => true,
    }
}

fn constraints(rules: &[Rule<'_>]) -> TokenStream {
    let rules = rules.iter().map(|rule| {
        let kind = constraint(&rule.check);
        let message = rule.message.iter();
        quote!(__f::Constraint::new(__f::ConstraintKind::#kind)#(.message(#message))*)
    });
    quote!(&[#(#rules),*])
}

fn constraint(check: &Check<'_>) -> TokenStream {
    match check {
        Check::Range(bounds) => {
            let (start, end) = ends(bounds);
            quote!(Range(#start, #end))
        }
        Check::Length(bounds) => {
            let (start, end) = ends(bounds);
            quote!(Length(#start, #end))
        }
        Check::NonEmpty => quote!(NonEmpty),
        Check::Pattern(pattern) => quote!(Pattern(#pattern)),
        Check::OneOf { written, .. } => {
            let items = written.iter().map(|one| shown(one));
            quote!(OneOf(&[#(#items),*]))
        }
        Check::Email => quote!(Email),
        Check::Url => quote!(Url),
        Check::Ip => quote!(Ip),
        Check::Each { rules, .. } => {
            let rules = constraints(rules);
            quote!(Each(#rules))
        }
        Check::Custom(path) => {
            let path = path_name(path);
            quote!(Custom(#path))
        }
    }
}

fn ends(bounds: &Bounds<'_>) -> (TokenStream, TokenStream) {
    let end = |bound: &Option<Bound<'_>>, excluded: bool| {
        let Some(bound) = bound else {
            return quote!(__f::Bound::None);
        };
        let text = shown(bound.written);
        match excluded {
            true => quote!(__f::Bound::Excluded(#text)),
            false => quote!(__f::Bound::Included(#text)),
        }
    };
    let half_open = matches!(bounds.limits, RangeLimits::HalfOpen(_));
    (end(&bounds.start, false), end(&bounds.end, half_open))
}

fn changes(field: &Field<'_>) -> Option<TokenStream> {
    let rules = &field.transition;
    let mut all = Vec::new();
    if rules.immutable {
        all.push(quote!(Immutable));
    }
    if rules.restart {
        all.push(quote!(Restart));
    }
    if let Some(limit) = rules.max_change {
        all.push(quote!(MaxChange(#limit)));
    }
    if rules.monotonic {
        all.push(quote!(Monotonic));
    }
    (!all.is_empty()).then(|| quote!(.with_changes(&[#(__f::ChangeRule::#all),*])))
}

/// What is declared; else the type decides.
fn merge(field: &Field<'_>) -> Option<TokenStream> {
    let (Kind::Leaf { merge, .. } | Kind::Section { merge }) = &field.kind else {
        return None;
    };
    let rule = match merge.as_ref()? {
        Merge::Call("append") => quote!(Append),
        Merge::Call("prepend") => quote!(Prepend),
        Merge::Call("union") => quote!(Union),
        Merge::Call("by_key") => quote!(ByKey),
        Merge::Call(_) => quote!(Replace),
        Merge::By(path) => {
            let path = path_name(path);
            quote!(Custom(#path))
        }
    };
    Some(quote!(.with_merge(__f::MergeRule::#rule)))
}
