//! That a text of the program's code or of a source is withheld where it quotes a secret, and the sentence in its place; the one
//! way out for such texts.
//!
//! Such a text becomes a [`SafeText`] before an event, the status or a recording takes it, and only this module makes one. The
//! functions of `observe` take nothing else, so that a text that goes around it does not compile.

use super::secrets::{BuiltSecrets, DocumentText, KnownSecrets, SecretSources, UriTexts};
use super::sentence::WITHHELD as WITHHELD_OF_VALUE;
use crate::{
    Report,
    codec::Decoder,
    layer::secret_texts::SecretTexts,
    problem::{Flaw, ProblemKind, What, escaped, printed, shortened},
    schema::{self, Field},
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
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

/// The secrets that a text may quote: none where neither the type nor a URI has some, else where they are, until somebody asks. A clone is the same book.
#[derive(Clone, Default)]
pub(crate) struct SecretBook(Option<Arc<Sources>>);

/// Where the secrets are.
struct Sources {
    fields: &'static [Field],
    documents: Vec<(usize, Arc<[u8]>, Decoder)>,
    given: Vec<(usize, String)>,
    uris: Vec<UriTexts>,
    built: Mutex<BuiltSources>,
}

/// Configurations, and what all secrets are once they were read.
struct BuiltSources {
    secrets: Vec<BuiltSecrets>,
    known: Option<Arc<KnownSecrets>>,
}

impl SecretBook {
    /// Keeps what is needed to find the secrets later.
    pub(crate) fn of(fields: &'static [Field], sources: SecretSources<'_>) -> Self {
        let documents = sources.documents.into_iter();
        let documents =
            documents.map(|one| (one.layer, Arc::clone(one.bytes), one.decoder.clone()));
        let given = sources.given.into_iter();
        SecretBook(Some(Arc::new(Sources {
            fields,
            documents: documents.collect(),
            given: given.map(|(layer, text)| (layer, text.clone())).collect(),
            uris: sources.uris,
            built: Mutex::new(BuiltSources {
                secrets: sources.built,
                known: None,
            }),
        })))
    }

    /// Whether neither the type nor a URI has secrets.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds those of one more configuration.
    pub(crate) fn note(&self, secrets: impl FnOnce() -> BuiltSecrets) {
        if let Some(sources) = &self.0 {
            let mut built = sources.built.lock().unwrap_or_else(PoisonError::into_inner);
            built.secrets.push(secrets());
            built.known = None;
        }
    }

    /// Whether the text may quote one.
    fn is_quoted_in(&self, text: &str) -> bool {
        (self.0.as_ref()).is_some_and(|sources| sources.known().are_in(text))
    }

    /// What a value of the program prints, or a sentence in its place. Its `Display` may panic.
    pub(crate) fn safe(&self, text: &dyn fmt::Display) -> SafeText {
        self.safe_unless(text, |text| self.is_quoted_in(text))
    }

    /// The same of words that have nothing in them which is not of this layer: whether they are shown does not depend on another one,
    /// whose secrets could be guessed by it.
    pub(crate) fn safe_of(&self, layer: usize, text: &dyn fmt::Display) -> SafeText {
        self.safe_unless(text, |text| {
            let known = self.0.as_ref().map(|sources| sources.known());
            known.is_some_and(|known| known.of_layer_are_in(Some(layer), text))
        })
    }

    fn safe_unless(&self, text: &dyn fmt::Display, hides: impl Fn(&str) -> bool) -> SafeText {
        let text = printed(text);
        let text = shortened(&text);
        match hides(&text) {
            true => SafeText(WITHHELD.to_owned()),
            false => SafeText(escaped(&text).into_owned()),
        }
    }

    /// The sentence in the place of what a value of the program prints; none where that quotes no secret.
    pub(crate) fn withheld(&self, text: &dyn fmt::Display) -> Option<&'static str> {
        let hides = !self.is_empty() && self.is_quoted_in(&shortened(&printed(text)));
        hides.then_some(WITHHELD)
    }
}

impl Sources {
    fn known(&self) -> Arc<KnownSecrets> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &built.known {
            return Arc::clone(known);
        }
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
            uris: self.uris.clone(),
            built: built.secrets.clone(),
        };
        let known = Arc::new(KnownSecrets::read(self.fields, &sources));
        built.known = Some(Arc::clone(&known));
        known
    }
}

/// A configuration that breaks rules.
pub(crate) struct BuiltValue<'a> {
    pub(crate) fields: &'static [Field],
    /// It was built to the end, so that its secrets are known.
    pub(crate) is_whole: bool,
    /// A stage of the program made it.
    pub(crate) is_replaced: bool,
    pub(crate) secrets: &'a dyn Fn(&mut SecretTexts),
}

impl BuiltValue<'_> {
    /// Its problems, without the texts of the program that quote a secret of it.
    #[cold]
    pub(crate) fn without_secrets(&self, mut problems: Vec<Flaw>) -> Vec<Flaw> {
        if !schema::any_secret(self.fields) {
            return problems;
        }
        let hides_all = !self.is_whole && schema::may_make_secrets(self.fields);
        let mut known = None;
        for problem in &mut problems {
            let (kind, text) = match &problem.what {
                What::Told {
                    kind,
                    text,
                    quotes: true,
                } => (*kind, text),
                What::Panic(text) => (ProblemKind::Panic, text),
                _ => continue,
            };
            let known = known.get_or_insert_with(|| {
                KnownSecrets::of_built(self.fields, self.is_replaced, self.secrets)
            });
            if hides_all || known.are_in(&shortened(text)) {
                problem.what = What::plain(kind, WITHHELD_OF_VALUE);
            }
        }
        problems
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
        let sources = SecretSources {
            given: vec![(0, &given)],
            ..SecretSources::default()
        };
        let book = SecretBook::of(&FIELDS, sources);
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
