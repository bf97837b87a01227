//! Follows the field table beside a walk over a document: what is behind a key, and whether it is secret.

use super::{Field, Kind, any_secret, secret_names, step};
use crate::problem::Seg;

/// Follows a walk from key to key. What [`place`](super::place) finds from the root, it knows at every step.
pub(crate) struct SecretPlaces {
    any: bool,
    names: Vec<&'static str>,
}

/// Where the walk is.
#[derive(Clone, Copy)]
pub(crate) enum Cursor {
    /// In a section with these fields.
    Section(&'static [Field]),
    /// In a list or map of these.
    Items(&'static Field, Kind),
    /// In a field's value, or in something in it.
    Leaf {
        /// It is never printed.
        secret: bool,
    },
    /// Under a key that no field has.
    Unknown,
}

impl SecretPlaces {
    pub(crate) fn of(fields: &'static [Field]) -> Self {
        SecretPlaces {
            any: any_secret(fields),
            names: secret_names(fields),
        }
    }

    /// Whether what is here must not be printed, as [`is_secret`](super::is_secret) finds it.
    pub(crate) fn is_secret(&self, at: Cursor) -> bool {
        match at {
            Cursor::Leaf { secret } => secret,
            Cursor::Section(_) | Cursor::Items(..) | Cursor::Unknown => self.any,
        }
    }

    /// The place of a path.
    pub(crate) fn at(&self, fields: &'static [Field], path: &[Seg]) -> Cursor {
        path.iter()
            .fold(Cursor::Section(fields), |at, step| match step {
                Seg::Key(key) => self.below(at, Some(key)),
                Seg::Index(_) => self.below(at, None),
            })
    }

    /// The place under a key of a map, or of an item of a list.
    pub(crate) fn below(&self, at: Cursor, key: Option<&str>) -> Cursor {
        match (at, key) {
            (Cursor::Section(table), Some(key)) => match step(table, key) {
                Some((field, kind)) => Self::enter(field, kind),
                None => Cursor::Unknown,
            },
            (Cursor::Section(_) | Cursor::Unknown, _) => Cursor::Unknown,
            (Cursor::Items(field, item), _) => Self::enter(field, item),
            (Cursor::Leaf { secret: false }, Some(key)) => Cursor::Leaf {
                secret: flux_syntax::nearest(key, self.names.iter().copied()).is_some(),
            },
            (leaf @ Cursor::Leaf { .. }, _) => leaf,
        }
    }

    fn enter(field: &'static Field, kind: Kind) -> Cursor {
        match kind {
            Kind::Leaf => Cursor::Leaf {
                secret: field.is_secret(),
            },
            Kind::Section(inner) => Cursor::Section(inner()),
            Kind::List(item) | Kind::Map(item) => Cursor::Items(field, *item),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use proptest::prelude::*;

    static INNER: [Field; 2] = [
        Field::new("pin", "PIN").with_secret(),
        Field::new("name", "NAME"),
    ];
    static FIELDS: [Field; 5] = [
        Field::new("password", "PASSWORD").with_secret(),
        Field::new("port", "PORT"),
        Field::new("anything", "ANYTHING"),
        Field::new("one", "ONE").with_kind(Kind::Section(|| &INNER)),
        Field::new("many", "MANY").with_kind(Kind::Map(&Kind::Section(|| &INNER))),
    ];

    proptest! {
        #[test]
        fn a_walk_knows_what_a_path_from_the_root_leads_to(
            path in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "password", "pasword", "port", "anything", "one", "many", "pin", "name", "x",
                    ]).prop_map(Some),
                    Just(None),
                ],
                0..6,
            ),
        ) {
            let places = SecretPlaces::of(&FIELDS);
            let mut at = Cursor::Section(&FIELDS);
            let mut steps = Vec::new();
            for key in path {
                at = places.below(at, key);
                steps.push(key.map_or(Seg::Index(0), |key| Seg::Key(key.into())));
                prop_assert_eq!(places.is_secret(at), schema::is_secret(&FIELDS, &steps), "{:?}", steps);
                let table = match at {
                    Cursor::Section(table) => table,
                    _ => &[],
                };
                prop_assert_eq!(table.len(), schema::table(&FIELDS, &steps).len());
            }
        }
    }
}
