//! Text of the environment, read as the target's type asks: lists as `a,b` and `[a, b]`, maps as `{a=1,b=2}`.

use crate::document::tree::Tree;

/// `true`, `yes`, `on`, `1` and their opposites.
pub(crate) fn bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The pieces between the commas that no bracket and no quote encloses.
fn pieces(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut from) = (0_i32, None, 0);
    let mut pieces = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                pieces.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = text[from..].trim();
    if !last.is_empty() {
        pieces.push(last);
    }
    pieces
}

fn unquote(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_owned()
}

fn inside(text: &str, open: char, close: char) -> &str {
    let text = text.trim();
    text.strip_prefix(open)
        .and_then(|t| t.strip_suffix(close))
        .unwrap_or(text)
}

/// A list; `[]` and the empty text are the empty one.
pub(crate) fn list(text: &str) -> Vec<Tree> {
    pieces(inside(text, '[', ']'))
        .into_iter()
        .map(|piece| Tree::Raw(unquote(piece)))
        .collect()
}

/// A map, where every piece has a `=`.
pub(crate) fn map(text: &str) -> Option<Vec<(String, Tree)>> {
    let entry = |piece: &str| {
        let (key, value) = piece.split_once('=')?;
        Some((unquote(key), Tree::Raw(unquote(value))))
    };
    pieces(inside(text, '{', '}'))
        .into_iter()
        .map(entry)
        .collect()
}

/// Deeper than this a text is taken as it is, so that no variable can exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Whether lists and maps stand in each other too deep.
pub(crate) fn is_too_deep(text: &str) -> bool {
    depth(text) > MAX_DEPTH
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What a text is for a target that takes anything: only what prints the same again is a number.
pub(crate) fn guess(text: &str) -> Tree {
    let trimmed = text.trim();
    match trimmed {
        "true" => return Tree::Bool(true),
        "false" => return Tree::Bool(false),
        _ => {}
    }
    if let Ok(number) = trimmed.parse::<u64>()
        && number.to_string() == trimmed
    {
        return Tree::U64(number);
    }
    if let Ok(number) = trimmed.parse::<i64>()
        && number.to_string() == trimmed
    {
        return Tree::I64(number);
    }
    if trimmed.contains('.')
        && let Ok(number) = trimmed.parse::<f64>()
    {
        return Tree::F64(number);
    }
    if is_too_deep(trimmed) {
        return Tree::Raw(text.to_owned());
    }
    if trimmed.starts_with('[') && trimmed.ends_with(']') {
        return Tree::Seq(list(trimmed));
    }
    if trimmed.starts_with('{')
        && trimmed.ends_with('}')
        && let Some(entries) = map(trimmed)
    {
        return Tree::Map(entries);
    }
    Tree::Raw(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::document::raw::*;
    use proptest::prelude::*;

    fn raw(text: &str) -> Tree {
        Tree::Raw(text.to_owned())
    }

    #[test]
    fn lists_are_read_with_and_without_brackets() {
        assert_eq!(list("a,b"), [raw("a"), raw("b")]);
        assert_eq!(list("[a, b]"), [raw("a"), raw("b")]);
        assert_eq!(list("[]"), []);
        assert_eq!(list("\"a,b\",c"), [raw("a,b"), raw("c")]);
        assert_eq!(list("[{a=1,b=2},{a=3}]"), [raw("{a=1,b=2}"), raw("{a=3}")]);
        assert_eq!(list("a,b,"), [raw("a"), raw("b")]);
    }

    #[test]
    fn maps_need_an_equals_sign_in_every_entry() {
        assert_eq!(
            map("{a=1,b=\"x,y\"}"),
            Some(vec![("a".into(), raw("1")), ("b".into(), raw("x,y"))])
        );
        assert_eq!(map("a=1"), Some(vec![("a".into(), raw("1"))]));
        assert_eq!(map("a"), None);
    }

    #[test]
    fn a_number_with_a_leading_zero_stays_text() {
        assert_eq!(guess("0123"), raw("0123"));
        assert_eq!(guess("123"), Tree::U64(123));
        assert_eq!(guess("-1"), Tree::I64(-1));
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in ".*") {
            let _ = (list(&text), map(&text), guess(&text), bool(&text));
        }
    }
}
