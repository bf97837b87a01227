//! The warning of an entry in a file of variables beside one that a layer below spells otherwise.

use super::{Layers, entries::keys_below};
use crate::{
    codec::{self, Decoder, Unknown, variables::VariableText},
    problem::{Dotted, Flaw, MOST_PROBLEMS, ProblemKind, Seg, What, caught},
    report::Entry,
    schema::{self, Field},
};
use flux_syntax::env_segment;
use std::collections::HashMap;

impl Layers {
    /// A warning for every entry whose variable is in the newest content of a file, and whose key a layer below has in another
    /// spelling. That of the process would set the entry below. Only a program with such a file pays for it.
    pub(super) fn other_spellings(&self, number: usize) -> Vec<Entry> {
        let Some(state) = self.states.get(number) else {
            return Vec::new();
        };
        let (Some(newest), Some(decoder)) = (&state.candidate, &state.decoder) else {
            return Vec::new();
        };
        let (Decoder::Variables(reader), Some(bytes)) = (decoder, &newest.bytes) else {
            return Vec::new();
        };
        let Ok(text) = codec::text_of(bytes) else {
            return Vec::new();
        };
        if self.unknown == Unknown::Ignore {
            return Vec::new();
        }
        let fields = (self.schema.fields)();
        // A codec of the program below may panic; what it contains was decoded before.
        let flaws = caught(|| {
            let entries = entries_of(fields, &**reader, text);
            match entries.is_empty() {
                true => Vec::new(),
                false => {
                    let below = keys_below(fields, &self.states[..number]);
                    let known = |path: &[Seg]| below.at(path, ..);
                    spelt_otherwise(&entries, &**reader, &known)
                }
            }
        });
        let entry = |flaw: Flaw| {
            let place = flaw.path.clone();
            let entry = Entry::new(&state.origin, flaw).warning(true);
            entry.within(bytes, decoder, &place)
        };
        flaws.unwrap_or_default().into_iter().map(entry).collect()
    }
}

/// The paths of all entries that variables of the text set, once each. Keys of secret maps are not among them: they are not shown.
fn entries_of(fields: &'static [Field], reader: &dyn VariableText, text: &str) -> Vec<Vec<Seg>> {
    let set = reader.read(text).set.into_iter();
    let mut all: Vec<Vec<Seg>> = set
        .flat_map(|(path, _)| {
            let is_entry = |end: &usize| {
                let is_key = matches!(path[*end], Seg::Key(_));
                is_key
                    && schema::table(fields, &path[..*end]).is_empty()
                    && !schema::is_secret(fields, &path[..*end])
            };
            let ends = (1..path.len()).filter(is_entry);
            ends.map(|end| path[..=end].to_vec()).collect::<Vec<_>>()
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn spelt_otherwise(
    entries: &[Vec<Seg>],
    reader: &dyn VariableText,
    known: &dyn Fn(&[Seg]) -> Vec<String>,
) -> Vec<Flaw> {
    let mut maps: HashMap<&[Seg], HashMap<String, Vec<String>>> = HashMap::new();
    let mut flaws = Vec::new();
    for path in entries {
        let Some((Seg::Key(key), map)) = path.split_last() else {
            continue;
        };
        let keys = maps.entry(map).or_insert_with(|| {
            let mut by_name = HashMap::<String, Vec<String>>::new();
            for key in known(map) {
                by_name.entry(env_segment(&key)).or_default().push(key);
            }
            by_name
        });
        let same = keys.get(&env_segment(key)).map_or(&[][..], Vec::as_slice);
        let other = match same {
            [other, ..] if !same.iter().any(|one| one == key) => other,
            _ => continue,
        };
        let how = reader.name_of(map).map_or(String::new(), |name| {
            format!("; set `{name}={{{other}=..}}`, or the variable of the process")
        });
        let text = format!(
            "is an entry beside `{other}`, which a layer below has in `{}`: in a file of variables the key is spelt as in the name{how}",
            Dotted(map)
        );
        let what = What::plain(ProblemKind::UnknownKey, text);
        flaws.push(Flaw {
            path: path.clone(),
            what,
        });
        if flaws.len() == MOST_PROBLEMS {
            break;
        }
    }
    flaws
}
