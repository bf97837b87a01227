//! What YAML's own tags (`!!str`, `!!int` and so on) make of a value: what has one that fits becomes a value without, and a tag that is
//! left is the document's own, or one that is not read there.

use super::{
    merge::MERGE,
    model::{Document, NodeContent, ScalarStyle},
    scalar::yaml,
};

const CORE: &str = "tag:yaml.org,2002:";

/// Takes away YAML's own tags from the values that they fit.
pub(super) fn settle(document: &mut Document<'_>) {
    for node in &mut document.nodes {
        let Some(tag) = node.tag.as_deref().and_then(of_yaml) else {
            continue;
        };
        let fits = match (&mut node.content, tag) {
            (NodeContent::List(_), "seq" | "!") | (NodeContent::Map(_), "map" | "!") => true,
            (NodeContent::Scalar(scalar), tag) => {
                let text = scalar.text.as_ref();
                let (fits, style) = match tag {
                    // A date is read by its type.
                    "str" | "timestamp" | "!" => (true, ScalarStyle::Quoted),
                    // Some programs write the key of a merge with its tag.
                    "merge" => (text == MERGE, ScalarStyle::Plain),
                    "null" => (yaml::is_nothing(text), ScalarStyle::Plain),
                    "bool" => (yaml::bool(text).is_some(), ScalarStyle::Plain),
                    "int" => (yaml::integer(text).is_some(), ScalarStyle::Plain),
                    "float" => (yaml::float(text).is_some(), ScalarStyle::Plain),
                    _ => (false, scalar.style),
                };
                if fits {
                    scalar.style = style;
                }
                // Without the tag it would be an integer, or a text.
                let is_float = fits && tag == "float" && !text.contains(['.', 'e', 'E']);
                if is_float {
                    scalar.text = format!("{text}.0").into();
                }
                fits
            }
            _ => false,
        };
        if fits {
            node.tag = None;
        }
    }
}

/// The name of a tag of YAML's own. A `!` alone makes a text of a scalar, whatever it looks like, and nothing else of a list or a map.
fn of_yaml(tag: &str) -> Option<&str> {
    match tag {
        "!" => Some(tag),
        tag => tag.strip_prefix(CORE),
    }
}

/// What a tag of YAML's own asks for that the value is not; none where the tag is another one.
pub(super) fn asks_for(tag: &str) -> Option<&'static str> {
    Some(match tag.strip_prefix(CORE)? {
        "str" => "a string, as its tag `!!str` has it",
        "null" => "null, as its tag `!!null` has it",
        "bool" => "a boolean, as its tag `!!bool` has it",
        "int" => "an integer, as its tag `!!int` has it",
        "float" => "a float, as its tag `!!float` has it",
        "seq" => "a list, as its tag `!!seq` has it",
        "map" => "a map, as its tag `!!map` has it",
        _ => return None,
    })
}

/// Whether the text may have a tag: a `!` that is not inside of a word.
pub(crate) fn may_be_in(text: &str) -> bool {
    are_in(text, |_| true)
}

/// Whether the text may have a tag that is not the document's own.
pub(crate) fn may_be_global(text: &str) -> bool {
    text.contains("%TAG") || are_in(text, |rest| rest.starts_with(['!', '<']))
}

fn are_in(text: &str, is_one: impl Fn(&str) -> bool) -> bool {
    text.match_indices('!').any(|(at, _)| {
        let before = text[..at].bytes().next_back();
        let is_begin = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'!');
        is_begin && is_one(&text[at + 1..])
    })
}
