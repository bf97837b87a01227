//! What else is done with documents: two of them at once, and what records, keeps, replays, shows and takes back. In JSON, beside the
//! plain decode of a good document of that size.

use super::ways::Second;
use std::fmt::Write;

/// Two documents, of which the second one is measured.
type MakePair = fn(usize) -> [String; 2];

pub(crate) const PAIRS: &[(&str, Second, MakePair)] = &[
    ("two layers: a union, all different", Second::Above, |n| {
        [0, 1].map(|which| list("list", n, |i| format!("\"text{which}{i:06}\"")))
    }),
    ("two layers: a union, all alike", Second::Above, |n| {
        [0, 1].map(|_| list("list", n, |i| format!("\"text{i:06}\"")))
    }),
    ("two layers: a union, sets", Second::Above, |n| {
        [0, 1].map(|which| list("tags", n, |i| format!("\"text{which}{i:06}\"")))
    }),
    ("two layers: entries over entries", Second::Above, |n| {
        ["a", "b"].map(|value| map("labels", n, |i| format!("\"entry{i}\": \"{value}\"")))
    }),
    ("two layers: null over entries", Second::Above, |n| {
        ["\"a\"", "null"].map(|value| map("labels", n, |i| format!("\"entry{i}\": {value}")))
    }),
    ("later: every item of a list", Second::Later, |n| {
        [1, 2].map(|max| list("hosts", n, |_| format!("{{\"max\": {max}}}")))
    }),
    ("later: every item below one long key", Second::Later, |n| {
        [1, 2].map(|max| {
            let items = items(n / 2, |_| format!("{{\"max\": {max}}}"));
            let key = "k".repeat(n / 2);
            format!("{{\"password\": \"hunter2hunter2\", \"groups\": {{\"{key}\": [{items}]}}}}")
        })
    }),
    ("later: rules below one long key", Second::Later, |n| {
        [1, 77].map(|max| {
            let items = items(n / 2, |_| format!("{{\"max\": {max}}}"));
            let key = "k".repeat(n / 2);
            format!("{{\"password\": \"hunter2hunter2\", \"groups\": {{\"{key}\": [{items}]}}}}")
        })
    }),
    ("a recording: good sections", Second::Recorded, |n| {
        [SMALL.to_owned(), sections(n, "7")]
    }),
    (
        "a recording: a wrong type in each section",
        Second::Recorded,
        |n| [SMALL.to_owned(), sections(n, "\"x\"")],
    ),
    ("a recording: many secrets", Second::Recorded, |n| {
        [SMALL.to_owned(), secrets(n, "secret-")]
    }),
    ("a recording: short secrets", Second::Recorded, |n| {
        [SMALL.to_owned(), secrets(n, "")]
    }),
    ("a recording: below one long key", Second::Recorded, |n| {
        [SMALL.to_owned(), below_a_long_key(n)]
    }),
    ("a recording: no document", Second::Recorded, |n| {
        let text = sections(n, "7");
        [SMALL.to_owned(), text[..text.len() - 1].to_owned()]
    }),
    ("a replay: good sections", Second::Replayed, |n| {
        [SMALL.to_owned(), sections(n, "7")]
    }),
    ("a replay: many secrets", Second::Replayed, |n| {
        [SMALL.to_owned(), secrets(n, "secret-")]
    }),
    ("last known good: sections", Second::Kept, |n| {
        [SMALL.to_owned(), sections(n, "7")]
    }),
    ("last known good: deep maps", Second::Kept, |n| {
        [SMALL.to_owned(), deep_maps(n)]
    }),
    ("last known good: below one long key", Second::Kept, |n| {
        [SMALL.to_owned(), below_a_long_key(n)]
    }),
    ("last known good: many secrets", Second::Kept, |n| {
        [SMALL.to_owned(), secrets(n, "secret-")]
    }),
    (
        "last known good: every section differs",
        Second::Kept,
        |n| [sections(n, "7"), sections(n, "8")],
    ),
    (
        "a start from last known good: sections",
        Second::Started,
        |n| [SMALL.to_owned(), sections(n, "7")],
    ),
    (
        "a start from last known good: deep maps",
        Second::Started,
        |n| [SMALL.to_owned(), deep_maps(n)],
    ),
    ("every path explained: sections", Second::Explained, |n| {
        [SMALL.to_owned(), sections(n, "7")]
    }),
    (
        "every path explained: below one long key",
        Second::Explained,
        |n| [SMALL.to_owned(), below_a_long_key(n)],
    ),
    ("every path explained: deep maps", Second::Explained, |n| {
        [SMALL.to_owned(), deep_maps(n)]
    }),
    ("what is in effect: sections", Second::Effective, |n| {
        [SMALL.to_owned(), sections(n, "7")]
    }),
    ("what is in effect: deep maps", Second::Effective, |n| {
        [SMALL.to_owned(), deep_maps(n)]
    }),
    ("a plan: every section differs", Second::Planned, |n| {
        [sections(n, "7"), sections(n, "8")]
    }),
    (
        "taken back: every section differs",
        Second::TakenBack,
        |n| [sections(n, "7"), sections(n, "8")],
    ),
    ("variables: entries of a map", Second::Variables, |n| {
        variables(n, |i| format!("APP_LABELS_E{i}=v"))
    }),
    ("variables: entries of sections", Second::Variables, |n| {
        variables(n, |i| format!("APP_TENANTS_T{i}_MAX=7"))
    }),
    ("variables: items of a list", Second::Variables, |n| {
        variables(n, |i| format!("APP_NUMS_{i}=7"))
    }),
    ("variables: a broken rule in each", Second::Variables, |n| {
        variables(n, |i| format!("APP_NUMS_{i}=77"))
    }),
    ("variables: a wrong type in each", Second::Variables, |n| {
        variables(n, |i| format!("APP_TENANTS_T{i}_MAX=x"))
    }),
    ("variables: near to known ones", Second::Variables, |n| {
        variables(n, |i| format!("APP_PASSWOR{i}=x"))
    }),
    ("variables: one list", Second::Variables, |n| {
        [
            SMALL.to_owned(),
            format!("APP_NUMS=[{}]", items(n, |_| "7".to_owned())),
        ]
    }),
    (
        "variables: one map, and entries of it",
        Second::Variables,
        |n| {
            let [small, entries] = variables(n / 2, |i| format!("APP_LABELS_F{i}=v"));
            let map = items(n / 2, |i| format!("\"e{i}\": \"v\""));
            [small, format!("{entries}APP_LABELS={{{map}}}\n")]
        },
    ),
    (
        "variables: entries over those of a document",
        Second::Variables,
        |n| {
            let [_, entries] = variables(n, |i| format!("APP_LABELS_ENTRY{i}=v"));
            [
                map("labels", n, |i| format!("\"entry{i}\": \"v\"")),
                entries,
            ]
        },
    ),
];

/// What is served before.
const SMALL: &str = "{\"password\": \"hunter2hunter2\"}";

fn sections(size: usize, max: &str) -> String {
    map("tenants", size, |i| {
        format!("\"entry{i}\": {{\"max\": {max}}}")
    })
}

fn secrets(size: usize, begin: &str) -> String {
    map("tokens", size, |i| {
        format!("\"token{i}\": \"{begin}{i:06}\"")
    })
}

fn deep_maps(size: usize) -> String {
    list("anything", size, |_| {
        format!("{}1{}", "{\"a\":".repeat(60), "}".repeat(60))
    })
}

/// One a line.
fn variables(size: usize, variable: impl Fn(usize) -> String) -> [String; 2] {
    let mut text = String::new();
    let mut i = 0;
    while text.len() < size {
        let _ = writeln!(text, "{}", variable(i));
        i += 1;
    }
    [SMALL.to_owned(), text]
}

fn items(size: usize, item: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut i = 0;
    while text.len() < size {
        let _ = write!(text, "{}{}", if i == 0 { "" } else { "," }, item(i));
        i += 1;
    }
    text
}

fn list(key: &str, size: usize, item: impl Fn(usize) -> String) -> String {
    let items = items(size, item);
    format!("{{\"password\": \"hunter2hunter2\", \"{key}\": [{items}]}}")
}

fn map(key: &str, size: usize, entry: impl Fn(usize) -> String) -> String {
    let entries = items(size, entry);
    format!("{{\"password\": \"hunter2hunter2\", \"{key}\": {{{entries}}}}}")
}

/// One key of half of the size, and items below it.
fn below_a_long_key(n: usize) -> String {
    let (key, items) = ("k".repeat(n / 2), items(n / 2, |_| "1".to_owned()));
    format!("{{\"password\": \"hunter2hunter2\", \"anything\": {{\"{key}\": [{items}]}}}}")
}
