use super::*;
use flux::page::Control;

async fn controlled() -> (Site, String) {
    let mut site = Site::of(GOOD).await;
    site.page = site.page.allow(Control);
    let terms = site.get("/control.json").await.json();
    assert_eq!(
        terms["allowed"],
        serde_json::json!(["plan", "rollback", "pin", "unpin"])
    );
    let token = terms["token"].as_str().unwrap().to_owned();
    (site, token)
}

async fn post(site: &Site, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    ask(&site.page, Method::POST, uri, headers, body).await
}

#[tokio::test]
async fn a_read_only_page_does_nothing_and_gives_no_token() {
    let site = Site::of(GOOD).await;
    let terms = site.get("/control.json").await.json();
    assert_eq!(terms, serde_json::json!({ "allowed": [], "token": null }));
    let (_, token) = controlled().await;
    for uri in ["/pin", "/unpin", "/rollback", "/?pin"] {
        let reply = post(&site, uri, &[], &format!("token={token}")).await;
        assert_eq!(reply.status, 403, "{uri}");
    }
    assert!(!site.capacitor.status().pinned);
}

#[tokio::test]
async fn rollback_pin_and_unpin_need_the_token_a_post_and_the_same_origin() {
    let (site, token) = controlled().await;
    let form = format!("token={token}");
    let longest = format!("token={token}&more={}", "x".repeat(5_000));
    let other = [("sec-fetch-site", "cross-site")];
    let near = [("sec-fetch-site", "same-site")];
    for (headers, body, status) in [
        (&[][..], "", 403),
        (&[], "token=", 403),
        (&[], &form[..form.len() - 1], 403),
        (&[], &form.to_uppercase()[..], 403),
        (&[], &longest, 413),
        (&other, &form, 403),
        (&near, &form, 403),
    ] {
        let reply = post(&site, "/pin", headers, body).await;
        assert_eq!(reply.status, status, "{headers:?} {body}");
        assert!(!site.capacitor.status().pinned);
    }
    let read = site.get("/pin").await;
    assert_eq!((read.status.as_u16(), read.header("allow")), (405, "POST"));
    // A token in the query is in logs.
    let query = post(&site, &format!("/pin?{form}"), &[], "").await;
    assert_eq!(query.status, 403);

    let pinned = post(&site, "/pin", &[("sec-fetch-site", "same-origin")], &form).await;
    assert_eq!(
        (pinned.status.as_u16(), pinned.header("location")),
        (303, "./")
    );
    assert!(site.capacitor.status().pinned);
    let header = [("x-flux-token", &*token), ("accept", "application/json")];
    let unpinned = post(&site, "/?unpin", &header, "").await;
    assert_eq!(unpinned.json(), serde_json::json!({ "generation": 1 }));
    assert!(!site.capacitor.status().pinned);
}

#[tokio::test]
async fn a_rollback_serves_the_earlier_generation() {
    let (site, token) = controlled().await;
    site.write("port: 9091\n").await;
    site.write("port: 9092\n").await;
    let page = site.get("/").await.body;
    assert!(
        page.contains("<option value=\"2\">2, which changed port"),
        "{page}"
    );
    let back = post(&site, "/?rollback", &[], &format!("token={token}&to=1")).await;
    assert_eq!((back.status.as_u16(), back.header("location")), (303, "?"));
    assert_eq!(site.capacitor.get().port, 9090);
    let missing = post(&site, "/?rollback", &[], &format!("token={token}&to=77")).await;
    assert_eq!(missing.status, 409);
    assert!(
        missing.body.contains("there is no generation 77"),
        "{}",
        missing.body
    );
    let wrong = post(&site, "/rollback", &[], &format!("token={token}&to=x")).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_page_beside_one_with_control_stays_read_only() {
    let site = Site::of(GOOD).await;
    let controlled = site.page.clone().allow(Control);
    let page = ask(&controlled, Method::GET, "/", &[], "").await.body;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    assert_eq!(token.len(), 32);
    assert!(!site.get("/").await.body.contains(token));
    assert_eq!(
        post(&site, "/pin", &[], &format!("token={token}"))
            .await
            .status,
        403
    );
    let reply = ask(
        &controlled,
        Method::POST,
        "/pin",
        &[],
        &format!("token={token}"),
    )
    .await;
    assert_eq!(reply.status, 303);
}

#[tokio::test]
async fn the_enter_key_gives_no_order() {
    let (site, _) = controlled().await;
    site.write("port: 9091\n").await;
    let page = site.get("/").await.body;
    let form = page.split_once("<form class=\"orders\"").unwrap().1;
    let form = form.split_once("</form>").unwrap().0;
    // A browser takes the first button of a form for the key, and does nothing where that one is disabled.
    let first = form.split_once("<button").unwrap().1;
    assert!(first.starts_with(" hidden disabled>"), "{form}");
    assert!(form.contains("formaction=\"?rollback\"") && form.contains("formaction=\"?pin\""));
}

#[tokio::test]
async fn what_a_document_would_change_is_shown_and_nothing_is_applied() {
    let (site, token) = controlled().await;
    let form = |document: &str| format!("token={token}&layer=app.yaml&document={document}");
    let json = [("accept", "application/json")];
    let plan = post(
        &site,
        "/plan",
        &json,
        &form("port%3A+81%0D%0Alevel%3A+warn"),
    )
    .await;
    assert_eq!(plan.status, 200);
    let plan = plan.json();
    assert_eq!(plan["changes"][0]["path"], "port");
    assert_eq!(plan["changes"][0]["new"], 81);
    assert_eq!(plan["refused"], serde_json::Value::Null);

    // In a browser, with the snippet of what would be refused.
    let refused = post(
        &site,
        "/?plan",
        &[],
        &form("port%3A+0%0Apassword%3A+zq-guess-qz"),
    )
    .await;
    assert_eq!(refused.status, 200);
    for part in ["It would be refused", "port: 0", "Nothing was done"] {
        assert!(refused.body.contains(part), "{part}\n{}", refused.body);
    }
    assert!(!refused.body.contains("zq-"), "{}", refused.body);
    let unknown = post(
        &site,
        "/plan",
        &json,
        &form("").replace("app.yaml", "none.yaml"),
    )
    .await;
    assert_eq!(unknown.status, 400);
    assert_eq!(site.capacitor.get().port, 9090);
    assert_eq!(site.capacitor.status().generation, 1);

    // Guesses at secrets could be tried with it.
    let without = post(&site, "/plan", &json, "layer=app.yaml&document=port%3A+81").await;
    assert_eq!(without.status, 403);
    let page = site.get("/").await.body;
    assert!(page.contains("<textarea name=\"document\""), "{page}");
    assert!(
        page.contains("<option value=\"0\">app.yaml</option>"),
        "{page}"
    );
    let read_only = Site::of(GOOD).await;
    assert!(!read_only.get("/").await.body.contains("textarea"));
    let plan = post(&read_only, "/plan", &json, &form("port%3A+81")).await;
    assert_eq!(plan.status, 403);
}
