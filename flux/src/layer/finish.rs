//! From the folded layer to the struct: values are moved, defaults filled in, and everything that is missing is listed at once.

use super::{
    Layer, Said,
    decode::Fill,
    merge::{List, Map},
};
use crate::{
    layer::Config,
    problem::{Cx, Diff, Seg, What},
    schema::{self, Kind, TypeFacts},
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

/// Compares a section, list or map of sections; an empty name is a flattened section.
pub fn diff<N: Nested>(diff: &mut Diff, name: &'static str, new: &N, old: &N) {
    if name.is_empty() {
        return new.diff(old, diff);
    }
    diff.within(|| Seg::Key(name.into()), |diff| new.diff(old, diff));
}

/// A required leaf.
#[inline]
pub(super) fn need<T>(cx: &mut Cx, name: &'static str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        cx.problem(name, What::Missing);
    }
    value
}

/// A leaf with a default.
#[inline]
pub fn or<T>(value: Option<T>, default: fn() -> T) -> Option<T> {
    Some(match value {
        Some(value) => value,
        None => default(),
    })
}

/// A section, list or map of sections.
#[inline]
pub fn nested<N: Nested>(cx: &mut Cx, name: &'static str, layer: Option<N::Layer>) -> Option<N> {
    N::finish(layer, cx, name)
}

/// A section, list or map of sections that has a default for when no layer says anything about it.
#[inline]
pub fn nested_or<N: Nested>(
    cx: &mut Cx,
    name: &'static str,
    layer: Option<N::Layer>,
    default: fn() -> N,
) -> Option<N> {
    match layer {
        Some(layer) => N::finish(Some(layer), cx, name),
        None => Some(default()),
    }
}

/// What `#[flux(nested)]` accepts: a config struct, or an `Option`, a `Vec` or a string-keyed map of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a section",
    label = "not a section",
    note = "`#[flux(nested)]` needs a struct that derives `Flux`, or an `Option`, a `Vec` or a string-keyed map of one"
)]
pub trait Nested: Sized {
    /// The layer's view.
    type Layer: Fill + Clone + Send + Sync + 'static;
    /// What the field table says of it.
    const KIND: Kind;
    /// What is known of the section's fields by their types.
    fn types() -> Vec<TypeFacts> {
        Vec::new()
    }
    /// Lays a layer over the one below.
    fn over(below: &mut Self::Layer, top: &Self::Layer);
    /// What the layer says.
    fn said(layer: &Self::Layer) -> Said<'_>;
    /// From the folded layer to the value.
    fn finish(layer: Option<Self::Layer>, cx: &mut Cx, name: &'static str) -> Option<Self>;
    /// Checks the rules of every field below.
    fn check(&self, cx: &mut Cx);
    /// Compares with the previous value.
    fn diff(&self, old: &Self, diff: &mut Diff);
    /// Checks the rules from the running value to this one in every section that both have.
    fn transition(&self, old: &Self, cx: &mut Cx);
    /// Puts the running values in the place of those that need a restart, in every section that both have.
    fn hold(&mut self, running: &Self, held: &mut Diff);
}

impl<C: Config> Nested for C {
    type Layer = C::Layer;
    const KIND: Kind = Kind::Section(C::fields);
    fn types() -> Vec<TypeFacts> {
        C::types()
    }
    fn over(below: &mut C::Layer, top: &C::Layer) {
        below.over(top);
    }
    fn said(layer: &C::Layer) -> Said<'_> {
        Said::Parts(layer)
    }
    fn finish(layer: Option<C::Layer>, cx: &mut Cx, name: &'static str) -> Option<C> {
        if name.is_empty() {
            return C::finish(layer.unwrap_or_default(), cx);
        }
        cx.within(Seg::Key(name.into()), |cx| {
            C::finish(layer.unwrap_or_default(), cx)
        })
    }
    fn check(&self, cx: &mut Cx) {
        self.validate(cx);
    }
    fn diff(&self, old: &C, diff: &mut Diff) {
        Config::diff(self, old, diff);
    }
    fn transition(&self, old: &C, cx: &mut Cx) {
        Config::transition(self, old, cx);
    }
    fn hold(&mut self, running: &C, held: &mut Diff) {
        Config::hold(self, running, held);
    }
}

/// Null turns an optional section off; silence leaves it as the layers below say.
impl<C: Config> Nested for Option<C> {
    type Layer = Option<C::Layer>;
    const KIND: Kind = Kind::Section(C::fields);
    fn types() -> Vec<TypeFacts> {
        C::types()
    }
    fn over(below: &mut Self::Layer, top: &Self::Layer) {
        match (below, top) {
            (Some(below), Some(top)) => below.over(top),
            (below, top) => *below = top.clone(),
        }
    }
    fn said(layer: &Self::Layer) -> Said<'_> {
        match layer {
            Some(layer) => Said::Parts(layer),
            None => Said::Value,
        }
    }
    fn finish(layer: Option<Self::Layer>, cx: &mut Cx, name: &'static str) -> Option<Self> {
        match layer.flatten() {
            Some(layer) => <C as Nested>::finish(Some(layer), cx, name).map(Some),
            None => Some(None),
        }
    }
    fn check(&self, cx: &mut Cx) {
        if let Some(section) = self {
            section.validate(cx);
        }
    }
    fn diff(&self, old: &Self, diff: &mut Diff) {
        match (self, old) {
            (Some(new), Some(old)) => Config::diff(new, old, diff),
            (None, None) => {}
            _ => diff.here(),
        }
    }
    fn transition(&self, old: &Self, cx: &mut Cx) {
        if let (Some(new), Some(old)) = (self, old) {
            Config::transition(new, old, cx);
        }
    }
    fn hold(&mut self, running: &Self, held: &mut Diff) {
        if let (Some(new), Some(running)) = (self, running) {
            Config::hold(new, running, held);
        }
    }
}

impl<C: Config> Nested for Vec<C> {
    type Layer = List<C::Layer>;
    const KIND: Kind = Kind::List(C::fields);
    fn types() -> Vec<TypeFacts> {
        C::types()
    }
    fn over(below: &mut Self::Layer, top: &Self::Layer) {
        below.clone_from(top);
    }
    fn said(layer: &Self::Layer) -> Said<'_> {
        Said::Parts(layer)
    }
    fn finish(layer: Option<Self::Layer>, cx: &mut Cx, name: &'static str) -> Option<Self> {
        let list = need(cx, name, layer)?;
        cx.within(Seg::Key(name.into()), |cx| {
            let length = list.0.len();
            let built: Vec<C> = (list.0.into_iter().enumerate())
                .filter_map(|(i, layer)| cx.within(Seg::Index(i), |cx| C::finish(layer, cx)))
                .collect();
            (built.len() == length).then_some(built)
        })
    }
    fn check(&self, cx: &mut Cx) {
        for (i, section) in self.iter().enumerate() {
            cx.within(Seg::Index(i), |cx| section.validate(cx));
        }
    }
    fn diff(&self, old: &Self, diff: &mut Diff) {
        if self.len() != old.len() {
            return diff.here();
        }
        for (i, (new, old)) in self.iter().zip(old).enumerate() {
            diff.within(|| Seg::Index(i), |diff| Config::diff(new, old, diff));
        }
    }
    fn transition(&self, old: &Self, cx: &mut Cx) {
        if !schema::may_be_guarded(C::fields()) {
            return;
        }
        for (i, (new, old)) in self.iter().zip(old).enumerate() {
            cx.within(Seg::Index(i), |cx| Config::transition(new, old, cx));
        }
    }
    fn hold(&mut self, running: &Self, held: &mut Diff) {
        if !schema::may_wait(C::fields()) {
            return;
        }
        for (i, (new, running)) in self.iter_mut().zip(running).enumerate() {
            held.within(|| Seg::Index(i), |held| Config::hold(new, running, held));
        }
    }
}

/// Builds the entries of a map of sections.
fn entries<C: Config>(
    layer: Option<Map<C::Layer>>,
    cx: &mut Cx,
    name: &'static str,
) -> Option<Vec<(String, C)>> {
    let map = need(cx, name, layer)?;
    let finish = |cx: &mut Cx| {
        let mut whole = true;
        let mut built = Vec::with_capacity(map.0.len());
        for (key, layer) in map.0 {
            let Some(layer) = layer else { continue };
            let known = cx.known();
            let section = C::finish(layer, cx);
            cx.name(known, &key);
            match section {
                Some(section) => built.push((key, section)),
                None => whole = false,
            }
        }
        whole.then_some(built)
    };
    cx.within(Seg::Key(name.into()), |cx| cx.in_map(finish))
}

macro_rules! map_of_sections {
    ([$($generic:tt)*] $map:ty) => {
        impl<C: Config $($generic)*> Nested for $map {
            type Layer = Map<C::Layer>;
            const KIND: Kind = Kind::Map(C::fields);
            fn types() -> Vec<TypeFacts> {
                C::types()
            }
            fn over(below: &mut Self::Layer, top: &Self::Layer) {
                below.over(top);
            }
            fn said(layer: &Self::Layer) -> Said<'_> {
                Said::Parts(layer)
            }
            fn finish(layer: Option<Self::Layer>, cx: &mut Cx, name: &'static str) -> Option<Self> {
                Some(entries(layer, cx, name)?.into_iter().collect())
            }
            fn check(&self, cx: &mut Cx) {
                cx.in_map(|cx| {
                    for (key, section) in self {
                        let known = cx.known();
                        section.validate(cx);
                        cx.name(known, key);
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
                        Some(old) => Config::diff(new, old, diff),
                        None => diff.here(),
                    }
                    diff.name(known, key);
                  }
                  if common < old.len() {
                    for key in old.keys().filter(|key| !self.contains_key(*key)) {
                        let known = diff.known();
                        diff.here();
                        diff.name(known, key);
                    }
                  }
                });
            }
            fn transition(&self, old: &Self, cx: &mut Cx) {
                if !schema::may_be_guarded(C::fields()) {
                    return;
                }
                for (key, new) in self {
                    if let Some(old) = old.get(key) {
                        cx.under(key, |cx| Config::transition(new, old, cx));
                    }
                }
            }
            fn hold(&mut self, running: &Self, held: &mut Diff) {
                if !schema::may_wait(C::fields()) {
                    return;
                }
                held.in_map(|held| {
                    for (key, new) in self {
                        if let Some(running) = running.get(key) {
                            let known = held.known();
                            Config::hold(new, running, held);
                            held.name(known, key);
                        }
                    }
                });
            }
        }
    };
}

map_of_sections!([] BTreeMap<String, C>);
map_of_sections!([, S: BuildHasher + Default] HashMap<String, C, S>);
