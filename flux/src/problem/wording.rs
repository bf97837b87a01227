//! How the messages of serde and the formats become problems in the words of Flux, without their positions.

use super::{ALIKE_KEYS, TWICE, What};
use serde::de::{self, Expected};
use std::fmt;

/// A decoder's message as a problem: serde's standard sentences are taken apart, so that the value can be left out of them.
pub(crate) fn what_of(error: &dyn fmt::Display) -> What {
    let text = error.to_string();
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = text.strip_prefix(start)
            && let Some((found, expected)) = rest.rsplit_once(", expected ")
        {
            return What::Type {
                found: in_our_words(found).to_owned(),
                expected: without_position(expected).to_owned(),
            };
        }
    }
    // The value may hold anything, so the sentence is taken apart from its end.
    if let Some(rest) = text.strip_prefix("unknown variant ")
        && let Some(at) = rest.rfind("`, expected ")
    {
        return What::Type {
            found: rest[..=at].to_owned(),
            expected: without_position(&rest[at + 12..]).to_owned(),
        };
    }
    if text == TWICE {
        return What::Twice;
    }
    if text == ALIKE_KEYS {
        return What::AlikeKeys;
    }
    What::Message(without_position(&text).to_owned())
}

/// How the message of a value ends whose type holds a secret.
pub(crate) const OF_A_SECRET: &str = "what was found is secret";

/// The message without what it quotes, for a type that holds a secret.
#[cold]
pub(crate) fn without_found(error: &dyn fmt::Display) -> String {
    match what_of(error) {
        What::Type { expected, .. } => format!("expected {expected}; {OF_A_SECRET}"),
        _ => format!("is not valid; {OF_A_SECRET}"),
    }
}

/// A list that is longer than its target, in the words of serde for one that is shorter.
#[cold]
pub(crate) fn too_many<E: de::Error>(found: usize, taken: usize) -> E {
    struct ItemCount(usize);
    impl Expected for ItemCount {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                1 => f.write_str("a list of 1 item"),
                items => write!(f, "a list of {items} items"),
            }
        }
    }
    E::invalid_length(found, &ItemCount(taken))
}

/// What was found, where serde has words of its own for it: null, and an integer that only the widest types hold.
fn in_our_words(found: &str) -> &str {
    match found {
        "unit value" | "Option value" => "null",
        _ => {
            let wide = found.strip_suffix(" as i128");
            wide.or_else(|| found.strip_suffix(" as u128"))
                .unwrap_or(found)
        }
    }
}

/// The sentence without the ` at line 1 column 2` that the formats add; positions are reported apart.
pub(crate) fn without_position(text: &str) -> &str {
    let text = text.trim_end();
    match text.rfind(" at line ") {
        Some(at)
            if text[at + 9..]
                .bytes()
                .all(|b| b.is_ascii_digit() || b" column".contains(&b)) =>
        {
            &text[..at]
        }
        _ => text,
    }
}
