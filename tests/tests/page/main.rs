//! The page of a configuration, asked as a server asks it; `tests/tests/browser` reads it with a browser.

mod events;
mod hostile;
mod kept;
mod nested;
mod orders;
mod reading;

use flux::{
    Capacitor, Flux, Format, Source,
    page::{Page, PageBody},
    source::{Channel, ChannelSender},
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::{collections::BTreeMap, time::Duration};
use tower_service::Service;

#[derive(Flux)]
struct App {
    /// Where it listens.
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(default = "info")]
    level: String,
    #[flux(secret)]
    password: Option<String>,
    #[flux(secret, default)]
    tokens: BTreeMap<String, String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
}

const GOOD: &str = "port: 9090\npassword: zq-hunter2-qz\ntokens: { a: zq-token-qz }\n";

/// A capacitor over a document, an upper one and a variable, and its page.
struct Site {
    capacitor: Capacitor<App>,
    document: ChannelSender,
    page: Page,
}

impl Site {
    async fn of(document: &str) -> Site {
        let (sender, below) = Channel::buffered("app.yaml", 16);
        let capacitor = Capacitor::<App>::builder()
            .name("app")
            .source(Source::watcher(below).format(Format::Yaml))
            .override_with(Source::env("APP_").variables([("APP_LEVEL", "debug")]))
            .debounce(Duration::ZERO)
            .generations(5)
            .history(5)
            .build()
            .unwrap();
        sender.send(document.as_bytes()).await.unwrap();
        // What is refused is the test's to find.
        drop(capacitor.start().await);
        Site {
            page: Page::new(&capacitor),
            capacitor,
            document: sender,
        }
    }

    /// Sends a document, and waits until it is applied or refused.
    async fn write(&self, document: &str) {
        let seen = || {
            let status = self.capacitor.status();
            let refused = status.history.last().map(|one| one.number);
            (status.generation, refused)
        };
        let before = seen();
        self.document.send(document.as_bytes()).await.unwrap();
        let changed = async {
            while seen() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), changed)
            .await
            .unwrap();
    }

    async fn get(&self, uri: &str) -> Reply {
        ask(&self.page, Method::GET, uri, &[], "").await
    }
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn call(
    page: &Page,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<PageBody> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_owned()).unwrap();
    page.clone().call(request).await.unwrap()
}

async fn ask(
    page: &Page,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let reply = call(page, method, uri, headers, body).await;
    let (parts, body) = reply.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// Everything that only shows.
const SHOWN: [&str; 20] = [
    "/",
    "/page.css",
    "/page.js",
    "/icon.svg",
    "/status.json",
    "/settings.json",
    "/explain.json?path=port",
    "/blame.json",
    "/effective.json",
    "/effective.yaml",
    "/effective.toml",
    "/fingerprint.json",
    "/silent",
    "/silent.json",
    "/schema.json",
    "/template.yaml",
    "/reference.md",
    "/variables.env",
    "/healthz",
    "/control.json",
];
