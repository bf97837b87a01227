//! The field table of a config type: which field a path leads to, and whether anything there is secret; names, unknown keys,
//! secrets, reports and documentation follow it.

mod constraint;
mod cursor;
mod descent;
mod field;
mod value_type;

pub use constraint::{Bound, ChangeRule, Constraint, ConstraintKind, DefaultValue, MergeRule};
pub(crate) use cursor::{Cursor, SecretPlaces};
pub(crate) use descent::{Descent, every_table};
pub(crate) use field::names_secret as is_secret_type;
pub use field::{Field, Kind};
pub(crate) use field::{Outdated, deprecation};
#[cfg(feature = "schemars")]
pub use value_type::LeafSchema;
pub use value_type::{TypeFacts, ValueType};

use crate::problem::Seg;

/// The field that `key` names, looking into flattened sections.
pub(crate) fn find(fields: &'static [Field], key: &str) -> Option<&'static Field> {
    for field in fields {
        if field.flatten {
            if let Kind::Section(inner) = field.kind
                && let Some(found) = find(inner(), key)
            {
                return Some(found);
            }
        } else if field.is(key) {
            return Some(field);
        }
    }
    None
}

/// The flattened map that takes the keys that no field has.
pub(crate) fn rest(fields: &'static [Field]) -> Option<&'static Field> {
    let mut flat = fields.iter().filter(|field| field.flatten);
    flat.find_map(|field| match field.kind {
        Kind::Section(inner) => rest(inner()),
        _ => Some(field),
    })
}

/// The field that has `key`, and what is under it: in a flattened map, an entry.
pub(crate) fn step(fields: &'static [Field], key: &str) -> Option<(&'static Field, Kind)> {
    if let Some(field) = find(fields, key) {
        return Some((field, field.kind));
    }
    let field = rest(fields)?;
    match field.kind {
        Kind::Map(entry) => Some((field, *entry)),
        kind => Some((field, kind)),
    }
}

/// Whether the items or entries of the value at a path have rules of their own.
pub(crate) fn has_item_rules(fields: &'static [Field], path: &[Seg]) -> bool {
    let is_each = |one: &Constraint| matches!(one.kind, ConstraintKind::Each(_));
    match follow(fields, path) {
        Reached::Leaf(field, _) => field.constraints().iter().any(is_each),
        _ => false,
    }
}

/// What is at a path of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The value of a field, or something in it.
    Leaf {
        /// It is never printed.
        secret: bool,
    },
    /// A section, a list or a map of sections, or the document.
    Structure,
    /// Something under a key that no field has.
    Unknown,
}

/// Where a path leads.
pub(crate) enum Reached {
    /// To a section with these fields.
    Section(&'static [Field]),
    /// To a list or a map of sections.
    Collection,
    /// To this field, which has a value, after so many steps, and perhaps on into the value.
    Leaf(&'static Field, usize),
    /// To something that is not in the table, with the step of this index.
    #[cfg_attr(
        not(feature = "testing"),
        allow(dead_code, reason = "only a recording needs the step")
    )]
    Unknown(usize),
}

/// Follows a path through the field table.
pub(crate) fn follow(fields: &'static [Field], path: &[Seg]) -> Reached {
    let (mut table, mut at) = (fields, 0);
    loop {
        let (field, mut kind) = match path.get(at) {
            None => return Reached::Section(table),
            Some(Seg::Index(_)) => return Reached::Unknown(at),
            Some(Seg::Key(key)) => match step(table, key) {
                Some(found) => found,
                None => return Reached::Unknown(at),
            },
        };
        at += 1;
        table = loop {
            match kind {
                Kind::Leaf => return Reached::Leaf(field, at),
                Kind::Section(inner) => break inner(),
                Kind::List(_) | Kind::Map(_) if at == path.len() => return Reached::Collection,
                Kind::List(item) | Kind::Map(item) => (kind, at) = (*item, at + 1),
            }
        };
    }
}

/// The path with the own name of each field that it names by an alias.
pub(crate) fn with_own_names(fields: &'static [Field], path: &[Seg]) -> Vec<Seg> {
    let mut own = path.to_vec();
    let (mut section, mut items) = (Some(fields), None);
    for seg in &mut own {
        let kind = match (section, items, &*seg) {
            (Some(table), _, Seg::Key(key)) => {
                let named = find(table, key);
                let kind = named.map(|field| field.kind);
                let kind = kind.or_else(|| step(table, key).map(|(_, kind)| kind));
                if let Some(field) = named {
                    *seg = Seg::Key(field.name.into());
                }
                kind
            }
            (None, Some(item), _) => Some(item),
            _ => None,
        };
        (section, items) = match kind {
            Some(Kind::Section(inner)) => (Some(inner()), None),
            Some(Kind::List(item) | Kind::Map(item)) => (None, Some(*item)),
            Some(Kind::Leaf) | None => (None, None),
        };
    }
    own
}

/// What is at `path`.
pub(crate) fn place(fields: &'static [Field], path: &[Seg]) -> Place {
    match follow(fields, path) {
        // A secret that was written into a map of other things keeps its name.
        Reached::Leaf(field, at) => Place::Leaf {
            secret: field.is_secret() || names_secret(fields, &path[at..]),
        },
        Reached::Section(_) | Reached::Collection => Place::Structure,
        Reached::Unknown(_) => Place::Unknown,
    }
}

/// The fields of the section at `path`; none for anything else.
pub(crate) fn table(fields: &'static [Field], path: &[Seg]) -> &'static [Field] {
    match follow(fields, path) {
        Reached::Section(table) => table,
        _ => &[],
    }
}

/// Whether a value found at `path` must never be printed: a secret field and anything in it; and, in a type that has secrets,
/// what is under a key that no field has (it may be a misspelt secret) or in the place of a section.
pub(crate) fn is_secret(fields: &'static [Field], path: &[Seg]) -> bool {
    match place(fields, path) {
        Place::Leaf { secret } => secret,
        Place::Structure | Place::Unknown => any_secret(fields),
    }
}

/// How many steps of `path` can be shown: a secret's own keys cannot.
pub(crate) fn shown_steps(fields: &'static [Field], path: &[Seg]) -> usize {
    let secret = |end: &usize| place(fields, &path[..*end]) == Place::Leaf { secret: true };
    (1..path.len()).find(secret).unwrap_or(path.len())
}

/// Whether a key of `path` is a secret field's, or nearly.
fn names_secret(fields: &'static [Field], path: &[Seg]) -> bool {
    let names = match path.is_empty() {
        true => Vec::new(),
        false => secret_names(fields),
    };
    path.iter().any(|seg| match seg {
        Seg::Key(key) => flux_syntax::nearest(key, names.iter().copied()).is_some(),
        Seg::Index(_) => false,
    })
}

fn secret_names(fields: &'static [Field]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for field in every_table(fields).flatten() {
        if field.is_secret() {
            names.push(field.name);
            names.extend(field.aliases);
        }
    }
    names
}

/// Every key of the fields, and of the sections in them.
pub(crate) fn every_key(fields: &'static [Field]) -> Vec<&'static str> {
    let all = every_table(fields).flatten();
    all.map(|field| field.name).collect()
}

/// How often a type that contains itself is followed into itself, where that makes a difference.
pub(crate) const MAX_DEPTH: u8 = 8;

/// Whether any field of the table, or of the sections in it, is secret.
pub(crate) fn any_secret(fields: &'static [Field]) -> bool {
    any(fields, Field::is_secret)
}

/// Whether any field holds values of a type of the program, in which a secret would not be known.
pub(crate) fn any_of_the_program(fields: &'static [Field]) -> bool {
    any(fields, Field::is_of_the_program)
}

/// Whether code of the program may make a secret where no layer has one.
pub(crate) fn may_make_secrets(fields: &'static [Field]) -> bool {
    any(fields, |field| {
        let inner = || field.kind.table().is_some_and(any_secret);
        field.has_made_default() && (field.is_secret() || inner())
    })
}

/// The texts of the literal defaults of secrets.
pub(crate) fn secret_defaults(fields: &'static [Field]) -> impl Iterator<Item = &'static str> {
    let secret = (every_table(fields).flatten()).filter(|field| field.is_secret());
    secret.filter_map(Field::literal_default)
}

/// Whether any section refuses unknown keys.
pub(crate) fn any_strict(fields: &'static [Field]) -> bool {
    any(fields, |field| field.strict)
}

/// Whether any key of these fields, or of the sections in them, is outdated.
pub(crate) fn any_outdated(fields: &'static [Field]) -> bool {
    any(fields, |field| {
        !field.was().is_empty() || field.deprecated().is_some()
    })
}

/// The key of a path that is outdated: one that is not read any more, else the first.
pub(crate) fn outdated_step(fields: &'static [Field], path: &[Seg]) -> Option<Outdated> {
    let (mut table, mut kind) = (Some(fields), Kind::Leaf);
    let mut known = None;
    for seg in path {
        kind = match (table, kind, seg) {
            (Some(table), _, Seg::Key(key)) => {
                let Some((field, kind)) = step(table, key) else {
                    break;
                };
                known = Outdated::severer(known, Outdated::of_key(field, key));
                kind
            }
            (None, Kind::List(item) | Kind::Map(item), _) => *item,
            _ => break,
        };
        table = match kind {
            Kind::Section(inner) => Some(inner()),
            _ => None,
        };
    }
    known
}

fn any(fields: &'static [Field], test: fn(&Field) -> bool) -> bool {
    every_table(fields).flatten().any(test)
}

/// Whether a rule may look at the running value of anything in sections with these fields.
pub(crate) fn may_be_guarded(fields: &'static [Field]) -> bool {
    may(fields, MAX_DEPTH, &|field| field.is_guarded())
}

/// Whether anything in sections with these fields may wait for a restart.
pub(crate) fn may_wait(fields: &'static [Field]) -> bool {
    may(fields, MAX_DEPTH, &|field| field.waits_for_restart())
}

/// What is too deep to look at may have it.
fn may(fields: &'static [Field], depth: u8, test: &dyn Fn(&Field) -> bool) -> bool {
    fields.iter().any(|field| {
        let inner = || field.kind.table();
        test(field) || inner().is_some_and(|inner| depth == 0 || may(inner, depth - 1, test))
    })
}

/// Whether a section with these fields refuses unknown keys.
pub(crate) fn is_strict(fields: &'static [Field]) -> bool {
    fields.iter().any(|field| {
        let inner = field.kind.table().filter(|_| field.flatten);
        field.strict || inner.is_some_and(is_strict)
    })
}

/// Every key of the table, those of flattened sections included.
pub(crate) fn keys(fields: &'static [Field]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for field in fields {
        match field.kind {
            Kind::Section(inner) if field.flatten => all.extend(keys(inner())),
            _ if field.flatten => {}
            _ => all.push(field.name),
        }
    }
    all
}

/// Every other name of the keys of the table.
fn aliases(fields: &'static [Field]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for field in fields {
        match field.kind {
            Kind::Section(inner) if field.flatten => all.extend(aliases(inner())),
            _ if field.flatten => {}
            _ => all.extend(field.aliases),
        }
    }
    all
}

/// The name that was probably meant by a key that no field has. What is near to a name of an earlier version has the name since.
pub(crate) fn nearest(fields: &'static [Field], key: &str) -> Option<&'static str> {
    let near = flux_syntax::nearest(key, keys(fields).into_iter().chain(aliases(fields)))?;
    let field = find(fields, near)?;
    Some(if field.is_old(near) { field.name } else { near })
}

/// So many letters of a name are enough to tell which one is meant.
const BEGINNING: usize = 4;

/// The name that is suggested for a key that no field has: the [`nearest`], or the only one that the key is the beginning of.
pub(crate) fn suggested(fields: &'static [Field], key: &str) -> Option<&'static str> {
    nearest(fields, key).or_else(|| {
        let is_beginning = key.chars().count() >= BEGINNING;
        let mut known = keys(fields).into_iter();
        let mut begun = known
            .by_ref()
            .filter(|name| is_beginning && name.starts_with(key));
        begun.next().filter(|_| begun.next().is_none())
    })
}

/// Whether a key that no field has may be, or contain, a secret. In YAML `{secret}` and `{password:secret}` are maps with a key
/// alone, and `password 'a: b'`, a colon too few, has the key `password 'a`.
pub(crate) fn may_be_a_value(table: &'static [Field], key: &str, is_alone: bool) -> bool {
    let is_near = || nearest(table, key).is_some();
    step(table, key).is_none() && (separates(key) || is_alone && !is_near())
}

/// Whether a key has what separates a key from its value, or values from each other, so that it may contain a value.
pub(crate) fn separates(key: &str) -> bool {
    key.contains(|c: char| c.is_whitespace() || "'\"`:=,;{}[]".contains(c))
}
