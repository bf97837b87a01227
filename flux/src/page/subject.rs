//! What the page asks of a capacitor, whatever its type, so that the page is compiled once.

use crate::{
    Capacitor, Config, Error, Status,
    capacitor::Trusted,
    inspect::{
        Blame, ChangedSetting, ConfigFingerprint, Effective, ExplainError, Explanation, InputError,
        Inputs, Inspector, PlannedUpdate, Survey,
    },
};
use std::{future::Future, pin::Pin, sync::Arc};

/// The outcome of an order, later.
pub(super) type OrderOutcome<T = ()> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A capacitor.
pub(super) trait PageSubject: Send + Sync {
    fn status(&self) -> Arc<Status>;
    fn explain(&self, path: &str) -> Result<Explanation, ExplainError>;
    fn explain_all(&self) -> Result<Vec<Explanation>, ExplainError>;
    fn effective(&self) -> Result<Effective, ExplainError>;
    fn blame(&self, path: &str) -> Result<Blame, ExplainError>;
    fn survey(&self, status: &Arc<Status>) -> Option<Survey>;
    fn changed_in(
        &self,
        generation: u64,
        known: Option<&Survey>,
        now: &Survey,
    ) -> Vec<ChangedSetting>;
    fn fingerprint(&self) -> Result<ConfigFingerprint, ExplainError>;
    fn plan(&self, inputs: &Inputs) -> Result<PlannedUpdate, InputError>;
    fn roll_back(&self, to: Option<u64>) -> OrderOutcome;
    fn pin(&self, is_pinned: bool) -> OrderOutcome;
    fn trust(&self) -> OrderOutcome<Trusted>;
}

impl<C: Config> PageSubject for Capacitor<C> {
    fn status(&self) -> Arc<Status> {
        Capacitor::status(self)
    }

    fn explain(&self, path: &str) -> Result<Explanation, ExplainError> {
        Capacitor::explain(self, path)
    }

    fn explain_all(&self) -> Result<Vec<Explanation>, ExplainError> {
        Capacitor::explain_all(self)
    }

    fn effective(&self) -> Result<Effective, ExplainError> {
        Capacitor::effective(self)
    }

    fn blame(&self, path: &str) -> Result<Blame, ExplainError> {
        Capacitor::blame(self, path)
    }

    fn survey(&self, status: &Arc<Status>) -> Option<Survey> {
        Inspector::of(self).survey(status)
    }

    fn changed_in(
        &self,
        generation: u64,
        known: Option<&Survey>,
        now: &Survey,
    ) -> Vec<ChangedSetting> {
        Inspector::of(self).changed_since(known, now, generation)
    }

    fn fingerprint(&self) -> Result<ConfigFingerprint, ExplainError> {
        Capacitor::fingerprint(self)
    }

    fn plan(&self, inputs: &Inputs) -> Result<PlannedUpdate, InputError> {
        Capacitor::plan(self, inputs)
    }

    fn roll_back(&self, to: Option<u64>) -> OrderOutcome {
        let capacitor = self.clone();
        Box::pin(async move { capacitor.rollback(to).await.map(drop) })
    }

    fn pin(&self, is_pinned: bool) -> OrderOutcome {
        let capacitor = self.clone();
        Box::pin(async move {
            match is_pinned {
                true => capacitor.pin().await,
                false => capacitor.unpin().await,
            }
        })
    }

    fn trust(&self) -> OrderOutcome<Trusted> {
        let capacitor = self.clone();
        Box::pin(async move { capacitor.trust().await })
    }
}
