//! Which kinds of problems and fixes programs can tell apart without parsing sentences.

use super::KeyPath;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// What kind of problem it is. `Display`, [`as_str`](ProblemKind::as_str) and `Serialize` give the names in the table, which stay.
///
/// | name | is |
/// |---|---|
/// | `type_mismatch` | a value of another type or form than the field's |
/// | `invalid_value` | a value that the field's type, or the variable's text, does not allow |
/// | `rule` | a rule of one field is broken (`range`, `non_empty`, `validate`, ..) |
/// | `cross_field` | a rule of a struct as a whole is broken (`#[flux(validate = ..)]` on the struct) |
/// | `change_rule` | the value may not become this one while the program runs (`immutable`, `max_change`, `monotonic`) |
/// | `restart` | it holds only after a restart of the program |
/// | `missing` | required, and no layer sets it |
/// | `unknown_key` | no field has this key, or no field reads this variable |
/// | `deprecated` | a warning: the key, the variable or the argument is of an earlier version of the program, and is still read |
/// | `removed` | the key, the variable or the argument is of an earlier version of the program, and is no longer read |
/// | `duplicate_key` | the key, or another name of the same field, occurs twice |
/// | `syntax` | the document as a whole cannot be read |
/// | `source` | the source has no document, or it cannot be read |
/// | `reducer` | the program's reducer refused |
/// | `callback` | a stage, a party or the callback of the program refused |
/// | `group` | it waits for another member of its group |
/// | `taken_back` | it was applied and taken back, and is not tried again |
/// | `pinned` | it waits until `unpin()` |
/// | `shadowed` | a warning: the value is changed without effect, since a variable or an argument sets it above |
/// | `no_effect` | a warning: an entry is null, which takes nothing away, since no layer below has it |
/// | `replaced` | a warning: a value replaces one of a layer below as a whole, and with it keys that it lacks |
/// | `panic` | the program's code panicked |
/// | `more` | more problems, which are counted and not listed |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A value of another type or form than the field's.
    TypeMismatch,
    /// A value that the field's type does not allow.
    InvalidValue,
    /// A rule of one field is broken.
    Rule,
    /// A rule of a struct as a whole is broken.
    CrossField,
    /// The value may not become this one while the program runs.
    ChangeRule,
    /// It holds only after a restart of the program.
    Restart,
    /// Required, and no layer sets it.
    Missing,
    /// No field has this key, or no field reads this variable.
    UnknownKey,
    /// The key, the variable or the argument is of an earlier version of the program, and is still read.
    Deprecated,
    /// The key, the variable or the argument is of an earlier version of the program, and is no longer read.
    Removed,
    /// The key, or another name of the same field, occurs twice.
    DuplicateKey,
    /// The document as a whole cannot be read.
    Syntax,
    /// The source has no document, or it cannot be read.
    Source,
    /// The program's reducer refused.
    Reducer,
    /// A stage, a party or the callback of the program refused.
    Callback,
    /// It waits for another member of its group.
    Group,
    /// It was applied and taken back, and is not tried again.
    TakenBack,
    /// It waits until `unpin()`.
    Pinned,
    /// The value is changed without effect, since a variable or an argument sets it above.
    Shadowed,
    /// An entry is null, which takes nothing away, since no layer below has it.
    NoEffect,
    /// A value replaces one of a layer below as a whole, and with it keys that it lacks.
    Replaced,
    /// The program's code panicked.
    Panic,
    /// More problems, which are counted and not listed.
    More,
}

impl ProblemKind {
    /// Its name in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            ProblemKind::TypeMismatch => "type_mismatch",
            ProblemKind::InvalidValue => "invalid_value",
            ProblemKind::Rule => "rule",
            ProblemKind::CrossField => "cross_field",
            ProblemKind::ChangeRule => "change_rule",
            ProblemKind::Restart => "restart",
            ProblemKind::Missing => "missing",
            ProblemKind::UnknownKey => "unknown_key",
            ProblemKind::Deprecated => "deprecated",
            ProblemKind::Removed => "removed",
            ProblemKind::DuplicateKey => "duplicate_key",
            ProblemKind::Syntax => "syntax",
            ProblemKind::Source => "source",
            ProblemKind::Reducer => "reducer",
            ProblemKind::Callback => "callback",
            ProblemKind::Group => "group",
            ProblemKind::TakenBack => "taken_back",
            ProblemKind::Pinned => "pinned",
            ProblemKind::Shadowed => "shadowed",
            ProblemKind::NoEffect => "no_effect",
            ProblemKind::Replaced => "replaced",
            ProblemKind::Panic => "panic",
            ProblemKind::More => "more",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What to do about a problem. `Serialize` gives a map with `action` and the fields below, in the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fix {
    /// Action `set`: set the value, at one of these places.
    #[non_exhaustive]
    Set {
        /// The argument, where the arguments are a layer.
        argument: Option<String>,
        /// The environment variable, where the environment is a layer.
        variable: Option<String>,
        /// The environment variable that names a file with the value, where a secret can be set so.
        file_variable: Option<String>,
        /// The key in `document`, as it is written in a path; in a file of variables, the variable.
        key: Option<KeyPath>,
        /// The document that should have the key, by its origin.
        document: Option<String>,
        /// That a file of variables does not exist yet, or sets nothing, where a secret is to be set in it.
        document_lacks: Option<&'static str>,
    },
    /// Action `rename`: the key, the variable or the argument was probably meant to be `to`, or is called so since.
    #[non_exhaustive]
    Rename {
        /// The name that exists.
        to: String,
    },
    /// Action `replace`: the value was probably meant to be `with`.
    #[non_exhaustive]
    Replace {
        /// A value that is allowed.
        with: String,
    },
    /// Action `remove`: remove one of the two.
    Remove,
}

/// The sentence for people, as the report has it.
impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fix::Set {
                argument,
                variable,
                file_variable,
                key,
                document,
                document_lacks,
            } => {
                let mut lead = "set ";
                for name in [argument, variable].into_iter().flatten() {
                    write!(f, "{lead}{name}")?;
                    lead = ", or ";
                }
                if let Some(name) = file_variable {
                    write!(f, "{lead}{name} to the path of a file that contains it")?;
                    lead = ", or ";
                }
                if let (Some(key), Some(document)) = (key, document) {
                    write!(f, "{lead}`{key}` in {document}")?;
                    if let Some(lacks) = document_lacks {
                        write!(f, ", which {lacks}")?;
                    }
                }
                Ok(())
            }
            Fix::Rename { to } => write!(f, "did you mean `{to}`?"),
            Fix::Replace { with } => write!(f, "did you mean `{with}`?"),
            Fix::Remove => f.write_str("remove one"),
        }
    }
}

impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fix = serializer.serialize_struct("Fix", 7)?;
        match self {
            Fix::Set {
                argument,
                variable,
                file_variable,
                key,
                document,
                document_lacks,
            } => {
                fix.serialize_field("action", "set")?;
                if let Some(argument) = argument {
                    fix.serialize_field("argument", argument)?;
                }
                fix.serialize_field("variable", variable)?;
                if let Some(name) = file_variable {
                    fix.serialize_field("file_variable", name)?;
                }
                fix.serialize_field("key", key)?;
                fix.serialize_field("document", document)?;
                if let Some(lacks) = document_lacks {
                    fix.serialize_field("document_lacks", lacks)?;
                }
            }
            Fix::Rename { to } => {
                fix.serialize_field("action", "rename")?;
                fix.serialize_field("to", to)?;
            }
            Fix::Replace { with } => {
                fix.serialize_field("action", "replace")?;
                fix.serialize_field("with", with)?;
            }
            Fix::Remove => fix.serialize_field("action", "remove")?,
        }
        fix.end()
    }
}
