//! Where a section may be (option, pointer, list, array, map, and these inside one another), and how it is finished, checked and
//! compared there.

use super::{
    finish::Nested,
    key::{self, MapKey},
    secret_texts::SecretTexts,
    sublayer::{Array, BoxedLayer, LayerEntries, List, Map, Sublayer, no_such_item},
};
use crate::{
    problem::{Cx, Diff, ProblemKind, Seg, What},
    schema::{self, Kind, TypeFacts},
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque, btree_map, hash_map},
    hash::{BuildHasher, Hash},
    sync::Arc,
};

/// Whether a rule may look at the running value of anything in there.
fn may_be_guarded<N: Nested>() -> bool {
    N::KIND.table().is_some_and(schema::may_be_guarded)
}

/// Whether anything in there may wait for a restart.
fn may_wait<N: Nested>() -> bool {
    N::KIND.table().is_some_and(schema::may_wait)
}

/// Null turns it off; silence leaves it as the layers below set it.
impl<T: Nested> Nested for Option<T> {
    type Layer = Option<T::Layer>;
    const KIND: Kind = T::KIND;
    fn type_facts() -> Vec<TypeFacts> {
        T::type_facts()
    }
    fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self> {
        match layer {
            Some(layer) => T::finish(layer, cx).map(Some),
            None => Some(None),
        }
    }
    fn silent(_: &mut Cx) -> Option<Self> {
        Some(None)
    }
    fn validate(&self, cx: &mut Cx) {
        if let Some(inner) = self {
            inner.validate(cx);
        }
    }
    fn diff(&self, old: &Self, diff: &mut Diff) {
        match (self, old) {
            (Some(new), Some(old)) => new.diff(old, diff),
            (None, None) => {}
            _ => diff.here(),
        }
    }
    fn transition(&self, old: &Self, cx: &mut Cx) {
        if let (Some(new), Some(old)) = (self, old) {
            new.transition(old, cx);
        }
    }
    fn defer(&mut self, running: &Self, deferred: &mut Diff) {
        if let (Some(new), Some(running)) = (self, running) {
            new.defer(running, deferred);
        }
    }
    fn secrets(&self, secrets: &mut SecretTexts) {
        if let Some(inner) = self {
            inner.secrets(secrets);
        }
    }
}

macro_rules! behind_a_pointer {
    ($($pointer:ident: |$new:ident, $running:ident, $deferred:ident| $defer:expr;)*) => {$(
        impl<T: Nested> Nested for $pointer<T> {
            type Layer = BoxedLayer<T::Layer>;
            const KIND: Kind = T::KIND;
            fn type_facts() -> Vec<TypeFacts> {
                T::type_facts()
            }
            fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self> {
                T::finish(*layer.0, cx).map($pointer::new)
            }
            fn silent(cx: &mut Cx) -> Option<Self> {
                T::silent(cx).map($pointer::new)
            }
            fn validate(&self, cx: &mut Cx) {
                T::validate(self, cx);
            }
            fn diff(&self, old: &Self, diff: &mut Diff) {
                T::diff(self, old, diff);
            }
            fn transition(&self, old: &Self, cx: &mut Cx) {
                T::transition(self, old, cx);
            }
            fn defer(&mut self, $running: &Self, $deferred: &mut Diff) {
                let $new = self;
                $defer
            }
            fn secrets(&self, secrets: &mut SecretTexts) {
                T::secrets(self, secrets);
            }
        }
    )*};
}

behind_a_pointer! {
    Box: |new, running, deferred| T::defer(new, running, deferred);
    Arc: |new, running, deferred| defer_shared(new, running, deferred);
}

/// What was just built is not shared, unless a default is: then it is kept as a whole, since it cannot be copied.
fn defer_shared<T: Nested>(new: &mut Arc<T>, running: &Arc<T>, deferred: &mut Diff) {
    if let Some(new) = Arc::get_mut(new) {
        return new.defer(running, deferred);
    }
    if may_wait::<T>() {
        new.diff(running, deferred);
        *new = Arc::clone(running);
    }
}

/// Builds the items; none where one of them cannot be built. Then the rules of the others are asked here, since nobody will see the
/// list.
fn items<T: Nested>(mut list: List<T::Layer>, cx: &mut Cx) -> Option<Vec<T>> {
    list.close();
    let length = list.items.len();
    let (mut built, mut broken) = (Vec::with_capacity(length), Vec::new());
    for (i, layer) in list.items.into_iter().enumerate() {
        match cx.within(Seg::Index(i), |cx| T::finish(layer, cx)) {
            Some(item) => built.push(item),
            None => broken.push(i),
        }
    }
    if let Some(beyond) = list.beyond {
        let what = What::plain(ProblemKind::InvalidValue, no_such_item(beyond.length));
        cx.problem_below(vec![Seg::Index(beyond.index)], what);
    } else if broken.is_empty() {
        return Some(built);
    }
    let whole = (0..).filter(|i| broken.binary_search(i).is_err());
    for (i, item) in whole.zip(&built) {
        cx.within(Seg::Index(i), |cx| item.validate(cx));
    }
    None
}

/// Single items may make a list of another length than a document could have.
fn array<T: Nested, const N: usize>(list: List<T::Layer>, cx: &mut Cx) -> Option<[T; N]> {
    let built = items::<T>(list, cx)?;
    let length = built.len();
    let array = built.try_into().ok();
    if array.is_none() {
        let text = format!("expected a list of {N} items, found {length}");
        cx.problem_below(Vec::new(), What::plain(ProblemKind::InvalidValue, text));
    }
    array
}

macro_rules! list {
    ($([$($generic:tt)*] $list:ty, $layer:ty, |$layered:ident, $cx:ident| $finish:expr;)*) => {$(
        impl<T: Nested $($generic)*> Nested for $list {
            type Layer = $layer;
            const KIND: Kind = Kind::List(&T::KIND);
            fn type_facts() -> Vec<TypeFacts> {
                T::type_facts()
            }
            fn finish($layered: Self::Layer, $cx: &mut Cx) -> Option<Self> {
                $finish
            }
            fn validate(&self, cx: &mut Cx) {
                for (i, item) in self.iter().enumerate() {
                    cx.within(Seg::Index(i), |cx| item.validate(cx));
                }
            }
            fn diff(&self, old: &Self, diff: &mut Diff) {
                if self.len() != old.len() {
                    return diff.here();
                }
                for (i, (new, old)) in self.iter().zip(old).enumerate() {
                    diff.within(|| Seg::Index(i), |diff| new.diff(old, diff));
                }
            }
            fn transition(&self, old: &Self, cx: &mut Cx) {
                if !may_be_guarded::<T>() {
                    return;
                }
                for (i, (new, old)) in self.iter().zip(old).enumerate() {
                    cx.within(Seg::Index(i), |cx| new.transition(old, cx));
                }
            }
            fn defer(&mut self, running: &Self, deferred: &mut Diff) {
                if !may_wait::<T>() {
                    return;
                }
                for (i, (new, running)) in self.iter_mut().zip(running).enumerate() {
                    deferred.within(|| Seg::Index(i), |deferred| new.defer(running, deferred));
                }
            }
            fn secrets(&self, secrets: &mut SecretTexts) {
                for item in self {
                    item.secrets(secrets);
                }
            }
        }
    )*};
}

list! {
    [] Vec<T>, List<T::Layer>, |layer, cx| items(layer, cx);
    [] VecDeque<T>, List<T::Layer>, |layer, cx| items(layer, cx).map(VecDeque::from);
    [, const N: usize] [T; N], Array<T::Layer, N>, |layer, cx| array(layer.0, cx);
}

/// Builds the entries of a map; none where one of them cannot be built. Then the rules of the others are asked here.
fn entries<K: MapKey, T: Nested, M: FromIterator<(K, T)>>(
    layers: impl Iterator<Item = (K, Option<T::Layer>)>,
    cx: &mut Cx,
) -> Option<M> {
    cx.in_map(|cx| {
        let mut whole = true;
        let mut built = Vec::with_capacity(layers.size_hint().0);
        for (key, layer) in layers {
            let Some(layer) = layer else { continue };
            let known = cx.known();
            let value = T::finish(layer, cx);
            cx.name(known, || key::text(&key));
            match value {
                Some(value) => built.push((key, value)),
                None => whole = false,
            }
        }
        if whole {
            // As a whole, since a `BTreeMap` is built from keys in their order without a search for each.
            return Some(built.into_iter().collect());
        }
        for (key, value) in &built {
            let known = cx.known();
            value.validate(cx);
            cx.name(known, || key::text(key));
        }
        None
    })
}

macro_rules! map {
    ($([$($bound:tt)*] [$($hasher:ident)?] $map:ident, $entry:ident;)*) => {$(
        impl<K: MapKey $($bound)*, L: Sublayer> LayerEntries for $map<K, Option<L>> {
            type Key = K;
            type Layer = L;
            fn get(&self, key: &K) -> Option<&Option<L>> {
                $map::get(self, key)
            }
            fn get_mut(&mut self, key: &K) -> Option<&mut Option<L>> {
                $map::get_mut(self, key)
            }
            // Inlined, so that a layer, which is large, is moved once.
            #[inline]
            fn add(&mut self, key: K, entry: Option<L>) -> bool {
                match self.entry(key) {
                    $entry::Entry::Vacant(slot) => {
                        slot.insert(entry);
                        true
                    }
                    $entry::Entry::Occupied(_) => false,
                }
            }
            fn all(&self) -> impl Iterator<Item = (&K, &Option<L>)> {
                self.iter()
            }
        }

        impl<K: MapKey $($bound)*, T: Nested $(, $hasher: BuildHasher + Default)?> Nested for $map<K, T $(, $hasher)?> {
            type Layer = Map<$map<K, Option<T::Layer>>>;
            const KIND: Kind = Kind::Map(&T::KIND);
            fn type_facts() -> Vec<TypeFacts> {
                T::type_facts()
            }
            fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self> {
                entries(layer.0.into_iter(), cx)
            }
            fn validate(&self, cx: &mut Cx) {
                cx.in_map(|cx| {
                    for (key, value) in self {
                        let known = cx.known();
                        value.validate(cx);
                        cx.name(known, || key::text(key));
                    }
                });
            }
            fn diff(&self, old: &Self, diff: &mut Diff) {
                // Mostly both hold the same keys in the same order: then no key is looked up.
                let mut beside = old.iter();
                let (mut next, mut common) = (beside.next(), 0);
                diff.in_map(|diff| {
                    for (key, new) in self {
                        let old = match next {
                            Some((other, old)) if other == key => {
                                next = beside.next();
                                Some(old)
                            }
                            _ => old.get(key),
                        };
                        common += usize::from(old.is_some());
                        let known = diff.known();
                        match old {
                            Some(old) => new.diff(old, diff),
                            None => diff.here(),
                        }
                        diff.name(known, || key::text(key));
                    }
                    if common < old.len() {
                        for key in old.keys().filter(|key| !self.contains_key(*key)) {
                            let known = diff.known();
                            diff.here();
                            diff.name(known, || key::text(key));
                        }
                    }
                });
            }
            fn transition(&self, old: &Self, cx: &mut Cx) {
                if !may_be_guarded::<T>() {
                    return;
                }
                cx.in_map(|cx| {
                    for (key, new) in self {
                        if let Some(old) = old.get(key) {
                            let known = cx.known();
                            new.transition(old, cx);
                            cx.name(known, || key::text(key));
                        }
                    }
                });
            }
            fn defer(&mut self, running: &Self, deferred: &mut Diff) {
                if !may_wait::<T>() {
                    return;
                }
                deferred.in_map(|deferred| {
                    for (key, new) in self {
                        if let Some(running) = running.get(key) {
                            let known = deferred.known();
                            new.defer(running, deferred);
                            deferred.name(known, || key::text(key));
                        }
                    }
                });
            }
            fn secrets(&self, secrets: &mut SecretTexts) {
                for value in self.values() {
                    value.secrets(secrets);
                }
            }
        }
    )*};
}

map! {
    [+ Ord] [] BTreeMap, btree_map;
    [+ Eq + Hash] [S] HashMap, hash_map;
}

#[cfg(feature = "indexmap")]
mod ordered {
    use super::*;
    use indexmap::{IndexMap, map as index_map};

    map! {
        [+ Eq + Hash] [S] IndexMap, index_map;
    }
}
