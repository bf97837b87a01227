//! Collects the paths in which two configurations differ; how long a list of them may become.

use super::{MOST_PATH_BYTES, Seg};
use std::borrow::Cow;

/// Collects the paths in which two values differ.
#[derive(Debug, Default)]
pub struct Diff {
    path: Vec<Seg>,
    changed: Vec<Vec<Seg>>,
    /// Whether fields that cannot be compared count as changed.
    opaque: bool,
    /// How many bytes of keys were copied into paths.
    copied: usize,
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

    /// An entry whose paths would have more copies of its key than there is room for differs as a whole.
    #[cold]
    fn name_anew(&mut self, known: usize, key: &str) {
        let depth = self.path.len() - 1;
        let copies = key.len().saturating_mul(self.changed.len() - known);
        self.copied = self.copied.saturating_add(copies);
        if self.copied > MOST_PATH_BYTES {
            self.changed.truncate(known + 1);
            self.changed[known].truncate(depth + 1);
        }
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

#[cfg(test)]
mod tests {
    use super::{super::path_bytes, *};

    /// The paths of a map of so many entries, each with so many items that differ.
    fn changed(keys: &[String], items: usize) -> Vec<Vec<Seg>> {
        let mut diff = Diff::new(true);
        let map = || Seg::Key("map".into());
        diff.within(map, |diff| {
            diff.in_map(|diff| {
                for key in keys {
                    let known = diff.known();
                    for item in 0..items {
                        diff.within(|| Seg::Index(item), |diff| diff.leaf("max", true));
                    }
                    diff.name(known, || Cow::Borrowed(key));
                }
            });
        });
        diff.into_changed()
    }

    #[test]
    fn differences_below_a_long_key_are_one_of_its_entry_once_they_would_fill_a_mebibyte() {
        let long = "k".repeat(64 << 10);
        let few = changed(std::slice::from_ref(&long), 16);
        assert_eq!((few.len(), few[15].len()), (16, 4));
        let many = changed(&[long.clone(), "short".into()], 8_000);
        let entry = |key: &str| vec![Seg::Key("map".into()), Seg::Key(key.to_owned().into())];
        assert_eq!(many, [entry(&long), entry("short")]);
    }

    #[test]
    fn many_differences_below_ordinary_keys_have_each_its_own_path() {
        let keys: Vec<String> = (0..100).map(|i| format!("tenant-{i}")).collect();
        assert_eq!(changed(&keys, 100).len(), 10_000);
    }

    #[test]
    fn differences_below_many_keys_are_at_most_a_mebibyte_and_the_keys() {
        let keys: Vec<String> = (0..500)
            .map(|i| format!("{i}{}", "k".repeat(1_000)))
            .collect();
        let changed = changed(&keys, 100);
        let bytes: usize = changed.iter().map(|path| path_bytes(path)).sum();
        assert!(bytes < 2 * MOST_PATH_BYTES, "{bytes}");
    }
}
