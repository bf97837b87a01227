//! Which variable was meant where one has its parts joined by `_`, as by default, and the source has another separator.

use super::{Environment, Variables, names::name_of};
use crate::problem::Seg;
use flux_syntax::nearest_and_slips;
use std::collections::HashMap;

impl<L> Environment<'_, L> {
    /// The path, and what is behind "is not read", for a name that would be read with `_` between its parts and at the end of the prefix.
    /// It is that name as a whole, so that no variable of somebody else is accused.
    pub(super) fn joined_by_default(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        if self.naming.separator == "_" || self.naming.prefix.is_empty() {
            return None;
        }
        let (prefix, plain) = (single_lines(self.naming.prefix), single_lines(name));
        let mut fixed = self.fixed.iter();
        let (path, meant) = match fixed.find(|one| single_lines(&one.name) == plain) {
            Some(one) => (one.path.clone(), one.name.clone()),
            None => self.entry_by_default(name, &prefix, &plain)?,
        };
        Some((path, format!(", did you mean `{meant}`?")))
    }

    /// The path of an entry or an item, and its variable.
    fn entry_by_default(
        &self,
        name: &str,
        prefix: &str,
        plain: &str,
    ) -> Option<(Vec<Seg>, String)> {
        let value = self.variables.get(name)?;
        let read = |prefix: &str, name: &str| {
            let alone = Variables::given(HashMap::from([(name.to_owned(), value.clone())]));
            Environment::new(self.fields, self.decode, prefix, &alone)?.path_read(name)
        };
        let path = read(prefix, plain)?;
        let meant = name_of(self.fields, self.prefix, &path)?;
        // Another field may have this name, but for its separators.
        let rest = plain.strip_prefix(prefix)?;
        let known = self.fixed.iter();
        let known = known.filter_map(|one| one.name.strip_prefix(self.naming.prefix));
        let is_of_field = nearest_and_slips(rest, known).is_some_and(|(_, slips)| slips == 0);
        (!is_of_field && read(self.prefix, &meant)? == path).then_some((path, meant))
    }
}

/// The name with one `_` wherever it has several.
fn single_lines(name: &str) -> String {
    let mut single = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter != '_' || !single.ends_with('_') {
            single.push(letter);
        }
    }
    single
}
