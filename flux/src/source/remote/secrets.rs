//! What is quoted of a server's words: never what a variable or a user's name and password brought, however it is written.

use std::{collections::BTreeSet, fmt::Write};

use flux_syntax::{Remote, Scheme};

use crate::source::uri_secrets::{SHORT, secrets_of};

/// How much of a server's words is shown.
#[cfg(feature = "_http")]
const SHOWN: usize = 200;
/// How much of them is looked at.
#[cfg(feature = "_http")]
const LOOKED_AT: usize = 4096;
const HIDDEN: &str = "***";

/// A client's or a server's sentence without what must not be shown, should it have repeated it.
pub(crate) fn without_secrets(place: &Remote<String>, text: &str) -> String {
    hide(text, &needles(place))
}

/// The beginning of an answer's body, hidden first and cut then.
#[cfg(feature = "_http")]
pub(crate) fn quoted(place: &Remote<String>, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
    let is_cut = body.len() > LOOKED_AT;
    // A character that the cut has halved would hide that a secret begins before it.
    let whole = text.trim_end_matches(|end| is_cut && end == char::REPLACEMENT_CHARACTER);
    let mut text = without_secrets(place, whole.trim());
    if is_cut {
        // The beginning of a secret is not recognised where it is shorter than `SHORT`.
        let kept = text.char_indices().rev().nth(SHORT - 2);
        text.truncate(kept.map_or(0, |(at, _)| at));
    }
    if text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

/// All that must not be shown of what `place` holds, in every way in which it is usually written.
fn needles(place: &Remote<String>) -> BTreeSet<Vec<u8>> {
    let mut values = secrets_of(place);
    if place.scheme == Scheme::Https
        && let Some((_, query)) = place.at(0).split_once('?')
    {
        values.insert(query.to_owned());
    }
    if let Some(password) = &place.password {
        // As `Basic` sends it.
        let user = place.user.as_deref().unwrap_or_default();
        values.insert(format!("{user}:{password}"));
    }
    values
        .iter()
        .filter(|value| !value.is_empty())
        .flat_map(|value| written(value))
        .filter(|needle| !needle.is_empty())
        .map(|needle| needle.to_ascii_lowercase().into_bytes())
        .collect()
}

/// A value in the ways in which it is usually written.
fn written(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    if value.len() < 3 {
        return all;
    }
    let percent = |kept: &str| {
        let mut out = String::new();
        for byte in value.bytes() {
            match byte {
                byte if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                    out.push(char::from(byte));
                }
                byte => {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
        out
    };
    // As components, as paths, as JavaScript does it, as forms do it.
    for kept in ["-_.~", "-_.~/", "-_.!~*'()", "-_.*", "-_.~!$&'()*+,;=:@/?"] {
        let one = percent(kept);
        all.push(one.replace("%20", "+"));
        all.push(one.replace('%', "%25"));
        all.push(one);
    }
    let json = value.escape_default().to_string();
    all.push(value.replace('\\', "\\\\").replace('"', "\\\""));
    all.push(
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('/', "\\/"),
    );
    all.push(json);
    for (quote, apostrophe) in [
        ("&quot;", "&#39;"),
        ("&#34;", "&#39;"),
        ("&quot;", "&#x27;"),
    ] {
        let html = value.replace('&', "&amp;").replace('<', "&lt;");
        let html = html.replace('>', "&gt;").replace('"', quote);
        all.push(html.replace('\'', apostrophe));
    }
    all.push(value.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    }));
    all.extend(in_base64(value.as_bytes()));
    all
}

/// What base64 makes of the bytes, wherever among others they are: without the characters that depend on the neighbours.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    const ALPHABETS: [&[u8; 64]; 2] = [
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ];
    let mut all = Vec::new();
    for alphabet in ALPHABETS {
        for before in 0..3 {
            let shifted: Vec<u8> = std::iter::repeat_n(0, before)
                .chain(bytes.iter().copied())
                .collect();
            let bit = |at: usize| shifted.get(at / 8).map(|byte| byte >> (7 - at % 8) & 1);
            // The characters of which every bit is the value's.
            let first = (before * 8).div_ceil(6);
            let end = shifted.len() * 8 / 6;
            let characters = (first..end).map(|character| {
                let bits = (0..6).filter_map(|at| bit(character * 6 + at));
                alphabet[bits.fold(0, |all, bit| all << 1 | usize::from(bit))]
            });
            let text: String = characters.map(char::from).collect();
            if text.len() >= SHORT {
                all.push(text);
            }
        }
    }
    all
}

fn hide(text: &str, needles: &BTreeSet<Vec<u8>>) -> String {
    let lower = text.to_ascii_lowercase().into_bytes();
    // How far what begins at each byte reaches.
    let mut hidden = vec![false; lower.len()];
    for needle in needles {
        let mut from = 0;
        while let Some(found) = find(&lower[from..], needle) {
            let at = from + found;
            hidden[at..at + needle.len()].fill(true);
            from = at + 1;
        }
        // Whoever cut the text may have cut it in the middle of a secret.
        let cut = (SHORT..needle.len())
            .rev()
            .find(|length| lower.ends_with(&needle[..*length]));
        if let Some(length) = cut {
            let end = lower.len();
            hidden[end - length..].fill(true);
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        match (hidden[at], was_hidden) {
            (false, _) => out.push(character),
            (true, false) => out.push_str(HIDDEN),
            (true, true) => {}
        }
        was_hidden = hidden[at];
    }
    out
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(password: &str) -> Remote<String> {
        Remote::new(Scheme::Https)
            .host("h")
            .piece("/app.json")
            .user("bob")
            .password(password)
    }

    /// As others write it: the standard alphabet, with padding.
    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for three in bytes.chunks(3) {
            let all = three
                .iter()
                .fold(0u32, |all, byte| all << 8 | u32::from(*byte));
            let all = all << (8 * (3 - three.len()));
            for at in 0..4 {
                let six = (all >> (18 - 6 * at)) as usize & 63;
                out.push(if at <= three.len() {
                    char::from(ALPHABET[six])
                } else {
                    '='
                });
            }
        }
        out
    }

    proptest! {
        #[test]
        fn a_secret_is_hidden_however_it_is_written(
            secret in "[a-zA-Z0-9/+ :@!\"'&<>%\\\\é]{6,24}",
            before in "[a-z ]{0,7}",
            behind in "[a-z ]{0,7}",
        ) {
            let place = place(&secret);
            for one in written(&secret) {
                for one in [one.clone(), one.to_ascii_uppercase(), one.to_ascii_lowercase()] {
                    let shown = without_secrets(&place, &format!("{before}{one}{behind}"));
                    prop_assert!(!shown.to_ascii_lowercase().contains(&one.to_ascii_lowercase()), "{one}: {shown}");
                }
            }
        }

        #[test]
        fn in_base64_it_is_hidden_among_others(
            secret in "[a-zA-Z0-9]{8,24}",
            before in "[a-z:]{0,7}",
            behind in "[a-z:]{0,7}",
        ) {
            let all = base64(format!("{before}{secret}{behind}").as_bytes());
            let shown = without_secrets(&place(&secret), &all);
            // What is left over are the characters at its ends.
            prop_assert!(shown.contains(HIDDEN), "{all}: {shown}");
            let left = shown.replace(HIDDEN, "").len();
            prop_assert!(left <= (before.len() + behind.len()) * 4 / 3 + 8, "{all}: {shown}");
        }

        #[cfg(feature = "_http")]
        #[test]
        fn a_secret_at_the_cut_is_hidden_first(length in 150..210usize, secret in "[a-z]{12,30}") {
            let body = format!("{}{secret} 1 2", "-".repeat(length));
            let shown = quoted(&place(&secret), body.as_bytes());
            prop_assert!(!shown.contains(|one: char| one.is_ascii_lowercase()), "{shown}");
            let cut = format!("{}{}", "-".repeat(20), &secret[..8]);
            let shown = quoted(&place(&secret), cut.as_bytes());
            prop_assert!(!shown.contains(&secret[..8]), "{shown}");
        }

        /// So much of it is hidden that the end of what is looked at is shown.
        #[cfg(feature = "_http")]
        #[test]
        fn a_secret_at_the_end_of_what_is_looked_at_is_hidden(
            before in 0..40usize,
            secret in "[a-zé]{12,30}",
        ) {
            let repeated = secret.repeat(2 * LOOKED_AT / secret.len());
            let shown = quoted(&place(&secret), format!("{}{repeated}", "-".repeat(before)).as_bytes());
            prop_assert!(!shown.contains(char::is_alphabetic), "{shown}");
        }
    }

    #[test]
    fn the_header_of_a_user_is_hidden() {
        let sent = base64(b"bob:hunter2");
        let shown = without_secrets(&place("hunter2"), &format!("you sent Basic {sent}"));
        assert!(
            !shown.contains(&sent[..8]) && shown.contains("you sent Basic "),
            "{shown}"
        );
        // Also of a password that is too short to be looked for in what base64 makes of both.
        let said = format!("you sent Basic {}.", base64(b"bob:pw"));
        assert_eq!(without_secrets(&place("pw"), &said), "you sent Basic ***.");
    }

    #[test]
    fn what_a_variable_or_a_query_brought_is_hidden() {
        let template = |text: &str| match flux_syntax::parse_uri(text) {
            Ok(flux_syntax::Uri::Remote(place)) => place,
            other => panic!("{other:?}"),
        };
        let lookup = |name: &str| Some(format!("s3cret/{name}"));
        let place = template("https://h/hooks/${K}/app.json?api_key=${Q}&page=seven");
        let place = place.expand(&lookup).unwrap();
        assert_eq!(place.origin(), "https://h/hooks/${K}/app.json");
        let said = "s3cret/K, s3cret%2FQ, s3cret%2fq, S3CRET/Q, api_key=s3cret/Q and seven";
        let shown = without_secrets(&place, said);
        assert_eq!(shown, "***, ***, ***, ***, api_key=*** and ***");
        assert!(!format!("{place:?}").contains("s3cret"));
        // A value that is too short to be looked for by itself.
        let place = template("https://h/app.json?pin=${P}&of=me");
        let place = place.expand(&|_| Some("12".to_owned())).unwrap();
        let shown = without_secrets(&place, "no /app.json?pin=12&of=me here");
        assert_eq!(shown, "no /app.json?*** here");
    }
}
