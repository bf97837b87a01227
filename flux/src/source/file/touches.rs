//! What happened to each watched directory entry since a session looked last.

use std::path::Path;

use super::{
    chain::{DATA, EventSpot, LinkChain, Part},
    event::Touch,
};

/// What happened since the last look, in the order of the last touch of each spot.
#[derive(Debug, Default)]
pub(super) struct Touches {
    pub(super) spots: Vec<(EventSpot, Touch)>,
    /// Events were lost: anything may have happened.
    pub(super) rescan: bool,
}

impl Touches {
    pub(super) fn is_empty(&self) -> bool {
        self.spots.is_empty() && !self.rescan
    }

    pub(super) fn is_finished(&self, spot: &EventSpot) -> bool {
        let mut touches = self.spots.iter();
        touches.any(|(other, touch)| other == spot && *touch == Touch::Finished)
    }

    pub(super) fn add(&mut self, spot: &EventSpot, touch: Touch) {
        let known = self.spots.iter().position(|(other, _)| other == spot);
        let merged = match known {
            Some(at) => {
                let (spot, before) = self.spots.remove(at);
                (spot, before.then(touch))
            }
            None => (spot.clone(), touch),
        };
        self.spots.push(merged);
    }

    /// What happened on a way, all in all.
    pub(super) fn of(&self, way: &LinkChain) -> Option<Touch> {
        if self.rescan {
            return Some(Touch::Rescan);
        }
        let mine = self.spots.iter().filter(|(spot, _)| way.has(spot));
        mine.map(|(_, touch)| *touch).reduce(Touch::then)
    }

    /// What happened to entries of the folder `real`.
    pub(super) fn inside(&self, real: Option<&Path>) -> impl Iterator<Item = Touch> {
        let spots = self.spots.iter();
        let mine = spots.filter(move |(spot, _)| Some(&*spot.dir) == real);
        mine.map(|(_, touch)| *touch)
    }

    /// Whether a link on the way was touched; not the one that leads only to what nobody writes to any more.
    pub(super) fn link(&self, way: &LinkChain) -> bool {
        self.spots.iter().any(|(spot, _)| match &spot.part {
            Part::Name(name) => {
                let is_end =
                    || way.end.file_name() == Some(name) && way.end.parent() == Some(&spot.dir);
                way.spots.contains(spot) && name != DATA && !is_end()
            }
            Part::All | Part::Itself => false,
        })
    }
}
