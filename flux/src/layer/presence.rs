//! What a layer says about a path, asked only when a report or an explanation needs it.

use crate::{
    layer::{Layer, Parts, Said, UNKNOWN, finish::Nested, merge},
    problem::Seg,
};

impl<L: Layer> Parts for L {
    fn part(&self, seg: &Seg) -> Said<'_> {
        match seg {
            Seg::Key(key) => match L::index(key, 0) {
                UNKNOWN => Said::Nothing,
                index => self.said(index),
            },
            Seg::Index(_) => Said::Nothing,
        }
    }
}

impl<L: Layer> Parts for merge::List<L> {
    fn part(&self, seg: &Seg) -> Said<'_> {
        match seg {
            Seg::Index(index) => self.0.get(*index).map_or(Said::Nothing, |l| Said::Parts(l)),
            Seg::Key(_) => Said::Nothing,
        }
    }
}

impl<L: Layer> Parts for merge::Map<L> {
    fn part(&self, seg: &Seg) -> Said<'_> {
        match seg {
            Seg::Key(key) => match self.0.get(key.as_ref()) {
                Some(Some(layer)) => Said::Parts(layer),
                Some(None) => Said::Value,
                None => Said::Nothing,
            },
            Seg::Index(_) => Said::Nothing,
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

/// What a section, list or map of sections says.
#[inline]
pub fn nested<N: Nested>(slot: &Option<N::Layer>) -> Said<'_> {
    match slot {
        Some(layer) => N::said(layer),
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
