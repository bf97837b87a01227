//! Which YAML documents the fast decoder does not follow (merge keys, variants as maps) and how those are decoded; the words for
//! its errors.
//!
//! Documents with merge keys (`<<`), and those that write a variant as a map of one key, are decoded from the document model.

use super::{LazyModel, Syntax};
use crate::document::{Lines, MERGE, NodeDecoder, bad_merge};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// Whether the text may have merge keys.
pub(super) fn may_merge(text: &str) -> bool {
    text.contains(MERGE)
}

/// Whether the format's decoder failed because it takes a variant with content only as a tag.
pub(super) fn wants_a_tag(error: &serde_yaml::Error) -> bool {
    let text = error.to_string();
    text.contains("a YAML tag starting with '!'") || text.contains("deserializing nested enum in ")
}

/// What the format's decoder reports, and where. It has no place for a character that no document may contain.
pub(super) fn failure(text: &str, error: &serde_yaml::Error, quotes: bool) -> Syntax {
    let message = error.to_string();
    if message.starts_with(CONTROL) {
        let offset = text.find(is_forbidden);
        let at = offset.map(|offset| Lines::of(text).place(text, offset));
        return Syntax::new(&CONTROL, at, false);
    }
    let at = error.location().map(|at| (at.line(), at.column()));
    Syntax::new(&message, at, quotes)
}

const CONTROL: &str = "control characters are not allowed";

/// The characters that the parser refuses wherever they are.
fn is_forbidden(c: char) -> bool {
    let is_blank = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    (c.is_control() && !is_blank) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Decodes a document by way of the model, which reads each value as the fast decoder does.
pub(super) fn decode<T: DeserializeOwned>(model: &LazyModel<'_, '_>) -> Result<T, Syntax> {
    let (document, has_places) = match model.placed() {
        Ok(document) => (document, true),
        Err(_) => (model.unplaced().map_err(Clone::clone)?, false),
    };
    if let Some(bad) = bad_merge(document) {
        let at = has_places.then(|| document.start(bad.value));
        return Err(Syntax::new(&bad.sentence, at, false));
    }
    let (parts, left) = (HashMap::new(), NodeDecoder::budget(document));
    T::deserialize(NodeDecoder::new(document, &parts, &left))
        .map_err(|error| Syntax::new(&error, None, true))
}

#[cfg(test)]
#[cfg(feature = "derive")]
mod tests {
    use crate::codec::{self, Decoder, Unknown};
    use std::collections::BTreeMap;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct MergeKeyApp {
        #[flux(default)]
        maps: BTreeMap<String, BTreeMap<String, u32>>,
    }

    /// The first problem of a document, with its line and column; none where it is read.
    fn problem(text: &str) -> Option<(String, Option<(usize, usize)>)> {
        let decoded = codec::decode::<MergeKeyApp>(&Decoder::Yaml, text.as_bytes(), Unknown::Warn);
        let found = decoded.err()?.found.remove(0);
        Some((format!("{:?}", found.problem.what), found.at))
    }

    #[tokio::test]
    async fn each_row_of_the_table_of_merge_keys_is_what_happens() {
        let mut rows = 0;
        let page = include_str!("../docs/sources.md");
        let (_, table) = page.split_once("What merge keys mean").unwrap();
        let (table, _) = table.split_once("# Options").unwrap();
        for line in table.lines().filter(|line| line.starts_with("| `")) {
            let (document, outcome) = line.trim_matches(['|', ' ']).split_once(" | ").unwrap();
            let text = format!("maps: {}", document.trim_matches('`'));
            match outcome.strip_prefix("refused: ") {
                Some(sentence) => {
                    let (found, at) = problem(&text).unwrap();
                    assert!(found.contains(sentence), "{text}: {found}");
                    assert!(at.is_some(), "{text}");
                }
                None => {
                    let (sender, channel) = crate::source::Channel::buffered("document", 1);
                    let source = crate::Source::watcher(channel).format(crate::Format::Yaml);
                    let capacitor = crate::Capacitor::<MergeKeyApp>::builder()
                        .source(source)
                        .build()
                        .unwrap();
                    sender.send(text.clone().into_bytes()).await.unwrap();
                    capacitor.start().await.unwrap();
                    let value = format!("{:?}", capacitor.get().maps);
                    assert_eq!(outcome.split('`').nth(1), Some(&*value), "{text}");
                    capacitor.stop().await;
                }
            }
            rows += 1;
        }
        assert_eq!(rows, 6);
    }
}
