//! Many updates under many readers: no reader sees half a value, and memory stays flat.
//!
//! `FLUX_SOAK=100000` asks for so many updates; a normal run makes do with fewer.

use crate::kit::{alone, over_a_channel};
use flux::{Flux, Snapshot};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

#[derive(Flux)]
struct Soaked {
    n: u64,
    values: Vec<u64>,
    text: String,
    checksum: u64,
}

fn mix(sum: u64, value: u64) -> u64 {
    (sum ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(17)
}

fn checksum(n: u64, values: &[u64], text: &str) -> u64 {
    let bytes = text.bytes().map(u64::from);
    let all = values.iter().copied().chain(bytes);
    // JSON and YAML numbers of 63 bits are the same everywhere.
    all.fold(mix(7, n), mix) >> 1
}

fn document(n: u64) -> String {
    let values: Vec<u64> = (0..32).map(|i| mix(n, i) >> 1).collect();
    let text = format!("{n:x}").repeat(n as usize % 50);
    let checksum = checksum(n, &values, &text);
    format!(
        "{{\"n\": {n}, \"values\": {values:?}, \"text\": \"{text}\", \"checksum\": {checksum}}}"
    )
}

/// Kilobytes that are in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_updates_under_eight_readers_end_with_whole_values_and_flat_memory() {
    if !alone("soak::many_updates_under_eight_readers_end_with_whole_values_and_flat_memory") {
        return;
    }
    let updates = std::env::var("FLUX_SOAK").map_or(3_000, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (builder, sender) = over_a_channel::<Soaked>();
    let capacitor = builder.build().unwrap();
    runtime.block_on(async {
        sender.send(document(0).into_bytes()).await.unwrap();
        capacitor.start().await.unwrap();
    });
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut warm = 0;
    std::thread::scope(|scope| {
        for i in 0..8 {
            let (capacitor, done, reads) = (&capacitor, &done, &reads);
            scope.spawn(move || {
                let mut reader = capacitor.reader();
                let (mut last, mut count) = (0, 0);
                while !done.load(Ordering::Relaxed) {
                    let shot;
                    let soaked: &Soaked = if i % 2 == 0 {
                        reader.get()
                    } else {
                        shot = capacitor.get();
                        &shot
                    };
                    let sum = checksum(soaked.n, &soaked.values, &soaked.text);
                    assert_eq!(sum, soaked.checksum, "half a value");
                    assert!(soaked.n >= last, "{} after {last}", soaked.n);
                    last = soaked.n;
                    count += 1;
                    if count % 16 == 0 {
                        std::thread::yield_now();
                    }
                }
                reads.fetch_add(count, Ordering::Relaxed);
            });
        }
        runtime.block_on(async {
            let mut subscription = capacitor.subscribe();
            for n in 1..=updates {
                sender.send(document(n).into_bytes()).await.unwrap();
                let change = subscription.changed().await.unwrap();
                let current: &Arc<Snapshot<Soaked>> = &change.current;
                assert_eq!((current.n, Snapshot::generation(current)), (n, n + 1));
                if n == updates / 4 {
                    warm = resident();
                }
            }
        });
        done.store(true, Ordering::Relaxed);
    });
    let end = resident();
    let reads = reads.into_inner();
    println!("{updates} updates, {reads} reads, {warm} kB after warm-up, {end} kB at the end");
    assert!(reads > updates, "the readers were at work");
    assert!(
        end < warm + 4_096,
        "{warm} kB after warm-up, {end} kB at the end"
    );
    runtime.block_on(capacitor.stop());
}
