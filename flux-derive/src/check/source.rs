//! Which `source` and `override` attributes do not compile: a bad URI, an unknown format, an option that has no meaning there, a
//! feature that is off.

use super::literals::{duration, feature_off, part_of};
use crate::{
    attr::{Given, Options, Written},
    errors::{Errors, did_you_mean},
    model::{Source, SourcePlace},
    options::Key,
};
use flux_syntax::{Dotenv, Format, Part, Pattern, Remote, Scheme, Template, Uri};
use std::str::FromStr;
use syn::LitStr;

/// A layer as written.
struct Layer<'a> {
    given: &'a Given,
    uri: &'a LitStr,
    options: &'a Options,
}

impl Layer<'_> {
    fn overrides(&self) -> bool {
        matches!(self.given.spec.key, Key::Override | Key::OptionalOverride)
    }

    /// The word that makes it optional.
    fn optional(&self) -> Option<&syn::Ident> {
        match self.given.spec.key {
            Key::OptionalSource | Key::OptionalOverride => Some(&self.given.key),
            _ => self.options.key(Key::Optional),
        }
    }
}

/// None where something is wrong with it.
pub(super) fn source(given: &Given, errors: &mut Errors) -> Option<Source> {
    let Written::Inside(Some(uri), options) = &given.value else {
        return None;
    };
    let attr = &Layer {
        given,
        uri,
        options,
    };
    let format = options
        .text(Key::Format)
        .and_then(|text| format_named(text, errors));
    let uri = match flux_syntax::parse_uri(&attr.uri.value()) {
        Ok(uri) => uri,
        Err(error) => {
            errors.push(syn::Error::new(
                part_of(attr.uri, error.span),
                error.message,
            ));
            return None;
        }
    };
    let (place, format) = match uri {
        Uri::File { path } => {
            if cfg!(not(feature = "file")) {
                errors.at(attr.uri, feature_off("file sources", "file"));
            }
            let pattern = Pattern::of_template(&path).ok().flatten();
            // Then the name of each file says it.
            let is_open = pattern.is_some_and(|pattern| pattern.is_open());
            let format = match options.is_set(Key::Format) || is_open {
                true => format,
                false => inferred(&path, attr, errors),
            };
            (SourcePlace::File(path), format)
        }
        Uri::Search { file, folders } => {
            if cfg!(not(feature = "file")) {
                errors.at(attr.uri, feature_off("file sources", "file"));
            }
            let format = match options.is_set(Key::Format) {
                true => format,
                false => inferred(&file, attr, errors),
            };
            (SourcePlace::Search(file, folders), format)
        }
        Uri::Env { prefix } => {
            separated(&prefix, attr.uri, errors);
            if let Some(key) = options.key(Key::Format) {
                errors.at(key, "the environment has no format: every variable is read by the type of its field; remove `format`");
            }
            if let Some(key) = attr.optional() {
                let fix = match (key == "optional", attr.overrides()) {
                    (true, _) => "remove `optional`",
                    (false, false) => "write `source`",
                    (false, true) => "write `override`",
                };
                errors.at(key, format!("the environment is always there: a variable that is not set says nothing; {fix}"));
            }
            if let Some(key) = options.key(Key::Wait) {
                errors.at(
                    key,
                    "the environment never keeps the start waiting; remove `wait`",
                );
            }
            (SourcePlace::Env(prefix), None)
        }
        Uri::Dotenv { file } => {
            dotenv(&file, attr, errors);
            (SourcePlace::Dotenv(file), None)
        }
        Uri::Args => {
            arguments(attr, errors);
            (SourcePlace::Args, None)
        }
        Uri::Remote(place) => {
            remote(&place, attr, errors);
            (SourcePlace::Remote(place), format)
        }
        Uri::Whole(uri) => (SourcePlace::Uri(uri), format),
        _ => {
            errors.at(attr.uri, "`flux` and `flux-derive` differ in version, and this source is new to the macro; use the same version of both");
            return None;
        }
    };
    Some(Source {
        overrides: attr.overrides(),
        place,
        optional: attr.optional().is_some(),
        format,
        wait: duration(options.text(Key::Wait), errors),
    })
}

/// A file of variables, which has one form.
fn dotenv(file: &Template, attr: &Layer<'_>, errors: &mut Errors) {
    if cfg!(not(feature = "dotenv")) {
        errors.at(attr.uri, feature_off("files of variables", "dotenv"));
    }
    if let Some(key) = attr.options.key(Key::Format) {
        errors.at(
            key,
            "a file of variables has one form, `NAME=value`, and every value is read by the type of its field; remove `format`",
        );
    }
    let written = file.as_literal().and_then(|text| Dotenv::parse(text).ok());
    let prefix = written.and_then(|file| file.prefix);
    if let Some(prefix) = prefix.filter(|one| !one.is_empty() && !one.ends_with('_')) {
        errors.at(
            attr.uri,
            format!("without a `_` at its end the prefix runs into the names of the variables, as in `{prefix}PORT`; write `prefix={prefix}_`"),
        );
    }
}

/// What somebody typed is above everything else, and there at once.
fn arguments(attr: &Layer<'_>, errors: &mut Errors) {
    if !attr.overrides() {
        errors.at(
            &attr.given.key,
            "what was typed at the start is above everything else; write `override = \"args\"`",
        );
    } else if let Some(key) = attr.optional() {
        let fix = match key == "optional" {
            true => "remove `optional`",
            false => "write `override`",
        };
        errors.at(
            key,
            format!("the arguments are always there: one that is not given sets nothing; {fix}"),
        );
    }
    if let Some(key) = attr.options.key(Key::Format) {
        errors.at(
            key,
            "arguments have no format: every one is read by the type of its field; remove `format`",
        );
    }
    if let Some(key) = attr.options.key(Key::Wait) {
        errors.at(key, "arguments never keep the start waiting; remove `wait`");
    }
}

/// Without a `_` at its end, the prefix runs into the names: `APP` and `PORT` are `APPPORT`.
fn separated(prefix: &Template, uri: &LitStr, errors: &mut Errors) {
    let Some(Part::Text(end)) = prefix.parts.last() else {
        return;
    };
    let end = end.split_once('?').map_or(end.as_str(), |(end, _)| end);
    if !end.is_empty() && !end.ends_with('_') {
        let written = uri.value();
        let (written, options) = match written.split_once('?') {
            Some((written, options)) => (written, format!("?{options}")),
            None => (written.as_str(), String::new()),
        };
        errors.at(
            uri,
            format!("without a `_` at its end the prefix runs into the names of the variables, as in `{end}PORT`; write `{written}_{options}`"),
        );
    }
}

/// A server whose client is compiled in, and a format that is.
fn remote(place: &Remote, attr: &Layer<'_>, errors: &mut Errors) {
    let name = place.scheme.as_str();
    let on = match place.scheme {
        Scheme::Redis => cfg!(feature = "redis"),
        Scheme::Consul => cfg!(feature = "consul"),
        Scheme::Https => cfg!(feature = "https"),
        Scheme::Dir => cfg!(feature = "file"),
        Scheme::Firestore => cfg!(feature = "firestore"),
        Scheme::K8s => cfg!(feature = "k8s"),
        Scheme::ZooKeeper => cfg!(feature = "zookeeper"),
        Scheme::Etcd => cfg!(feature = "etcd"),
        Scheme::Nats => cfg!(feature = "nats"),
        _ => {
            return errors.at(
                attr.uri,
                format!("this version of flux has no `{name}:` source"),
            );
        }
    };
    if !on {
        errors.at(attr.uri, feature_off(&format!("{name} sources"), name));
    }
    match (attr.options.key(Key::Format), place.get("format")) {
        (Some(key), Some(_)) => errors.at(
            key,
            "the format is named twice: here and in the URI; remove one",
        ),
        (None, _) => {
            if let Some(format) = place.format() {
                compiled_in(format, attr.uri, errors);
            }
        }
        (Some(_), None) => {}
    }
}

fn format_named(text: &LitStr, errors: &mut Errors) -> Option<Format> {
    let name = text.value();
    match Format::from_str(&name) {
        Ok(format) => compiled_in(format, text, errors),
        Err(_) => {
            let near = did_you_mean(&name, &Format::NAMES);
            errors.at(
                text,
                format!(
                    "`{name}` is not a format; the formats are `json`, `yaml`, `toml`, `jsonc` and `json5`{near}"
                ),
            );
            None
        }
    }
}

fn compiled_in(format: Format, at: &LitStr, errors: &mut Errors) -> Option<Format> {
    let (name, on) = match format {
        Format::Json => ("json", cfg!(feature = "json")),
        Format::Yaml => ("yaml", cfg!(feature = "yaml")),
        Format::Toml => ("toml", cfg!(feature = "toml")),
        Format::Jsonc => ("jsonc", cfg!(feature = "jsonc")),
        Format::Json5 => ("json5", cfg!(feature = "json5")),
    };
    if !on {
        errors.at(at, feature_off(&format!("{name} documents"), name));
    }
    on.then_some(format)
}

/// The format by the path's ending, which may be behind a variable but not in one.
fn inferred(path: &Template, attr: &Layer<'_>, errors: &mut Errors) -> Option<Format> {
    let known = match path.parts.last() {
        Some(Part::Text(text)) => Format::of_path(text),
        _ => None,
    };
    match known {
        Some(format) => compiled_in(format, attr.uri, errors),
        None => {
            let key = &attr.given.key;
            errors.at(
                attr.uri,
                format!(
                    "the format of `{uri}` is not known from its ending; name it: `{key}(\"{uri}\", format = \"yaml\")`",
                    uri = attr.uri.value()
                ),
            );
            None
        }
    }
}
