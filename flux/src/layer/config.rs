//! The traits of a config type, which `#[derive(Flux)]` fills.

use super::{Layer, finish::Nested};
use crate::{
    problem::{Cx, Diff, Seg},
    schema::{Field, TypeFacts},
};

/// A config struct. Implemented by `#[derive(Flux)]`, with how its layers become a value and what the value must satisfy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Flux config",
    note = "add `#[derive(flux::Flux)]` to it"
)]
pub trait Config: Nested<Layer: Layer> + Send + Sync + 'static {
    /// The struct's name.
    const NAME: &'static str;
    /// The struct's doc comment.
    const DOCS: &'static str = "";
    /// The path of the function that checks the struct as a whole.
    const RULE: Option<&'static str> = None;
    /// Whether arguments are a layer that the struct declares: `override = "args"`.
    const READS_ARGUMENTS: bool = false;
    /// The field table.
    fn fields() -> &'static [Field];
    /// What is known of each field by its type, in the order of [`fields`](Config::fields).
    fn types() -> Vec<TypeFacts> {
        Self::type_facts()
    }
    /// What the declared stages that only compute (`transform`, `mutate`) make of it, with the rules checked again. For tests.
    fn transformed(self, _cx: &mut Cx) -> Option<Self> {
        Some(self)
    }
}

/// The paths in which `new` differs from `old`; `opaque` is how fields that cannot be compared count.
pub(crate) fn differences<C: Config>(new: &C, old: &C, opaque: bool) -> Vec<Vec<Seg>> {
    let mut diff = Diff::new(opaque);
    new.diff(old, &mut diff);
    diff.into_changed()
}
