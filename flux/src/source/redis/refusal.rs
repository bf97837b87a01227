//! What it means that a Redis server refuses a command: for trying again, and for the ways in which it may be asked.

use ::redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};
use flux_syntax::Remote;

use crate::source::{
    SourceError,
    remote::{ANSWER, in_time, tls::words, unanswered, without_secrets},
};

/// An error with the word that the server gave it.
pub(super) struct CommandRefused {
    pub(super) error: SourceError,
    pub(super) code: Option<String>,
}

pub(super) async fn asked<T>(
    place: &Remote<String>,
    answer: impl Future<Output = RedisResult<T>>,
) -> Result<T, CommandRefused> {
    match in_time(ANSWER, answer).await {
        Some(answer) => answer.map_err(|error| classified(place, error)),
        None => Err(CommandRefused {
            error: unanswered(place),
            code: None,
        }),
    }
}

pub(super) fn classified(place: &Remote<String>, error: RedisError) -> CommandRefused {
    let origin = place.origin();
    let code = error.code().map(str::to_owned);
    let said = without_secrets(place, &words(&error));
    let text = format!("{origin}: {said}");
    let detail = error.detail().unwrap_or_default().to_owned();
    let error = match (error.kind(), code.as_deref()) {
        _ if error.is_timeout() => unanswered(place),
        (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => SourceError::permission(text),
        (ErrorKind::InvalidClientConfig, _) => SourceError::configuration(text),
        _ if detail.contains("DB index is out of range") => SourceError::configuration(format!(
            "{origin}: there is no such database ({said}); `databases` in the server's configuration says how many there are"
        )),
        _ if detail.starts_with("unknown command 'GET'")
            || detail.starts_with("unknown command `GET`") =>
        {
            SourceError::configuration(format!(
                "{origin}: the server knows no GET; a Sentinel is not asked for the master, name the master itself"
            ))
        }
        (ErrorKind::Server(ServerErrorKind::Moved), _) => SourceError::configuration(format!(
            "{origin}: the key is on another node of the cluster ({said}); name that node"
        )),
        _ => SourceError::transient(text),
    };
    CommandRefused { error, code }
}

/// The server does not know the command, or does not grant it. Anything else may pass: a script that is at work, a server that
/// loads.
pub(super) fn is_never(error: &RedisError) -> bool {
    let detail = error.detail().unwrap_or_default();
    let unknown = [
        "unknown command",
        "unknown subcommand",
        "syntax error",
        "wrong number of arguments",
    ];
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
        || error.code() == Some("NOPERM")
        || unknown
            .iter()
            .any(|known| detail.to_ascii_lowercase().starts_with(known))
}

/// The server does not speak the newer protocol, or not to us.
pub(super) fn is_older(error: &RedisError) -> bool {
    error.kind() == ErrorKind::RESP3NotSupported
        || error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
        || error.code() == Some("NOPROTO")
        || error
            .detail()
            .is_some_and(|said| said.starts_with("unknown command"))
}
