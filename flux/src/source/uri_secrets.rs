//! What of a source's URI is secret, now and before: texts of the program's code are searched for it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flux_syntax::{Remote, Scheme};

use crate::report::secrets::UriTexts;

/// What is shorter is a secret only where it is one for certain: a variable may well hold `1`.
pub(super) const SHORT: usize = 4;
/// The secrets of so many places before the present one are known.
const EARLIER: usize = 4;

/// The secrets of one source's URI, which may be renewed while it is watched.
pub(crate) struct UriSecrets {
    /// What is shown in the place of the URI.
    origin: String,
    /// The newest last.
    places: Mutex<VecDeque<BTreeSet<String>>>,
}

impl UriSecrets {
    /// Those of the place; none where nothing of it is secret.
    pub(crate) fn of(place: &Remote<String>) -> Option<Arc<Self>> {
        let secrets = secrets_of(place);
        let origin = place.origin();
        let places = Mutex::new(VecDeque::from([secrets.clone()]));
        (!secrets.is_empty()).then(|| Arc::new(UriSecrets { origin, places }))
    }

    /// The source is at this place from now on.
    pub(super) fn renew(&self, place: &Remote<String>) {
        let secrets = secrets_of(place);
        let mut places = self.places();
        if places.back() != Some(&secrets) {
            places.push_back(secrets);
        }
        if places.len() > EARLIER + 1 {
            places.pop_front();
        }
    }

    /// All that are known, without those that the origin shows anyway.
    pub(crate) fn texts(&self) -> UriTexts {
        let is_shown = |secret: &String| self.origin.contains(secret.as_str());
        UriTexts {
            secrets: (self.all().into_iter())
                .filter(|secret| !is_shown(secret))
                .collect(),
            origin: self.origin.clone(),
        }
    }

    pub(super) fn all(&self) -> BTreeSet<String> {
        self.places().iter().flatten().cloned().collect()
    }

    fn places(&self) -> MutexGuard<'_, VecDeque<BTreeSet<String>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What must not be shown of what the place holds.
pub(super) fn secrets_of(place: &Remote<String>) -> BTreeSet<String> {
    let mut values: BTreeSet<String> = BTreeSet::new();
    values.extend(place.secrets().map(|(_, value)| value.clone()));
    let long = |value: &&String| value.len() >= SHORT;
    values.extend(place.given.iter().filter(long).cloned());
    if place.scheme == Scheme::Https
        && let Some((_, query)) = place.at(0).split_once('?')
    {
        for pair in query.split('&') {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            if value.len() >= SHORT {
                values.insert(value.to_owned());
                values.insert(percent_decoded(value));
            }
        }
    }
    values.retain(|value| !value.is_empty());
    values
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(uri: &str, token: &str) -> Remote<String> {
        let template = match flux_syntax::parse_uri(uri) {
            Ok(flux_syntax::Uri::Remote(place)) => place,
            other => panic!("{other:?}"),
        };
        template.expand(&|_| Some(token.to_owned())).unwrap()
    }

    fn texts(secrets: &UriSecrets) -> Vec<String> {
        secrets.texts().secrets
    }

    #[test]
    fn the_secrets_of_the_last_four_places_are_known_as_well() {
        let at = |number: usize| {
            let token = format!("hunter2-{number}");
            place("redis://bob:${P}@h/app.json", &token)
        };
        let secrets = UriSecrets::of(&at(0)).unwrap();
        assert_eq!(texts(&secrets), ["hunter2-0"]);
        for number in 0..7 {
            secrets.renew(&at(number));
        }
        let last = [
            "hunter2-2",
            "hunter2-3",
            "hunter2-4",
            "hunter2-5",
            "hunter2-6",
        ];
        assert_eq!(texts(&secrets), last);
    }

    #[test]
    fn a_password_a_token_and_the_query_are_secrets_and_what_the_origin_shows_is_none() {
        assert!(UriSecrets::of(&place("redis://h/app.json", "")).is_none());
        assert!(UriSecrets::of(&place("https://h/app.json?page=7", "")).is_none());
        for (uri, expected) in [
            ("redis://bob:${P}@h/app.json", &["tok en"][..]),
            ("consul://h/app.json?token=${P}", &["tok en"]),
            ("https://h/hooks/${P}/app.json", &["tok en"]),
            ("https://h/app.json?key=tok%20en", &["tok en", "tok%20en"]),
            ("redis://bob:${P}@tok-host/app.json", &["tok en"]),
        ] {
            let secrets = UriSecrets::of(&place(uri, "tok en")).unwrap();
            assert_eq!(texts(&secrets), expected, "{uri}");
        }
        let shown = UriSecrets::of(&place("redis://redis:${P}@redis/app.json", "redis")).unwrap();
        assert_eq!(texts(&shown), [""; 0]);
    }
}
