//! Whether what a watcher delivered is allowed: what the source held, in the order in which it held it.

use crate::source::Observation;
use std::{fmt, sync::Arc};

/// What a source holds, or was seen to hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Held {
    Document(Arc<[u8]>),
    Nothing,
    /// The watcher reported that it cannot be a document.
    Unreadable(String),
}

impl Held {
    pub(super) fn of(read: Option<Vec<u8>>) -> Self {
        read.map_or(Held::Nothing, |bytes| Held::Document(bytes.into()))
    }
}

impl From<&Observation> for Held {
    fn from(observation: &Observation) -> Self {
        match observation {
            Observation::Value(content) => Held::Document(Arc::clone(&content.bytes)),
            Observation::Absent => Held::Nothing,
            Observation::Unreadable(error) => Held::Unreadable(error.to_string()),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        match self {
            Held::Nothing => f.write_str("nothing"),
            Held::Unreadable(error) => write!(f, "something unreadable ({error})"),
            Held::Document(bytes) => {
                let shown = bytes[..bytes.len().min(SHOWN)].trim_ascii_end();
                write!(f, "`{}`", shown.escape_ascii())?;
                match bytes.len() > SHOWN {
                    true => write!(f, " ({} bytes)", bytes.len()),
                    false => Ok(()),
                }
            }
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What would be applied: equal content in a row counts once.
pub(super) fn applied(seen: &[Held]) -> Vec<&Held> {
    let mut applied: Vec<&Held> = Vec::new();
    for one in seen {
        if applied.last() != Some(&one) {
            applied.push(one);
        }
    }
    applied
}

/// Checks that what was seen is part of what the source held, in its order: nothing stale after something newer, nothing twice,
/// nothing that was never there.
pub(super) fn in_order(held: &[Held], seen: &[Held]) -> Result<(), String> {
    let mut from = 0;
    let mut before: Option<&Held> = None;
    for one in applied(seen) {
        match held[from..].iter().position(|known| known == one) {
            Some(at) => from += at + 1,
            None => {
                let after = before.map_or(String::new(), |before| format!(" after {before}"));
                return Err(match held.contains(one) {
                    true => format!("delivered {one}{after}, which is newer"),
                    false => format!("delivered {one}{after}, which the source never held"),
                });
            }
        }
        before = Some(one);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Held> {
        let one = |c: char| match c {
            '-' => Held::Nothing,
            c => Held::Document(c.to_string().into_bytes().into()),
        };
        text.chars().map(one).collect()
    }

    #[test]
    fn a_part_of_what_was_held_in_its_order_is_right() {
        for seen in ["", "a", "c", "abc", "ac", "aabbcc", "a-c", "--c", "a-"] {
            assert_eq!(in_order(&all("ab-c-"), &all(seen)), Ok(()), "{seen}");
        }
    }

    #[test]
    fn what_is_stale_twice_or_invented_is_told() {
        for (seen, told) in [
            ("ba", "delivered `a` after `b`, which is newer"),
            ("aba", "delivered `a` after `b`, which is newer"),
            ("bac", "delivered `a` after `b`, which is newer"),
            ("c-b", "delivered `b` after nothing, which is newer"),
            ("ax", "delivered `x` after `a`, which the source never held"),
        ] {
            assert_eq!(
                in_order(&all("ab-c-"), &all(seen)),
                Err(told.to_owned()),
                "{seen}"
            );
        }
    }
}
