//! What the Flux macro reads at compile time and the Flux runtime reads at start: source URIs, durations, formats and names.

mod duration;

pub use duration::{DurationError, format_duration, parse_duration};
