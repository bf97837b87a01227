//! How documents are judged without a capacitor, for a check and a plan: by the decoding, folding and rules of an update.

use super::{
    layer_state::LayerState,
    layers::{
        Layers, Reducer,
        resolve::{Beside, Resolved},
    },
    now::Now,
    schema::{Schema, Stamp},
    seen::{SeenConfiguration, SeenConfigurations},
    served::Served,
    value::AnySnapshot,
};
use crate::{Report, codec::Unknown, problem::Seg, report::Keeping};

/// What is judged, and by what.
pub(crate) struct EvaluationInput<'a> {
    pub(crate) schema: &'static Schema,
    /// They hold what was given to them or observed.
    pub(crate) layers: Vec<LayerState>,
    pub(crate) unknown: Unknown,
    pub(crate) reducer: Option<Reducer>,
    /// What runs; none for a first start.
    pub(crate) running: Option<RunningConfiguration<'a>>,
    /// Whether values that are missing refuse nothing, because they come later.
    pub(crate) is_partial: bool,
    /// What happens, by the reports, with what is refused, and with what is applied.
    pub(crate) keeping: (Keeping, Keeping),
    pub(crate) now: Now,
}

/// What a new configuration is compared with.
#[derive(Clone, Copy)]
pub(crate) struct RunningConfiguration<'a> {
    /// What readers see.
    pub(crate) current: &'a AnySnapshot,
    /// What the layers made of it before the pipeline.
    pub(crate) before_pipeline: &'a AnySnapshot,
}

/// What becomes of a configuration.
pub(crate) struct Evaluation {
    /// None where it is refused, or values are missing that come later.
    pub(crate) value: Option<AnySnapshot>,
    /// Everything that is wrong.
    pub(crate) refused: Option<Report>,
    /// The values that come later.
    pub(crate) missing: Option<Report>,
    /// Where the running value is kept until a restart.
    pub(crate) pending_restart: Vec<Vec<Seg>>,
    /// What does not refuse it.
    pub(crate) warnings: Option<Report>,
    /// The layers' newest contents, for those who explain them.
    pub(crate) served: Served,
    /// Which layer sets which field; a field that none sets has its default, or is missing.
    #[cfg(test)]
    pub(crate) origins: Vec<(Vec<Seg>, String)>,
}

impl<'a> EvaluationInput<'a> {
    /// As a first start judges these layers.
    pub(crate) fn of_start(schema: &'static Schema, layers: Vec<LayerState>, now: Now) -> Self {
        EvaluationInput {
            schema,
            layers,
            unknown: Unknown::Warn,
            reducer: None,
            running: None,
            is_partial: false,
            keeping: (Keeping::Nothing, Keeping::Applied),
            now,
        }
    }
}

/// Judges these layers.
pub(crate) fn evaluate(judged: EvaluationInput<'_>) -> Evaluation {
    let (refused, applied) = judged.keeping;
    let reducer = judged.reducer;
    let mut layers = Layers::new(judged.schema, judged.layers, judged.unknown, reducer);
    let warnings = layers.take_up(1);
    let running = judged.running.map(|running| SeenConfiguration {
        snapshot: running.current,
        before_pipeline: Some(running.before_pipeline),
    });
    let seen = SeenConfigurations(running.into_iter().collect());
    let warnings = (!warnings.is_empty()).then(|| layers.report(warnings, applied, &seen));
    let beside = Beside {
        current: judged.running.map(|running| running.current),
        running: judged.running.map(|running| running.before_pipeline),
        stamp: Stamp {
            generation: 0,
            applied: judged.now.wall,
        },
    };
    let (built, entries) = match layers.resolve(&beside) {
        Resolved::Good { built, refused, .. } => (Some(built), refused),
        Resolved::Undecodable(entries) | Resolved::Invalid(entries) => (None, entries),
    };
    let (missing, wrong) =
        (entries.into_iter()).partition(|entry| judged.is_partial && entry.is_missing());
    let report = |entries: Vec<_>, keeping| match entries.is_empty() {
        true => None,
        false => Some(layers.report(entries, keeping, &seen)),
    };
    let (missing, refused) = (report(missing, applied), report(wrong, refused));
    let built = built.filter(|_| refused.is_none() && missing.is_none());
    let (value, pending_restart) = match built {
        Some(built) => (Some(built.snapshot), built.pending_restart),
        None => (None, Vec::new()),
    };
    Evaluation {
        value,
        refused,
        missing,
        pending_restart,
        warnings,
        served: layers.newest(),
        #[cfg(test)]
        origins: layers.origins(),
    }
}
