//! What YAML's own tags (`!!str`, `!!int` and so on) make of a value: what has one that fits becomes a value without, and a tag that is
//! left is the document's own, or one that is not read there.

use super::{
    merge::MERGE,
    model::{Document, NodeContent, ScalarStyle},
    scalar::{ResolvedKind, yaml},
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
                let is_one_anyway =
                    || yaml::kind(text, ScalarStyle::Plain, None) == ResolvedKind::Float;
                scalar.is_tagged_float = fits && tag == "float" && !is_one_anyway();
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
    places(text).next().is_some()
}

/// Where the text may have a tag that is not the document's own: the byte of the first one.
pub(crate) fn may_be_global(text: &str) -> Option<usize> {
    let directive = text
        .match_indices("%TAG")
        .find(|(at, _)| line_before(text, *at).is_empty());
    let is_one = |rest: &str| {
        let is_word = |rest: &str| rest.starts_with(|c: char| !c.is_whitespace() && c != '"');
        rest.starts_with('<') || rest.strip_prefix('!').is_some_and(is_word)
    };
    let tag = places(text).find(|at| is_one(&text[at + 1..]) && !is_in_comment(text, *at));
    directive.map(|(at, _)| at).or(tag)
}

fn places(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('!').map(|(at, _)| at).filter(|at| {
        let before = text[..*at].bytes().next_back();
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'!')
    })
}

/// Whether this byte is certainly in a comment or a text: before it in its line is a `#` behind a blank, and no quotes. A text in
/// quotes with the `#` in it would still go on.
fn is_in_comment(text: &str, at: usize) -> bool {
    let line = line_before(text, at);
    let mut marks = line.match_indices('#');
    let is_first = |mark: usize| mark == 0 || line[..mark].ends_with([' ', '\t']);
    !line.contains(['"', '\'']) && marks.any(|(mark, _)| is_first(mark))
}

/// What is before this byte in its line, where YAML 1.1 has lines end.
fn line_before(text: &str, at: usize) -> &str {
    let before = &text[..at];
    let is_break = |c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    before.rsplit(is_break).next().unwrap_or(before)
}
