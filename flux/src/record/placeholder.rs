//! What a recording contains in the place of a secret: as little of its shape as its validity needs.

use std::hash::{BuildHasher, RandomState};

/// What kind of value a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Text,
    Number,
    Bool,
    /// A key below a secret.
    Key,
    /// A key that no field has: it may be a secret whose own key, or its colon, was forgotten.
    LostKey,
}

/// The first level keeps nothing of a text, the next its length, the others what kind of character is where. Of a number the first
/// two keep nothing: they have nine digits, and four where its type has no room for nine, or a rule for none of them.
pub(super) const LEVELS: usize = 7;

/// The first level that keeps what kind of character is where.
pub(super) const SHAPED: usize = 2;

/// Makes placeholders of one layer: the same for the same secret, for as long as it lives. Its key is random and never printed.
#[derive(Debug, Default)]
pub(super) struct Pseudonyms(RandomState, RandomState);

impl Pseudonyms {
    /// A name for a secret that cannot be turned back.
    pub(super) fn name(&self, shape: Shape, secret: &str) -> (u64, u64) {
        (
            self.0.hash_one((shape, secret)),
            self.1.hash_one((shape, secret)),
        )
    }

    /// A short name for content as a whole.
    pub(super) fn token(&self, content: &[u8]) -> String {
        format!("{:08x}", self.0.hash_one(content) as u32)
    }

    /// The placeholder of a level; none where there is none that hides the secret.
    pub(super) fn placeholder(&self, shape: Shape, secret: &str, level: usize) -> Option<String> {
        let mut random = fastrand::Rng::with_seed(self.1.hash_one((shape, secret, level)));
        let made = match (shape, level) {
            (Shape::Bool, _) => return Some("false".to_owned()),
            (Shape::Number, 0) => random.u32(100_000_000..1_000_000_000).to_string(),
            (Shape::Number, 1) => random.u32(1_000..10_000).to_string(),
            (Shape::Number, _) => digits(secret, &mut random),
            // With a blank, so that it is taken for a value as well.
            (Shape::LostKey, 0) => format!("redacted {:08x}", random.u32(..)),
            (_, 0) => format!("redacted-{:08x}", random.u32(..)),
            (_, 1) => secret.chars().map(|_| random.lowercase()).collect(),
            (_, LEVELS..) => return is_bool(secret).then(|| "false".to_owned()),
            // Of a secret that is all signs, its shape would be the secret.
            _ if !mostly_alphanumeric(secret) => return None,
            _ => secret
                .chars()
                .map(|c| like(c, level, &mut random))
                .collect(),
        };
        let telling = secret.chars().count() > 2 && made.contains(secret);
        (made != secret && !telling).then_some(made)
    }
}

/// A number with as many digits, without what else a number may be written with.
fn digits(secret: &str, random: &mut fastrand::Rng) -> String {
    let plain = secret.strip_prefix('-').unwrap_or(secret);
    let sign = if plain.len() < secret.len() { "-" } else { "" };
    let mut made = sign.to_owned();
    let dotted = plain.bytes().filter(|b| *b == b'.').count() == 1;
    let decimal = plain.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    for (at, c) in plain.chars().enumerate() {
        match c {
            '.' if dotted && decimal && at > 0 && at + 1 < plain.len() => made.push('.'),
            _ => made.push(char::from(b'1' + random.u8(..9))),
        }
    }
    made
}

/// A character of the same kind. The first tries keep to what is also hexadecimal, and to digits of which no octet is too large.
fn like(c: char, level: usize, random: &mut fastrand::Rng) -> char {
    let letter = if level < 5 {
        random.u8(..6)
    } else {
        random.u8(..26)
    };
    let digit = if level < 3 {
        random.u8(..2)
    } else {
        random.u8(..9)
    };
    match c {
        'a'..='z' => char::from(b'a' + letter),
        'A'..='Z' => char::from(b'A' + letter),
        '0'..='9' => char::from(b'1' + digit),
        '.' | ':' | '/' | '@' | '-' | '_' | '?' | '&' | '=' | ',' | '+' | '%' | ' ' => c,
        '[' | ']' | '{' | '}' => c,
        c if c.is_ascii() => '-',
        _ => 'x',
    }
}

fn mostly_alphanumeric(text: &str) -> bool {
    let kept = text.chars().filter(|c| !c.is_alphanumeric()).count();
    2 * kept <= text.chars().count()
}

fn is_bool(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off"];
    words
        .iter()
        .any(|word| text.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use crate::record::placeholder::*;
    use proptest::prelude::*;

    #[test]
    fn the_levels_keep_more_and_more() {
        let (pseudonyms, secret) = (Pseudonyms::default(), "postgres://me:Pw12@db:5432/x");
        let at = |level| {
            pseudonyms
                .placeholder(Shape::Text, secret, level)
                .expect("one")
        };
        assert!(at(0).starts_with("redacted-") && at(0) == at(0));
        assert_eq!(at(1).len(), secret.len());
        let shaped = at(2);
        assert!(shaped.contains("://") && shaped.contains('@'), "{shaped}");
        assert!(!shaped.contains("Pw12") && !shaped.contains("postgres"));
    }

    #[test]
    fn a_number_stays_one_and_keeps_its_digits_only_where_less_is_not_enough() {
        let pseudonyms = Pseudonyms::default();
        for secret in ["443", "-12.50", "1e9", "0x1F", "7"] {
            for (level, digits) in [(0, 9), (1, 4), (SHAPED, secret.len())] {
                let made = pseudonyms.placeholder(Shape::Number, secret, level);
                if let Some(made) = made {
                    assert!(made.parse::<f64>().is_ok() && made != secret, "{made}");
                    assert_eq!(made.len(), digits, "{secret} {level}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_placeholder_holds_its_secret(secret in "\\PC{3,20}", level in 0..LEVELS) {
            let pseudonyms = Pseudonyms::default();
            for shape in [Shape::Text, Shape::Number, Shape::Key] {
                if let Some(made) = pseudonyms.placeholder(shape, &secret, level) {
                    prop_assert!(!made.contains(&secret), "{} {}", secret, made);
                }
            }
        }
    }
}
