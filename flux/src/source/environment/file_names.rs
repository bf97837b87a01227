//! Variables that look as if they named a file with a value: without the option for it, or with a slip in the name.

use super::{Environment, Variable, files::SUFFIX, suspect::Meant};
use flux_syntax::nearest;

impl<L> Environment<'_, L> {
    /// What is behind "is not read" for the name of a file with the value of a field, where no such name is read. Where the value itself is
    /// set, something else has read the file. It may be somebody else's variable.
    pub(super) fn suspect_without_files(&self, name: &str) -> Option<Meant> {
        let own = name.strip_suffix(SUFFIX).filter(|_| !self.naming.files)?;
        let one = self.fixed.iter().find(|one| one.name == own)?;
        let is_set = self.variables.get(own).is_some_and(|text| !text.is_empty());
        if is_set || !self.is_chosen(one) || self.path_read(name).is_some() {
            return None;
        }
        let (prefix, joint) = (
            self.prefix,
            if self.prefix.contains('?') { '&' } else { '?' },
        );
        let why = format!(
            ": a variable names a file with the value of `{own}` under `env:{prefix}{joint}files=true` alone"
        );
        Some((one.path.clone(), why, true))
    }

    /// The same for a name that is near to the one of a file, where such names are read. One of an entry is read itself.
    pub(super) fn suspect_file(&self, name: &str) -> Option<Meant> {
        if !self.naming.files || self.path_read(name).is_some() {
            return None;
        }
        self.of_misspelt_value(name)
            .or_else(|| self.of_misspelt_suffix(name))
    }

    fn of_misspelt_value(&self, name: &str) -> Option<Meant> {
        let name = name.strip_suffix(SUFFIX)?;
        let (near, what, is_uncertain) = self.suspect(name)?;
        let meant = what.strip_prefix(", did you mean `")?.strip_suffix("`?")?;
        let meant = format!(", did you mean `{meant}{SUFFIX}`?");
        Some((near, meant, is_uncertain))
    }

    fn of_misspelt_suffix(&self, name: &str) -> Option<Meant> {
        let in_letters = self.in_letters_of_prefix(name);
        let name = in_letters.unwrap_or_else(|| name.to_owned());
        if self.path_read(&name).is_some() {
            return None;
        }
        let prefix = self.naming.prefix;
        let files = self.fixed.iter().filter_map(|one| {
            let name = one.name.strip_prefix(prefix)?;
            Some((format!("{name}{SUFFIX}"), &one.path))
        });
        let files: Vec<_> = files.collect();
        let names = files.iter().map(|(name, _)| name.as_str());
        let near = nearest(name.strip_prefix(prefix)?, names)?;
        let (_, path) = files.iter().find(|(name, _)| name == near)?;
        let why = format!(", did you mean `{prefix}{near}`?");
        Some(((*path).clone(), why, false))
    }

    /// Whether the program chose what the variable of a field begins with: a prefix, or the whole name. Others belong to anybody.
    pub(super) fn is_chosen(&self, one: &Variable) -> bool {
        let is_own = || {
            let mut unread = self.unread_names().iter();
            unread.any(|unread| unread.own == one.name)
        };
        self.is_below_prefix(&one.name) || is_own()
    }
}
