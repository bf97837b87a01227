//! Events, as `tracing` events that carry the original system's signal names.

use crate::{Report, State};
use std::time::Duration;

pub(crate) fn started(name: &str, debounce: Duration) {
    tracing::info!(name: "flux.capacitor.started", target: "flux", capacitor = name, debounce = ?debounce, "flux.capacitor.started");
}

pub(crate) fn stopped(name: &str, state: State) {
    tracing::info!(name: "flux.capacitor.stopped", target: "flux", capacitor = name, %state, "flux.capacitor.stopped");
}

pub(crate) fn state_changed(name: &str, old_state: State, new_state: State) {
    tracing::info!(name: "flux.capacitor.state.changed", target: "flux", capacitor = name, %old_state, %new_state, "flux.capacitor.state.changed");
}

pub(crate) fn change_received(name: &str, layer: &str) {
    tracing::debug!(name: "flux.capacitor.change.received", target: "flux", capacitor = name, layer, "flux.capacitor.change.received");
}

pub(crate) fn apply_succeeded(name: &str, generation: u64, update: u64) {
    tracing::info!(name: "flux.capacitor.apply.succeeded", target: "flux", capacitor = name, generation, update, "flux.capacitor.apply.succeeded");
}

/// One update goes through the pipeline again.
pub(crate) fn retried() {}

/// A circuit breaker changed its state.
pub(crate) fn breaker(old_state: &'static str, new_state: &'static str) {
    tracing::info!(name: "flux.breaker.changed", target: "flux", old_state, new_state, "flux.breaker.changed");
}

/// The span of one update; `update` is its correlation id.
pub(crate) fn update_span(name: &str, update: u64) -> tracing::Span {
    tracing::info_span!(target: "flux", "flux.update", capacitor = name, update)
}

pub(crate) fn warned(name: &str, warning: &Report) {
    tracing::warn!(name: "flux.capacitor.warning", target: "flux", capacitor = name, warning = %warning, "flux.capacitor.warning");
}

/// Where an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A document could not be decoded, or was absent.
    Transform,
    /// Values are missing or break a rule.
    Validation,
    /// The pipeline said no.
    Apply,
}

pub(crate) fn refused(name: &str, stage: Refused, error: &Report, update: u64) {
    match stage {
        Refused::Transform => {
            tracing::warn!(name: "flux.capacitor.transform.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.transform.failed");
        }
        Refused::Validation => {
            tracing::warn!(name: "flux.capacitor.validation.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.validation.failed");
        }
        Refused::Apply => {
            tracing::warn!(name: "flux.capacitor.apply.failed", target: "flux", capacitor = name, update, error = %error, "flux.capacitor.apply.failed");
        }
    }
}
