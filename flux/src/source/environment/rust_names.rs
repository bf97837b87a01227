//! The names that variables would have by the names of fields in Rust, where serde calls them something else or flattens them: they are
//! not read.

use crate::schema::{Descent, Field, Kind, MAX_DEPTH};
use flux_syntax::{Naming, env_segment};

/// The beginning of a name that is not read, and of the one that is.
#[derive(Clone)]
pub(super) struct NameInRust {
    pub(super) name: String,
    pub(super) read: String,
    /// It is that of a section, a list or a map of sections.
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
                // Its own name, which no variable has, is no more than the name of a field in Rust.
                let own = prefixes.iter().map(|one| NameInRust {
                    name: format!("{}{}{separator}", one.name, field.env),
                    ..one.clone()
                });
                let prefixes: Vec<_> = prefixes.iter().cloned().chain(own).collect();
                collect(inner(), separator, &prefixes, &at, all);
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
