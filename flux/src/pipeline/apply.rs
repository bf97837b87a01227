//! The innermost service: the stages, the check of what comes out of them, and the parties' preparation.

use super::{Applied, BoxError, Request, Stage, service::Answer};
use crate::{
    Config,
    change::{AnyParty, Transaction},
    problem::{Cx, Problem, What, panic_text},
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A value that a stage put in place of the validated one, and that breaks rules.
#[derive(Debug)]
pub(crate) struct Invalid(pub(crate) Vec<Problem>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "what the pipeline made of it breaks {} rules",
            self.0.len()
        )
    }
}

impl std::error::Error for Invalid {}

/// Every rule that the request's value breaks, those from previous to next included.
pub(crate) fn check<C: Config>(request: &Request<C>) -> Result<(), Invalid> {
    let mut cx = Cx::default();
    let checked = catch_unwind(AssertUnwindSafe(|| {
        request.current.validate(&mut cx);
        if let (true, Some(previous)) = (request.has_transition(), &request.previous) {
            request.current.transition(previous, &mut cx);
        }
    }));
    let mut problems = cx.into_problems();
    if let Err(panic) = checked {
        problems.push(Problem {
            path: Vec::new(),
            what: What::Panic(panic_text(&*panic).to_owned()),
        });
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Invalid(problems)),
    }
}

/// The innermost service.
pub(crate) struct Apply<C> {
    pub(crate) stages: Arc<[Stage<C>]>,
    pub(crate) parties: Arc<[Arc<dyn AnyParty<C>>]>,
}

impl<C: Config> Service<Request<C>> for Apply<C> {
    type Response = Applied<C>;
    type Error = BoxError;
    type Future = Answer<Applied<C>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<C>) -> Self::Future {
        let (stages, parties) = (Arc::clone(&self.stages), Arc::clone(&self.parties));
        Box::pin(async move {
            let stages = stages.iter().filter(|_| !request.goes_back());
            for stage in stages.collect::<Vec<_>>() {
                request = stage.run(request).await?;
            }
            if request.is_replaced() {
                check(&request)?;
            }
            let mut transaction = Transaction::default();
            for party in &*parties {
                transaction.join(party, &request).await?;
            }
            Ok(Applied {
                request,
                transaction,
                checked: true,
            })
        })
    }
}
