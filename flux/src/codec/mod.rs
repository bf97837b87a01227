//! How bytes become a typed layer: straight from the format on the good path, through a document only to find what is wrong; which
//! document counts as empty.

mod alike_keys;
mod as_written;
#[cfg(feature = "yaml")]
mod bounds;
mod closer_look;
#[cfg(all(test, feature = "derive", feature = "jsonc", feature = "json5"))]
#[allow(clippy::unwrap_used)]
mod commented;
mod decoder;
pub(crate) mod default_text;
mod emptied;
mod every_part;
#[cfg(any(feature = "toml", feature = "yaml"))]
mod exact;
mod fast;
mod found;
mod item_rules;
mod lazy_model;
mod opened;
mod partial_layer;
#[cfg(any(feature = "json", feature = "toml"))]
mod position;
mod slow;
mod syntax;
#[cfg(all(test, feature = "json", feature = "toml", feature = "yaml"))]
mod tests;
mod values;
#[cfg(feature = "dotenv")]
pub(crate) mod variables;
mod walk;
#[cfg(feature = "yaml")]
mod yaml;

pub(crate) use decoder::Decoder;
pub use decoder::{Codec, Unknown};
use fast::custom;
pub(crate) use fast::{as_written, fast, fast_part};
pub(crate) use found::{Decoded, Failed, Found, text_of};
pub(crate) use lazy_model::LazyModel;
use partial_layer::PartialLayer;
#[cfg(feature = "figment")]
pub(crate) use slow::WITHHELD;
pub(crate) use slow::{decode_tree, dialect};
pub(crate) use syntax::{MAX_DEPTH, Syntax, TOO_DEEP};
pub(crate) use values::values;

use crate::{
    document::Dialect,
    layer::{
        Config,
        decode::{Section, take_empty_flag},
        seen_keys::take_seen_keys,
    },
};

/// A document of a format of your own, as a tree.
pub use crate::document::tree::Tree;

/// Decodes a document into a layer.
pub(crate) fn decode<C: Config>(
    decoder: &Decoder,
    bytes: &[u8],
    unknown: Unknown,
) -> Result<Decoded<C::Layer>, Failed<C::Layer>> {
    let text = text_of(bytes).map_err(|found| Failed {
        found: vec![found],
        partial: None,
    })?;
    if text.trim().is_empty() {
        return Ok(nothing());
    }
    take_seen_keys();
    take_empty_flag();
    let model = LazyModel::new(decoder, text);
    let layer = match fast::<Option<Section<C::Layer>>>(&model) {
        Ok(Some(section)) if !is_without_content(decoder, text) => section.0,
        Ok(_) => return Ok(nothing()),
        // A tag alone has no value that it could fit.
        Err(_) if is_without_content(decoder, text) && model.is_of_nothing() => {
            return Ok(nothing());
        }
        Err(first) => {
            let mut partial = PartialLayer::<C>::new();
            let fields = C::fields();
            let found = slow::problems(fields, &model, first, unknown, &mut partial);
            return Err(Failed {
                found,
                partial: partial.layer,
            });
        }
    };
    let seen = take_seen_keys();
    let closer = match seen.any() {
        true => closer_look::look_closer(C::fields(), &model, unknown, seen),
        false => closer_look::Closer::default(),
    };
    let emptied = match take_empty_flag() && !closer.refuses {
        true => emptied::emptied(C::fields(), &model, &mut PartialLayer::<C>::new()),
        false => Vec::new(),
    };
    match closer.refuses {
        true => Err(Failed {
            found: closer.found,
            partial: Some(layer),
        }),
        false => Ok(Decoded {
            layer,
            warnings: closer.found,
            emptied,
            empty: false,
        }),
    }
}

/// A document of comments only contains nothing. To its decoder a TOML document of them, and a YAML document of tags and anchors only,
/// is an empty map. Ends at the first word that has a meaning.
pub(crate) fn is_without_content(decoder: &Decoder, text: &str) -> bool {
    match decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => text.lines().all(|line| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with('#')
        }),
        #[cfg(feature = "jsonc")]
        Decoder::Jsonc => crate::document::is_comments_alone(text),
        #[cfg(feature = "json5")]
        Decoder::Json5 => crate::document::is_comments_alone(text),
        #[cfg(feature = "yaml")]
        Decoder::Yaml => text.lines().all(|line| {
            let mut words = line
                .split_whitespace()
                .take_while(|word| !word.starts_with('#'));
            line.starts_with('%')
                || words.all(|word| word.starts_with(['!', '&']) || ["---", "..."].contains(&word))
        }),
        #[cfg(feature = "dotenv")]
        Decoder::Variables(_) => variables::is_without_content(text),
        _ => {
            let _ = text;
            false
        }
    }
}

/// The dialect of a document that can be read with its spans by no code of the program, and with no more time and memory than others.
pub(crate) fn bounded_dialect(decoder: &Decoder, text: &str) -> Option<Dialect> {
    let dialect = dialect(decoder)?;
    #[cfg(feature = "yaml")]
    if dialect == Dialect::Yaml {
        bounds::check(text).ok()?;
    }
    let _ = text;
    Some(dialect)
}

/// Whether places are known of a document of this kind, unless its text cannot be followed.
pub(crate) fn may_have_places(decoder: &Decoder) -> bool {
    #[cfg(feature = "dotenv")]
    if let Decoder::Variables(_) = decoder {
        return true;
    }
    dialect(decoder).is_some()
}

fn nothing<L: Default>() -> Decoded<L> {
    Decoded {
        layer: L::default(),
        warnings: Vec::new(),
        emptied: Vec::new(),
        empty: true,
    }
}

/// The document as a tree.
pub(crate) fn tree(decoder: &Decoder, text: &str) -> Result<Tree, Syntax> {
    LazyModel::new(decoder, text).tree()
}

/// Whether items of a list may be in a map, by their numbers.
#[cfg_attr(
    not(feature = "json"),
    allow(dead_code, reason = "for what is kept on disk")
)]
pub(crate) fn numbers_items(decoder: &Decoder) -> bool {
    match decoder {
        #[cfg(feature = "dotenv")]
        Decoder::Variables(_) => true,
        _ => false,
    }
}

/// Whether a plain number is also a legal string.
#[cfg_attr(
    not(any(feature = "json", feature = "figment")),
    allow(dead_code, reason = "for what is kept on disk")
)]
pub(crate) fn plain_scalars(decoder: &Decoder) -> bool {
    match decoder {
        #[cfg(feature = "yaml")]
        Decoder::Yaml => true,
        _ => false,
    }
}
