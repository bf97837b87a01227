//! Keys that no field has, in a layer that is given as a tree: in the texts of variables, `APP_TENANTS_A={mxa=3}`, and in what a
//! provider contains.

use crate::{
    document::{raw, tree::Tree},
    problem::{Flaw, Seg, What},
    schema::{self, Field, Kind},
};

/// A key that is not read, and whether its section refuses such.
pub(crate) struct UnreadKey {
    pub(crate) flaw: Flaw,
    pub(crate) is_strict: bool,
}

/// The keys of `tree` that no field has. A text that cannot be read has none: that is reported where it is decoded.
pub(crate) fn unread_keys(fields: &'static [Field], tree: &Tree) -> Vec<UnreadKey> {
    let mut walk = UnreadWalk {
        has_secrets: schema::any_secret(fields),
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.section(fields, tree);
    walk.found
}

struct UnreadWalk {
    has_secrets: bool,
    path: Vec<Seg>,
    found: Vec<UnreadKey>,
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
        let mut path = self.path.clone();
        let is_null = matches!(value, Tree::Null);
        if self.has_secrets && is_null && schema::may_be_a_value(fields, key) {
            path.pop();
            path.push(Seg::Key("…".into()));
        }
        let near = flux_syntax::nearest(key, schema::keys(fields));
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
fn each(
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
