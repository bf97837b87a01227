//! Variables that begin with the name of a section, or of a struct that is a single value, and name none of its fields: behind such a
//! name, somebody else's variable is as unlikely as behind that of a list.

use super::{Environment, Variable, single_value::set_whole_struct, suspect::Meant};
use crate::{document::AskedValue, problem::Dotted};
use flux_syntax::env_segment;

impl<L> Environment<'_, L> {
    /// The path, and what is behind "is not read".
    pub(super) fn behind_section(&self, name: &str) -> Option<Meant> {
        if !self.is_below_prefix(name) {
            return None;
        }
        let separator = self.naming.separator;
        // Where one `_` joins the parts, all of the name may be one word of somebody else's.
        let is_uncertain = separator == "_";
        let behind = |one: &Variable| {
            let rest = name.strip_prefix(one.name.as_str())?;
            let rest = rest.strip_prefix(separator)?;
            (!rest.is_empty()).then(|| rest.to_owned())
        };
        let longest = |all: &'_ [Variable]| {
            let behind = all
                .iter()
                .filter_map(|one| Some((one.clone(), behind(one)?)));
            behind.min_by_key(|(_, rest)| rest.len())
        };
        let section = longest(self.sections());
        let value = longest(&self.fixed);
        let is_inner = |(_, rest): &(Variable, String)| {
            section
                .as_ref()
                .is_none_or(|(_, of_section)| rest.len() < of_section.len())
        };
        if let Some((one, rest)) = value.filter(is_inner)
            && let AskedValue::Struct(keys) = self.asked(&one.path)
        {
            let key = only(keys, |key| abbreviates(&rest, &env_segment(key)));
            let why = set_whole_struct(&one, key.or(keys.first())?);
            return Some((one.path, why, is_uncertain));
        }
        let (section, rest) = section?;
        let begin = &name[..name.len() - rest.len()];
        let inside = self.fixed.iter().filter(|one| one.name.starts_with(begin));
        let inside: Vec<&Variable> = inside.collect();
        if let Some(one) = only(&inside, |one| abbreviates(&rest, &one.name[begin.len()..])) {
            let why = format!(", did you mean `{}`?", one.name);
            return Some((one.path.clone(), why, is_uncertain));
        }
        let why = format!(
            ": behind `{begin}` is the name of a field of `{}`, such as `{}`",
            Dotted(&section.path),
            inside.first()?.name
        );
        Some((section.path, why, is_uncertain))
    }
}

/// The one of which something is true; none where it is of several.
fn only<T>(all: &[T], is: impl Fn(&T) -> bool) -> Option<&T> {
    let mut found = all.iter().filter(|one| is(one));
    found.next().filter(|_| found.next().is_none())
}

/// Whether one name has some of the words of the other one, in their order: `SIZE` of `MAX_SIZE`.
fn abbreviates(short: &str, name: &str) -> bool {
    let mut words = name.split('_');
    short.split('_').all(|one| words.any(|word| word == one))
}
