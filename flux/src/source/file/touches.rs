//! What happened to each watched directory entry since a session looked last.

use std::{collections::HashMap, path::Path};

use super::{
    chain::{DATA, EventSpot, LinkChain, Part},
    event::Touch,
};

/// So many spots are looked through one by one; beyond that they are found by an index.
const FEW: usize = 16;

/// What happened since the last look.
#[derive(Debug, Default)]
pub(super) struct Touches {
    pub(super) spots: Vec<(EventSpot, Touch)>,
    /// Of each spot, which of all touches was its last.
    order: Vec<u64>,
    count: u64,
    /// Where each spot is, once they are more than a [`FEW`].
    index: HashMap<EventSpot, usize>,
    /// Where those are that concern a whole folder.
    wide: Vec<usize>,
    /// Events were lost: anything may have happened.
    pub(super) rescan: bool,
}

impl Touches {
    pub(super) fn is_empty(&self) -> bool {
        self.spots.is_empty() && !self.rescan
    }

    pub(super) fn is_finished(&self, spot: &EventSpot) -> bool {
        let at = self.position(spot);
        at.is_some_and(|at| self.spots[at].1 == Touch::Finished)
    }

    pub(super) fn add(&mut self, spot: &EventSpot, touch: Touch) {
        self.count += 1;
        if let Some(at) = self.position(spot) {
            let before = self.spots[at].1;
            (self.spots[at].1, self.order[at]) = (before.then(touch), self.count);
            return;
        }
        let at = self.spots.len();
        if !matches!(spot.part, Part::Name(_)) {
            self.wide.push(at);
        }
        self.spots.push((spot.clone(), touch));
        self.order.push(self.count);
        if at == FEW {
            let spots = self.spots.iter().enumerate();
            self.index = spots.map(|(at, (spot, _))| (spot.clone(), at)).collect();
        } else if at > FEW {
            self.index.insert(spot.clone(), at);
        }
    }

    fn position(&self, spot: &EventSpot) -> Option<usize> {
        match self.spots.len() <= FEW {
            true => self.spots.iter().position(|(other, _)| other == spot),
            false => self.index.get(spot).copied(),
        }
    }

    /// Where the spots are that can matter to a way.
    fn on<'a>(&'a self, way: &'a LinkChain) -> impl Iterator<Item = usize> + 'a {
        let few = self.spots.len() <= FEW;
        let each = 0..if few { self.spots.len() } else { 0 };
        let each = each.filter(|at| way.has(&self.spots[*at].0));
        let named = way.spots.iter().filter(move |_| !few);
        let named = named.filter(|spot| matches!(spot.part, Part::Name(_)));
        let named = named.filter_map(|spot| self.position(spot));
        let wide = self.wide.iter().copied().filter(move |_| !few);
        let wide = wide.filter(|at| way.has(&self.spots[*at].0));
        each.chain(named).chain(wide)
    }

    /// What happened on a way, all in all.
    pub(super) fn of(&self, way: &LinkChain) -> Option<Touch> {
        if self.rescan {
            return Some(Touch::Rescan);
        }
        let mut mine: Vec<usize> = self.on(way).collect();
        mine.sort_unstable_by_key(|at| self.order[*at]);
        let mine = mine.into_iter().map(|at| self.spots[at].1);
        mine.reduce(Touch::then)
    }

    /// Whether somebody writes to something on a way.
    pub(super) fn is_written(&self, way: &LinkChain) -> bool {
        self.on(way).any(|at| self.spots[at].1 == Touch::Written)
    }

    /// What happened to entries of the folder `real`.
    pub(super) fn inside(&self, real: Option<&Path>) -> impl Iterator<Item = Touch> {
        let spots = self.spots.iter();
        let mine = spots.filter(move |(spot, _)| Some(&*spot.dir) == real);
        mine.map(|(_, touch)| *touch)
    }

    /// Whether a link on the way was touched; not the one that leads only to what nobody writes to any more.
    pub(super) fn link(&self, way: &LinkChain) -> bool {
        self.on(way).any(|at| match &self.spots[at].0 {
            spot @ EventSpot {
                part: Part::Name(name),
                ..
            } => {
                let is_end =
                    || way.end.file_name() == Some(name) && way.end.parent() == Some(&spot.dir);
                name != DATA && !is_end()
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::BTreeSet,
        time::{Duration, Instant},
    };

    fn spot(at: u8) -> EventSpot {
        let dir = ["/a", "/b", "/c"][usize::from(at) % 3];
        match at % 11 {
            0 => EventSpot {
                dir: dir.into(),
                part: Part::All,
            },
            1 => EventSpot {
                dir: dir.into(),
                part: Part::Itself,
            },
            _ => EventSpot::entry(dir, at.to_string()),
        }
    }

    /// Many times what the system keeps of events; it would take minutes to look through all of them for each.
    #[test]
    fn a_hundred_thousand_files_that_are_touched_are_found_without_looking_through_all() {
        const FILES: usize = 100_000;
        let spot = |at: usize| EventSpot::entry("/a/folder", at.to_string());
        let begin = Instant::now();
        let mut touches = Touches::default();
        for at in (0..FILES).chain(0..FILES) {
            touches.add(&spot(at), Touch::Finished);
        }
        for at in 0..FILES {
            let way = LinkChain {
                spots: BTreeSet::from([spot(at)]),
                ..LinkChain::default()
            };
            assert_eq!(touches.of(&way), Some(Touch::Finished));
            assert!(!touches.is_written(&way));
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{:?}",
            begin.elapsed()
        );
    }

    proptest! {
        /// A way that is touched at many spots at once is touched as if by one after the other.
        #[test]
        fn many_spots_are_found_as_a_few_are(
            touched in proptest::collection::vec((any::<u8>(), 0..3usize), 0..200),
            way in proptest::collection::btree_set(any::<u8>(), 0..4),
        ) {
            let kinds = [Touch::Written, Touch::Finished, Touch::Gone];
            let spots: BTreeSet<EventSpot> = way.into_iter().map(spot).collect();
            let way = LinkChain { spots, ..LinkChain::default() };
            let (mut touches, mut plain) = (Touches::default(), Vec::<(EventSpot, Touch)>::new());
            for (at, kind) in touched {
                let (spot, touch) = (spot(at), kinds[kind]);
                touches.add(&spot, touch);
                let known = plain.iter().position(|(other, _)| *other == spot);
                let before = known.map(|at| plain.remove(at).1);
                plain.push((spot, before.map_or(touch, |before| before.then(touch))));
            }
            let mine = || plain.iter().filter(|(spot, _)| way.has(spot)).map(|(_, touch)| *touch);
            prop_assert_eq!(touches.of(&way), mine().reduce(Touch::then));
            prop_assert_eq!(touches.is_written(&way), mine().any(|touch| touch == Touch::Written));
            for (spot, touch) in &plain {
                prop_assert_eq!(touches.is_finished(spot), *touch == Touch::Finished);
            }
        }
    }
}
