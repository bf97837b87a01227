//! Which variables and which argument are named as those that can set a path.

use crate::{
    problem::{KeyPath, Seg},
    schema::{self, Field},
    source::{arguments, environment},
};
use flux_syntax::nearest;
use std::{collections::HashMap, sync::OnceLock};

/// Longer names are compared with none: the work grows with the product of both lengths.
const LONGEST: usize = 256;

/// The names by which paths can be set in this program.
pub(super) struct SettingNames {
    /// What the names of variables begin with, of the highest layer first.
    prefixes: Vec<String>,
    /// The variables of each field, made once one is asked for.
    variables: OnceLock<HashMap<Vec<Seg>, Vec<String>>>,
    reads_arguments: bool,
    /// The argument of each field.
    arguments: OnceLock<HashMap<Vec<Seg>, Option<String>>>,
}

impl SettingNames {
    pub(super) fn new(prefixes: Vec<String>, reads_arguments: bool) -> Self {
        SettingNames {
            prefixes,
            variables: OnceLock::new(),
            reads_arguments,
            arguments: OnceLock::new(),
        }
    }

    /// Whether the other ones have the same names.
    #[cfg(feature = "page")]
    pub(super) fn are_those_of(&self, other: &Self) -> bool {
        self.prefixes == other.prefixes && self.reads_arguments == other.reads_arguments
    }

    /// The argument that can set a path: its own, or the one for any path; none where no layer reads arguments.
    pub(super) fn argument(&self, fields: &'static [Field], path: &[Seg]) -> Option<String> {
        if !self.reads_arguments {
            return None;
        }
        let all = || arguments::names_by_path(fields).collect();
        match self.arguments.get_or_init(all).get(path) {
            Some(name) => name.clone(),
            None => arguments::name_of(fields, path),
        }
    }

    /// The variables that can set a path: of a field with aliases one for each name, under every prefix; none of an earlier version.
    pub(super) fn variables(&self, fields: &'static [Field], path: &[Seg]) -> Vec<String> {
        if self.prefixes.is_empty() {
            return Vec::new();
        }
        let known = self.known(fields);
        if let Some(own) = known.get(path) {
            return own.clone();
        }
        // Of an entry or an item, where it may have one.
        let is_within = (1..path.len()).any(|end| known.contains_key(&path[..end]));
        let prefixes = self.prefixes.iter().filter(|_| is_within);
        prefixes
            .filter_map(|prefix| environment::name_of(fields, prefix, path))
            .collect()
    }

    /// The path that the variable of this name sets.
    pub(super) fn set_by(&self, fields: &'static [Field], name: &str) -> Option<KeyPath> {
        let mut known = self.known(fields).iter();
        let known = known.find(|(_, names)| names.iter().any(|one| one == name));
        let known = known.map(|(path, _)| KeyPath::new(path));
        known.or_else(|| self.set_by_old(fields, name))
    }

    /// The path that the variable of this name sets, with a key of an earlier version in it.
    fn set_by_old(&self, fields: &'static [Field], name: &str) -> Option<KeyPath> {
        if !schema::any_outdated(fields) {
            return None;
        }
        let all = self.prefixes.iter();
        let mut all = all.flat_map(|prefix| environment::names_with_files(fields, prefix));
        let one = all.find(|one| one.name == name)?;
        Some(KeyPath::new(&one.path))
    }

    /// What a variable of nearly this name sets, or one that it begins with, as that of an entry does.
    pub(super) fn nearly_set_by(&self, fields: &'static [Field], name: &str) -> Option<KeyPath> {
        let is_one = self.prefixes.iter().any(|prefix| name.starts_with(prefix));
        if !is_one || name.len() > LONGEST {
            return None;
        }
        let all = || self.known(fields).values().flatten();
        let around = all().filter(|one| {
            name.strip_prefix(&***one)
                .is_some_and(|rest| rest.starts_with('_'))
        });
        let around = around.max_by_key(|one| one.len()).map(String::as_str);
        let near = around.or_else(|| nearest(name, all().map(String::as_str)));
        self.set_by(fields, near?)
    }

    fn known(&self, fields: &'static [Field]) -> &HashMap<Vec<Seg>, Vec<String>> {
        self.variables.get_or_init(|| {
            let mut known: HashMap<Vec<Seg>, Vec<String>> = HashMap::new();
            for prefix in &self.prefixes {
                let all = environment::names_with_files(fields, prefix);
                for one in all.into_iter().filter(|one| !one.is_old) {
                    known.entry(one.path).or_default().push(one.name);
                }
            }
            known
        })
    }
}
