//! The names of settings outside of documents, as far as the code alone has them.

use crate::{
    Config,
    problem::Seg,
    schema::Field,
    source::{arguments, environment},
};
use std::collections::HashMap;

/// The first variable of each path under a prefix, and its argument.
pub(super) struct FieldNames {
    variables: HashMap<Vec<Seg>, String>,
    /// None where the config type does not declare arguments.
    arguments: Option<HashMap<Vec<Seg>, Option<String>>>,
}

impl FieldNames {
    /// With variables where there is a prefix.
    pub(super) fn of<C: Config>(prefix: Option<&str>) -> Self {
        let mut variables = HashMap::new();
        let known = prefix.map(|prefix| environment::variables(C::fields(), prefix));
        for one in known.into_iter().flatten() {
            variables.entry(one.path).or_insert(one.name);
        }
        let arguments = || arguments::names_by_path(C::fields()).collect();
        FieldNames {
            variables,
            arguments: C::READS_ARGUMENTS.then(arguments),
        }
    }

    pub(super) fn variable(&self, path: &[Seg]) -> Option<&str> {
        self.variables.get(path).map(String::as_str)
    }

    pub(super) fn have_arguments(&self) -> bool {
        self.arguments.is_some()
    }

    /// Long and short, as they are typed; none where nothing but `--set` sets the path.
    pub(super) fn arguments(&self, field: &Field, path: &[Seg]) -> Vec<String> {
        let all = self.arguments.as_ref().and_then(|all| all.get(path));
        let Some(long) = all.and_then(Option::as_ref) else {
            return Vec::new();
        };
        let short = field.short().map(|letter| format!("-{letter}"));
        std::iter::once(long.clone()).chain(short).collect()
    }
}
