//! Which YAML documents are refused before they are decoded because a small one would take minutes or gigabytes: nested too deep,
//! aliases that expand, or tags with a long prefix.

use super::{MAX_DEPTH, Syntax, TOO_DEEP};
use crate::layer::serde_methods::visitor_methods;
use granit_parser::{Event, Parser};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::{cell::Cell, fmt};

/// What a document with its aliases put in may be, in bytes, without being looked at.
const HARMLESS: usize = 256 << 10;
/// So many bytes times levels of `[` and `{` take about ten milliseconds.
const SLOW: usize = 2_000_000;
/// What a value is counted as, in bytes.
const VALUE: usize = 64;
/// How large a document may be with its aliases put in, in bytes, and beyond what it is without.
const LARGEST: usize = 1 << 20;

/// What gives a short form of tags its prefix.
const DIRECTIVE: &str = "%TAG";
const LONGEST_DIRECTIVE: usize = 256;
const TOO_LONG_PREFIX: &str = "a line with `%TAG` is longer than 256 bytes; shorten its prefix";

/// What one pass over a document counts.
pub(super) struct Signs {
    /// Those that begin a list or a map in flow style.
    brackets: usize,
    /// Those without which there is neither an alias nor a tag nor a merge key: `*`, `!` and `<`.
    rare: usize,
}

impl Signs {
    /// In pieces whose counts fit a byte, so that the compiler counts many bytes at once.
    fn of(text: &str) -> Signs {
        let mut all = Signs {
            brackets: 0,
            rare: 0,
        };
        for piece in text.as_bytes().chunks(usize::from(u8::MAX)) {
            let (mut brackets, mut rare) = (0_u8, 0_u8);
            for byte in piece {
                // Of `[` and `{` this is `{`, and of nothing else.
                brackets += u8::from(byte | 0x20 == b'{');
                rare += u8::from((*byte == b'*') | (*byte == b'!') | (*byte == b'<'));
            }
            all.brackets += usize::from(brackets);
            all.rare += usize::from(rare);
        }
        all
    }

    /// Whether there may be merge keys, tags or aliases.
    pub(super) fn has_rare(&self) -> bool {
        self.rare > 0
    }
}

/// Says what is wrong with the document, if it is out of bounds, and else what is in it.
pub(super) fn check(text: &str) -> Result<Signs, Syntax> {
    // No more levels than brackets, no aliases without a star: counting those is quick.
    let signs = Signs::of(text);
    let is_slow = |depth: usize| depth > MAX_DEPTH && depth.saturating_mul(text.len()) > SLOW;
    if is_slow(signs.brackets) && is_slow(deepest(text)) && is_too_deep(text) {
        return Err(Syntax::new(&TOO_DEEP, None, false));
    }
    if signs.has_rare() && text.contains(DIRECTIVE) && has_long_prefix(text) {
        return Err(Syntax::new(&TOO_LONG_PREFIX, None, false));
    }
    let has_aliases = || text.contains('*') && text.contains('&');
    if signs.has_rare() && has_aliases() && expanded(text) > HARMLESS {
        sized(text)?;
    }
    Ok(signs)
}

/// Each tag is written out with the prefix of its directive.
fn has_long_prefix(text: &str) -> bool {
    let mut lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    lines.any(|line| {
        let is_directive = line.trim_start_matches('\u{feff}').starts_with(DIRECTIVE);
        is_directive && line.len() > LONGEST_DIRECTIVE
    })
}

/// Whether the lists and maps are nested deeper than any may be: brackets may also be in texts and comments. Where the parser with
/// spans cannot follow the document, the brackets from there on decide.
fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), _)) => depth += 1,
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                let rest = text.get(at..).unwrap_or(text);
                return depth + deepest(rest) > MAX_DEPTH;
            }
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// How large the document can be at most with its aliases put in: it is largest where each anchor's value is made of equally many
/// aliases of the one before.
fn expanded(text: &str) -> usize {
    let pairs = || text.as_bytes().windows(2);
    let names = |sign: u8| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        pairs()
            .filter(|pair| pair[0] == sign && is_name(pair[1]))
            .count()
    };
    let (aliases, anchors) = (names(b'*'), names(b'&'));
    let largest = (1..=anchors.min(aliases).min(32)).map(|levels| {
        let each = aliases.div_ceil(levels);
        (0..levels).fold(1_usize, |times, _| times.saturating_mul(each + 1))
    });
    largest.max().unwrap_or(1).saturating_mul(text.len())
}

/// How deep the brackets are nested at most.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Counts what the document holds with its aliases put in.
fn sized(text: &str) -> Result<(), Syntax> {
    let left = Cell::new(text.len().saturating_mul(VALUE + 1).saturating_add(LARGEST));
    let counted = Size(&left).deserialize(serde_yaml::Deserializer::from_str(text));
    match counted {
        Err(_) if left.get() == 0 => Err(Syntax::new(&TOO_OFTEN, None, false)),
        // What else is wrong is reported where it is decoded.
        _ => Ok(()),
    }
}

/// The parser's own words for nested aliases.
const TOO_OFTEN: &str = "repetition limit exceeded";

#[derive(Clone, Copy)]
struct Size<'c>(&'c Cell<usize>);

impl Size<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().saturating_sub(VALUE + bytes);
        self.0.set(left);
        match left {
            0 => Err(E::custom(TOO_OFTEN)),
            _ => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Size<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($method:ident: $type:ty) => {
        fn $method<E: Error>(self, _: $type) -> Result<(), E> {
            self.take(0)
        }
    };
}

impl<'de> Visitor<'de> for Size<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    visitor_methods! { scalars: bool numbers }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(text.len())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.take(0)
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.take(0)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.take(0)?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.take(0)?;
        while entries.next_key_seed(self)?.is_some() {
            entries.next_value_seed(self)?;
        }
        Ok(())
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (_, value) = tagged.variant::<IgnoredAny>()?;
        value.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn refused(text: &str) -> Option<String> {
        check(text).err().map(|syntax| syntax.message)
    }

    #[test]
    fn ordinary_anchors_are_within_bounds() {
        let mut text = "base: &base {a: 1, b: [x, y]}\n".to_owned();
        for n in 0..2_000 {
            writeln!(text, "service-{n}: *base").unwrap();
        }
        assert_eq!(refused(&text), None);
    }

    #[test]
    fn a_list_that_is_repeated_a_thousand_times_is_out_of_bounds() {
        let list = "x,".repeat(10_000);
        let text = format!("a: &a [{list}]\nb: [{}]", "*a,".repeat(10_000));
        assert_eq!(
            refused(&text).as_deref(),
            Some("its aliases repeat too much")
        );
        let long = "x".repeat(100_000);
        let text = format!("a: &a {long}\nb: [{}]", "*a,".repeat(10_000));
        assert_eq!(
            refused(&text).as_deref(),
            Some("its aliases repeat too much")
        );
    }

    #[test]
    fn with_its_aliases_a_document_may_be_a_mebibyte_and_65_times_itself() {
        // Two maps, a text, a list, and a text for each alias, counted as 64 bytes each and their texts.
        let text = |aliases: usize| {
            let long = "x".repeat(10_000);
            format!("a: &a {long}\nb: [{}]", "*a,".repeat(aliases))
        };
        let counted = |aliases: usize| 2 + 4 * VALUE + (aliases + 1) * 10_000 + aliases * VALUE;
        let bound = |aliases: usize| text(aliases).len() * 65 + (1 << 20);
        let within = (1..).take_while(|aliases| counted(*aliases) + VALUE < bound(*aliases));
        let most = within.last().unwrap();
        assert!(most > 100, "{most}");
        assert_eq!(refused(&text(most)), None);
        let too_much = Some("its aliases repeat too much");
        assert_eq!(refused(&text(most + 1)).as_deref(), too_much);
    }

    #[test]
    fn brackets_are_counted_only_where_they_take_time() {
        let colours = "- \"\\e[31m\"\n".repeat(500);
        assert_eq!(refused(&colours), None);
        let colours = "- \"\\e[31m\"\n".repeat(5_000);
        assert_eq!(refused(&colours), None);
        for levels in [4_000, 1_000_000] {
            let deep = "[".repeat(levels);
            assert_eq!(refused(&deep).as_deref(), Some(TOO_DEEP), "{levels}");
            let below_texts = format!("{colours}- {deep}");
            assert_eq!(refused(&below_texts).as_deref(), Some(TOO_DEEP), "{levels}");
        }
    }

    #[test]
    fn a_long_prefix_of_tags_is_out_of_bounds() {
        let text = |length: usize| {
            let prefix = "p".repeat(length);
            format!("%TAG !e! tag:{prefix}\n---\nb: [{}]", "!e!a b,".repeat(9))
        };
        assert_eq!(refused(&text(200)), None);
        assert_eq!(refused(&text(300)).as_deref(), Some(TOO_LONG_PREFIX));
        let plain = format!("b: \"%TAG {}\"\nc: !a b", "T".repeat(300));
        assert_eq!(refused(&plain), None);
    }

    #[test]
    fn a_small_document_with_few_aliases_of_aliases_is_out_of_bounds() {
        let mut text = format!("a0: &a0 [{}]\n", "x,".repeat(1_000));
        for n in 0..3 {
            let aliases = format!("*a{n},").repeat(20);
            writeln!(text, "a{}: &a{} [{aliases}]", n + 1, n + 1).unwrap();
        }
        assert!(text.len() < 4_096);
        assert_eq!(
            refused(&text).as_deref(),
            Some("its aliases repeat too much")
        );
    }

    #[test]
    fn stars_and_ampersands_that_name_nothing_are_not_counted() {
        let text = "- \"*/5 * * * *\"\n- a & b\n".repeat(1_000);
        assert_eq!(expanded(&text), text.len());
    }
}
