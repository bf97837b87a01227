//! The traits that `#[derive(Flux)]` fills.

use crate::{
    capacitor::Builder,
    describe::Field,
    handle::{Global, Local},
    layer::{Layer, Seg, finish::Cx},
};
use std::thread::LocalKey;

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
    /// The field table.
    fn fields() -> &'static [Field];
    /// Builds the struct from the folded layers, or lists what is missing.
    fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self>;
    /// Checks every rule and records all violations.
    fn validate(&self, cx: &mut Cx);
    /// Records which fields differ from the previous value.
    fn diff(&self, old: &Self, diff: &mut Diff);
    /// Checks the rules from the running value to this one, and records all violations.
    fn transition(&self, _old: &Self, _cx: &mut Cx) {}
    /// Puts the running values in the place of those that need a restart, and records where.
    fn hold(&mut self, _running: &Self, _held: &mut Diff) {}
}

/// A config struct with sources of its own, and with the static handle behind `get()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no static handle",
    note = "give it a source: `#[flux(source = \"file:app.yaml\")]`; a struct without one is a section, or is built with `Capacitor::<T>::builder()`"
)]
pub trait Root: Config {
    /// The builder with everything that the attributes declare.
    fn declared() -> Builder<Self>;
    /// The static handle.
    fn global() -> &'static Global<Self>;
    /// This thread's copy of the static handle's value.
    fn local() -> &'static LocalKey<Local<Self>>;
    /// Publishes the `hot` fields.
    fn publish_hot(&self) {}
    /// Takes the `hot` fields back, so that their readers look at the whole configuration.
    fn unpublish_hot() {}
}

/// Collects the paths in which two values differ.
#[derive(Debug, Default)]
pub struct Diff {
    path: Vec<Seg>,
    changed: Vec<Vec<Seg>>,
    /// Whether fields that cannot be compared count as changed.
    opaque: bool,
}

impl Diff {
    /// The paths in which `new` differs from `old`; `opaque` says how fields that cannot be compared count.
    pub(crate) fn of<C: Config>(new: &C, old: &C, opaque: bool) -> Vec<Vec<Seg>> {
        let mut diff = Diff {
            opaque,
            ..Diff::default()
        };
        new.diff(old, &mut diff);
        diff.changed
    }

    pub(crate) fn into_changed(self) -> Vec<Vec<Seg>> {
        self.changed
    }

    /// The field `name` differs where `changed` says so.
    #[inline]
    pub fn leaf(&mut self, name: &'static str, changed: bool) {
        if changed {
            self.field(name);
        }
    }

    /// A field that cannot be compared.
    pub fn opaque(&mut self, name: &'static str) {
        if self.opaque {
            self.field(name);
        }
    }

    /// A section, list or map of sections; an empty name is a flattened section.
    pub fn nested<N: crate::layer::finish::Nested>(
        &mut self,
        name: &'static str,
        new: &N,
        old: &N,
    ) {
        if name.is_empty() {
            return new.diff(old, self);
        }
        self.within(|| Seg::Key(name.into()), |diff| new.diff(old, diff));
    }

    #[cold]
    #[inline(never)]
    fn field(&mut self, name: &'static str) {
        let mut path = self.path.clone();
        path.push(Seg::Key(name.into()));
        self.changed.push(path);
    }

    /// Runs `go` over the entries of a map. What differs in one of them gets its key afterwards, from [`name`](Diff::name).
    #[inline]
    pub(crate) fn in_map(&mut self, go: impl FnOnce(&mut Self)) {
        self.within(|| Seg::Key("".into()), go);
    }

    /// How many differences are known so far.
    #[inline]
    pub(crate) fn known(&self) -> usize {
        self.changed.len()
    }

    /// Names the entry in which all differences but the first `known` are.
    #[inline]
    pub(crate) fn name(&mut self, known: usize, key: &str) {
        if self.changed.len() > known {
            self.name_anew(known, key);
        }
    }

    #[cold]
    fn name_anew(&mut self, known: usize, key: &str) {
        let depth = self.path.len() - 1;
        for path in &mut self.changed[known..] {
            path[depth] = Seg::Key(key.to_owned().into());
        }
    }

    pub(crate) fn here(&mut self) {
        self.changed.push(self.path.clone());
    }

    pub(crate) fn within(&mut self, seg: impl FnOnce() -> Seg, go: impl FnOnce(&mut Self)) {
        self.path.push(seg());
        go(self);
        self.path.pop();
    }
}
