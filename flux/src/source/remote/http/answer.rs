//! What an answer over HTTP means: its status, its age, and whether it is compressed.

use std::time::Duration;

use flux_syntax::Remote;
use hyper::{HeaderMap, StatusCode, body::Bytes, header::CONTENT_ENCODING};

use crate::source::{
    SourceError,
    remote::{retry_after::pause, secrets::quoted},
};

/// An answer with its whole body.
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How old it is where a cache on the way gave it by itself, as `Age` shows. More seconds than a number holds are as many as can
    /// be.
    pub(crate) fn age(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(365 * 86_400);
        let age = self.header("age").unwrap_or_default().trim_start();
        let digits = age.bytes().take_while(u8::is_ascii_digit);
        let seconds = digits.fold(0_u64, |seconds, digit| {
            let digit = u64::from(digit - b'0');
            seconds.saturating_mul(10).saturating_add(digit)
        });
        Duration::from_secs(seconds).min(LONGEST)
    }
}

/// What a status that is neither a document nor an absence means.
pub(crate) fn refused(place: &Remote<String>, answer: &HttpAnswer) -> SourceError {
    let (origin, status) = (place.origin(), answer.status);
    // The body of a success is a document, or part of one; that of a redirection names a place whose query may be a secret.
    let said = match status.is_success() || status.is_redirection() {
        true => String::new(),
        false => quoted(place, &answer.body),
    };
    let text = match said.is_empty() || said.starts_with('<') {
        true => format!("{origin}: the server answers {status}"),
        false => format!("{origin}: the server answers {status}: {said}"),
    };
    let error = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceError::permission(text),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => SourceError::transient(text),
        status if status.is_server_error() => SourceError::transient(text),
        status if status.is_redirection() => SourceError::configuration(format!(
            "{text}; redirections are not followed, name the place itself"
        )),
        status if status.is_success() => {
            SourceError::configuration(format!("{text}; only `200 OK` is a document"))
        }
        _ => SourceError::configuration(text),
    };
    let after = answer.header("retry-after");
    match after.and_then(|after| pause(after, answer.header("date"))) {
        Some(pause) => error.after(pause),
        None => error,
    }
}

/// How an answer's body is compressed; none of the two ways to say that it is not.
pub(super) fn compression(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    (!is_plain).then_some(encoding)
}
