//! How a plan without a running program reads the sources: as a start of the program does, without its parties and its arguments.

use crate::{
    Builder, Capacitor, Error, Root,
    inspect::{CheckError, InputError, Inputs, LastGood, PlanBase, PlannedUpdate, WITHOUT_GIVEN},
    source::arguments::Arguments,
};
use std::path::PathBuf;

/// Why a plan is made as `check` judges.
const NOT_STARTED: &str = "values are missing that come later, so that the sources were read as `check` reads them: without those on servers, and without rules on changes";

/// Why there is no plan.
pub(super) enum PlanError {
    /// With the file of each layer that a document is given for.
    Start(Vec<Option<PathBuf>>, Error),
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

/// Reads every source as a start does, and compares. Where that is refused, or cannot be read, the given documents take the places of
/// their sources: the verdict is about them.
pub(super) fn live<C: Root>(
    inputs: &Inputs,
    since: Option<&LastGood>,
) -> Result<PlannedUpdate, PlanError> {
    let base = since.map(LastGood::as_base);
    let error = match started(declared_without_parties::<C>()) {
        Ok(capacitor) => {
            let planned = capacitor.plan_since(inputs, base.unwrap_or(PlanBase::Running));
            return planned.map_err(PlanError::Inputs);
        }
        Err(Error::Refused(_)) if inputs.are_partial() => return judged::<C>(inputs, since),
        Err(error) if !inputs.have_documents() => return Err(PlanError::Start(Vec::new(), error)),
        Err(error) => error,
    };
    let declared = declared_without_parties::<C>();
    let placed = declared.in_place(C::declared(), inputs);
    let placed = match placed {
        Ok(placed) => placed,
        // What is wrong with the declaration is known.
        Err(InputError::Declaration { .. }) => return Err(PlanError::Start(Vec::new(), error)),
        Err(error) => return Err(PlanError::Inputs(error)),
    };
    let capacitor = match started(placed.builder) {
        Ok(capacitor) => capacitor,
        Err(error) => return Err(PlanError::Start(placed.files, error)),
    };
    let planned = capacitor.plan_since(&placed.inputs, base.unwrap_or(PlanBase::WithoutGiven));
    let mut planned = planned.map_err(PlanError::Inputs)?;
    if base.is_none() {
        planned.notes.insert(0, WITHOUT_GIVEN.to_owned());
    }
    Ok(planned)
}

/// As `check` judges: nothing can be started while values are missing that come later.
fn judged<C: Root>(inputs: &Inputs, since: Option<&LastGood>) -> Result<PlannedUpdate, PlanError> {
    let kept = since.map(|since| since.with(inputs));
    let (files, after) = C::declared().check_with_files(kept.as_ref().unwrap_or(inputs));
    let after = match after {
        Ok(after) => after,
        Err(CheckError::Refused(report)) => {
            return Err(PlanError::Start(files, Error::Refused(report)));
        }
        Err(CheckError::Inputs(error)) => return Err(PlanError::Inputs(error)),
    };
    let mut notes = vec![NOT_STARTED.to_owned()];
    let changes = match since {
        Some(since) => since.changes_to(&after),
        None => {
            notes.push(WITHOUT_GIVEN.to_owned());
            let before = C::declared().without_given(inputs);
            before.map_err(PlanError::Inputs)?.changes_to(&after)
        }
    };
    Ok(PlannedUpdate::judged(changes, &after, notes, files))
}

/// Has read every source once.
fn started<C: Root>(mut builder: Builder<C>) -> Result<Capacitor<C>, Error> {
    builder.spec = builder.spec.with_held().once();
    let capacitor = builder.build()?;
    // The caller may be on a thread of a runtime.
    let started = std::thread::scope(|scope| {
        let started = scope.spawn(|| start(&capacitor));
        started.join()
    });
    match started {
        Ok(Ok(())) => Ok(capacitor),
        Ok(Err(error)) => Err(error),
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
