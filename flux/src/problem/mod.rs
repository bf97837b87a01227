//! The words that everything else uses: paths, problems, and how both are collected.

mod collect;
pub(crate) mod collect_errors;
mod diff;
mod panic;
mod path;
mod pieces;
mod wording;

pub use collect::Cx;
pub use diff::Diff;
pub(crate) use panic::{panic_text, printed};
pub(crate) use path::{Dotted, Seg};
pub(crate) use pieces::{pieces, share_a_piece, windows};
pub(crate) use wording::{what_of, without_position};

/// What is wrong at a path, before it is known which layer said it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flaw {
    /// Where it is.
    pub path: Vec<Seg>,
    /// What it is.
    pub what: What,
}

/// The kinds of problem that an update can have at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The value has the wrong type or form: what was found (may be secret) and what was expected.
    Type {
        /// What stands there, in serde's words.
        found: String,
        /// What should stand there.
        expected: String,
    },
    /// A sentence that quotes nothing of a document.
    Plain(String),
    /// A message of the target type or of the user's own code; it may quote the value.
    Message(String),
    /// A rule is broken: what the rule asks, and the value (may be secret).
    Rule {
        /// A sentence such as `must be in 1..=65535`.
        must: String,
        /// The value as printed, where there is one.
        found: Option<String>,
    },
    /// Required, and no layer sets it.
    Missing,
    /// No field has this key; the nearest one.
    Unknown(Option<&'static str>),
    /// The key stands in its map twice.
    Twice,
    /// A panic in the user's code, with its message.
    Panic(String),
}

/// What a decoder says of a key that stands in its map twice. The slow pass tells where.
pub(crate) const TWICE: &str = "this key stands here twice";

/// toml's decoder hands a date over as a map with this one key.
pub(crate) const DATE: &str = "$__toml_private_datetime";
