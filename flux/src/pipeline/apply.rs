//! In which order stages run, that what comes out of them is checked, and that parties prepare then: the innermost service.

use super::{Applied, BoxError, Request, Stage, service::Answer};
use crate::{
    Config,
    change::{AnyParty, Transaction},
    engine::{self, AnySnapshot, Schema},
    problem::Flaw,
};
use std::{
    fmt,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A value that a stage put in place of the validated one, and that breaks rules.
#[derive(Debug)]
pub(crate) struct Invalid(pub(crate) Vec<Flaw>);

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
pub(super) fn check<C: Config>(request: &Request<C>) -> Result<(), Invalid> {
    let value = AnySnapshot::new(Arc::clone(&request.current));
    let previous = request
        .previous
        .clone()
        .filter(|_| request.has_transition());
    let previous = previous.map(AnySnapshot::new);
    engine::check(Schema::of::<C>(), &value, previous.as_ref()).map_err(Invalid)
}

/// The innermost service.
pub(crate) struct Apply<C> {
    pub(crate) stages: Arc<[Stage<C>]>,
    pub(crate) parties: Arc<[Arc<dyn AnyParty<C>>]>,
}

impl<C: Config> Apply<C> {
    /// Runs the stages and asks the parties.
    pub(super) fn run(
        &self,
        mut request: Request<C>,
    ) -> impl Future<Output = Result<Applied<C>, BoxError>> + Send + use<C> {
        let (stages, parties) = (Arc::clone(&self.stages), Arc::clone(&self.parties));
        async move {
            if !request.goes_back() {
                for stage in &*stages {
                    let given = request.given();
                    request = stage.run(request).await?;
                    request.note(given.as_ref());
                }
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
        }
    }
}

impl<C: Config> Service<Request<C>> for Apply<C> {
    type Response = Applied<C>;
    type Error = BoxError;
    type Future = Answer<Applied<C>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<C>) -> Self::Future {
        Box::pin(self.run(request))
    }
}
