//! Variables with the names that fields have in Rust, where serde calls them something else: they are not read.

use super::{
    Environment, Variable,
    names::{sections, variables},
};
use crate::{
    problem::Seg,
    schema::{Descent, Field, Kind, MAX_DEPTH},
};
use flux_syntax::{Naming, env_segment};

/// The beginning of a name that is not read, and of the one that is.
#[derive(Clone)]
pub(super) struct NameInRust {
    pub(super) name: String,
    pub(super) read: String,
    /// It is that of a section, a list or a map of sections.
    has_fields: bool,
}

/// The name that is read in the place of another one.
pub(super) struct MeantInRust {
    pub(super) name: String,
    /// There are names of fields behind the one that was replaced.
    pub(super) has_fields: bool,
}

/// Every name of a field or a section that is its name in Rust, or that is below one.
pub(super) fn names_in_rust(fields: &'static [Field], prefix: &str) -> Vec<NameInRust> {
    let mut all = Vec::new();
    if let Ok(naming) = Naming::parse(prefix) {
        let prefixes = [NameInRust {
            name: naming.prefix.to_owned(),
            read: naming.prefix.to_owned(),
            has_fields: true,
        }];
        let at = Descent::at(fields, MAX_DEPTH);
        collect(fields, naming.separator, &prefixes, &at, &mut all);
    }
    all
}

fn collect(
    fields: &'static [Field],
    separator: &str,
    prefixes: &[NameInRust],
    at: &Descent<'_>,
    all: &mut Vec<NameInRust>,
) {
    for field in fields {
        if field.flatten {
            if let Kind::Section(inner) = field.kind
                && let Some(at) = at.enter(inner())
            {
                collect(inner(), separator, prefixes, &at, all);
            }
            continue;
        }
        let names = names_of(field, prefixes);
        let unread = names.iter().filter(|one| one.name != one.read);
        all.extend(unread.cloned());
        if let Kind::Section(inner) = field.kind
            && let Some(at) = at.enter(inner())
        {
            let inside = names.into_iter().map(|one| NameInRust {
                name: one.name + separator,
                read: one.read + separator,
                has_fields: true,
            });
            let inside: Vec<_> = inside.collect();
            collect(inner(), separator, &inside, &at, all);
        }
    }
}

/// The names of a field below those of its section: the read ones, and those with the name in Rust of either.
fn names_of(field: &Field, prefixes: &[NameInRust]) -> Vec<NameInRust> {
    let mut names = Vec::new();
    let has_fields = field.kind.table().is_some();
    if let Some(own) = field.env_exact {
        names.push(NameInRust {
            name: own.to_owned(),
            read: own.to_owned(),
            has_fields,
        });
    }
    let aliases = field.aliases.iter().map(|alias| env_segment(alias));
    let known = std::iter::once(field.env.to_owned()).chain(aliases);
    let known: Vec<_> = known.map(|segment| (segment.clone(), segment)).collect();
    let in_rust = field.env_in_rust;
    let in_rust = in_rust.map(|segment| (segment.to_owned(), field.env.to_owned()));
    for prefix in prefixes {
        for (segment, meant) in known.iter().chain(&in_rust) {
            let is_in_rust = prefix.name != prefix.read || segment != meant;
            let read = match field.env_exact {
                // A name that is computed is known to be unread, and is no name in Rust.
                Some(_) if !is_in_rust => continue,
                Some(own) => own.to_owned(),
                None => format!("{}{meant}", prefix.read),
            };
            let name = format!("{}{segment}", prefix.name);
            names.push(NameInRust {
                name,
                read,
                has_fields,
            });
        }
    }
    names
}

impl<L> Environment<'_, L> {
    /// The name that is read in the place of one that is, or begins with, the name of a field in Rust.
    pub(super) fn meant_in_rust(&self, name: &str) -> Option<MeantInRust> {
        let separator = self.naming.separator;
        let is_begin = |stem: &str| {
            let rest = name.strip_prefix(stem);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
        };
        let names = names_in_rust(self.fields, self.prefix).into_iter();
        let names = names.filter(|one| is_begin(&one.name));
        let longest = names.max_by_key(|one| one.name.len())?;
        // Another field, or its section, may have that very name, or a longer part of this one.
        let length = longest.name.len();
        let is_own = |one: &Variable| one.name.len() >= length && is_begin(&one.name);
        let sections = sections(self.fields, self.prefix);
        if self.fixed.iter().chain(&sections).any(is_own) {
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
