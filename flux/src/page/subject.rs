//! What the page asks of a capacitor, whatever its type, so that the page is compiled once.

use crate::{
    Capacitor, Config, Error, Status,
    capacitor::Trusted,
    engine::Question,
    inspect::{
        Blame, ChangedSetting, ConfigFingerprint, Describe as _, Effective, ExplainError,
        Explanation, InputError, Inputs, Inspector, PlannedUpdate, SilentSetting, Survey,
        schema_text,
    },
};
use flux_syntax::Format;
use std::{future::Future, pin::Pin, sync::Arc};

/// What is known later.
pub(super) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The outcome of an order, later.
pub(super) type OrderOutcome<T = ()> = Later<Result<T, Error>>;

/// What may be written, whatever runs.
#[derive(Clone, Copy)]
pub(super) enum DescribedText {
    Schema,
    Template,
    Reference,
    Variables,
}

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
    fn silent(&self) -> Result<Vec<SilentSetting>, ExplainError>;
    fn written(&self, text: DescribedText) -> String;
    /// The plan, and what the parties are to be asked; none where an update would not ask them.
    fn planned(&self, inputs: &Inputs) -> Result<(PlannedUpdate, Option<Question>), InputError>;
    fn with_parties(
        &self,
        planned: PlannedUpdate,
        question: Option<Question>,
    ) -> Later<PlannedUpdate>;
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

    fn silent(&self) -> Result<Vec<SilentSetting>, ExplainError> {
        Capacitor::silent(self)
    }

    fn written(&self, text: DescribedText) -> String {
        let prefix = || {
            let status = Capacitor::status(self);
            let prefixes = status.served.layers.iter().rev();
            let first = prefixes.filter_map(|layer| layer.prefix.clone()).next();
            first.unwrap_or_else(|| "APP_".to_owned())
        };
        match text {
            DescribedText::Schema => schema_text::<C>(true, &prefix()),
            DescribedText::Template => C::template(Format::Yaml),
            DescribedText::Reference => C::reference(&prefix()),
            DescribedText::Variables => C::variables(&prefix()),
        }
    }

    fn planned(&self, inputs: &Inputs) -> Result<(PlannedUpdate, Option<Question>), InputError> {
        Inspector::of(self).planned(inputs)
    }

    fn with_parties(
        &self,
        planned: PlannedUpdate,
        question: Option<Question>,
    ) -> Later<PlannedUpdate> {
        let capacitor = self.clone();
        Box::pin(async move {
            let inspector = Inspector::of(&capacitor);
            inspector.with_parties(planned, question).await
        })
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
