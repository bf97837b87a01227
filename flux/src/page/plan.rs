//! What a document would change in the configuration that runs, asked by the form of a page. Nothing is applied, and no code of the
//! program is asked. Whoever may ask could try guesses at secrets, so it is for those alone who may change what runs.

use super::{
    answer::{self, HTML, PageAnswer, json, line},
    body::PageBody,
    hub::Hub,
    render,
    route::Query,
};
use crate::inspect::Inputs;
use http::StatusCode;

pub(super) async fn answer(hub: &Hub, form: &Query<'_>, is_json: bool) -> PageAnswer {
    let layer = form.get("layer").unwrap_or_default().into_owned();
    // Forms of browsers have other line breaks than files.
    let document = form.get("document").unwrap_or_default();
    let inputs = Inputs::new().layer(layer, document.replace("\r\n", "\n"));
    let planned = hub.answer(move |subject| subject.plan(&inputs)).await;
    let page = |status, html: super::html::Html| {
        answer::answer(status, HTML, PageBody::text(html.into_string()))
    };
    match planned {
        Some(Ok(plan)) if is_json => json(StatusCode::OK, &plan),
        Some(Ok(plan)) => page(StatusCode::OK, render::planned(&plan)),
        Some(Err(error)) if is_json => {
            let error = serde_json::json!({ "error": error.to_string() });
            json(StatusCode::BAD_REQUEST, &error)
        }
        Some(Err(error)) => {
            let html = render::refused_order(&error.to_string());
            page(StatusCode::BAD_REQUEST, html)
        }
        None => line(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer could not be made\n",
        ),
    }
}
