//! Which variable was meant where one has the name that a field has in Rust, and serde calls that something else.

use super::{Environment, Variable, names::variables, rust_names::names_in_rust};
use crate::{problem::Seg, schema::Field};

/// The name that is read in the place of another one.
pub(super) struct MeantInRust {
    pub(super) name: String,
    /// There are names of fields behind the one that was replaced.
    pub(super) has_fields: bool,
}

impl<L> Environment<'_, L> {
    /// The name that is read in the place of one that is, or begins with, the name of a field in Rust.
    pub(super) fn meant_in_rust(&self, name: &str) -> Option<MeantInRust> {
        let separator = self.naming.separator;
        let is_begin = |stem: &str| {
            let rest = name.strip_prefix(stem);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
        };
        let names = self.names_in_rust().iter();
        let names = names.filter(|one| is_begin(&one.name));
        let longest = names.max_by_key(|one| one.name.len())?;
        // Another field, or its section, may have that very name, or a longer part of this one.
        let length = longest.name.len();
        let is_own = |one: &Variable| one.name.len() >= length && is_begin(&one.name);
        if self.fixed.iter().chain(self.sections()).any(is_own) {
            return None;
        }
        Some(MeantInRust {
            name: format!("{}{}", longest.read, &name[length..]),
            has_fields: longest.has_fields,
        })
    }

    /// The path of a field, and what is behind "is not read", for its name in Rust.
    pub(super) fn by_name_in_rust(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        let meant = self.meant_in_rust(name)?.name;
        let path = self.path_read(&meant)?;
        Some((path, format!(", did you mean `{meant}`?")))
    }
}

/// The name of a field in an entry or an item, where `name` is its name in Rust.
pub(super) fn meant_in_section(
    fields: &'static [Field],
    separator: &str,
    name: &str,
) -> Option<String> {
    let prefix = format!("?separator={separator}");
    let mut names = names_in_rust(fields, &prefix).into_iter();
    let found = names.find(|one| one.name == name)?;
    let is_read = |one: Variable| one.name == found.read;
    variables(fields, &prefix)
        .into_iter()
        .any(is_read)
        .then_some(found.read)
}
