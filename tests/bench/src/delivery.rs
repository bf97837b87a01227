//! What stands between a valid value and its readers: the pipeline, subscribers, and what changed.

use crate::{
    callgrind::{Cell, cost},
    config::block_on,
    table::{Row, Table},
};
use flux::{Builder, Capacitor, Config, Flux, Format, Source, source::Channel};
use std::{fmt::Write, future::ready, hint::black_box, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Flux)]
struct Small {
    a: u32,
    #[flux(default = "some text")]
    b: String,
}

macro_rules! numbers {
    ($($field:ident)*) => {
        #[derive(Flux)]
        struct Numbers { $(#[flux(default)] $field: u32,)* }

        const NUMBERS: &[&str] = &[$(stringify!($field)),*];
    };
}

numbers! {
    f000 f001 f002 f003 f004 f005 f006 f007 f008 f009 f010 f011 f012 f013 f014 f015 f016 f017 f018 f019 f020 f021
    f022 f023 f024 f025 f026 f027 f028 f029 f030 f031 f032 f033 f034 f035 f036 f037 f038 f039 f040 f041 f042 f043
    f044 f045 f046 f047 f048 f049 f050 f051 f052 f053 f054 f055 f056 f057 f058 f059 f060 f061 f062 f063 f064 f065
    f066 f067 f068 f069 f070 f071 f072 f073 f074 f075 f076 f077 f078 f079 f080 f081 f082 f083 f084 f085 f086 f087
    f088 f089 f090 f091 f092 f093 f094 f095 f096 f097 f098 f099 f100 f101 f102 f103 f104 f105 f106 f107 f108 f109
    f110 f111 f112 f113 f114 f115 f116 f117 f118 f119 f120 f121 f122 f123 f124 f125 f126 f127 f128 f129 f130 f131
    f132 f133 f134 f135 f136 f137 f138 f139 f140 f141 f142 f143 f144 f145 f146 f147 f148 f149 f150 f151 f152 f153
    f154 f155 f156 f157 f158 f159 f160 f161 f162 f163 f164 f165 f166 f167 f168 f169 f170 f171 f172 f173 f174 f175
    f176 f177 f178 f179 f180 f181 f182 f183 f184 f185 f186 f187 f188 f189 f190 f191 f192 f193 f194 f195 f196 f197
    f198 f199
}

pub(crate) const CELLS: &[Cell] = &[
    cell("bare", |rounds| update(rounds, |builder| builder)),
    cell("callback", |rounds| update(rounds, callback)),
    cell("one-stage", |rounds| {
        update(rounds, |builder| builder.transform(|request| request))
    }),
    cell("full-pipeline", |rounds| update(rounds, full)),
    cell("subscribers-1", |rounds| subscribed(rounds, 1)),
    cell("subscribers-100", |rounds| subscribed(rounds, 100)),
    cell("numbers-1", |rounds| numbers(rounds, 1, false)),
    cell("numbers-1-paths", |rounds| numbers(rounds, 1, true)),
    cell("numbers-200", |rounds| numbers(rounds, 200, false)),
    cell("numbers-200-paths", |rounds| numbers(rounds, 200, true)),
];

const fn cell(name: &'static str, run: fn(u64)) -> Cell {
    Cell {
        name,
        rounds: 200,
        run,
    }
}

pub(crate) fn run(table: &mut Table) {
    table.title("Delivery of one update of two fields (instructions, by callgrind)");
    let costs: Vec<f64> = CELLS.iter().map(cost).collect();
    let of = |name: &str| {
        let at = CELLS.iter().position(|cell| cell.name == name);
        costs[at.expect("a cell")]
    };
    let whole = Row::new(
        "the whole update, without a pipeline",
        of("bare"),
        "instructions",
    );
    table.add(whole.at_most(14_900.0));
    for (what, name, base, each, at_most) in [
        ("more: a callback", "callback", "bare", 1.0, 2_300.0),
        (
            "more: one stage that changes nothing",
            "one-stage",
            "bare",
            1.0,
            3_000.0,
        ),
        (
            "more: a callback in a full pipeline of eight layers",
            "full-pipeline",
            "bare",
            1.0,
            9_600.0,
        ),
        (
            "more: a subscriber that takes each change",
            "subscribers-1",
            "bare",
            1.0,
            400.0,
        ),
        (
            "more: each of 100 such subscribers",
            "subscribers-100",
            "bare",
            100.0,
            430.0,
        ),
        (
            "`paths()` of a change, 1 of 200 fields",
            "numbers-1-paths",
            "numbers-1",
            1.0,
            1_900.0,
        ),
        (
            "`paths()` of a change, 200 of 200 fields",
            "numbers-200-paths",
            "numbers-200",
            1.0,
            231_000.0,
        ),
    ] {
        let row = Row::new(what, (of(name) - of(base)) / each, "instructions");
        table.add(row.at_most(at_most));
    }
}

fn callback(builder: Builder<Small>) -> Builder<Small> {
    builder.on_apply(|_, next| ready(refused_if(next.a == u32::MAX)))
}

fn refused_if(bad: bool) -> Result<(), &'static str> {
    match bad {
        true => Err("no"),
        false => Ok(()),
    }
}

/// Every kind of layer once, and a stage.
fn full(builder: Builder<Small>) -> Builder<Small> {
    callback(builder)
        .transform(|request| request)
        .retry(flux::pipeline::Retry::attempts(3).base(SECOND).max(SECOND))
        .timeout(SECOND)
        .circuit_breaker(flux::pipeline::CircuitBreaker::failures(5).recovery(SECOND))
        .rate_limit(flux::pipeline::RateLimit::per_second(1e6).burst(1_000_000))
        .fallback(|request| ready(Ok::<_, &str>(request)))
        .error_handler(|_, error| {
            black_box(error);
        })
        .filter(|request| request.current.a != u32::MAX)
}

/// A capacitor by hand over one document.
async fn over<C: Config>(
    first: &str,
    adjust: impl FnOnce(Builder<C>) -> Builder<C>,
) -> (Capacitor<C>, flux::source::ChannelSender) {
    let (sender, channel) = Channel::buffered("document", 4);
    let source = Source::watcher(channel).format(Format::Json);
    let builder = adjust(Capacitor::builder().manual()).source(source);
    let capacitor = builder.build().expect("layers");
    sender.send(first.as_bytes()).await.expect("a receiver");
    capacitor.start().await.expect("a start");
    (capacitor, sender)
}

fn update(rounds: u64, adjust: fn(Builder<Small>) -> Builder<Small>) {
    block_on(async {
        let (capacitor, document) = over("{\"a\": 7}", adjust).await;
        for round in 0..rounds {
            let text = format!("{{\"a\": {}}}", round % 2);
            document.send(text.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
            assert_eq!(u64::from(capacitor.get().a), round % 2);
        }
    });
}

fn subscribed(rounds: u64, subscribers: usize) {
    block_on(async {
        let (capacitor, document) = over::<Small>("{\"a\": 7}", |builder| builder).await;
        let mut all: Vec<_> = (0..subscribers).map(|_| capacitor.subscribe()).collect();
        for round in 0..rounds {
            let text = format!("{{\"a\": {}}}", round % 2);
            document.send(text.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
            for one in &mut all {
                let change = one.changed().await.expect("it runs");
                assert_eq!(u64::from(change.current.a), round % 2);
            }
        }
    });
}

/// So many of the 200 fields change each time, and a subscriber takes the change.
fn numbers(rounds: u64, changed: usize, paths: bool) {
    let documents = [1, 2].map(|value| {
        let mut text = "{".to_owned();
        for (i, name) in NUMBERS.iter().enumerate() {
            let value = if i < changed { value } else { 0 };
            write!(text, "\"{name}\": {value},").expect("memory");
        }
        text.pop();
        text + "}"
    });
    block_on(async {
        let (capacitor, document) = over::<Numbers>(&documents[1], |builder| builder).await;
        let mut changes = capacitor.subscribe();
        for round in 0..rounds as usize {
            let text = documents[round % 2].clone();
            document.send(text.into_bytes()).await.expect("a receiver");
            assert!(capacitor.process().await.expect("manual mode"));
            let change = changes.changed().await.expect("it runs");
            if paths {
                assert_eq!(change.paths().len(), changed);
            }
        }
    });
}
