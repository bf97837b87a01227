//! By what content is recognised: a document by its values, so that what was only written anew is the same content.

use super::fingerprint::{Fingerprint, FingerprintKey};
use crate::{
    codec::{self, Decoder},
    schema::Field,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// So many documents are not read twice.
const MOST: usize = 32;

/// The fingerprints of one layer's documents.
pub(super) struct Identities {
    key: FingerprintKey,
    fields: fn() -> &'static [Field],
    /// What processes before this one knew. Those of an earlier version knew documents by their bytes; such a document is known by
    /// them as long as it lasts.
    known: Vec<Fingerprint>,
    /// By the fingerprint of the bytes.
    read: Mutex<VecDeque<(Fingerprint, Fingerprint)>>,
}

impl Identities {
    pub(super) fn new(fields: fn() -> &'static [Field]) -> Self {
        Identities::under(FingerprintKey(0, 0), fields, Vec::new())
    }

    /// Those that are comparable with what is kept under this key.
    pub(super) fn under(
        key: FingerprintKey,
        fields: fn() -> &'static [Field],
        known: Vec<Fingerprint>,
    ) -> Self {
        Identities {
            key,
            fields,
            known,
            read: Mutex::default(),
        }
    }

    /// The same for other content of the config type, with what else is known.
    pub(super) fn with(&self, key: FingerprintKey, known: Vec<Fingerprint>) -> Self {
        Identities::under(key, self.fields, known)
    }

    /// Whether two documents have the same values. Both are read for it.
    pub(super) fn is_same(&self, decoder: &Decoder, one: &[u8], other: &[u8]) -> bool {
        let values = |bytes| codec::values((self.fields)(), decoder, bytes);
        values(one).is_some_and(|one| values(other) == Some(one))
    }

    /// Of a document; without one, of a source that holds nothing.
    pub(super) fn of(&self, decoder: Option<&Decoder>, content: Option<&[u8]>) -> Fingerprint {
        let by_bytes = Fingerprint::of(self.key, content);
        let (Some(decoder), Some(bytes)) = (decoder, content) else {
            return by_bytes;
        };
        if self.known.contains(&by_bytes) {
            return by_bytes;
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = read.iter().find(|(known, _)| *known == by_bytes) {
            return *found;
        }
        let by_values = match codec::values((self.fields)(), decoder, bytes) {
            Some(values) => Fingerprint::of_values(self.key, &values),
            None => by_bytes,
        };
        read.push_back((by_bytes, by_values));
        if read.len() > MOST {
            read.pop_front();
        }
        by_values
    }
}

#[cfg(test)]
#[cfg(feature = "json")]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_an_earlier_version_knew_by_its_bytes_is_known_by_them_and_every_other_by_its_values()
     {
        static FIELDS: [Field; 2] = [Field::new("n", "N"), Field::new("m", "M")];
        let fields: fn() -> &'static [Field] = || &FIELDS;
        let json = Some(&Decoder::Json);
        let key = FingerprintKey(1, 2);
        let [one, anew, other] = [r#"{"n":1,"m":2}"#, r#"{ "m": 2, "n": 1 }"#, r#"{"n":1}"#];
        let [one, anew, other] = [one, anew, other].map(|text| Some(text.as_bytes()));
        let by_values = Identities::under(key, fields, Vec::new());
        assert_eq!(by_values.of(json, one), by_values.of(json, anew));
        assert_ne!(by_values.of(json, one), by_values.of(json, other));
        assert_ne!(by_values.of(json, one), Fingerprint::of(key, one));
        let known = Identities::under(key, fields, vec![Fingerprint::of(key, one)]);
        assert_eq!(known.of(json, one), Fingerprint::of(key, one));
        assert_eq!(known.of(json, anew), by_values.of(json, anew));
        for content in [None, Some(&b"{"[..])] {
            assert_eq!(by_values.of(json, content), Fingerprint::of(key, content));
        }
        assert_eq!(by_values.of(None, one), Fingerprint::of(key, one));
    }

    #[test]
    fn more_documents_than_are_remembered_keep_their_fingerprints() {
        let all = Identities::new(|| &[]);
        let of = |number: usize| {
            let text = format!("[{number}]");
            all.of(Some(&Decoder::Json), Some(text.as_bytes()))
        };
        let first: Vec<_> = (0..MOST * 2).map(of).collect();
        let again: Vec<_> = (0..MOST * 2).map(of).collect();
        assert_eq!(first, again);
    }
}
