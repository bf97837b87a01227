//! What the Flux macro reads at compile time and the Flux runtime reads at start: source URIs, durations, sizes, formats and names.

mod bytes;
mod dotenv;
mod duration;
mod environment;
mod format;
mod names;
mod pattern;
mod remote;
mod scheme;
mod search;
mod template;
mod uri;

pub use bytes::{ByteSizeError, format_bytes, parse_bytes};
pub use dotenv::Dotenv;
pub use duration::{DurationError, format_duration, parse_duration};
pub use environment::Naming;
pub use format::{Format, UnknownFormat};
pub use names::{Case, env_segment, nearest, nearest_and_slips};
pub use pattern::Pattern;
pub use remote::Remote;
pub use scheme::Scheme;
pub use template::{Part, Template, TemplateError, UnsetVariable};
pub use uri::{NO_URI, Uri, UriError, may_hold_password, parse_given_uri, parse_uri};
