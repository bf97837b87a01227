//! The decoding of the good path: in one pass, straight from the format.

#[cfg(any(feature = "toml", feature = "yaml"))]
use super::exact::{self, Exact};
#[cfg(any(feature = "json", feature = "toml"))]
use super::position;
#[cfg(feature = "json")]
use super::syntax::JSON_TOO_DEEP;
use super::{Codec, Decoder, LazyModel, MAX_DEPTH, Syntax, TOO_DEEP};
#[cfg(feature = "yaml")]
use super::{bounds, yaml};
#[cfg(feature = "jsonc")]
use crate::document::blanked;
#[cfg(feature = "yaml")]
use crate::document::tags;
#[cfg(feature = "json5")]
use crate::document::{Document, NodeDecoder};
#[cfg(any(feature = "jsonc", feature = "json5"))]
use crate::document::{JsonRefusal, Lines};
use crate::document::{TreeDecoder, tree::Tree};
use serde::de::DeserializeSeed;
#[cfg(feature = "json5")]
use std::collections::HashMap;

/// Straight from the format. A document of YAML that is decoded from the model leaves its nodes there.
pub(crate) fn fast<T: serde::de::DeserializeOwned>(model: &LazyModel<'_, '_>) -> Result<T, Syntax> {
    let (decoder, text) = (model.decoder, model.text);
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => serde_json::from_str(text).map_err(|error| json_error(text, &error)),
        #[cfg(feature = "jsonc")]
        Decoder::Jsonc => {
            let blanked = blanked(text).map_err(|refusal| refused(text, &refusal))?;
            serde_json::from_str(&blanked.json).map_err(|error| json_error(text, &error))
        }
        #[cfg(feature = "json5")]
        Decoder::Json5 => json5(model),
        #[cfg(feature = "yaml")]
        Decoder::Yaml => {
            let signs = bounds::check(text)?;
            if signs.has_rare() && yaml::needs_model(text) {
                return yaml::decode(model, false);
            }
            let document = serde_yaml::Deserializer::from_str(text);
            T::deserialize(Exact::<_, exact::Yaml>::new(document)).or_else(|error| {
                if yaml::wants_a_tag(&error) {
                    return yaml::decode(model, false);
                }
                // The decoder may fail before the parser does. What the parser itself reports quotes nothing; it alone runs
                // where everything is passed over.
                let passed = serde_yaml::from_str::<serde::de::IgnoredAny>(text).err();
                let quotes = passed.is_none();
                let error = passed.unwrap_or(error);
                Err(yaml::failure(text, &error, quotes))
            })
        }
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let document = ::toml::Deserializer::parse(text)
                .map_err(|error| toml_error(text, &error, false))?;
            T::deserialize(Exact::<_, exact::Toml>::new(document))
                .map_err(|error| toml_error(text, &error, true))
        }
        #[cfg(feature = "dotenv")]
        Decoder::Variables(reader) => model.variables(&**reader).decode(),
        Decoder::Off(format) => Err(Syntax::new(
            &format_args!("is {format}, which needs the cargo feature `{format}` of flux"),
            None,
            false,
        )),
        Decoder::Custom(codec) => T::deserialize(TreeDecoder(&custom(&**codec, text)?))
            .map_err(|error| Syntax::new(&error, None, true)),
    }
}

/// A part of a document, straight from the format; none where it cannot be read so.
pub(crate) fn fast_part<S>(model: &LazyModel<'_, '_>, part: S) -> Option<Tree>
where
    S: for<'de> DeserializeSeed<'de, Value = Tree>,
{
    let text = model.text;
    match model.decoder {
        #[cfg(feature = "json")]
        Decoder::Json => {
            let mut document = serde_json::Deserializer::from_str(text);
            let read = part.deserialize(&mut document).ok()?;
            document.end().ok().map(|()| read)
        }
        #[cfg(feature = "yaml")]
        Decoder::Yaml => {
            let signs = bounds::check(text).ok()?;
            if signs.has_rare() && yaml::needs_model(text) {
                return None;
            }
            let document = serde_yaml::Deserializer::from_str(text);
            part.deserialize(Exact::<_, exact::Yaml>::new(document))
                .ok()
        }
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let document = ::toml::Deserializer::parse(text).ok()?;
            part.deserialize(Exact::<_, exact::Toml>::new(document))
                .ok()
        }
        // With no format neither has a use.
        _ => {
            let _ = (text, part);
            None
        }
    }
}

/// The place is that of the text, whose bytes the decoder had.
#[cfg(feature = "json")]
fn json_error(text: &str, error: &serde_json::Error) -> Syntax {
    let at = position::in_characters(text, error.line(), error.column());
    let mut syntax = Syntax::new(error, Some(at), error.is_data());
    if syntax.message == TOO_DEEP {
        syntax.message = JSON_TOO_DEEP.to_owned();
    }
    syntax
}

/// Decodes JSON5 by way of the model.
#[cfg(feature = "json5")]
fn json5<T: serde::de::DeserializeOwned>(model: &LazyModel<'_, '_>) -> Result<T, Syntax> {
    let Ok(document) = model.placed() else {
        let refusal = Document::json5_refusal(model.text);
        return Err(refusal.map_or_else(
            || Syntax::new(&"cannot be read a second time", None, false),
            |refusal| refused(model.text, &refusal),
        ));
    };
    let (parts, left) = (HashMap::new(), NodeDecoder::budget(document));
    T::deserialize(NodeDecoder::new(document, &parts, &left))
        .map_err(|error| Syntax::new(&error, None, true))
}

#[cfg(any(feature = "jsonc", feature = "json5"))]
fn refused(text: &str, refusal: &JsonRefusal) -> Syntax {
    if refusal.too_deep {
        return Syntax::new(&TOO_DEEP, None, false);
    }
    let at = Lines::of(text).place(text, refusal.at);
    Syntax::new(&refusal.message, Some(at), refusal.quotes)
}

/// toml's own `Display` prints the document; only the sentence and the place are taken.
#[cfg(feature = "toml")]
fn toml_error(text: &str, error: &::toml::de::Error, quotes: bool) -> Syntax {
    let at = error
        .span()
        .map(|span| position::line_and_column(text, span.start));
    Syntax::new(&error.message(), at, quotes)
}

/// For a type that takes any document: dates of TOML are the maps that its decoder makes of them, and tags of YAML are variants.
pub(crate) fn as_written<T: serde::de::DeserializeOwned>(
    model: &LazyModel<'_, '_>,
) -> Result<T, Syntax> {
    match model.decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let text = model.text;
            let document = ::toml::Deserializer::parse(text)
                .map_err(|error| toml_error(text, &error, false))?;
            T::deserialize(document).map_err(|error| toml_error(text, &error, true))
        }
        #[cfg(feature = "yaml")]
        Decoder::Yaml if tags::may_be_in(model.text) => {
            bounds::check(model.text)?;
            yaml::decode(model, true)
        }
        _ => fast(model),
    }
}

/// The tree of a document in a format of the user's own.
pub(super) fn custom(codec: &dyn Codec, text: &str) -> Result<Tree, Syntax> {
    let tree = codec.decode(text).map_err(|error| {
        let sentence = format!("is not valid {}: {error}", codec.name());
        Syntax::new(&sentence, None, true)
    })?;
    if tree.is_deeper_than(MAX_DEPTH) {
        return Err(Syntax::new(&TOO_DEEP, None, false));
    }
    Ok(tree)
}
