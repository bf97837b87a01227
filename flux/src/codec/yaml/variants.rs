//! Variants named by tags, with nothing, null and empty lists and maps behind them: what plain serde reads of them, Flux does.

use crate::codec::{self, Decoder, Unknown};
use std::collections::BTreeMap;

#[derive(Debug, Clone, serde::Deserialize, PartialEq)]
enum LeftOutVariant {
    Unit,
    Null(()),
    Maybe(Option<u8>),
    MaybeMap(Option<BTreeMap<String, u8>>),
    Number(u8),
    Ratio(f64),
    On(bool),
    Text(String),
    Word(char),
    List(Vec<u8>),
    None([u8; 0]),
    Map(BTreeMap<String, u8>),
    Section(LeftOutSection),
    Wrapped(LeftOutWrapper),
    Boxed(Box<LeftOutSection>),
    Pair(u8, u8),
    Struct {
        #[serde(default)]
        size: u8,
        path: Option<String>,
    },
    Required {
        size: u8,
    },
    Inner(LeftOutInner),
    Either(LeftOutEither),
    Any(serde_json::Value),
}

#[derive(Debug, Clone, serde::Deserialize, PartialEq)]
enum LeftOutInner {
    A,
}

#[derive(Debug, Clone, serde::Deserialize, PartialEq)]
#[serde(untagged)]
enum LeftOutEither {
    Map(BTreeMap<String, u8>),
    Nothing(()),
}

#[derive(Debug, Clone, serde::Deserialize, PartialEq)]
struct LeftOutWrapper(LeftOutSection);

#[derive(Debug, Clone, serde::Deserialize, PartialEq)]
struct LeftOutSection {
    #[serde(default)]
    size: u8,
    path: Option<String>,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct LeftOutApp {
    storage: Option<LeftOutVariant>,
    #[flux(default)]
    list: Vec<Option<LeftOutVariant>>,
    #[flux(default)]
    map: BTreeMap<String, LeftOutVariant>,
}

#[derive(Debug, serde::Deserialize)]
struct PlainLeftOut {
    storage: Option<LeftOutVariant>,
    list: Option<Vec<Option<LeftOutVariant>>>,
    map: Option<BTreeMap<String, LeftOutVariant>>,
}

const VARIANTS: [&str; 21] = [
    "Unit", "Null", "Maybe", "MaybeMap", "Number", "Ratio", "On", "Text", "Word", "List", "None",
    "Map", "Section", "Wrapped", "Boxed", "Pair", "Struct", "Required", "Inner", "Either", "Any",
];

#[test]
fn a_variant_with_nothing_or_something_empty_behind_its_tag_is_what_plain_serde_reads() {
    let (mut read, mut refused) = (0, 0);
    for variant in VARIANTS {
        for content in ["", "~", "null", "''", "{}", "[]", "# nothing"] {
            // Null is no text to Flux, with a tag or without.
            let is_no_text = matches!(variant, "Text" | "Word")
                && matches!(content, "" | "~" | "null" | "# nothing");
            for document in [
                format!("storage: !{variant} {content}"),
                format!("list:\n- !{variant} {content}\n- ~\n"),
                format!("map:\n  a: !{variant} {content}\n  b: !Unit\n"),
                format!("map: {{a: &a !{variant} {content}\n}}\nstorage: *a"),
                format!("list: [!{variant} {content}\n, ~]\nzz: [?\"a\"]"),
            ] {
                let plain = serde_yaml::from_str::<PlainLeftOut>(&document);
                let plain = plain.ok().filter(|_| !is_no_text);
                let decoder = Decoder::Yaml;
                let decoded =
                    codec::decode::<LeftOutApp>(&decoder, document.as_bytes(), Unknown::Ignore);
                match (plain, decoded) {
                    (Some(plain), Ok(decoded)) => {
                        read += 1;
                        let layer = decoded.layer;
                        assert_eq!(layer.storage.flatten(), plain.storage, "{document}");
                        assert_eq!(layer.list, plain.list, "{document}");
                        assert_eq!(layer.map, plain.map, "{document}");
                    }
                    (None, Err(_)) => refused += 1,
                    (plain, decoded) => panic!("{document}: {plain:?}, {}", decoded.is_ok()),
                }
            }
        }
    }
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
}
