//! Many capacitors on one server: a thousand in one process, and one each in hundreds of processes.

use super::{
    KEY,
    bare::Bare,
    child::Capacitors,
    document,
    figures::{herd, median, most, percentile},
    now, with,
};
use crate::table::{Row, Table};
use flux_tests::process::established;
use tokio::task::block_in_place;

const CAPACITORS: usize = 1_000;
/// So many that it is not chance alone how many come back in a moment.
const PROCESSES: usize = 300;
const CHANGES: u64 = 20;
const RESTARTS: u64 = 5;
/// In microseconds.
const WINDOW: u64 = 100_000;

pub(super) fn of<S: Bare>(table: &mut Table) {
    table.title(&format!(
        "{CAPACITORS} capacitors in one process on one {} server",
        S::NAME
    ));
    with(async |mut server: S| {
        let uri = server.uri(server.address(), KEY);
        server.write(KEY, &document(1, now())).await;
        let (before, others) = (server.process().resident(), connections(&server));
        let mut many = block_in_place(|| vec![Capacitors::start(&uri, CAPACITORS)]);
        let started = block_in_place(|| many[0].answer());
        let [memory, took] = started[..] else {
            panic!("{started:?}");
        };
        let each = |bytes: u64| bytes as f64 / 1024.0 / CAPACITORS as f64;
        let connections = (connections(&server) - others) as f64;
        table.add(Row::new("connections", connections, "").at_most(1.0));
        table.add(Row::new("started together", took as f64 / 1e6, "seconds"));
        table.add(Row::new("memory of a capacitor", each(memory), "KiB"));
        let grown = server.process().resident().saturating_sub(before);
        table.add(Row::new(
            "memory of the server for each",
            each(grown),
            "KiB",
        ));
        let (p50, p99) = visible(&server, &mut many[0]).await;
        table.add(Row::new("one change, until all see it: p50", p50, "ms"));
        table.add(Row::new("one change, until all see it: p99", p99, "ms"));
        restarted(table, &mut server, &mut many).await;
    });
    table.title(&format!(
        "{PROCESSES} processes with a capacitor each on one {} server",
        S::NAME
    ));
    with(async |mut server: S| {
        let uri = server.uri(server.address(), KEY);
        server.write(KEY, &document(1, now())).await;
        let (before, others) = (server.process().resident(), connections(&server));
        let mut fleet = block_in_place(|| {
            let start = |_| Capacitors::start(&uri, 1);
            let mut fleet: Vec<Capacitors> = (0..PROCESSES).map(start).collect();
            fleet.iter_mut().for_each(|process| drop(process.answer()));
            fleet
        });
        let connections = (connections(&server) - others) as f64;
        table.add(Row::new("connections", connections, "").at_most(PROCESSES as f64));
        let grown = server.process().resident().saturating_sub(before);
        let each = grown as f64 / 1024.0 / PROCESSES as f64;
        table.add(Row::new("memory of the server for each", each, "KiB"));
        restarted(table, &mut server, &mut fleet).await;
    });
}

/// How many connections the server has. Some are not of capacitors: the bench's own, and one that etcd has to itself.
fn connections<S: Bare>(server: &S) -> usize {
    established(server.address().port())
}

/// How many milliseconds after it was written a change is seen by half of the capacitors, and by 99 of 100: the medians of some
/// changes.
async fn visible<S: Bare>(server: &S, many: &mut Capacitors) -> (f64, f64) {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for n in 2..=CHANGES + 2 {
        block_in_place(|| many.ask(&format!("seen {n}")));
        server.write(KEY, &document(n, now())).await;
        let took = block_in_place(|| many.answer());
        p50.push(percentile(took.clone(), 50) as f64 / 1e3);
        p99.push(percentile(took, 99) as f64 / 1e3);
    }
    (median(p50), median(p99))
}

/// How they come back when the server is killed and started again.
async fn restarted<S: Bare>(table: &mut Table, server: &mut S, processes: &mut [Capacitors]) {
    let (mut herds, mut took, mut worked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RESTARTS {
        let mut back = Vec::new();
        let mut begin = 0;
        block_in_place(|| {
            processes.iter_mut().for_each(|process| process.ask("lost"));
            server.process().kill();
            for process in processes.iter_mut() {
                assert!(process.answer().is_empty(), "all have noticed");
            }
            server.process().restart();
            begin = now();
            let before = server.process().worked();
            for process in processes.iter_mut() {
                back.extend(process.answer());
            }
            let work = server.process().worked() - before;
            worked.push(work.as_secs_f64() * 1e3 / back.len() as f64);
        });
        server.restarted().await;
        let last = back.iter().max().expect("somebody");
        took.push(last.saturating_sub(begin) as f64 / 1e6);
        herds.push(herd(back, WINDOW));
    }
    let share = |what: &str, figure| {
        Row::new(
            format!("a restart: back in any 100 ms, {what}"),
            figure,
            "of all",
        )
    };
    table.add(share("median of 5 restarts", median(herds.clone())).at_most(0.1));
    table.add(share("worst of 5", most(&herds)));
    table.add(Row::new(
        "all back after the server, worst",
        most(&took),
        "seconds",
    ));
    table.add(Row::new(
        "work of the server for each, median",
        median(worked),
        "ms",
    ));
}
