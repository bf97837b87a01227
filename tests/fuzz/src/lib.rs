//! What the fuzz targets have in common: a config with fields of every kind, and what plain serde makes of the same document.

pub mod cost;
pub mod everything;
pub mod plain;

use flux::{Capacitor, Source};
use std::{cell::LazyCell, future::Future};

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: LazyCell<tokio::runtime::Runtime> = LazyCell::new(|| {
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
        });
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A capacitor in manual mode over these layers, not started yet.
pub fn by_hand(layers: impl IntoIterator<Item = Source>) -> Capacitor<everything::Everything> {
    let builder = Capacitor::builder().manual().history(4);
    let builder = layers
        .into_iter()
        .fold(builder, |builder, layer| builder.source(layer));
    builder.build().unwrap()
}

/// Everything that is told of a capacitor, as it is told: for looking for what must not be told.
pub fn told(capacitor: &Capacitor<everything::Everything>) -> String {
    let status = capacitor.status();
    let report = status.error.as_ref().map(ToString::to_string);
    format!("{}\n{status:?}\n{capacitor:?}", report.unwrap_or_default())
}

/// Whether a text could only stand in a report because it was taken from a document: reports have words and numbers of their own.
pub fn is_peculiar(text: &str) -> bool {
    text.chars().count() >= 8
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().any(|c| c.is_alphabetic())
}
