//! Costs in instructions: exact, whatever else the machine is doing.
//!
//! Every cell runs in a process of its own under `valgrind --tool=callgrind`, once with n and once with 2 n rounds; the
//! difference is the cost of n rounds alone. Its environment is empty: what it contains moves the heap, and whether a large buffer
//! grows in its place is some percent of an update.

use std::{env, path::PathBuf, process::Command, thread};

/// Something that is done a number of times.
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) rounds: u64,
    pub(crate) run: fn(u64),
}

/// The instructions of one round.
pub(crate) fn cost(cell: &Cell) -> f64 {
    let (name, rounds) = (cell.name, cell.rounds);
    let (once, twice) = thread::scope(|scope| {
        let once = scope.spawn(move || instructions(name, rounds));
        let twice = instructions(name, 2 * rounds);
        (once.join().expect("a count"), twice)
    });
    (twice - once) as f64 / rounds as f64
}

/// The instructions that a process takes which only runs this cell.
fn instructions(cell: &str, rounds: u64) -> u64 {
    let this = env::current_exe().expect("this program");
    let output = Command::new(valgrind())
        .env_clear()
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["--cell", cell, &rounds.to_string()])
        .output()
        .expect("valgrind");
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

fn valgrind() -> PathBuf {
    let path = env::var_os("PATH").expect("PATH");
    let mut all = env::split_paths(&path).map(|folder| folder.join("valgrind"));
    all.find(|file| file.is_file())
        .expect("valgrind; install it to count instructions")
}
