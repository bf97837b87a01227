//! What it costs to refuse a document, or to accept an odd one, beside the plain decode of a good document of the same size.
//!
//! Every cell is a process of its own: it starts a capacitor with a good configuration, gives it the document, and prints the
//! seconds of processor time and the memory of that one update. A process that takes longer than [`PATIENCE`] is killed and counts
//! as that long.
//!
//! A document of nothing but brackets costs any decoder more than a good one of the same size. Where a plain decode of the document
//! itself, into a value of any form, costs more than that of the good one, the ratio is to the former.

mod config;
mod shapes;

use crate::{
    config::{Plain, block_on, plain},
    table::{Row, Table},
};
use config::Hostile;
use flux::{Format, Source, source::Channel};
use shapes::{FORMATS, SHAPES};
use std::{
    env, fs,
    hint::black_box,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The sizes of a shape in bytes; each is twice the one before.
const SIZES: [usize; 3] = [32 << 10, 64 << 10, 128 << 10];
const PATIENCE: Duration = Duration::from_secs(30);
/// The cost relative to the plain decode, in time and in memory.
const MOST: f64 = 20.0;
/// The growth of the cost for a doubling of the size.
const GROWTH: f64 = 2.2;
/// Times below this many seconds, and memory below so many bytes, are noise.
const NOISE: f64 = 0.004;
const NOISE_OF_MEMORY: f64 = 4e6;

/// What the name of a shape begins with whose plain decode is measured.
const PLAIN: &str = "plain ";

/// The cost of one update.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    memory: f64,
}

pub(crate) fn run(table: &mut Table) {
    table.title("Hostile documents (processor time of one update with 128 KiB; ratio to the plain decode of a good document of that size)");
    for format in FORMATS {
        let base: Vec<Cost> = SIZES
            .iter()
            .map(|size| cost("good", format, *size))
            .collect();
        for (shape, make) in SHAPES {
            if make(format, 64).is_none() {
                continue;
            }
            let costs: Vec<Cost> = SIZES
                .iter()
                .map(|size| cost(shape, format, *size))
                .collect();
            let (largest, good) = (costs[SIZES.len() - 1], base[SIZES.len() - 1]);
            let own = cost(&format!("{PLAIN}{shape}"), format, SIZES[SIZES.len() - 1]);
            let least = good.seconds.max(NOISE / MOST * 2.0);
            let (name, seconds) = match own.seconds > least {
                true => ("its own plain decode", own.seconds),
                false => ("plain decode", least),
            };
            table.add(
                Row::new(format!("{format}: {shape}"), largest.seconds * 1e3, "ms")
                    .of(name, seconds * 1e3)
                    .at_most(MOST),
            );
            let good = Cost {
                memory: good.memory.max(own.memory),
                ..good
            };
            let memory = largest.memory - NOISE_OF_MEMORY;
            if memory > good.memory.max(1e6) * MOST {
                let row = Row::new(
                    format!("{format}: {shape}, memory"),
                    largest.memory,
                    "bytes",
                );
                table.add(row.of("plain decode", good.memory.max(1e6)).at_most(MOST));
            }
            // Over two doublings, which is steadier than over one.
            let growth = (costs[2].seconds / costs[0].seconds).sqrt();
            if costs[2].seconds > 2.0 * NOISE && growth > GROWTH {
                let row = Row::new(format!("{format}: {shape}, growth"), growth, "times");
                table.add(row.at_most(GROWTH));
            }
        }
    }
}

/// The cheapest of three runs, unless the first is slow anyway.
fn cost(shape: &str, format: &str, size: usize) -> Cost {
    let first = once(shape, format, size);
    if first.seconds > 1.0 {
        return first;
    }
    (0..2).fold(first, |best, _| {
        let again = once(shape, format, size);
        Cost {
            seconds: best.seconds.min(again.seconds),
            memory: best.memory.min(again.memory),
        }
    })
}

fn once(shape: &str, format: &str, size: usize) -> Cost {
    let this = env::current_exe().expect("this program");
    let mut child = Command::new(this)
        .args(["--hostile", shape, format, &size.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program");
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    // It may have ended by itself.
    let _ = child.kill();
    let output = child.wait_with_output().expect("a child");
    let told = String::from_utf8_lossy(&output.stdout);
    let mut figures = told.split_whitespace().map(str::parse::<f64>);
    match (figures.next(), figures.next()) {
        (Some(Ok(seconds)), Some(Ok(memory))) => Cost { seconds, memory },
        _ => Cost {
            seconds: PATIENCE.as_secs_f64(),
            memory: 0.0,
        },
    }
}

/// One cell, in a process of its own.
pub(crate) fn cell(shape: &str, format: &str, size: usize) {
    if shape == "good" {
        let text = good(format, size);
        let before = memory();
        let began = processor_time();
        let config: Plain = match format {
            "json" => serde_json::from_str(&text).expect("JSON"),
            "yaml" => serde_yaml::from_str(&text).expect("YAML"),
            _ => toml::from_str(&text).expect("TOML"),
        };
        let seconds = processor_time() - began;
        black_box(config);
        println!("{seconds} {}", memory() - before);
        return;
    }
    let plain = shape.strip_prefix(PLAIN);
    let shape = plain.unwrap_or(shape);
    let make = SHAPES
        .iter()
        .find(|(name, _)| *name == shape)
        .expect("a shape")
        .1;
    let text = make(format, size).expect("a shape of this format");
    if plain.is_some() {
        let before = memory();
        let began = processor_time();
        // What cannot be decoded costs what it took to find that out.
        let any: Option<serde_json::Value> = match format {
            "json" => serde_json::from_str(&text).ok(),
            "yaml" => serde_yaml::from_str(&text).ok(),
            _ => toml::from_str(&text).ok(),
        };
        let seconds = processor_time() - began;
        black_box(any);
        println!("{seconds} {}", memory() - before);
        return;
    }
    let format = match format {
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        _ => Format::Toml,
    };
    block_on(async {
        let (sender, channel) = Channel::buffered("document", 4);
        let capacitor = Hostile::builder()
            .clear_sources()
            .source(Source::watcher(channel).format(format))
            .manual()
            .build()
            .expect("a layer");
        let first: &[u8] = match format {
            Format::Json => b"{\"password\": \"hunter2hunter2\"}",
            Format::Yaml => b"password: hunter2hunter2\n",
            _ => b"password = \"hunter2hunter2\"\n",
        };
        sender.send(first).await.expect("a receiver");
        capacitor.start().await.expect("a start");
        sender.send(text.into_bytes()).await.expect("a receiver");
        let before = memory();
        let began = processor_time();
        capacitor.process().await.expect("manual mode");
        // Reading a report is a part of it.
        let report = capacitor.last_error().map(|report| report.to_string());
        let seconds = processor_time() - began;
        let length = report.map_or(0, |report| report.len());
        println!("{seconds} {} {length}", memory() - before);
    });
}

fn good(format: &str, size: usize) -> String {
    let one = |keys| {
        let config = plain(keys, 1);
        match format {
            "json" => serde_json::to_string(&config).expect("JSON"),
            "yaml" => serde_yaml::to_string(&config).expect("YAML"),
            _ => toml::to_string(&config).expect("TOML"),
        }
    };
    let sample = one(2_000).len();
    one(2_000 * size / sample)
}

/// The most memory that this process had so far, in bytes.
fn memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<f64>()
            .ok()
    });
    kib.unwrap_or(0.0) * 1024.0
}

/// The seconds for which the threads of this process ran so far.
fn processor_time() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("threads");
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}
