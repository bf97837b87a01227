//! The figures of Flux, and of others in the same run: `cargo run --release -p flux-bench`.
//!
//! `-- PART ..` runs only these parts, `-- compile` and `-- hostile` the slow ones, and `-- --check` fails where a promise is not kept. With
//! `--features servers` there are `-- latency` and `-- scale` too, against real servers; with `--features all` the same figures are those of a
//! program with every feature of Flux.

mod answers;
mod callgrind;
mod compile;
mod config;
mod delivery;
mod files;
mod hostile;
mod idle;
mod memory;
mod reads;
#[cfg(feature = "servers")]
mod servers;
mod table;
mod updates;

use std::{env, process::ExitCode};
use table::Table;

type Part = (&'static str, fn(&mut Table));

const PARTS: &[Part] = &[
    ("reads", reads::run),
    ("updates", updates::run),
    ("delivery", delivery::run),
    ("explain", answers::run),
    ("files", files::run),
    ("idle", idle::run),
    ("memory", memory::run),
    ("hostile", hostile::run),
    ("compile", compile::run),
    #[cfg(feature = "servers")]
    ("latency", servers::latency),
    #[cfg(feature = "servers")]
    ("scale", servers::scale),
];

/// They run only when they are asked for.
const SLOW: &[&str] = &["compile", "hostile", "latency", "scale"];
/// They are there with the feature `servers`.
const WITH_SERVERS: &[&str] = &["latency", "scale"];

fn main() -> ExitCode {
    #[cfg(feature = "all")]
    if let Some(code) = flux::cli::run::<config::App>() {
        return code;
    }
    measure();
    ExitCode::SUCCESS
}

fn measure() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--cell", name, rounds] => {
            let mut cells = (reads::CELLS.iter())
                .chain(updates::CELLS)
                .chain(delivery::CELLS)
                .chain(answers::CELLS);
            let cell = cells.find(|cell| cell.name == name).expect("a cell");
            return (cell.run)(rounds.parse().expect("a number of rounds"));
        }
        ["--hostile", shape, format, size] => {
            return hostile::cell(shape, format, size.parse().expect("a number of bytes"));
        }
        ["--memory", capacitors] => {
            return memory::hold(capacitors.parse().expect("a number of capacitors"));
        }
        ["--document", file] => return answers::check_file(file.as_ref()),
        ["--watch", files] => return idle::watch(files.parse().expect("a number of files")),
        #[cfg(feature = "servers")]
        ["--capacitors", uri, count] => {
            return servers::capacitors(uri, count.parse().expect("a number of capacitors"));
        }
        _ => {}
    }
    let (flags, wanted): (Vec<_>, Vec<_>) = arguments.iter().partition(|a| a.starts_with("--"));
    let known = |name: &&String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(strange) = wanted.iter().find(|name| !known(name)) {
        if WITH_SERVERS.contains(&strange.as_str()) {
            eprintln!(
                "`{strange}` needs the cargo feature `servers` of flux-bench: --features servers"
            );
            std::process::exit(2);
        }
        let parts: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        eprintln!("no part `{strange}`; there are {}", parts.join(", "));
        std::process::exit(2);
    }
    let mut table = Table::default();
    for (name, run) in PARTS {
        let asked = wanted.iter().any(|part| part == name);
        if asked || wanted.is_empty() && !SLOW.contains(name) {
            run(&mut table);
        }
    }
    let missed = table.missed();
    if !missed.is_empty() {
        println!("\nmissed: {}", missed.join("; "));
        if flags.iter().any(|flag| *flag == "--check") {
            std::process::exit(1);
        }
    }
}
