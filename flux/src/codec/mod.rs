//! How bytes become a typed layer: straight from the format on the good path, through a document only to find what is wrong; which
//! document counts as empty.

#[cfg(feature = "yaml")]
mod bounds;
mod closer_look;
pub(crate) mod default_text;
mod every_part;
#[cfg(any(feature = "toml", feature = "yaml"))]
mod exact;
mod fast;
mod lazy_model;
mod opened;
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

pub(crate) use fast::fast;
use fast::{as_written, custom};
pub(crate) use lazy_model::LazyModel;
#[cfg(feature = "figment")]
pub(crate) use slow::WITHHELD;
pub(crate) use slow::{decode_tree, dialect};
pub(crate) use syntax::{MAX_DEPTH, Syntax, TOO_DEEP};
pub(crate) use values::values;

use crate::{
    document::{Dialect, tree::Tree as Document},
    layer::{
        Config,
        decode::{Section, take_empty_flag, take_unknown_flag},
    },
    problem::{Flaw, ProblemKind, What},
};
use flux_syntax::Format;
use std::sync::Arc;

/// A document of a format of your own, as a tree.
pub use crate::document::tree::Tree;

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

/// A decoded document.
pub(crate) struct Decoded<L> {
    pub(crate) layer: L,
    pub(crate) warnings: Vec<Found>,
    /// Entries of maps that are null where null is no value: they take those of the layers below away, or nothing.
    pub(crate) emptied: Vec<Found>,
    /// There is nothing in it: no text, only comments, or null.
    pub(crate) empty: bool,
}

/// Why a document is refused, and what of it could be read.
pub(crate) struct Failed<L> {
    pub(crate) found: Vec<Found>,
    pub(crate) partial: Option<L>,
}

/// A problem and its line and column, counted from 1.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) problem: Flaw,
    pub(crate) at: Option<(usize, usize)>,
    /// It refuses nothing by itself.
    pub(crate) is_warning: bool,
}

impl Found {
    fn more(text: String) -> Self {
        let (path, what) = (Vec::new(), What::plain(ProblemKind::More, text));
        Found {
            problem: Flaw { path, what },
            at: None,
            is_warning: false,
        }
    }

    fn whole(text: impl Into<String>, at: Option<(usize, usize)>) -> Self {
        let what = What::Plain(text.into());
        let path = Vec::new();
        Found {
            problem: Flaw { path, what },
            at,
            is_warning: false,
        }
    }
}

/// The text of a document, without a byte order mark.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Found> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = good.iter().filter(|b| **b == b'\n').count() + 1;
            let start = good
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let text = format!(
                "is not UTF-8: the byte 0x{byte:02x} at offset {}",
                error.valid_up_to()
            );
            Err(Found::whole(text, Some((line, column))))
        }
    }
}

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
    take_unknown_flag();
    take_empty_flag();
    let model = LazyModel::new(decoder, text);
    let layer = match fast::<Option<Section<C::Layer>>>(&model) {
        Ok(Some(section)) if !is_without_content(decoder, text) => section.0,
        Ok(_) => return Ok(nothing()),
        Err(first) => {
            let mut partial = slow::PartialLayer::new();
            let fields = C::fields();
            let found = slow::problems(fields, &model, first, unknown, &mut partial);
            return Err(Failed {
                found,
                partial: partial.layer,
            });
        }
    };
    let closer = match take_unknown_flag() {
        true => closer_look::look_closer(C::fields(), &model, unknown),
        false => closer_look::Closer::default(),
    };
    let emptied = match take_empty_flag() && !closer.refuses {
        true => slow::emptied(
            C::fields(),
            &model,
            &mut slow::PartialLayer::<C::Layer>::new(),
        ),
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

/// A TOML document of comments only, and a YAML document of tags and anchors only, is an empty map to its decoder. Ends at the first
/// word that has a meaning.
pub(crate) fn is_without_content(decoder: &Decoder, text: &str) -> bool {
    match decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => text.lines().all(|line| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with('#')
        }),
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
pub(crate) fn tree(decoder: &Decoder, text: &str) -> Result<Document, Syntax> {
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
