//! Which requests may change what runs: posted, by this page, with its token, where the program allows it.

use super::{
    answer::{HTML, PageAnswer, answer, json, line, not_allowed, see_other, wants_json},
    body::{PageBody, form},
    hub::Hub,
    origin::is_of_another_site,
    plan, render,
    route::{Query, Route},
};
use crate::Error;
use http::{Request, StatusCode};
use http_body::Body;
use serde_json::json;

/// What `allow` of a [`Page`](super::Page) allows: rollback, pin, unpin and trust, and the question what a document would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control;

/// The header in which a program that is no browser sends the token.
const TOKEN_HEADER: &str = "x-flux-token";

/// Longer forms are not read.
const LONGEST_FORM: usize = 4 << 10;

/// Nor those with longer documents, of which an escape is three bytes.
const LONGEST_DOCUMENT: usize = 4 << 20;

/// What is allowed, and the token, which only pages of the same origin can read.
pub(super) fn terms(hub: &Hub, is_allowed: bool) -> PageAnswer {
    let token = hub.token.as_deref().filter(|_| is_allowed);
    let allowed: &[&str] = match token {
        Some(_) => &["plan", "rollback", "pin", "unpin", "trust"],
        None => &[],
    };
    json(
        StatusCode::OK,
        &json!({ "allowed": allowed, "token": token }),
    )
}

pub(super) fn read_only() -> PageAnswer {
    line(
        StatusCode::FORBIDDEN,
        "this page is read-only; the program allows more with `.allow(Control)`\n",
    )
}

/// Carries an order out; `back` leads to the page.
pub(super) async fn order<B: Body>(
    hub: &Hub,
    route: Route,
    back: &'static str,
    request: Request<B>,
) -> PageAnswer {
    if request.method() != http::Method::POST {
        return not_allowed("POST");
    }
    let (parts, body) = request.into_parts();
    if is_of_another_site(&parts) {
        return line(
            StatusCode::FORBIDDEN,
            "the request comes from another site, and nothing was done\n",
        );
    }
    let refused_token = || {
        line(
            StatusCode::FORBIDDEN,
            "the token is missing or is that of an earlier process, and nothing was done; reload the page and try again\n",
        )
    };
    let is_known = |given: &str| (hub.token.as_deref()).is_some_and(|own| is_equal(own, given));
    let header = parts.headers.get(TOKEN_HEADER);
    let header = header.and_then(|value| value.to_str().ok());
    // Before the form is read, where it can be.
    if header.is_some_and(|given| !is_known(given)) {
        return refused_token();
    }
    let most = match route {
        Route::Plan => LONGEST_DOCUMENT,
        _ => LONGEST_FORM,
    };
    let Some(form) = form(body, most).await else {
        let most = most >> 10;
        return line(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the form cannot be read, or is longer than {most} KiB\n"),
        );
    };
    let form = Query(&form);
    if header.is_none() && !form.get("token").is_some_and(|given| is_known(&given)) {
        return refused_token();
    }
    if route == Route::Plan {
        return plan::answer(hub, &form, back, wants_json(&parts.headers)).await;
    }
    let outcome = match route {
        Route::Rollback => {
            let to = form.get("to").filter(|to| !to.is_empty());
            let to = to.map(|to| to.parse::<u64>()).transpose();
            let Ok(to) = to else {
                return line(
                    StatusCode::BAD_REQUEST,
                    "`to` must be the number of a generation, or be left out\n",
                );
            };
            hub.subject.roll_back(to).await.map(|()| None)
        }
        Route::Trust => hub.subject.trust().await.map(Some),
        route => hub.subject.pin(route == Route::Pin).await.map(|()| None),
    };
    let is_json = wants_json(&parts.headers);
    match outcome {
        Ok(trusted) if is_json => {
            let mut done = json!({ "generation": hub.subject.status().generation });
            if let Some(trusted) = trusted {
                done["trusted"] = json!(trusted);
            }
            json(StatusCode::OK, &done)
        }
        Ok(_) => see_other(back),
        Err(error) if is_json => json(StatusCode::CONFLICT, &json!({ "error": error.to_string() })),
        Err(error) if back == "?" => refused(&error),
        Err(error) => line(StatusCode::CONFLICT, format!("nothing was done: {error}\n")),
    }
}

fn refused(error: &Error) -> PageAnswer {
    let page = render::refused_order(&error.to_string()).into_string();
    answer(StatusCode::CONFLICT, HTML, PageBody::text(page))
}

/// Compares without showing in its time how much is equal.
fn is_equal(own: &str, given: &str) -> bool {
    let differs = own.bytes().zip(given.bytes());
    let differs = differs.fold(0, |differs, (own, given)| differs | (own ^ given));
    own.len() == given.len() && differs == 0
}
