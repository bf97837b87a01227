//! Variables of the parts of a struct or an enum that is read as a single value: they look like those of a section and are not read.

use super::{Environment, Variable, asked::alone, readings::ReachedName, suspect::Meant};
use crate::{
    document::{AskedValue, tree::Tree},
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
    /// The name is that of a part, with nothing behind it.
    pub(super) is_exact: bool,
    /// It is not certain that the value has parts, or that the variable is of this program.
    pub(super) is_uncertain: bool,
}

impl PartOfValue {
    pub(super) fn meant(self) -> Meant {
        (self.path, self.why, self.is_uncertain)
    }
}

/// A key of a struct or a variant of an enum that was meant.
struct MeantPart {
    name: &'static str,
    is_exact: bool,
}

impl<L> Environment<'_, L> {
    /// The part of a struct, an enum, or anything else that is read as a single value, which the name would be a variable of.
    pub(super) fn part_of_value(&self, name: &str) -> Option<PartOfValue> {
        let mut part = self
            .in_plain_struct(name)
            .or_else(|| self.in_value_of_any_form(name))?;
        part.is_uncertain |= !self.is_below_prefix(name);
        Some(part)
    }

    /// Whether the program chose what the name begins with; others belong to anybody.
    pub(super) fn is_below_prefix(&self, name: &str) -> bool {
        let prefix = self.naming.prefix;
        !prefix.is_empty() && name.starts_with(prefix)
    }

    /// The path of a struct or an enum, and what is behind "is not read", where the name is that of its variable with one of its keys
    /// or variants behind it.
    fn in_plain_struct(&self, name: &str) -> Option<PartOfValue> {
        self.behind_variables(name).find_map(|(one, rest)| {
            let (part, why) = match self.asked(&one.path) {
                AskedValue::Struct(keys) => {
                    let part = self.part(keys, rest)?;
                    let why = set_whole_struct(one, part.name);
                    (part, why)
                }
                AskedValue::Enum(variants) => {
                    let part = self.part(variants, rest)?;
                    let variant = part.name;
                    let is_word = self
                        .flaw_of(&one.path, Tree::Raw(variant.to_owned()))
                        .is_none();
                    let how = match is_word {
                        true => format!("`{}={variant}`", one.name),
                        false => format!("`{}={{{variant}=..}}`", one.name),
                    };
                    (part, set_instead(one, &how))
                }
                AskedValue::Anything | AskedValue::OpenStruct | AskedValue::Other => return None,
            };
            Some(PartOfValue {
                path: one.path.clone(),
                why,
                whole: one.name.clone(),
                is_exact: part.is_exact,
                is_uncertain: false,
            })
        })
    }

    /// The same of a type whose keys are not known, as of an enum with a tag or without any: whatever is behind the name may be a key.
    /// None where the type takes no map.
    fn in_value_of_any_form(&self, name: &str) -> Option<PartOfValue> {
        self.behind_variables(name).find_map(|(one, rest)| {
            let asked = self.asked(&one.path);
            if !matches!(asked, AskedValue::Anything | AskedValue::OpenStruct)
                && !self.is_whole_map(&one.path)
                || !self.is_chosen(one)
            {
                return None;
            }
            let text = Tree::Raw("x".to_owned());
            let flaw = self.flaw_of(&one.path, Tree::Map(vec![(rest.to_lowercase(), text)]));
            let is_uncertain = match flaw.map(|flaw| flaw.what) {
                Some(What::Type { found, .. }) if found.starts_with("map") => return None,
                Some(What::Message(why)) => fits_no_variant(&why),
                _ => false,
            };
            let (place, whole) = (Dotted(&one.path), one.name.clone());
            // How a key of it is spelt is not known.
            let how = match is_uncertain {
                true => ", where it has parts as JSON",
                false => " as JSON",
            };
            let why = format!(
                ": `{place}` is read as a single value; set `{whole}`{how}, all of it, with the keys that documents have"
            );
            Some(PartOfValue {
                path: one.path.clone(),
                why,
                whole,
                is_exact: false,
                is_uncertain,
            })
        })
    }

    /// What is behind "is not read" where the rest of the name of a list or a map is an item or entry that is a struct, and one of its
    /// keys.
    pub(super) fn part_of_item(&self, reached: &ReachedName, rest: &str) -> Option<String> {
        let separator = self.naming.separator;
        rest.match_indices(separator).find_map(|(end, _)| {
            let (item, part) = (&rest[..end], &rest[end + separator.len()..]);
            let seg = match reached.is_map {
                true => Seg::Key(item.to_lowercase().into()),
                false => Seg::Index(item.parse().ok()?),
            };
            let mut path = reached.path.clone();
            path.push(seg);
            let AskedValue::Struct(keys) = self.asked(&path) else {
                return None;
            };
            let (key, stem) = (self.part(keys, part)?.name, &reached.stem);
            let place = Dotted(&reached.path);
            let kind = match reached.is_map {
                true => "entry",
                false => "item",
            };
            Some(format!(
                ": each {kind} of `{place}` is read as a single value; set `{stem}{separator}{item}={{{key}=..}}` with all of it, or derive \
                 `Flux` on its type and write `#[flux(nested)]`"
            ))
        })
    }

    /// The same for the text of a variable that is read as an entry, and is that of a part of one.
    pub(super) fn part_of_entry(&self, name: &str) -> Option<String> {
        let read = self.readings_alone(name);
        read.reached.iter().find_map(|one| {
            let rest = name.strip_prefix(one.stem.as_str())?;
            self.part_of_item(one, rest.strip_prefix(self.naming.separator)?)
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
            // One too many is a slip.
            let rest = rest.trim_start_matches('_');
            (!rest.is_empty()).then_some((one, rest))
        };
        let mut all: Vec<_> = self.fixed.iter().filter_map(behind).collect();
        all.sort_by_key(|(_, rest)| rest.len());
        all.into_iter()
    }

    /// The part whose segment is the rest of a name, or begins it.
    fn part(&self, parts: &'static [&'static str], rest: &str) -> Option<MeantPart> {
        let is_of = |part: &&&str| {
            let segment = env_segment(part);
            let rest = rest.strip_prefix(segment.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(self.naming.separator))
        };
        let exact = parts.iter().find(|part| env_segment(part) == rest);
        let name = exact.or_else(|| parts.iter().find(is_of))?;
        Some(MeantPart {
            name,
            is_exact: exact.is_some(),
        })
    }

    /// What is wrong with a value at a path.
    fn flaw_of(&self, path: &[Seg], value: Tree) -> Option<Flaw> {
        let (_, flaws) = (self.decode)(&alone(path, value), false);
        flaws.into_iter().find(|flaw| flaw.path.starts_with(path))
    }
}

/// What is behind "is not read" where a struct is set as a whole.
pub(super) fn set_whole_struct(one: &Variable, key: &str) -> String {
    let how = format!(
        "`{}={{{key}=..}}` with all of it, or derive `Flux` on its type and write `#[flux(nested)]`",
        one.name
    );
    set_instead(one, &how)
}

fn set_instead(one: &Variable, how: &str) -> String {
    let place = Dotted(&one.path);
    format!(": `{place}` is read as a single value; set {how}")
}

/// What serde says of a value that no variant of an enum without a tag takes: none may be a struct.
fn fits_no_variant(why: &str) -> bool {
    why.starts_with("data did not match any variant")
}
