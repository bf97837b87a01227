//! Variables that a capacitor reads in another place than the layer that looks at their names.

use super::{Environment, Variables};
use std::collections::BTreeSet;

/// What is read besides one layer of the environment.
#[derive(Debug, Default)]
pub(crate) struct ReadElsewhere {
    /// The variables that are named in paths and URIs of the declaration.
    pub(crate) names: BTreeSet<String>,
    /// The prefixes of every layer of the environment, its own among them.
    pub(crate) prefixes: BTreeSet<String>,
}

impl<L> Environment<'_, L> {
    /// Whether the variable is named in a path or a URI, or is read by another layer of the environment.
    pub(super) fn is_read_elsewhere(&self, name: &str) -> bool {
        let elsewhere = &self.variables.elsewhere;
        let mut prefixes = elsewhere.prefixes.iter();
        elsewhere.names.contains(name)
            || prefixes.any(|prefix| {
                let other = |variables: &Variables| {
                    let other = Environment::new(self.fields, self.decode, prefix, variables)?;
                    other.path_read(name)
                };
                *prefix != self.prefix && other(self.variables).is_some()
            })
    }
}
