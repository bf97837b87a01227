//! What is reported of variables, and of keys in what is no document, that are of an earlier version of the program.

use super::{
    Environment, entry,
    key_walk::{FlawRoom, KeyVisitor, visit_keys},
    names::segments,
};
use crate::{
    document::tree::Tree,
    problem::{Flaw, Seg, What},
    report::Entry,
    schema::{self, Field, Kind, Outdated},
    source::VariablePaths,
};
use flux_syntax::{Naming, env_segment};

impl<L> Environment<'_, L> {
    /// What of these variables, whose texts are in `root`, is of an earlier version.
    pub(super) fn outdated(&self, root: &Tree, set: &VariablePaths) -> Vec<Entry> {
        if !schema::any_outdated(self.fields) {
            return Vec::new();
        }
        let named = set.iter().filter_map(|(path, name)| {
            let what = of_name(self.fields, &self.naming, path, name)?;
            let path = path.clone();
            let mut entry = Entry::new("environment", Flaw { path, what });
            entry.variable = Some(name.clone());
            Some(entry)
        });
        let inside = outdated_keys(self.fields, root).into_iter();
        named.chain(inside.map(|flaw| entry(flaw, set))).collect()
    }
}

/// What is said of a name with a key of an earlier version in it; none of another name.
fn of_name(
    fields: &'static [Field],
    naming: &Naming<'_>,
    path: &[Seg],
    name: &str,
) -> Option<What> {
    let search = NameSearch {
        name,
        separator: naming.separator,
    };
    let begin = name.starts_with(naming.prefix).then_some(naming.prefix);
    let begin = Spelling {
        end: begin.map_or(0, str::len),
        now: begin.unwrap_or_default().to_owned(),
        outdated: None,
    };
    let found = search.section(fields, path, begin, false)?;
    Some(found.outdated?.of_named("this variable", &found.now))
}

/// How the begin of a name is spelt.
#[derive(Clone)]
struct Spelling {
    /// How much of the name it is.
    end: usize,
    /// The same with the keys of now.
    now: String,
    /// The key of an earlier version, if there is one.
    outdated: Option<Outdated>,
}

impl Spelling {
    fn then(&self, length: usize, now: &str) -> Self {
        Spelling {
            end: self.end + length,
            now: format!("{}{now}", self.now),
            outdated: self.outdated,
        }
    }
}

struct NameSearch<'n> {
    name: &'n str,
    separator: &'n str,
}

impl NameSearch<'_> {
    /// The spelling of a whole name that leads to `path`. Those without keys of earlier versions come first.
    fn section(
        &self,
        table: &'static [Field],
        path: &[Seg],
        begin: Spelling,
        is_inside: bool,
    ) -> Option<Spelling> {
        let Some((Seg::Key(key), rest)) = path.split_first() else {
            return None;
        };
        let (field, kind) = schema::step(table, key)?;
        if field.flatten {
            return None;
        }
        if let (Some(own), false) = (field.env_exact, is_inside) {
            let own = self.name.starts_with(own).then_some(own)?;
            let begin = Spelling {
                end: own.len(),
                now: own.to_owned(),
                outdated: None,
            };
            return self.behind(kind, rest, begin, is_inside);
        }
        let mut all: Vec<_> = segments(field).collect();
        all.sort_by_key(|(_, is_old)| *is_old);
        all.into_iter().find_map(|(segment, is_old)| {
            self.name[begin.end..].starts_with(&segment).then_some(())?;
            let mut next = begin.then(segment.len(), field.env);
            if is_old {
                let old = field.was().iter().find(|was| env_segment(was) == segment);
                let outdated = old.and_then(|old| Outdated::of_key(field, old));
                // That a field is deprecated is found in the tree.
                let outdated = outdated.filter(Outdated::is_name);
                next.outdated = Outdated::severer(next.outdated, outdated);
            }
            self.behind(kind, rest, next, is_inside)
        })
    }

    /// The same behind the name of a value of this kind.
    fn behind(
        &self,
        kind: Kind,
        path: &[Seg],
        begin: Spelling,
        is_inside: bool,
    ) -> Option<Spelling> {
        let rest = &self.name[begin.end..];
        if path.is_empty() {
            return rest.is_empty().then_some(begin);
        }
        rest.starts_with(self.separator).then_some(())?;
        let begin = begin.then(self.separator.len(), self.separator);
        let rest = &self.name[begin.end..];
        match kind {
            Kind::Section(inner) => self.section(inner(), path, begin, is_inside),
            // What is in a value is spelt by nobody but its type.
            Kind::Leaf => Some(begin.then(rest.len(), rest)),
            Kind::List(item) | Kind::Map(item) => {
                let (seg, path) = path.split_first()?;
                let cuts = rest.match_indices(self.separator).map(|(end, _)| end);
                let mut cuts = cuts.chain([rest.len()]);
                cuts.find_map(|end| {
                    let spelt = &rest[..end];
                    is_spelt(seg, spelt).then_some(())?;
                    self.behind(*item, path, begin.then(end, spelt), true)
                })
            }
        }
    }
}

/// Whether a part of a name may mean this entry or item.
fn is_spelt(seg: &Seg, spelt: &str) -> bool {
    match seg {
        Seg::Key(key) => env_segment(key) == env_segment(spelt),
        Seg::Index(index) => spelt.parse() == Ok(*index),
    }
}

/// What is outdated in a tree: fields that are deprecated, and keys of earlier versions, also in the texts of sections. What a report
/// has no room for is counted.
pub(crate) fn outdated_keys(fields: &'static [Field], tree: &Tree) -> Vec<Flaw> {
    let mut keys = OutdatedKeys::default();
    if schema::any_outdated(fields) {
        visit_keys(fields, tree, &mut keys);
    }
    if keys.more > 0 {
        keys.found.push(Flaw::whole(What::More(keys.more)));
    }
    keys.found
}

#[derive(Default)]
struct OutdatedKeys {
    found: Vec<Flaw>,
    room: FlawRoom,
    /// How many more there are.
    more: usize,
}

impl KeyVisitor for OutdatedKeys {
    fn read(&mut self, path: &[Seg], field: &'static Field, key: &str) {
        let Some(outdated) = Outdated::of_key(field, key) else {
            return;
        };
        if self.room.is_full() {
            self.more += 1;
            return;
        }
        self.room.take(path);
        self.found.push(Flaw {
            path: path.to_vec(),
            what: outdated.of_document(),
        });
    }

    fn unread(&mut self, _: &[Seg], _: &'static [Field], _: &str, _: &Tree) {}
}
