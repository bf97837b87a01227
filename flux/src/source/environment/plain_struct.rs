//! The warning of variables for the fields of a struct that is read as a single value: they look like those of a section and are
//! not read.

use super::Environment;
use crate::{
    document::{asked_fields, tree::Tree},
    problem::{Dotted, Seg},
};
use flux_syntax::env_segment;

impl<L> Environment<'_, L> {
    /// The path of such a struct, and what is behind "is not read", where the name is that of the struct's variable with one of its
    /// keys behind it.
    pub(super) fn in_plain_struct(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        let separator = self.naming.separator;
        let behind = |stem: &str| name.strip_prefix(stem)?.strip_prefix(separator);
        let found = self.fixed.iter().find_map(|one| {
            let rest = behind(&one.name).filter(|rest| !rest.is_empty())?;
            let is_of = |key: &&&str| {
                let segment = env_segment(key);
                let rest = rest.strip_prefix(segment.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
            };
            let key = self.keys_of_struct(&one.path).iter().find(is_of)?;
            Some((one, *key))
        });
        let (one, key) = found?;
        let why = format!(
            ": `{}` is read as a single value; set `{}={{{key}=..}}`, or derive `Flux` on its type and write `#[flux(nested)]`",
            Dotted(&one.path),
            one.name
        );
        Some((one.path.clone(), why))
    }

    /// The keys of the struct at a path, where it is one.
    fn keys_of_struct(&self, path: &[Seg]) -> &'static [&'static str] {
        let text = Tree::Raw("x".to_owned());
        let tree = path.iter().rev().fold(text, |inner, seg| match seg {
            Seg::Key(key) => Tree::Map(vec![(key.to_string(), inner)]),
            Seg::Index(_) => inner,
        });
        asked_fields(|| {
            (self.decode)(&tree, false);
        })
    }
}
