//! The message of a panic.

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// What an error of the program prints; its `Display` may panic.
pub(crate) fn printed(error: &dyn Display) -> String {
    let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
    text.unwrap_or_else(|panic| {
        format!(
            "an error that cannot be printed, because its `Display` panicked: {}",
            panic_text(&*panic)
        )
    })
}
