use super::*;
use axum::Router;

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
