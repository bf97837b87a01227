//! The pipeline of the program without the config type, as the runtime runs it; a panic in it becomes a refusal. It exists only
//! where the program has added something.

use super::{
    AddLayer, Applied, Apply, BoxError, Invalid, Next, PartyAnswer, Request, Stage,
    rehearsal::ask_parties, request::RequestOwner, service::Answer,
};
use crate::{
    Config,
    change::{AnyParty, Transaction},
    engine::{AnySnapshot, Denial, Passed, Question},
    problem::printed,
};
use std::{any::Any, sync::Arc};
use tower_service::Service;

/// What the builder has collected.
pub(crate) trait AnyParts: Any + Send + Sync {
    /// The pipeline of the capacitor with this name, anew for each start.
    fn pipeline(&self, capacitor: &str) -> Box<dyn AnyPipeline>;
    /// What the parties would answer; all that they prepare is rolled back.
    fn rehearse(&self, capacitor: &str, question: Question) -> Answer<Vec<PartyAnswer>>;
    /// Leaves out those who take a change up in the running program.
    fn without_parties(&mut self);
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// A pipeline of any config type.
pub(crate) trait AnyPipeline: Send {
    fn call(&mut self, question: Question) -> Answer<AnyApplied>;
}

/// The pipeline's answer: what it lets through, and what the parties have prepared for it.
pub(crate) struct AnyApplied {
    pub(crate) passed: Passed,
    pub(crate) transaction: Transaction,
}

/// Stages, parties, and the layers around them.
pub(crate) struct PipelineParts<C> {
    pub(crate) stages: Vec<Stage<C>>,
    pub(crate) parties: Vec<Arc<dyn AnyParty<C>>>,
    pub(crate) layers: Vec<AddLayer<C>>,
}

impl<C> Default for PipelineParts<C> {
    fn default() -> Self {
        PipelineParts {
            stages: Vec::new(),
            parties: Vec::new(),
            layers: Vec::new(),
        }
    }
}

impl<C: Config> AnyParts for PipelineParts<C> {
    fn pipeline(&self, capacitor: &str) -> Box<dyn AnyPipeline> {
        let apply = Apply {
            stages: self.stages.clone().into(),
            parties: self.parties.clone().into(),
        };
        let asked = match self.layers.is_empty() {
            true => Asked::Alone(apply),
            false => {
                let (innermost, layers) = (Next::new(apply), self.layers.iter());
                Asked::Layers(layers.fold(innermost, |next, add| add(next)))
            }
        };
        let owner = Arc::new(RequestOwner::new(capacitor.into()));
        Box::new(TypedPipeline { asked, owner })
    }
    fn rehearse(&self, capacitor: &str, question: Question) -> Answer<Vec<PartyAnswer>> {
        ask_parties(self.parties.clone(), capacitor, question)
    }
    fn without_parties(&mut self) {
        self.parties.clear();
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

struct TypedPipeline<C> {
    asked: Asked<C>,
    owner: Arc<RequestOwner>,
}

enum Asked<C> {
    /// There are no layers around it.
    Alone(Apply<C>),
    Layers(Next<C>),
}

impl<C: Config> AnyPipeline for TypedPipeline<C> {
    fn call(&mut self, question: Question) -> Answer<AnyApplied> {
        let request = Request::of(question, &self.owner);
        let owner = request.owner();
        match &mut self.asked {
            Asked::Alone(apply) => {
                let answer = apply.run(request);
                Box::pin(async move { answer.await.map(untyped).map_err(|e| safe(e, &owner)) })
            }
            Asked::Layers(next) => {
                let answer = next.call(request);
                Box::pin(async move { answer.await.map(untyped).map_err(|e| safe(e, &owner)) })
            }
        }
    }
}

/// The error, or a sentence in the place of one that quotes a secret which a stage has made.
fn safe(error: BoxError, owner: &RequestOwner) -> BoxError {
    match owner.withheld(&error) {
        Some(sentence) if !error.is::<Invalid>() => sentence.into(),
        _ => error,
    }
}

fn untyped<C: Config>(applied: Applied<C>) -> AnyApplied {
    let checked = applied.checked || !applied.request.is_replaced();
    let snapshot = AnySnapshot::new(applied.request.current);
    AnyApplied {
        passed: Passed { snapshot, checked },
        transaction: applied.transaction,
    }
}

/// Why the pipeline denies something, in the engine's words.
pub(crate) fn into_denial(error: BoxError) -> Denial {
    match error.downcast::<Invalid>() {
        Ok(invalid) => Denial::Invalid(invalid.0),
        Err(error) => Denial::Failed(printed(&error)),
    }
}
