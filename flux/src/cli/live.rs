//! How a plan without a running program reads the sources: as a start of the program does, without its parties and its arguments.

use crate::{
    Builder, Capacitor, Error, Root,
    inspect::{InputError, Inputs, LastGood, PlannedUpdate},
    source::arguments::Arguments,
};

/// Why there is no plan.
pub(super) enum PlanError {
    Start(Error),
    Inputs(InputError),
}

/// What the program declares, without those who take a change up in it, and without the arguments of this process.
pub(super) fn declared_without_parties<C: Root>() -> Builder<C> {
    let mut builder = C::declared();
    if let Some(parts) = &mut builder.spec.options.pipeline {
        parts.without_parties();
    }
    let layers = builder.spec.sources.iter_mut();
    for layer in layers.chain(&mut builder.spec.overrides) {
        layer.arguments = Arguments::Given(Vec::new().into());
    }
    builder
}

/// Reads every source as a start does, and compares.
pub(super) fn live<C: Root>(
    inputs: &Inputs,
    since: Option<&LastGood>,
) -> Result<PlannedUpdate, PlanError> {
    let mut builder = declared_without_parties::<C>();
    builder.spec = builder.spec.once();
    let capacitor = builder.build().map_err(PlanError::Start)?;
    // The caller may be on a thread of a runtime.
    let started = std::thread::scope(|scope| {
        let started = scope.spawn(|| start(&capacitor));
        started.join()
    });
    match started {
        Ok(Ok(())) => capacitor
            .plan_since(inputs, since)
            .map_err(PlanError::Inputs),
        Ok(Err(error)) => Err(PlanError::Start(error)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn start<C: Root>(capacitor: &Capacitor<C>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Error::Declaration {
        name: capacitor.status().name.to_string(),
        problem: format!("no runtime for reading the sources: {error}"),
    })?;
    runtime.block_on(async {
        let started = capacitor.start().await;
        capacitor.stop().await;
        started
    })
}
