//! Runs the stages that only compute on a value that a test made, without a pipeline.

use super::{Request, Stage, apply::check, request::RequestOwner};
use crate::{
    Snapshot,
    engine::{AnySnapshot, Question},
    layer::Config,
    problem::{Cx, ProblemKind, What, printed},
    report::outgoing::SecretBook,
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// What the stages make of a value, checked again as in an update. They must be of the kinds that do not wait.
pub fn transformed<C: Config>(value: C, cx: &mut Cx, stages: Vec<Stage<C>>) -> Option<C> {
    let question = Question {
        previous: None,
        proposed: AnySnapshot::new(Arc::new(Snapshot::new(value, 0))),
        raw: Arc::new([]),
        back: false,
        transition: false,
        update: 0,
        secrets: SecretBook::default(),
    };
    let mut request = Request::of(question, &Arc::new(RequestOwner::new(C::NAME.into())));
    for stage in stages {
        let mut answer = stage.run(request);
        let polled = Pin::new(&mut answer).poll(&mut Context::from_waker(Waker::noop()));
        let failed = match polled {
            Poll::Ready(Ok(next)) => {
                request = next;
                continue;
            }
            Poll::Ready(Err(error)) => What::message(ProblemKind::Callback, printed(&error)),
            Poll::Pending => What::plain(
                ProblemKind::Callback,
                "a stage that should only compute waits",
            ),
        };
        cx.problem("", failed);
        return None;
    }
    if request.is_replaced()
        && let Err(invalid) = check(&request)
    {
        for problem in invalid.0 {
            cx.problem_below(problem.path, problem.what);
        }
        return None;
    }
    let current = Arc::clone(&request.current);
    drop(request);
    let snapshot = Arc::try_unwrap(current);
    if snapshot.is_err() {
        let why = "a stage keeps the value that it made, so that no test can have it";
        cx.problem("", What::plain(ProblemKind::Callback, why));
    }
    snapshot.ok().map(Snapshot::into_value)
}
