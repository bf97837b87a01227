//! By which format a layer's bytes are read, and what is done with keys that no field has.

#[cfg(feature = "dotenv")]
use super::variables;
use crate::document::tree::Tree;
use flux_syntax::Format;
use std::sync::Arc;

/// A format of your own.
///
/// A document that contains nothing (no text, only comments) is [`Tree::Null`]: it is refused where the layer is required. A map
/// without entries is a document. Lists and maps may be nested up to 128 deep.
///
/// ```
/// use flux::codec::{Codec, Tree};
/// /// One `key value` pair a line.
/// struct Words;
/// impl Codec for Words {
///     fn name(&self) -> &str {
///         "words"
///     }
///     fn decode(&self, text: &str) -> Result<Tree, String> {
///         let pair = |line: &str| {
///             let (key, value) = line.split_once(' ').ok_or("a line without a value")?;
///             Ok((key.to_owned(), Tree::Raw(value.to_owned())))
///         };
///         text.lines().map(pair).collect::<Result<_, _>>().map(Tree::Map)
///     }
/// }
/// ```
pub trait Codec: Send + Sync {
    /// What reports call the format.
    fn name(&self) -> &str;
    /// Reads a document.
    ///
    /// # Errors
    /// A sentence for the person who wrote the document; it must not quote values that may be secret.
    fn decode(&self, text: &str) -> Result<Tree, String>;
}

/// How a layer's bytes are read.
#[derive(Clone)]
pub(crate) enum Decoder {
    #[cfg(feature = "json")]
    Json,
    /// Without its comments and trailing commas it is decoded as JSON.
    #[cfg(feature = "jsonc")]
    Jsonc,
    /// Decoded from the document model.
    #[cfg(feature = "json5")]
    Json5,
    #[cfg(feature = "yaml")]
    Yaml,
    #[cfg(feature = "toml")]
    Toml,
    /// The format's cargo feature is off.
    Off(Format),
    Custom(Arc<dyn Codec>),
    #[cfg(feature = "dotenv")]
    /// A file of variables.
    Variables(Arc<dyn variables::VariableText>),
}

impl Decoder {
    /// The decoder of a format, where its cargo feature is on.
    pub(crate) fn enabled(format: Format) -> Option<Self> {
        match Decoder::from(format) {
            Decoder::Off(_) => None,
            decoder => Some(decoder),
        }
    }
}

impl From<Format> for Decoder {
    fn from(format: Format) -> Self {
        match format {
            #[cfg(feature = "json")]
            Format::Json => Decoder::Json,
            #[cfg(feature = "jsonc")]
            Format::Jsonc => Decoder::Jsonc,
            #[cfg(feature = "json5")]
            Format::Json5 => Decoder::Json5,
            #[cfg(feature = "yaml")]
            Format::Yaml => Decoder::Yaml,
            #[cfg(feature = "toml")]
            Format::Toml => Decoder::Toml,
            #[allow(unreachable_patterns)]
            format => Decoder::Off(format),
        }
    }
}

/// What is done with keys that no field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unknown {
    /// They are reported in a warning.
    #[default]
    Warn,
    /// They refuse the document.
    Deny,
    /// They are passed over.
    Ignore,
}
