//! What is reported of a document that is no document of its format, or is nested too deep.

use crate::problem::without_position;
use std::fmt;

/// How deep a custom codec's lists and maps may be nested: as deep as YAML's.
pub(crate) const MAX_DEPTH: usize = 128;

/// What is reported of a document that is deeper.
pub(crate) const TOO_DEEP: &str = "lists and maps are nested more than 128 deep";

/// What is reported of a document of JSON that goes on after its value.
const TRAILING: &str =
    "the document ends before this; remove what follows, or what ends it too early";

/// The same of a document of JSON, whose decoder refuses the last level.
#[cfg(feature = "json")]
pub(super) const JSON_TOO_DEEP: &str = "lists and maps are nested more than 127 deep";

/// What a format's own decoder reports of a document, and where.
#[derive(Clone)]
pub(crate) struct Syntax {
    pub(crate) message: String,
    pub(crate) at: Option<(usize, usize)>,
    /// The message may quote the document.
    pub(crate) quotes: bool,
    /// The document is larger or deeper than any may be.
    pub(crate) too_much: bool,
}

impl Syntax {
    pub(super) fn new(
        message: &dyn fmt::Display,
        at: Option<(usize, usize)>,
        quotes: bool,
    ) -> Self {
        let text = message.to_string();
        let known = match without_position(&text) {
            "recursion limit exceeded" | TOO_DEEP => Some(TOO_DEEP),
            "recursion limit" | "cannot recurse further; max recursion depth met" => {
                Some("a value is nested more than 80 deep, or a key has more than 80 parts")
            }
            "repetition limit exceeded" => Some("its aliases repeat too much"),
            "trailing characters" => Some(TRAILING),
            _ => None,
        };
        Syntax {
            message: known.unwrap_or(without_position(&text)).to_owned(),
            at,
            quotes: quotes && known.is_none(),
            too_much: known.is_some() && known != Some(TRAILING),
        }
    }
}
