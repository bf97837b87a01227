//! Documents made to exhaust the stack, the memory or the time.

use crate::{applied, refusal};
use flux::{
    Capacitor, Flux, Format, Source,
    codec::{Codec, Tree},
    source::Channel,
};
use std::{collections::BTreeMap, fmt::Write};

#[derive(Flux)]
struct App {
    #[flux(default = 8080)]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    rows: Vec<Vec<String>>,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1, range = 1..=100)]
    max_size: u32,
    #[flux(default)]
    min: u32,
}

#[tokio::test]
async fn nesting_without_end_is_refused_and_exhausts_nothing() {
    let n = 10_000;
    let lists = format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let maps = format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
    for (format, document) in [
        (Format::Json, format!("{{\"host\": {lists}}}")),
        (Format::Json, format!("{{\"labels\": {maps}}}")),
        (Format::Json, lists.clone()),
        (Format::Yaml, format!("host: {lists}")),
        (Format::Yaml, format!("labels: {maps}")),
        (Format::Yaml, format!("strange: {}", "[".repeat(1_000_000))),
        (Format::Yaml, format!("rows: {}", "- ".repeat(n))),
        (Format::Toml, format!("host = {lists}")),
        (
            Format::Toml,
            format!("labels = {}1{}", "{a=".repeat(n), "}".repeat(n)),
        ),
        (Format::Toml, format!("host{} = 1", ".a".repeat(n))),
        (Format::Toml, format!("[labels{}]", ".a".repeat(n))),
    ] {
        let report = refusal::<App>(format, &document).await;
        assert!(report.to_string().len() < 1_000, "a report is for people");
    }
}

#[tokio::test]
async fn aliases_that_stand_for_gigabytes_are_refused() {
    let list = "x,".repeat(20_000);
    let bombs = [
        format!("a: &a [{list}]\nrows: [{}]", "*a,".repeat(20_000)),
        format!(
            "a: &a {}\nhost: [{}]",
            "x".repeat(100_000),
            "*a,".repeat(20_000)
        ),
        "a: &a [*a]\nhost: *a".to_owned(),
        (0..30).fold("a: &a0 [x, x]\n".to_owned(), |mut text, n| {
            writeln!(text, "b{n}: &a{} [*a{n}, *a{n}]", n + 1).unwrap();
            text
        }) + "host: *a30",
    ];
    for bomb in bombs {
        let report = refusal::<App>(Format::Yaml, &bomb).await;
        assert!(report.to_string().len() < 1_000, "{report}");
    }
}

#[tokio::test]
async fn ordinary_aliases_are_followed() {
    let document = "x-pool: &pool {max_size: 7, min: 2}\npool: *pool\ntenants:\n  a: *pool\nlabels: &l {k: v}\nhost: &h name\n";
    let app = applied::<App>(Format::Yaml, document).await;
    assert_eq!((app.pool.max_size, app.tenants["a"].min), (7, 2));
    let report = refusal::<App>(Format::Yaml, "x: &x\n  max_size: 500\npool: *x").await;
    // Beside it is the warning of `x`.
    let refused = report.problems().iter().filter(|one| !one.is_warning());
    let places = refused.map(|one| (one.path.as_str(), one.line, one.column));
    let expected = [("pool.max_size", Some(2), Some(13))];
    assert_eq!(places.collect::<Vec<_>>(), expected, "{report}");
}

/// Makes any document as deep as its first word says.
struct Deep;

impl Codec for Deep {
    fn name(&self) -> &str {
        "deep"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let depth = text.trim().parse().map_err(|_| "not a depth")?;
        let mut tree = Tree::Raw("end".to_owned());
        for level in 1..depth {
            tree = match level % 2 {
                0 => Tree::Seq(vec![tree]),
                _ => Tree::Map(vec![("key".to_owned(), tree)]),
            };
        }
        Ok(Tree::Map(vec![("strange".to_owned(), tree)]))
    }
}

#[tokio::test]
async fn a_codec_of_the_users_may_be_deep_but_not_too_deep() {
    for (depth, error) in [
        (1, None),
        (128, None),
        (129, Some("lists and maps are nested more than 128 deep")),
        (
            200_000,
            Some("lists and maps are nested more than 128 deep"),
        ),
    ] {
        let (sender, channel) = Channel::buffered("app", 4);
        sender.send(depth.to_string().into_bytes()).await.unwrap();
        let capacitor = Capacitor::<App>::builder()
            .manual()
            .source(Source::watcher(channel).codec(Deep))
            .build()
            .unwrap();
        let told = capacitor.start().await.err().map(|error| error.to_string());
        match error {
            None => assert_eq!(told, None, "{depth}"),
            Some(error) => assert!(told.unwrap().contains(error), "{depth}"),
        }
    }
}

#[test]
fn a_tree_of_any_depth_is_dropped() {
    let tree = Deep.decode("300000").unwrap();
    drop(tree);
    let mut wide = Tree::Seq(Vec::new());
    for _ in 0..50_000 {
        wide = Tree::Seq(vec![
            wide,
            Tree::Null,
            Tree::Map(vec![("k".to_owned(), Tree::Seq(vec![Tree::Null]))]),
        ]);
    }
    drop(wide);
}

#[tokio::test]
async fn of_very_many_problems_some_are_told_and_the_others_counted() {
    let mut document = String::new();
    for n in 0..300 {
        writeln!(document, "unknown-key-{n}: {n}\nport-{n}: [x, y]").unwrap();
    }
    document += "port: x\nhost: []\n";
    let report = refusal::<App>(Format::Yaml, &document).await;
    let text = report.to_string();
    assert!(
        text.contains("port: expected u16") && text.contains("has 592 more unknown keys"),
        "{text}"
    );
}

/// `Duration::MAX` is how a program says "no limit".
#[tokio::test(start_paused = true)]
async fn the_longest_duration_is_no_limit_wherever_a_duration_is_taken() {
    use crate::kit::{App, over_a_channel, pass, say, settle};
    use flux::pipeline::CircuitBreaker;
    use std::time::Duration;
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .debounce(Duration::from_millis(10))
        .max_wait(Duration::MAX)
        .startup_timeout(Duration::MAX)
        .last_known_good(kept.to_str().unwrap(), flux::capacitor::Secrets::Refuse)
        .probation(Duration::MAX)
        .on_apply(|_, next: std::sync::Arc<flux::Snapshot<App>>| async move {
            (next.n != 7).then_some(()).ok_or("no sevens")
        })
        .timeout(Duration::MAX)
        .circuit_breaker(CircuitBreaker::failures(1).recovery(Duration::MAX))
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    say(&sender, 2).await;
    pass(1.0).await;
    assert_eq!(capacitor.get().n, 2);
    assert!(capacitor.status().on_probation);
    say(&sender, 7).await;
    pass(1.0).await;
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("no sevens"), "{error}");
    settle().await;
    let (builder, sender) = over_a_channel::<App>();
    let slow = builder.debounce(Duration::MAX).build().unwrap();
    say(&sender, 1).await;
    slow.start().await.unwrap();
    say(&sender, 2).await;
    pass(3600.0).await;
    assert_eq!(slow.get().n, 1, "the quiet never lasts that long");
}
