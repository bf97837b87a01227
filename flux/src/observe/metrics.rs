//! Which metrics are counted, through the `metrics` facade, where its feature is on. The names are documented in
//! [`crate::observe`].

#[cfg(feature = "metrics")]
mod on {
    use crate::State;
    use std::time::{Duration, SystemTime};

    pub(crate) fn state(capacitor: &str, state: State) {
        let number = match state {
            State::Loading => 0.0,
            State::Healthy => 1.0,
            State::Degraded => 2.0,
            State::Empty => 3.0,
        };
        metrics::gauge!("flux_state", "capacitor" => capacitor.to_owned()).set(number);
    }

    pub(crate) fn updated(capacitor: &str, outcome: &'static str, stage: &'static str) {
        let capacitor = capacitor.to_owned();
        metrics::counter!("flux_updates_total", "capacitor" => capacitor, "outcome" => outcome, "stage" => stage)
            .increment(1);
    }

    pub(crate) fn took(capacitor: &str, time: impl FnOnce() -> Duration) {
        metrics::histogram!("flux_update_duration_seconds", "capacitor" => capacitor.to_owned())
            .record(time().as_secs_f64());
    }

    pub(crate) fn received(capacitor: &str, layer: &str) {
        let (capacitor, layer) = (capacitor.to_owned(), layer.to_owned());
        metrics::counter!("flux_changes_received_total", "capacitor" => capacitor, "layer" => layer)
            .increment(1);
    }

    pub(crate) fn layer_changed(capacitor: &str, layer: &str, at: SystemTime) {
        let (capacitor, layer) = (capacitor.to_owned(), layer.to_owned());
        metrics::gauge!("flux_layer_changed_timestamp_seconds", "capacitor" => capacitor, "layer" => layer)
            .set(crate::time::unix(at));
    }

    pub(crate) fn layer_up(capacitor: &str, layer: &str, up: bool) {
        let (capacitor, layer) = (capacitor.to_owned(), layer.to_owned());
        metrics::gauge!("flux_layer_up", "capacitor" => capacitor, "layer" => layer)
            .set(f64::from(u8::from(up)));
    }

    pub(crate) fn layer_proven(capacitor: &str, layer: &str, at: SystemTime) {
        let (capacitor, layer) = (capacitor.to_owned(), layer.to_owned());
        metrics::gauge!("flux_layer_proven_timestamp_seconds", "capacitor" => capacitor, "layer" => layer)
            .set(crate::time::unix(at));
    }

    pub(crate) fn retried(capacitor: &str) {
        metrics::counter!("flux_retries_total", "capacitor" => capacitor.to_owned()).increment(1);
    }

    pub(crate) fn breaker(capacitor: &str, state: &'static str) {
        let number = match state {
            "closed" => 0.0,
            "open" => 1.0,
            _ => 2.0,
        };
        metrics::gauge!("flux_breaker_state", "capacitor" => capacitor.to_owned()).set(number);
    }
}

#[cfg(not(feature = "metrics"))]
mod off {
    use crate::State;
    use std::time::{Duration, SystemTime};

    pub(crate) fn state(_: &str, _: State) {}
    pub(crate) fn updated(_: &str, _: &'static str, _: &'static str) {}
    pub(crate) fn took(_: &str, _: impl FnOnce() -> Duration) {}
    pub(crate) fn received(_: &str, _: &str) {}
    pub(crate) fn layer_changed(_: &str, _: &str, _: SystemTime) {}
    pub(crate) fn layer_up(_: &str, _: &str, _: bool) {}
    #[cfg(feature = "pipeline")]
    pub(crate) fn retried(_: &str) {}
    pub(crate) fn breaker(_: &str, _: &'static str) {}
}

#[cfg(not(feature = "metrics"))]
pub(crate) use off::*;
#[cfg(feature = "metrics")]
pub(crate) use on::*;
