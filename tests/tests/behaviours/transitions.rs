//! Rules from one value to the next: what may not change, not by so much or not downwards, and what waits for a restart.

use crate::by_hand;
use flux::{
    __private::{Diff, Nested as _},
    Capacitor, Config, Flux, State,
    source::ChannelSender,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

/// A started capacitor with this document, and how to give it another.
async fn started<C: Config>(document: &str) -> (Capacitor<C>, ChannelSender) {
    let (capacitor, sender) = by_hand::<C>(|builder| builder);
    sender.send(document.as_bytes()).await.unwrap();
    capacitor
        .start()
        .await
        .expect("a first value keeps every rule of change");
    (capacitor, sender)
}

/// What the next document is refused with; nothing where it applies.
async fn refusal<C: Config>(
    (capacitor, sender): &(Capacitor<C>, ChannelSender),
    document: &str,
) -> String {
    sender.send(document.as_bytes()).await.unwrap();
    capacitor.process().await.unwrap();
    match capacitor.last_error() {
        Some(report) => report.to_string(),
        None => String::new(),
    }
}

fn pending<C: Config>(capacitor: &Capacitor<C>) -> Vec<String> {
    capacitor.status().pending_restart.clone()
}

#[derive(Flux, Debug)]
struct Server {
    #[flux(immutable)]
    port: u16,
    #[flux(immutable, secret)]
    password: Option<String>,
    #[flux(default = "info")]
    level: String,
}

#[tokio::test]
async fn a_change_of_the_immutable_is_refused_where_it_stands() {
    let server = started::<Server>("port: 1\npassword: hunter2").await;
    let said = refusal(&server, "level: debug\nport: 2\npassword: hunter2").await;
    assert!(
        said.contains("port: cannot change without a restart of the program, found 2 after 1"),
        "{said}"
    );
    assert!(said.contains("channel:2:7"), "{said}");
    assert_eq!(
        (server.0.state(), server.0.get().port),
        (State::Degraded, 1)
    );
    assert_eq!(
        server.0.get().level,
        "info",
        "nothing of a refused update is applied"
    );
    assert_eq!(
        refusal(&server, "level: debug\nport: 1\npassword: hunter2").await,
        ""
    );
    assert_eq!(
        (server.0.state(), server.0.get().level.as_str()),
        (State::Healthy, "debug")
    );
}

#[tokio::test]
async fn a_refused_change_of_a_secret_shows_neither_value() {
    let server = started::<Server>("port: 1\npassword: hunter2").await;
    for document in ["port: 1\npassword: swordfish", "port: 1"] {
        let said = refusal(&server, document).await;
        assert!(
            said.contains("password: cannot change without a restart"),
            "{said}"
        );
        assert!(
            !said.contains("hunter2") && !said.contains("swordfish"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn every_broken_rule_of_one_update_is_told() {
    let server = started::<Server>("port: 1").await;
    let said = refusal(&server, "port: 2\npassword: x").await;
    assert!(
        said.contains("2 problems") && said.contains("port: ") && said.contains("password: "),
        "{said}"
    );
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(restart, default = 4)]
    workers: u16,
    #[flux(default = 10)]
    size: u16,
}

#[derive(Flux, Debug)]
struct Pools {
    #[flux(restart, default = "a")]
    name: String,
    #[flux(nested)]
    one: Pool,
    #[flux(nested)]
    maybe: Option<Pool>,
    #[flux(nested, default)]
    list: Vec<Pool>,
    #[flux(nested, default)]
    named: BTreeMap<String, Pool>,
    #[flux(nested)]
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Flux, Debug)]
struct Flat {
    #[flux(restart, default = 1)]
    threads: u8,
}

#[tokio::test]
async fn what_needs_a_restart_waits_and_the_rest_applies() {
    let pools = started::<Pools>("one: {workers: 4}").await;
    assert_eq!(
        refusal(&pools, "one: {workers: 8, size: 20}\nname: b").await,
        ""
    );
    let now = pools.0.get();
    assert_eq!(
        (now.one.workers, now.one.size, now.name.as_str()),
        (4, 20, "a")
    );
    assert_eq!(pools.0.state(), State::Healthy);
    assert_eq!(pending(&pools.0), ["name", "one.workers"]);
    assert_eq!(refusal(&pools, "one: {workers: 8, size: 30}").await, "");
    assert_eq!(pending(&pools.0), ["one.workers"]);
    assert_eq!(refusal(&pools, "one: {workers: 4, size: 30}").await, "");
    assert_eq!(pending(&pools.0), [""; 0], "what is put back waits no more");
}

#[tokio::test]
async fn a_start_anew_takes_what_has_waited() {
    let pools = started::<Pools>("one: {workers: 4}").await;
    assert_eq!(refusal(&pools, "one: {workers: 8}").await, "");
    assert_eq!(pools.0.get().one.workers, 4);
    pools.0.stop().await;
    pools.1.send(&b"one: {workers: 8}"[..]).await.unwrap();
    pools.0.start().await.expect("a start anew");
    assert_eq!(pools.0.get().one.workers, 8);
    assert_eq!(pending(&pools.0), [""; 0]);
}

#[tokio::test]
async fn a_start_anew_takes_what_could_not_change() {
    let server = started::<Server>("port: 1").await;
    assert_ne!(refusal(&server, "port: 2").await, "");
    server.0.stop().await;
    server.1.send(&b"port: 2"[..]).await.unwrap();
    server.0.start().await.expect("a start anew");
    assert_eq!((server.0.state(), server.0.get().port), (State::Healthy, 2));
}

#[tokio::test]
async fn values_wait_in_every_kind_of_section_that_was_there_before() {
    let before = "one: {}\nmaybe: {}\nlist: [{}, {workers: 5}]\nnamed: {a: {}, b: {}}";
    let pools = started::<Pools>(before).await;
    let after = "
one: {}
maybe: {workers: 9}
list: [{}, {workers: 9}, {workers: 9}]
named: {b: {workers: 9}, c: {workers: 9}}
threads: 9";
    assert_eq!(refusal(&pools, after).await, "");
    assert_eq!(
        pending(&pools.0),
        [
            "maybe.workers",
            "list[1].workers",
            "named.b.workers",
            "threads"
        ]
    );
    let now = pools.0.get();
    let workers: Vec<u16> = now.list.iter().map(|pool| pool.workers).collect();
    assert_eq!(workers, [4, 5, 9], "a section that is new may be anything");
    let workers: Vec<u16> = now.named.values().map(|pool| pool.workers).collect();
    assert_eq!(workers, [4, 9]);
    assert_eq!(
        (now.maybe.as_ref().unwrap().workers, now.flat.threads),
        (4, 1)
    );
}

#[derive(Flux, Debug)]
struct Limits {
    #[flux(max_change = "50%", default = 0)]
    rate: i64,
    #[flux(max_change = "100%")]
    timeout: Option<Duration>,
    #[flux(monotonic, default = 0)]
    epoch: u64,
    #[flux(monotonic)]
    since: Option<u64>,
}

#[tokio::test]
async fn a_change_may_not_be_too_large() {
    let limits = started::<Limits>("rate: 100").await;
    let said = refusal(&limits, "rate: 151").await;
    assert!(
        said.contains("rate: may change by at most 50% at a time, found 151 after 100"),
        "{said}"
    );
    for (document, applies) in [
        ("rate: 150", true),
        ("rate: 225", true),
        ("rate: 112", false),
        ("rate: 113", true),
        ("rate: 57\ntimeout: 1s", true),
        ("rate: 57\ntimeout: 2s", true),
        ("rate: 57\ntimeout: 5s", false),
        ("rate: 57", true),
        ("rate: 57\ntimeout: 1h", true),
        ("rate: -1\ntimeout: 1h", false),
    ] {
        assert_eq!(
            refusal(&limits, document).await.is_empty(),
            applies,
            "{document}"
        );
    }
}

#[tokio::test]
async fn from_zero_every_change_is_allowed() {
    let limits = started::<Limits>("{}").await;
    assert_eq!(refusal(&limits, "rate: 1000000").await, "");
    assert_eq!(limits.0.get().rate, 1_000_000);
}

#[tokio::test]
async fn the_monotonic_may_not_go_back() {
    let limits = started::<Limits>("epoch: 5").await;
    assert_eq!(refusal(&limits, "epoch: 6\nsince: 1").await, "");
    let said = refusal(&limits, "epoch: 5").await;
    assert!(
        said.contains("epoch: may not decrease, found 5 after 6"),
        "{said}"
    );
    assert!(
        said.contains("since: may not decrease, found nothing after 1"),
        "{said}"
    );
    assert_eq!(limits.0.get().epoch, 6);
    assert_eq!(refusal(&limits, "epoch: 6\nsince: 2").await, "");
}

#[derive(serde::Deserialize, Debug, Clone)]
struct Key(u8);

#[derive(Flux, Debug, Clone)]
struct Tls {
    port: u16,
    #[flux(opaque)]
    key: Key,
}

#[derive(Flux, Debug)]
struct Sections {
    #[flux(nested, immutable)]
    fixed: BTreeMap<String, Pool>,
    #[flux(nested, immutable)]
    fixed_maybe: Option<Tls>,
    #[flux(nested, restart)]
    kept: Vec<Tls>,
    #[flux(nested, restart)]
    kept_maybe: Option<Tls>,
    #[flux(default = 0)]
    free: u8,
}

const SECTIONS: &str = "fixed: {a: {size: 1}}\nkept: [{port: 1, key: 1}]\n";

#[tokio::test]
async fn an_immutable_section_refuses_each_change_in_it() {
    let sections = started::<Sections>(SECTIONS).await;
    let said = refusal(
        &sections,
        "fixed: {a: {size: 2, workers: 2}, b: {}}\nkept: []\nfixed_maybe: {port: 1, key: 1}",
    )
    .await;
    for path in ["fixed.a.size", "fixed.a.workers", "fixed.b", "fixed_maybe"] {
        assert!(
            said.contains(&format!("{path}: cannot change without a restart")),
            "{path}: {said}"
        );
    }
    assert!(
        said.contains("4 problems"),
        "no problem is told twice: {said}"
    );
    let unchanged = format!("{SECTIONS}free: 1");
    assert_eq!(refusal(&sections, &unchanged).await, "");
    assert_eq!(sections.0.get().free, 1);
}

#[tokio::test]
async fn a_section_that_needs_a_restart_is_kept_as_a_whole() {
    let sections = started::<Sections>(SECTIONS).await;
    let changed = "fixed: {a: {size: 1}}\nkept: [{port: 2, key: 9}]\nfree: 1";
    assert_eq!(refusal(&sections, changed).await, "");
    let now = sections.0.get();
    assert_eq!((now.kept[0].port, now.kept[0].key.0, now.free), (1, 1, 1));
    assert_eq!(pending(&sections.0), ["kept[0].port"]);
    let longer = "fixed: {a: {size: 1}}\nkept: [{port: 1, key: 1}, {port: 2, key: 2}]\nkept_maybe: {port: 1, key: 1}";
    assert_eq!(refusal(&sections, longer).await, "");
    assert_eq!(pending(&sections.0), ["kept", "kept_maybe"]);
    let now = sections.0.get();
    assert!(now.kept.len() == 1 && now.kept_maybe.is_none());
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Mixed {
    #[flux(restart)]
    held: u8,
    free: u8,
    #[flux(nested)]
    inner: Inner,
    #[flux(nested, restart)]
    whole: Inner,
    #[flux(nested)]
    list: Vec<Inner>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Inner {
    #[flux(restart)]
    held: u8,
    free: u8,
}

fn inner() -> impl Strategy<Value = Inner> {
    (0_u8..3, 0_u8..3).prop_map(|(held, free)| Inner { held, free })
}

fn mixed() -> impl Strategy<Value = Mixed> {
    let list = proptest::collection::vec(inner(), 0..4);
    (0_u8..3, 0_u8..3, inner(), inner(), list).prop_map(|(held, free, inner, whole, list)| Mixed {
        held,
        free,
        inner,
        whole,
        list,
    })
}

proptest! {
    #[test]
    fn deferring_takes_the_running_values_of_exactly_what_needs_a_restart(running in mixed(), new in mixed()) {
        let mut value = new.clone();
        value.defer(&running, &mut Diff::default());
        let with = |new: &Inner, running: &Inner| Inner { held: running.held, free: new.free };
        let mut list = new.list.clone();
        for (new, running) in list.iter_mut().zip(&running.list) {
            new.held = running.held;
        }
        let expected = Mixed {
            held: running.held,
            free: new.free,
            inner: with(&new.inner, &running.inner),
            whole: running.whole.clone(),
            list,
        };
        prop_assert_eq!(value, expected);
    }
}

#[derive(Flux, Debug)]
struct Merged {
    #[flux(default, immutable)]
    map: BTreeMap<String, u8>,
    #[flux(default, immutable, merge = "append")]
    list: Vec<u8>,
    #[flux(nested, default, immutable)]
    tenants: BTreeMap<String, Part>,
    #[flux(nested, default)]
    groups: BTreeMap<String, Grown>,
    #[flux(nested, immutable)]
    part: Part,
    #[flux(monotonic)]
    version: Option<u32>,
    #[flux(default = 100, max_change = "10%")]
    size: u32,
    #[flux(default)]
    note: String,
}

#[derive(Flux, Debug, Clone)]
struct Part {
    #[flux(default = 1)]
    a: u8,
    #[flux(default = 1)]
    b: u8,
}

#[derive(Flux, Debug, Clone)]
struct Grown {
    #[flux(monotonic, default)]
    map: Count,
    #[flux(default)]
    other: u8,
}

type Count = u32;

/// The document before, the variables, the document after, and what is reported of it: the path and the line.
type RefusedChange = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
    Option<usize>,
);

#[rustfmt::skip]
const CHANGES: &[RefusedChange] = &[
    ("map: {a: 1}", &[("APP_MAP_B", "2")], "map: {b: 1}", "map", Some(1)),
    ("map: {a: 1}", &[("APP_MAP", "b=2")], "\nmap: {c: 1, a: 1}", "map", Some(2)),
    ("map: {a: 1}", &[("APP_MAP", "b=2")], "note: x", "map", None),
    ("list: [1]", &[("APP_LIST", "2")], "note: x\nlist: [3]", "list", Some(2)),
    ("list: [1]", &[("APP_LIST", "2")], "note: x", "list", None),
    ("tenants: {a: {a: 2}}", &[("APP_TENANTS_B_A", "2")], "tenants: {}", "tenants.a", Some(1)),
    ("tenants: {a: {a: 2}}", &[("APP_TENANTS_A_B", "2")], "note: x", "tenants.a.a", None),
    ("tenants: {a: {a: 2}}", &[("APP_TENANTS_A_B", "2")], "tenants: {a: {b: 1}}", "tenants.a.a", Some(1)),
    ("groups: {a: {map: 2}}", &[("APP_GROUPS_A_OTHER", "2")], "note: x", "groups.a.map", None),
    ("part: {a: 2}", &[("APP_PART_B", "2")], "part: {}", "part.a", Some(1)),
    ("part: {a: 2}", &[("APP_PART_B", "2")], "part: {b: 3}", "part.a", Some(1)),
    ("version: 2", &[("APP_NOTE", "x")], "size: 100", "version", None),
    ("size: 200", &[("APP_NOTE", "x")], "version: 1", "size", None),
];

#[tokio::test]
async fn a_refused_change_is_reported_of_the_layer_that_made_it() {
    for (before, variables, after, path, line) in CHANGES {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (capacitor, sender) = by_hand::<Merged>(|builder| {
            builder.override_with(flux::Source::env("APP_").variables(variables))
        });
        sender.send(before.as_bytes()).await.unwrap();
        capacitor.start().await.unwrap();
        sender.send(after.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        let report = capacitor.last_error().expect("a change that is refused");
        let refused = report.problems().iter().filter(|one| !one.is_warning());
        let [problem] = refused.collect::<Vec<_>>()[..] else {
            panic!("{before} -> {after}\n{report}");
        };
        assert_eq!(
            problem.path.as_str(),
            *path,
            "{before} -> {after}\n{report}"
        );
        assert_eq!(
            (problem.origin.as_str(), &problem.variable, problem.line),
            ("channel", &None, *line),
            "{before} -> {after}\n{report}"
        );
    }
}

#[tokio::test]
async fn of_two_layers_that_change_at_once_the_one_is_reported_that_made_the_refused_change() {
    let (upper, channel) = flux::source::Channel::buffered("upper", 16);
    let (capacitor, lower) = by_hand::<Merged>(|builder| {
        builder.source(flux::Source::watcher(channel).format(flux::Format::Yaml))
    });
    lower.send("map: {a: 1}".as_bytes()).await.unwrap();
    upper.send("map: {b: 2}".as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    for (below, above, origin) in [
        ("map: {a: 3}", "map: {b: 2}\nnote: x", "channel"),
        ("map: {a: 1}\nnote: x", "map: {b: 3}\nnote: y", "upper"),
        ("map: {a: 4}\nnote: x", "map: {b: 4}\nnote: z", "upper"),
    ] {
        lower.send(below.as_bytes()).await.unwrap();
        upper.send(above.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        let report = capacitor.last_error().expect("a change that is refused");
        let of_map: Vec<&str> = (report.problems().iter())
            .filter(|problem| problem.path.as_str() == "map")
            .map(|problem| problem.origin.as_str())
            .collect();
        assert_eq!(of_map, [origin], "{below} {above}\n{report}");
    }
}
