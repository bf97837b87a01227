//! Reading one field: Flux's ways, and those of others.

use crate::{
    callgrind::{Cell, cost},
    config::{App, DynamicApp, Plain, block_on, plain},
    table::{Row, Table},
};
use arc_swap::{ArcSwap, Cache};
use std::{
    hint::black_box,
    sync::{LazyLock, RwLock},
};
use tokio::sync::watch;

const ROUNDS: u64 = 100_000;

pub(crate) const CELLS: &[Cell] = &[
    cell("empty", |rounds| repeat(rounds, || 1)),
    cell("get", |rounds| {
        started();
        repeat(rounds, || App::get().port);
    }),
    cell("get-64-held", |rounds| {
        started();
        let held: Vec<_> = (0..64).map(|_| App::get()).collect();
        repeat(rounds, || App::get().port);
        drop(held);
    }),
    cell("reader", |rounds| {
        started();
        let mut reader = App::reader();
        repeat(rounds, || reader.get().port);
    }),
    cell("capacitor-get", |rounds| {
        started();
        let capacitor = App::capacitor();
        repeat(rounds, || capacitor.get().port);
    }),
    cell("hot", |rounds| {
        started();
        repeat(rounds, App::port);
    }),
    cell("arc-swap-load", |rounds| {
        LazyLock::force(&SWAP);
        repeat(rounds, || SWAP.load().port);
    }),
    cell("arc-swap-load-64-held", |rounds| {
        let held: Vec<_> = (0..64).map(|_| SWAP.load()).collect();
        repeat(rounds, || SWAP.load().port);
        drop(held);
    }),
    cell("arc-swap-cache", |rounds| {
        let mut cache = Cache::new(&*SWAP);
        repeat(rounds, || cache.load().port);
    }),
    cell("arc-swap-load-full", |rounds| {
        LazyLock::force(&SWAP);
        repeat(rounds, || SWAP.load_full().port);
    }),
    cell("tokio-watch", |rounds| {
        let (_sender, receiver) = watch::channel(plain(20, 1));
        repeat(rounds, || receiver.borrow().port);
    }),
    cell("rwlock", |rounds| {
        let lock = RwLock::new(plain(20, 1));
        repeat(rounds, || lock.read().expect("no panic").port);
    }),
    cell("dynamic-config-current", |rounds| {
        DynamicApp::replace(DynamicApp::from(plain(20, 1)));
        repeat(rounds, || DynamicApp::current().port);
    }),
];

const fn cell(name: &'static str, run: fn(u64)) -> Cell {
    Cell {
        name,
        rounds: ROUNDS,
        run,
    }
}

static SWAP: LazyLock<ArcSwap<Plain>> = LazyLock::new(|| ArcSwap::from_pointee(plain(20, 1)));

pub(crate) fn run(table: &mut Table) {
    table.title("Reading one field (instructions, by callgrind)");
    let costs: Vec<f64> = CELLS.iter().map(cost).collect();
    let empty = costs[0];
    let of = |name: &str| {
        let at = CELLS.iter().position(|cell| cell.name == name);
        costs[at.expect("a cell")] - empty
    };
    for (what, name, at_most) in [
        ("get(), one field, drop", "get", Some(21.0)),
        ("the same with 64 guards held", "get-64-held", Some(21.0)),
        ("reader().get(), one field", "reader", Some(8.0)),
        (
            "get() of a capacitor, one field, drop",
            "capacitor-get",
            Some(100.0),
        ),
        ("hot accessor", "hot", Some(3.5)),
        ("peer: arc-swap, load()", "arc-swap-load", None),
        (
            "peer: arc-swap, load() with 64 guards held",
            "arc-swap-load-64-held",
            None,
        ),
        ("peer: arc-swap, Cache", "arc-swap-cache", None),
        ("peer: arc-swap, load_full()", "arc-swap-load-full", None),
        (
            "peer: dynamic-config, current()",
            "dynamic-config-current",
            None,
        ),
        ("peer: tokio watch, borrow()", "tokio-watch", None),
        ("peer: RwLock, read()", "rwlock", None),
    ] {
        let row = Row::new(what, of(name), "instructions");
        table.add(match at_most {
            Some(limit) => row.at_most(limit),
            None => row,
        });
    }
}

fn started() {
    block_on(App::start()).expect("a start");
}

/// Every round of every cell hands one number to `black_box`; the cell `empty` does only that.
fn repeat(rounds: u64, mut read: impl FnMut() -> u16) {
    for _ in 0..rounds {
        black_box(read());
    }
}
