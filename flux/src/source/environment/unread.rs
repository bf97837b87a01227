//! That keys which no field has are reported in variables, `APP_TENANTS_A={mxa=3}`, and in what a provider contains.

use crate::{
    document::{raw, tree::Tree},
    problem::{Flaw, MOST_PATH_BYTES, MOST_PROBLEMS, Seg, What, path_bytes},
    schema::{self, Field, Kind},
};

/// A key that is not read, and whether its section refuses such.
pub(crate) struct UnreadKey {
    pub(crate) flaw: Flaw,
    pub(crate) is_strict: bool,
}

/// The keys of `tree` that no field has; with `only_near` only those that are near a field's. A text that cannot be read has none:
/// that is reported where it is decoded. Those that a report has no room for are counted, in one flaw at the end.
pub(crate) fn unread_keys(
    fields: &'static [Field],
    tree: &Tree,
    only_near: bool,
) -> Vec<UnreadKey> {
    let mut walk = UnreadWalk {
        has_secrets: schema::any_secret(fields),
        only_near,
        path: Vec::new(),
        found: Vec::new(),
        copied: 0,
        more: 0,
        is_more_strict: false,
    };
    walk.section(fields, tree);
    let more = (walk.more > 0).then(|| UnreadKey {
        flaw: Flaw::whole(What::More(walk.more)),
        is_strict: walk.is_more_strict,
    });
    walk.found.extend(more);
    walk.found
}

struct UnreadWalk {
    has_secrets: bool,
    only_near: bool,
    path: Vec<Seg>,
    found: Vec<UnreadKey>,
    /// How many bytes of keys their paths have.
    copied: usize,
    /// How many more there are, and whether the section of one of them refuses such.
    more: usize,
    is_more_strict: bool,
}

impl UnreadWalk {
    fn section(&mut self, fields: &'static [Field], tree: &Tree) {
        each(tree, raw::map, |key, _, value| {
            self.path.push(Seg::Key(key.to_owned().into()));
            match schema::step(fields, key) {
                Some((_, kind)) => self.kind(kind, value),
                None => self.unread(fields, key, value),
            }
            self.path.pop();
        });
    }

    fn kind(&mut self, kind: Kind, tree: &Tree) {
        match kind {
            Kind::Leaf => {}
            Kind::Section(inner) => self.section(inner(), tree),
            Kind::Map(entry) => each(tree, raw::map, |key, _, value| {
                self.within(Seg::Key(key.to_owned().into()), *entry, value);
            }),
            // Items that were set one by one are in a map, by their numbers.
            Kind::List(item) => each(tree, raw::list, |key, place, value| {
                let index = key.parse().unwrap_or(place);
                self.within(Seg::Index(index), *item, value);
            }),
        }
    }

    fn within(&mut self, seg: Seg, kind: Kind, value: &Tree) {
        self.path.push(seg);
        self.kind(kind, value);
        self.path.pop();
    }

    fn unread(&mut self, fields: &'static [Field], key: &str, value: &Tree) {
        let is_full = self.found.len() >= MOST_PROBLEMS || self.copied >= MOST_PATH_BYTES;
        let near = match is_full && !self.only_near {
            false => schema::nearest(fields, key),
            true => None,
        };
        if self.only_near && near.is_none() {
            return;
        }
        if is_full {
            self.more += 1;
            self.is_more_strict |= schema::is_strict(fields);
            return;
        }
        let mut path = self.path.clone();
        let is_null = matches!(value, Tree::Null);
        if self.has_secrets && schema::may_be_a_value(fields, key, is_null) {
            path.pop();
            path.push(Seg::WITHHELD);
        }
        self.copied += path_bytes(&path);
        self.found.push(UnreadKey {
            flaw: Flaw {
                path,
                what: What::Unknown(near),
            },
            is_strict: schema::is_strict(fields),
        });
    }
}

/// Looks at each part of a list or a map: its key, its place and its value.
pub(super) fn each(
    tree: &Tree,
    read: fn(&str) -> Result<Tree, raw::Unreadable>,
    mut look: impl FnMut(&str, usize, &Tree),
) {
    let text;
    let tree = match tree {
        Tree::Raw(raw) => match read(raw) {
            Ok(read) => {
                text = read;
                &text
            }
            Err(_) => return,
        },
        other => other,
    };
    match tree {
        Tree::Map(entries) => {
            for (place, (key, value)) in entries.iter().enumerate() {
                look(key, place, value);
            }
        }
        Tree::Seq(items) => {
            for (place, value) in items.iter().enumerate() {
                look("", place, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many keys of that length are named, and how many are counted.
    fn named_and_counted(keys: usize, length: usize) -> (usize, usize) {
        let key = |i: usize| (format!("{i:0length$}"), Tree::Null);
        let found = unread_keys(&[], &Tree::Map((0..keys).map(key).collect()), false);
        match found.last().map(|last| &last.flaw.what) {
            Some(What::More(more)) => (found.len() - 1, *more),
            _ => (found.len(), 0),
        }
    }

    #[test]
    fn unread_keys_beyond_the_room_of_a_report_are_counted() {
        assert_eq!(named_and_counted(MOST_PROBLEMS, 10), (MOST_PROBLEMS, 0));
        assert_eq!(named_and_counted(20_000, 10), (MOST_PROBLEMS, 19_500));
        assert_eq!(named_and_counted(400, MOST_PATH_BYTES / 64), (64, 336));
    }
}
