//! Metrics through the `metrics` facade, as `flux::observe` documents them.

use crate::kit::{App, over_a_channel, pass, say, settle, write};
use flux::{Snapshot, pipeline::BoxError, source::Channel};
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Everything that was recorded, by `name{label=value,..}` with the labels in order.
fn recorded(snapshotter: &Snapshotter) -> BTreeMap<String, (MetricKind, f64)> {
    let each = snapshotter.snapshot().into_vec().into_iter();
    each.map(|(key, _, _, value)| {
        let (kind, key) = key.into_parts();
        let mut labels: Vec<String> = (key.labels())
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        labels.sort();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        };
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        (name, (kind, value))
    })
    .collect()
}

/// What was recorded since the last look, the recorder's own way: counters, gauges that were set, how many values a histogram got.
struct Recorder {
    snapshotter: Snapshotter,
    _installed: metrics::LocalRecorderGuard<'static>,
}

impl Recorder {
    fn install() -> Self {
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        Recorder {
            snapshotter: recorder.snapshotter(),
            _installed: metrics::set_default_local_recorder(recorder),
        }
    }
    /// What is not zero.
    fn take(&self) -> BTreeMap<String, f64> {
        let all = recorded(&self.snapshotter).into_iter();
        all.map(|(name, (_, value))| (name, value))
            .filter(|(_, value)| *value != 0.0)
            .collect()
    }
}

fn expected<const N: usize>(each: [(&str, f64); N]) -> BTreeMap<String, f64> {
    each.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Without the times, which are asked for by themselves.
fn without_times(mut all: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    all.retain(|name, _| !name.contains("timestamp"));
    all
}

#[tokio::test(start_paused = true)]
async fn names_labels_and_values_are_as_documented() {
    let recorder = Recorder::install();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .name("shop")
        .on_apply(|_, next: Arc<Snapshot<App>>| async move {
            (next.n != 7).then_some(()).ok_or("no sevens")
        })
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    let state = "flux_state{capacitor=shop}";
    let took = "flux_update_duration_seconds{capacitor=shop}";
    let received = "flux_changes_received_total{capacitor=shop,layer=channel}";
    let updates = |labels: &str| format!("flux_updates_total{{capacitor=shop,{labels}}}");
    let applied = updates("outcome=applied,stage=none");
    let up = "flux_layer_up{capacitor=shop,layer=channel}";
    let started = [
        (state, 1.0),
        (took, 1.0),
        (received, 1.0),
        (&*applied, 1.0),
        (up, 1.0),
    ];
    assert_eq!(without_times(recorder.take()), expected(started));
    // The state is set where it changes.
    for (document, number, labels) in [
        ("n: 2", None, "outcome=applied,stage=none"),
        ("n: x", Some(2.0), "outcome=refused,stage=transform"),
        ("n: 100", None, "outcome=refused,stage=validation"),
        ("n: 7", None, "outcome=refused,stage=apply"),
        ("n: 3", Some(1.0), "outcome=applied,stage=none"),
    ] {
        write(&sender, document).await;
        settle().await;
        let updates = updates(labels);
        let mut told = expected([(took, 1.0), (received, 1.0), (&updates, 1.0)]);
        told.extend(number.map(|number| (state.to_owned(), number)));
        assert_eq!(without_times(recorder.take()), told, "{document}");
    }
    write(&sender, "n: 3 # again").await;
    settle().await;
    let nothing_applied = expected([(took, 1.0), (received, 1.0)]);
    assert_eq!(without_times(recorder.take()), nothing_applied);
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn every_metric_has_its_kind() {
    let recorder = Recorder::install();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .on_apply(|_, _| async { Err::<(), _>("never") })
        .retry(
            flux::pipeline::Retry::attempts(2)
                .base(Duration::ZERO)
                .max(Duration::ZERO),
        )
        .circuit_breaker(
            flux::pipeline::CircuitBreaker::failures(1).recovery(Duration::from_secs(1)),
        )
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.expect_err("refused");
    let all = recorded(&recorder.snapshotter);
    let kinds: BTreeMap<&str, MetricKind> = (all.iter())
        .map(|(name, (kind, _))| (name.split('{').next().unwrap(), *kind))
        .collect();
    let documented = [
        ("flux_state", MetricKind::Gauge),
        ("flux_updates_total", MetricKind::Counter),
        ("flux_update_duration_seconds", MetricKind::Histogram),
        ("flux_changes_received_total", MetricKind::Counter),
        ("flux_layer_changed_timestamp_seconds", MetricKind::Gauge),
        ("flux_layer_proven_timestamp_seconds", MetricKind::Gauge),
        ("flux_layer_up", MetricKind::Gauge),
        ("flux_retries_total", MetricKind::Counter),
        ("flux_breaker_state", MetricKind::Gauge),
    ];
    assert_eq!(kinds, documented.into());
    assert!(
        all.keys().all(|name| name.contains("capacitor=App")),
        "{all:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_state_is_empty_after_a_bad_start_and_loading_before_it() {
    let recorder = Recorder::install();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    let starting = tokio::spawn({
        let capacitor = capacitor.clone();
        async move { capacitor.start().await }
    });
    settle().await;
    let state = || recorded(&recorder.snapshotter)["flux_state{capacitor=App}"].1;
    assert_eq!(state(), 0.0);
    write(&sender, "n: 100").await;
    starting.await.unwrap().expect_err("100 breaks the rule");
    assert_eq!(state(), 3.0);
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn retries_and_breaker_states_are_counted() {
    let recorder = Recorder::install();
    let calls = crate::kit::Count::default();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .on_apply(move |_, _| {
            let fails = (1..=4).contains(&calls.add());
            async move { if fails { Err("not now") } else { Ok(()) } }
        })
        .retry(
            flux::pipeline::Retry::attempts(2)
                .base(Duration::ZERO)
                .max(Duration::ZERO),
        )
        .circuit_breaker(
            flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_secs(5)),
        )
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    recorder.take();
    say(&sender, 2).await;
    settle().await;
    let all = recorder.take();
    assert_eq!(all["flux_retries_total{capacitor=App}"], 1.0);
    pass(1.5).await;
    let breaker = "flux_breaker_state{capacitor=App}";
    assert_eq!(recorder.take()[breaker], 1.0, "open");
    pass(60.0).await;
    let all = recorded(&recorder.snapshotter);
    assert_eq!(all[breaker].1, 0.0, "closed by the probe at last");
    assert_eq!(capacitor.get().n, 2);
}

#[tokio::test(start_paused = true)]
async fn each_layer_has_counts_and_times_of_its_own_and_equal_content_does_not_count() {
    let recorder = Recorder::install();
    let mut times = BTreeMap::new();
    let (other, channel) = Channel::buffered("other", 4);
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .source(flux::Source::watcher(channel).format(flux::Format::Yaml))
        .build()
        .unwrap();
    say(&sender, 1).await;
    write(&other, "text: a").await;
    capacitor.start().await.unwrap();
    times.extend(recorder.take());
    let at = |layer: &str| {
        format!("flux_layer_changed_timestamp_seconds{{capacitor=App,layer={layer}}}")
    };
    for document in ["text: b", "text: b", "text: c"] {
        write(&other, document).await;
        settle().await;
    }
    let all = recorder.take();
    times.extend(all.clone());
    let received = |layer: &str| {
        all.get(&format!(
            "flux_changes_received_total{{capacitor=App,layer={layer}}}"
        ))
    };
    assert_eq!((received("channel"), received("other")), (None, Some(&2.0)));
    let seconds = |status: &flux::Status, i: usize| {
        let since = status.layers[i].changed.unwrap();
        let since = since.duration_since(std::time::UNIX_EPOCH).unwrap();
        since.as_secs_f64()
    };
    let status = capacitor.status();
    for (i, layer) in ["channel", "other"].into_iter().enumerate() {
        assert!(
            (times[&at(layer)] - seconds(&status, i)).abs() < 1.0,
            "{layer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_duration_is_from_taking_up_to_the_outcome_with_the_pipeline() {
    let recorder = Recorder::install();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .on_apply(|_, next: Arc<Snapshot<App>>| async move {
            pass(f64::from(next.n)).await;
            Ok::<_, BoxError>(())
        })
        .build()
        .unwrap();
    say(&sender, 5).await;
    capacitor.start().await.unwrap();
    let each = recorder.snapshotter.snapshot().into_vec().into_iter();
    let took = each.filter_map(|(key, _, _, value)| match value {
        DebugValue::Histogram(values) if key.key().name() == "flux_update_duration_seconds" => {
            Some(values.into_iter().map(|value| value.into_inner()).collect())
        }
        _ => None,
    });
    let took: Vec<Vec<f64>> = took.collect();
    assert!((took[0][0] - 5.0).abs() < 0.1, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_up_while_its_source_is_watched_and_the_time_of_its_last_proof_is_kept() {
    let recorder = Recorder::install();
    let script = flux::testing::Script::new("store").value("n: 1");
    let store = script.handle();
    let source = flux::Source::watcher(script).format(flux::Format::Yaml);
    let capacitor = flux::Capacitor::<App>::builder()
        .source(source)
        .build()
        .unwrap();
    // What was set since the last look.
    let look = || {
        let all = recorded(&recorder.snapshotter);
        let read = |name: &str| all[&format!("{name}{{capacitor=App,layer=store}}")].1;
        let proven = read("flux_layer_proven_timestamp_seconds");
        (read("flux_layer_up"), proven)
    };
    capacitor.start().await.unwrap();
    let (up, first) = look();
    assert_eq!(up, 1.0);
    store.failing(flux::source::SourceError::transient("cut"));
    settle().await;
    assert_eq!(look().0, 0.0);
    pass(100.0).await;
    store.live();
    settle().await;
    let (up, second) = look();
    assert_eq!(up, 1.0);
    assert!(second - first >= 99.0, "{first} {second}");
    capacitor.stop().await;
}
