//! The program's own say in a change, without the config type. It exists only where the program has added something.

use super::{AddLayer, Applied, Apply, BoxError, Invalid, Next, Request, Stage, service::Answer};
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
    /// The pipeline, anew for each start.
    fn pipeline(&self) -> Box<dyn AnyPipeline>;
    /// Leaves out those who take a change up in the running program.
    fn without_parties(&mut self);
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// A pipeline of any config type.
pub(crate) trait AnyPipeline: Send {
    fn call(&mut self, question: Question, capacitor: Arc<str>) -> Answer<AnyApplied>;
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
    fn pipeline(&self) -> Box<dyn AnyPipeline> {
        let innermost = Next::new(Apply {
            stages: self.stages.clone().into(),
            parties: self.parties.clone().into(),
        });
        let all = self.layers.iter().fold(innermost, |next, add| add(next));
        Box::new(TypedPipeline(all))
    }
    fn without_parties(&mut self) {
        self.parties.clear();
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

struct TypedPipeline<C>(Next<C>);

impl<C: Config> AnyPipeline for TypedPipeline<C> {
    fn call(&mut self, question: Question, capacitor: Arc<str>) -> Answer<AnyApplied> {
        let answer = self.0.call(Request::of(question, capacitor));
        Box::pin(async move {
            let Applied {
                request,
                transaction,
                checked,
            } = answer.await?;
            let checked = checked || !request.is_replaced();
            let snapshot = AnySnapshot::new(request.current);
            Ok(AnyApplied {
                passed: Passed { snapshot, checked },
                transaction,
            })
        })
    }
}

/// Why the pipeline denies something, in the engine's words.
pub(crate) fn into_denial(error: BoxError) -> Denial {
    match error.downcast::<Invalid>() {
        Ok(invalid) => Denial::Invalid(invalid.0),
        Err(error) => Denial::Failed(printed(&error)),
    }
}
