//! Follows and watches what leads to a place, and then reads all of it.

use std::{collections::BTreeSet, ffi::OsString, fs, path::Path};

use tokio::time::Instant;

use super::{LastStep, TRIES, WatchedPlace};
use crate::source::file::{
    chain::{self, EventSpot, LinkChain, Part},
    entry::{Judgement, PathContent, PathState, ReadSpan, Trust},
    hub::{Busy, Wait},
    read::FileContent,
};

impl WatchedPlace {
    /// Watches all that leads here, then reads it.
    pub(in crate::source::file) fn look(
        &mut self,
        trust: Trust,
        wait: Wait,
        now: Instant,
    ) -> Result<(), Busy> {
        self.arm(trust, wait, now)?;
        // What was read early may be of where the way led before, also of a file that is not read now.
        self.subscription.looked();
        if self.is_gone() {
            return Ok(());
        }
        // The wait of the folder is not that of its files.
        let each = match trust {
            Trust::Linked => Trust::Linked,
            _ => Trust::Unproven,
        };
        // Of another folder in its place every file is another one.
        let idle = self.leaves.iter();
        let idle = idle.filter(|(_, leaf)| each == Trust::Linked || !leaf.entry.is_busy());
        let readings = idle.map(|(name, _)| (name.clone(), each)).collect();
        self.together |= each == Trust::Linked;
        self.read_some(readings, None, now);
        if self.folder.is_some() {
            // What is gone for good is not watched any more.
            self.leaves.retain(|_, leaf| {
                leaf.entry.is_busy()
                    || leaf.entry.held() != Some(&PathContent::Absent)
                    || fs::symlink_metadata(&leaf.target.path).is_ok()
            });
        }
        Ok(())
    }

    /// Whether what leads to what was touched is still watched.
    pub(super) fn follows(&self, touched: &BTreeSet<OsString>) -> bool {
        let mut leaves = touched.iter().filter_map(|name| self.leaves.get(name));
        leaves.all(|leaf| leaf.way == self.way_to(&leaf.target.path)) && self.subscription.holds()
    }

    /// Lists the folder and watches every way.
    fn arm(&mut self, trust: Trust, wait: Wait, now: Instant) -> Result<(), Busy> {
        for _ in 0..TRIES {
            self.list(trust, now);
            let spots = self.spots();
            if self.subscription.watches(&spots) && self.subscription.holds() {
                self.deaf = None;
                return Ok(());
            }
            // Looked at again: a directory may have come or gone before its watch was made.
            match self.subscription.arm(spots, wait)? {
                Ok(()) => {}
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
                Err(error) => {
                    self.deaf = Some(error.to_string().into());
                    return Ok(());
                }
            }
        }
        self.deaf = Some("what leads to it changes all the time".into());
        Ok(())
    }

    fn list(&mut self, trust: Trust, now: Instant) {
        if let Some(folder) = &mut self.folder {
            folder.way = chain::resolve(&folder.target.path);
            let (found, listed) = folder.list();
            let span = ReadSpan::since(now);
            let was_there = matches!(folder.entry.held(), Some(PathContent::Value(_)));
            let failed = matches!(found.what, FileContent::Failed(_));
            let trust = match &listed {
                // That it is there needs no wait; that it is empty does.
                Some((_, names)) if !names.is_empty() => Trust::Replaced,
                _ => folder.entry.overdue(now).unwrap_or(trust),
            };
            // Otherwise it is waited for already.
            let is_new = (trust != Trust::Unproven || !folder.entry.is_busy())
                && folder.entry.consider(found, trust, false, span) == Judgement::New;
            let is_there = matches!(folder.entry.held(), Some(PathContent::Value(_)));
            self.news |= is_new && !(was_there && is_there);
            if folder.entry.held().is_some() && !is_there {
                self.leaves.clear();
            }
            if !failed {
                folder.real = listed.as_ref().map(|(real, _)| real.clone());
            }
            for name in listed.into_iter().flat_map(|(_, names)| names) {
                let new = || LastStep {
                    target: folder.target_of(&name),
                    entry: match was_there {
                        true => PathState::absent(self.quiet),
                        false => PathState::new(self.quiet),
                    },
                    way: LinkChain::default(),
                    root: None,
                };
                self.leaves.entry(name.clone()).or_insert_with(new);
            }
        }
        let paths = self.leaves.values().map(|leaf| &leaf.target.path);
        let ways: Vec<LinkChain> = paths.map(|path| self.way_to(path)).collect();
        for (leaf, way) in self.leaves.values_mut().zip(ways) {
            leaf.way = way;
        }
    }

    /// The way to a file; where the file is a mount itself, its own events are needed as well: no other name of it has any.
    fn way_to(&self, path: &Path) -> LinkChain {
        let mut way = chain::resolve(path);
        if self.mounts.at(&way.end).is_some() && way.end.is_file() {
            way.spots.insert(EventSpot {
                dir: way.end.clone(),
                part: Part::Itself,
            });
        }
        way
    }

    /// All that is watched.
    fn spots(&self) -> BTreeSet<EventSpot> {
        let leaves = self.leaves.values().flat_map(|leaf| &leaf.way.spots);
        let Some(folder) = &self.folder else {
            return leaves.cloned().collect();
        };
        let real = folder.real.as_deref();
        // The names of the folder are watched all together.
        let elsewhere = leaves.filter(|spot| Some(&*spot.dir) != real);
        let mut spots: BTreeSet<EventSpot> = elsewhere.chain(&folder.way.spots).cloned().collect();
        spots.extend(real.map(|real| EventSpot {
            dir: real.to_owned(),
            part: Part::All,
        }));
        spots
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::{
        Observation,
        file::{event::Touch, target::Target},
    };
    use std::{os::unix::fs::symlink, sync::Arc, time::Duration};

    /// A writer is at work where the file was, so that the look does not read it; what was read early is of a way that no event will
    /// show to be another one by now.
    #[tokio::test]
    async fn what_was_read_before_a_look_is_dropped_although_the_look_read_nothing() {
        const QUIET: Duration = Duration::from_millis(60);
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        for (name, text) in [("plain", "first"), ("v0", "second"), ("v1", "third")] {
            fs::write(root.join(name), text).unwrap();
        }
        let swap = |link: &str, target: &str| {
            symlink(target, root.join("aside")).unwrap();
            fs::rename(root.join("aside"), root.join(link)).unwrap();
        };
        swap("cur", "v0");
        swap("via", "plain");
        let target = Arc::new(Target {
            path: root.join("via"),
            shown: "via".to_owned(),
            max_size: 100,
        });
        tokio::time::sleep(QUIET * 2).await;
        let mut place = WatchedPlace::file(target, QUIET);
        let look = |place: &mut WatchedPlace| {
            let look = place.look(Trust::Unproven, Wait::Forever, Instant::now());
            look.unwrap();
        };
        look(&mut place);
        assert!(place.take_news());
        place.read_early();

        swap("via", "cur");
        // Its own events are seen and looked at elsewhere.
        tokio::time::sleep(QUIET).await;
        place.touched().await;
        place.subscription.looked();
        place.subscription.finished(&EventSpot::entry(&root, "via"));
        for leaf in place.leaves.values_mut() {
            leaf.entry.touched(Touch::Written, Instant::now());
        }
        swap("cur", "v1");
        look(&mut place);
        assert!(place.is_busy());

        let touches = place.touched().await;
        place.touch(&touches, Instant::now());
        assert!(place.take_news());
        let Some(Observation::Value(content)) = place.observation() else {
            panic!("no value");
        };
        assert_eq!(*content.bytes, *b"third");
    }
}
