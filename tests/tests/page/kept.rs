//! What a page keeps of what it showed before: the next one looks as if it was made anew.

use super::*;
use proptest::prelude::*;

/// A document, of which no two with different ports are equal.
fn document() -> impl Strategy<Value = String> {
    let lines = prop_oneof![
        Just("level: warn\n"),
        Just("level: error\n"),
        Just("# A comment moves what is below it.\n\n"),
        Just("password: zq-hunter2-qz\n"),
        Just("password: zq-other-qz\n"),
        Just("tokens: { a: zq-token-qz }\n"),
        Just("labels: { team: a }\n"),
        Just("labels: { team: b, zone: zq-hunter2-qz }\n"),
        Just("labels: { zone: c, team: a }\n"),
        Just("unknown: key\n"),
    ];
    prop::collection::vec(lines, 0..5).prop_map(|lines| {
        let mut seen = Vec::new();
        let mut text = String::new();
        for line in lines {
            let key = line.split(':').next().unwrap();
            if !seen.contains(&key) {
                seen.push(key);
                text.push_str(line);
            }
        }
        text
    })
}

/// The settings, the diffs of the generations and the fingerprint.
async fn shown(page: &Page) -> Vec<String> {
    let page = ask(page, Method::GET, "/", &[], "").await.body;
    let between = |begin: &str, end: &str| {
        let parts = page.split(begin).skip(1);
        parts
            .map(|part| part.split(end).next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut all = between("<div id=\"rows\">", "</section>");
    assert!(all[0].contains("data-path=\"port\""), "{page}");
    all.extend(between("<ul class=\"diff\">", "</ul>"));
    all.extend(between("Fingerprint <code>", "</code>"));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_page_that_was_read_before_shows_what_a_new_one_shows(
        documents in prop::collection::vec((document(), any::<bool>()), 2..6),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let site = Site::of("port: 1000\n").await;
            for (number, (document, is_read)) in documents.iter().enumerate() {
                // Not each generation is seen while it is new.
                if *is_read {
                    shown(&site.page).await;
                }
                site.write(&format!("{document}port: {}\n", 1001 + number)).await;
            }
            let known = shown(&site.page).await;
            assert_eq!(known, shown(&Page::new(&site.capacitor)).await);
            site.capacitor.stop().await;
        });
    }
}
