//! Whether a call comes from inside the pipeline of a capacitor, so that code of the program is not made to wait for itself.

use std::cell::RefCell;

thread_local! {
    /// The capacitors whose pipelines this thread is polling, the innermost last.
    static POLLED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Leaves the pipeline, also when the program's code panics.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = POLLED.try_with(|polled| polled.borrow_mut().pop());
    }
}

/// Runs code of the program inside the pipeline of the capacitor with this number.
pub(super) fn inside<T>(capacitor: usize, run: impl FnOnce() -> T) -> T {
    let _ = POLLED.try_with(|polled| polled.borrow_mut().push(capacitor));
    let _leave = Leave;
    run()
}

/// Whether the caller is inside the pipeline of the capacitor with this number. A task that the pipeline has spawned is not.
pub(super) fn is_inside(capacitor: usize) -> bool {
    let inside = POLLED.try_with(|polled| polled.borrow().contains(&capacitor));
    inside.unwrap_or_default()
}

#[cfg(all(test, feature = "derive", feature = "json"))]
mod called;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_capacitors_that_are_polled_are_inside() {
        assert!(!is_inside(1));
        inside(1, || {
            inside(2, || assert!(is_inside(1) && is_inside(2)));
            assert!(is_inside(1) && !is_inside(2));
        });
        let panicked = std::panic::catch_unwind(|| inside(1, || panic!("in a callback")));
        assert!(panicked.is_err() && !is_inside(1));
    }
}
