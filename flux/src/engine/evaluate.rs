//! Judging a configuration without a capacitor: the only other way from documents to a value, over the same functions.

use super::{
    layer_state::LayerState,
    now::Now,
    resolve::{Beside, Layers, Resolved},
    schema::{Decoding, Schema, Stamp},
    value::{AnyLayer, AnySnapshot},
};
use crate::{
    Report,
    codec::{Decoder, Unknown},
    problem::{Cx, Problem, What, panic_text},
    report::Keeping,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What becomes of a configuration.
pub(crate) struct Evaluation {
    /// The configuration, or everything that is wrong.
    pub(crate) value: Result<AnySnapshot, Report>,
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
        value: value.map_err(|entries| layers.report(entries, Keeping::Nothing)),
        warnings,
    }
}

/// Decodes a document; a panic in the program's code is an error with its message.
pub(crate) fn decode(
    schema: &Schema,
    decoder: &Decoder,
    bytes: &[u8],
    unknown: Unknown,
) -> Result<Decoding, String> {
    let decode = || (schema.decode)(decoder, bytes, unknown);
    catch_unwind(AssertUnwindSafe(decode)).map_err(|panic| panic_text(&*panic).to_owned())
}

/// What is missing in these layers together, lowest first, and which rules they break; whether nothing is missing. An error is
/// the message of a panic.
pub(crate) fn broken_rules<'a>(
    schema: &Schema,
    layers: impl Iterator<Item = &'a AnyLayer>,
) -> Result<(Vec<Problem>, bool), String> {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let mut base = (schema.empty)();
        for layer in layers {
            (schema.over)(&mut base, layer);
        }
        (schema.problems)(base)
    }));
    judged.map_err(|panic| panic_text(&*panic).to_owned())
}

/// Checks a configuration that was not built from layers, such as one that a stage made.
pub(crate) fn check(
    schema: &Schema,
    snapshot: &AnySnapshot,
    previous: Option<&AnySnapshot>,
) -> Result<(), Vec<Problem>> {
    let mut cx = Cx::default();
    let checked = catch_unwind(AssertUnwindSafe(|| {
        (schema.check)(snapshot, previous, &mut cx);
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
        false => Err(problems),
    }
}
