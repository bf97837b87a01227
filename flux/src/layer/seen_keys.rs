//! Which kinds of keys a decode has seen that ask for a closer look at the document: those that no field has, and those of earlier
//! versions of the program.

use super::UNKNOWN;
use std::cell::Cell;

/// What was seen on this thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SeenKeys {
    /// A key that no field has.
    pub(crate) unknown: bool,
    /// A name of an earlier version, or a field that is deprecated.
    pub(crate) outdated: bool,
}

impl SeenKeys {
    pub(crate) fn any(self) -> bool {
        self.unknown || self.outdated
    }
}

thread_local! {
    static SEEN: Cell<SeenKeys> = const { Cell::new(SeenKeys { unknown: false, outdated: false }) };
}

/// Begins anew and answers what was seen on this thread since the last call.
pub(crate) fn take_seen_keys() -> SeenKeys {
    SEEN.take()
}

#[cold]
#[inline(never)]
pub(crate) fn saw_unknown() {
    let unknown = true;
    SEEN.set(SeenKeys {
        unknown,
        ..SEEN.get()
    });
}

/// A key is of an earlier version of the program, or its field is deprecated.
#[cold]
#[inline(never)]
pub fn saw_outdated() {
    let outdated = true;
    SEEN.set(SeenKeys {
        outdated,
        ..SEEN.get()
    });
}

/// Is added to the index of a field in the table of keys where the name is one of an earlier version.
pub const OLD: usize = 1 << (usize::BITS - 1);

/// The index of the field, where the name that led to it is one of an earlier version, or not.
#[inline]
pub fn current(found: usize) -> usize {
    if found < OLD || found == UNKNOWN {
        return found;
    }
    saw_outdated();
    found - OLD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_an_earlier_name_is_noted_and_led_back_to_its_field() {
        take_seen_keys();
        assert_eq!((current(3), current(UNKNOWN)), (3, UNKNOWN));
        assert!(!take_seen_keys().any());
        assert_eq!(current(OLD + 3), 3);
        saw_unknown();
        let (unknown, outdated) = (true, true);
        assert_eq!(take_seen_keys(), SeenKeys { unknown, outdated });
        assert!(!take_seen_keys().any());
    }
}
