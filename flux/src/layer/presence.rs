//! Whether a layer contains something at a path, asked only when a report or an explanation needs it.

use crate::{
    layer::{
        Layer, Parts, Presence, UNKNOWN,
        finish::Nested,
        key,
        sublayer::{LayerEntries, List, Map, Sublayer},
    },
    problem::Seg,
};

impl<L: Layer> Parts for L {
    fn part(&self, seg: &Seg) -> Presence<'_> {
        match seg {
            Seg::Key(key) => match L::index(key, 0) {
                UNKNOWN => self.presence_of_rest(key),
                index => self.presence_of(index),
            },
            Seg::Index(_) => Presence::Nothing,
        }
    }
}

impl<L: Sublayer> Parts for List<L> {
    fn part(&self, seg: &Seg) -> Presence<'_> {
        match seg {
            Seg::Index(index) => {
                let item = match &self.single {
                    Some(single) => single.get(index),
                    None => self.items.get(*index),
                };
                item.map_or(Presence::Nothing, Sublayer::presence)
            }
            Seg::Key(_) => Presence::Nothing,
        }
    }
}

impl<M: LayerEntries> Parts for Map<M> {
    fn part(&self, seg: &Seg) -> Presence<'_> {
        let Seg::Key(key) = seg else {
            return Presence::Nothing;
        };
        match key::parse(key).and_then(|key| self.0.get(&key)) {
            Some(Some(layer)) => layer.presence(),
            Some(None) => Presence::Value,
            None => Presence::Nothing,
        }
    }
}

/// What a leaf contains.
#[inline]
pub fn leaf<T>(slot: &Option<T>) -> Presence<'_> {
    match slot {
        Some(_) => Presence::Value,
        None => Presence::Nothing,
    }
}

/// What something nested contains.
#[inline]
pub fn nested<N: Nested>(slot: &Option<N::Layer>) -> Presence<'_> {
    match slot {
        Some(layer) => layer.presence(),
        None => Presence::Nothing,
    }
}

/// How many leading steps of `path` the layer contains something of: 0 where it is silent, all of them where it set the value.
pub(crate) fn depth(layer: &dyn Parts, path: &[Seg]) -> usize {
    let mut parts = layer;
    for (depth, seg) in path.iter().enumerate() {
        match parts.part(seg) {
            Presence::Nothing => return depth,
            Presence::Value => return path.len(),
            Presence::Parts(inner) => parts = inner,
        }
    }
    path.len()
}
