//! What it costs to refuse a document, or to accept an odd one, beside the plain decode of a good document of the same size.
//!
//! Every cell is a process of its own: it starts a capacitor with a good configuration, gives it the document, and prints the
//! seconds of processor time and the memory of that one update. A process that takes longer than [`PATIENCE`] is killed and counts
//! as that long.
//!
//! `FLUX_WRITE_PAGES=1` writes what was measured into the guide, see [`page`]; `FLUX_HOSTILE=TEXT` measures the rows alone whose
//! names contain the text.

mod config;
mod page;
mod pairs;
mod shapes;
mod ways;
mod yaml;

use crate::{
    config::{Plain, block_on, plain},
    table::{Row, Table},
};
use config::Hostile;
use flux::{Format, Source, source::Channel};
use pairs::PAIRS;
use rustix::time::{ClockId, clock_gettime};
use shapes::{FORMATS, Make, SHAPES};
use std::{
    env, fs,
    hint::black_box,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The sizes of a shape in bytes; each is twice the one before.
const SIZES: [usize; 3] = [32 << 10, 64 << 10, 128 << 10];
/// A document that looks harmless.
const SMALL: usize = 4 << 10;
const PATIENCE: Duration = Duration::from_secs(30);
/// The cost relative to the plain decode, in time and in memory.
const MOST: f64 = 20.0;
/// The growth of the cost for a doubling of the size.
const GROWTH: f64 = 2.2;
/// What a document of [`SMALL`] may cost, in milliseconds.
const MOST_OF_SMALL: f64 = 20.0;
/// Below this many seconds a growth is noise, and so is memory below so many bytes.
const NOISE_OF_GROWTH: f64 = 0.005;
const NOISE_OF_MEMORY: f64 = 4e6;

/// What the name of a shape begins with whose plain decode is measured.
const PLAIN: &str = "plain ";

/// The cost of one update.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    memory: f64,
    is_refused: bool,
}

impl Cost {
    fn or(self, other: Cost) -> Cost {
        Cost {
            seconds: self.seconds.min(other.seconds),
            memory: self.memory.min(other.memory),
            ..other
        }
    }
}

/// What was measured of a shape in a format. Ratios are to the plain decode of a good document of that size.
struct Measured {
    shape: &'static str,
    format: &'static str,
    is_refused: bool,
    /// For each of [`SIZES`].
    times: [f64; SIZES.len()],
    /// In bytes, for each of them.
    memory: [f64; SIZES.len()],
    /// At the largest size, of what is beyond [`NOISE_OF_MEMORY`].
    memory_ratio: f64,
    /// Of the plain decode of the document itself, for each of them.
    own: [f64; SIZES.len()],
    /// For a doubling of the size.
    growth: f64,
    growth_of_memory: f64,
    milliseconds: [f64; SIZES.len()],
    milliseconds_of_small: f64,
}

impl Measured {
    const LAST: usize = SIZES.len() - 1;

    /// A document of nothing but brackets costs any decoder more than a good one of the same size. Where its own plain decode costs
    /// more than that of the good one, the gate is a multiple of the former.
    fn base(&self, size: usize) -> f64 {
        self.own[size].max(1.0)
    }

    /// What the gate holds, once the base is counted. What a document of [`SMALL`] costs is a fixed cost, and no part of what a
    /// document below the largest size is held to.
    fn ratio(&self, size: usize) -> f64 {
        let fixed = match size {
            Measured::LAST => 0.0,
            _ => self.milliseconds_of_small / self.milliseconds[size],
        };
        self.times[size] * (1.0 - fixed) / self.base(size)
    }

    fn is_relaxed(&self) -> bool {
        self.times[Measured::LAST] > MOST && self.ratio(Measured::LAST) <= MOST
    }

    /// A gate is not kept.
    fn is_over(&self) -> bool {
        (0..SIZES.len()).any(|size| self.ratio(size) > MOST)
            || self.memory_ratio > MOST
            || self.growth > GROWTH
            || self.growth_of_memory > GROWTH
            || self.milliseconds_of_small > MOST_OF_SMALL
    }
}

pub(crate) fn run(table: &mut Table) {
    table.title("Hostile documents (processor time of one update; ratios to the plain decode of a good document of that size)");
    let only = env::var("FLUX_HOSTILE").unwrap_or_default();
    let writes = env::var_os("FLUX_WRITE_PAGES").is_some();
    assert!(
        !writes || (cfg!(feature = "recordings") && only.is_empty()),
        "the page has every row: `--features recordings`, without FLUX_HOSTILE"
    );
    let mut all = Vec::new();
    for format in FORMATS.iter().copied() {
        let good = SIZES.map(|size| cost("good", format, size));
        let shapes = SHAPES.iter().filter(|(_, make)| make(format, 64).is_some());
        let pairs = PAIRS
            .iter()
            .filter(|(_, second, _)| format == "json" && second.is_measured());
        let names = shapes
            .map(|(shape, _)| *shape)
            .chain(pairs.map(|(pair, ..)| *pair));
        for name in names.filter(|name| name.contains(&only)) {
            let measured = measure(name, format, &good);
            rows(table, &measured);
            all.push(measured);
        }
    }
    if writes {
        page::write(&all);
    }
}

fn measure(shape: &'static str, format: &'static str, good: &[Cost; SIZES.len()]) -> Measured {
    let last = Measured::LAST;
    // Over two doublings, which is steadier than over one.
    let growth = |costs: &[Cost; SIZES.len()]| match costs[last].seconds > NOISE_OF_GROWTH {
        true => (costs[last].seconds / costs[0].seconds).sqrt(),
        false => 1.0,
    };
    let growth_of_memory = |costs: &[Cost; SIZES.len()]| {
        let large = costs[last].memory - NOISE_OF_MEMORY;
        (large.max(1.0) / costs[0].memory.max(1e6)).sqrt()
    };
    let mut costs = SIZES.map(|size| cost(shape, format, size));
    for _ in 0..2 {
        // Whatever else the machine does makes one of the sizes dearer, and none cheaper; but not that much.
        if costs[last].seconds > 5.0 {
            break;
        }
        if growth(&costs) > GROWTH || growth_of_memory(&costs) > GROWTH {
            for (cost, size) in costs.iter_mut().zip(SIZES) {
                *cost = cost.or(self::cost(shape, format, size));
            }
        }
    }
    let plain = format!("{PLAIN}{shape}");
    let own = SIZES.map(|size| cost(&plain, format, size));
    let ratios = |costs: &[Cost; SIZES.len()]| {
        let mut ratios = [0.0; SIZES.len()];
        for (ratio, (cost, good)) in ratios.iter_mut().zip(costs.iter().zip(good)) {
            *ratio = cost.seconds / good.seconds;
        }
        ratios
    };
    // What a process touches for the first time counts as memory, in both.
    let least = 1e6;
    let base = good[last].memory.max(own[last].memory).max(least);
    Measured {
        shape,
        format,
        is_refused: costs[last].is_refused,
        times: ratios(&costs),
        memory: costs.map(|cost| cost.memory),
        memory_ratio: (costs[last].memory - NOISE_OF_MEMORY).max(0.0) / base,
        own: ratios(&own),
        growth: growth(&costs),
        growth_of_memory: growth_of_memory(&costs),
        milliseconds: costs.map(|cost| cost.seconds * 1e3),
        milliseconds_of_small: cost(shape, format, SMALL).seconds * 1e3,
    }
}

fn rows(table: &mut Table, measured: &Measured) {
    let name = format!("{}: {}", measured.format, measured.shape);
    let last = Measured::LAST;
    let milliseconds = measured.milliseconds[last];
    let base = milliseconds / measured.times[last] * measured.base(last);
    let of = match measured.own[last] > 1.0 {
        true => "its own plain decode",
        false => "plain decode",
    };
    let row = Row::new(name.clone(), milliseconds, "ms");
    table.add(row.of(of, base).at_most(MOST));
    let mut held = |what: &str, figure: f64, unit, most: f64| {
        if figure > most {
            table.add(Row::new(format!("{name}, {what}"), figure, unit).at_most(most));
        }
    };
    for (size, bytes) in SIZES.iter().enumerate().take(last) {
        let what = format!("{} KiB beyond 4 KiB", bytes >> 10);
        held(&what, measured.ratio(size), "times", MOST);
    }
    held("memory", measured.memory_ratio, "times", MOST);
    held("growth", measured.growth, "times", GROWTH);
    held(
        "growth of memory",
        measured.growth_of_memory,
        "times",
        GROWTH,
    );
    held("4 KiB", measured.milliseconds_of_small, "ms", MOST_OF_SMALL);
}

/// The cheapest of three runs, unless the first is slow anyway.
fn cost(shape: &str, format: &str, size: usize) -> Cost {
    let first = once(shape, format, size);
    if first.seconds > 0.5 {
        return first;
    }
    (0..2).fold(first, |best, _| best.or(once(shape, format, size)))
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
    match (figures.next(), figures.next(), figures.next()) {
        (Some(Ok(seconds)), Some(Ok(memory)), length) => Cost {
            seconds,
            memory,
            is_refused: length.is_some_and(|length| length.is_ok_and(|bytes| bytes > 0.0)),
        },
        _ => Cost {
            seconds: PATIENCE.as_secs_f64(),
            memory: 0.0,
            is_refused: false,
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
            "json" | "jsonc" | "json5" => serde_json::from_str(&text).expect("JSON"),
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
    let pair = PAIRS.iter().find(|(name, ..)| *name == shape);
    let text = pair.map(|(_, _, make)| make(size));
    if let (Some((_, second, _)), Some(text), None) = (pair, &text, plain) {
        return ways::cell(*second, text.clone());
    }
    let make: Option<&(_, Make)> = SHAPES.iter().find(|(name, _)| *name == shape);
    let text = match text {
        Some([_, second]) => second,
        None => make.expect("a shape").1(format, size).expect("a shape of this format"),
    };
    if plain.is_some() {
        // Serde's crate has no comments; it would end at the first one.
        let text = match format {
            "jsonc" | "json5" => text.replace(shapes::COMMENT, ""),
            _ => text,
        };
        let before = memory();
        let began = processor_time();
        // What cannot be decoded costs what it took to find that out.
        let any: Option<serde_json::Value> = match format {
            "json" | "jsonc" | "json5" => serde_json::from_str(&text).ok(),
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
        "jsonc" => Format::Jsonc,
        "json5" => Format::Json5,
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
            Format::Json | Format::Jsonc | Format::Json5 => b"{\"password\": \"hunter2hunter2\"}",
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
            "json" | "jsonc" | "json5" => serde_json::to_string(&config).expect("JSON"),
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
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
