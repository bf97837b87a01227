//! Why documents for a check or a plan could not be judged: no such layer, two for one layer, unreadable.

use crate::problem::{escaped, shortened};

/// How a person ends a quarantine.
const BY_HAND: &str = match cfg!(feature = "cli") {
    true => "`config trust` ends that",
    false => "`trust()` ends that",
};

/// Why documents could not be judged. It is about what was asked, not about the documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// No layer has the name.
    #[error(
        "no layer is called `{}`; {}",
        escaped(&shortened(name)),
        match known.is_empty() {
            true => "no layer is declared".to_owned(),
            false => format!("the layers are {}", listed(known)),
        }
    )]
    NoLayer {
        /// The name.
        name: String,
        /// The layers, lowest precedence first.
        known: Vec<String>,
    },
    /// More than one layer has the name.
    #[error(
        "`{0}` may be any of {1}; write which by its whole name, or its number: at the command line `--layer {2}={0}`",
        escaped(&shortened(name)),
        listed(layers),
        layers.first().map_or("0", |first| first)
    )]
    Several {
        /// The name.
        name: String,
        /// Those layers.
        layers: Vec<String>,
    },
    /// The layer is read at start, and has no document: the environment, the arguments, a figment provider.
    #[error("the layer `{origin}` has no document; {}", match origin.as_str() {
        "environment" => "it reads the variables of the process, or those of `Inputs::variables`",
        "arguments" => "it reads arguments, those of `Inputs::arguments`",
        _ => "it is read at a start, and can be left out",
    })]
    NoDocument {
        /// The layer.
        origin: String,
    },
    /// Two documents are for the same layer.
    #[error("two documents are given for the layer `{origin}`; give one")]
    Twice {
        /// The layer.
        origin: String,
    },
    /// A document is given for a layer that is to be left out.
    #[error(
        "a document is given for the layer `{origin}`, which is to be left out; give it, or leave it out"
    )]
    GivenAndLeftOut {
        /// The layer.
        origin: String,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read: {error}", escaped(path))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: String,
    },
    /// The declaration of a layer cannot work here, as where a variable of its URI is not set. A document for the layer, or leaving it
    /// out, is enough.
    #[error(
        "{problem}; to judge without that source, give a document for the layer `{origin}`, or leave it out"
    )]
    Declaration {
        /// The layer.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// What these layers contain now is not known: they serve from the last known good file, or cannot be read a second time.
    #[error(
        "nothing can be compared: the content now is not known of {}; give documents for them",
        listed(layers)
    )]
    Unknown {
        /// The layers.
        layers: Vec<String>,
    },
    /// The newest content of these layers is in quarantine, since processes died with it, and the last known good file serves in its
    /// place.
    #[error(
        "the content of {} is in quarantine, since the process died with it, and is not applied: the last known good configuration \
         serves in its place, so that there is nothing to compare with; {BY_HAND}, and `status` has the reason. Give documents \
         to see what they would change",
        listed(layers)
    )]
    Quarantined {
        /// The layers.
        layers: Vec<String>,
    },
    /// A running capacitor has the layers that it was started with.
    #[error("{what} is not known to a running capacitor; use `check`")]
    NotRunning {
        /// What was given.
        what: &'static str,
    },
    /// Nothing was applied yet, so that there is nothing to compare with.
    #[error("{name}: no configuration was applied since its start (state: {state}); use `check`")]
    NotApplied {
        /// The capacitor's name.
        name: String,
        /// Its state.
        state: crate::State,
    },
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_layer_has_is_escaped_and_cut() {
        let error = InputError::NoLayer {
            name: format!("\u{1b}[2J\n{}", "x".repeat(100_000)),
            known: vec!["app.yaml".to_owned()],
        };
        let text = error.to_string();
        assert!(
            !text.contains(['\u{1b}', '\n']) && text.len() < 4_000,
            "{text}"
        );
        assert!(text.ends_with("; the layers are `app.yaml`"), "{text}");
    }
}
