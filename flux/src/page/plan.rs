//! What the form of the page answers about a document: what it would change in the configuration that runs. Nothing is applied:
//! parties prepare and roll back, and stages and callbacks are not asked. Whoever may ask could try guesses at secrets, so it is for
//! those alone who may change what runs.

use super::{
    answer::{self, HTML, PageAnswer, json, line},
    body::PageBody,
    hub::Hub,
    render,
    route::Query,
};
use crate::inspect::Inputs;
use http::StatusCode;

/// `back` leads to the page; a page of its own has links that only lead on from there, where it is `?`.
pub(super) async fn answer(
    hub: &Hub,
    form: &Query<'_>,
    back: &'static str,
    is_json: bool,
) -> PageAnswer {
    let is_page = back == "?";
    let refused = |error: &str| match (is_json, is_page) {
        (true, _) => json(
            StatusCode::BAD_REQUEST,
            &serde_json::json!({ "error": error }),
        ),
        (false, true) => page(StatusCode::BAD_REQUEST, render::refused_order(error)),
        (false, false) => line(StatusCode::BAD_REQUEST, format!("{error}\n")),
    };
    let (Some(layer), Some(document)) = (form.get("layer"), form.get("document")) else {
        return refused(
            "the form needs `layer`, the name or number of a layer, and `document`, the text for it",
        );
    };
    // Forms of browsers have other line breaks than files.
    let document = document.replace("\r\n", "\n");
    let inputs = Inputs::new().layer(layer.into_owned(), document);
    // One at a time: each takes the time of the parties.
    let _planning = hub.planning.lock().await;
    let planned = hub.answer(move |subject| subject.planned(&inputs)).await;
    let planned = match planned {
        Some(Ok((planned, question))) => {
            Some(Ok(hub.subject.with_parties(planned, question).await))
        }
        Some(Err(error)) => Some(Err(error)),
        None => None,
    };
    match planned {
        Some(Ok(plan)) if is_json => json(StatusCode::OK, &plan),
        Some(Ok(plan)) if is_page => page(StatusCode::OK, render::planned(&plan)),
        Some(Ok(plan)) => line(StatusCode::OK, format!("{plan}\n")),
        Some(Err(error)) => refused(&error.to_string()),
        None => line(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer could not be made\n",
        ),
    }
}

fn page(status: StatusCode, html: super::html::Html) -> PageAnswer {
    answer::answer(status, HTML, PageBody::text(html.into_string()))
}
