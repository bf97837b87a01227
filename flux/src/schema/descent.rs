//! How far a config type that contains itself is followed into its sections. A type may contain itself.

use super::Field;
use std::collections::HashSet;

/// The sections between the root and a place. Sections of different types may be in one another however deep.
#[derive(Clone, Copy)]
pub(crate) struct Descent<'d> {
    fields: &'static [Field],
    above: Option<&'d Descent<'d>>,
    /// How many more sections may be of a type that they are in.
    left: u8,
}

impl<'d> Descent<'d> {
    /// At the root. A type that contains itself is followed so often: `bound` sections are of a type that they are in.
    pub(crate) fn at(fields: &'static [Field], bound: u8) -> Self {
        Descent {
            fields,
            above: None,
            left: bound,
        }
    }

    /// In a section with these fields; none beyond the bound.
    pub(crate) fn enter(&'d self, fields: &'static [Field]) -> Option<Self> {
        let left = match self.is_in(fields) {
            true => self.left.checked_sub(1)?,
            false => self.left,
        };
        Some(Descent {
            fields,
            above: Some(self),
            left,
        })
    }

    fn is_in(&self, fields: &'static [Field]) -> bool {
        let mut at = Some(self);
        while let Some(here) = at {
            if std::ptr::eq(here.fields, fields) {
                return true;
            }
            at = here.above;
        }
        false
    }
}

/// The fields of every section, each type once: first these, then those of the sections in them.
pub(crate) fn every_table(fields: &'static [Field]) -> impl Iterator<Item = &'static [Field]> {
    let mut seen = HashSet::from([fields.as_ptr()]);
    let mut waiting = vec![fields];
    std::iter::from_fn(move || {
        let table = waiting.pop()?;
        let inner = table.iter().filter_map(|field| field.kind.table());
        waiting.extend(inner.filter(|inner| seen.insert(inner.as_ptr())));
        Some(table)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{problem::Seg, schema};

    /// Thirty sections, each in the one before, with a secret in the last.
    static CHAIN: [[Field; 1]; 30] = {
        macro_rules! levels {
            ($($level:literal)*) => {
                [$([Field::new("inner", "INNER").with_kind(schema::Kind::Section(|| &CHAIN[$level]))],)*
                 [Field::new("token", "TOKEN").with_secret()]]
            };
        }
        levels!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29)
    };

    static RECURSIVE: [Field; 2] = [
        Field::new("one", "ONE").with_kind(schema::Kind::Section(|| &RECURSIVE)),
        Field::new("many", "MANY")
            .with_kind(schema::Kind::List(&schema::Kind::Section(|| &RECURSIVE))),
    ];

    #[test]
    fn a_secret_is_found_however_many_sections_it_is_in() {
        assert!(schema::any_secret(&CHAIN[0]));
        assert!(schema::is_secret(&CHAIN[0], &[Seg::Key("unknown".into())]));
        assert!(!schema::any_secret(&RECURSIVE));
    }

    #[test]
    fn only_a_type_that_contains_itself_is_followed_to_a_bound() {
        fn deepest(at: &Descent<'_>) -> usize {
            let inner = at.fields[0].kind.table();
            let inside = inner.and_then(|inner| at.enter(inner));
            inside.map_or(0, |inside| 1 + deepest(&inside))
        }
        assert_eq!(deepest(&Descent::at(&CHAIN[0], 3)), 29);
        assert_eq!(deepest(&Descent::at(&RECURSIVE, 3)), 3);
        assert_eq!(every_table(&CHAIN[0]).count(), 30);
        assert_eq!(every_table(&RECURSIVE).count(), 1);
    }
}
