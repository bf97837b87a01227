//! Why a question to ZooKeeper has no answer, and what kind of error each reason is.

use std::fmt;

use flux_syntax::Remote;

use crate::source::{SourceError, remote::without_secrets};

pub(super) const NO_NODE: i32 = -101;
const BAD_ARGUMENTS: i32 = -8;
const NO_AUTH: i32 = -102;
const AUTH_FAILED: i32 = -115;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The server's code.
    Refused(i32),
    /// The answer has so many bytes.
    TooLong(usize),
    /// The session is over, or did not begin.
    Ended(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self {
            Unanswered::Refused(code) => *code,
            Unanswered::TooLong(length) => {
                return write!(
                    f,
                    "an answer of {length} bytes, more than the limit of 16 MiB"
                );
            }
            Unanswered::Ended(reason) => return write!(f, "the session has ended: {reason}"),
        };
        // As ZooKeeper's own documentation names them.
        let name = match code {
            -1 => "SystemError",
            -2 => "RuntimeInconsistency",
            -3 => "DataInconsistency",
            -4 => "ConnectionLoss",
            -5 => "MarshallingError",
            -6 => "Unimplemented",
            -7 => "OperationTimeout",
            BAD_ARGUMENTS => "BadArguments",
            NO_NODE => "NoNode",
            NO_AUTH => "NoAuth",
            -112 => "SessionExpired",
            AUTH_FAILED => "AuthFailed",
            -118 => "SessionMoved",
            -122 => "RequestTimeout",
            -124 => "SessionClosedRequireSaslAuth",
            -127 => "ThrottledOp",
            _ => return write!(f, "the server answers with the error {code}"),
        };
        write!(f, "the server answers {name}")
    }
}

/// What it means for trying again.
pub(super) fn classified(place: &Remote<String>, error: &Unanswered) -> SourceError {
    let origin = place.origin();
    let said = without_secrets(place, &error.to_string());
    match error {
        Unanswered::Refused(NO_AUTH) => SourceError::permission(format!(
            "{origin}: not authorized; the node's ACL must grant READ to this user"
        )),
        Unanswered::Refused(AUTH_FAILED) => SourceError::permission(format!("{origin}: {said}")),
        Unanswered::Refused(BAD_ARGUMENTS) | Unanswered::TooLong(_) => {
            SourceError::configuration(format!("{origin}: {said}"))
        }
        _ => SourceError::transient(format!("{origin}: {said}")),
    }
}
