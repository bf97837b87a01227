//! Characters that no document in YAML may contain.

use crate::support::read_text;
use flux::{Flux, Format};
use std::collections::BTreeMap;

#[derive(Flux, Debug, Clone, PartialEq)]
struct Texts {
    #[flux(default)]
    texts: BTreeMap<String, String>,
}

#[tokio::test]
async fn a_character_that_yaml_forbids_is_reported_where_it_is() {
    let forbidden = "\u{0}\u{7}\u{1b}\u{7f}\u{80}\u{9f}\u{fffe}";
    for character in forbidden.chars() {
        for (before, line, column) in [
            ("", 1, 1),
            ("texts:\n  a: b\n  ", 3, 3),
            ("texts:\r\n  é: \"漢", 2, 8),
            ("texts: {<<: {a: b}, c: 'd", 1, 26),
        ] {
            let text = format!("{before}{character}x");
            let report = read_text::<Texts>(Format::Yaml, &text).await.unwrap_err();
            let place = format!("--> layer:{line}:{column}\n");
            assert!(format!("{report}\n").contains(&place), "{text:?}: {report}");
            let sentence = "  control characters are not allowed\n";
            assert!(report.contains(sentence), "{text:?}: {report}");
        }
    }
    // These are no such characters.
    let fine = "texts: {a: \"\u{85}\u{a0}\u{202e}\u{1f600}\t\"}";
    let read = read_text::<Texts>(Format::Yaml, fine).await;
    assert!(read.is_ok(), "{read:?}");
}
