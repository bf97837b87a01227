//! The tower service of the page: which requests are refused, and what each route answers.

use super::{
    Page, PageOptions,
    answer::{
        HTML, PageAnswer, TEXT, answer, error_as_json, json, line, not_allowed, ok, wants_json,
    },
    body::PageBody,
    control,
    events::{EventStream, picture_name},
    hub::Hub,
    probe::probe,
    render,
    route::{Query, Route},
    subject::{DescribedText, PageSubject},
};
use crate::{
    inspect::ExplainError,
    observe,
    problem::{caught, escaped},
    report::outgoing::SafeText,
};
use flux_syntax::Format;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

impl<B> Service<Request<B>> for Page
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<PageBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<PageBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (hub, options) = (Arc::clone(&self.hub), self.options.clone());
        Box::pin(async move { Ok(respond(&hub, &options, request).await) })
    }
}

async fn respond<B: Body>(
    hub: &Arc<Hub>,
    options: &PageOptions,
    request: Request<B>,
) -> PageAnswer {
    let uri = request.uri().clone();
    let query = Query(uri.query().unwrap_or_default());
    let path = options.below(uri.path());
    let route = path.and_then(|path| Route::of(path, &query));
    let is_head = *request.method() == Method::HEAD;
    let is_json = match route {
        // A probe that fails is no error of the request.
        Some(Route::Health) => false,
        Some(route) => route.is_json() || wants_json(request.headers()),
        None => uri.path().ends_with(".json") || wants_json(request.headers()),
    };
    let mut answer = match route {
        Some(route) => routed(hub, options, route, path, &query, request).await,
        None => line(StatusCode::NOT_FOUND, "there is no such page\n"),
    };
    if is_json {
        answer = error_as_json(answer);
    }
    if is_head {
        // The length stays that of the text.
        *answer.body_mut() = PageBody::text("");
    }
    answer
}

async fn routed<B: Body>(
    hub: &Arc<Hub>,
    options: &PageOptions,
    route: Route,
    path: Option<&str>,
    query: &Query<'_>,
    request: Request<B>,
) -> PageAnswer {
    if route.is_order() {
        // To the page, from the place that the request came to.
        let back = match path {
            None | Some("" | "/") => "?",
            Some(_) => "./",
        };
        return match options.is_controlled {
            true => control::order(hub, route, back, request).await,
            false => control::read_only(),
        };
    }
    let is_head = *request.method() == Method::HEAD;
    if !is_head && *request.method() != Method::GET {
        return not_allowed("GET, HEAD");
    }
    let headers = request.headers().clone();
    // What is left of the request is of no interest, and the future must not hold it.
    drop(request);
    if is_head && route == Route::Events {
        return event_stream(PageBody::text(""));
    }
    shown(hub, options, route, &headers, query).await
}

/// The answer of a route that only shows.
async fn shown(
    hub: &Arc<Hub>,
    options: &PageOptions,
    route: Route,
    headers: &HeaderMap,
    query: &Query<'_>,
) -> PageAnswer {
    match route {
        Route::Style => ok("text/css; charset=utf-8", include_str!("page.css")),
        Route::Script => ok("text/javascript; charset=utf-8", include_str!("page.js")),
        Route::Icon => ok("image/svg+xml", include_str!("icon.svg")),
        Route::Page => page(hub, options, query).await,
        Route::Events => events(hub, options, headers, query),
        Route::Status => json(StatusCode::OK, &*hub.subject.status()),
        Route::Settings
        | Route::Explain
        | Route::Blame
        | Route::EffectiveJson
        | Route::EffectiveYaml
        | Route::EffectiveToml
        | Route::Fingerprint
        | Route::Silent
        | Route::SilentPage
        | Route::Schema
        | Route::Template
        | Route::Reference
        | Route::Variables => {
            let path = String::from(query.get("path").unwrap_or_default());
            let made = hub.answer(move |subject| data(subject, route, &path)).await;
            made.unwrap_or_else(|| {
                line(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the answer could not be made\n",
                )
            })
        }
        Route::Health => {
            let is_strict = match query.flag("strict") {
                Ok(is_strict) => is_strict,
                Err(value) => {
                    let found = crate::problem::shortened(&value);
                    return line(
                        StatusCode::BAD_REQUEST,
                        format!("`strict` is `true` or `false`, not `{}`\n", escaped(&found)),
                    );
                }
            };
            let (passes, text) = probe(&hub.subject.status(), is_strict);
            let status = match passes {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            line(status, text)
        }
        Route::Metrics => match &options.metrics {
            // Code of the program, whose panic is not the server's.
            Some(render) => match caught(|| render()) {
                Ok(text) => ok("text/plain; version=0.0.4; charset=utf-8", text),
                Err(panic) => {
                    let name = hub.subject.status().name.clone();
                    observe::panicked(&name, "the page's metrics", &SafeText::own(&panic));
                    line(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "the program's code for its metrics panicked\n",
                    )
                }
            },
            None => line(
                StatusCode::NOT_FOUND,
                "the program gives this page no metrics; `.metrics(..)` does\n",
            ),
        },
        Route::Control => control::terms(hub, options.is_controlled),
        // Orders were carried out before.
        Route::Plan | Route::Rollback | Route::Pin | Route::Unpin | Route::Trust => {
            not_allowed("POST")
        }
    }
}

/// Answers about settings, and what may be written.
fn data(subject: &dyn PageSubject, route: Route, path: &str) -> PageAnswer {
    let effective = |content_type, format| {
        let effective = subject.effective()?;
        Ok(ok(content_type, effective.with_origins().print(format)))
    };
    let made = match route {
        Route::Explain => subject.explain(path).map(|one| json(StatusCode::OK, &one)),
        Route::Blame => subject
            .blame(path)
            .map(|blame| json(StatusCode::OK, &blame)),
        Route::EffectiveJson => effective(super::answer::JSON, Format::Json),
        Route::EffectiveYaml => effective(TEXT, Format::Yaml),
        Route::EffectiveToml => effective(TEXT, Format::Toml),
        Route::Fingerprint => subject.fingerprint().map(|one| {
            let json_of = serde_json::json!({
                "fingerprint": one,
                "is_partial": one.is_partial(),
                // There is no key for them here.
                "secrets_compared": false,
            });
            json(StatusCode::OK, &json_of)
        }),
        Route::Silent => subject.silent().map(|all| json(StatusCode::OK, &all)),
        Route::SilentPage => subject
            .silent()
            .map(|all| ok(HTML, render::silent(&all).into_string())),
        Route::Schema => Ok(ok(
            super::answer::JSON,
            subject.written(DescribedText::Schema),
        )),
        Route::Template => Ok(ok(TEXT, subject.written(DescribedText::Template))),
        Route::Reference => Ok(ok(TEXT, subject.written(DescribedText::Reference))),
        Route::Variables => Ok(ok(TEXT, subject.written(DescribedText::Variables))),
        _ => subject
            .explain_all()
            .map(|settings| json(StatusCode::OK, &settings)),
    };
    made.unwrap_or_else(|error: ExplainError| {
        let status = match error {
            ExplainError::NotApplied { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::NOT_FOUND,
        };
        line(status, format!("{error}\n"))
    })
}

/// How many characters of a search are used: each of its words is looked for in every setting.
const LONGEST_SEARCH: usize = 200;

async fn page(hub: &Arc<Hub>, options: &PageOptions, query: &Query<'_>) -> PageAnswer {
    let Some(picture) = hub.picture(false).await else {
        return line(StatusCode::SERVICE_UNAVAILABLE, "the program is ending\n");
    };
    let search = query.get("q").unwrap_or_default();
    let search: String = search.chars().take(LONGEST_SEARCH).collect();
    let page = render::document(&render::PageDocument {
        picture: &picture,
        name: &picture_name(&hub.process, &picture),
        search: &search,
        token: hub.token.as_deref().filter(|_| options.is_controlled),
        has_metrics: options.metrics.is_some(),
    });
    answer(StatusCode::OK, HTML, PageBody::text(page.into_string()))
}

fn events(
    hub: &Arc<Hub>,
    options: &PageOptions,
    headers: &HeaderMap,
    query: &Query<'_>,
) -> PageAnswer {
    if tokio::runtime::Handle::try_current().is_err() {
        return line(
            StatusCode::SERVICE_UNAVAILABLE,
            "events need a Tokio runtime with timers\n",
        );
    }
    let last = headers.get("last-event-id");
    let last = last.and_then(|value| value.to_str().ok());
    let shown = last.map(str::to_owned);
    let shown = shown.or_else(|| query.get("since").map(std::borrow::Cow::into_owned));
    let stream = EventStream::new(hub, options.listeners, shown, options.is_controlled);
    let Some(stream) = stream else {
        return line(
            StatusCode::SERVICE_UNAVAILABLE,
            "as many as may follow this page do so already; it can be read without following\n",
        );
    };
    event_stream(PageBody::events(stream))
}

/// The answer with a stream of events, whose length nobody knows.
fn event_stream(body: PageBody) -> PageAnswer {
    let mut answer = ok("text/event-stream", "");
    answer.headers_mut().remove(http::header::CONTENT_LENGTH);
    // A proxy that collects answers would hold events back.
    let buffering = http::HeaderValue::from_static("no");
    answer.headers_mut().insert("x-accel-buffering", buffering);
    *answer.body_mut() = body;
    answer
}
