//! How many earlier configurations are kept, which of them can be served again, and what each one's record has.

use super::{
    content::LayerContent, renumbered::Renumbered, served::WaitingPath, value::AnySnapshot,
};
use crate::problem::serialized;
use std::{collections::VecDeque, fmt, sync::Arc, time::SystemTime};

/// One configuration that readers saw, or see.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generation {
    /// Its number; the first is 1.
    pub number: u64,
    /// When it was applied.
    pub at: SystemTime,
    /// The layers whose new content made it.
    pub origins: Vec<Arc<str>>,
    /// The paths in which it differed from the one before; empty for the first after a start.
    pub changed: Vec<String>,
    /// What became of it.
    pub outcome: GenerationOutcome,
    /// What it was made of.
    pub(crate) contents: GenerationContents,
}

/// What the layers contained when a configuration was applied, for those who explain it.
#[derive(Clone)]
pub(crate) struct GenerationContents {
    pub(crate) layers: Arc<[LayerContent]>,
    /// What waited for a restart then.
    pub(crate) waiting: Option<Arc<[WaitingPath]>>,
    /// The number of what readers saw until then; 0 where that was nothing.
    pub(crate) before: u64,
}

/// Without any content, which may be secret.
impl fmt::Debug for GenerationContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} layers", self.layers.len())
    }
}

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerationOutcome {
    /// Applied, and neither on probation nor taken back.
    Applied,
    /// Applied, and taken back if the program turns unhealthy now.
    OnProbation,
    /// Taken back; why.
    TakenBack(String),
}

serialized! {
    Generation, own => {
        number: own.number,
        at: crate::time::unix(own.at),
        origins: own.origins.iter().map(|one| &**one).collect::<Vec<&str>>(),
        changed: own.changed,
        outcome: match own.outcome {
            GenerationOutcome::Applied => "applied",
            GenerationOutcome::OnProbation => "on probation",
            GenerationOutcome::TakenBack(_) => "taken back",
        },
        reason: match &own.outcome {
            GenerationOutcome::TakenBack(reason) => Some(reason),
            _ => None,
        },
    }
}

/// A configuration and what its layers contained.
pub(crate) struct KeptGeneration {
    /// Shared with every status that contains it.
    pub(crate) record: Arc<Generation>,
    pub(crate) snapshot: AnySnapshot,
    /// What was made of the layers, before stages made something else of it.
    pub(crate) before_pipeline: AnySnapshot,
    pub(crate) contents: Arc<[LayerContent]>,
    /// What waited for a restart.
    waiting: Option<Arc<[WaitingPath]>>,
}

/// What counts again after a way back.
pub(super) struct Return {
    pub(super) contents: Arc<[LayerContent]>,
    pub(super) waiting: Option<Arc<[WaitingPath]>>,
    /// What the layers contained in generations that were never confirmed and are taken back now.
    pub(super) suspects: Vec<Arc<[LayerContent]>>,
}

impl KeptGeneration {
    /// What the layers contained in it, and in those whose values waited with it.
    pub(super) fn all_contents(&self) -> impl Iterator<Item = &Arc<[LayerContent]>> {
        let waiting = self.waiting.iter().flat_map(|all| all.iter());
        waiting.map(|one| &one.running).chain([&self.contents])
    }

    #[inline]
    pub(super) fn new(
        snapshot: &AnySnapshot,
        before_pipeline: &AnySnapshot,
        contents: Arc<[LayerContent]>,
        waiting: Option<Arc<[WaitingPath]>>,
    ) -> Self {
        KeptGeneration {
            record: Arc::new(Generation {
                number: snapshot.generation(),
                at: snapshot.applied(),
                origins: Vec::new(),
                changed: Vec::new(),
                outcome: GenerationOutcome::Applied,
                contents: GenerationContents {
                    layers: Arc::clone(&contents),
                    waiting: waiting.clone(),
                    before: 0,
                },
            }),
            snapshot: snapshot.clone(),
            before_pipeline: before_pipeline.clone(),
            contents,
            waiting,
        }
    }

    /// What made it, and in what it differs from the one before, whose number is `before`.
    pub(super) fn describe(&mut self, origins: Vec<Arc<str>>, changed: Vec<String>, before: u64) {
        let record = Arc::make_mut(&mut self.record);
        (record.origins, record.changed) = (origins, changed);
        record.contents.before = before;
    }
}

/// A ring of configurations, the oldest first.
pub(crate) struct Generations {
    /// How many besides the one that readers see.
    earlier: usize,
    kept: VecDeque<KeptGeneration>,
}

impl Generations {
    pub(crate) fn new(earlier: usize) -> Self {
        Generations {
            earlier,
            kept: VecDeque::new(),
        }
    }

    /// Adds the newest. The oldest is forgotten, unless it is the only one to go back to.
    pub(super) fn push(&mut self, kept: KeptGeneration) {
        let good = self.good_before(kept.record.number);
        // Its room is what is kept and not the next power of two: it is the largest part of what a capacitor holds.
        if self.kept.len() == self.kept.capacity() {
            self.kept.reserve_exact(1);
        }
        self.kept.push_back(kept);
        while self.kept.len() > self.earlier + 1 {
            let oldest = self.kept.front().map(|kept| kept.record.number);
            let spared = usize::from(oldest == good && self.earlier > 0);
            self.kept.remove(spared);
        }
    }

    /// The same configuration, from documents with other bytes or from its sources at last instead of the disk.
    pub(super) fn renew(&mut self, renewed: KeptGeneration) {
        let number = renewed.record.number;
        match self
            .kept
            .iter_mut()
            .find(|kept| kept.record.number == number)
        {
            Some(kept) => {
                kept.contents = renewed.contents;
                kept.waiting = renewed.waiting;
            }
            None => self.push(renewed),
        }
    }

    /// The newest ones, from the newest on.
    pub(super) fn newest(&self) -> impl Iterator<Item = &KeptGeneration> {
        self.kept.iter().rev()
    }

    pub(crate) fn find(&self, number: u64) -> Option<&KeptGeneration> {
        self.kept.iter().find(|kept| kept.record.number == number)
    }

    /// The newest one before `number` that was not taken back and is not on probation.
    pub(crate) fn good_before(&self, number: u64) -> Option<u64> {
        let good = |kept: &&KeptGeneration| {
            kept.record.number < number && kept.record.outcome == GenerationOutcome::Applied
        };
        self.kept
            .iter()
            .rev()
            .find(good)
            .map(|kept| kept.record.number)
    }

    pub(super) fn mark(&mut self, number: u64, outcome: GenerationOutcome) {
        if let Some(kept) = self
            .kept
            .iter_mut()
            .find(|kept| kept.record.number == number)
        {
            Arc::make_mut(&mut kept.record).outcome = outcome;
        }
    }

    /// Marks one as taken back; answers with what its layers contained.
    pub(super) fn take_back(&mut self, number: u64, reason: &str) -> Option<Arc<[LayerContent]>> {
        self.mark(number, GenerationOutcome::TakenBack(reason.to_owned()));
        self.find(number).map(|kept| kept.contents.clone())
    }

    /// `number` has survived its probation, and with it what was before it.
    pub(super) fn confirm(&mut self, number: u64) {
        for kept in &mut self.kept {
            let record = &mut kept.record;
            if record.number <= number && record.outcome == GenerationOutcome::OnProbation {
                Arc::make_mut(record).outcome = GenerationOutcome::Applied;
            }
        }
    }

    /// Serves `to` again and marks everything after it as taken back; answers with what counts now.
    pub(super) fn return_to(&mut self, to: u64, reason: &str) -> Option<Return> {
        let mut suspects = Vec::new();
        for kept in &mut self.kept {
            let record = &mut kept.record;
            if record.number > to && !matches!(record.outcome, GenerationOutcome::TakenBack(_)) {
                if record.outcome == GenerationOutcome::OnProbation {
                    suspects.push(kept.contents.clone());
                }
                Arc::make_mut(record).outcome = GenerationOutcome::TakenBack(reason.to_owned());
            }
        }
        self.mark(to, GenerationOutcome::Applied);
        self.find(to).map(|kept| Return {
            contents: kept.contents.clone(),
            waiting: kept.waiting.clone(),
            suspects,
        })
    }

    /// Layers have come or gone: what the layers contained follows.
    pub(super) fn renumber(&mut self, numbers: &Renumbered) {
        for kept in &mut self.kept {
            kept.contents = numbers.contents(&kept.contents);
            kept.waiting = WaitingPath::all_renumbered(kept.waiting.as_deref(), numbers);
            // It has what was there then, which may have been written anew since.
            let contents = &mut Arc::make_mut(&mut kept.record).contents;
            contents.layers = numbers.contents(&contents.layers);
            contents.waiting = WaitingPath::all_renumbered(contents.waiting.as_deref(), numbers);
        }
    }

    pub(crate) fn records(&self) -> Vec<Arc<Generation>> {
        (self.kept.iter())
            .map(|kept| Arc::clone(&kept.record))
            .collect()
    }
}
