//! The figures of the page with 2,000 settings.

use crate::{chromium::Tab, site::Site};
use flux::Flux;
use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

#[derive(Flux)]
struct Many {
    /// Each of them is a setting of its own.
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Flux)]
struct Tenant {
    #[flux(default = 1, range = 1..=1_000_000)]
    limit: u32,
    #[flux(default = "none")]
    plan: String,
}

fn document(first: usize) -> String {
    let mut text = String::from("tenants:\n");
    for number in 0..1_000 {
        let limit = if number == 0 { first } else { number };
        let limit = limit + 1;
        writeln!(text, "  t{number:04}:\n    limit: {limit}\n    plan: gold").unwrap();
    }
    text
}

#[test]
fn two_thousand_settings_are_painted_at_once_and_ten_changes_a_second_are_followed() {
    let Some(tab) = Tab::open() else { return };
    let site = Site::<Many>::of(&document(0));
    let mut paints = Vec::new();
    for _ in 0..5 {
        tab.load(&site.url);
        tab.until(
            "it is painted",
            "performance.getEntriesByType('paint').length === 2",
        );
        let paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
        paints.push(tab.get(paint).as_f64().unwrap());
    }
    assert_eq!(tab.get("document.querySelectorAll('.row').length"), 2_000);
    paints.sort_by(f64::total_cmp);
    println!(
        "2,000 settings: first paint after {:.0} ms (median of 5; {paints:.0?})",
        paints[2]
    );
    tab.until(
        "it is followed",
        "document.getElementById('live').innerText === 'Followed live.'",
    );
    let watch = "(() => {
        window.seen = new Set();
        const look = () => {
            const value = document.querySelector('[data-path=\"tenants.t0000.limit\"] .value');
            window.seen.add(value.textContent);
        };
        look();
        new MutationObserver(look).observe(document.getElementById('rows'), { childList: true });
    })()";
    tab.get(watch);
    for change in 1..=30 {
        site.write(&document(change));
        std::thread::sleep(Duration::from_millis(100));
    }
    let last =
        "document.querySelector('[data-path=\"tenants.t0000.limit\"] .value').textContent === '31'";
    let late = tab.until("the last value", last);
    let seen = tab.get("window.seen.size - 1");
    let made = site.capacitor.status().generation - 1;
    println!(
        "30 changes in 3 s: {made} generations, {seen} were shown, the last one {late:?} after it was written"
    );
    let mut takes = Vec::new();
    for change in 32..=41 {
        let mut applied = site.capacitor.subscribe();
        site.write(&document(change));
        let runtime = site.runtime.as_ref().unwrap();
        runtime.block_on(applied.changed());
        let begin = Instant::now();
        assert!(
            tab.get("fetch('?').then((page) => page.text()).then((text) => text.length)")
                .as_u64()
                > Some(100_000)
        );
        takes.push(begin.elapsed());
    }
    takes.sort();
    println!(
        "the page after a change is made and sent in {:?} (median of 10)",
        takes[5]
    );
    assert!(late < Duration::from_secs(20), "{late:?}");
}
