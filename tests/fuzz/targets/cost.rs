//! A document of any bytes, in each format, alone or with a piece of it repeated: what its update and its report cost is bounded by
//! what plain serde pays for a document of that size. libFuzzer is led to whatever costs more than anything before.
#![no_main]

use flux::Format;
use flux_fuzz::cost::{Cost, own_decode, plain_decode, smallest_refusal, update};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::{cell::LazyCell, hint::black_box};

/// The most that a document may cost, in plain decodes.
const MOST: f64 = 20.0;
/// And what a report of so many problems may, in refusals for one: no document gets a longer report.
const PROBLEMS: f64 = 500.0;
/// A piece is repeated until the document has so many bytes.
const PUMPED: usize = 16 << 10;

// `J`, `Y` or `T` and the document; with two bytes of zero in it, what lies between them is repeated.
fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((first, rest)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let index = match first {
        b'J' => 0,
        b'Y' => 1,
        b'T' => 2,
        _ => return Corpus::Reject,
    };
    let document = pumped(rest);
    check(index, &document);
    Corpus::Keep
});

fn pumped(text: &[u8]) -> Vec<u8> {
    let mut parts = text.splitn(3, |byte| *byte == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(begin), Some(piece), Some(end)) if !piece.is_empty() => {
            let times = (PUMPED.saturating_sub(begin.len() + end.len()) / piece.len()).max(1);
            [begin, &piece.repeat(times), end].concat()
        }
        _ => text.to_vec(),
    }
}

const FORMATS: [Format; 3] = [Format::Json, Format::Yaml, Format::Toml];

fn bound(plain: &Cost, smallest: &Cost, of: fn(&Cost) -> f64) -> f64 {
    MOST * of(plain) + PROBLEMS * of(smallest)
}

fn is_over(cost: &Cost, plain: &Cost, smallest: &Cost) -> bool {
    let over = |of: fn(&Cost) -> f64| of(cost) > bound(plain, smallest, of);
    over(|cost| cost.time) || over(|cost| cost.memory)
}

fn check(index: usize, document: &[u8]) {
    thread_local! {
        static SMALLEST: LazyCell<[Cost; 3]> = LazyCell::new(|| FORMATS.map(smallest_refusal));
    }
    let format = FORMATS[index];
    let mut smallest = SMALLEST.with(|costs| costs[index]);
    let mut plain = plain_decode(format, document.len());
    let mut cost = update(format, document);
    if is_over(&cost, &plain, &smallest) {
        // Brackets alone cost any parser more than a good document does.
        plain = plain.at_least(own_decode(format, document));
    }
    // Whatever else the machine does makes a measurement dearer, and never cheaper.
    for _ in 0..8 {
        if !is_over(&cost, &plain, &smallest) {
            break;
        }
        cost = cost.or(update(format, document));
        // What the bound is made of was measured when the machine may have had less to do.
        smallest = smallest.at_least(smallest_refusal(format));
        plain = plain.at_least(plain_decode(format, document.len()));
    }
    assert!(
        !is_over(&cost, &plain, &smallest),
        "{} bytes of {format:?} cost {cost:?}; a plain decode {plain:?}, the smallest refusal {smallest:?}",
        document.len()
    );
    let step = |of: fn(&Cost) -> f64| {
        // Eight steps for a doubling, from a 64th of the bound on.
        let part = of(&cost) / bound(&plain, &smallest, of);
        ((part.max(1e-9).log2() + 6.0) * 8.0).clamp(0.0, 63.0) as usize
    };
    for (kind, step) in [
        step(|c| c.allocations),
        step(|c| c.memory),
        step(|c| c.time),
    ]
    .into_iter()
    .enumerate()
    {
        RUNGS[index * 3 + kind][step]();
    }
}

/// Code of its own for each step of the cost, so that a document that costs more than all before reaches new code.
fn rung<const KIND: usize, const STEP: usize>() {
    black_box((KIND, STEP));
}

macro_rules! rungs {
    ($($kind:literal)*) => { [$(rungs!(of $kind;
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63)),*] };
    (of $kind:literal; $($step:literal)*) => { [$(rung::<$kind, $step> as fn()),*] };
}

static RUNGS: [[fn(); 64]; 9] = rungs! { 0 1 2 3 4 5 6 7 8 };
