//! The traits that `#[derive(Flux)]` fills.

use super::Layer;
use crate::{
    problem::{Cx, Diff, Seg},
    schema::{Field, TypeFacts},
};

/// A config struct: how its layers become a value, and what the value must satisfy. Implemented by `#[derive(Flux)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Flux config",
    note = "add `#[derive(flux::Flux)]` to it"
)]
pub trait Config: Sized + Send + Sync + 'static {
    /// One source's view of the struct: every field optional.
    type Layer: Layer;
    /// The struct's name.
    const NAME: &'static str;
    /// The struct's doc comment.
    const DOCS: &'static str = "";
    /// The path of the function that checks the struct as a whole.
    const RULE: Option<&'static str> = None;
    /// The field table.
    fn fields() -> &'static [Field];
    /// What is known of each field by its type, in the order of [`fields`](Config::fields).
    fn types() -> Vec<TypeFacts> {
        Vec::new()
    }
    /// Builds the struct from the folded layers, or lists what is missing.
    fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self>;
    /// Checks every rule and records all violations.
    fn validate(&self, cx: &mut Cx);
    /// Records which fields differ from the previous value.
    fn diff(&self, old: &Self, diff: &mut Diff);
    /// Checks the rules from the running value to this one, and records all violations.
    fn transition(&self, _old: &Self, _cx: &mut Cx) {}
    /// What the declared stages that only compute (`transform`, `mutate`) make of it, with the rules checked again. For tests.
    fn transformed(self, _cx: &mut Cx) -> Option<Self> {
        Some(self)
    }
    /// Puts the running values in the place of those that need a restart, and records where.
    fn hold(&mut self, _running: &Self, _held: &mut Diff) {}
}

/// The paths in which `new` differs from `old`; `opaque` says how fields that cannot be compared count.
pub(crate) fn differences<C: Config>(new: &C, old: &C, opaque: bool) -> Vec<Vec<Seg>> {
    let mut diff = Diff::new(opaque);
    new.diff(old, &mut diff);
    diff.into_changed()
}
