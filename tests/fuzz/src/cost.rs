//! What a document costs: processor time and memory of one update, beside the plain decode of a good document of the same size.

use crate::{block_on, everything::Everything, plain};
use flux::{Capacitor, Flux, Format, Source, source::Channel};
use rustix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    hint::black_box,
};

/// Every kind of field, and those whose handling grows with the document: rules on entries, unions, secret maps, free values.
#[derive(Flux)]
pub struct Costly {
    #[serde(flatten)]
    #[flux(nested)]
    pub everything: Everything,
    #[flux(default, each(range = 1..=9))]
    pub nums: Vec<u32>,
    #[flux(default, merge = "union")]
    pub list: Vec<String>,
    #[flux(default, merge = "union")]
    pub set: BTreeSet<String>,
    #[flux(default, secret)]
    pub tokens: BTreeMap<String, String>,
    #[flux(default)]
    pub anything: Option<serde_json::Value>,
}

/// One update.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Processor time of this thread, in nanoseconds.
    pub time: f64,
    /// The most bytes that were allocated at once.
    pub memory: f64,
    /// Allocations. The same for the same document, unlike the time.
    pub allocations: f64,
}

impl Cost {
    /// The cheaper of two measurements of the same work.
    pub fn or(self, other: Cost) -> Cost {
        Cost {
            time: self.time.min(other.time),
            memory: self.memory.min(other.memory),
            allocations: self.allocations.min(other.allocations),
        }
    }

    /// The dearer of two, in each respect.
    pub fn at_least(self, other: Cost) -> Cost {
        Cost {
            time: self.time.max(other.time),
            memory: self.memory.max(other.memory),
            allocations: self.allocations.max(other.allocations),
        }
    }
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Accepted,
    Refused,
    /// Refused without any place, as the parser with positions does not follow it.
    RefusedUnplaced,
}

/// Takes the document up in place of a good one, and reads what is reported of it.
pub fn update(format: Format, document: &[u8]) -> (Cost, Outcome) {
    block_on(async {
        let (sender, channel) = Channel::buffered("channel", 2);
        let builder = Capacitor::<Costly>::builder().manual();
        let builder = builder.source(Source::watcher(channel).format(format));
        let capacitor = builder.build().unwrap();
        let first = small(format, "id", "7").into_bytes();
        sender.send(first).await.unwrap();
        capacitor.start().await.unwrap();
        sender.send(document).await.unwrap();
        let began = clock();
        // The counter takes no future; this one is always ready, as nothing of it waits.
        let mut update = Box::pin(async {
            capacitor.process().await.unwrap();
            let report = capacitor.last_error().map(|report| report.to_string());
            black_box((report, format!("{:?}", capacitor.status())));
        });
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut is_ready = true;
        let counted = allocation_counter::measure(|| {
            is_ready = update.as_mut().poll(&mut context).is_ready();
        });
        let time = clock() - began;
        // What is moved to another thread is large, and no document here is.
        assert!(is_ready, "an update waited");
        drop(update);
        let outcome = match capacitor.last_error() {
            None => Outcome::Accepted,
            Some(report) => match report.problems().iter().any(|one| one.line.is_some()) {
                true => Outcome::Refused,
                false => Outcome::RefusedUnplaced,
            },
        };
        (cost(time, &counted), outcome)
    })
}

/// The plain decode of a good document of so many bytes.
pub fn plain_decode(format: Format, size: usize) -> Cost {
    let good = good(format, size);
    let decode = || drop(black_box(plain::decode(format, good.as_bytes())));
    (0..3).map(|_| measured(decode)).reduce(Cost::or).unwrap()
}

/// The plain decode of the document itself: into a value of any form, which ends at the first key that occurs twice, or to its end.
pub fn own_decode(format: Format, document: &[u8]) -> Cost {
    let text = String::from_utf8_lossy(document);
    let value = measured(|| drop(black_box(plain::any::<serde_json::Value>(format, &text))));
    let whole = measured(|| {
        black_box(plain::any::<IgnoredAny>(format, &text));
    });
    value.at_least(whole)
}

/// A document with one mistake: what any refusal costs, however small the document.
pub fn smallest_refusal(format: Format) -> Cost {
    let document = small(format, "id", "true");
    let costs = (0..20).map(|_| update(format, document.as_bytes()).0);
    costs.reduce(Cost::or).unwrap()
}

fn measured(work: impl FnOnce()) -> Cost {
    let began = clock();
    let counted = allocation_counter::measure(work);
    cost(clock() - began, &counted)
}

fn cost(time: f64, counted: &allocation_counter::AllocationInfo) -> Cost {
    Cost {
        time,
        memory: counted.bytes_max as f64,
        allocations: counted.count_total as f64,
    }
}

fn clock() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn small(format: Format, key: &str, value: &str) -> String {
    match format {
        Format::Json => format!("{{\"{key}\": {value}}}"),
        Format::Yaml => format!("{key}: {value}\n"),
        _ => format!("{key} = {value}\n"),
    }
}

/// Sections with a text and a number each.
fn good(format: Format, size: usize) -> String {
    let mut text = small(format, "id", "7");
    match format {
        Format::Json => {
            text.pop();
            text.push_str(", \"tenants\": {");
        }
        Format::Yaml => text.push_str("tenants:\n"),
        _ => text.push_str("[tenants]\n"),
    }
    for i in 0.. {
        let _ = match format {
            Format::Json => {
                let comma = if i == 0 { "" } else { ", " };
                write!(
                    text,
                    "{comma}\"t{i}\": {{\"host\": \"host-{i}\", \"port\": 80}}"
                )
            }
            Format::Yaml => writeln!(text, "  t{i}:\n    host: host-{i}\n    port: 80"),
            _ => writeln!(text, "t{i} = {{ host = \"host-{i}\", port = 80 }}"),
        };
        if text.len() >= size {
            break;
        }
    }
    if format == Format::Json {
        text.push_str("}}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_document_is_one() {
        for format in [Format::Json, Format::Yaml, Format::Toml] {
            let text = good(format, 500);
            assert!(plain::decode(format, text.as_bytes()).is_some(), "{text}");
        }
    }
}
