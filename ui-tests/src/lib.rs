//! Compile-time tests of the derive: see `tests/ui.rs`.
