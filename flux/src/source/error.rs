//! Which kinds of errors a source has, and what each means for trying again.

use crate::problem::escaped;
use std::{fmt, sync::Arc, time::Duration};

/// The longest time that a source may ask to be left alone for.
const LONGEST: Duration = Duration::from_secs(300);

/// What kind of error it is decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It may pass: a lost connection, a timeout. Tried again after a short random pause that grows.
    Transient,
    /// The source refuses access. Tried again after a long pause.
    Permission,
    /// The source cannot work as declared: no such database, events turned off. Tried again after a long pause.
    Configuration,
    /// The source ended for good. Not tried again.
    Closed,
}

/// Why a source cannot be read or watched. Cheap to clone. What would control a terminal is written out when it is printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", escaped(message))]
pub struct SourceError {
    kind: ErrorKind,
    message: Arc<str>,
    after: Option<Duration>,
    /// Nothing that is not of its layer is in the words, such as the name of a file that the layer's folder has.
    is_of_its_layer: bool,
}

impl SourceError {
    /// An error that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, message)
    }
    /// The source refuses access.
    pub fn permission(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permission, message)
    }
    /// The source cannot work as declared.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }
    /// The source ended for good: it is not watched again.
    pub fn closed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Closed, message)
    }
    /// The source asks not to be tried again before this time has passed, as by `Retry-After`. Five minutes at most are heeded.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.after = Some(pause.min(LONGEST));
        self
    }
    /// How long the source asks to be left alone, and a little more for a `random` number in `0.0..1.0`: nobody is to come back in
    /// the same instant as everybody.
    pub(crate) fn retry_after(&self, random: f64) -> Duration {
        let pause = self.after.unwrap_or_default();
        pause.mul_f64(1.0 + random.clamp(0.0, 1.0) / 10.0)
    }
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Says the same in other words.
    pub(crate) fn reword(&mut self, message: String) {
        self.message = message.into();
    }

    /// The error of another source, whose origin begins it, as that of this one.
    #[cfg(feature = "_remote")]
    pub(crate) fn of(mut self, other: &str, origin: &str) -> Self {
        if let Some(rest) = self.message.strip_prefix(other) {
            self.message = format!("{origin}{rest}").into();
        }
        self
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        SourceError {
            kind,
            message: message.into().into(),
            after: None,
            is_of_its_layer: false,
        }
    }

    /// The words are Flux's own and quote nothing but what is of the layer: whether they are shown is not to depend on others.
    pub(crate) fn of_its_layer(mut self) -> Self {
        self.is_of_its_layer = true;
        self
    }

    pub(crate) fn is_of_its_layer(&self) -> bool {
        self.is_of_its_layer
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Transient => "transient",
            ErrorKind::Permission => "permission",
            ErrorKind::Configuration => "configuration",
            ErrorKind::Closed => "closed",
        })
    }
}

/// Whether a file that was declared may be read later although it cannot be read now, such as when no descriptor is free: it is there, it
/// may be read, and it is a file of text.
pub(crate) fn may_pass(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    !matches!(
        error.kind(),
        NotFound | PermissionDenied | IsADirectory | NotADirectory | InvalidInput | InvalidData
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_left_alone_for_five_minutes_at_most() {
        let asked = |seconds| SourceError::transient("busy").after(Duration::from_secs(seconds));
        assert_eq!(asked(4).retry_after(0.0), Duration::from_secs(4));
        assert_eq!(asked(86_400).retry_after(0.0), LONGEST);
        assert!(asked(86_400).retry_after(1.0) <= LONGEST + LONGEST / 10);
        let never = SourceError::transient("busy");
        assert_eq!(never.retry_after(1.0), Duration::ZERO);
    }

    #[test]
    fn an_error_of_a_source_controls_no_terminal() {
        let error = SourceError::transient("\u{1b}[2Jno\u{ad}such\nhost");
        assert_eq!(error.to_string(), "\\u{1b}[2Jno\\u{ad}such\\nhost");
    }
}
