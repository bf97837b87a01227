//! A document of any bytes, in each format, alone or with a piece of it repeated: what its update and its report cost is bounded by
//! what plain serde pays for a document of that size, and where the piece is repeated four times as often, it costs about four times
//! as much. libFuzzer is led to whatever costs more, or grows more, than anything before.
#![no_main]

use flux::Format;
use flux_fuzz::cost::{Cost, Outcome, own_decode, plain_decode, smallest_refusal, update};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::{cell::LazyCell, hint::black_box, time::Duration};

/// The most that a document may cost, in plain decodes.
const MOST: f64 = 20.0;
/// And one of YAML that the parser with positions does not follow: the decoder reads it in its place, twice, once for the report and
/// once for its secrets.
const MOST_UNPLACED: f64 = 40.0;
/// And what a report of so many problems may, in refusals for one: no document gets a longer report.
const PROBLEMS: f64 = 500.0;
/// A piece is repeated until the document has so many bytes.
const PUMPED: [usize; 2] = [16 << 10, 64 << 10];
/// And so many where it grew too much between those two. A limit that lies between two sizes is a step: a growth is one that goes on from
/// each of them to the next.
const BEYOND: [usize; 2] = [192 << 10, 768 << 10];
/// What a document may cost of the same one with a quarter of the bytes: half as much again as its size.
const GROWTH: f64 = 1.5;
/// Tables have room for twice what they hold, and are copied into the new room.
const GROWTH_OF_MEMORY: f64 = 3.0;
/// Below so many plain decodes a growth is noise.
const FLOOR: f64 = 2.0;
/// Measurements until a cost counts: whatever else the machine does makes one dearer, and never cheaper.
const TRIES: u32 = 8;
/// How much longer it is waited before each of them.
const PAUSE: Duration = Duration::from_millis(50);

// `J`, `Y` or `T` and the document; with two bytes of zero in it, what lies between them is repeated, and a byte of one in that is
// the number of the repetition.
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
    match pumped(rest, PUMPED[0]) {
        None => {
            check(index, rest);
        }
        Some(document) => {
            let small = check(index, &document);
            if let Some(document) = pumped(rest, PUMPED[1]) {
                grows(index, rest, small, check(index, &document));
            }
        }
    }
    Corpus::Keep
});

/// The document with its piece repeated; none where there is no piece.
fn pumped(text: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut parts = text.splitn(3, |byte| *byte == 0);
    let (begin, piece, end) = (parts.next()?, parts.next()?, parts.next()?);
    if piece.is_empty() {
        return None;
    }
    let mut document = begin.to_vec();
    for number in 0.. {
        for byte in piece {
            match byte {
                1 => document.extend_from_slice(number.to_string().as_bytes()),
                byte => document.push(*byte),
            }
        }
        if document.len() + end.len() + piece.len() > size {
            break;
        }
    }
    document.extend_from_slice(end);
    Some(document)
}

const FORMATS: [Format; 3] = [Format::Json, Format::Yaml, Format::Toml];

/// What was measured of a document, and what of a good one of that size.
#[derive(Clone, Copy, Debug)]
struct Judged {
    size: usize,
    cost: Cost,
    outcome: Outcome,
    plain: Cost,
}

/// What a cost is held to.
#[derive(Clone, Copy, Debug)]
struct Bound {
    most: f64,
    plain: Cost,
    smallest: Cost,
}

impl Bound {
    fn of(&self, of: fn(&Cost) -> f64) -> f64 {
        self.most * of(&self.plain) + PROBLEMS * of(&self.smallest)
    }

    fn is_over(&self, cost: &Cost) -> bool {
        let over = |of: fn(&Cost) -> f64| of(cost) > self.of(of);
        over(|cost| cost.time) || over(|cost| cost.memory)
    }
}

/// The cost of a document, which is within the bound. One of [`BEYOND`] is held to its growth alone: what does not fit into the caches
/// costs more where other programs use them too.
fn check(index: usize, document: &[u8]) -> Judged {
    let is_bounded = document.len() <= PUMPED[1];
    thread_local! {
        static SMALLEST: LazyCell<[Cost; 3]> = LazyCell::new(|| FORMATS.map(smallest_refusal));
    }
    let format = FORMATS[index];
    let (mut cost, outcome) = update(format, document);
    let is_unplaced = format == Format::Yaml && outcome == Outcome::RefusedUnplaced;
    let mut bound = Bound {
        most: if is_unplaced { MOST_UNPLACED } else { MOST },
        plain: plain_decode(format, document.len()),
        smallest: SMALLEST.with(|costs| costs[index]),
    };
    if bound.is_over(&cost) {
        // Brackets alone cost any parser more than a good document does.
        bound.plain = bound.plain.at_least(own_decode(format, document));
    }
    for attempt in 0..TRIES {
        if !is_bounded || !bound.is_over(&cost) {
            break;
        }
        // What else the machine does must end, and not only pause.
        std::thread::sleep(PAUSE * attempt);
        cost = cost.or(update(format, document).0);
        // What the bound is made of was measured when the machine may have had less to do.
        bound.smallest = bound.smallest.at_least(smallest_refusal(format));
        let plain = plain_decode(format, document.len()).at_least(own_decode(format, document));
        bound.plain = bound.plain.at_least(plain);
    }
    assert!(
        !is_bounded || !bound.is_over(&cost),
        "{} bytes of {format:?} cost {cost:?}; {bound:?}",
        document.len()
    );
    let step = |of: fn(&Cost) -> f64| {
        // Eight steps for a doubling, from a 64th of the bound on.
        let part = of(&cost) / bound.of(of);
        ((part.max(1e-9).log2() + 6.0) * 8.0).clamp(0.0, 63.0) as usize
    };
    reach(index, 0, step(|cost| cost.allocations));
    reach(index, 1, step(|cost| cost.memory));
    reach(index, 2, step(|cost| cost.time));
    Judged {
        size: document.len(),
        cost,
        outcome,
        plain: bound.plain,
    }
}

/// How much dearer a document with more repetitions is than its size makes it, in each respect.
fn growth(small: &Judged, large: &Judged) -> [f64; 3] {
    let times = large.size as f64 / small.size as f64;
    let of = |of: fn(&Cost) -> f64| {
        let floor = FLOOR * of(&large.plain);
        (of(&large.cost) - floor) / (of(&small.cost).max(1.0) * times)
    };
    [
        of(|cost| cost.allocations),
        of(|cost| cost.memory),
        of(|cost| cost.time),
    ]
}

fn grows(index: usize, text: &[u8], small: Judged, large: Judged) {
    // What is refused for its size alone costs more than what is accepted, within the bound.
    if small.outcome != large.outcome {
        return;
    }
    let (small, mut large) = settled(index, text, small, large);
    let growths = growth(&small, &large);
    let mut goes_on = is_too_much(growths);
    let mut further = vec![small, large];
    for size in BEYOND {
        let Some(document) = pumped(text, size).filter(|_| goes_on) else {
            break;
        };
        let beyond = check(index, &document);
        let (before, beyond) = settled(index, text, large, beyond);
        goes_on = before.outcome == beyond.outcome && is_too_much(growth(&before, &beyond));
        further.push(beyond);
        large = beyond;
    }
    assert!(
        !goes_on,
        "the cost of {:?} grows faster than the document: {further:?}",
        FORMATS[index]
    );
    for (kind, growth) in [(3, growths[0]), (4, growths[2])] {
        // From a half on, 32 steps for a doubling.
        let step = (growth.max(1e-9).log2() + 1.0) * 32.0;
        reach(index, kind, step.clamp(0.0, 63.0) as usize);
    }
}

/// Allocations grow in steps, where a document is decoded piece by piece: they lead the search, and what is held to a bound is the time.
fn is_too_much([_, memory, time]: [f64; 3]) -> bool {
    memory > GROWTH_OF_MEMORY || time > GROWTH
}

/// Both measured again until the growth is within its bound, or no measurement helps.
fn settled(index: usize, text: &[u8], mut small: Judged, mut large: Judged) -> (Judged, Judged) {
    for attempt in 0..TRIES {
        if !is_too_much(growth(&small, &large)) {
            break;
        }
        std::thread::sleep(PAUSE * attempt);
        for one in [&mut small, &mut large] {
            if let Some(document) = pumped(text, one.size) {
                one.cost = one.cost.or(update(FORMATS[index], &document).0);
            }
        }
    }
    (small, large)
}

fn reach(index: usize, kind: usize, step: usize) {
    RUNGS[index * KINDS + kind][step]();
}

/// Three of the cost and two of its growth.
const KINDS: usize = 5;

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

static RUNGS: [[fn(); 64]; 3 * KINDS] = rungs! { 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 };
