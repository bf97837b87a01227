//! Which field gets a key where flattened sections and a map for the rest of the keys share it.

use super::{
    Layer, Leaf, Presence,
    decode::{kept, saw_empty},
    key::{self, MapKey},
    null::Null,
    sublayer::{BoxedLayer, LayerEntries, Map, Sublayer},
    taken::NO_VALUE,
};
use crate::{
    problem::{ALIKE_KEYS, Diff, Seg, What, collect_errors::caught},
    schema::{MergeRule, TypeFacts, ValueType},
};
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, Error, MapAccess, Visitor},
};
use std::{borrow::Cow, collections::HashMap, fmt, marker::PhantomData, ops::Index};

/// The layer of something flattened.
#[diagnostic::on_unimplemented(
    message = "this type cannot be flattened",
    note = "`flatten` puts the keys of one section beside the others, or takes the keys that no field has into a map"
)]
pub trait FlatLayer: Default + Clone {
    /// How many maps in it take the keys that no field has.
    const RESTS: usize;
    /// How many indices it answers to.
    fn width() -> usize;
    /// The index of the field that `key` names, or [`UNKNOWN`](super::UNKNOWN).
    fn index(key: &str, hint: usize) -> usize;
    /// Decodes the next value of `map` into the field with this index.
    fn put_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        map: &mut A,
    ) -> Result<(), A::Error>;
    /// Decodes the next value of `map` under a key that no field has.
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error>;
    /// What it contains of the field with this index.
    fn field(&self, index: usize) -> Presence<'_>;
    /// What it contains of a key that no field has.
    fn rest(&self, key: &str) -> Presence<'_>;
}

impl<L: Layer> FlatLayer for L {
    const RESTS: usize = <L as Layer>::RESTS;
    fn width() -> usize {
        <L as Layer>::width()
    }
    fn index(key: &str, hint: usize) -> usize {
        <L as Layer>::index(key, hint)
    }
    fn put_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.put(index, map)
    }
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        Layer::put_rest(self, key, map)
    }
    fn field(&self, index: usize) -> Presence<'_> {
        self.presence_of(index)
    }
    fn rest(&self, key: &str) -> Presence<'_> {
        self.presence_of_rest(key)
    }
}

impl<L: FlatLayer> FlatLayer for BoxedLayer<L> {
    const RESTS: usize = L::RESTS;
    fn width() -> usize {
        L::width()
    }
    fn index(key: &str, hint: usize) -> usize {
        L::index(key, hint)
    }
    fn put_field<'de, A: MapAccess<'de>>(
        &mut self,
        index: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.0.put_field(index, map)
    }
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.0.put_rest(key, map)
    }
    fn field(&self, index: usize) -> Presence<'_> {
        self.0.field(index)
    }
    fn rest(&self, key: &str) -> Presence<'_> {
        self.0.rest(key)
    }
}

/// A map whose entries share the keys: it has no field of its own.
macro_rules! no_fields {
    () => {
        const RESTS: usize = 1;
        fn width() -> usize {
            0
        }
        fn index(_: &str, _: usize) -> usize {
            super::UNKNOWN
        }
        fn put_field<'de, A: MapAccess<'de>>(
            &mut self,
            _: usize,
            map: &mut A,
        ) -> Result<(), A::Error> {
            map.next_value::<de::IgnoredAny>()?;
            Ok(())
        }
        fn field(&self, _: usize) -> Presence<'_> {
            Presence::Nothing
        }
    };
}

impl<M: LayerEntries> FlatLayer for Map<M> {
    no_fields!();
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match kept(key_of::<M::Key, A::Error>(&key))? {
            Some(key) => self.add(key, map),
            None => ignored(map),
        }
    }
    fn rest(&self, key: &str) -> Presence<'_> {
        match key::parse(key).and_then(|key| self.0.get(&key)) {
            Some(Some(layer)) => layer.presence(),
            Some(None) => Presence::Value,
            None => Presence::Nothing,
        }
    }
}

fn key_of<K: MapKey, E: Error>(text: &str) -> Result<K, E> {
    key::decode(text).map_err(|error| E::custom(format_args!("the key `{text}`: {error}")))
}

fn ignored<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<de::IgnoredAny>()?;
    Ok(())
}

/// A map that can take the keys that no field has: its items are pairs, it can be extended by them, and indexed by a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take the keys that no field has",
    label = "no map",
    note = "`flatten` on a value needs a map such as `BTreeMap<String, T>`; a struct that derives `Flux` needs `#[flux(nested)]` too"
)]
pub trait RestMap: Default {
    /// The map's keys.
    type Key: MapKey;
    /// Its values.
    type Value;
    /// Adds entries.
    fn add(&mut self, entries: impl Iterator<Item = (Self::Key, Self::Value)>);
    /// All entries.
    fn entries(&self) -> impl ExactSizeIterator<Item = (&Self::Key, &Self::Value)>;
}

#[diagnostic::do_not_recommend]
impl<T, K, V> RestMap for T
where
    T: Default + IntoIterator<Item = (K, V)> + Extend<(K, V)>,
    T: for<'a> Index<&'a K, Output = V>,
    for<'a> &'a T: IntoIterator<Item = (&'a K, &'a V), IntoIter: ExactSizeIterator>,
    K: MapKey,
    V: 'static,
{
    type Key = K;
    type Value = V;
    fn add(&mut self, entries: impl Iterator<Item = (K, V)>) {
        self.extend(entries);
    }
    fn entries(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.into_iter()
    }
}

/// The layer of such a map; an entry that is nothing removes that of the layers below. `L` decodes the values.
#[derive(Debug)]
pub struct RestLayer<T: RestMap, L> {
    entries: Vec<(T::Key, Option<T::Value>)>,
    /// Where each key is, by its text.
    places: HashMap<String, usize>,
    leaf: PhantomData<fn() -> L>,
}

impl<T: RestMap, L> Default for RestLayer<T, L> {
    fn default() -> Self {
        RestLayer {
            entries: Vec::new(),
            places: HashMap::new(),
            leaf: PhantomData,
        }
    }
}

impl<T: RestMap<Value: Clone>, L> Clone for RestLayer<T, L> {
    fn clone(&self) -> Self {
        RestLayer {
            entries: self.entries.clone(),
            places: self.places.clone(),
            leaf: PhantomData,
        }
    }
}

impl<T: RestMap<Value: Clone>, L: Leaf<Out = T::Value>> FlatLayer for RestLayer<T, L> {
    no_fields!();
    fn put_rest<'de, A: MapAccess<'de>>(
        &mut self,
        text: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let Some(key) = kept(key_of::<T::Key, A::Error>(&text))? else {
            return ignored(map);
        };
        let Some(entry) = map.next_value_seed(RestEntry::<L>(PhantomData))? else {
            return Ok(());
        };
        let text = key::text(&key).into_owned();
        if self.places.contains_key(&text) {
            return match caught(|| What::AlikeKeys) {
                true => Ok(()),
                false => Err(A::Error::custom(ALIKE_KEYS)),
            };
        }
        self.places.insert(text, self.entries.len());
        self.entries.push((key, entry));
        Ok(())
    }
    fn rest(&self, key: &str) -> Presence<'_> {
        match self.places.contains_key(key) {
            true => Presence::Value,
            false => Presence::Nothing,
        }
    }
}

/// Decodes a value; nothing where it is null and the type has no null, and none of both where the problem was collected.
struct RestEntry<L>(PhantomData<L>);

impl<'de, L: Leaf> DeserializeSeed<'de> for RestEntry<L> {
    type Value = Option<Option<L::Out>>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        kept(d.deserialize_option(self))
    }
}

impl<'de, L: Leaf> Visitor<'de> for RestEntry<L> {
    type Value = Option<L::Out>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        L::decode(d).map(Some)
    }
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        let value = L::decode(Null::<E>::new()).ok();
        if value.is_none() {
            saw_empty(NO_VALUE);
        }
        Ok(value)
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.visit_none()
    }
}

/// Lays an upper layer's entries over the lower ones.
pub fn rest_over<T: RestMap<Value: Clone>, L>(
    below: &mut Option<RestLayer<T, L>>,
    top: &Option<RestLayer<T, L>>,
) {
    let Some(top) = top else { return };
    let below = below.get_or_insert_default();
    let mut places: Vec<_> = top.places.iter().collect();
    places.sort_unstable_by_key(|(_, place)| **place);
    for (text, place) in places {
        let (key, entry) = &top.entries[*place];
        match below.places.get(text) {
            Some(known) => below.entries[*known].1.clone_from(entry),
            None => {
                below.places.insert(text.clone(), below.entries.len());
                below.entries.push((key.clone(), entry.clone()));
            }
        }
    }
}

/// The map of what the layers have; the default where they have nothing.
pub fn rest<T: RestMap, L>(layer: Option<RestLayer<T, L>>, default: fn() -> T) -> Option<T> {
    let entries = layer.map(|layer| layer.entries).unwrap_or_default();
    if entries.is_empty() {
        return Some(default());
    }
    let mut map = T::default();
    map.add(
        entries
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    Some(map)
}

/// Compares entry by entry.
pub fn rest_diff<T: RestMap>(
    diff: &mut Diff,
    new: &T,
    old: &T,
    differ: impl Fn(&T::Value, &T::Value) -> bool,
) {
    let (news, olds) = (new.entries(), old.entries());
    let mut same = news.len() == olds.len();
    same &= news
        .zip(olds)
        .all(|((key, new), (other, old))| key == other && !differ(new, old));
    if same {
        return;
    }
    let mut before: HashMap<Cow<'_, str>, &T::Value> = old
        .entries()
        .map(|(key, value)| (key::text(key), value))
        .collect();
    for (key, value) in new.entries() {
        let text = key::text(key);
        if before.remove(&text).is_none_or(|old| differ(value, old)) {
            diff.within(|| Seg::Key(text.into_owned().into()), Diff::here);
        }
    }
    let mut gone: Vec<_> = before.into_keys().collect();
    gone.sort();
    for text in gone {
        diff.within(|| Seg::Key(text.into_owned().into()), Diff::here);
    }
}

/// What is known of such a map by its type.
pub fn rest_type<T: RestMap, L: Leaf<Out = T::Value>>() -> TypeFacts {
    let value_type = ValueType::Map {
        keys: Box::new(ValueType::Text),
        values: Box::new(super::trace::value_type::<L>()),
    };
    TypeFacts::leaf(value_type, MergeRule::ByKey)
}
