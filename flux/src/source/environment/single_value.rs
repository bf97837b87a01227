//! Variables of the parts of a struct or an enum that is read as a single value: they look like those of a section and are not read.

use super::{Environment, Variable};
use crate::{
    document::{AskedValue, asked_value, tree::Tree},
    problem::{Dotted, Flaw, Seg, What},
};
use flux_syntax::env_segment;

/// What a variable was meant to set a part of.
pub(super) struct PartOfValue {
    pub(super) path: Vec<Seg>,
    /// What is behind "is not read".
    pub(super) why: String,
    /// The variable of the whole.
    pub(super) whole: String,
    /// It is not certain that the value has parts.
    pub(super) is_uncertain: bool,
}

impl<L> Environment<'_, L> {
    /// The path of a struct or an enum, and what is behind "is not read", where the name is that of its variable with one of its keys
    /// or variants behind it.
    pub(super) fn in_plain_struct(&self, name: &str) -> Option<(Vec<Seg>, String)> {
        self.behind_variables(name).find_map(|(one, rest)| {
            let how = match self.asked(&one.path) {
                AskedValue::Struct(keys) => {
                    let key = self.part(keys, rest)?;
                    format!(
                        "`{}={{{key}=..}}`, or derive `Flux` on its type and write `#[flux(nested)]`",
                        one.name
                    )
                }
                AskedValue::Enum(variants) => {
                    let variant = self.part(variants, rest)?;
                    let is_word = self.flaw_of(&one.path, Tree::Raw(variant.to_owned())).is_none();
                    match is_word {
                        true => format!("`{}={variant}`", one.name),
                        false => format!("`{}={{{variant}=..}}`", one.name),
                    }
                }
                AskedValue::Anything | AskedValue::Other => return None,
            };
            let place = Dotted(&one.path);
            let why = format!(": `{place}` is read as a single value; set {how}");
            Some((one.path.clone(), why))
        })
    }

    /// The same of a type whose keys are not known, as of an enum with a tag or without any: whatever is behind the name may be a key.
    /// None where the type takes no map.
    pub(super) fn in_value_of_any_form(&self, name: &str) -> Option<PartOfValue> {
        self.behind_variables(name).find_map(|(one, rest)| {
            if self.asked(&one.path) != AskedValue::Anything {
                return None;
            }
            let key = rest.to_lowercase();
            let text = Tree::Raw("x".to_owned());
            let flaw = self.flaw_of(&one.path, Tree::Map(vec![(key.clone(), text)]));
            let is_uncertain = match flaw.map(|flaw| flaw.what) {
                Some(What::Type { found, .. }) if found.starts_with("map") => return None,
                Some(What::Message(why)) => fits_no_variant(&why),
                _ => false,
            };
            let (place, whole) = (Dotted(&one.path), one.name.clone());
            let json = format!("`{whole}={{\"{key}\":..}}`");
            let how = match is_uncertain {
                true => format!("`{whole}`, as JSON where it has parts: {json}"),
                false => format!("{json} with all of it"),
            };
            let why = format!(": `{place}` is read as a single value; set {how}");
            Some(PartOfValue {
                path: one.path.clone(),
                why,
                whole,
                is_uncertain,
            })
        })
    }

    /// The variables whose names begin the name, with what is behind them; the longest first.
    fn behind_variables<'v>(
        &'v self,
        name: &'v str,
    ) -> impl Iterator<Item = (&'v Variable, &'v str)> {
        let separator = self.naming.separator;
        let behind = move |one: &'v Variable| {
            let rest = name.strip_prefix(one.name.as_str())?;
            let rest = rest.strip_prefix(separator)?;
            (!rest.is_empty()).then_some((one, rest))
        };
        let mut all: Vec<_> = self.fixed.iter().filter_map(behind).collect();
        all.sort_by_key(|(_, rest)| rest.len());
        all.into_iter()
    }

    /// The part whose segment begins the rest of a name.
    fn part(&self, parts: &'static [&'static str], rest: &str) -> Option<&'static str> {
        let is_of = |part: &&&str| {
            let segment = env_segment(part);
            let rest = rest.strip_prefix(segment.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(self.naming.separator))
        };
        parts.iter().find(is_of).copied()
    }

    /// What the value at a path is read as.
    fn asked(&self, path: &[Seg]) -> AskedValue {
        let tree = alone(path, Tree::Raw("x".to_owned()));
        asked_value(|| {
            (self.decode)(&tree, false);
        })
    }

    /// What is wrong with a value at a path.
    fn flaw_of(&self, path: &[Seg], value: Tree) -> Option<Flaw> {
        let (_, flaws) = (self.decode)(&alone(path, value), false);
        flaws.into_iter().find(|flaw| flaw.path.starts_with(path))
    }
}

/// What serde says of a value that no variant of an enum without a tag takes: none may be a struct.
fn fits_no_variant(why: &str) -> bool {
    why.starts_with("data did not match any variant")
}

fn alone(path: &[Seg], value: Tree) -> Tree {
    path.iter().rev().fold(value, |inner, seg| match seg {
        Seg::Key(key) => Tree::Map(vec![(key.to_string(), inner)]),
        Seg::Index(_) => inner,
    })
}
