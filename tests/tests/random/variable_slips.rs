//! Slips of somebody who writes the name of a variable.

use crate::random::Random;

/// One slip of somebody who writes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slip {
    Dropped,
    Doubled,
    Swapped,
    Another,
    /// The name, or its prefix alone, in other letters.
    InSmallLetters,
    PrefixInSmallLetters,
    /// A `_` where none is, or one of two.
    LineTooMany,
    LineTooFew,
}

pub(crate) const SLIPS: [Slip; 8] = [
    Slip::Dropped,
    Slip::Doubled,
    Slip::Swapped,
    Slip::Another,
    Slip::InSmallLetters,
    Slip::PrefixInSmallLetters,
    Slip::LineTooMany,
    Slip::LineTooFew,
];

/// The name with the slip behind the prefix; none where it has no place for it.
pub(crate) fn slipped(random: &mut Random, name: &str, slip: Slip) -> Option<String> {
    let mut letters: Vec<char> = name["APP_".len()..].chars().collect();
    let of_kind = |is_line: bool| {
        let places = (0..letters.len()).filter(|at| (letters[*at] == '_') == is_line);
        places.collect::<Vec<_>>()
    };
    let (words, lines) = (of_kind(false), of_kind(true));
    match slip {
        Slip::InSmallLetters => return Some(name.to_lowercase()),
        Slip::PrefixInSmallLetters => return Some(name.replacen("APP_", "app_", 1)),
        Slip::Dropped if words.len() > 1 => drop(letters.remove(random.pick(&words))),
        Slip::Doubled => {
            let at = random.pick(&words);
            letters.insert(at, letters[at]);
        }
        Slip::Swapped => {
            let at = random.pick(&words);
            let next = words.iter().find(|next| **next > at)?;
            letters.swap(at, *next);
        }
        Slip::Another => letters[random.pick(&words)] = random.pick(&['Q', 'X', 'E', 'A']),
        Slip::LineTooMany => letters.insert(random.below(letters.len() + 1), '_'),
        Slip::LineTooFew if !lines.is_empty() => drop(letters.remove(random.pick(&lines))),
        _ => return None,
    }
    Some(format!("APP_{}", letters.into_iter().collect::<String>()))
}
