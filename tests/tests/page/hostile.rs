use super::*;
use proptest::{prelude::*, test_runner::TestRunner};

/// The names of the tags in a page, and nothing in it that is no tag of its own.
fn tags(page: &str) -> Vec<String> {
    page.split('<')
        .skip(1)
        .map(|tag| {
            let (inside, _) = tag
                .split_once('>')
                .unwrap_or_else(|| panic!("an open tag: {tag}"));
            let quotes = inside.matches('"').count();
            assert!(quotes.is_multiple_of(2), "{inside}");
            let name = inside.split([' ', '\n']).next().unwrap_or_default();
            name.trim_start_matches('/').to_owned()
        })
        .collect()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[<>&\"'/=a-z \u{0}\u{202e}\u{2066}\u{feff}-]{0,30}",
        Just("</title><script>alert(1)</script>".to_owned()),
        Just("\"><img src=x onerror=alert(1)>".to_owned()),
        Just("</details></div><form action=//evil>".to_owned()),
        Just("-->\u{0}<!--]]>".to_owned()),
        Just("\u{2028}\nevent: picture\ndata: {}\n\n".to_owned()),
    ]
}

#[test]
fn nothing_that_a_user_wrote_opens_a_tag() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let known: std::collections::HashSet<String> = {
        let site = runtime.block_on(Site::of(GOOD));
        let page = runtime.block_on(site.get("/")).body;
        let mut known: std::collections::HashSet<_> = tags(&page).into_iter().collect();
        known.extend(
            [
                "article", "pre", "details", "summary", "b", "h3", "small", "ol", "ul", "li",
            ]
            .map(str::to_owned),
        );
        known
    };
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(60)
    });
    let strategy = (hostile(), hostile(), hostile(), hostile());
    let outcome = runner.run(&strategy, |(key, value, origin, search)| {
        let page = runtime.block_on(async {
            let (sender, channel) = Channel::buffered(origin.clone(), 4);
            let capacitor = Capacitor::<App>::builder()
                .name(origin.clone())
                .source(Source::watcher(channel).format(Format::Json))
                .history(2)
                .debounce(Duration::ZERO)
                .build()
                .unwrap();
            let document = serde_json::json!({ "labels": { &key: &value }, &key: 1 });
            sender.send(document.to_string().as_bytes()).await.unwrap();
            drop(capacitor.start().await);
            let mut events = capacitor.events();
            // Refused, with the text in a snippet.
            let document = serde_json::json!({ "port": &value, "level": { &key: 1 } });
            sender.send(document.to_string().as_bytes()).await.unwrap();
            let refused = tokio::time::timeout(Duration::from_secs(60), events.next()).await;
            refused.expect("an outcome");
            let page = Page::new(&capacitor);
            let encoded: String = search.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let page = ask(&page, Method::GET, &format!("/?q={encoded}"), &[], "")
                .await
                .body;
            capacitor.stop().await;
            page
        });
        for tag in tags(&page) {
            prop_assert!(known.contains(&tag), "<{tag}> in {page}");
        }
        prop_assert_eq!(page.matches("<script").count(), 1);
        prop_assert_eq!(page.matches("<title>").count(), 1);
        let controls = page.contains(['\u{0}', '\u{202e}', '\u{2066}']);
        prop_assert!(!controls, "in {page}");
        Ok(())
    });
    outcome.unwrap();
}

/// What begins a secret.
const MARKERS: [&str; 3] = ["zq-hunter2", "zq-token", "zq-other"];

#[tokio::test]
async fn no_route_and_no_event_has_a_secret() {
    let site = Site::of(GOOD).await;
    let page = site.page.clone().allow(flux::page::Control);
    let bad = "port: zq-hunter2-qz\npassword: [zq-hunter2-qz]\ntokens: zq-token-qz\nlevel: zq-third-qz\npasswrod: zq-third-qz\n";
    for document in [bad, "port: 80\npassword: zq-other-qz\n"] {
        site.write(document).await;
        for uri in SHOWN
            .iter()
            .chain(&["/explain.json?path=password", "/explain.json?path=tokens.a"])
        {
            let body = ask(&page, Method::GET, uri, &[], "").await.body;
            for marker in MARKERS {
                assert!(!body.contains(marker), "{uri}: {marker}");
            }
        }
        let mut events = call(&page, Method::GET, "/events", &[], "")
            .await
            .into_body();
        let event = events.frame().await.unwrap().unwrap().into_data().unwrap();
        let event = String::from_utf8_lossy(&event);
        for marker in MARKERS {
            assert!(!event.contains(marker), "an event: {marker}");
        }
    }
}
