//! Which texts are durations (`30s`, `1h30m`), and how a duration is written.

use std::{fmt, time::Duration};

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError(String);

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DurationError {}

/// Reads `30s`, `1h30m` or `250ms`. A number without a unit is refused.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text != "0" {
        return Err(DurationError(format!(
            "`{text}` has no unit; write `{text}s` or `{text}ms`"
        )));
    }
    humantime::parse_duration(text).map_err(|_| {
        DurationError(format!(
            "`{text}` is not a duration such as `30s` or `1h30m`"
        ))
    })
}

/// Prints a duration so that [`parse_duration`] reads it back.
pub fn format_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
