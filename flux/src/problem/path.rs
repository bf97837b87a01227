//! Where in a config something is, how such a path is written (`pools.0.size`), and how it is read back.

use super::escape::{controls, spelled};
use std::{borrow::Cow, fmt, iter::Peekable, str::Chars, str::FromStr};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seg {
    /// A key of a section or of a map.
    Key(Cow<'static, str>),
    /// A position in a list, from 0.
    Index(usize),
}

impl Seg {
    /// In the place of a key that may be a secret.
    pub(crate) const WITHHELD: Seg = Seg::Key(Cow::Borrowed("…"));

    /// In the place of an index: an item of a set has none.
    pub(crate) const SET_ITEM: Seg = Seg::Index(usize::MAX);

    pub(crate) fn is_set_item(&self) -> bool {
        *self == Seg::SET_ITEM
    }
}

/// Keys are texts, positions are numbers.
impl serde::Serialize for Seg {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Seg::Key(key) => serializer.serialize_str(key),
            Seg::Index(index) => serializer.serialize_u64(*index as u64),
        }
    }
}

/// A path printed as `pool.hosts[2].name`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dotted<'a>(pub &'a [Seg]);

impl fmt::Display for Dotted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Dotted<'_> {
    /// The path as it is printed, without the cost of the formatting machinery: every update writes the paths that it changes.
    pub(crate) fn text(&self) -> String {
        let size = |seg: &Seg| match seg {
            Seg::Key(key) => key.len() + 1,
            Seg::Index(_) => 4,
        };
        let mut text = String::with_capacity(self.0.iter().map(size).sum());
        // Writing to a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut impl fmt::Write) -> fmt::Result {
        for (i, seg) in self.0.iter().enumerate() {
            match seg {
                Seg::Key(key) => {
                    if i > 0 {
                        to.write_str(".")?;
                    }
                    match is_bare(key) {
                        true => to.write_str(key)?,
                        false => write!(to, "{}", Quoted(key))?,
                    }
                }
                Seg::Index(index) => write!(to, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key needs no quotes: nothing in it has a meaning in a path or in the sentence around it.
fn is_bare(key: &str) -> bool {
    // Nearly every key is a word, and paths are written on the way of an update.
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !key.is_empty() && (key.as_bytes().iter().all(word) || all_plain(key))
}

#[cold]
fn all_plain(key: &str) -> bool {
    !key.starts_with(' ') && !key.ends_with(' ') && key.chars().all(is_plain)
}

fn is_plain(c: char) -> bool {
    !matches!(c, '.' | '[' | ']' | '"' | '\\' | '`' | ':' | ',')
        && (c == ' ' || !c.is_whitespace())
        && !controls(c)
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c => f.write_str(&spelled(c, false))?,
            }
        }
        f.write_str("\"")
    }
}

/// A path in a configuration, as reports, the status and events print it.
///
/// ```text
/// path  = "" | step { step }
/// step  = [ "." ] key | "[" number "]"     the dot is left out in front of the first step only
/// key   = bare | quoted
/// bare  = one or more characters, none of them invisible, a control character or one of . [ ] " \ ` : ,
///         and no space at the begin or the end
/// quoted = '"' { any other character | \" | \\ | \n | \r | \t | \u{hex} } '"'
/// ```
///
/// So `tenants."a.b".max` is the field `max` of the entry `a.b`, and `tenants.a.b.max` is another path. The empty path is the
/// configuration or the document as a whole. Every path is printed in one way, and [`FromStr`] gives the same path back:
///
/// ```
/// use flux::report::{KeyPath, PathStep};
///
/// let path: KeyPath = r#"tenants."a.b".hosts[2]"#.parse().unwrap();
/// assert_eq!(path.steps()[1], PathStep::Key("a.b".into()));
/// assert_eq!(path.steps()[3], PathStep::Index(2));
/// assert_eq!(path, r#"tenants."a.b".hosts[2]"#);
/// assert!(path.starts_with(&"tenants".parse().unwrap()));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyPath {
    steps: Vec<Seg>,
    text: String,
}

impl KeyPath {
    pub(crate) fn new(steps: &[Seg]) -> Self {
        KeyPath {
            steps: steps.to_vec(),
            text: Dotted(steps).text(),
        }
    }

    /// The path, or the begin of it that is printed in so many bytes.
    pub(crate) fn shortened(steps: &[Seg], most: usize) -> Self {
        let size = |seg: &Seg| match seg {
            Seg::Key(key) => key.len() + 1,
            Seg::Index(_) => 2,
        };
        let mut left = most;
        let fits = |seg: &&Seg| {
            let rest = left.checked_sub(size(seg));
            left = rest.unwrap_or_default();
            rest.is_some()
        };
        let count = steps.iter().take_while(fits).count();
        KeyPath::new(&steps[..count])
    }

    /// The keys and positions, from the root.
    pub fn steps(&self) -> &[Seg] {
        &self.steps
    }

    /// The path as it is printed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the configuration or the document as a whole.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it is `other` or something in it.
    pub fn starts_with(&self, other: &KeyPath) -> bool {
        self.steps.starts_with(&other.steps)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq<str> for KeyPath {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for KeyPath {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl serde::Serialize for KeyPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Why a text is no [`KeyPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a path: {why}; a path is written as `pool.hosts[2].name`, keys with other characters in quotes: `tenants.\"a.b\"`"
)]
pub struct KeyPathError {
    why: String,
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let mut steps = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(&next) = rest.peek() {
            let step = match next {
                '[' => index(&mut rest),
                '.' if !steps.is_empty() => {
                    rest.next();
                    key(&mut rest)
                }
                _ if steps.is_empty() => key(&mut rest),
                other => Err(format!(
                    "`{}` after the step before it",
                    spelled(other, false)
                )),
            };
            steps.push(step.map_err(|why| KeyPathError { why })?);
        }
        Ok(KeyPath::new(&steps))
    }
}

fn index(rest: &mut Peekable<Chars<'_>>) -> Result<Seg, String> {
    rest.next();
    let digits: String = std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).collect();
    match (rest.next(), digits.parse()) {
        (Some(']'), Ok(index)) => Ok(Seg::Index(index)),
        _ => Err("`[` is followed by a number and `]`".to_owned()),
    }
}

fn key(rest: &mut Peekable<Chars<'_>>) -> Result<Seg, String> {
    if rest.next_if_eq(&'"').is_some() {
        return Ok(Seg::Key(quoted(rest)?.into()));
    }
    let key: String = std::iter::from_fn(|| rest.next_if(|c| is_plain(*c))).collect();
    match (key.is_empty(), rest.peek()) {
        (false, _) if is_bare(&key) => Ok(Seg::Key(key.into())),
        (false, _) => Err("a space at an end of a key without quotes".to_owned()),
        (true, Some(c)) => Err(format!("`{}` where a key begins", spelled(*c, false))),
        (true, None) => Err("a key is missing at its end".to_owned()),
    }
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut key = String::new();
    loop {
        match rest.next() {
            None => return Err("a quote is not closed".to_owned()),
            Some('"') => return Ok(key),
            Some('\\') => key.push(escape(rest)?),
            Some(c) => key.push(c),
        }
    }
}

fn escape(rest: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    match rest.next() {
        Some(c @ ('"' | '\\')) => Ok(c),
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some('u') if rest.next_if_eq(&'{').is_some() => {
            let hex: String =
                std::iter::from_fn(|| rest.next_if(char::is_ascii_hexdigit)).collect();
            let code = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
            match (rest.next(), code) {
                (Some('}'), Some(c)) => Ok(c),
                _ => Err("`\\u{` is followed by the number of a character and `}`".to_owned()),
            }
        }
        _ => Err("`\\` is followed by `\"`, `\\`, `n`, `r`, `t` or `u{..}`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(steps: &[Seg]) -> String {
        Dotted(steps).to_string()
    }

    fn key(text: &str) -> Seg {
        Seg::Key(text.to_owned().into())
    }

    #[test]
    fn keys_that_could_be_taken_for_something_else_are_quoted() {
        for (steps, printed) in [
            (
                vec![key("tenants"), key("a.b"), key("max")],
                r#"tenants."a.b".max"#,
            ),
            (vec![key("tenants"), key("a"), key("b")], "tenants.a.b"),
            (vec![key("")], r#""""#),
            (vec![key("a"), key(""), key("b")], r#"a."".b"#),
            (vec![key("a[0]")], r#""a[0]""#),
            (vec![key("a"), Seg::Index(0)], "a[0]"),
            (vec![Seg::Index(3), key("a")], "[3].a"),
            (vec![key("say \"hi\"")], r#""say \"hi\"""#),
            (vec![key("a\\b")], r#""a\\b""#),
            (
                vec![key("a\nb\u{1b}[31m\u{202e}")],
                r#""a\nb\u{1b}[31m\u{202e}""#,
            ),
            (vec![key("host:80")], r#""host:80""#),
            (vec![key("größe-1/x")], "größe-1/x"),
            (vec![], ""),
        ] {
            assert_eq!(path(&steps), printed);
            assert_eq!(printed.parse::<KeyPath>().unwrap().steps(), steps);
        }
    }

    #[test]
    fn a_path_that_is_too_long_is_that_of_what_contains_it() {
        let long = "k".repeat(50);
        let steps = [key("a"), Seg::Index(1), key(&long), key("b")];
        assert_eq!(KeyPath::shortened(&steps, 40), "a[1]");
        assert_eq!(KeyPath::shortened(&steps, 400).steps(), steps);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            ".a",
            "a.",
            "a..b",
            "a[",
            "a[x]",
            "a[1",
            "a]b",
            "\"a",
            "\"a\\x\"",
            "a\"b\"",
            "\"a\"b",
            "[1]a",
            "\"\\u{110000}\"",
        ] {
            assert!(text.parse::<KeyPath>().is_err(), "{text}");
        }
    }

    fn steps() -> impl Strategy<Value = Vec<Seg>> {
        let step = prop_oneof![
            "[a-z.\\[\\]\"\\\\ ]{0,4}".prop_map(|text| key(&text)),
            any::<String>().prop_map(|text| key(&text)),
            any::<usize>().prop_map(Seg::Index),
        ];
        proptest::collection::vec(step, 0..5)
    }

    proptest! {
        #[test]
        fn a_printed_path_is_read_as_the_same_path(steps in steps()) {
            let printed = path(&steps);
            prop_assert!(!printed.chars().any(controls), "{printed:?}");
            let read: KeyPath = printed.parse().unwrap();
            prop_assert_eq!(read.steps(), &*steps);
        }

        #[test]
        fn two_paths_are_never_printed_alike(a in steps(), b in steps()) {
            prop_assert_eq!(path(&a) == path(&b), a == b);
        }

        #[test]
        fn any_text_is_refused_or_a_path(text in any::<String>()) {
            if let Ok(read) = text.parse::<KeyPath>() {
                prop_assert_eq!(read.as_str().parse::<KeyPath>().unwrap(), read);
            }
        }
    }
}
