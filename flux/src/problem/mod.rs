//! What a problem is made of inside: its path and `What`, and the kind that follows from it.

mod collect;
pub(crate) mod collect_errors;
mod diff;
mod escape;
mod kind;
mod panic;
mod path;
mod pieces;
mod serialized;
mod wording;

pub use collect::Cx;
pub(crate) use collect::{ItemsOf, MOST_PROBLEMS};
pub use diff::Diff;
#[cfg(any(feature = "cli", feature = "page"))]
pub(crate) use escape::escaped_json;
pub(crate) use escape::{LONGEST, controls, escaped, shortened, spelled};
pub use kind::{Fix, ProblemKind};
pub(crate) use panic::{caught, printed};
pub(crate) use path::Dotted;
pub use path::{KeyPath, KeyPathError, Seg};
pub(crate) use pieces::{PieceSet, share_a_piece, windows};
pub(crate) use serialized::serialized;
pub(crate) use wording::{OF_A_SECRET, too_many, what_of, without_found, without_position};

/// What is wrong at a path, before it is known which layer set it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flaw {
    /// Where it is.
    pub path: Vec<Seg>,
    /// What it is.
    pub what: What,
}

impl Flaw {
    /// A problem of the configuration, or of a document, as a whole.
    pub(crate) fn whole(what: What) -> Self {
        Flaw {
            path: Vec::new(),
            what,
        }
    }
}

/// The kinds of problem that an update can have at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The value has the wrong type or form: what was found (may be secret) and what was expected.
    Type {
        /// What is there, in serde's words.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// A sentence about a document as a whole, that quotes nothing of it.
    Plain(String),
    /// A message of the target type; it may quote the value.
    Message(String),
    /// A sentence of another kind.
    Told {
        /// What kind of problem it is.
        kind: ProblemKind,
        /// The sentence.
        text: String,
        /// It may quote the value.
        quotes: bool,
    },
    /// Why a source of Flux cannot be read. Nothing that is not of its layer is in it.
    OfSource(String),
    /// A rule is broken: what the rule asks, and the value (may be secret).
    Rule {
        /// Whether the rule is about the change from the running value.
        change: bool,
        /// A sentence such as `must be in 1..=65535`.
        must: String,
        /// The value as printed, where there is one.
        found: Option<String>,
    },
    /// Required, and no layer sets it.
    Missing,
    /// No field has this key; the nearest one.
    Unknown(Option<&'static str>),
    /// The key is of an earlier version of the program.
    Outdated {
        /// The sentence, which quotes no value.
        text: String,
        /// The name since.
        to: Option<String>,
        /// It is no longer read.
        is_removed: bool,
    },
    /// The key occurs in its map twice.
    Twice,
    /// Two keys of the map are the same to its type.
    AlikeKeys,
    /// So many more problems, which are counted only.
    More(usize),
    /// A panic in the user's code, with its message.
    Panic(String),
}

impl What {
    /// Whether what was found is a secret by its type, in a value of a type of the program.
    pub(crate) fn is_of_a_secret(&self) -> bool {
        matches!(self, What::Message(text) if text.ends_with(OF_A_SECRET))
    }

    /// Whether a key of an earlier version is no longer read.
    pub(crate) fn is_removed(&self) -> bool {
        matches!(
            self,
            What::Outdated {
                is_removed: true,
                ..
            }
        )
    }

    /// A sentence of this kind that quotes nothing.
    pub(crate) fn plain(kind: ProblemKind, text: impl Into<String>) -> What {
        let (text, quotes) = (text.into(), false);
        What::Told { kind, text, quotes }
    }

    /// A sentence of this kind that may quote the value.
    pub(crate) fn message(kind: ProblemKind, text: impl Into<String>) -> What {
        let (text, quotes) = (text.into(), true);
        What::Told { kind, text, quotes }
    }

    /// The sentence, where it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            What::Plain(text)
            | What::Message(text)
            | What::OfSource(text)
            | What::Told { text, .. }
            | What::Outdated { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            What::Type { .. } => ProblemKind::TypeMismatch,
            What::Plain(_) => ProblemKind::Syntax,
            What::Message(_) => ProblemKind::InvalidValue,
            What::Told { kind, .. } => *kind,
            What::OfSource(_) => ProblemKind::Source,
            What::Rule { change: true, .. } => ProblemKind::ChangeRule,
            What::Rule { .. } => ProblemKind::Rule,
            What::Missing => ProblemKind::Missing,
            What::Unknown(_) => ProblemKind::UnknownKey,
            What::Outdated {
                is_removed: true, ..
            } => ProblemKind::Removed,
            What::Outdated { .. } => ProblemKind::Deprecated,
            What::Twice | What::AlikeKeys => ProblemKind::DuplicateKey,
            What::More(_) => ProblemKind::More,
            What::Panic(_) => ProblemKind::Panic,
        }
    }
}

/// More bytes of keys than this are not copied into the paths of one answer: what is below a long key has each a copy of it.
pub(crate) const MOST_PATH_BYTES: usize = 1 << 20;

/// How many bytes the keys of a path have.
pub(crate) fn path_bytes(path: &[Seg]) -> usize {
    let bytes = |seg: &Seg| match seg {
        Seg::Key(key) => key.len(),
        Seg::Index(_) => 0,
    };
    path.iter().map(bytes).sum()
}

/// The error of a decoder for a key that occurs in its map twice. The slow pass finds where.
pub(crate) const TWICE: &str = "this key occurs twice";

/// The error of a map's own decoder, which knows that two keys are the same and not which. The slow pass finds them.
pub(crate) const ALIKE_KEYS: &str = "two keys of this map are the same";

/// toml's decoder hands a date over as a map with this one key.
pub(crate) const DATE: &str = "$__toml_private_datetime";
