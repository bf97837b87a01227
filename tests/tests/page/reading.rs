use super::*;

#[tokio::test]
async fn the_page_has_the_state_every_value_its_origin_and_what_it_hides() {
    let site = Site::of(&format!("{GOOD}level: warn\nlabels: {{ team: a }}\n")).await;
    let page = site.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "<title>healthy · app</title>",
        "generation <span id=\"generation\">1</span>",
        "<code class=\"path\">port</code> <span class=\"value\">9090</span> <span class=\"from\">app.yaml:1:7</span>",
        "<code class=\"path\">level</code> <span class=\"value\">&quot;debug&quot;</span> <span class=\"from\">variable APP_LEVEL</span> <span class=\"badge\">hides 1</span>",
        "<dt>hidden</dt><dd><code>app.yaml:4:8</code> &quot;warn&quot;</dd>",
        "<dt>docs</dt><dd>Where it listens.</dd>",
        "<i>secret, set</i>",
        "<span class=\"health good\">live</span>",
        " ago)</time>",
        "This page is read-only.",
        &format!(
            "Relative paths are in <code>{}</code>, the folder of process {}.",
            std::env::current_dir().unwrap().display(),
            std::process::id()
        ),
    ] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    assert!(!page.body.contains("<form class=\"orders\""));
}

#[tokio::test]
async fn what_is_refused_is_on_top_with_its_snippet() {
    let site = Site::of(GOOD).await;
    site.write("port: 90900\nlevle: debug\n").await;
    let page = site.get("/").await.body;
    let refused = page
        .find("configuration refused: 1 problem")
        .expect("the headline");
    assert!(refused < page.find("<h2>Layers").unwrap());
    for part in [
        "<title>degraded · app</title>",
        "<code>port</code> expected u16, found integer `90900`",
        "<p class=\"where\">app.yaml:1:7</p>",
        "<pre>1 | port: 90900\n  |       <b>^</b></pre>",
        "newest content not applied",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    site.write("port: 9091\n").await;
    let page = site.get("/").await.body;
    assert!(!page.contains("<section class=\"refused\""));
    // The history has it.
    assert!(page.contains("<h3>Refused</h3>") && page.contains("found integer `90900`"));
}

#[tokio::test]
async fn before_the_first_configuration_the_page_has_the_reason_and_probes_fail() {
    let site = Site::of("port: none\n").await;
    let page = site.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<title>empty · app</title>"));
    assert!(page.body.contains("expected u16"));
    assert_eq!(site.get("/settings.json").await.status, 503);
    assert_eq!(site.get("/effective.yaml").await.status, 503);
    let health = site.get("/healthz").await;
    assert_eq!(
        (health.status.as_u16(), &*health.body),
        (503, "empty: no configuration is applied yet\n")
    );
}

#[tokio::test]
async fn a_refused_change_fails_the_strict_probe_alone() {
    let site = Site::of(GOOD).await;
    assert_eq!(site.get("/healthz").await.status, 200);
    assert_eq!(
        site.get("/healthz?strict").await.body,
        "healthy: generation 1\n"
    );
    site.write("port: none\n").await;
    let (lenient, strict) = (
        site.get("/healthz").await,
        site.get("/?healthz&strict").await,
    );
    assert_eq!(
        (lenient.status.as_u16(), strict.status.as_u16()),
        (200, 503)
    );
    assert_eq!(
        lenient.body,
        "degraded: generation 1; the newest change is not applied\n"
    );
}

#[tokio::test]
async fn each_generation_has_its_values_before_and_after() {
    let site = Site::of(GOOD).await;
    site.write(
        "port: 9091\npassword: zq-other-qz\ntokens: { a: zq-token-qz }\nlabels: { team: a }\n",
    )
    .await;
    for _ in 0..2 {
        let page = site.get("/").await.body;
        for part in [
            "<ul class=\"diff\"><li>port: 9090 -&gt; 9091 (app.yaml:1:7)</li>",
            "<li>password: another secret (app.yaml:2:11)</li>",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
    // One that was not seen when it was new, and one that a listener saw, are found out alike.
    site.write("port: 9092\n").await;
    site.write("port: 9093\n").await;
    let page = site.get("/").await.body;
    assert!(
        page.contains("port: 9091 -&gt; 9092 (app.yaml:1:7)"),
        "{page}"
    );
    assert!(
        page.contains("port: 9092 -&gt; 9093 (app.yaml:1:7)"),
        "{page}"
    );
    let blame = site.get("/blame.json?path=port").await.json();
    assert_eq!(blame["changes"][0]["generation"], 4);
}

#[tokio::test]
async fn everything_is_data_too() {
    let site = Site::of(GOOD).await;
    assert_eq!(site.get("/status.json").await.json()["generation"], 1);
    let settings = site.get("/settings.json").await.json();
    assert_eq!(settings[0]["path"], "port");
    let port = site.get("/explain.json?path=port").await;
    assert_eq!(port.json()["settings"][0]["line"], 1);
    assert_eq!(port.header("content-type"), "application/json");
    assert_eq!(site.get("/explain.json?path=prot").await.status, 404);
    assert_eq!(site.get("/effective.json").await.json()["port"], 9090);
    let yaml = site.get("/effective.yaml").await.body;
    assert!(yaml.starts_with("port: 9090  # app.yaml:1:7\n"), "{yaml}");
    // A query is the same as a path.
    assert_eq!(site.get("/?status.json").await.json()["name"], "app");
}

#[tokio::test]
async fn every_answer_forbids_to_store_to_frame_and_to_guess() {
    let site = Site::of(GOOD).await;
    for uri in SHOWN.iter().chain(&["/nothing", "/pin", "/metrics"]) {
        let reply = site.get(uri).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), value, "{uri}");
        }
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(reply.header("access-control-allow-origin").is_empty());
    }
    let page = site.get("/").await.body;
    // No script and no style in the page itself, and nothing from elsewhere.
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("://"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("<script src=\"?page.js\"></script>"));
    for attribute in [" onclick", " onload", " onerror", "javascript:"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
}

#[tokio::test]
async fn only_get_and_head_show() {
    let site = Site::of(GOOD).await;
    for uri in SHOWN {
        let got = site.get(uri).await;
        let head = ask(&site.page, Method::HEAD, uri, &[], "").await;
        assert_eq!((head.status, &*head.body), (got.status, ""), "{uri}");
        if uri != "/" {
            let (head, got) = (head.header("content-length"), got.header("content-length"));
            assert_eq!(head, got, "{uri}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let reply = ask(&site.page, method, uri, &[], "").await;
            assert_eq!(
                (reply.status.as_u16(), reply.header("allow")),
                (405, "GET, HEAD")
            );
        }
    }
    let head = ask(&site.page, Method::HEAD, "/events", &[], "").await;
    assert_eq!(head.header("content-type"), "text/event-stream");
    // Nobody knows how long it becomes.
    assert_eq!(head.header("content-length"), "");
    assert_eq!(site.get("/nothing").await.status, 404);
    assert_eq!(site.get("/status.json/more").await.status, 404);
}

#[tokio::test]
async fn a_start_from_the_last_known_good_file_is_no_generation_of_the_sources() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("last.json");
    let program = || {
        let (sender, below) = Channel::buffered("app.yaml", 16);
        let source = Source::watcher(below).format(Format::Yaml);
        let builder = Capacitor::<App>::builder().source(source);
        let kept = kept.to_str().unwrap();
        let builder = builder.last_known_good(kept, flux::Secrets::Omit);
        (sender, builder.build().unwrap())
    };
    let (sender, capacitor) = program();
    sender.send("port: 9090\n".as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let (sender, capacitor) = program();
    sender.absent().await.unwrap();
    capacitor.start().await.unwrap();
    let page = ask(&Page::new(&capacitor), Method::GET, "/", &[], "")
        .await
        .body;
    let now = "What readers see, generation 1, is from the last known good file";
    assert!(
        page.contains(now) && !page.contains("None was applied"),
        "{page}"
    );
}

#[tokio::test]
async fn a_search_without_script_shows_what_it_finds() {
    let site = Site::of(GOOD).await;
    for (query, count) in [
        ("?q=port", "1 of 5"),
        ("?q=PORT+9090", "1 of 5"),
        ("?q=APP_LEVEL", "1 of 5"),
        // The explanation is searched too, as it is with script.
        ("?q=app_port", "1 of 5"),
        ("?q=65535", "1 of 5"),
        ("?q=nothing", "0 of 5"),
        // What is shown in the place of an origin and of a value is found; the names of lines, which most have, are not.
        ("?q=default", "1 of 5"),
        ("?q=secret", "2 of 5"),
        ("?q=docs", "0 of 5"),
        ("?q=", "5 of 5"),
        // A secret is not found by its value.
        ("?q=hunter2", "0 of 5"),
    ] {
        let page = site.get(&format!("/{query}")).await.body;
        let shown = format!("<output id=\"count\">{count}</output>");
        assert!(page.contains(&shown), "{query}\n{page}");
    }
}

#[tokio::test]
async fn metrics_are_what_the_program_gives() {
    let site = Site::of(GOOD).await;
    assert_eq!(site.get("/metrics").await.status, 404);
    let page = site.page.clone().metrics(|| "flux_state 1\n".to_owned());
    let reply = ask(&page, Method::GET, "/metrics", &[], "").await;
    assert_eq!(
        (reply.status.as_u16(), &*reply.body),
        (200, "flux_state 1\n")
    );
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
}

#[tokio::test]
async fn the_page_goes_on_after_a_stop_and_shows_it() {
    let site = Site::of(GOOD).await;
    site.capacitor.stop().await;
    let page = site.get("/").await.body;
    assert!(page.contains("<title>not watched · app</title>"), "{page}");
    assert_eq!(site.get("/healthz").await.status, 200);
    assert_eq!(site.get("/healthz?strict").await.status, 503);
    assert_eq!(site.get("/healthz?strict=true").await.status, 503);
    assert_eq!(site.get("/healthz?strict=false").await.status, 200);
    let wrong = site.get("/healthz?strict=perhaps").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("not `perhaps`"), "{}", wrong.body);
}

#[tokio::test]
async fn metrics_that_panic_are_an_answer_and_the_page_goes_on() {
    let site = Site::of(GOOD).await;
    let page = site.page.clone().metrics(|| panic!("no recorder"));
    let reply = ask(&page, Method::GET, "/metrics", &[], "").await;
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("no recorder"), "{}", reply.body);
    assert_eq!(ask(&page, Method::GET, "/", &[], "").await.status, 200);
}

#[tokio::test]
async fn the_fingerprint_is_on_the_page_and_follows_what_readers_see() {
    let site = Site::of(GOOD).await;
    let mut known = std::collections::BTreeSet::new();
    for document in [GOOD, "port: 9091\n"] {
        if document != GOOD {
            site.write(document).await;
        }
        let own = site.capacitor.fingerprint().unwrap();
        let page = site.get("/").await.body;
        assert!(
            page.contains(&format!("Fingerprint <code>{own}</code>")),
            "{page}"
        );
        let data = site.get("/fingerprint.json").await.json();
        assert_eq!(data["fingerprint"], own.to_string());
        assert_eq!(data["is_partial"], own.is_partial());
        assert_eq!(data["secrets_compared"], false);
        assert!(page.contains("ecrets are not compared."), "{page}");
        known.insert(own.to_string());
    }
    assert_eq!(known.len(), 2);
}

#[tokio::test]
async fn what_may_be_written_is_there_before_anything_runs_and_then_with_the_programs_own_prefix() {
    let (sender, below) = Channel::buffered("app.yaml", 4);
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(below).format(Format::Yaml))
        .override_with(Source::env("SHOP_").variables([("SHOP_LEVEL", "zq-none-qz")]))
        .build()
        .unwrap();
    let page = Page::new(&capacitor);
    let get = async |uri: &str| ask(&page, Method::GET, uri, &[], "").await;
    for is_running in [false, true] {
        if is_running {
            sender.send(GOOD.as_bytes()).await.unwrap();
            capacitor.start().await.unwrap();
        }
        let prefix = if is_running { "SHOP_" } else { "APP_" };
        let schema = get("/schema.json").await;
        assert_eq!(schema.header("content-type"), "application/json");
        assert_eq!(schema.json()["properties"]["port"]["maximum"], 65535);
        for (uri, part) in [
            ("/template.yaml", "port: 8080\n".to_owned()),
            ("/reference.md", format!("`{prefix}PORT`")),
            ("/variables.env", format!("# {prefix}PORT=8080\n")),
        ] {
            let reply = get(uri).await;
            assert_eq!(reply.status, 200, "{uri}");
            assert!(reply.header("content-type").starts_with("text/plain"));
            assert!(reply.body.contains(&part), "{uri}: {}", reply.body);
            assert!(!reply.body.contains("zq-"), "{}", reply.body);
        }
        let body = get("/").await.body;
        for route in [
            "schema.json",
            "template.yaml",
            "reference.md",
            "variables.env",
        ] {
            assert!(body.contains(&format!("<a href=\"?{route}\">")), "{body}");
        }
    }
    capacitor.stop().await;
}

#[tokio::test]
async fn what_has_no_effect_is_a_page_of_its_own_and_data() {
    let site = Site::of(&format!("{GOOD}level: warn\nprot: 1\n")).await;
    let page = site.get("/").await.body;
    assert!(page.contains("<a href=\"?silent\">"), "{page}");
    let silent = site.get("/?silent").await;
    assert_eq!(silent.header("content-type"), "text/html; charset=utf-8");
    for part in [
        "<li>`level` at app.yaml:4:8 has no effect: variable APP_LEVEL hides it</li>",
        "<li>`prot` at app.yaml:5:7 has no effect: unknown key, did you mean `port`?</li>",
        "<a href=\"?\">",
    ] {
        assert!(silent.body.contains(part), "{part}\n{}", silent.body);
    }
    let data = site.get("/silent.json").await.json();
    assert_eq!(
        (&data[0]["path"], &data[0]["why"]),
        (&"level".into(), &"shadowed".into())
    );
    assert_eq!(data.as_array().unwrap().len(), 2, "{data}");
    site.write("port: 9090\n").await;
    let none = site.get("/silent").await.body;
    assert!(none.contains("There is nothing of that kind."), "{none}");
    let empty = Site::of("port: none\n").await;
    assert_eq!(empty.get("/silent").await.status, 503);
    assert_eq!(empty.get("/silent.json").await.status, 503);
}
