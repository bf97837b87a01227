//! What went wrong with a source.

use std::{fmt, sync::Arc};

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

/// Why a source cannot be read or watched. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    kind: ErrorKind,
    message: Arc<str>,
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
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        SourceError {
            kind,
            message: message.into().into(),
        }
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
