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
use std::{env, ffi::OsStr, fs, hint::black_box, path::Path, process::Command, time::Instant};

const PATH: &str = "tenants.\"tenant-00077\".s3";

pub(crate) const CELLS: &[Cell] = &[
    cell("answers-none", 4, |rounds| updated(rounds, |_| ())),
    cell("answers-first", 4, |rounds| updated(rounds, explain)),
    cell("answers-next", 200, |rounds| asked(rounds, explain)),
    cell("answers-other", 4, |rounds| {
        updated(rounds, |capacitor| {
            explain(capacitor);
            explain_other(capacitor, 0);
        });
    }),
    cell("answers-all", 4, |rounds| {
        asked(rounds, explain_all);
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
    table.title("Answers about JSON of 2,000 keys (instructions, by callgrind; microseconds here and now, the median)");
    let of = |name: &str| {
        let cell = CELLS.iter().find(|cell| cell.name == name);
        cost(cell.expect("a cell"))
    };
    let updated = of("answers-first");
    let first = updated - of("answers-none");
    let other = of("answers-other") - updated;
    let row = |what, figure, limit| Row::new(what, figure, "instructions").at_most(limit);
    table.add(row("the first explain of a configuration", first, 6e6));
    table.add(row("the first one of another path", other, 6e6));
    for (what, name, limit) in [
        ("each next explain", "answers-next", 20e3),
        ("explain_all", "answers-all", 16e6),
        ("check of one document", "answers-check", 25e6),
    ] {
        table.add(row(what, of(name), limit));
    }
    let (mut firsts, mut others, mut alls) = (Vec::new(), Vec::new(), Vec::new());
    block_on(async {
        let (capacitor, sender) = capacitor().await;
        for round in 0..21 {
            update(&capacitor, &sender, round).await;
            firsts.push(micros(|| explain(&capacitor)));
            for tenant in 0..20 {
                others.push(micros(|| explain_other(&capacitor, tenant)));
            }
            alls.push(micros(|| explain_all(&capacitor)));
        }
    });
    for (what, times, limit) in [
        ("the first explain of a configuration", firsts, 1_000.0),
        ("the first one of another path", others, 1_000.0),
        ("explain_all", alls, 50_000.0),
    ] {
        table.add(Row::new(what, median(times), "µs").at_most(limit));
    }
    from_process_start(table);
}

/// What a program takes that does nothing but check a document, from its start to its end.
fn from_process_start(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("large.json");
    fs::write(&file, text(1)).expect("a file");
    let mut check = |what, arguments: &[&OsStr]| {
        let times = (0..21).map(|_| micros(|| run_alone(arguments)) / 1e3);
        table.add(Row::new(what, median(times.collect()), "ms").at_most(20.0));
    };
    check(
        "check of one document, from process start",
        &["--document".as_ref(), file.as_os_str()],
    );
    if cfg!(feature = "all") {
        let mut layer = OsStr::new("never-there.json=").to_owned();
        layer.push(&file);
        let words = ["config", "check", "--layer"].map(OsStr::new);
        let [config, verb, option] = words;
        check(
            "`config check` of it, from process start",
            &[config, verb, option, &layer],
        );
    }
}

fn run_alone(arguments: &[&OsStr]) {
    let mut command = Command::new(env::current_exe().expect("this program"));
    let output = command.env_clear().args(arguments).output();
    let output = output.expect("this program again");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Checks the document in a file, as the whole of a process.
pub(crate) fn check_file(file: &Path) {
    let text = fs::read_to_string(file).expect("a file");
    let inputs = Inputs::new().document("large.json", Format::Json, text);
    let checked = Capacitor::<App>::builder().check(inputs);
    black_box(checked.expect("a good document"));
}

fn micros(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn text(port: u16) -> String {
    serde_json::to_string(&plain(2_000, port)).expect("JSON")
}

fn explain(capacitor: &Capacitor<App>) {
    explain_path(capacitor, PATH);
}

/// About another path for each number up to 70.
fn explain_other(capacitor: &Capacitor<App>, tenant: usize) {
    explain_path(capacitor, &format!("tenants.\"tenant-{tenant:05}\".s4"));
}

fn explain_path(capacitor: &Capacitor<App>, path: &str) {
    let one = capacitor.explain(path).expect("an answer");
    assert!(one.value.is_some());
    black_box(one);
}

fn explain_all(capacitor: &Capacitor<App>) {
    black_box(capacitor.explain_all().expect("answers"));
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
