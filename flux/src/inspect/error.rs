//! Why an explanation cannot be given: no such path, nothing applied yet.

use crate::problem::{KeyPath, KeyPathError, shortened};

/// Why a path cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// No configuration was applied since the start.
    #[error(
        "{name}: no configuration was applied since its start (state: {state}), so there is nothing to explain; `last_error()` has the reason of a refusal"
    )]
    NotApplied {
        /// The capacitor's name.
        name: String,
        /// Its state.
        state: crate::State,
    },
    /// The text is no path.
    #[error("`{}` {error}", shortened(text))]
    NoPath {
        /// The text.
        text: String,
        /// What is wrong with it.
        error: KeyPathError,
    },
    /// The path leads into a value that has no such part.
    #[error(
        "nothing can be at `{}`: `{value}`{} has no such part, did you mean `{value}`?",
        shortened(path.as_str()),
        of_type(type_name)
    )]
    NoPart {
        /// The path.
        path: KeyPath,
        /// The longest path of it that exists.
        value: KeyPath,
        /// The Rust type of the field, as written.
        type_name: &'static str,
    },
    /// No field is at the path.
    #[error("no field is at `{}`{}", shortened(path.as_str()), near.as_ref().map_or(String::new(), meant))]
    Unknown {
        /// The path.
        path: KeyPath,
        /// A path that exists, and is written nearly so.
        near: Option<KeyPath>,
    },
}

fn meant(near: &KeyPath) -> String {
    let quoted = match near.as_str().contains('"') {
        true => " A shell takes the double quotes away unless the path is in single ones.",
        false => "",
    };
    format!(", did you mean `{near}`?{quoted}")
}

fn of_type(name: &str) -> String {
    match name.is_empty() {
        true => String::new(),
        false => format!(" (in a field of type `{name}`)"),
    }
}
