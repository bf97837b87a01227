use super::*;
use flux::{
    change::{Change, Party},
    page::Control,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

async fn controlled() -> (Site, String) {
    let mut site = Site::of(GOOD).await;
    site.page = site.page.allow(Control);
    let terms = site.get("/control.json").await.json();
    assert_eq!(
        terms["allowed"],
        serde_json::json!(["plan", "rollback", "pin", "unpin", "trust"])
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
    for uri in ["/pin", "/unpin", "/rollback", "/trust", "/?pin"] {
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
        missing
            .body
            .contains("generation 77 cannot be gone back to"),
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

    // At an address of its own, where the links of a page lead nowhere, the answer is text.
    for (body, status, part) in [
        (form("port%3A+81"), 200, "port"),
        (form("port%3A+0"), 200, "port: 0"),
        (form("").replace("app.yaml", "none.yaml"), 400, "none.yaml"),
        (format!("token={token}&layer=app.yaml"), 400, "`document`"),
        (format!("token={token}&document=port%3A+81"), 400, "`layer`"),
    ] {
        let reply = post(&site, "/plan", &[], &body).await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.header("content-type").starts_with("text/plain"));
        assert!(reply.body.contains(part), "{body}: {}", reply.body);
        let reply = post(&site, "/?plan", &[], &body).await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.header("content-type").starts_with("text/html"));
        assert!(reply.body.contains("href=\"?\""), "{}", reply.body);
    }
    // A wrong token in the header is refused before a form that is too long is.
    let wrong = [("x-flux-token", "wrong")];
    let long = form(&"x".repeat(5 << 20));
    assert_eq!(post(&site, "/plan", &wrong, &long).await.status, 403);
    assert_eq!(post(&site, "/plan", &[], &long).await.status, 413);

    // Guesses at secrets could be tried with it.
    let without = post(&site, "/plan", &json, "layer=app.yaml&document=port%3A+81").await;
    assert_eq!(without.status, 403);
    let page = site.get("/").await.body;
    assert!(page.contains("<textarea name=\"document\""), "{page}");
    assert!(
        page.contains("<option value=\"app.yaml\">app.yaml</option>"),
        "{page}"
    );
    let read_only = Site::of(GOOD).await;
    assert!(!read_only.get("/").await.body.contains("textarea"));
    let plan = post(&read_only, "/plan", &json, &form("port%3A+81")).await;
    assert_eq!(plan.status, 403);
}

#[tokio::test]
async fn a_trial_and_a_quarantine_are_ended_by_a_button_that_is_there_as_long_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let start = async |document: &str| {
        let (sender, below) = Channel::buffered("app.yaml", 16);
        let capacitor = Capacitor::<App>::builder()
            .source(Source::watcher(below).format(Format::Yaml))
            .debounce(Duration::ZERO)
            .last_known_good(path.to_str().unwrap(), flux::Secrets::Omit)
            .trial(1)
            .build()
            .unwrap();
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.start().await.unwrap();
        let page = Page::new(&capacitor).allow(Control);
        let document = sender;
        Site {
            capacitor,
            document,
            page,
        }
    };
    let has_button = async |site: &Site| {
        let page = site.get("/").await.body;
        page.contains("formaction=\"?trust\"")
    };
    let trust = async |site: &Site| {
        let terms = site.get("/control.json").await.json();
        let token = terms["token"].as_str().unwrap();
        let refused = post(site, "/trust", &[], "token=0").await;
        assert_eq!(refused.status, 403);
        let other = [("sec-fetch-site", "cross-site"), ("x-flux-token", token)];
        assert_eq!(post(site, "/trust", &other, "").await.status, 403);
        let headers = [("x-flux-token", token), ("accept", "application/json")];
        post(site, "/trust", &headers, "").await.json()
    };
    let record = async |wanted: &str| {
        let began = std::time::Instant::now();
        loop {
            let text = std::fs::read_to_string(folder.path().join("last.json.trial"));
            if let Ok(text) = text
                && text.contains(wanted)
            {
                return text;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{wanted}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let site = start("port: 1").await;
    assert!(!has_button(&site).await);
    assert_eq!(
        trust(&site).await["trusted"]["passed"],
        serde_json::Value::Null
    );
    site.write("port: 2").await;
    assert!(has_button(&site).await);
    assert_eq!(trust(&site).await["trusted"]["passed"], 2);
    assert!(!has_button(&site).await && site.capacitor.status().trial.is_none());
    site.write("port: 3").await;
    // As if it had been another process that is gone.
    let text = record("\"running\": true").await;
    site.capacitor.stop().await;
    let own = format!("\"id\": {}", std::process::id());
    std::fs::write(
        folder.path().join("last.json.trial"),
        text.replace(&own, "\"id\": 0"),
    )
    .unwrap();
    let site = start("port: 3").await;
    assert_eq!(site.capacitor.get().port, 2);
    assert!(has_button(&site).await);
    let done = trust(&site).await;
    assert_eq!(done["trusted"]["lifted"][0]["origin"], "app.yaml", "{done}");
    let began = std::time::Instant::now();
    while site.capacitor.get().port != 3 {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(site.capacitor.status().quarantined.is_empty());
    site.capacitor.stop().await;
}

/// Refuses the port 13, and counts what it prepared and rolled back.
struct Counted(Arc<AtomicU32>);

impl Party<App> for Counted {
    type Prepared = ();
    type Error = String;
    fn name(&self) -> String {
        "Pool".to_owned()
    }
    async fn prepare(&self, change: &Change<App>) -> Result<(), String> {
        if change.current.port == 13 {
            let password = change.current.password.clone().unwrap_or_default();
            return Err(format!("the server refuses {password}"));
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    fn commit(&self, _: ()) {}
    fn rollback(&self, _: ()) {
        self.0.fetch_add(100, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_plan_asks_the_parties_which_prepare_and_roll_back() {
    let (sender, below) = Channel::buffered("app.yaml", 4);
    let asked = Arc::new(AtomicU32::new(0));
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(below).format(Format::Yaml))
        .party(Counted(Arc::clone(&asked)))
        .build()
        .unwrap();
    sender.send(GOOD.as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    asked.store(0, Ordering::SeqCst);
    let site = Site {
        page: Page::new(&capacitor).allow(Control),
        capacitor,
        document: sender,
    };
    let terms = site.get("/control.json").await.json();
    let token = terms["token"].as_str().unwrap().to_owned();
    let form = |document: &str| format!("token={token}&layer=app.yaml&document={document}");
    let json = [("accept", "application/json")];
    let plan = post(&site, "/plan", &json, &form("port%3A+81"))
        .await
        .json();
    assert_eq!(plan["parties"][0]["verdict"], "ready", "{plan}");
    assert_eq!(asked.load(Ordering::SeqCst), 101);
    let page = post(&site, "/?plan", &[], &form("port%3A+81")).await.body;
    for part in [
        "Nothing in it would be refused",
        "`Pool` is ready",
        "was rolled back",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let refused = form("port%3A+13%0Apassword%3A+zq-new-qz");
    let page = post(&site, "/?plan", &[], &refused).await.body;
    for part in ["It would be refused", "`Pool` would refuse"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("zq-"), "{page}");
    assert_eq!(site.capacitor.get().port, 9090);
    // Without the task of the capacitor nobody can ask them.
    site.capacitor.stop().await;
    let page = post(&site, "/?plan", &[], &form("port%3A+81")).await.body;
    for part in ["Not known", "the parties were not asked"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

#[tokio::test]
async fn an_order_is_for_the_host_that_its_origin_or_its_referrer_names() {
    let (site, token) = controlled().await;
    let form = format!("token={token}");
    let host = ("host", "app.example:8080");
    for (sent, status) in [
        (("origin", "http://app.example:8080"), 303),
        (("referer", "http://app.example:8080/config/"), 303),
        (("origin", "http://evil.example:8080"), 403),
        (("origin", "http://app.example"), 403),
        (("origin", "null"), 403),
        (("referer", "http://evil.example/"), 403),
    ] {
        let reply = post(&site, "/pin", &[host, sent], &form).await;
        assert_eq!(reply.status, status, "{sent:?} {}", reply.body);
        assert_eq!(site.capacitor.status().pinned, status == 303, "{sent:?}");
        post(&site, "/unpin", &[], &form).await;
    }
    // The token stays needed.
    let own = [host, ("origin", "http://app.example:8080")];
    assert_eq!(post(&site, "/pin", &own, "token=x").await.status, 403);
}

#[tokio::test]
async fn an_error_is_json_where_that_is_asked_for() {
    let (site, token) = controlled().await;
    let json = [("accept", "application/json")];
    let other = [json[0], ("sec-fetch-site", "cross-site")];
    let form = format!("token={token}");
    let long = format!("{form}&more={}", "x".repeat(5_000));
    for (uri, headers, body, status) in [
        ("/pin", &json[..], "token=x", 403),
        ("/pin", &other, &form, 403),
        ("/pin", &json, &long, 413),
        ("/rollback", &json, &format!("{form}&to=x"), 400),
        ("/rollback", &json, &format!("{form}&to=77"), 409),
        ("/plan", &json, &form, 400),
        ("/nothing", &json, "", 404),
        ("/nothing.json", &[], "", 404),
        ("/status.json", &[], "", 405),
    ] {
        let reply = post(&site, uri, headers, body).await;
        assert_eq!(reply.status, status, "{uri} {body}");
        assert_eq!(
            reply.header("content-type"),
            "application/json",
            "{uri} {status}"
        );
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(!error.is_empty() && !error.ends_with('\n'), "{error}");
    }
    for (uri, headers) in [("/metrics", &json[..]), ("/explain.json?path=nothing", &[])] {
        let reply = ask(&site.page, Method::GET, uri, headers, "").await;
        assert_eq!(reply.status, 404, "{uri}");
        assert!(reply.json()["error"].is_string(), "{}", reply.body);
    }
    // For people it is text.
    let reply = post(&site, "/rollback", &[], &format!("{form}&to=x")).await;
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    let read_only = Site::of(GOOD).await;
    let reply = post(&read_only, "/pin", &json, &form).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["error"].is_string()),
        (403, true)
    );
}

/// A number may be that of another file by the time that a form is sent, and a folder has no document of its own.
#[tokio::test]
async fn the_form_of_a_plan_names_the_layer_and_offers_files_and_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("20-b.yaml");
    std::fs::write(&file, "port: 81").unwrap();
    let pattern = folder.path().join("*.yaml").display().to_string();
    let (sender, below) = Channel::buffered("same", 4);
    let (other, above) = Channel::buffered("same", 4);
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(below).format(Format::Yaml))
        .source(Source::watcher(above).format(Format::Yaml))
        .source(Source::file(pattern.as_str()).settle(Duration::from_millis(50)))
        .debounce(Duration::ZERO)
        .build()
        .unwrap();
    sender.send(&b"level: info"[..]).await.unwrap();
    other.send(&b"level: warn"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    let page = Page::new(&capacitor).allow(Control);
    let shown = ask(&page, Method::GET, "/", &[], "").await.body;
    let token = shown.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let select = shown.split_once("<select name=\"layer\">").unwrap().1;
    let select = select.split_once("</select>").unwrap().0;
    let values = select.split("<option value=\"").skip(1);
    let values: Vec<&str> = values
        .map(|value| value.split('"').next().unwrap())
        .collect();
    assert_eq!(values, [file.to_str().unwrap(), "same#2", "same#1"]);
    // A file has come before it meanwhile.
    std::fs::write(folder.path().join("10-a.yaml"), "level: debug").unwrap();
    let mut count = 0;
    while capacitor.status().layers.len() < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        count += 1;
        assert!(count < 6000);
    }
    let json = [("accept", "application/json")];
    for (layer, document, path) in [
        (values[0], "port%3A+82", "port"),
        ("same%232", "labels%3A+%7Ba%3A+b%7D", "labels"),
    ] {
        let form = format!("token={token}&layer={layer}&document={document}");
        let plan = ask(&page, Method::POST, "/plan", &json, &form).await.json();
        let changed = plan["changes"][0]["path"].as_str().unwrap();
        assert!(changed.starts_with(path), "{plan}");
        let origin = layer.strip_suffix("%232").unwrap_or(layer);
        assert!(plan["changes"][0].to_string().contains(origin), "{plan}");
    }
}
