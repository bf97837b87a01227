//! The segment of a field's name in a variable, `rename_all`, and which name is suggested for a misspelt one.

/// The segment of an environment variable's name for a key: `maxBody`, `max-body` and `max_body` are all `MAX_BODY`.
pub fn env_segment(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    let mut segment = String::with_capacity(key.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            segment.push('_');
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let word_starts = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_numeric()
                    || b.is_uppercase() && after.is_some_and(|a| a.is_lowercase())
            });
        if word_starts {
            segment.push('_');
        }
        segment.extend(c.to_uppercase());
    }
    segment
}

/// Nobody means a name of more letters, and to compare two words takes time in proportion to the product of their lengths.
const LONGEST: usize = 512;

/// The candidate that `word` was probably meant to be: the same but for case and separators, or for so few slips that a word
/// of this length is not likely another one.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_and_slips(word, candidates).map(|(candidate, _)| candidate)
}

/// The same, and how many slips are between the two.
pub fn nearest_and_slips<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, usize)> {
    let bare = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let wanted = bare(word);
    let (length, wanted_letters) = (wanted.chars().count(), Letters::of(&wanted));
    if length > LONGEST {
        return None;
    }
    // Words of very different lengths are not compared letter by letter: a key may be as long as a document.
    let is_near = |candidate: &&str| {
        let letters = candidate.chars().filter(|c| !matches!(c, '-' | '_'));
        let far = 2 * length + 8;
        let letters = letters.take(far).count();
        let most = most_slips(letters.max(length));
        // Every letter that only one of two words has is a slip: most candidates are left out without a comparison.
        let near = || wanted_letters.slips_to(Letters::of(candidate)) <= most;
        // Other letters may become more of them in lower case, and never fewer.
        !candidate.is_ascii() && letters < far || letters.abs_diff(length) <= most && near()
    };
    let close = candidates
        .into_iter()
        .filter(is_near)
        .filter_map(|candidate| {
            let bare = bare(candidate);
            let distance = strsim::damerau_levenshtein(&wanted, &bare);
            (distance <= slips(&wanted, &bare)).then_some((distance, candidate))
        });
    close
        .min_by_key(|(distance, _)| *distance)
        .map(|(distance, candidate)| (candidate, distance))
}

/// Which ASCII letters and signs are in a word, in any case, without separators. Some signs count as one.
#[derive(Clone, Copy)]
struct Letters(u64);

impl Letters {
    fn of(word: &str) -> Self {
        let letters = word
            .bytes()
            .filter(|byte| byte.is_ascii() && !matches!(byte, b'-' | b'_'));
        Letters(letters.fold(0, |all, byte| all | 1 << (byte.to_ascii_lowercase() % 64)))
    }

    /// There are no fewer slips between words of these letters.
    fn slips_to(self, other: Letters) -> usize {
        let only = |a: u64, b: u64| (a & !b).count_ones();
        only(self.0, other.0).max(only(other.0, self.0)) as usize
    }
}

/// The most slips that are believed in a word of this length.
fn most_slips(length: usize) -> usize {
    match length {
        0 => 0,
        1..=5 => 1,
        6..=8 => 2,
        length => length / 4,
    }
}

/// How many slips are believed between two words. In short ones, a different letter makes a different word: `for` is not a
/// misspelt `foo`, but `mxa` is a misspelt `max`.
fn slips(word: &str, candidate: &str) -> usize {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    match word.chars().count().max(candidate.chars().count()) {
        0 => 0,
        1..=3 => usize::from(letters(word) == letters(candidate)),
        4..=5 => 1,
        6..=8 => 2,
        length => length / 4,
    }
}

/// serde's `rename_all` rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the rules")]
pub enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// The rules as they are written.
    pub const NAMES: [&'static str; 8] = [
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case",
        "SCREAMING-KEBAB-CASE",
    ];

    /// The rule of this name.
    pub fn parse(name: &str) -> Option<Case> {
        let cases = [
            Case::Lower,
            Case::Upper,
            Case::Pascal,
            Case::Camel,
            Case::Snake,
            Case::ScreamingSnake,
            Case::Kebab,
            Case::ScreamingKebab,
        ];
        Case::NAMES
            .iter()
            .position(|known| *known == name)
            .map(|i| cases[i])
    }

    /// A field's name under the rule, as serde renames it.
    pub fn apply_to_field(self, field: &str) -> String {
        let pascal = || {
            let mut text = String::new();
            let mut capital = true;
            for c in field.chars() {
                if c == '_' {
                    capital = true;
                } else if std::mem::take(&mut capital) {
                    text.push(c.to_ascii_uppercase());
                } else {
                    text.push(c);
                }
            }
            text
        };
        match self {
            Case::Lower | Case::Snake => field.to_owned(),
            Case::Upper | Case::ScreamingSnake => field.to_ascii_uppercase(),
            Case::Pascal => pascal(),
            Case::Camel => {
                let text = pascal();
                match text.chars().next() {
                    Some(first) => format!(
                        "{}{}",
                        first.to_ascii_lowercase(),
                        &text[first.len_utf8()..]
                    ),
                    None => text,
                }
            }
            Case::Kebab => field.replace('_', "-"),
            Case::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_more_than_512_letters_is_compared_with_nothing() {
        let known = "k".repeat(512);
        let near = format!("{}x", "k".repeat(511));
        assert_eq!(nearest(&near, [known.as_str()]), Some(known.as_str()));
        assert_eq!(nearest(&format!("{known}x"), [known.as_str()]), None);
    }

    #[test]
    fn keys_become_environment_segments() {
        for (key, segment) in [
            ("port", "PORT"),
            ("listen-port", "LISTEN_PORT"),
            ("listen_port", "LISTEN_PORT"),
            ("listenPort", "LISTEN_PORT"),
            ("HTTPPort", "HTTP_PORT"),
            ("max.size", "MAX_SIZE"),
            ("ipv4Only", "IPV4_ONLY"),
        ] {
            assert_eq!(env_segment(key), segment);
        }
    }

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_finds_none() {
        let keys = ["port", "max_size", "host"];
        assert_eq!(nearest("prot", keys), Some("port"));
        assert_eq!(nearest("maxSize", keys), Some("max_size"));
        assert_eq!(nearest("max_szie", keys), Some("max_size"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn words_of_any_length_and_letters_cost_little() {
        let long = ["\u{130}ab".repeat(20_000), "ab".repeat(30_000)];
        for word in [&long[0], &long[1], "ab", &"ab".repeat(200)] {
            assert_eq!(nearest(word, long.each_ref().map(|one| &**one)), None);
        }
        let name = "ab".repeat(200);
        assert_eq!(nearest(&name[1..], [&*name]), Some(&*name));
    }

    #[test]
    fn what_is_left_out_without_a_comparison_is_never_near() {
        let names = [
            "port",
            "max_size",
            "host",
            "idle-timeout",
            "HTTP2",
            "tls",
            "a.b",
            "Zeit",
        ];
        // Every word at one slip from a name, and at two from it.
        let slipped = |word: &str| {
            let chars: Vec<char> = word.chars().collect();
            let mut words = Vec::new();
            for at in 0..=chars.len() {
                for with in ["", "e", "7", "_", "é", "X"] {
                    for skipped in 0..=1 {
                        let begin: String = chars[..at].iter().collect();
                        let end = chars.iter().skip(at + skipped).collect::<String>();
                        words.push(begin + with + &end);
                    }
                }
            }
            words
        };
        let bare = |text: &str| text.to_lowercase().replace(['-', '_'], "");
        for name in names {
            for word in slipped(name).iter().flat_map(|word| slipped(word)) {
                let (a, b) = (bare(&word), bare(name));
                let is_near = strsim::damerau_levenshtein(&a, &b) <= slips(&a, &b);
                assert_eq!(
                    nearest(&word, [name]).is_some(),
                    is_near,
                    "{word} and {name}"
                );
            }
        }
    }

    #[test]
    fn the_shorter_a_word_the_closer_a_suggestion_must_be() {
        for (word, candidate) in [
            ("mxa", "max"),
            ("DB", "db"),
            ("prt", "port"),
            ("prot", "port"),
            ("post", "port"),
            ("sise", "size"),
            ("debgu", "debug"),
            ("tmeout", "timeout"),
            ("pasword", "password"),
            ("pas-word", "password"),
            ("max_conections", "max_connections"),
        ] {
            assert_eq!(nearest(word, [candidate]), Some(candidate), "{word}");
        }
        for (word, candidate) in [
            ("", "a"),
            ("a", ""),
            ("a", "ab"),
            ("foo", "for"),
            ("min", "max"),
            ("tls", "tcp"),
            ("key", "ttl"),
            ("red", "rod"),
            ("code", "mode2"),
            ("host", "port"),
            ("level", "label"),
            ("region", "retries"),
            ("password", "passport_id"),
        ] {
            assert_eq!(nearest(word, [candidate]), None, "{word}");
        }
    }

    #[test]
    fn of_several_candidates_the_nearest_is_suggested() {
        assert_eq!(
            nearest("max_siz", ["min_size", "max_size"]),
            Some("max_size")
        );
    }

    #[test]
    fn fields_are_renamed_as_serde_does() {
        let renamed: Vec<_> = Case::NAMES
            .iter()
            .filter_map(|name| Case::parse(name))
            .map(|case| case.apply_to_field("max_body_2"))
            .collect();
        assert_eq!(
            renamed,
            [
                "max_body_2",
                "MAX_BODY_2",
                "MaxBody2",
                "maxBody2",
                "max_body_2",
                "MAX_BODY_2",
                "max-body-2",
                "MAX-BODY-2"
            ]
        );
        assert_eq!(Case::parse("Kebab"), None);
    }
}
