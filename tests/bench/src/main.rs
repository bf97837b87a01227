//! The figures of Flux, counted: `cargo run --release -p flux-bench`.
//!
//! Every cell runs in a process of its own under `valgrind --tool=callgrind`, once with n and once with 2 n rounds; the
//! difference is the cost of n rounds alone, in instructions, whatever else the machine is doing.

mod cells;
mod config;

use std::{collections::BTreeMap, env, process::Command};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let [_, flag, cell, rounds] = arguments.as_slice()
        && flag == "--cell"
    {
        cells::run(cell, rounds.parse().expect("a number of rounds"));
        return;
    }
    let check = arguments.iter().any(|argument| argument == "--check");
    let mut costs = BTreeMap::new();
    for (cell, rounds) in cells::ALL {
        let (once, twice) = (instructions(cell, *rounds), instructions(cell, 2 * rounds));
        costs.insert(*cell, (twice - once) as f64 / *rounds as f64);
    }
    for cell in ["get", "get-64-held", "reader", "hot", "arc-swap"] {
        let empty = costs["loop"];
        costs.entry(cell).and_modify(|cost| *cost -= empty);
    }
    println!("{:<44} {:>14} {:>8}  of", "what", "instructions", "ratio");
    let mut missed = 0;
    for row in cells::TABLE {
        let cost = costs[row.cell];
        let base = row.of.map(|of| costs[of]);
        let measured = base.map_or(cost, |base| cost / base);
        let verdict = match row.limit {
            Some(limit) if measured > limit => {
                missed += 1;
                format!("  MISSED: at most {limit}")
            }
            Some(limit) => format!("  at most {limit}"),
            None => String::new(),
        };
        let ratio = base.map_or(String::new(), |base| format!("{:.2}", cost / base));
        println!(
            "{:<44} {cost:>14.0} {ratio:>8}  {}{verdict}",
            row.what,
            row.of.unwrap_or("")
        );
    }
    if check && missed > 0 {
        println!("{missed} figures missed");
        std::process::exit(1);
    }
}

/// The instructions that a cell takes, counted by callgrind.
fn instructions(cell: &str, rounds: u64) -> u64 {
    let this = env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--cell", cell, &rounds.to_string()])
        .output()
        .expect("valgrind; install it to count instructions");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{cell}: {told}");
    let line = told
        .lines()
        .find(|line| line.contains("Collected :"))
        .expect("a count");
    line.rsplit(' ')
        .next()
        .and_then(|count| count.parse().ok())
        .expect("a number")
}
