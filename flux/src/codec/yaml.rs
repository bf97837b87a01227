//! Which YAML documents the fast decoder does not follow (merge keys, tags, variants as maps) and how those are decoded.
//!
//! Documents with merge keys (`<<`) or tags, and those that write a variant as a map of one key, are decoded from the document model.

mod failure;

pub(super) use failure::failure;

use super::{LazyModel, Syntax};
use crate::document::{Lines, MERGE, NodeDecoder, bad_merge, tags};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// Whether the text may have merge keys or tags, which only the document model is read with.
pub(super) fn needs_model(text: &str) -> bool {
    text.contains(MERGE) || tags::may_be_in(text)
}

/// Whether the format's decoder failed because it takes a variant with content only as a tag.
pub(super) fn wants_a_tag(error: &serde_yaml::Error) -> bool {
    let text = error.to_string();
    text.contains("a YAML tag starting with '!'") || text.contains("deserializing nested enum in ")
}

/// Decodes a document by way of the model, which reads each value as the fast decoder does. Whatever its tags are, it is read `with_any_tag`.
pub(super) fn decode<T: DeserializeOwned>(
    model: &LazyModel<'_, '_>,
    with_any_tag: bool,
) -> Result<T, Syntax> {
    let (document, has_places) = match model.placed() {
        Ok(document) => (document, true),
        Err(_) => (model.unplaced().map_err(Clone::clone)?, false),
    };
    let global = || tags::may_be_global(model.text).filter(|_| !with_any_tag);
    if let (false, Some(at)) = (has_places, global()) {
        let place = Lines::of(model.text).place(model.text, at);
        return Err(Syntax::new(&UNPLACED_TAG, Some(place), false));
    }
    if let Some(bad) = bad_merge(document) {
        let at = has_places.then(|| document.start(bad.value));
        return Err(Syntax::new(&bad.sentence, at, false));
    }
    let (parts, left) = (HashMap::new(), NodeDecoder::budget(document));
    let decoder = NodeDecoder::new(document, &parts, &left);
    let decoder = match with_any_tag {
        true => decoder.with_any_tag(),
        false => decoder,
    };
    T::deserialize(decoder).map_err(|error| Syntax::new(&error, None, true))
}

/// The parser without places drops such tags.
const UNPLACED_TAG: &str = "has what may be a YAML tag here (`!!` and a word), and somewhere a form of YAML in which tags are not read; \
                            remove the tag, or the `!!` where it is none";

#[cfg(test)]
#[cfg(feature = "derive")]
mod variants;

#[cfg(test)]
#[cfg(feature = "derive")]
mod tests {
    use crate::{
        codec::{self, Decoder, Unknown},
        problem::{Dotted, What},
    };
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

    #[test]
    fn what_has_no_end_is_reported_with_its_beginning() {
        for (text, place, begin) in [
            (
                "maps: {\n  a: {b: 1\nmore: 2\n",
                (3, 5),
                "a flow mapping that begins in line 2, column 6",
            ),
            (
                "maps: \"{\n\n\n",
                (4, 1),
                "a quoted scalar that begins in line 1, column 7",
            ),
        ] {
            let (what, at) = problem(text).unwrap();
            assert_eq!(at, Some(place), "{what}");
            assert!(
                what.contains(begin) && !what.contains(" at line "),
                "{what}"
            );
        }
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct TaggedApp {
        #[flux(default)]
        plain: u8,
        #[flux(default)]
        maybe: Option<u8>,
        #[flux(default)]
        text: String,
        #[flux(default)]
        on: bool,
        #[flux(default)]
        list: Vec<Option<u8>>,
        #[flux(secret, default)]
        password: String,
    }

    #[test]
    fn a_text_that_its_tag_does_not_fit_is_refused_with_its_path_and_place() {
        for (text, path, at) in [
            ("on: true\nplain: !!null\n", "plain", (2, 14)),
            ("on: true\nplain: !!null ''\n", "plain", (2, 15)),
            ("on: true\nplain:\n  !!null\ntext: a", "plain", (3, 9)),
            ("on: true\nplain: !!null  # nothing\n\n", "plain", (2, 14)),
            ("plain: !!int\non: true", "plain", (1, 13)),
            ("plain: !!int x\non: true", "plain", (1, 14)),
            ("on: true\nmaybe: !!null x", "maybe", (2, 15)),
            ("on: true\ntext: !!null\n", "text", (2, 13)),
            ("text: a\non: !!bool x", "on", (2, 12)),
            ("on: true\nlist: [1, !!null 'x', 2]", "list[1]", (2, 18)),
        ] {
            for other in ["", "password: secret\n"] {
                let document = format!("{text}\n{other}");
                let decoder = Decoder::Yaml;
                let decoded =
                    codec::decode::<TaggedApp>(&decoder, document.as_bytes(), Unknown::Warn);
                let found = decoded.err().expect(text).found;
                let place = |one: &codec::Found| (Dotted(&one.problem.path).to_string(), one.at);
                let seen: Vec<_> = found.iter().map(place).collect();
                assert_eq!(seen, [(path.to_owned(), Some(at))], "{text}");
            }
        }
    }

    #[derive(Debug, Clone, serde::Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "lowercase")]
    enum TagMode {
        Keep,
        Remove(String),
        Maybe(Option<u8>),
        Range {
            #[serde(default)]
            from: u8,
        },
    }

    #[derive(Debug, Clone, serde::Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum TagLevel {
        Info,
        Null,
    }

    #[derive(Debug, Clone, serde::Deserialize, PartialEq)]
    enum TagLog {
        Off,
        Level(TagLevel),
        Maybe(Option<TagLevel>),
        Both(TagLevel, TagLevel),
        Named { level: TagLevel },
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "its layer is what is looked at")]
    struct TagLogApp {
        #[flux(default)]
        logs: Vec<TagLog>,
        #[flux(default, opaque)]
        any: serde_yaml::Value,
    }

    #[derive(serde::Deserialize)]
    struct PlainLogs {
        logs: Option<Vec<TagLog>>,
        any: Option<serde_yaml::Value>,
    }

    /// What follows the tag of a variant may be an enum itself, whose variant is a text.
    #[test]
    fn variants_in_variants_and_values_that_take_any_tag_are_what_plain_serde_reads() {
        for document in [
            "logs: [!Level info, !Level null, !Off , !Maybe info]",
            "logs: [!Both [info, null], !Named {level: info}, Off]",
            "any: !include {a: [!one 1, 2]}",
        ] {
            let plain: PlainLogs = serde_yaml::from_str(document).unwrap();
            let decoded =
                codec::decode::<TagLogApp>(&Decoder::Yaml, document.as_bytes(), Unknown::Warn);
            let layer = decoded.unwrap_or_else(|_| panic!("{document}")).layer;
            assert_eq!(layer.logs, plain.logs, "{document}");
            assert_eq!(layer.any, plain.any, "{document}");
        }
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct TagsApp {
        text: Option<String>,
        number: Option<u32>,
        ratio: Option<f64>,
        on: Option<bool>,
        maybe: Option<u8>,
        list: Option<Vec<u8>>,
        #[flux(default)]
        map: BTreeMap<String, u8>,
        mode: Option<TagMode>,
        #[flux(default)]
        modes: BTreeMap<TagMode, u8>,
        any: Option<serde_json::Value>,
    }

    /// `[?"a"]` is what only the decoder's own parser follows.
    #[test]
    fn a_document_without_places_is_refused_where_a_tag_may_be_in_it_and_not_for_a_comment() {
        for (document, place) in [
            ("number: 7 # as of !!str\nzz: [?\"a\"]", None),
            ("# !!str 7 or !<x>\r\nnumber: 7\nzz: [?\"a\"]", None),
            ("number: 7\ntext: wow!! !!\nzz: [?\"a\"]", None),
            ("number: 7 # it's !!str\nzz: [?\"a\"]", Some((1, 18))),
            ("number: !!str 7 # !!\nzz: [?\"a\"]", Some((1, 9))),
            (
                "{text: 'a # b', number: !!str 7, zz: [?\"a\"]}",
                Some((1, 25)),
            ),
            (
                "{text: 'a\n # b', number: !!str 7, zz: [?\"a\"]}",
                Some((2, 16)),
            ),
            ("zz: [?\"a\"]\n# a\u{85}number: !!str 7", Some((2, 13))),
            (
                "%TAG ! tag:yaml.org,2002:\n---\nnumber: !str 7\nzz: [?\"a\"]",
                Some((1, 1)),
            ),
        ] {
            let decoded =
                codec::decode::<TagsApp>(&Decoder::Yaml, document.as_bytes(), Unknown::Ignore);
            match (decoded, place) {
                (Ok(decoded), None) => {
                    assert_eq!(decoded.layer.number, Some(Some(7)), "{document}")
                }
                (Err(found), Some(_)) => {
                    let found = &found.found[0];
                    let what = sentence_of(&found.problem.what);
                    assert!(
                        what.contains("has what may be a YAML tag"),
                        "{document}: {what}"
                    );
                    assert_eq!(found.at, place, "{document}");
                }
                (decoded, _) => panic!("{document}: {}", decoded.is_ok()),
            }
        }
    }

    fn sentence_of(what: &What) -> String {
        match what {
            What::Type { found, expected } => format!("expected {expected}, found {found}"),
            what => format!("{what:?}"),
        }
    }

    fn shown(one: Option<&dyn std::fmt::Debug>) -> String {
        one.map_or("None".to_owned(), |one| format!("{one:?}"))
    }
    #[tokio::test]
    async fn each_row_of_the_table_of_tags_is_what_happens() {
        let mut rows = 0;
        let page = include_str!("../docs/sources.md");
        let (_, table) = page.split_once("What tags mean").unwrap();
        let (table, _) = table.split_once("# Options").unwrap();
        for line in table.lines().filter(|line| line.starts_with("| `")) {
            let (document, outcome) = line.trim_matches(['|', ' ']).split_once(" | ").unwrap();
            let text = document.trim_matches('`');
            rows += 1;
            for (text, has_place) in [
                (text.to_owned(), true),
                (format!("{text}\nzz: [?\"a\"]"), false),
            ] {
                let decoded =
                    codec::decode::<TagsApp>(&Decoder::Yaml, text.as_bytes(), Unknown::Ignore);
                match (outcome.strip_prefix("refused: "), decoded) {
                    (Some(sentence), Err(found)) => {
                        let found = &found.found[0];
                        let what = sentence_of(&found.problem.what);
                        if !has_place {
                            continue;
                        }
                        let sentence = sentence.split(';').next().unwrap();
                        assert!(what.contains(sentence), "{text}: {what}");
                        assert_eq!(found.at.map(|at| at.0), Some(1), "{text}");
                        let path = Dotted(&found.problem.path).to_string();
                        assert!(
                            text.starts_with(path.split(['.', '[']).next().unwrap()),
                            "{path}"
                        );
                    }
                    (None, Ok(_)) => {
                        let (sender, channel) = crate::source::Channel::buffered("document", 1);
                        let source = crate::Source::watcher(channel).format(crate::Format::Yaml);
                        let builder = crate::Capacitor::<TagsApp>::builder().source(source);
                        let capacitor = builder.unknown(Unknown::Ignore).build().unwrap();
                        sender.send(text.clone().into_bytes()).await.unwrap();
                        capacitor.start().await.unwrap();
                        let app = capacitor.get();
                        let value = match text.split_once(':').unwrap().0 {
                            "text" => shown(app.text.as_ref().map(|one| one as _)),
                            "number" => shown(app.number.as_ref().map(|one| one as _)),
                            "ratio" => shown(app.ratio.as_ref().map(|one| one as _)),
                            "on" => shown(app.on.as_ref().map(|one| one as _)),
                            "maybe" => shown(app.maybe.as_ref().map(|one| one as _)),
                            "list" => shown(app.list.as_ref().map(|one| one as _)),
                            "map" => shown(Some(&app.map)),
                            "mode" => shown(app.mode.as_ref().map(|one| one as _)),
                            _ => shown(app.any.as_ref().map(|one| one as _)),
                        };
                        assert_eq!(outcome.split('`').nth(1), Some(&*value), "{text}");
                    }
                    // What no parser with spans follows is refused, by whoever reads it.
                    (_, Err(_)) if !has_place => {}
                    (_, decoded) => panic!("{text}: {}", decoded.is_ok()),
                }
            }
        }
        assert_eq!(rows, 34);
    }

    #[tokio::test]
    async fn each_row_of_the_table_of_merge_keys_is_what_happens() {
        let mut rows = 0;
        let page = include_str!("../docs/sources.md");
        let (_, table) = page.split_once("What merge keys mean").unwrap();
        let (table, _) = table.split_once("What tags mean").unwrap();
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
