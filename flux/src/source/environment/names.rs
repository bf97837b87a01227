//! What the variable of a field is called, and that a name which means two fields is refused.

use super::files::SUFFIX;
use crate::{
    problem::{Dotted, Seg},
    schema::{Descent, Field, Kind, MAX_DEPTH},
};
use flux_syntax::{Naming, env_segment};
use std::collections::HashMap;

/// One variable that a config type reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) path: Vec<Seg>,
    /// A key of an earlier version is in the name.
    pub(crate) is_old: bool,
}

/// The name of a field, or what names begin with.
#[derive(Clone, PartialEq)]
struct SpeltName {
    text: String,
    is_old: bool,
}

/// Every variable of the table under a prefix, which has the options of [`Naming`]: of a field with aliases one for each name, the
/// field's own first. Entries of maps and lists are not among them: their names depend on what is set.
pub(crate) fn variables(fields: &'static [Field], prefix: &str) -> Vec<Variable> {
    every_name(fields, prefix).variables
}

/// Every variable of the table, and for each one that of a file with its value, where the prefix has that option.
pub(crate) fn names_with_files(fields: &'static [Field], prefix: &str) -> Vec<Variable> {
    let all = variables(fields, prefix);
    if !Naming::parse(prefix).is_ok_and(|naming| naming.files) {
        return all;
    }
    let both = all.into_iter().flat_map(|one| {
        let name = format!("{}{SUFFIX}", one.name);
        let file = Variable {
            name,
            ..one.clone()
        };
        [one, file]
    });
    both.collect()
}

/// The name of the variable that names a file with the value at a path; none where files are not read, or it is an entry's.
pub(crate) fn file_name_of(fields: &'static [Field], prefix: &str, path: &[Seg]) -> Option<String> {
    Naming::parse(prefix).ok().filter(|naming| naming.files)?;
    let mut all = variables(fields, prefix).into_iter();
    let found = all.find(|variable| variable.path == path)?;
    Some(format!("{}{SUFFIX}", found.name))
}

/// The names of sections, which have no variable as a whole.
pub(super) fn sections(fields: &'static [Field], prefix: &str) -> Vec<Variable> {
    every_name(fields, prefix).sections
}

/// A name that is computed for a field with a variable of its own, and that is not read.
pub(super) struct UnreadName {
    pub(super) computed: Variable,
    /// The variable that is read.
    pub(super) own: &'static str,
}

/// The names that fields with a variable of their own would have without it.
pub(super) fn unread_names(fields: &'static [Field], prefix: &str) -> Vec<UnreadName> {
    every_name(fields, prefix).unread
}

#[derive(Default)]
struct EveryName {
    variables: Vec<Variable>,
    sections: Vec<Variable>,
    unread: Vec<UnreadName>,
}

fn every_name(fields: &'static [Field], prefix: &str) -> EveryName {
    let mut all = EveryName::default();
    if let Ok(naming) = Naming::parse(prefix) {
        let prefixes = [SpeltName {
            text: naming.prefix.to_owned(),
            is_old: false,
        }];
        collect(
            fields,
            naming.separator,
            &prefixes,
            &[],
            &Descent::at(fields, MAX_DEPTH),
            &mut all,
        );
    }
    all
}

/// Every name of a field's variable, the one that is not an alias first.
pub(super) fn names_of(field: &Field, prefixes: &[String]) -> Vec<String> {
    match field.env_exact {
        Some(exact) => vec![exact.to_owned()],
        None => computed_names(field, prefixes),
    }
}

/// The names that are computed, also of a field that has a variable of its own: the fields of an entry have no other.
pub(super) fn computed_names(field: &Field, prefixes: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for (segment, _) in segments(field) {
        for prefix in prefixes {
            let name = format!("{prefix}{segment}");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// What each of a field's keys is in a name, the one that is not an alias first, those of earlier versions last; and whether it is one
/// of these.
pub(super) fn segments(field: &Field) -> impl Iterator<Item = (String, bool)> {
    let aliases = field.aliases.iter();
    let aliases = aliases.map(|alias| (env_segment(alias), field.is_old(alias)));
    std::iter::once((field.env.to_owned(), false)).chain(aliases)
}

/// The same names, and which of them are of an earlier version: only where no other key has the same.
fn spelt_names(field: &Field, prefixes: &[SpeltName]) -> Vec<SpeltName> {
    let mut names: Vec<SpeltName> = Vec::new();
    for (segment, is_old) in segments(field) {
        for prefix in prefixes {
            let text = format!("{}{segment}", prefix.text);
            let is_old = is_old || prefix.is_old;
            match names.iter_mut().find(|known| known.text == text) {
                Some(known) => known.is_old &= is_old,
                None => names.push(SpeltName { text, is_old }),
            }
        }
    }
    names
}

fn collect(
    fields: &'static [Field],
    separator: &str,
    prefixes: &[SpeltName],
    path: &[Seg],
    at: &Descent<'_>,
    all: &mut EveryName,
) {
    for field in fields {
        let mut path = path.to_vec();
        match field.kind {
            Kind::Section(inner) if field.flatten => {
                if let Some(at) = at.enter(inner()) {
                    collect(inner(), separator, prefixes, &path, &at, all);
                }
            }
            Kind::Section(inner) => {
                path.push(Seg::Key(field.name.into()));
                if let Some(at) = at.enter(inner()) {
                    let mut names = spelt_names(field, prefixes);
                    let named = names.iter().map(|name| Variable {
                        name: name.text.clone(),
                        path: path.clone(),
                        is_old: name.is_old,
                    });
                    all.sections.extend(named);
                    for name in &mut names {
                        name.text.push_str(separator);
                    }
                    let inside = names;
                    collect(inner(), separator, &inside, &path, &at, all);
                }
            }
            // A flattened map has no name of its own.
            _ if field.flatten => {}
            Kind::Leaf | Kind::List(_) | Kind::Map(_) => {
                path.push(Seg::Key(field.name.into()));
                let variable = |name: SpeltName| Variable {
                    name: name.text,
                    path: path.clone(),
                    is_old: name.is_old,
                };
                let computed = spelt_names(field, prefixes).into_iter().map(variable);
                let Some(own) = field.env_exact else {
                    all.variables.extend(computed);
                    continue;
                };
                all.variables.push(Variable {
                    name: own.to_owned(),
                    path: path.clone(),
                    is_old: false,
                });
                let unread = computed.map(|computed| UnreadName { computed, own });
                all.unread.extend(unread);
            }
        }
    }
}

/// The name of the variable that sets the value at `path`, also in an entry of a map or an item of a list.
pub(crate) fn name_of(fields: &'static [Field], prefix: &str, path: &[Seg]) -> Option<String> {
    let naming = Naming::parse(prefix).ok()?;
    let mut all = variables(fields, prefix).into_iter();
    if let Some(found) = all.find(|variable| variable.path == path) {
        return Some(found.name);
    }
    // The longest path that has a variable is a list's or a map's.
    let length = (1..path.len()).rev().find(|end| {
        let head = &path[..*end];
        variables(fields, prefix)
            .iter()
            .any(|variable| variable.path == head)
    })?;
    let mut all = variables(fields, prefix).into_iter();
    let mut name = all.find(|variable| variable.path == path[..length])?.name;
    if naming.prefix.is_empty() {
        return None;
    }
    for (end, seg) in path.iter().enumerate().skip(length) {
        name.push_str(naming.separator);
        match seg {
            Seg::Index(index) => name.push_str(&index.to_string()),
            Seg::Key(key) => {
                let table = crate::schema::table(fields, &path[..end]);
                let field = crate::schema::find(table, key);
                match field.filter(|field| !field.flatten) {
                    Some(field) => name.push_str(field.env),
                    None => name.push_str(&env_segment(key)),
                }
            }
        }
    }
    Some(name)
}

/// Two fields that one variable would set under `prefix` are refused.
pub(crate) fn check_names(fields: &'static [Field], prefix: &str) -> Result<(), String> {
    Naming::parse(prefix).map_err(|error| format!("the source `env:{prefix}`: {error}"))?;
    let mut known: HashMap<String, Vec<Seg>> = HashMap::new();
    let all = variables(fields, prefix);
    if Naming::parse(prefix).is_ok_and(|naming| naming.files) {
        let mut both = all.iter().filter_map(|one| {
            let name = one.name.strip_suffix(SUFFIX)?;
            let of = all.iter().find(|of| of.name == name)?;
            Some((of, one))
        });
        if let Some((of, one)) = both.find(|(of, one)| of.path != one.path) {
            return Err(format!(
                "{} would be the file of `{}` and the value of `{}`; give one of them a variable of its own, `#[flux(env = \"..\")]`",
                one.name,
                Dotted(&of.path),
                Dotted(&one.path),
            ));
        }
    }
    for variable in all {
        if let Some(other) = known.insert(variable.name.clone(), variable.path.clone())
            && other != variable.path
        {
            return Err(format!(
                "the environment variable {} would set both `{}` and `{}`; rename one, or give it a variable of its own: `#[flux(env = \"..\")]`",
                variable.name,
                Dotted(&other),
                Dotted(&variable.path),
            ));
        }
    }
    Ok(())
}
