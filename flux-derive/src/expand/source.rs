//! Emits the struct's layers as calls on the builder; a URI was parsed while the struct was compiled.

use super::value::duration;
use crate::model::{Source, SourcePlace};
use flux_syntax::{Format, Part, Remote, Template};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(super) fn source(source: &Source, flux: &TokenStream) -> TokenStream {
    let mut all = match &source.place {
        SourcePlace::File(path) => {
            let path = template(path);
            quote!(#flux::Source::file(#path))
        }
        SourcePlace::Search(file, folders) => {
            // Of one type, whether variables are in them or not.
            let (file, folders) = (template(file), folders.iter().map(parts));
            quote!(#flux::Source::search(#file, [#(#folders),*]))
        }
        SourcePlace::Env(prefix) => {
            let prefix = template(prefix);
            quote!(#flux::Source::env(#prefix))
        }
        SourcePlace::Dotenv(file) => {
            let file = template(file);
            quote!(#flux::Source::dotenv(#file))
        }
        SourcePlace::Args => quote!(#flux::Source::args()),
        SourcePlace::Remote(place) => {
            let place = remote(place);
            quote!(__f::remote(#place))
        }
        SourcePlace::Uri(uri) => {
            let uri = template(uri);
            quote!(#flux::Source::uri(#uri))
        }
    };
    if let Some(format) = source.format {
        let variant = format_ident!(
            "{}",
            match format {
                Format::Json => "Json",
                Format::Yaml => "Yaml",
                Format::Toml => "Toml",
                Format::Jsonc => "Jsonc",
                Format::Json5 => "Json5",
            }
        );
        all.extend(quote!(.format(#flux::Format::#variant)));
    }
    if source.optional {
        all.extend(quote!(.optional()));
    }
    if let Some(wait) = source.wait {
        let wait = duration(wait);
        all.extend(quote!(.wait(#wait)));
    }
    all
}

/// A document on a server, as calls that take the parts of the URI.
fn remote(place: &Remote) -> TokenStream {
    let scheme = format_ident!("{}", format!("{:?}", place.scheme));
    let mut all = quote!(__f::Remote::new(__f::Scheme::#scheme));
    if place.secure {
        all.extend(quote!(.secure()));
    }
    let mut one = |method: &str, text: &Template| {
        let (method, text) = (format_ident!("{method}"), template(text));
        all.extend(quote!(.#method(#text)));
    };
    place.user.iter().for_each(|user| one("user", user));
    place
        .password
        .iter()
        .for_each(|password| one("password", password));
    place.hosts.iter().for_each(|host| one("host", host));
    place.path.iter().for_each(|piece| one("piece", piece));
    for (name, value) in &place.options {
        let value = template(value);
        all.extend(quote!(.option(#name, #value)));
    }
    all
}

/// A text as it is, or the parts of one that names variables.
pub(super) fn template(template: &Template) -> TokenStream {
    match template.as_literal() {
        Some(literal) => quote!(#literal),
        None => parts(template),
    }
}

fn parts(template: &Template) -> TokenStream {
    let parts = template.parts.iter().map(|part| match part {
        Part::Text(text) => quote!(__f::Part::Text(::std::string::String::from(#text))),
        Part::Var { name, default } => {
            let default = match default {
                Some(default) => {
                    let default = parts(default);
                    quote!(::core::option::Option::Some(#default))
                }
                None => quote!(::core::option::Option::None),
            };
            quote!(__f::Part::Var { name: ::std::string::String::from(#name), default: #default })
        }
    });
    quote!(__f::Template::new(::std::vec![#(#parts),*]))
}
