//! How text in a tree is read, beyond what the tree itself contains: set around a decode, on its thread.

use std::cell::Cell;

thread_local! {
    /// In YAML a plain scalar is also a legal string.
    static PLAIN_SCALARS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `decode` with numbers and bools accepted as strings.
pub(crate) fn with_plain_scalars<T>(on: bool, decode: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            PLAIN_SCALARS.set(false);
        }
    }
    let _reset = Reset;
    PLAIN_SCALARS.set(on);
    decode()
}

/// What a list or a map is written as in a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedForm {
    List,
    Map,
}

thread_local! {
    /// The form that the last text was read for.
    static ASKED: Cell<Option<AskedForm>> = const { Cell::new(None) };
    /// A map in the place of a list contains its items by their numbers.
    static BY_NUMBER: Cell<bool> = const { Cell::new(false) };
}

/// The form that `decode` reads its one text for: a list, a map, or neither.
pub(crate) fn asked_form(decode: impl FnOnce()) -> Option<AskedForm> {
    ASKED.set(None);
    decode();
    ASKED.take()
}

/// Runs `decode` with lists of sections accepted as maps of their items by number.
pub(crate) fn items_by_number<T>(decode: impl FnOnce() -> T) -> T {
    struct ByNumberEnd;
    impl Drop for ByNumberEnd {
        fn drop(&mut self) {
            BY_NUMBER.set(false);
        }
    }
    let _end = ByNumberEnd;
    BY_NUMBER.set(true);
    decode()
}

/// Whether numbers and bools are accepted as strings.
pub(super) fn plain_scalars() -> bool {
    PLAIN_SCALARS.get()
}

/// A text is read as a list or a map.
pub(super) fn asked_for(form: AskedForm) {
    ASKED.set(Some(form));
}

/// Whether a list of sections may be a map of its items by number.
pub(super) fn by_number() -> bool {
    BY_NUMBER.get()
}
