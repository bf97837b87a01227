//! Collects the errors of a decode that goes on after a leaf which cannot be read, so that one pass finds every problem of a
//! document; how many are kept. It is on only in the slow pass that follows a failed decode.

use crate::problem::{Flaw, MOST_PATH_BYTES, Seg, What, path_bytes};
use std::cell::RefCell;

/// More problems than this are counted, not kept.
pub(crate) const MOST: usize = 100;

/// One step into a document, beside the step of the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeStep {
    /// The number of the node that the step leads to; 0 where the decoder has no nodes.
    pub(crate) node: usize,
    /// Its place in the list or map that contains it.
    pub(crate) index: usize,
    /// The items of that list have types of their own, so that none may be left out.
    pub(crate) fixed: bool,
    /// The target takes that list or map for one of any such items or entries: it is neither a struct nor a variant.
    pub(crate) alike: bool,
}

/// A problem, and the way to it.
#[derive(Debug)]
pub(crate) struct Caught {
    pub(crate) problem: Flaw,
    /// Empty where the decoder has no nodes.
    pub(crate) steps: Vec<NodeStep>,
    /// How many of the steps lead to the leaf whose decoding failed.
    pub(crate) leaf: usize,
}

/// Every problem of a pass.
#[derive(Debug, Default)]
pub(crate) struct AllCaught {
    pub(crate) caught: Vec<Caught>,
    /// How many more there are.
    pub(crate) more: usize,
}

#[derive(Default)]
struct ProblemSink {
    path: Vec<Seg>,
    steps: Vec<NodeStep>,
    /// Where the innermost failure was, for an error that travels outwards through several levels.
    deepest: Option<(Vec<Seg>, Vec<NodeStep>)>,
    all: AllCaught,
    /// How many bytes of keys the paths of those have.
    copied: usize,
}

impl ProblemSink {
    /// Whether the next problem is counted only.
    fn is_full(&self) -> bool {
        self.all.caught.len() >= MOST || self.copied >= MOST_PATH_BYTES
    }
}

thread_local! {
    static SINK: RefCell<Option<ProblemSink>> = const { RefCell::new(None) };
}

/// Takes the sink away again, also when the decoder panics.
struct SinkScope;

impl Drop for SinkScope {
    fn drop(&mut self) {
        SINK.with(|sink| sink.borrow_mut().take());
    }
}

/// Runs `decode` with collection on; answers with its result and the problems that it recorded.
pub(crate) fn collect_errors<T>(decode: impl FnOnce() -> T) -> (T, AllCaught) {
    SINK.with(|sink| *sink.borrow_mut() = Some(ProblemSink::default()));
    let scope = SinkScope;
    let result = decode();
    let all = SINK.with(|sink| sink.borrow_mut().take().map(|sink| sink.all));
    drop(scope);
    (result, all.unwrap_or_default())
}

/// Records `what` at the path of the decoder and returns true; returns false where errors are not collected.
#[cold]
pub(crate) fn caught(what: impl FnOnce() -> What) -> bool {
    let on = is_on();
    if on {
        record(what());
    }
    on
}

/// Not generic, so that a config type does not bring its own.
fn is_on() -> bool {
    SINK.with(|sink| sink.borrow().is_some())
}

fn record(what: What) {
    SINK.with(|sink| {
        if let Some(sink) = &mut *sink.borrow_mut() {
            let deepest = sink.deepest.take();
            if sink.is_full() {
                sink.all.more += 1;
                return;
            }
            let here = || (sink.path.clone(), sink.steps.clone());
            let (path, steps) = deepest.unwrap_or_else(here);
            sink.copied += path_bytes(&path);
            sink.all.caught.push(Caught {
                problem: Flaw { path, what },
                leaf: sink.steps.len().min(steps.len()),
                steps,
            });
        }
    });
}

/// Hands over the path at which the decoder is; none outside this mode.
pub(crate) fn at_path<T>(look: impl FnOnce(&[Seg]) -> T) -> Option<T> {
    SINK.with(|sink| sink.borrow().as_ref().map(|sink| look(&sink.path)))
}

/// Runs `decode` for a value that a decoder steps into.
pub(crate) fn within<T, E>(
    seg: Seg,
    step: NodeStep,
    decode: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    enter(seg, step);
    let result = decode();
    leave(result.is_err());
    result
}

/// A value fails that a decoder does not step into.
#[cold]
pub(crate) fn fail_at(seg: Seg, step: NodeStep) {
    enter(seg, step);
    leave(true);
}

/// A decoder steps into a value.
fn enter(seg: Seg, step: NodeStep) {
    SINK.with(|sink| {
        if let Some(sink) = &mut *sink.borrow_mut() {
            sink.path.push(seg);
            sink.steps.push(step);
        }
    });
}

/// A decoder leaves a value.
fn leave(failed: bool) {
    SINK.with(|sink| {
        if let Some(sink) = &mut *sink.borrow_mut() {
            let depth = sink.path.len();
            match &sink.deepest {
                // Who asked for the value went on without it.
                Some((path, _)) if !failed && path.len() >= depth => sink.deepest = None,
                None if failed && !sink.is_full() => {
                    sink.deepest = Some((sink.path.clone(), sink.steps.clone()));
                }
                _ => {}
            }
            sink.path.pop();
            sink.steps.pop();
        }
    });
}
