//! That keys which no field has are reported in variables, `APP_TENANTS_A={mxa=3}`, and in what a provider contains.

use super::key_walk::{FlawRoom, KeyVisitor, visit_keys};
use crate::{
    document::tree::Tree,
    problem::{Flaw, Seg, What},
    schema::{self, Field},
};

/// A key that is not read, and whether its section refuses such.
pub(crate) struct UnreadKey {
    pub(crate) flaw: Flaw,
    pub(crate) is_strict: bool,
}

/// The keys of `tree` that no field has; with `only_near` only those that are near a field's. Those that a report has no room for are
/// counted, in one flaw at the end.
pub(crate) fn unread_keys(
    fields: &'static [Field],
    tree: &Tree,
    only_near: bool,
) -> Vec<UnreadKey> {
    let mut keys = UnreadKeys {
        has_secrets: schema::any_secret(fields),
        only_near,
        found: Vec::new(),
        room: FlawRoom::default(),
        more: 0,
        is_more_strict: false,
    };
    visit_keys(fields, tree, &mut keys);
    let more = (keys.more > 0).then(|| UnreadKey {
        flaw: Flaw::whole(What::More(keys.more)),
        is_strict: keys.is_more_strict,
    });
    keys.found.extend(more);
    keys.found
}

struct UnreadKeys {
    has_secrets: bool,
    only_near: bool,
    found: Vec<UnreadKey>,
    room: FlawRoom,
    /// How many more there are, and whether the section of one of them refuses such.
    more: usize,
    is_more_strict: bool,
}

impl KeyVisitor for UnreadKeys {
    fn read(&mut self, _: &[Seg], _: &'static Field, _: &str) {}

    fn unread(&mut self, path: &[Seg], fields: &'static [Field], key: &str, value: &Tree) {
        let is_full = self.room.is_full();
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
        let mut path = path.to_vec();
        let is_null = matches!(value, Tree::Null);
        if self.has_secrets && schema::may_be_a_value(fields, key, is_null) {
            path.pop();
            path.push(Seg::WITHHELD);
        }
        self.room.take(&path);
        self.found.push(UnreadKey {
            flaw: Flaw {
                path,
                what: What::Unknown(near),
            },
            is_strict: schema::is_strict(fields),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{MOST_PATH_BYTES, MOST_PROBLEMS};

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
