//! What decoding a document gives: the layer and what was found beside it, or why it is refused.

use crate::problem::{Flaw, ProblemKind, What};

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
    pub(super) fn more(text: String) -> Self {
        let (path, what) = (Vec::new(), What::plain(ProblemKind::More, text));
        Found {
            problem: Flaw { path, what },
            at: None,
            is_warning: false,
        }
    }

    pub(super) fn whole(text: impl Into<String>, at: Option<(usize, usize)>) -> Self {
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
