//! The struct's sources and options.

use super::{pipeline, safety};
use crate::{
    attr::{ContainerAttrs, SourceAttr},
    errors::{Errors, did_you_mean},
    model::{Root, Source, SourcePlace},
};
use flux_syntax::{Format, Part, Remote, Scheme, Template, Uri};
use std::{ops::Range, str::FromStr, time::Duration};
use syn::LitStr;

/// The sources and options; none for a section.
pub(super) fn root(attrs: &ContainerAttrs, errors: &mut Errors) -> Option<Root> {
    if !attrs.wants_source {
        section(attrs, errors);
    }
    let sources = attrs
        .sources
        .iter()
        .filter_map(|one| source(one, errors))
        .collect();
    let debounce = duration(attrs.debounce.get(), errors);
    let root = Root {
        sources,
        debounce,
        max_wait: safety::max_wait(attrs, debounce, errors),
        startup_timeout: duration(attrs.startup_timeout.get(), errors),
        resync: duration(attrs.resync.get(), errors),
        unknown: unknown(attrs, errors),
        name: attrs.name.get().map(LitStr::value),
        history: safety::history(attrs, errors),
        generations: safety::generations(attrs, errors),
        probation: safety::probation(attrs, errors),
        health_check: attrs.health_check.get().cloned(),
        on_stop: attrs.on_stop.get().cloned(),
        last_known_good: safety::last_known_good(attrs, errors),
        pipeline: pipeline::steps(&attrs.pipeline.0, errors),
    };
    attrs.wants_source.then_some(root)
}

/// What belongs to the watching of sources has no meaning on a struct that has none.
fn section(attrs: &ContainerAttrs, errors: &mut Errors) {
    let options = [
        attrs.debounce.key(),
        attrs.max_wait.key(),
        attrs.startup_timeout.key(),
        attrs.resync.key(),
        attrs.unknown.key(),
        attrs.name.key(),
        attrs.history.key(),
        attrs.generations.key(),
        attrs.probation.key(),
        attrs.health_check.key(),
        attrs.on_stop.key(),
        attrs.last_known_good.key(),
    ];
    let steps = attrs.pipeline.0.iter().map(|step| &step.key);
    for key in options.into_iter().flatten().chain(steps) {
        errors.at(
            key,
            format!("a section has no `{key}`: it belongs to the struct with the sources; move it there, or give this struct a `source`"),
        );
    }
}

/// A text that is a duration.
pub(super) fn duration(text: Option<&LitStr>, errors: &mut Errors) -> Option<Duration> {
    let text = text?;
    match flux_syntax::parse_duration(&text.value()) {
        Ok(duration) => Some(duration),
        Err(_) => {
            errors.at(
                text,
                format!("`{}` is not a duration; write a number and a unit, as in `100ms`, `30s` or `1h30m`", text.value()),
            );
            None
        }
    }
}

fn unknown(attrs: &ContainerAttrs, errors: &mut Errors) -> Option<&'static str> {
    let Some(text) = attrs.unknown.get() else {
        return attrs.deny_unknown_fields.is_set().then_some("Deny");
    };
    match text.value().as_str() {
        "warn" => Some("Warn"),
        "deny" => Some("Deny"),
        "ignore" => Some("Ignore"),
        other => {
            let near = did_you_mean(other, &["warn", "deny", "ignore"]);
            errors.at(
                text,
                format!("`unknown` is `\"warn\"`, `\"deny\"` or `\"ignore\"`, not `{other}`{near}"),
            );
            None
        }
    }
}

/// The part of a literal's text as a place in the source: stable compilers give the whole literal.
pub(super) fn part_of(literal: &LitStr, span: Range<usize>) -> proc_macro2::Span {
    let token = literal.token();
    // Only a plain literal without escapes has its text right behind the quote.
    let plain = token.to_string() == format!("\"{}\"", literal.value());
    let part = plain.then(|| token.subspan(span.start + 1..span.end + 1));
    part.flatten().unwrap_or_else(|| literal.span())
}

fn source(attr: &SourceAttr, errors: &mut Errors) -> Option<Source> {
    let format = attr
        .format
        .get()
        .and_then(|text| format_named(text, errors));
    let uri = match flux_syntax::parse_uri(&attr.uri.value()) {
        Ok(uri) => uri,
        Err(error) => {
            errors.push(syn::Error::new(
                part_of(&attr.uri, error.span),
                error.message,
            ));
            return None;
        }
    };
    let (place, format) = match uri {
        Uri::File { path } => {
            if cfg!(not(feature = "file")) {
                errors.at(&attr.uri, off("file sources", "file"));
            }
            let format = match attr.format.is_set() {
                true => format,
                false => inferred(&path, attr, errors),
            };
            (SourcePlace::File(path), format)
        }
        Uri::Env { prefix } => {
            if let Some(key) = attr.format.key() {
                errors.at(key, "the environment has no format: every variable is read by the type of its field; remove `format`");
            }
            if let Some(key) = attr.optional.key() {
                errors.at(key, "the environment is always there: a variable that is not set says nothing; remove `optional`");
            }
            if let Some(key) = attr.wait.key() {
                errors.at(
                    key,
                    "the environment never keeps the start waiting; remove `wait`",
                );
            }
            (SourcePlace::Env(prefix), None)
        }
        Uri::Remote(place) => {
            remote(&place, attr, errors);
            (SourcePlace::Remote(place), format)
        }
        Uri::Whole(uri) => (SourcePlace::Uri(uri), format),
        _ => {
            errors.at(&attr.uri, "`flux` and `flux-derive` differ in version, and this source is new to the macro; use the same version of both");
            return None;
        }
    };
    Some(Source {
        overrides: attr.overrides,
        place,
        optional: attr.optional.is_set(),
        format,
        wait: duration(attr.wait.get(), errors),
    })
}

/// A server whose client is compiled in, and a format that is.
fn remote(place: &Remote, attr: &SourceAttr, errors: &mut Errors) {
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
                &attr.uri,
                format!("this version of flux has no `{name}:` source"),
            );
        }
    };
    if !on {
        errors.at(&attr.uri, off(&format!("{name} sources"), name));
    }
    match (attr.format.key(), place.get("format")) {
        (Some(key), Some(_)) => errors.at(
            key,
            "the format is named twice: here and in the URI; remove one",
        ),
        (None, _) => {
            if let Some(format) = place.format() {
                compiled_in(format, &attr.uri, errors);
            }
        }
        (Some(_), None) => {}
    }
}

fn off(what: &str, feature: &str) -> String {
    format!(
        "{what} need the feature `{feature}` of `flux`: add it in Cargo.toml, `flux = {{ .., features = [\"{feature}\"] }}`"
    )
}

/// The message for a feature of `flux` that is not enabled.
pub(super) fn feature_off(what: &str, feature: &str) -> String {
    off(what, feature)
}

fn format_named(text: &LitStr, errors: &mut Errors) -> Option<Format> {
    let name = text.value();
    match Format::from_str(&name) {
        Ok(format) => compiled_in(format, text, errors),
        Err(_) => {
            let near = did_you_mean(&name, &["json", "yaml", "toml"]);
            errors.at(
                text,
                format!(
                    "`{name}` is not a format; the formats are `json`, `yaml` and `toml`{near}"
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
    };
    if !on {
        errors.at(at, off(&format!("{name} documents"), name));
    }
    on.then_some(format)
}

/// The format by the path's ending, which may stand behind a variable but not in one.
fn inferred(path: &Template, attr: &SourceAttr, errors: &mut Errors) -> Option<Format> {
    let known = match path.parts.last() {
        Some(Part::Text(text)) => Format::of_path(text),
        _ => None,
    };
    match known {
        Some(format) => compiled_in(format, &attr.uri, errors),
        None => {
            let key = if attr.overrides { "override" } else { "source" };
            errors.at(
                &attr.uri,
                format!(
                    "the format of `{uri}` cannot be told by its ending; name it: `{key}(\"{uri}\", format = \"yaml\")`",
                    uri = attr.uri.value()
                ),
            );
            None
        }
    }
}
