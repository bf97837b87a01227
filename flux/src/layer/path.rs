//! Where in a config something is.

use std::{borrow::Cow, fmt};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seg {
    /// A key of a section or of a map.
    Key(Cow<'static, str>),
    /// A position in a list, from 0.
    Index(usize),
}

/// A path printed as `pool.hosts[2].name`.
pub struct Dotted<'a>(pub &'a [Seg]);

impl fmt::Display for Dotted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, seg) in self.0.iter().enumerate() {
            match seg {
                Seg::Key(key) if i == 0 => write!(f, "{key}")?,
                Seg::Key(key) => write!(f, ".{key}")?,
                Seg::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What is wrong at a path, before it is known which layer said it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where it is.
    pub path: Vec<Seg>,
    /// What it is.
    pub what: What,
}

/// The kinds of problem that an update can have at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
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
