//! Judging a configuration without a capacitor: the only other way from documents to a value, over the same functions.

use super::{
    layer_state::LayerState,
    now::Now,
    resolve::{Beside, Layers, Resolved},
    schema::{Schema, Stamp},
    value::AnySnapshot,
};
use crate::{Report, codec::Unknown, problem::Seg, report::Keeping};

/// What becomes of a configuration.
pub(crate) struct Evaluation {
    /// The configuration, or everything that is wrong.
    pub(crate) value: Result<AnySnapshot, Report>,
    /// Which layer sets which field; a field that none sets has its default, or is missing.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "for those who explain a configuration")
    )]
    pub(crate) origins: Vec<(Vec<Seg>, String)>,
    /// What does not refuse it.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "for those who explain a configuration")
    )]
    pub(crate) warnings: Option<Report>,
}

/// Judges these layers, which hold what was given to them or observed, as a first start would.
pub(crate) fn evaluate(
    schema: &'static Schema,
    layers: Vec<LayerState>,
    unknown: Unknown,
    now: Now,
) -> Evaluation {
    let mut layers = Layers::new(schema, layers, unknown, None);
    let warnings = layers.take_up(1);
    let warnings = (!warnings.is_empty()).then(|| layers.report(warnings, Keeping::Applied));
    let beside = Beside {
        current: None,
        running: None,
        stamp: Stamp {
            generation: 0,
            applied: now.wall,
        },
    };
    let value = match layers.resolve(&beside) {
        Resolved::Good { built, refused, .. } if refused.is_empty() => Ok(built.snapshot),
        Resolved::Good { refused, .. } => Err(refused),
        Resolved::Undecodable(entries) | Resolved::Invalid(entries) => Err(entries),
    };
    Evaluation {
        origins: layers.origins(),
        value: value.map_err(|entries| layers.report(entries, Keeping::Nothing)),
        warnings,
    }
}
