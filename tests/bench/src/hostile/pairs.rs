//! Two documents, neither of which is bad: what they cost together. In JSON, beside the plain decode of a good document of that size.

use super::{config::Hostile, memory, processor_time};
use crate::config::block_on;
use flux::{Format, Source, source::Channel};
use std::fmt::Write;

/// Where the second document is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Second {
    /// In the layer above.
    Above,
    /// In the place of the first one.
    Later,
}

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
];

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

/// Prints the cost of the second document, once the first one is served.
pub(crate) fn cell(second: Second, [first, other]: [String; 2]) {
    block_on(async {
        let (lower, below) = Channel::buffered("below", 4);
        let (upper, above) = Channel::buffered("above", 4);
        let capacitor = Hostile::builder()
            .clear_sources()
            .source(Source::watcher(below).format(Format::Json))
            .source(Source::watcher(above).format(Format::Json))
            .manual()
            .build()
            .expect("two layers");
        lower.send(first.into_bytes()).await.expect("a receiver");
        upper.send(&b"{}"[..]).await.expect("a receiver");
        capacitor.start().await.expect("a start");
        let sender = if second == Second::Above {
            upper
        } else {
            lower
        };
        sender.send(other.into_bytes()).await.expect("a receiver");
        let before = memory();
        let began = processor_time();
        capacitor.process().await.expect("manual mode");
        let report = capacitor.last_error().map(|report| report.to_string());
        // What changed is kept with the generation.
        let status = capacitor.status().to_string();
        let seconds = processor_time() - began;
        let length = report.map_or(0, |report| report.len());
        println!("{seconds} {} {length}", memory() - before);
        drop(status);
    });
}
