//! The options of the struct.

use super::{
    Once, deserialize_half, each_option, flag, function, ignore, options, pipeline::Pipeline, text,
    unknown, value,
};
use crate::errors::Errors;
use syn::{Attribute, Expr, Ident, LitStr, Path, Token, parse::ParseStream, token};

pub(super) const KNOWN: [&str; 28] = [
    "source",
    "override",
    "debounce",
    "max_wait",
    "startup_timeout",
    "resync",
    "unknown",
    "name",
    "validate",
    "history",
    "generations",
    "probation",
    "health_check",
    "on_stop",
    "last_known_good",
    "retry",
    "timeout",
    "circuit_breaker",
    "rate_limit",
    "fallback",
    "error_handler",
    "filter",
    "transform",
    "apply",
    "effect",
    "mutate",
    "enrich",
    "on_apply",
];

/// What the struct's attributes say.
#[derive(Default)]
pub(crate) struct ContainerAttrs {
    /// A `source` or `override` was written, right or wrong.
    pub(crate) wants_source: bool,
    /// In the order written.
    pub(crate) sources: Vec<SourceAttr>,
    pub(crate) debounce: Once<LitStr>,
    pub(crate) max_wait: Once<LitStr>,
    pub(crate) startup_timeout: Once<LitStr>,
    pub(crate) resync: Once<LitStr>,
    pub(crate) unknown: Once<LitStr>,
    pub(crate) name: Once<LitStr>,
    pub(crate) history: Once<Expr>,
    pub(crate) generations: Once<Expr>,
    pub(crate) probation: Once<LitStr>,
    pub(crate) health_check: Once<Path>,
    pub(crate) on_stop: Once<Path>,
    pub(crate) last_known_good: Once<LastKnownGoodAttr>,
    pub(crate) pipeline: Pipeline,
    pub(crate) validate: Once<Path>,
    pub(crate) rename_all: Once<LitStr>,
    /// Where missing fields are taken from: the function, or `Default::default`.
    pub(crate) default: Once<Option<Path>>,
    pub(crate) deny_unknown_fields: Once<()>,
}

/// One `source` or `override`.
pub(crate) struct SourceAttr {
    pub(crate) overrides: bool,
    pub(crate) uri: LitStr,
    pub(crate) optional: Once<()>,
    pub(crate) format: Once<LitStr>,
    pub(crate) wait: Once<LitStr>,
}

/// `last_known_good = "PATH"`, or `last_known_good("PATH", secrets = "omit")`
pub(crate) struct LastKnownGoodAttr {
    pub(crate) path: LitStr,
    pub(crate) secrets: Once<LitStr>,
}

impl ContainerAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut all = ContainerAttrs::default();
        for attr in attrs {
            if attr.path().is_ident("flux") {
                each_option(attr, errors, |key, input, errors| {
                    all.flux(key, input, errors)
                });
            } else if attr.path().is_ident("serde") {
                each_option(attr, errors, |key, input, errors| {
                    all.serde(key, input, errors)
                });
            }
        }
        all
    }

    fn flux(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "source" | "override" => {
                self.wants_source = true;
                self.sources.push(source(key, input, errors)?);
            }
            "debounce" => self
                .debounce
                .set(key, text(key, input, "\"100ms\"")?, errors),
            "max_wait" => self.max_wait.set(key, text(key, input, "\"2s\"")?, errors),
            "startup_timeout" => {
                let value = text(key, input, "\"10s\"")?;
                self.startup_timeout.set(key, value, errors);
            }
            "resync" => self.resync.set(key, text(key, input, "\"5m\"")?, errors),
            "unknown" => self.unknown.set(key, text(key, input, "\"warn\"")?, errors),
            "name" => self.name.set(key, text(key, input, "\"..\"")?, errors),
            "validate" => self.validate.set(key, function(key, input)?, errors),
            "history" => self.history.set(key, value(key, input, "10")?, errors),
            "generations" => self.generations.set(key, value(key, input, "5")?, errors),
            "probation" => self
                .probation
                .set(key, text(key, input, "\"30s\"")?, errors),
            "health_check" => self.health_check.set(key, function(key, input)?, errors),
            "on_stop" => self.on_stop.set(key, function(key, input)?, errors),
            "last_known_good" => {
                let kept = last_known_good(key, input, errors)?;
                self.last_known_good.set(key, kept, errors);
            }
            _ if self.pipeline.option(key, input, errors)? => {}
            _ => {
                return Err(unknown(
                    key,
                    "a struct",
                    &KNOWN,
                    &super::field::KNOWN,
                    "a field",
                ));
            }
        }
        Ok(())
    }

    fn serde(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "rename_all" => {
                if let Some(case) = deserialize_half(key, input, errors)? {
                    self.rename_all.set(key, case, errors);
                }
                Ok(())
            }
            "default" => {
                let path = match input.peek(Token![=]) {
                    true => Some(function(key, input)?),
                    false => flag(key, input).map(|()| None)?,
                };
                self.default.set(key, path, errors);
                Ok(())
            }
            "deny_unknown_fields" => {
                flag(key, input)?;
                self.deny_unknown_fields.set(key, (), errors);
                Ok(())
            }
            "rename" | "rename_all_fields" | "bound" | "crate" | "expecting" | "into" => {
                ignore(input)
            }
            word => Err(refused(key, word)),
        }
    }
}

/// What cannot keep paths or partial layers, each with the way to do it.
fn refused(key: &Ident, word: &str) -> syn::Error {
    let way = match word {
        "tag" | "untagged" | "content" => {
            "an alternative cannot be filled layer by layer: make it an enum of its own with `#[derive(Deserialize)]` and put it in a field"
        }
        "from" | "try_from" => {
            "layers are decoded field by field: derive `Flux` on the struct it is made from, and convert where you read it; for checks use `#[flux(validate = path)]`"
        }
        "transparent" => {
            "a config needs keys: use the inner type as the field, with its rules as `#[flux(..)]` options"
        }
        "remote" => "derive `Flux` on a struct of your own, and convert where you read it",
        "variant_identifier" | "field_identifier" => "these are for enums; a config is a struct",
        _ => {
            const SERDE: [&str; 4] = ["rename_all", "default", "deny_unknown_fields", "rename"];
            return unknown(key, "serde on a struct", &SERDE, &[], "");
        }
    };
    syn::Error::new_spanned(key, format!("Flux cannot honour serde's `{word}`: {way}"))
}

fn source(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<SourceAttr> {
    let overrides = key == "override";
    let (mut optional, mut format, mut wait) = (Once::default(), Once::default(), Once::default());
    let example = if overrides {
        "\"env:APP_\""
    } else {
        "\"file:app.yaml\""
    };
    let long = format!("begins with the URI: `{key}(\"file:app.yaml\", optional)`");
    let uri = literal_first(key, input, example, &long, errors, |word, input, errors| {
        match word.to_string().as_str() {
            "optional" => {
                flag(word, input)?;
                optional.set(word, (), errors);
            }
            "format" => format.set(word, text(word, input, "\"yaml\"")?, errors),
            "wait" => wait.set(word, text(word, input, "\"5s\"")?, errors),
            _ => {
                return Err(unknown(
                    word,
                    "a source",
                    &["optional", "format", "wait"],
                    &KNOWN,
                    "the struct",
                ));
            }
        }
        Ok(())
    })?;
    Ok(SourceAttr {
        overrides,
        uri,
        optional,
        format,
        wait,
    })
}

fn last_known_good(
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<LastKnownGoodAttr> {
    let mut secrets = Once::default();
    let example = "\"/var/lib/app/config.json\"";
    let long = format!("begins with the path: `{key}({example}, secrets = \"omit\")`");
    let path = literal_first(key, input, example, &long, errors, |word, input, errors| {
        if word != "secrets" {
            return Err(unknown(
                word,
                "`last_known_good`",
                &["secrets"],
                &KNOWN,
                "the struct",
            ));
        }
        secrets.set(word, text(word, input, "\"omit\"")?, errors);
        Ok(())
    })?;
    Ok(LastKnownGoodAttr { path, secrets })
}

/// `key = "literal"`, or `key("literal", options ..)`
fn literal_first(
    key: &Ident,
    input: ParseStream<'_>,
    example: &str,
    long: &str,
    errors: &mut Errors,
    option: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<LitStr> {
    if !input.peek(token::Paren) {
        return text(key, input, example);
    }
    let content;
    syn::parenthesized!(content in input);
    if !content.peek(syn::LitStr) {
        // What is not read would be an error of its own.
        content.parse::<proc_macro2::TokenStream>()?;
        return Err(syn::Error::new_spanned(key, format!("`{key}(..)` {long}")));
    }
    let literal = content.parse()?;
    if !content.is_empty() {
        content.parse::<Token![,]>()?;
    }
    options(&content, errors, option)?;
    Ok(literal)
}
