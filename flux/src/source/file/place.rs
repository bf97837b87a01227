//! What is watched, and how it is looked at: one file, or every file of a folder. Each path is settled by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    chain::{self, EventSpot, LinkChain, Part},
    entry::{Judgement, PathContent, PathState, ReadSpan, Touch, Trust},
    folder::{Folder, is_shown},
    hub::{Busy, FileSubscription, Wait},
    mounts::Mounts,
    read::{FileContent, ReadOutcome, read},
    subscriber::Touches,
    target::Target,
    values,
};
use crate::source::{Observation, SourceError};

/// How often the way to a file is followed again when it changes meanwhile.
const TRIES: usize = 8;
/// The link by which a whole mounted object is replaced.
const DATA: &str = "..data";

pub(super) struct WatchedPlace {
    subscription: FileSubscription,
    quiet: Duration,
    folder: Option<Folder>,
    /// By name; a file that is watched by itself has none.
    leaves: BTreeMap<OsString, LastStep>,
    mounts: Mounts,
    /// There are no events, or not of all changes.
    silent: bool,
    /// Why there are no events.
    deaf: Option<Arc<str>>,
    /// Something counts that did not when it was last asked for.
    news: bool,
    /// The folder was replaced as a whole: what is new in it counts together.
    together: bool,
}

/// One file.
struct LastStep {
    target: Arc<Target>,
    entry: PathState,
    way: LinkChain,
}

/// What is to be read, and how far it is trusted.
type Readings = BTreeMap<OsString, Trust>;

/// What a turn found, and what is to be looked at after it.
#[derive(Default)]
pub(super) struct Turn {
    /// What was touched: the ways there may have changed.
    touched: BTreeSet<OsString>,
    /// All is to be looked at, with this trust.
    look: Option<Trust>,
}

impl Turn {
    /// How all is to be looked at after it, if it is: what is not watched may have changed before it is.
    pub(super) fn look_after(self, place: &WatchedPlace) -> Option<Trust> {
        self.look
            .or_else(|| (!place.follows(&self.touched)).then_some(Trust::Unproven))
    }
}

impl WatchedPlace {
    pub(super) fn file(target: Arc<Target>, quiet: Duration) -> Self {
        let leaf = LastStep {
            target,
            entry: PathState::new(quiet),
            way: LinkChain::default(),
        };
        WatchedPlace::new(quiet, None, BTreeMap::from([(OsString::new(), leaf)]))
    }

    pub(super) fn folder(target: Arc<Target>, quiet: Duration) -> Self {
        let folder = Folder {
            target,
            entry: PathState::new(quiet),
            way: LinkChain::default(),
            real: None,
            data: None,
        };
        WatchedPlace::new(quiet, Some(folder), BTreeMap::new())
    }

    fn new(quiet: Duration, folder: Option<Folder>, leaves: BTreeMap<OsString, LastStep>) -> Self {
        WatchedPlace {
            subscription: FileSubscription::new(),
            quiet,
            folder,
            leaves,
            mounts: Mounts::default(),
            silent: false,
            deaf: None,
            news: false,
            together: false,
        }
    }

    pub(super) async fn touched(&self) -> Touches {
        self.subscription.touched().await
    }

    /// Whether reading may hang, or misses events.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.deaf.is_some()
    }

    /// Whether a look at it may hang: asked without looking at anything that may.
    pub(super) fn may_hang(&mut self) -> bool {
        self.mounts = Mounts::read();
        let path = match (&self.folder, self.leaves.values().next()) {
            (Some(folder), _) => &folder.target.path,
            (None, Some(leaf)) => &leaf.target.path,
            (None, None) => return false,
        };
        let silent = |entry: &Path| self.mounts.silent(entry);
        self.silent = silent(path) || chain::follow(path, silent).hangs;
        self.silent
    }

    /// Whether something counts since the last time that did not.
    pub(super) fn take_news(&mut self) -> bool {
        if self.together && self.leaves.values().any(|leaf| leaf.entry.is_calming()) {
            return false;
        }
        self.together = false;
        std::mem::take(&mut self.news)
    }

    /// Whether it is a file, not a folder of them.
    pub(super) fn is_file(&self) -> bool {
        self.folder.is_none()
    }

    pub(super) fn shown(&self) -> &str {
        match (&self.folder, self.leaves.values().next()) {
            (Some(folder), _) => &folder.target.shown,
            (None, Some(leaf)) => &leaf.target.shown,
            (None, None) => "",
        }
    }

    /// While the folder is not there, or cannot be listed, its files are not judged: it is waited for as a whole.
    fn is_gone(&self) -> bool {
        let folder = self.folder.as_ref();
        folder.is_some_and(|folder| folder.real.is_none() || folder.entry.is_failing())
    }

    /// When something is to be read although nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let folder = self.folder.as_ref().and_then(|folder| folder.entry.due());
        let leaves = self.leaves.values().filter(|_| !self.is_gone());
        leaves
            .filter_map(|leaf| leaf.entry.due())
            .chain(folder)
            .min()
    }

    /// A writer is at work.
    pub(super) fn is_busy(&self) -> bool {
        self.leaves.values().any(|leaf| leaf.entry.is_busy())
    }

    /// Whether a folder holds what does not count yet, because it is not settled. Of a file that is reported as such.
    pub(super) fn is_waiting(&self) -> bool {
        let Some(folder) = &self.folder else {
            return false;
        };
        folder.entry.is_busy() || !self.is_gone() && self.is_busy()
    }

    /// Why what counts may not be what is there, and how many readings failed so.
    pub(super) fn trouble(&self, now: Instant) -> Option<(SourceError, u32)> {
        let folder = self.folder.iter();
        let folder = folder.filter_map(|folder| folder.entry.trouble(&folder.target.shown, now));
        let leaves = self.leaves.values();
        let leaves = leaves.filter_map(|leaf| leaf.entry.trouble(&leaf.target.shown, now));
        folder.chain(leaves).next()
    }

    /// Why there are no events, and that it is read instead.
    pub(super) fn deafness(&self, interval: Duration) -> Option<SourceError> {
        let (reason, shown) = (self.deaf.as_ref()?, self.shown());
        Some(SourceError::transient(format!(
            "{shown}: file events cannot be had ({reason}); it is read every {interval:?} instead"
        )))
    }

    /// What counts, once anything does.
    pub(super) fn observation(&self) -> Option<Observation> {
        let Some(folder) = &self.folder else {
            let leaf = self.leaves.values().next()?;
            return Some(leaf.entry.held()?.observation());
        };
        match folder.entry.held()? {
            PathContent::Value(_) => {
                let leaves = self.leaves.iter();
                let held = leaves.map(|(name, leaf)| Some((name.as_os_str(), leaf.entry.held()?)));
                let held: Vec<(&OsStr, &PathContent)> = held.collect::<Option<_>>()?;
                Some(values::document(
                    &folder.target.shown,
                    folder.target.max_size,
                    &held,
                ))
            }
            other => Some(other.observation()),
        }
    }

    /// Reads a small file as soon as its writer has closed it.
    pub(super) fn read_early(&self) {
        let wanted = match (&self.folder, self.silent || self.is_deaf()) {
            (None, false) => self.leaves.values().next().map(|leaf| &leaf.target),
            _ => None,
        };
        self.subscription.read_early(wanted);
    }

    /// Reads what was touched, as far as it is settled.
    pub(super) fn touch(&mut self, touches: &Touches, now: Instant) -> Turn {
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
            turn.look = match touches.of(&folder.way) {
                Some(Touch::Finished) => Some(Trust::Linked),
                // What the lost events were about is looked at when it is quiet.
                Some(Touch::Rescan) => {
                    folder.entry.touched(Touch::Rescan, now);
                    None
                }
                Some(_) => Some(Trust::Unproven),
                None => (!folder.target.path.is_dir()).then_some(Trust::Unproven),
            };
        }
        if turn.look.is_none() {
            let early = self.subscription.early();
            self.read_some(readings, early, now);
        }
        turn
    }

    /// Reads what is due although nothing happened.
    pub(super) fn overdue(&mut self, now: Instant) -> Turn {
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

    /// Whether what leads to what was touched is still watched.
    fn follows(&self, touched: &BTreeSet<OsString>) -> bool {
        let mut leaves = touched.iter().filter_map(|name| self.leaves.get(name));
        leaves.all(|leaf| leaf.way == self.way_to(&leaf.target.path)) && self.subscription.holds()
    }

    /// Watches all that leads here, then reads it.
    pub(super) fn look(&mut self, trust: Trust, wait: Wait, now: Instant) -> Result<(), Busy> {
        self.arm(trust, wait, now)?;
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

    /// Files of the folder that were not there before.
    fn meet(&mut self, touches: &Touches) {
        let Some(folder) = &self.folder else {
            return;
        };
        for (spot, touch) in &touches.spots {
            let Part::Name(name) = &spot.part else {
                continue;
            };
            let mine = folder.real.as_ref() == Some(&spot.dir) && is_shown(name);
            if mine && *touch != Touch::Gone && !self.leaves.contains_key(name) {
                let target = folder.target_of(name);
                if target.path.is_dir() {
                    continue;
                }
                let leaf = LastStep {
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

    /// The way to a file; where the file is a mount itself, its own events are needed as well: no other name of it has any.
    fn way_to(&self, path: &Path) -> LinkChain {
        let mut way = chain::resolve(path);
        if self.mounts.has(&way.end) && way.end.is_file() {
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

    /// Reads these files; `early` is what one that is watched by itself was seen to hold when its writer finished.
    fn read_some(&mut self, mut readings: Readings, mut early: Option<ReadOutcome>, now: Instant) {
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
                    let found = leaf.read(self.folder.is_some());
                    self.subscription.looked();
                    found
                });
                if self.silent && trust == Trust::Unproven {
                    // The clock of another machine may differ: the file must be found unchanged after a while.
                    found.age = Some(Duration::ZERO);
                }
                let written = self.subscription.write_pending(|spot| leaf.way.has(spot));
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

impl LastStep {
    /// Whether its path leads where it did. Of a link that is new it is not known where that is.
    fn is_where_it_was(&self) -> bool {
        let end = &self.way.end;
        end.as_os_str().is_empty() || chain::resolve(&self.target.path).end == *end
    }

    fn read(&self, in_folder: bool) -> ReadOutcome {
        let target = &self.target;
        let found = read(&target.path, &target.shown, target.max_size);
        // Folders in a folder are passed over.
        match found.what {
            FileContent::Unreadable(_) if in_folder && target.path.is_dir() => {
                ReadOutcome::bare(FileContent::Absent)
            }
            _ => found,
        }
    }
}

impl Touches {
    /// What happened on a way, all in all.
    fn of(&self, way: &LinkChain) -> Option<Touch> {
        if self.rescan {
            return Some(Touch::Rescan);
        }
        let mine = self.spots.iter().filter(|(spot, _)| way.has(spot));
        mine.map(|(_, touch)| *touch).reduce(Touch::then)
    }

    /// Whether a link on the way was touched; not the one that leads only to what nobody writes to any more.
    fn link(&self, way: &LinkChain) -> bool {
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

impl LinkChain {
    /// Whether what happens at `spot` can matter.
    fn has(&self, spot: &EventSpot) -> bool {
        match spot.part {
            Part::Name(_) => self.spots.contains(spot),
            Part::All | Part::Itself => self.spots.iter().any(|mine| mine.dir == spot.dir),
        }
    }
}
