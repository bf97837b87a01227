//! How what was found is worded where people wrote something that the decoder reads as something else: a date of TOML, and in YAML
//! `0x10` for a float and `017` for an integer.

use crate::{
    document::{Document, NodeContent, NodeId, ResolvedKind, ScalarStyle},
    problem::{Flaw, What},
};

/// Longer numbers are worded as any other value.
const LONGEST: usize = 40;

/// Words what was found by the text in the document.
pub(super) fn word_as_written(problem: &mut Flaw, document: &Document<'_>, node: NodeId) {
    let What::Type { found, expected } = &mut problem.what else {
        return;
    };
    if document.kind(node) == Some(ResolvedKind::Date) {
        // And not the map that toml's decoder makes of it.
        *found = format!("date-time `{}`", document.key(node));
        return;
    }
    let NodeContent::Scalar(scalar) = &document.node(node).content else {
        return;
    };
    let text = scalar.text.as_ref();
    if scalar.style != ScalarStyle::Plain || text.len() > LONGEST {
        return;
    }
    let is_float = matches!(expected.as_str(), "f32" | "f64");
    if let (true, Some(number)) = (is_float && has_radix(text), integer(found)) {
        *found = format!("the integer `{text}`; a float is written in decimals, `{number}` here");
    } else if is_integer(expected)
        && found.starts_with("string")
        && let Some(number) = behind_zeros(text)
    {
        let octal = match number.contains(['8', '9']) {
            true => String::new(),
            false => format!(", or `0o{number}` if it is octal"),
        };
        *found =
            format!("`{text}`, which is a text: no integer begins with 0; write `{number}`{octal}");
    }
}

/// Whether a number is written as `0x10`, `0o17` or `0b1`.
fn has_radix(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    ["0x", "0o", "0b"]
        .iter()
        .any(|radix| digits.starts_with(radix))
}

/// The number of "integer `16`".
fn integer(found: &str) -> Option<&str> {
    found.strip_prefix("integer `")?.strip_suffix('`')
}

fn is_integer(expected: &str) -> bool {
    let bits = expected.strip_prefix(['u', 'i']);
    bits.is_some_and(|bits| bits == "size" || bits.parse::<u8>().is_ok())
}

/// The digits behind zeros in front.
fn behind_zeros(text: &str) -> Option<&str> {
    let number = text.strip_prefix('0')?.trim_start_matches('0');
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests {
    use crate::codec::{self, Decoder, Unknown};
    use flux_syntax::Format;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct Numbers {
        #[flux(default)]
        ratio: f64,
        #[flux(default)]
        port: u16,
    }

    #[test]
    fn a_number_in_a_form_that_its_type_does_not_read_is_reported_as_it_is_written() {
        let hexadecimal = "the integer `0x10`; a float is written in decimals, `16` here";
        let octal = "`017`, which is a text: no integer begins with 0; write `17`, or `0o17` if it is octal";
        for (document, words) in [
            ("ratio: 0x10", hexadecimal),
            (
                "ratio: -0b11",
                "the integer `-0b11`; a float is written in decimals, `-3` here",
            ),
            ("port: 017", octal),
            (
                "port: 008",
                "`008`, which is a text: no integer begins with 0; write `8`",
            ),
            ("port: '017'", "string \"017\""),
            ("port: 01x", "string \"01x\""),
            ("ratio: '0x10'", "string \"0x10\""),
            ("port: 0x10000", "integer `65536`"),
        ] {
            let decoder = Decoder::from(Format::Yaml);
            let read = codec::decode::<Numbers>(&decoder, document.as_bytes(), Unknown::Deny);
            let found = read.map(drop).unwrap_err().found;
            let [one] = &found[..] else {
                panic!("{document}: {found:?}");
            };
            let crate::problem::What::Type { found, .. } = &one.problem.what else {
                panic!("{document}: {found:?}");
            };
            assert_eq!(found, words, "{document}");
        }
    }
}
