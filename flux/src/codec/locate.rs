//! Where in a document a path is: the document is decoded again along the path and made to fail at its end, so that the
//! format's own decoder tells the place.

#[cfg(any(feature = "json", feature = "yaml", feature = "toml"))]
use super::probe::Probe;
use super::{Decoder, text_of};
use crate::layer::Seg;
#[cfg(any(feature = "json", feature = "yaml", feature = "toml"))]
use serde::de::DeserializeSeed;

/// Line and column of the value at `path`, counted from 1.
pub(crate) fn locate(decoder: &Decoder, bytes: &[u8], path: &[Seg]) -> Option<(usize, usize)> {
    position(decoder, text_of(bytes).ok()?, path)
}

pub(super) fn position(decoder: &Decoder, text: &str, path: &[Seg]) -> Option<(usize, usize)> {
    if path.is_empty() {
        return None;
    }
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => {
            let mut document = serde_json::Deserializer::from_str(text);
            let error = Probe { path, before: true }
                .deserialize(&mut document)
                .err()?;
            Some(after_blanks(text, error.line(), error.column() + 1))
        }
        #[cfg(feature = "yaml")]
        Decoder::Yaml => {
            let document = serde_yaml::Deserializer::from_str(text);
            let error = Probe {
                path,
                before: false,
            }
            .deserialize(document)
            .err()?;
            error.location().map(|at| (at.line(), at.column()))
        }
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let document = ::toml::Deserializer::parse(text).ok()?;
            let error = Probe {
                path,
                before: false,
            }
            .deserialize(document)
            .err()?;
            error
                .span()
                .map(|span| super::line_and_column(text, span.start))
        }
        Decoder::Off(_) | Decoder::Custom(_) => {
            let _ = text;
            None
        }
    }
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
