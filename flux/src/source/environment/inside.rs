//! Variables of their own that fields have in items of lists and entries of maps, where nothing reads them.

use super::{Environment, names::name_of, suspect::SuspectVariable};
use crate::{
    problem::{Dotted, Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::{Descent, Field, Kind, MAX_DEPTH},
};

/// A field that is in an item or an entry, with a variable of its own.
struct InsideField {
    own: &'static str,
    /// In the first item, or in an entry called `key`.
    path: Vec<Seg>,
    /// So many steps of it lead to the list or the map.
    outer: usize,
}

impl<L> Environment<'_, L> {
    /// The variables that are set and are those of fields in items or entries alone: each of these would be set by one text. They may
    /// belong to somebody else.
    pub(super) fn unread_inside(&self) -> Vec<SuspectVariable> {
        let mut all = Vec::new();
        let at = Descent::at(self.fields, MAX_DEPTH);
        collect(self.fields, (&[], None), &at, &mut all);
        let mut known: Vec<&str> = Vec::new();
        all.retain(|one| {
            let is_set = self
                .variables
                .get(one.own)
                .is_some_and(|text| !text.is_empty());
            let is_new = is_set && !known.contains(&one.own);
            known.push(one.own);
            is_new && self.path_read(one.own).is_none() && !self.is_read_elsewhere(one.own)
        });
        let suspect = |one: InsideField| {
            let why = match name_of(self.fields, self.prefix, &one.path) {
                Some(name) => format!("; `{name}` sets `{}`", Dotted(&one.path)),
                None => String::new(),
            };
            let text = format!(
                "this variable is not read: a field of an item or an entry has no variable of its own{why}"
            );
            let path = one.path[..one.outer].to_vec();
            let what = What::plain(ProblemKind::UnknownKey, text);
            let mut entry = Entry::new("environment", Flaw { path, what });
            entry.variable = Some(one.own.to_owned());
            SuspectVariable {
                entry,
                is_strict: false,
                is_uncertain: true,
            }
        };
        all.into_iter().map(suspect).collect()
    }
}

fn collect(
    fields: &'static [Field],
    (path, outer): (&[Seg], Option<usize>),
    at: &Descent<'_>,
    all: &mut Vec<InsideField>,
) {
    for field in fields {
        let mut path = path.to_vec();
        if !field.flatten {
            path.push(Seg::Key(field.name.into()));
        }
        if let (Some(own), Some(outer)) = (field.env_exact, outer) {
            let path = path.clone();
            all.push(InsideField { own, path, outer });
        }
        let (mut kind, mut outer) = (field.kind, outer);
        while let Kind::List(inner) | Kind::Map(inner) = kind {
            outer = outer.or(Some(path.len()));
            path.push(match kind {
                Kind::List(_) => Seg::Index(0),
                _ => Seg::Key("key".into()),
            });
            kind = *inner;
        }
        if let Kind::Section(inner) = kind
            && let Some(at) = at.enter(inner())
        {
            collect(inner(), (&path, outer), &at, all);
        }
    }
}
