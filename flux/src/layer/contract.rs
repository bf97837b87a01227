//! What the derive implements for a layer, and how the field of a key is found.

use crate::problem::Seg;
use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess},
};
use std::{any::Any, fmt, sync::Arc};

/// No field has this index: the key is unknown.
pub const UNKNOWN: usize = usize::MAX;

/// One source's view of a config struct. The derive implements it; what it has is for generated code alone.
pub trait Layer: Default + Clone + Send + Sync + 'static {
    /// The struct's own keys.
    #[doc(hidden)]
    const KEYS: Keys;

    /// How many indices the layer answers to: its own fields and those of flattened sections.
    #[doc(hidden)]
    fn width() -> usize {
        Self::KEYS.len()
    }

    /// The index of the field that `key` names, or [`UNKNOWN`]. `hint` is where to look first.
    #[doc(hidden)]
    fn index(key: &str, hint: usize) -> usize {
        Self::KEYS.find(key, hint)
    }

    /// How many maps take the keys that no field has: at most one.
    #[doc(hidden)]
    const RESTS: usize = 0;

    /// Decodes the next value of `map` into the field with this index.
    #[doc(hidden)]
    fn put<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;

    /// Decodes the next value of `map` under a key that no field has.
    #[doc(hidden)]
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        _key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>()?;
        Ok(())
    }

    /// What the layer contains of a key that no field has.
    #[doc(hidden)]
    fn presence_of_rest(&self, _key: &str) -> Presence<'_> {
        Presence::Nothing
    }

    /// Lays `top` over this layer: what it sets wins, field by field.
    #[doc(hidden)]
    fn over(&mut self, top: &Self);

    /// What the layer contains of the field with this index.
    #[doc(hidden)]
    fn presence_of(&self, index: usize) -> Presence<'_>;
}

/// The keys that were taken from one map: a `Vec` of them.
pub type Taken = Arc<dyn Any + Send + Sync>;

/// Lays an upper layer's value over a lower one's.
pub(super) type MergeFn<T> = fn(&mut T, &T);

/// How the leaves of one type are read and merged. The derive implements it for a unit struct for each distinct type of leaf, and
/// for each field with a decoding function of its own.
pub trait Leaf {
    /// The field's type.
    type Out;
    /// Decodes a value.
    fn decode<'de, D: Deserializer<'de>>(d: D) -> Result<Self::Out, D::Error>;
    /// How an upper layer's value is laid over a lower one's; none where it replaces it.
    fn merge() -> Option<MergeFn<Self::Out>>;
    /// The schema that the type has of itself.
    #[cfg(feature = "schemars")]
    fn schema() -> Option<crate::schema::LeafSchema> {
        None
    }
    /// Decodes a value that may be a map; the entries that it takes from the layers below.
    #[inline]
    fn entries<'de, D: Deserializer<'de>>(
        d: D,
        _taken: &mut Option<Taken>,
    ) -> Result<Self::Out, D::Error> {
        Self::decode(d)
    }
    /// Takes such entries from a lower layer's value.
    fn take_away(_below: &mut Self::Out, _taken: &Taken) {}
}

/// What a layer contains of one field.
pub enum Presence<'a> {
    /// Nothing.
    Nothing,
    /// A value (or an explicit null).
    Value,
    /// Something with parts of its own.
    Parts(&'a dyn Parts),
}

impl fmt::Debug for Presence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Presence::Nothing => "Nothing",
            Presence::Value => "Value",
            Presence::Parts(_) => "Parts",
        })
    }
}

/// Something that can be asked about its parts.
pub trait Parts {
    /// What is contained of the part behind `seg`.
    fn part(&self, seg: &Seg) -> Presence<'_>;
}

/// The keys of a layer: in the order of the fields, and sorted (with aliases) for lookup.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    names: &'static [&'static str],
    sorted: &'static [(&'static str, usize)],
}

impl Keys {
    /// `names` by field index; `sorted` holds every name and alias in byte order, with its field's index, and of a name of an
    /// earlier version with [`OLD`](super::seen_keys::OLD) added, which `find` leaves to the caller.
    pub const fn new(
        names: &'static [&'static str],
        sorted: &'static [(&'static str, usize)],
    ) -> Self {
        Keys { names, sorted }
    }
    /// How many fields there are.
    pub const fn len(&self) -> usize {
        self.names.len()
    }
    /// Whether there are no fields.
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
    /// The index of `key`. Documents mostly keep the order of the fields, so the one at `hint` is compared first.
    #[inline]
    pub fn find(&self, key: &str, hint: usize) -> usize {
        if self
            .names
            .get(hint)
            .is_some_and(|name| same(name.as_bytes(), key.as_bytes()))
        {
            return hint;
        }
        self.search(key, hint)
    }
    /// Apart, so that the usual case stays small enough to be inlined.
    #[inline(never)]
    fn search(&self, key: &str, hint: usize) -> usize {
        // Among few names, one comparison after the other is less than a binary search.
        if self.names.len() <= FEW {
            let same = |name: &&str| same(name.as_bytes(), key.as_bytes());
            let from = hint.min(self.names.len());
            let (before, after) = self.names.split_at(from);
            if let Some(at) = after.iter().position(same) {
                return from + at;
            }
            if let Some(at) = before.iter().position(same) {
                return at;
            }
        }
        match self.sorted.binary_search_by(|(name, _)| (*name).cmp(key)) {
            Ok(at) => self.sorted[at].1,
            Err(_) => UNKNOWN,
        }
    }
}

/// Up to so many fields, a key is searched in their order, from the hint on.
const FEW: usize = 32;

/// Equality without a call for texts as short as most keys: both ends are compared as numbers, and may overlap.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        2..4 => a.first_chunk::<2>() == b.first_chunk() && a.last_chunk::<2>() == b.last_chunk(),
        4..8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Keys, UNKNOWN, same};

    #[test]
    fn keys_are_the_same_only_if_every_byte_is() {
        for length in 0..40 {
            let key = vec![b'k'; length];
            assert!(same(&key, &key.clone()), "{length} bytes");
            assert!(!same(&key, &vec![b'k'; length + 1]), "{length} bytes");
            for at in 0..length {
                let mut other = key.clone();
                other[at] = b'x';
                assert!(!same(&key, &other), "byte {at} of {length}");
            }
        }
    }

    #[test]
    fn a_key_is_found_whatever_the_hint_is() {
        let keys = Keys::new(
            &["port", "host"],
            &[("host", 1), ("listen", 0), ("port", 0)],
        );
        for hint in [0, 1, 2, UNKNOWN] {
            assert_eq!(keys.find("port", hint), 0);
            assert_eq!(keys.find("listen", hint), 0);
            assert_eq!(keys.find("host", hint), 1);
            assert_eq!(keys.find("hosts", hint), UNKNOWN);
        }
    }

    #[test]
    fn a_key_is_found_among_few_and_among_many() {
        let names: Vec<&'static str> = (0..FEW + 1)
            .map(|i| &*format!("key{i:03}").leak())
            .collect();
        let names: &'static [&'static str] = names.leak();
        for count in [1, FEW, FEW + 1] {
            let mut sorted: Vec<_> = names[..count].iter().copied().zip(0..).collect();
            sorted.push(("z", 0));
            let keys = Keys::new(&names[..count], sorted.leak());
            for (at, name) in names[..count].iter().enumerate() {
                assert_eq!(keys.find(name, UNKNOWN), at);
            }
            assert_eq!((keys.find("z", 1), keys.find("y", 1)), (0, UNKNOWN));
        }
    }
}
