//! What a layer says about a path, asked only when a report or an explanation needs it.

use crate::{
    layer::{
        Layer, Parts, Said, UNKNOWN,
        finish::Nested,
        key,
        sublayer::{LayerEntries, List, Map, Sublayer},
    },
    problem::Seg,
};

impl<L: Layer> Parts for L {
    fn part(&self, seg: &Seg) -> Said<'_> {
        match seg {
            Seg::Key(key) => match L::index(key, 0) {
                UNKNOWN => self.said_rest(key),
                index => self.said(index),
            },
            Seg::Index(_) => Said::Nothing,
        }
    }
}

impl<L: Sublayer> Parts for List<L> {
    fn part(&self, seg: &Seg) -> Said<'_> {
        match seg {
            Seg::Index(index) => {
                let item = match &self.single {
                    Some(single) => single.get(index),
                    None => self.items.get(*index),
                };
                item.map_or(Said::Nothing, Sublayer::says)
            }
            Seg::Key(_) => Said::Nothing,
        }
    }
}

impl<M: LayerEntries> Parts for Map<M> {
    fn part(&self, seg: &Seg) -> Said<'_> {
        let Seg::Key(key) = seg else {
            return Said::Nothing;
        };
        match key::parse(key).and_then(|key| self.0.get(&key)) {
            Some(Some(layer)) => layer.says(),
            Some(None) => Said::Value,
            None => Said::Nothing,
        }
    }
}

/// What a leaf says.
#[inline]
pub fn leaf<T>(slot: &Option<T>) -> Said<'_> {
    match slot {
        Some(_) => Said::Value,
        None => Said::Nothing,
    }
}

/// What something nested says.
#[inline]
pub fn nested<N: Nested>(slot: &Option<N::Layer>) -> Said<'_> {
    match slot {
        Some(layer) => layer.says(),
        None => Said::Nothing,
    }
}

/// How many leading steps of `path` the layer says something about: 0 where it is silent, all of them where it set the value.
pub(crate) fn depth(layer: &dyn Parts, path: &[Seg]) -> usize {
    let mut parts = layer;
    for (depth, seg) in path.iter().enumerate() {
        match parts.part(seg) {
            Said::Nothing => return depth,
            Said::Value => return path.len(),
            Said::Parts(inner) => parts = inner,
        }
    }
    path.len()
}
