//! Collects the paths in which two configurations differ.

use super::Seg;
use std::borrow::Cow;

/// Collects the paths in which two values differ.
#[derive(Debug, Default)]
pub struct Diff {
    path: Vec<Seg>,
    changed: Vec<Vec<Seg>>,
    /// Whether fields that cannot be compared count as changed.
    opaque: bool,
}

impl Diff {
    /// Nothing differs yet; `opaque` is how fields that cannot be compared count.
    pub(crate) fn new(opaque: bool) -> Self {
        Diff {
            opaque,
            ..Diff::default()
        }
    }

    pub(crate) fn into_changed(self) -> Vec<Vec<Seg>> {
        self.changed
    }

    /// The field `name` differs (an empty name is the section itself) where `changed` is true.
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

    #[cold]
    #[inline(never)]
    fn field(&mut self, name: &'static str) {
        // Made at its size: this is on the way of every update.
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path);
        if !name.is_empty() {
            path.push(Seg::Key(name.into()));
        }
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
    pub(crate) fn name<'k>(&mut self, known: usize, key: impl FnOnce() -> Cow<'k, str>) {
        if self.changed.len() > known {
            self.name_anew(known, &key());
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
