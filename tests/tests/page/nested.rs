use super::*;
use axum::Router;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What axum's router answers.
async fn routed(router: &mut Router, uri: &str) -> (StatusCode, String) {
    let request = Request::builder().uri(uri).body(axum::body::Body::empty());
    let reply = router.call(request.unwrap()).await.unwrap();
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn it_nests_in_axum_under_any_prefix_with_and_without_a_slash() {
    let site = Site::of(GOOD).await;
    for prefix in ["/config", "/a/deep/prefix"] {
        let mut router = Router::new().nest_service(prefix, site.page.clone());
        for uri in ["", "/", "?q=port", "/?q=port"] {
            let (status, body) = routed(&mut router, &format!("{prefix}{uri}")).await;
            assert_eq!(status, 200, "{prefix}{uri}");
            assert!(body.starts_with("<!doctype html>"));
            // Each link is a query, which means the same behind both.
            for link in body.split(" href=\"").skip(1) {
                assert!(link.starts_with(['?', '#']), "{link}");
            }
            for link in body.split(" src=\"").skip(1) {
                assert!(link.starts_with('?'), "{link}");
            }
        }
        for uri in [
            "?page.css",
            "/?page.js",
            "?status.json",
            "/status.json",
            "/healthz",
        ] {
            let (status, _) = routed(&mut router, &format!("{prefix}{uri}")).await;
            assert_eq!(status, 200, "{prefix}{uri}");
        }
        let (status, _) = routed(&mut router, &format!("{prefix}/nothing")).await;
        assert_eq!(status, 404);
    }
}

#[tokio::test]
async fn a_server_without_a_router_gives_the_prefix() {
    let mut site = Site::of(GOOD).await;
    for prefix in ["/config/", "config"] {
        site.page = site.page.clone().at(prefix);
        for (uri, status) in [
            ("/config", 200),
            ("/config/", 200),
            ("/config?status.json", 200),
            ("/config/healthz", 200),
            ("/configure", 404),
            ("/healthz", 404),
            ("/", 404),
        ] {
            assert_eq!(site.get(uri).await.status, status, "{prefix} {uri}");
        }
    }
}

#[derive(Flux)]
#[flux(optional_source = "file:/nowhere/page-test.yaml")]
struct Static {
    #[flux(default = 7)]
    port: u16,
}

#[tokio::test]
async fn the_page_of_a_type_is_that_of_its_static_capacitor() {
    let page = flux::page::<Static>();
    let before = ask(&page, Method::GET, "/healthz", &[], "").await;
    assert_eq!(before.status, 503);
    Static::start().await.unwrap();
    let after = ask(&page, Method::GET, "/effective.json", &[], "").await;
    assert_eq!(after.json()["port"], 7);
    Static::capacitor().stop().await;
}

/// A server of hyper alone, which answers at this address.
async fn hyper_server(page: Page) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(page.clone());
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

#[tokio::test]
async fn a_server_of_hyper_without_a_router_serves_the_page_its_events_and_its_orders() {
    let site = Site::of(GOOD).await;
    let page = site.page.clone().at("/config").allow(flux::page::Control);
    let address = hyper_server(page).await;
    let ask = async |request: String, until: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut reply, mut part) = (String::new(), [0; 4096]);
        let read = async {
            while !reply.contains(until) {
                let count = stream.read(&mut part).await.unwrap();
                assert_ne!(count, 0, "{reply}");
                reply.push_str(&String::from_utf8_lossy(&part[..count]));
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(60), read).await;
        within.unwrap_or_else(|_| panic!("{reply}"));
        reply
    };
    let get = |path: &str| format!("GET /config{path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let page = ask(get(""), "</html>").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(ask(get("/healthz"), "healthy").await.contains("200 OK"));
    assert!(ask(get("/nothing"), "no such page").await.contains("404"));
    let events = ask(get("/events"), "event: picture").await;
    assert!(
        events.contains("content-type: text/event-stream"),
        "{events}"
    );
    let terms = ask(get("/control.json"), "}").await;
    let token = terms.split("\"token\":\"").nth(1).unwrap();
    let body = format!("token={}", token.split('"').next().unwrap());
    let pin = format!(
        "POST /config/pin HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert!(ask(pin, "\r\n\r\n").await.contains("303 See Other"));
    assert!(site.capacitor.status().pinned);
}
