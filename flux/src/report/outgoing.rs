//! The one way out for texts that may hold what users wrote: of stages, parties, callbacks, health checks, sources and panics.
//!
//! Such a text becomes a [`SafeText`] before an event, the status or a recording takes it, and only this module makes one. The
//! functions of `observe` take nothing else, so that a text that goes around it does not compile.

use super::secrets::{DocumentText, KnownSecrets, SecretSources};
use crate::{
    Report,
    codec::Decoder,
    problem::{escaped, printed, shortened},
    schema::Field,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A text that may leave Flux: no secret is in it, nothing in it controls a terminal, and it is not long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SafeText(String);

impl SafeText {
    /// A sentence of Flux itself, which quotes nothing but names of the program.
    pub(crate) fn own(sentence: &str) -> Self {
        SafeText(escaped(&shortened(sentence)).into_owned())
    }

    /// A report, which took this way when it was composed; it keeps its lines.
    pub(crate) fn report(report: &Report) -> Self {
        SafeText(report.to_string())
    }

    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SafeText> for String {
    fn from(text: SafeText) -> String {
        text.0
    }
}

/// The secrets that a text may quote: none for a type without secrets, else where they are, until somebody asks. A clone is the same book.
#[derive(Clone, Default)]
pub(crate) struct SecretBook(Option<Arc<Sources>>);

/// Where the secrets are, and what they are once they were read.
struct Sources {
    fields: &'static [Field],
    documents: Vec<(usize, Arc<[u8]>, Decoder)>,
    given: Vec<(usize, String)>,
    known: OnceLock<KnownSecrets>,
}

impl SecretBook {
    /// Keeps what is needed to find the secrets later.
    pub(crate) fn of<'a>(
        fields: &'static [Field],
        documents: impl Iterator<Item = DocumentText<'a>>,
        given: impl Iterator<Item = (usize, &'a String)>,
    ) -> Self {
        let documents =
            documents.map(|one| (one.layer, Arc::clone(one.bytes), one.decoder.clone()));
        SecretBook(Some(Arc::new(Sources {
            fields,
            documents: documents.collect(),
            given: given.map(|(layer, text)| (layer, text.clone())).collect(),
            known: OnceLock::new(),
        })))
    }

    /// Whether the type has no secrets.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What a value of the program prints, or a sentence in its place. Its `Display` may panic.
    pub(crate) fn safe(&self, text: &dyn fmt::Display) -> SafeText {
        let text = printed(text);
        let text = shortened(&text);
        let quoted = (self.0.as_ref()).is_some_and(|sources| sources.known().are_in(&text));
        match quoted {
            true => SafeText(WITHHELD.to_owned()),
            false => SafeText(escaped(&text).into_owned()),
        }
    }
}

impl Sources {
    fn known(&self) -> &KnownSecrets {
        self.known.get_or_init(|| {
            let documents = self.documents.iter();
            let sources = SecretSources {
                documents: documents
                    .map(|(layer, bytes, decoder)| DocumentText {
                        layer: *layer,
                        bytes,
                        decoder,
                    })
                    .collect(),
                given: (self.given.iter())
                    .map(|(layer, text)| (*layer, text))
                    .collect(),
            };
            KnownSecrets::read(self.fields, &sources)
        })
    }
}

impl fmt::Debug for SecretBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBook")
    }
}

const WITHHELD: &str = "the reason may quote a secret and is not shown";

#[cfg(test)]
mod tests {
    use super::*;

    static FIELDS: [Field; 1] = [Field::new("password", "PASSWORD").with_secret()];

    #[test]
    fn a_text_leaves_without_secrets_controls_and_length() {
        let given = "hunter2hunter2".to_owned();
        let book = SecretBook::of(&FIELDS, std::iter::empty(), std::iter::once((0, &given)));
        for (text, safe) in [
            ("no such host", "no such host"),
            ("cannot log in with hunter2", WITHHELD),
            ("cannot log in with HUNTER2", WITHHELD),
            ("Basic Ym9iOmh1bnRlcjJodW50ZXIy", WITHHELD),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
        ] {
            assert_eq!(book.safe(&text).as_str(), safe);
        }
        let long = "x".repeat(1 << 20);
        assert!(book.safe(&long).as_str().len() < 3_000);
    }
}
