//! The page in a real browser. Skipped where there is no Chromium, unless `FLUX_TESTS_REQUIRED` is set.

mod chromium;
mod figures;
mod site;

use chromium::Tab;
use serde_json::json;
use site::{Settings, Site};
use std::time::{Duration, Instant};

const GOOD: &str =
    "listen:\n  address: 127.0.0.1:8080\npool:\n  password: zq-hunter2-qz\n  size: 4\nlog: debug\n";

/// The text of the row of a setting.
fn row(path: &str) -> String {
    format!("document.querySelector('[data-path=\"{path}\"] summary')?.textContent")
}

/// What no page may do: break its own policy, or fail.
fn is_clean(tab: &Tab) {
    let entries = tab.reported("Log.entryAdded");
    let wrong: Vec<_> = (entries.iter())
        .filter(|one| one["entry"]["source"] != "network")
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let thrown = tab.reported("Runtime.exceptionThrown");
    assert!(thrown.is_empty(), "{thrown:?}");
}

/// Everything of the page, shown or not, and every event that it was sent.
fn everything(tab: &Tab) -> String {
    let mut all = tab.get("document.documentElement.outerHTML").to_string();
    for event in tab.reported("Network.eventSourceMessageReceived") {
        all.push_str(&event.to_string());
    }
    all
}

/// The page as the README shows it, and as it is in the dark.
fn screenshots(tab: &Tab) {
    let size = json!({ "width": 960, "height": 1760, "deviceScaleFactor": 1, "mobile": false });
    tab.call("Emulation.setDeviceMetricsOverride", size);
    tab.get("document.querySelector('[data-path=\"log\"]').open = true");
    tab.screenshot("page");
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    tab.call("Emulation.setEmulatedMedia", dark);
    tab.screenshot("page-dark");
    tab.call("Emulation.clearDeviceMetricsOverride", json!({}));
    tab.get("document.querySelector('[data-path=\"log\"]').open = false");
}

#[test]
fn values_appear_and_edits_are_followed_live() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.load(&site.url);
    for (path, part) in [
        ("pool.size", "4"),
        ("log", "\"warn\" variable SERVICE_LOG hides 1"),
        ("timeout", "default"),
        ("pool.password", "secret, set"),
    ] {
        let text = tab.get(&row(path)).to_string().replace("\\\"", "\"");
        assert!(text.contains(part), "{path}: {text}");
    }
    for link in ["?silent", "?reference.md"] {
        let shown = format!("document.querySelector('a[href=\"{link}\"]').offsetParent !== null");
        assert_eq!(tab.get(&shown), true, "{link}");
    }
    tab.until(
        "it is followed",
        "document.getElementById('live').innerText === 'Followed live.'",
    );
    // What is open stays open, though it is replaced.
    tab.get("document.querySelector('[data-path=\"pool.size\"]').open = true");
    site.write(&GOOD.replace("size: 4", "size: 6"));
    tab.until(
        "the new value",
        &format!("{}.includes('6')", row("pool.size")),
    );
    assert_eq!(
        tab.get("document.querySelector('[data-path=\"pool.size\"]').open"),
        true
    );
    tab.until(
        "the new generation",
        "document.getElementById('generation').innerText === '2'",
    );
    site.write(&GOOD.replace("log: debug\n", "labels: { team: a, zone: b }\n"));
    tab.until(
        "a new entry",
        &format!("{}?.includes('zone')", row("labels")),
    );
    is_clean(&tab);
}

#[test]
fn a_bad_edit_shows_its_snippet_within_a_second_and_is_gone_once_fixed() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.load(&site.url);
    tab.until(
        "it is followed",
        "document.getElementById('live').innerText === 'Followed live.'",
    );
    let mut fastest = Duration::MAX;
    for round in 0..3 {
        let begin = Instant::now();
        site.write(&GOOD.replace("size: 4", &format!("size: 60{round}")));
        let snippet = format!(
            "document.querySelector('.refused pre')?.innerText.includes('5 |   size: 60{round}')"
        );
        tab.until("the snippet", &snippet);
        fastest = fastest.min(begin.elapsed());
        if round == 1 {
            screenshots(&tab);
        }
        assert_eq!(tab.get("document.title"), "degraded · greeting-service");
        let top = "document.querySelector('.refused').getBoundingClientRect().bottom < innerHeight";
        assert_eq!(tab.get(top), true);
        site.write(&GOOD.replace("size: 4", &format!("size: 1{round}")));
        tab.until("no refusal", "!document.querySelector('.refused')");
    }
    println!(
        "a bad edit shows its snippet after {fastest:?}, the file's watcher and its debounce included"
    );
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    is_clean(&tab);
}

#[test]
fn the_search_filters_as_it_is_typed_and_keys_reach_everything() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.load(&format!("{}/", site.url));
    tab.press("/");
    tab.write("POOL size");
    tab.until(
        "one is found",
        "document.getElementById('count').innerText === '1 of 7'",
    );
    let shown = "[...document.querySelectorAll('.row')].filter((row) => row.offsetParent).map((row) => row.dataset.path)";
    assert_eq!(tab.get(shown), json!(["pool.size"]));
    // The next stop of the tabulator is the setting, and Enter opens it.
    tab.press("Tab");
    tab.press("Enter");
    tab.until(
        "it is open",
        "document.querySelector('[data-path=\"pool.size\"]').open",
    );
    let docs = "document.querySelector('[data-path=\"pool.size\"] dl').innerText.includes('How many connections')";
    assert_eq!(tab.get(docs), true);
    // A change keeps the search and the focus.
    site.write(&GOOD.replace("size: 4", "size: 5"));
    tab.until(
        "the new value",
        &format!("{}.includes('5')", row("pool.size")),
    );
    assert_eq!(
        tab.get("document.getElementById('count').innerText"),
        "1 of 7"
    );
    assert_eq!(
        tab.get("document.activeElement.parentElement.dataset.path"),
        "pool.size"
    );
    tab.get("document.getElementById('search').focus()");
    tab.press("Escape");
    tab.until(
        "all are shown",
        "document.getElementById('count').innerText === '7 of 7'",
    );
    is_clean(&tab);
}

#[test]
fn rollback_pin_and_unpin_work() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.load(&site.url);
    site.write(&GOOD.replace("size: 4", "size: 6"));
    tab.until(
        "the new generation",
        "document.getElementById('generation').innerText === '2'",
    );
    tab.get("document.querySelector('#rollback summary').click()");
    tab.get("document.querySelector('#rollback select').value = '1'");
    tab.screenshot("rollback");
    tab.get("document.querySelector('#rollback button').click()");
    tab.until(
        "the old value",
        &format!("{}.includes('4')", row("pool.size")),
    );
    assert_eq!(site.capacitor.get().pool.size, 4);
    tab.until(
        "what became of it",
        "document.getElementById('generations').innerText.includes('taken back')",
    );
    tab.get("document.querySelector('[formaction=\"?pin\"]').click()");
    tab.until(
        "it is pinned",
        "document.getElementById('head').innerText.includes('It is pinned')",
    );
    assert!(site.capacitor.status().pinned);
    tab.get("document.querySelector('[formaction=\"?unpin\"]').click()");
    tab.until(
        "it is not",
        "!document.getElementById('head').innerText.includes('It is pinned')",
    );
    assert!(!site.capacitor.status().pinned);
    is_clean(&tab);
}

#[test]
fn nothing_secret_is_in_the_page_or_its_events_and_nothing_hostile_runs() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.load(&site.url);
    let image = "<img src=x onerror=window.evil=1>";
    for (number, document) in [
        format!("{GOOD}labels: {{ \"{image}\": \"</details><script>window.evil=1</script>\" }}\n"),
        GOOD.replace("size: 4", "size: zq-hunter2-qz"),
        GOOD.replace("zq-hunter2-qz", "[zq-third-qz, \"<b>\"]"),
        GOOD.replace("zq-hunter2-qz", "zq-second-qz"),
    ]
    .iter()
    .enumerate()
    {
        let before = tab.reported("Network.eventSourceMessageReceived").len();
        site.write(document);
        let begin = Instant::now();
        while tab.reported("Network.eventSourceMessageReceived").len() == before {
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "no event of edit {number}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    tab.until("the last edit", "document.title.startsWith('healthy')");
    let all = everything(&tab);
    for marker in ["zq-hunter2", "zq-second", "zq-third"] {
        assert!(!all.contains(marker), "{marker}");
    }
    assert_eq!(tab.get("window.evil === undefined"), true);
    assert_eq!(tab.get("document.querySelectorAll('img').length"), 0);
    is_clean(&tab);
}

#[test]
fn without_script_the_page_is_whole() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Settings>::of(GOOD);
    tab.call(
        "Emulation.setScriptExecutionDisabled",
        json!({ "value": true }),
    );
    tab.load(&site.url);
    let text = tab.get("document.body.innerText").to_string();
    for part in [
        "HEALTHY",
        "pool.size",
        "service.yaml",
        "load it again",
        "7 of 7",
        "ago",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The explanation opens, and the search is a form.
    tab.get("document.querySelector('[data-path=\"pool.size\"] summary').click()");
    tab.until(
        "it is open",
        "document.querySelector('[data-path=\"pool.size\"]').open",
    );
    tab.get("document.getElementById('search').focus()");
    tab.write("pool");
    tab.press("Enter");
    tab.until(
        "three are found",
        "document.getElementById('count').innerText === '3 of 7'",
    );
    // Orders are forms too.
    tab.get("document.querySelector('[formaction=\"?pin\"]').click()");
    tab.until(
        "it is pinned",
        "document.getElementById('head').innerText.includes('It is pinned')",
    );
    assert!(site.capacitor.status().pinned);
}

#[test]
fn a_lost_connection_is_shown() {
    let Some(tab) = Tab::open() else { return };
    let mut site = Site::<Settings>::of(GOOD);
    tab.load(&site.url);
    tab.until(
        "it is followed",
        "document.getElementById('live').innerText === 'Followed live.'",
    );
    site.runtime.take().unwrap().shutdown_background();
    tab.until(
        "the loss is shown",
        "document.querySelector('#live.lost')?.innerText.includes('connection is lost')",
    );
}
