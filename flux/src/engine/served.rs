//! What is kept of the configuration that readers see for explanations: its layers and contents, shared, so that an update copies a
//! few pointers.

use super::{content::LayerContent, renumbered::Renumbered, value::AnySnapshot};
use crate::codec::Decoder;
use std::{fmt, sync::Arc, time::SystemTime};

/// What readers see, and the layers' contents that it was made of. The clone is cheap.
#[derive(Clone, Default)]
pub(crate) struct Served {
    /// Lowest precedence first; none before a start.
    pub(crate) layers: Arc<[ServedLayer]>,
    /// Of each layer; none before the first configuration.
    pub(crate) contents: Arc<[LayerContent]>,
    /// What readers see and what the layers make, where stages made something else of it.
    pub(crate) staged: Option<Arc<Staged>>,
    /// Whether the program's own reducer puts the layers together.
    pub(crate) reduced: bool,
    /// What waits for a restart; none where nothing does.
    pub(crate) waiting: Option<Arc<[WaitingPath]>>,
    /// What is to be known of waits besides; none where there is nothing.
    pub(crate) besides: Option<Arc<BesideWaits>>,
}

/// What else there is to know of what waits for a restart.
#[derive(Default)]
pub(crate) struct BesideWaits {
    /// What the sources hold, where something waits and readers do not see all of that.
    pub(crate) newest: Option<NewestContents>,
    /// Oldest first.
    pub(crate) withdrawn: Vec<Arc<WithdrawnWaits>>,
}

/// What the sources hold, whatever became of it.
#[derive(Clone, PartialEq)]
pub(crate) struct NewestContents {
    pub(crate) contents: Arc<[LayerContent]>,
    /// Whether a restart would refuse it.
    pub(crate) is_refused: bool,
}

/// What waited for a restart, and was in the documents no more before one.
pub(crate) struct WithdrawnWaits {
    pub(crate) paths: Vec<WaitingPath>,
    /// What the layers contained when readers last kept other values than these.
    pub(crate) waited: Arc<[LayerContent]>,
    pub(crate) until: SystemTime,
}

impl WithdrawnWaits {
    /// The same with other numbers of the layers.
    pub(super) fn renumbered(&self, numbers: &Renumbered) -> WithdrawnWaits {
        WithdrawnWaits {
            paths: WaitingPath::renumbered(&self.paths, numbers),
            waited: numbers.contents(&self.waited),
            until: self.until,
        }
    }
}

impl Served {
    /// Without what is to be known of readers and of restarts.
    pub(crate) fn alone(&self) -> Served {
        Served {
            staged: None,
            waiting: None,
            besides: None,
            ..self.clone()
        }
    }

    /// The same with other numbers of the layers; `layers` has those there are now.
    pub(crate) fn renumbered(&self, numbers: &Renumbered, layers: Vec<ServedLayer>) -> Served {
        let waits = |waits: &[WaitingPath]| WaitingPath::renumbered(waits, numbers);
        let besides = self.besides.as_ref().map(|besides| {
            let newest = besides.newest.as_ref().map(|newest| NewestContents {
                contents: numbers.contents(&newest.contents),
                is_refused: newest.is_refused,
            });
            let withdrawn = besides.withdrawn.iter();
            let withdrawn = withdrawn.map(|one| Arc::new(one.renumbered(numbers)));
            Arc::new(BesideWaits {
                newest,
                withdrawn: withdrawn.collect(),
            })
        });
        Served {
            layers: layers.into(),
            contents: numbers.contents(&self.contents),
            waiting: self.waiting.as_ref().map(|all| waits(all).into()),
            besides,
            ..self.clone()
        }
    }

    pub(crate) fn newest(&self) -> Option<&NewestContents> {
        self.besides.as_ref()?.newest.as_ref()
    }
}

/// A path at which readers keep the running value until a restart.
#[derive(Clone)]
pub(crate) struct WaitingPath {
    pub(crate) path: String,
    /// What the layers contained when that value was applied.
    pub(crate) running: Arc<[LayerContent]>,
    /// Since when.
    pub(crate) since: SystemTime,
}

impl WaitingPath {
    /// What of these waits. `known` waited before; of what did not, the layers contained `before` when readers saw its newest value last.
    pub(super) fn all(
        paths: Vec<String>,
        known: Option<&[WaitingPath]>,
        before: &Arc<[LayerContent]>,
        now: SystemTime,
    ) -> Option<Arc<[WaitingPath]>> {
        if paths.is_empty() {
            return None;
        }
        let waiting = |path: String| {
            let mut known = known.unwrap_or_default().iter();
            let (running, since) = match known.find(|one| one.overlaps(&path)) {
                Some(known) => (&known.running, known.since),
                None => (before, now),
            };
            WaitingPath {
                path,
                running: Arc::clone(running),
                since,
            }
        };
        Some(paths.into_iter().map(waiting).collect())
    }

    /// Those of `known` that wait no more.
    pub(super) fn ended(
        known: &[WaitingPath],
        waiting: Option<&[WaitingPath]>,
    ) -> Vec<WaitingPath> {
        let waiting = waiting.unwrap_or_default();
        let goes_on = |one: &&WaitingPath| waiting.iter().any(|other| other.overlaps(&one.path));
        let ended = known.iter().filter(|one| !goes_on(one));
        ended.cloned().collect()
    }

    /// The same of those that there are, if any.
    pub(crate) fn all_renumbered(
        all: Option<&[WaitingPath]>,
        numbers: &Renumbered,
    ) -> Option<Arc<[WaitingPath]>> {
        all.map(|all| WaitingPath::renumbered(all, numbers).into())
    }

    /// Layers have come or gone: what the layers contained follows.
    pub(crate) fn renumbered(all: &[WaitingPath], numbers: &Renumbered) -> Vec<WaitingPath> {
        let follow = |one: &WaitingPath| WaitingPath {
            running: numbers.contents(&one.running),
            ..one.clone()
        };
        all.iter().map(follow).collect()
    }

    /// Whether the path is this one, is below it, or contains it.
    fn overlaps(&self, path: &str) -> bool {
        let contains = |outer: &str, inner: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        contains(&self.path, path) || contains(path, &self.path)
    }
}

/// What readers see, and what was made of the layers for it before the pipeline.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) current: AnySnapshot,
    pub(crate) before_pipeline: AnySnapshot,
}

/// What does not change of a layer.
#[derive(Clone)]
pub(crate) struct ServedLayer {
    pub(crate) origin: Arc<str>,
    pub(crate) decoder: Option<Decoder>,
    /// What the names of its variables begin with, where it is the environment.
    pub(crate) prefix: Option<String>,
    /// Which of the declared sources it is of.
    pub(crate) source: usize,
    /// It is the own layer of a source of several files, which contains nothing.
    pub(crate) is_folder: bool,
    /// The name of its file, where it is one of several.
    pub(crate) drop_in: Option<Arc<str>>,
}

/// Without any content, which may be secret.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}
