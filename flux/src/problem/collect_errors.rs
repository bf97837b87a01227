//! Tolerant mode: while it is on, a leaf that cannot be decoded records its problem and the decoder goes on, so that one pass
//! finds every problem of a document. It is on only in the slow pass that follows a failed decode.

use crate::problem::{Problem, Seg, What};
use std::cell::RefCell;

#[derive(Default)]
struct Sink {
    path: Vec<Seg>,
    /// Where the innermost failure was, for an error that travels outwards through several levels.
    deepest: Option<Vec<Seg>>,
    problems: Vec<Problem>,
}

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
}

/// Takes the sink away again, also when the decoder panics.
struct Scope;

impl Drop for Scope {
    fn drop(&mut self) {
        SINK.with(|sink| sink.borrow_mut().take());
    }
}

/// Runs `decode` in tolerant mode; answers with its result and the problems that it recorded.
pub(crate) fn tolerant<T>(decode: impl FnOnce() -> T) -> (T, Vec<Problem>) {
    SINK.with(|sink| *sink.borrow_mut() = Some(Sink::default()));
    let scope = Scope;
    let result = decode();
    let problems = SINK.with(|sink| sink.borrow_mut().take().map(|s| s.problems));
    drop(scope);
    (result, problems.unwrap_or_default())
}

/// Records `what` where the decoder stands and answers true, or answers false outside tolerant mode.
#[cold]
#[inline(never)]
pub(crate) fn caught(what: impl FnOnce() -> What) -> bool {
    SINK.with(|sink| match &mut *sink.borrow_mut() {
        None => false,
        Some(sink) => {
            let path = sink.deepest.take().unwrap_or_else(|| sink.path.clone());
            sink.problems.push(Problem { path, what: what() });
            true
        }
    })
}

/// The tree decoder steps into a value.
pub(crate) fn enter(seg: Seg) {
    SINK.with(|sink| {
        if let Some(sink) = &mut *sink.borrow_mut() {
            sink.path.push(seg);
        }
    });
}

/// The tree decoder leaves a value.
pub(crate) fn leave(failed: bool) {
    SINK.with(|sink| {
        if let Some(sink) = &mut *sink.borrow_mut() {
            if failed && sink.deepest.is_none() {
                sink.deepest = Some(sink.path.clone());
            }
            sink.path.pop();
        }
    });
}
