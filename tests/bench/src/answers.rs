//! What answers about a configuration of 2,000 keys cost.

use crate::{
    callgrind::{Cell, cost},
    config::{App, block_on, plain},
    table::{Row, Table},
};
use flux::{
    Capacitor, Format, Source,
    inspect::Inputs,
    source::{Channel, ChannelSender},
};
use std::{hint::black_box, time::Instant};

const PATH: &str = "tenants.\"tenant-00077\".s3";

pub(crate) const CELLS: &[Cell] = &[
    cell("answers-none", 4, |rounds| updated(rounds, |_| ())),
    cell("answers-first", 4, |rounds| updated(rounds, explain)),
    cell("answers-next", 200, |rounds| asked(rounds, explain)),
    cell("answers-all", 4, |rounds| {
        asked(rounds, |capacitor| {
            black_box(capacitor.explain_all().expect("answers"));
        });
    }),
    cell("answers-check", 4, |rounds| {
        for round in 0..rounds {
            check(round as u16 + 1);
        }
    }),
];

const fn cell(name: &'static str, rounds: u64, run: fn(u64)) -> Cell {
    Cell { name, rounds, run }
}

pub(crate) fn run(table: &mut Table) {
    table.title("Answers about JSON of 2,000 keys (instructions, by callgrind; microseconds here and now, the median of 21)");
    let of = |name: &str| {
        let cell = CELLS.iter().find(|cell| cell.name == name);
        cost(cell.expect("a cell"))
    };
    let first = of("answers-first") - of("answers-none");
    let row = |what, figure, limit| Row::new(what, figure, "instructions").at_most(limit);
    table.add(row("the first explain of a configuration", first, 6e6));
    for (what, name, limit) in [
        ("each next explain", "answers-next", 20e3),
        ("explain_all", "answers-all", 16e6),
        ("check of one document", "answers-check", 25e6),
    ] {
        table.add(row(what, of(name), limit));
    }
    let mut times: Vec<f64> = Vec::new();
    block_on(async {
        let (capacitor, sender) = capacitor().await;
        for round in 0..21 {
            update(&capacitor, &sender, round).await;
            let start = Instant::now();
            explain(&capacitor);
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    });
    times.sort_by(f64::total_cmp);
    table.add(Row::new(
        "the first explain of a configuration",
        times[10],
        "µs",
    ));
}

fn text(port: u16) -> String {
    serde_json::to_string(&plain(2_000, port)).expect("JSON")
}

fn explain(capacitor: &Capacitor<App>) {
    let one = capacitor.explain(PATH).expect("an answer");
    assert!(one.value.is_some());
    black_box(one);
}

fn check(port: u16) {
    let inputs = Inputs::new().document("large.json", Format::Json, text(port));
    let checked = Capacitor::<App>::builder().check(inputs);
    black_box(checked.expect("a good document"));
}

async fn capacitor() -> (Capacitor<App>, ChannelSender) {
    let (sender, channel) = Channel::buffered("large", 4);
    let capacitor = App::builder()
        .clear_sources()
        .source(Source::watcher(channel).format(Format::Json))
        .manual()
        .build()
        .expect("layers");
    sender.send(text(9).into_bytes()).await.expect("a receiver");
    capacitor.start().await.expect("a start");
    (capacitor, sender)
}

async fn update(capacitor: &Capacitor<App>, sender: &ChannelSender, round: u64) {
    let document = text(round as u16 % 2 + 1);
    sender
        .send(document.into_bytes())
        .await
        .expect("a receiver");
    assert!(capacitor.process().await.expect("manual mode"));
}

/// Asks after each update.
fn updated(rounds: u64, ask: fn(&Capacitor<App>)) {
    block_on(async {
        let (capacitor, sender) = capacitor().await;
        for round in 0..rounds {
            update(&capacitor, &sender, round).await;
            ask(&capacitor);
        }
    });
}

/// Asks about the same configuration again and again.
fn asked(rounds: u64, ask: fn(&Capacitor<App>)) {
    block_on(async {
        let (capacitor, _sender) = capacitor().await;
        explain(&capacitor);
        for _ in 0..rounds {
            ask(&capacitor);
        }
    });
}
