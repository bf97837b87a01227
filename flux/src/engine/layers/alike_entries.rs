//! Which keys of a map are one of the keys below to the type of the keys, such as a name of an enum's variant and an alias of it.

use crate::{
    document::tree::Tree,
    problem::{Flaw, Seg, What},
};
use std::collections::HashSet;

/// Decodes a document; answers with what is wrong with it.
pub(super) type DecodesTree<'d> = dyn Fn(&Tree) -> Vec<Flaw> + 'd;

/// So many keys are decoded for one map. What is not known behind them counts as the same, so that nothing false is warned of.
const MOST_KEYS: usize = 1 << 16;

/// The keys that are one of those below.
pub(super) struct Alike<'k>(HashSet<&'k str>);

impl<'k> Alike<'k> {
    /// Asks the type itself: a document with both keys, which are null, has the key twice.
    pub(super) fn of(
        decode: &DecodesTree<'_>,
        map: &[Seg],
        keys: &[&'k str],
        below: &[String],
    ) -> Self {
        let mut search = EntrySearch {
            decode,
            map,
            left: MOST_KEYS,
            alike: HashSet::new(),
        };
        search.among(keys, below);
        Alike(search.alike)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

/// Whether no two of these keys, which are written differently, are one to the type; false where that is not known.
pub(super) fn are_distinct(decode: &DecodesTree<'_>, map: &[Seg], keys: &[&str]) -> bool {
    let search = EntrySearch {
        decode,
        map,
        left: 0,
        alike: HashSet::new(),
    };
    keys.len() <= MOST_KEYS && search.problems(keys, &[]).is_empty()
}

struct EntrySearch<'s, 'k> {
    decode: &'s DecodesTree<'s>,
    map: &'s [Seg],
    /// How many keys may still be decoded.
    left: usize,
    alike: HashSet<&'k str>,
}

impl<'k> EntrySearch<'_, 'k> {
    /// Mostly none is the same, and one document with all of them says so. Otherwise the longer side is divided: also where a key
    /// cannot be read as a text alone, such as `0x10` of YAML, since nothing is known of what follows it.
    fn among(&mut self, keys: &[&'k str], below: &[String]) {
        if keys.is_empty() || below.is_empty() {
            return;
        }
        if let [key] = keys
            && self.alike.contains(key)
        {
            return;
        }
        let count = keys.len() + below.len();
        if count > self.left {
            self.alike.extend(keys);
            return;
        }
        self.left -= count;
        let problems = self.problems(keys, below);
        if problems.is_empty() {
            return;
        }
        match (keys, below) {
            ([key], [_]) => {
                if problems.iter().any(|one| one.what == What::AlikeKeys) {
                    self.alike.insert(*key);
                }
            }
            _ if keys.len() >= below.len() => {
                let (one, other) = keys.split_at(keys.len() / 2);
                self.among(one, below);
                self.among(other, below);
            }
            _ => {
                let (one, other) = below.split_at(below.len() / 2);
                self.among(keys, one);
                self.among(keys, other);
            }
        }
    }

    fn problems(&self, keys: &[&str], below: &[String]) -> Vec<Flaw> {
        let keys = keys.iter().copied().chain(below.iter().map(String::as_str));
        let entries = keys.map(|key| (key.to_owned(), Tree::Null));
        let map = Tree::Map(entries.collect());
        let document = self.map.iter().rev().fold(map, |inner, seg| match seg {
            Seg::Key(key) => Tree::Map(vec![(key.to_string(), inner)]),
            Seg::Index(_) => Tree::Seq(vec![inner]),
        });
        (self.decode)(&document)
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "json"))]
mod tests {
    use super::*;
    use crate::codec::decode_tree;
    use std::{collections::BTreeMap, net::IpAddr};

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum EntryLevel {
        Low,
        #[serde(alias = "mid")]
        Medium,
        High,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct EntryPart {
        #[flux(default)]
        levels: BTreeMap<EntryLevel, u8>,
        name: String,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct EntryApp {
        #[flux(default)]
        texts: BTreeMap<String, u8>,
        #[flux(default)]
        hosts: BTreeMap<IpAddr, u8>,
        #[flux(nested, default)]
        parts: BTreeMap<EntryLevel, EntryPart>,
        #[flux(nested, default)]
        list: Vec<EntryPart>,
        #[serde(flatten)]
        rest: BTreeMap<EntryLevel, u8>,
    }

    fn alike(path: &[Seg], keys: &[&str], below: &[&str]) -> Vec<String> {
        let below: Vec<String> = below.iter().map(|key| (*key).to_owned()).collect();
        let decode = |tree: &Tree| decode_tree::<EntryApp>(tree, false).1;
        let alike = Alike::of(&decode, path, keys, &below);
        let keys = keys.iter().filter(|key| alike.has(key));
        keys.map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn the_type_of_the_keys_decides_which_are_the_same() {
        let key = |key: &str| Seg::Key(key.to_owned().into());
        let all = ["low", "mid", "none"];
        for path in [
            vec![],
            vec![key("parts")],
            vec![key("parts"), key("high"), key("levels")],
            vec![key("list"), Seg::Index(3), key("levels")],
        ] {
            assert_eq!(alike(&path, &all, &["high", "medium"]), ["mid"], "{path:?}");
            let below = ["mid", "high", "low", "medium"];
            assert_eq!(alike(&path, &all, &below), ["low", "mid"], "{path:?}");
            assert!(alike(&path, &all, &["high"]).is_empty(), "{path:?}");
        }
        assert!(alike(&[key("texts")], &["mid"], &["medium", "a"]).is_empty());
        assert_eq!(alike(&[key("hosts")], &["::1"], &["0::1"]), ["::1"]);
    }

    #[test]
    fn what_is_not_asked_of_very_many_keys_counts_as_the_same() {
        let below: Vec<String> = (0..=MOST_KEYS).map(|n| n.to_string()).collect();
        let below: Vec<&str> = below.iter().map(String::as_str).collect();
        let texts = [Seg::Key("texts".into())];
        assert_eq!(alike(&texts, &["a"], &below), ["a"]);
    }
}
