//! Which headers the answers of the page have, so that they are not stored, framed or taken for something else.

use super::body::PageBody;
use crate::problem::escaped_json;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
        REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use serde::Serialize;

pub(super) type PageAnswer = Response<PageBody>;

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// Scripts and styles are routes of their own; nothing is loaded from elsewhere, and nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// For what is no document.
const SANDBOX: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// An answer with this body.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: PageBody) -> PageAnswer {
    let length = body.len();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let policy = if content_type == HTML {
        POLICY
    } else {
        SANDBOX
    };
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With `no-referrer` a browser would post forms without their origin.
        (REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    answer
}

pub(super) fn ok(content_type: &'static str, text: impl Into<bytes::Bytes>) -> PageAnswer {
    answer(StatusCode::OK, content_type, PageBody::text(text))
}

/// A line of text.
pub(super) fn line(status: StatusCode, text: impl Into<bytes::Bytes>) -> PageAnswer {
    answer(status, TEXT, PageBody::text(text))
}

/// A value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> PageAnswer {
    match serde_json::to_string(value) {
        Ok(text) => answer(
            status,
            JSON,
            PageBody::text(escaped_json(&text).into_owned()),
        ),
        Err(error) => line(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the answer is no JSON: {error}\n"),
        ),
    }
}

/// The same error as JSON, where it is a line of text.
pub(super) fn error_as_json(answer: PageAnswer) -> PageAnswer {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_text = (answer.headers().get(CONTENT_TYPE)).is_some_and(|content| content == TEXT);
    if !is_error || !is_text {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let text = body.into_text().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut answer = json(status, &serde_json::json!({ "error": text.trim_end() }));
    if let Some(allowed) = parts.headers.get(ALLOW) {
        answer.headers_mut().insert(ALLOW, allowed.clone());
    }
    answer
}

pub(super) fn not_allowed(allowed: &'static str) -> PageAnswer {
    let mut answer = line(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("the method is not allowed here; allowed are: {allowed}\n"),
    );
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Where to look next, relative to the request.
pub(super) fn see_other(to: &'static str) -> PageAnswer {
    let mut answer = line(StatusCode::SEE_OTHER, "");
    let headers = answer.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(to));
    answer
}

/// Whether a header accepts JSON rather than a page.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    accept.is_some_and(|value| value.contains(JSON) && !value.contains("text/html"))
}
