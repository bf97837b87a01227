//! Variables whose names begin with nearly the prefix.

use super::Environment;
use crate::problem::Seg;

impl<L> Environment<'_, L> {
    /// Variables whose names begin with nearly the prefix: in other letters, as `app_port`, which other libraries read, or with one `_`
    /// in the place of two.
    pub(super) fn beside_prefix(&self) -> Vec<String> {
        let mut names = match self.naming.prefix.is_empty() {
            true => Vec::new(),
            false => self.variables.names(false),
        };
        names.retain(|name| {
            // On Windows the letters make no difference.
            let in_other_letters = !cfg!(windows) && self.in_letters_of_prefix(name).is_some();
            (in_other_letters || self.behind_shorter_prefix(name).is_some())
                && !self.fixed.iter().any(|fixed| fixed.name == *name)
        });
        names
    }

    /// The name behind the whole prefix, where that ends with `__` and the name has one `_` there.
    pub(super) fn behind_shorter_prefix(&self, name: &str) -> Option<String> {
        let prefix = self.naming.prefix;
        let shorter = prefix.strip_suffix('_').filter(|one| one.ends_with('_'))?;
        let rest = name.strip_prefix(shorter)?;
        (!rest.starts_with('_')).then(|| format!("{prefix}{rest}"))
    }

    /// The name in capital letters, where its prefix is written in other ones.
    pub(super) fn in_letters_of_prefix(&self, name: &str) -> Option<String> {
        let prefix = self.naming.prefix;
        let (begin, rest) = name.split_at_checked(prefix.len())?;
        (begin != prefix && begin.eq_ignore_ascii_case(prefix))
            .then(|| format!("{prefix}{}", rest.to_ascii_uppercase()))
    }

    /// The path, and what is behind "is not read", for `APP_PORT` under the prefix `app`, as other libraries declare it; `meant` has the
    /// letters of the prefix.
    pub(super) fn of_prefix_without_end(
        &self,
        name: &str,
        meant: &str,
    ) -> Option<(Vec<Seg>, String)> {
        let prefix = self.naming.prefix;
        let rest = meant.strip_prefix(prefix)?.strip_prefix('_')?;
        let path = self.path_read(&format!("{prefix}{rest}"))?;
        let begin = name.get(..prefix.len())?;
        let why = format!(
            ": the prefix `{prefix}` has other letters and no `_` at its end; write `env:{begin}_`"
        );
        Some((path, why))
    }
}
