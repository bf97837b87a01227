//! Catches panics of the program's own code, and what their message is.

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs code of the program. The error is the message of its panic.
#[inline]
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(&*payload).to_owned())
}

#[cold]
fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// What an error of the program prints; its `Display` may panic.
pub(crate) fn printed(error: &dyn Display) -> String {
    caught(|| error.to_string()).unwrap_or_else(|panic| {
        format!("an error that cannot be printed, because its `Display` panicked: {panic}")
    })
}
