//! Where in a document a path is: the document is decoded again along the path and made to fail at its end, so that the
//! format's own decoder tells the place.

#[cfg(any(feature = "json", feature = "yaml", feature = "toml"))]
use super::probe::Probe;
use super::{Decoder, text_of};
use crate::{document::tree::Tree, problem::Seg};
#[cfg(any(feature = "json", feature = "yaml", feature = "toml"))]
use serde::de::DeserializeSeed;

/// A way into a document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way<'p> {
    /// By keys and indices; of a key that stands there twice, the first.
    Path(&'p [Seg]),
    /// By the numbers of entries and items, from 0, in the order in which the format's decoder gives them.
    Nth(&'p [usize]),
}

impl<'p> Way<'p> {
    pub(super) fn is_over(self) -> bool {
        match self {
            Way::Path(path) => path.is_empty(),
            Way::Nth(numbers) => numbers.is_empty(),
        }
    }
    #[cfg(any(feature = "json", feature = "yaml", feature = "toml"))]
    pub(super) fn inner(self) -> Self {
        match self {
            Way::Path(path) => Way::Path(path.get(1..).unwrap_or_default()),
            Way::Nth(numbers) => Way::Nth(numbers.get(1..).unwrap_or_default()),
        }
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Line and column, counted from 1, the column in characters.
    pub(crate) start: (usize, usize),
    /// The last line, where the format's decoder tells it.
    pub(crate) last_line: Option<usize>,
}

/// Line and column of the value at `path`, counted from 1.
pub(crate) fn locate(decoder: &Decoder, bytes: &[u8], path: &[Seg]) -> Option<(usize, usize)> {
    let text = text_of(bytes).ok()?;
    #[cfg(feature = "yaml")]
    if matches!(decoder, Decoder::Yaml) && super::yaml::may_merge(text) {
        let (tree, moved) = super::yaml::tree(text).ok()?;
        let numbers = moved.in_document(&numbers(&tree, path)?);
        return span_at(decoder, text, Way::Nth(&numbers)).map(|span| span.start);
    }
    span_at(decoder, text, Way::Path(path)).map(|span| span.start)
}

/// The numbers that lead to the first value with this path.
pub(super) fn numbers(tree: &Tree, path: &[Seg]) -> Option<Vec<usize>> {
    let mut tree = tree;
    let mut numbers = Vec::with_capacity(path.len());
    for seg in path {
        let (number, inner) = match (tree, seg) {
            (Tree::Map(entries), Seg::Key(wanted)) => {
                let number = entries.iter().position(|(key, _)| key == wanted)?;
                (number, &entries[number].1)
            }
            (Tree::Seq(items), Seg::Index(index)) => (*index, items.get(*index)?),
            _ => return None,
        };
        numbers.push(number);
        tree = inner;
    }
    Some(numbers)
}

/// Where the value at the end of `way` stands.
pub(crate) fn span_at(decoder: &Decoder, text: &str, way: Way<'_>) -> Option<Span> {
    if way.is_over() {
        return None;
    }
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => {
            let mut document = serde_json::Deserializer::from_str(text);
            let error = Probe { way, before: true }
                .deserialize(&mut document)
                .err()?;
            let (line, column) = after_blanks(text, error.line(), error.column() + 1);
            Some(Span {
                start: in_characters(text, line, column),
                // Neither a string nor a number can hold a line end.
                last_line: Some(line),
            })
        }
        #[cfg(feature = "yaml")]
        Decoder::Yaml => in_yaml(text, way),
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let document = ::toml::Deserializer::parse(text).ok()?;
            let error = Probe { way, before: false }.deserialize(document).err()?;
            error.span().map(|span| Span {
                start: super::line_and_column(text, span.start),
                last_line: Some(super::line_and_column(text, span.end).0),
            })
        }
        Decoder::Off(_) | Decoder::Custom(_) => {
            let _ = text;
            None
        }
    }
}

#[cfg(feature = "yaml")]
pub(super) fn in_yaml(text: &str, way: Way<'_>) -> Option<Span> {
    let document = serde_yaml::Deserializer::from_str(text);
    let error = Probe { way, before: false }.deserialize(document).err()?;
    error.location().map(|at| Span {
        start: (at.line(), at.column()),
        last_line: None,
    })
}

/// serde_json fails before the blanks that lead to the value.
#[cfg(feature = "json")]
fn after_blanks(text: &str, line: usize, column: usize) -> (usize, usize) {
    let (mut line, mut column) = (line, column);
    let lines: Vec<&str> = text.lines().collect();
    while let Some(rest) = lines.get(line - 1).and_then(|text| text.get(column - 1..)) {
        match rest.find(|c: char| !c.is_whitespace() && c != ':') {
            Some(blanks) => return (line, column + blanks),
            None if line < lines.len() => (line, column) = (line + 1, 1),
            None => break,
        }
    }
    (line, column)
}

/// A column that counts bytes as one that counts characters, both from 1.
#[cfg(feature = "json")]
pub(super) fn in_characters(text: &str, line: usize, column: usize) -> (usize, usize) {
    let before = column.saturating_sub(1);
    let line_text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let within = line_text
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= before);
    let characters = within.count();
    (
        line,
        characters + before.saturating_sub(line_text.len()) + 1,
    )
}

#[cfg(all(test, feature = "json", feature = "yaml", feature = "toml"))]
mod tests {
    use super::*;

    fn key(key: &str) -> Seg {
        Seg::Key(key.to_owned().into())
    }

    fn at(decoder: &Decoder, text: &str, way: Way<'_>) -> Option<(usize, usize)> {
        span_at(decoder, text, way).map(|span| span.start)
    }

    #[test]
    fn columns_count_characters_in_every_format() {
        let path = [key("o"), key("v")];
        for (decoder, text) in [
            (
                Decoder::Json,
                "{\"é😀\": \"ü\", \"o\": {\"ñ\": 1, \"v\": 2}}",
            ),
            (
                Decoder::Yaml,
                "{\"é😀\": \"ü\", \"o\": {\"ñ\": 1, \"v\": 2}}",
            ),
            (
                Decoder::Toml,
                "o = {\"é😀\"= \"ü\", \"oo\"=  \"ñ\"  , \"v\"= 2}",
            ),
        ] {
            let column = text.chars().position(|c| c == '2').map(|at| at + 1);
            let found = at(&decoder, text, Way::Path(&path));
            assert_eq!(found, column.map(|column| (1, column)), "{text}");
        }
    }

    #[test]
    fn the_second_of_two_equal_keys_is_found_by_its_number() {
        let json = "{\"a\": 1,\n\"a\": [0,\n 5]}";
        let yaml = "a: 1\na:\n - 0\n - 5";
        for (decoder, text, place) in [(Decoder::Json, json, (3, 2)), (Decoder::Yaml, yaml, (4, 4))]
        {
            assert_eq!(at(&decoder, text, Way::Nth(&[1, 1])), Some(place));
            assert_eq!(at(&decoder, text, Way::Nth(&[2])), None);
        }
    }

    #[test]
    fn a_column_in_bytes_becomes_one_in_characters() {
        for (text, place, found) in [
            ("abc", (1, 2), (1, 2)),
            ("é😀x", (1, 7), (1, 3)),
            ("é😀x", (1, 8), (1, 4)),
            ("é😀x", (1, 5), (1, 2)),
            ("é\n漢x", (2, 4), (2, 2)),
            ("é", (1, 9), (1, 8)),
            ("é\n", (2, 0), (2, 1)),
            ("", (1, 0), (1, 1)),
        ] {
            assert_eq!(in_characters(text, place.0, place.1), found, "{text}");
        }
    }
}
