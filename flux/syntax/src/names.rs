//! Names: how a field is called in documents and in the environment, and what a misspelt one may have meant.

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

/// The candidate that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bare = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let wanted = bare(word);
    let length = wanted.chars().count();
    let limit = if length < 3 { 1 } else { (length / 3).max(2) };
    let close = candidates.into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(&wanted, &bare(candidate));
        (distance <= limit && distance < length).then_some((distance, candidate))
    });
    close
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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
