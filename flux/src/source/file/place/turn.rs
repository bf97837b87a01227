//! Which files are read in one turn of a session: what was touched, or is due, as far as it is settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::PathBuf,
    time::Duration,
};

use tokio::time::Instant;

use super::{LastStep, TRIES, WatchedPlace};
use crate::source::file::{
    chain::{DATA, EventSpot, LinkChain, Part},
    entry::{Judgement, PathState, ReadSpan, Trust},
    event::Touch,
    read::ReadOutcome,
    touches::Touches,
};

/// What is to be read, and how far it is trusted.
type Readings = BTreeMap<OsString, Trust>;

/// What a turn found, and what is to be looked at after it.
#[derive(Default)]
pub(in crate::source::file) struct Turn {
    /// What was touched: the ways there may have changed.
    touched: BTreeSet<OsString>,
    /// All is to be looked at, with this trust.
    look: Option<Trust>,
}

impl Turn {
    /// How all is to be looked at after it, if it is: what is not watched may have changed before it is.
    pub(in crate::source::file) fn look_after(self, place: &WatchedPlace) -> Option<Trust> {
        self.look
            .or_else(|| (!place.follows(&self.touched)).then_some(Trust::Unproven))
    }
}

impl WatchedPlace {
    /// Reads a small file as soon as its writer has closed it.
    pub(in crate::source::file) fn read_early(&self) {
        let wanted = match (self.is_one_file(), self.silent || self.is_deaf()) {
            (true, false) => self.leaves.values().next().map(|leaf| &leaf.target),
            _ => None,
        };
        self.subscription.read_early(wanted);
    }

    /// Reads what was touched, as far as it is settled.
    pub(in crate::source::file) fn touch(&mut self, touches: &Touches, now: Instant) -> Turn {
        let mut turn = Turn::default();
        let mut readings = Readings::new();
        self.meet(touches);
        for (name, leaf) in &mut self.leaves {
            let Some(touch) = touches.of(&leaf.way) else {
                continue;
            };
            turn.touched.insert(name.clone());
            if let Some(trust) = leaf.entry.touched(touch, now) {
                let linked = trust == Trust::Finished && touches.link(&leaf.way);
                let trust = if linked { Trust::Linked } else { trust };
                readings.insert(name.clone(), trust);
            }
        }
        if let Some(folder) = &mut self.folder {
            let touch = touches.of(&folder.way);
            let is_inside = touches.inside(folder.real.as_deref()).next().is_some();
            let is_listed = is_inside && folder.is_full(self.leaves.len());
            // What happens to a file of it proves that it was there.
            for touch in touch
                .into_iter()
                .chain(touches.inside(folder.real.as_deref()))
            {
                folder.entry.happened(touch);
            }
            turn.look = match touch {
                Some(Touch::Finished) => Some(Trust::Linked),
                // What the lost events were about is looked at when it is quiet.
                Some(Touch::Rescan) => {
                    folder.entry.touched(Touch::Rescan, now);
                    None
                }
                Some(_) => Some(Trust::Unproven),
                None => (is_listed || !folder.target.path.is_dir()).then_some(Trust::Unproven),
            };
        }
        if turn.look.is_none() {
            let early = self.subscription.early();
            self.read_some(readings, early, now);
        }
        turn
    }

    /// Reads what is due although nothing happened.
    pub(in crate::source::file) fn overdue(&mut self, now: Instant) -> Turn {
        let mut turn = Turn::default();
        if let Some(folder) = &self.folder {
            turn.look = folder.entry.overdue(now);
            if turn.look.is_none() && !folder.target.path.is_dir() {
                turn.look = Some(Trust::Unproven);
            }
        }
        if turn.look.is_some() {
            return turn;
        }
        let mut readings = Readings::new();
        for (name, leaf) in &mut self.leaves {
            if let Some(trust) = leaf.entry.overdue(now) {
                turn.touched.insert(name.clone());
                readings.insert(name.clone(), trust);
            }
        }
        self.read_some(readings, None, now);
        turn
    }

    /// Files of the folder that were not there before.
    fn meet(&mut self, touches: &Touches) {
        let Some(folder) = &self.folder else {
            return;
        };
        for (spot, touch) in &touches.spots {
            let Part::Name(name) = &spot.part else {
                continue;
            };
            let mine = folder.real.as_ref() == Some(&spot.dir) && folder.reads(name);
            if mine && *touch != Touch::Gone && !self.leaves.contains_key(name) {
                let target = folder.target_of(name);
                if target.path.is_dir() {
                    continue;
                }
                let leaf = LastStep {
                    root: None,
                    entry: PathState::absent(self.quiet),
                    // Followed after it was read; what a link leads to is not known yet.
                    way: LinkChain {
                        spots: BTreeSet::from([spot.clone()]),
                        end: match target.path.is_symlink() {
                            true => PathBuf::new(),
                            false => spot.dir.join(name),
                        },
                        ..LinkChain::default()
                    },
                    target,
                };
                self.leaves.insert(name.clone(), leaf);
            }
        }
    }

    /// Reads these files; `early` is what one that is watched by itself was seen to hold when its writer finished.
    pub(super) fn read_some(
        &mut self,
        mut readings: Readings,
        mut early: Option<ReadOutcome>,
        now: Instant,
    ) {
        for _ in 0..TRIES {
            self.add_replaced(&mut readings);
            if readings.is_empty() {
                break;
            }
            for (name, trust) in std::mem::take(&mut readings) {
                let Some(leaf) = self.leaves.get_mut(&name) else {
                    continue;
                };
                let mut found = early.take().unwrap_or_else(|| {
                    let mut found = leaf.read(self.folder.is_some());
                    found.orphan |= leaf.has_lost_its_name(&found);
                    self.subscription.looked();
                    found
                });
                if self.silent && trust == Trust::Unproven {
                    // The clock of another machine may differ: the file must be found unchanged after a while.
                    found.age = Some(Duration::ZERO);
                }
                let written = self.subscription.write_pending(&leaf.way);
                // The event was of the file that is watched, not of one to which a link or a folder in its place leads by now.
                let elsewhere = trust == Trust::Finished
                    && !(self.subscription.holds() && leaf.is_where_it_was());
                let trust = if elsewhere { Trust::Unproven } else { trust };
                let verdict = leaf
                    .entry
                    .consider(found, trust, written, ReadSpan::since(now));
                self.news |= verdict == Judgement::New;
            }
        }
    }

    /// Where the link `..data` leads elsewhere than before, all behind it was replaced at once, and is taken at once.
    fn add_replaced(&mut self, readings: &mut Readings) {
        let Some(folder) = &mut self.folder else {
            return;
        };
        let Some(real) = &folder.real else {
            return;
        };
        let data = fs::read_link(real.join(DATA)).ok();
        if data.is_none() || data == folder.data || !real.join(DATA).is_dir() {
            return;
        }
        folder.data = data;
        let link = EventSpot::entry(real, DATA);
        let behind = self
            .leaves
            .iter()
            .filter(|(_, leaf)| leaf.way.spots.contains(&link));
        readings.extend(behind.map(|(name, _)| (name.clone(), Trust::Replaced)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::file::{entry::PathContent, hub::Wait, target::Target};
    use std::sync::Arc;

    /// Longer than the test takes: all times but that of the first look lie in the future.
    const QUIET: Duration = Duration::from_secs(3600);

    async fn touched(place: &mut WatchedPlace, now: Instant) {
        let touches = place.touched().await;
        let turn = place.touch(&touches, now);
        if let Some(trust) = turn.look_after(place) {
            place.look(trust, Wait::Forever, now).unwrap();
        }
    }

    fn is_there(place: &WatchedPlace) -> bool {
        let held = place.folder.as_ref().unwrap().entry.held();
        matches!(held, Some(PathContent::Value(_)))
    }

    /// It was empty when it was looked at in between, so that nothing of it was read.
    #[tokio::test]
    async fn a_folder_that_was_away_twice_was_not_away_all_the_time() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().canonicalize().unwrap().join("d");
        let target = Arc::new(Target {
            path: path.clone(),
            shown: "d".to_owned(),
            max_size: 100,
        });
        let make = || {
            fs::create_dir(&path).unwrap();
            fs::write(path.join("a"), "text").unwrap();
        };
        make();
        let begin = Instant::now() + QUIET * 10;
        let mut place = WatchedPlace::folder(target, None, QUIET);
        place.look(Trust::Unproven, Wait::Forever, begin).unwrap();
        assert!(place.take_news() && is_there(&place));

        fs::remove_dir_all(&path).unwrap();
        let away = begin + QUIET;
        touched(&mut place, away).await;
        while place.folder.as_ref().unwrap().real.is_some() {
            touched(&mut place, away).await;
        }
        let due = place.due().unwrap();
        assert_eq!(due, away + QUIET);
        fs::create_dir(&path).unwrap();
        touched(&mut place, away + QUIET / 2).await;
        fs::remove_dir(&path).unwrap();
        touched(&mut place, away + QUIET / 2).await;

        for (now, counts) in [(due, false), (due + QUIET, true)] {
            let trust = place.overdue(now).look.unwrap();
            place.look(trust, Wait::Forever, now).unwrap();
            assert_eq!(place.take_news(), counts);
            assert_eq!(is_there(&place), !counts);
        }
    }
}
