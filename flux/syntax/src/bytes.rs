//! Which texts are numbers of bytes (`10MB`, `64KiB`), and what each unit means.

use std::fmt;

/// Why a text is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteSizeError(String);

impl fmt::Display for ByteSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ByteSizeError {}

/// The units by their names without the `B`, and how many bytes each is.
const UNITS: [(&str, u128); 13] = [
    ("", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("p", 1_000_000_000_000_000),
    ("e", 1_000_000_000_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
    ("pi", 1 << 50),
    ("ei", 1 << 60),
];

/// Digits behind the point that count; what is beyond is refused and not rounded.
const FRACTION: usize = 18;

/// Reads `512`, `10MB`, `64 KiB` or `1.5GiB`: digits, perhaps with a fraction, and a unit in any case, perhaps without its `B`.
/// `k` is 1,000 and `Ki` is 1,024. A number without a unit is in bytes. What is no whole number of bytes is refused.
pub fn parse_bytes(text: &str) -> Result<u128, ByteSizeError> {
    let text = text.trim();
    let not_one = || ByteSizeError(format!("`{text}` is not a size such as `10MB` or `64KiB`"));
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let name = unit.strip_suffix('b').unwrap_or(&unit);
    let &(_, factor) = UNITS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(not_one)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let fits = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !fits(whole) || !fits(fraction) {
        return Err(not_one());
    }
    let too_large = || ByteSizeError(format!("`{text}` is more than {} bytes", u128::MAX));
    let whole: u128 = whole.parse().map_err(|_| too_large())?;
    let fraction = fraction.trim_end_matches('0');
    let part = match fraction.len() {
        0 => Some(0),
        digits if digits <= FRACTION => {
            let scale = 10_u128.pow(digits as u32);
            let parts = fraction.parse::<u128>().map_err(|_| not_one())? * factor;
            (parts % scale == 0).then_some(parts / scale)
        }
        _ => None,
    };
    let part =
        part.ok_or_else(|| ByteSizeError(format!("`{text}` is no whole number of bytes")))?;
    let bytes = whole.checked_mul(factor);
    bytes
        .and_then(|bytes| bytes.checked_add(part))
        .ok_or_else(too_large)
}

/// Prints a size so that [`parse_bytes`] reads it back: as short as it can be written without a fraction.
pub fn format_bytes(bytes: u64) -> String {
    let names = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let binary = names.iter().zip((1..=6).map(|power| 1_u64 << (10 * power)));
    let names = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let decimal = names.iter().zip((1..=6).map(|power| 1_000_u64.pow(power)));
    let whole = binary.chain(decimal);
    let whole = whole.filter(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor));
    let (name, count) = whole
        .map(|(name, factor)| (*name, bytes / factor))
        .min_by_key(|(_, count)| *count)
        .unwrap_or(("", bytes));
    format!("{count}{name}")
}

#[cfg(test)]
mod tests {
    use super::{format_bytes, parse_bytes};
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("16EiB", 1 << 64),
            ("295147905179352825855EiB", u128::MAX - (1 << 60) + 1),
            (" 512 ", 512),
            ("512B", 512),
            ("10MB", 10_000_000),
            ("10 MB", 10_000_000),
            ("10mb", 10_000_000),
            ("10M", 10_000_000),
            ("64KiB", 65_536),
            ("64 kib", 65_536),
            ("64Ki", 65_536),
            ("1.5GiB", 1_610_612_736),
            ("0.5k", 500),
            ("1.50 KB", 1_500),
            ("18446744073709551615", u64::MAX.into()),
            ("15EiB", 15 << 60),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "such as `10MB`"),
            ("MB", "such as `10MB`"),
            ("10 apples", "such as `10MB`"),
            ("10 MB MB", "such as `10MB`"),
            ("-1", "such as `10MB`"),
            ("+1", "such as `10MB`"),
            ("1e3", "such as `10MB`"),
            ("1_000", "such as `10MB`"),
            ("1,5GB", "such as `10MB`"),
            (".5k", "such as `10MB`"),
            ("5.k", "such as `10MB`"),
            ("1.2.3k", "such as `10MB`"),
            ("1.5", "no whole number of bytes"),
            ("1.0001k", "no whole number of bytes"),
            ("0.1KiB", "no whole number of bytes"),
            ("340282366920938463463374607431768211456", "is more than"),
            ("295147905179352825856EiB", "is more than"),
            (
                "99999999999999999999999999999999999999999 EB",
                "is more than",
            ),
        ] {
            let error = parse_bytes(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_printed_in_the_unit_that_says_them_shortest() {
        for (bytes, text) in [
            (0, "0"),
            (512, "512"),
            (1_000, "1kB"),
            (65_536, "64KiB"),
            (10_000_000, "10MB"),
            (1_000_000_000_000, "1TB"),
            (40 << 20, "40MiB"),
            (1_001, "1001"),
        ] {
            assert_eq!(format_bytes(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bytes: u64, shift in 0_u32..64, zeros in 0_u32..19) {
            for bytes in [bytes, bytes >> shift << shift, (bytes >> 32).saturating_mul(10_u64.pow(zeros))] {
                prop_assert_eq!(parse_bytes(&format_bytes(bytes)), Ok(bytes.into()));
            }
        }

        #[test]
        fn any_text_can_be_tried(text in ".*", near in "[0-9.]{0,40} ?[kKmMgGtTpPeEiIbB]{0,3}") {
            let _ = (parse_bytes(&text), parse_bytes(&near));
        }
    }
}
