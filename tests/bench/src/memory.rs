//! What 1,000 capacitors of one type hold, in a process of their own.

use crate::{
    config::block_on,
    table::{Row, Table},
};
use flux::{Capacitor, Flux, Format, Source, source::Channel};
use std::{env, fs, process::Command};

const CAPACITORS: usize = 1_000;
/// As for a page of memory.
const PAGE: f64 = 4_096.0;

#[derive(Flux)]
struct Held {
    a: u32,
    #[flux(default = "some text")]
    b: String,
}

pub(crate) fn run(table: &mut Table) {
    if !cfg!(target_os = "linux") {
        return;
    }
    table.title("1,000 capacitors of one type, of two fields, each over a channel");
    let output = Command::new(env::current_exe().expect("this program"))
        .env_clear()
        .args(["--memory", &CAPACITORS.to_string()])
        .output()
        .expect("this program again");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    let bytes: f64 = printed.trim().parse().expect("a number");
    table.add(Row::new("memory of each, after four updates", bytes, "bytes").at_most(15_500.0));
}

/// Starts so many capacitors, gives each of them four documents, and prints the bytes that one of them holds.
pub(crate) fn hold(capacitors: usize) {
    block_on(async {
        let first = hold_some(8).await;
        let before = resident();
        let more = hold_some(capacitors).await;
        println!("{:.0}", (resident() - before) / capacitors as f64);
        drop((first, more));
    });
}

async fn hold_some(count: usize) -> Vec<(Capacitor<Held>, flux::source::ChannelSender)> {
    let mut all = Vec::new();
    for _ in 0..count {
        let (sender, channel) = Channel::buffered("document", 4);
        let source = Source::watcher(channel).format(Format::Json);
        let builder = Capacitor::builder().manual().source(source);
        let capacitor: Capacitor<Held> = builder.build().expect("layers");
        sender.send(&b"{\"a\": 0}"[..]).await.expect("a receiver");
        capacitor.start().await.expect("a start");
        // The generations that are kept are full afterwards.
        for a in 1..5 {
            let text = format!("{{\"a\": {a}}}");
            sender.send(text.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
        }
        all.push((capacitor, sender));
    }
    all
}

/// The bytes of this process that are in memory.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = pages.split_whitespace().nth(1).expect("a second number");
    pages.parse::<f64>().expect("a number") * PAGE
}
