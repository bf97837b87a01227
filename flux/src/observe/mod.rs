//! What operators see in the log: the `tracing` events with their names, levels and fields, and the metrics.
//!
//! Every event has the target `flux`, the field `capacitor`, and its own name as message. Those of one update are in the span
//! `flux.update`, whose field `update` is the correlation id that [`Request::correlation_id`](crate::pipeline::Request::correlation_id)
//! gives to stages.
//!
//! | event | level | fields |
//! |---|---|---|
//! | `flux.capacitor.started` | info | `debounce` |
//! | `flux.capacitor.stopped` | info | `state` |
//! | `flux.capacitor.state.changed` | info | `old_state`, `new_state` |
//! | `flux.capacitor.change.received` | debug | `layer` |
//! | `flux.capacitor.transform.failed` | warn | `update`, `error`: a document that cannot be decoded, or is absent |
//! | `flux.capacitor.validation.failed` | warn | `update`, `error`: values that are missing or break a rule |
//! | `flux.capacitor.apply.failed` | warn | `update`, `error`: the pipeline, a party, a group or a pin refused |
//! | `flux.capacitor.apply.succeeded` | info | `update`, `generation` |
//! | `flux.capacitor.waits.for_restart` | warn | `update`, `changed`: new values of these paths wait for a restart of the program; once, until they wait no more |
//! | `flux.capacitor.warning` | warn | `warning`: keys that no field has; an edit that a variable or an argument hides; a last known good configuration that cannot be kept or read |
//! | `flux.trial.began` | info | `generation`, `changed`: readers see a configuration that is on trial; the death of the process is held against it |
//! | `flux.trial.passed` | info | `generation`: it is the last known good one now |
//! | `flux.trial.died` | warn | `changed`, `deaths`: the process before died while these paths were on trial; they are tried again |
//! | `flux.trial.quarantined` | error | `changed`, `deaths`: it died too often; the last known good configuration serves in their place |
//! | `flux.disk.recovered` | info | `file`: the last known good configuration or the record of trials is on disk again; a warning had the reason why it was not |
//! | `flux.trial.lifted` | warn | content is not in quarantine any more, and tried again |
//! | `flux.update.slow` | warn | `update`, `lasts`: an update has been with a callback, a party, a tower layer or its group for 30 s, then for a minute, two, ... |
//! | `flux.capacitor.reloaded` | info | `generation`: every source was read again, because the program or a signal asked for it |
//! | `flux.capacitor.reload.failed` | warn | `error`: not every source could be read again, or what they hold is refused |
//! | `flux.capacitor.misused` | error | `call`, `error`: `stop` awaited inside the own pipeline |
//! | `flux.source.stale` | warn | `layer`, `lasts`, `error`: a source was lost, and its changes may be missed; at once, then after a minute, two more, four, ... (an hour at most), while it lasts |
//! | `flux.source.refused` | error | `layer`, `lasts`, `kind`, `error`: a source refuses access (`permission`) or cannot work as declared (`configuration`); at once, then like `flux.source.stale` |
//! | `flux.source.waiting` | warn | `layer`, `lasts`: nothing was received of a source yet; after 10 s, then 20 more, 40, ... |
//! | `flux.source.recovered` | info | `layer`, `lasted`: a source that one of these was about is watched again |
//! | `flux.source.closed` | warn | `layer`: a source ended for good, as a channel does whose sender is dropped; its last value stays |
//! | `flux.breaker.changed` | info | `old_state`, `new_state` |
//! | `flux.update.retried` | debug | `update`, `attempt`, `pause`, `error`: the retry around the pipeline tries again |
//! | `flux.update.fallback` | debug | `update`, `error`: the fallback is asked |
//! | `flux.stage.passed_over` | warn | `update`, `error`: an enriching stage failed |
//! | `flux.hook.panicked` | error | `hook`, `error`: code of the program that cannot refuse an update any more, such as a party's `commit` |
//!
//! With the feature `metrics`, through the [`metrics`](https://docs.rs/metrics) facade, each with the label `capacitor`:
//!
//! | metric | kind | is |
//! |---|---|---|
//! | `flux_state` | gauge | 0 loading, 1 healthy, 2 degraded, 3 empty |
//! | `flux_updates_total` | counter | updates, by `outcome` (`applied`, `refused`) and `stage` (`transform`, `validation`, `apply`; `none` where applied) |
//! | `flux_update_duration_seconds` | histogram | from taking up to the outcome, the pipeline included |
//! | `flux_changes_received_total` | counter | changes seen by a `layer`'s watcher |
//! | `flux_layer_changed_timestamp_seconds` | gauge | when a `layer`'s content last changed, in seconds since 1970; its age is now minus this |
//! | `flux_layer_up` | gauge | 1 while a `layer`'s source is watched (health live), else 0 |
//! | `flux_layer_proven_timestamp_seconds` | gauge | when a `layer` was last known to be current, in seconds since 1970; the seconds since then are now minus this |
//! | `flux_retries_total` | counter | tries again by the retry around the pipeline |
//! | `flux_breaker_state` | gauge | 0 closed, 1 open, 2 half-open |

pub(crate) mod metrics;

use crate::{
    Report, State,
    engine::{Aftermath, listed},
    report::outgoing::SafeText,
    source::ErrorKind,
};
use std::time::{Duration, SystemTime};

pub(crate) fn started(name: &str, debounce: Duration) {
    metrics::state(name, State::Loading);
    tracing::info!(name: "flux.capacitor.started", target: "flux", capacitor = name, debounce = ?debounce, "flux.capacitor.started");
}

pub(crate) fn stopped(name: &str, state: State) {
    tracing::info!(name: "flux.capacitor.stopped", target: "flux", capacitor = name, %state, "flux.capacitor.stopped");
}

pub(crate) fn state_changed(name: &str, old_state: State, new_state: State) {
    metrics::state(name, new_state);
    tracing::info!(name: "flux.capacitor.state.changed", target: "flux", capacitor = name, %old_state, %new_state, "flux.capacitor.state.changed");
}

pub(crate) fn change_received(name: &str, layer: &str, at: SystemTime) {
    metrics::received(name, layer);
    metrics::layer_changed(name, layer, at);
    tracing::debug!(name: "flux.capacitor.change.received", target: "flux", capacitor = name, layer, "flux.capacitor.change.received");
}

pub(crate) fn apply_succeeded(name: &str, generation: u64, update: u64) {
    metrics::updated(name, "applied", "none");
    tracing::info!(name: "flux.capacitor.apply.succeeded", target: "flux", capacitor = name, generation, update, "flux.capacitor.apply.succeeded");
}

/// One update goes through the pipeline again.
#[cfg(feature = "pipeline")]
pub(crate) fn retried(
    name: &str,
    update: u64,
    attempt: u32,
    pause: Duration,
    error: &dyn Fn() -> SafeText,
) {
    metrics::retried(name);
    tracing::debug!(name: "flux.update.retried", target: "flux", capacitor = name, update, attempt, ?pause, error = %error(), "flux.update.retried");
}

/// What is inside a fallback failed.
pub(crate) fn falling_back(name: &str, update: u64, error: &dyn Fn() -> SafeText) {
    tracing::debug!(name: "flux.update.fallback", target: "flux", capacitor = name, update, error = %error(), "flux.update.fallback");
}

/// An enriching stage failed, and the update goes on without it.
pub(crate) fn passed_over(name: &str, update: u64, error: &dyn Fn() -> SafeText) {
    tracing::warn!(name: "flux.stage.passed_over", target: "flux", capacitor = name, update, error = %error(), "flux.stage.passed_over");
}

/// Code of the program panicked where it cannot refuse an update.
pub(crate) fn panicked(name: &str, hook: &str, error: &SafeText) {
    tracing::error!(name: "flux.hook.panicked", target: "flux", capacitor = name, hook, %error, "flux.hook.panicked");
}

/// Every source was read again, or could not be.
pub(crate) fn reloaded(name: &str, outcome: &Result<u64, SafeText>) {
    match outcome {
        Ok(generation) => {
            tracing::info!(name: "flux.capacitor.reloaded", target: "flux", capacitor = name, generation, "flux.capacitor.reloaded");
        }
        Err(error) => {
            tracing::warn!(name: "flux.capacitor.reload.failed", target: "flux", capacitor = name, %error, "flux.capacitor.reload.failed");
        }
    }
}

/// A source was lost, or still is.
pub(crate) fn source_stale(name: &str, layer: &str, lasts: Duration, error: &SafeText) {
    tracing::warn!(name: "flux.source.stale", target: "flux", capacitor = name, layer, ?lasts, %error, "flux.source.stale");
}

/// A source refuses access, or cannot work as declared.
pub(crate) fn source_refused(
    name: &str,
    layer: &str,
    lasts: Duration,
    kind: ErrorKind,
    error: &SafeText,
) {
    tracing::error!(name: "flux.source.refused", target: "flux", capacitor = name, layer, ?lasts, %kind, %error, "flux.source.refused");
}

/// Nothing was received of a source yet.
pub(crate) fn source_waiting(name: &str, layer: &str, lasts: Duration) {
    tracing::warn!(name: "flux.source.waiting", target: "flux", capacitor = name, layer, ?lasts, "flux.source.waiting");
}

/// A source is watched again.
pub(crate) fn source_recovered(name: &str, layer: &str, lasted: Duration) {
    tracing::info!(name: "flux.source.recovered", target: "flux", capacitor = name, layer, ?lasted, "flux.source.recovered");
}

/// A source ended for good.
pub(crate) fn source_closed(name: &str, layer: &str) {
    tracing::warn!(name: "flux.source.closed", target: "flux", capacitor = name, layer, "flux.source.closed");
}

/// A circuit breaker changed its state.
pub(crate) fn breaker(name: &str, old_state: &'static str, new_state: &'static str) {
    metrics::breaker(name, new_state);
    tracing::info!(name: "flux.breaker.changed", target: "flux", capacitor = name, old_state, new_state, "flux.breaker.changed");
}

/// The span of one update; `update` is its correlation id.
pub(crate) fn update_span(name: &str, update: u64) -> tracing::Span {
    tracing::info_span!(target: "flux", "flux.update", capacitor = name, update)
}

pub(crate) fn warning(name: &str, warning: &SafeText) {
    tracing::warn!(name: "flux.capacitor.warning", target: "flux", capacitor = name, %warning, "flux.capacitor.warning");
}

pub(crate) fn warned(name: &str, warning: &Report) {
    tracing::warn!(name: "flux.capacitor.warning", target: "flux", capacitor = name, warning = %warning, "flux.capacitor.warning");
}

/// New values wait for a restart of the program.
pub(crate) fn waits_for_restart(name: &str, changed: &str, update: u64) {
    tracing::warn!(name: "flux.capacitor.waits.for_restart", target: "flux", capacitor = name, update, changed, "flux.capacitor.waits.for_restart");
}

/// A document could not be decoded, or was absent.
pub(crate) fn transform_failed(name: &str, error: &Report, update: u64) {
    metrics::updated(name, "refused", "transform");
    tracing::warn!(name: "flux.capacitor.transform.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.transform.failed");
}

/// Values are missing or break a rule.
pub(crate) fn validation_failed(name: &str, error: &Report, update: u64) {
    metrics::updated(name, "refused", "validation");
    tracing::warn!(name: "flux.capacitor.validation.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.validation.failed");
}

/// The pipeline, a party, a group or a pin refused.
pub(crate) fn apply_failed(name: &str, error: &Report, update: u64) {
    metrics::updated(name, "refused", "apply");
    tracing::warn!(name: "flux.capacitor.apply.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.apply.failed");
}

/// Readers see a configuration that is on trial.
pub(crate) fn on_trial(name: &str, generation: u64, changed: &str) {
    tracing::info!(name: "flux.trial.began", target: "flux", capacitor = name, generation, changed, "flux.trial.began");
}

/// The configuration on trial is trusted.
pub(crate) fn trial_passed(name: &str, generation: u64) {
    tracing::info!(name: "flux.trial.passed", target: "flux", capacitor = name, generation, "flux.trial.passed");
}

/// The process before died while a configuration was on trial.
pub(crate) fn process_died(name: &str, found: &Aftermath) {
    match found {
        Aftermath::Died(trial) => {
            let (changed, deaths) = (listed(&trial.changed), trial.deaths);
            tracing::warn!(name: "flux.trial.died", target: "flux", capacitor = name, changed, deaths, "flux.trial.died");
        }
        Aftermath::Quarantined(trial) => {
            let (changed, deaths) = (listed(&trial.changed), trial.deaths);
            tracing::error!(name: "flux.trial.quarantined", target: "flux", capacitor = name, changed, deaths, "flux.trial.quarantined");
        }
    }
}

/// Content is not in quarantine any more.
pub(crate) fn lifted(name: &str) {
    tracing::warn!(name: "flux.trial.lifted", target: "flux", capacitor = name, "flux.trial.lifted");
}

/// A file that could not be written is on disk again.
#[cfg(feature = "json")]
pub(crate) fn disk_recovered(name: &str, file: &str) {
    tracing::info!(name: "flux.disk.recovered", target: "flux", capacitor = name, file, "flux.disk.recovered");
}

/// An update has been with the program's own code, or its group, for long.
pub(crate) fn slow(name: &str, update: u64, lasts: Duration) {
    tracing::warn!(name: "flux.update.slow", target: "flux", capacitor = name, update, ?lasts, "flux.update.slow");
}

/// A call cannot do what it is for where it was called from.
pub(crate) fn misused(name: &str, call: &str, error: &SafeText) {
    tracing::error!(name: "flux.capacitor.misused", target: "flux", capacitor = name, call, %error, "flux.capacitor.misused");
}
