//! The engine: it is given what happened and the time, and decides what is due: an update, a further try, a way back, the file on
//! disk.

mod commit;
mod denied;
mod drop_ins;
mod settings;
mod stand_ins;
mod status;
mod take_up;
#[cfg_attr(
    not(feature = "json"),
    allow(dead_code, reason = "what outlives a process is kept as JSON")
)]
mod trials;
mod waits;
mod warned;
mod way_back;

use super::{
    agenda::{Agenda, Due},
    condition::Condition,
    debounce::Debounce,
    disk_status::DiskStatus,
    event::EngineEvent,
    generations::{GenerationOutcome, Generations},
    layers::Layers,
    now::Now,
    proposal::Proposal,
    retry::{RetrySchedule, RetryTarget},
    seen::{SeenConfiguration, SeenConfigurations},
    served::{Served, WaitingPath, WithdrawnWaits},
    state::State,
    value::AnySnapshot,
};
use crate::{
    Report,
    problem::{Dotted, Flaw, ProblemKind, Seg, What},
    report::{Entry, Keeping, outgoing::SecretBook},
    source::{Health, Observation, SourceError, mailbox::SourceReport},
    time::after,
};
use std::{sync::Arc, time::Instant};

use super::layer_state::LayerState;
#[cfg(feature = "json")]
use super::layer_state::{FillReason, KeptContent};
use denied::DeniedFirst;
pub(crate) use settings::Settings;
use trials::Trials;
#[cfg(feature = "json")]
pub(crate) use trials::{Past, TrialRules};

pub(crate) struct Engine {
    settings: Settings,
    /// The runtime reads them through [`Engine::layers`], and changes nothing in them but by the calls of this engine.
    pub(super) layers: Layers,
    condition: Condition,
    agenda: Agenda,
    generations: Generations,
    proposal: Option<Proposal>,
    /// What readers see.
    current: Option<AnySnapshot>,
    /// What was made of the layers for it, before stages made something else of it.
    before_pipeline: Option<AnySnapshot>,
    /// The layers, and what they contain in what readers see.
    served: Served,
    /// Something was applied since the start.
    begun: bool,
    /// Nothing newer is taken up.
    pinned: bool,
    /// The highest number that was given.
    last_generation: u64,
    /// Paths that keep their running values until a restart.
    waiting: Option<Arc<[WaitingPath]>>,
    /// Such paths of before, oldest first.
    withdrawn: Vec<Arc<WithdrawnWaits>>,
    /// The number of the newest update, its correlation id.
    update: u64,
    /// How often what readers see came from other documents than before.
    adoptions: u64,
    /// What is known across processes, where it is kept.
    trials: Option<Box<Trials>>,
    /// What the runtime has kept on disk, where it keeps anything.
    on_disk: Option<Box<DiskStatus>>,
    /// The secrets that it does not have, and whose defaults readers see.
    secrets_by_default: Vec<String>,
    /// The program refused the first configuration, and what is kept on disk may serve instead.
    denied: Option<DeniedFirst>,
    /// Warnings of what was taken up, until it is known what becomes of it.
    unreported: Vec<Entry>,
    events: Vec<EngineEvent>,
}

impl Engine {
    /// An engine whose readers see `current`, and whose highest generation was `highest`.
    pub(crate) fn new(
        settings: Settings,
        layers: Layers,
        current: Option<AnySnapshot>,
        highest: u64,
        now: Now,
    ) -> Self {
        let served = layers.served();
        let fallback = settings.fallback.filter(|_| current.is_none());
        Engine {
            condition: Condition::new(settings.history, now),
            agenda: Agenda {
                debounce: Debounce::new(settings.debounce, settings.max_wait),
                retry: RetrySchedule::default(),
                probation: None,
                passes_at: None,
                lifts_at: None,
                loaded: false,
                fallback_at: fallback.map(|wait| after(now.instant, wait)),
            },
            generations: Generations::new(settings.generations),
            settings,
            layers,
            proposal: None,
            current,
            before_pipeline: None,
            served,
            begun: false,
            pinned: false,
            last_generation: highest,
            waiting: None,
            withdrawn: Vec::new(),
            update: 0,
            adoptions: 0,
            trials: None,
            on_disk: None,
            secrets_by_default: Vec::new(),
            denied: None,
            unreported: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// The number of the configuration that readers see; 0 before the first.
    pub(crate) fn generation(&self) -> u64 {
        self.current.as_ref().map_or(0, AnySnapshot::generation)
    }

    pub(crate) fn current(&self) -> Option<&AnySnapshot> {
        self.current.as_ref()
    }

    pub(crate) fn last_generation(&self) -> u64 {
        self.last_generation
    }

    /// The number of the newest update.
    pub(crate) fn update_id(&self) -> u64 {
        self.update
    }

    pub(crate) fn state(&self) -> State {
        self.condition.state
    }

    pub(crate) fn error(&self) -> Option<&Report> {
        self.condition.error.as_ref()
    }

    /// Why the first update since the start was refused.
    pub(crate) fn failed_to_start(&self) -> Option<&Report> {
        self.error().filter(|_| !self.begun)
    }

    /// Whether the first update was taken up.
    pub(crate) fn loaded(&self) -> bool {
        self.agenda.loaded
    }

    /// Whether an update is under way.
    pub(crate) fn busy(&self) -> bool {
        let reading = self.trials.as_deref().is_some_and(Trials::is_reading);
        self.proposal.is_some() || reading
    }

    /// Whether changes are waiting to be taken up.
    pub(crate) fn has_news(&self) -> bool {
        self.agenda.debounce.is_pending()
    }

    /// Whether what readers see is taken back if the program turns unhealthy now.
    pub(crate) fn on_probation(&self) -> bool {
        let kept = self.generations.find(self.generation());
        kept.is_some_and(|kept| kept.record.outcome == GenerationOutcome::OnProbation)
    }

    /// How often what readers see came from other documents than before.
    #[cfg(feature = "json")]
    pub(crate) fn adoptions(&self) -> u64 {
        self.adoptions
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// What was decided since the last call, in its order.
    pub(crate) fn take_events(&mut self) -> Vec<EngineEvent> {
        std::mem::take(&mut self.events)
    }

    /// Gives the room of events back that were taken; whatever is in it is dropped.
    pub(crate) fn put_back(&mut self, mut events: Vec<EngineEvent>) {
        events.clear();
        if self.events.is_empty() {
            self.events = events;
        }
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    /// What a source reported since the last time; answers whether it holds another content than before, and nothing where the
    /// report has no content. `now` is asked where it has some.
    #[inline]
    pub(crate) fn reported(
        &mut self,
        report: SourceReport,
        now: impl FnOnce() -> Now,
    ) -> Option<bool> {
        let layer = self.layers.number_of(report.layer);
        if let Some(health) = report.health {
            self.health(layer, health);
        }
        let state = &mut self.layers.states[layer];
        (state.unsettled, state.received) = (report.unsettled, report.received);
        if let Some(place) = report.found {
            state.found_in(place);
        }
        let (observed, unheard) = (report.observation, report.received == 0);
        let news = observed.map(
            |observation| match unheard && self.defers(layer, &observation) {
                true => false,
                false => self.observe(layer, observation, now()),
            },
        );
        self.layers.states[layer].closed();
        for file in self.layers.files_behind(layer) {
            self.layers.states[file].received = report.received;
        }
        news
    }

    /// A source holds something; answers whether it is another content than before.
    pub(super) fn observe(&mut self, layer: usize, observation: Observation, now: Now) -> bool {
        match self.layers.states[layer].drop_ins {
            None => self.observe_one(layer, observation, now),
            Some(_) => self.observe_files(layer, observation, now),
        }
    }

    /// [`observe`](Engine::observe) of a source with one document.
    fn observe_one(&mut self, layer: usize, observation: Observation, now: Now) -> bool {
        if self.holds_first() {
            let key = self.layers.keys().swap_remove(layer);
            self.hold_first((layer, key), &observation, now);
        }
        let news = self.layers.states[layer].observe(observation, now);
        if news {
            self.received_news(layer, now);
        }
        news
    }

    fn received_news(&mut self, layer: usize, now: Now) {
        self.agenda.debounce.observed(now.instant);
        self.agenda.retry.clear_newest();
        self.events.push(EngineEvent::ChangeReceived { layer });
    }

    /// Every configuration that code of the program may quote.
    fn seen(&self) -> SeenConfigurations<'_> {
        let current = self.current.as_ref().map(|snapshot| SeenConfiguration {
            snapshot,
            before_pipeline: self.before_pipeline.as_ref(),
        });
        SeenConfigurations::of(current, self.proposal.as_ref(), &self.generations)
    }

    /// The secrets that a text of the program's own code may quote.
    pub(crate) fn secret_book(&self) -> SecretBook {
        match self.layers.has_secrets {
            true => self.layers.secret_book(&self.seen()),
            false => SecretBook::default(),
        }
    }

    /// What the source of a layer reports of its trouble, without any secret in it.
    pub(crate) fn without_secrets(&self, layer: usize, error: &SourceError) -> SourceError {
        let (mut safe, book) = (error.clone(), self.secret_book());
        let text = match error.is_of_its_layer() {
            true => book.safe_of(layer, error),
            false => book.safe(error),
        };
        safe.reword(text.into());
        safe
    }

    /// Puts a report together, without any secret in it.
    fn report(&self, entries: Vec<Entry>, keeping: Keeping) -> Report {
        self.layers.report(entries, keeping, &self.seen())
    }

    pub(super) fn health(&mut self, layer: usize, mut health: Health) {
        if let Health::Stale { error, .. } = &mut health {
            *error = self.without_secrets(layer, error);
        }
        for file in self.layers.files_behind(layer) {
            self.layers.states[file].health = health.clone();
        }
        self.layers.states[layer].health = health;
        self.events.push(EngineEvent::HealthChanged { layer });
    }

    /// What is due now. `closed` where every source has ended, so that nothing is worth waiting for.
    pub(crate) fn due(&self, now: Instant, closed: bool) -> Due {
        if self.busy() {
            return Due::Nothing;
        }
        if !self.agenda.loaded {
            let states = &self.layers.states;
            let down = |state: &LayerState| matches!(state.health, Health::Stale { .. });
            // A file of several is not waited for: its source answers for all of them, also that it cannot be read.
            let waited_for = || states.iter().filter(|state| state.drop_in.is_none());
            let silent = || waited_for().filter(|state| !state.answered());
            // A source that counts as absent soon does not make another one be read from the disk.
            let stand_in = || silent().all(|state| state.stands_in);
            return match self.agenda.fallback_at {
                _ if silent().next().is_none() => Due::Newest,
                Some(at) if at <= now || silent().any(down) || stand_in() => Due::Fallback,
                _ => Due::Nothing,
            };
        }
        match self.agenda.retry.due(now) {
            Some(RetryTarget::Newest) => return Due::Newest,
            Some(RetryTarget::Back(to, reason)) => return Due::Back(to, reason),
            None => {}
        }
        if self.agenda.lifts_at.is_some_and(|at| at <= now) && !self.on_trial() {
            return Due::Lift;
        }
        let Some(deadline) = self.agenda.debounce.deadline() else {
            return Due::Nothing;
        };
        let quiet = deadline <= now && !self.unsettled();
        match quiet || self.agenda.debounce.overdue(now) || closed {
            true => Due::Newest,
            false => Due::Nothing,
        }
    }

    /// When to ask again what is due, and how the trial is.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.agenda
            .deadline(self.busy(), self.unsettled(), self.on_trial())
    }

    /// The way back that is due next, whatever the time is: for a program that takes the steps by itself.
    pub(crate) fn wanted_back(&self) -> Due {
        match self.agenda.retry.back() {
            Some(RetryTarget::Back(to, reason)) => Due::Back(to, reason),
            _ => Due::Nothing,
        }
    }

    /// Whether the newest content is to be taken up, or tried again, whatever the time is.
    pub(crate) fn wants_newest(&self) -> bool {
        self.has_news() || self.agenda.retry.wants_newest()
    }

    /// What became of keeping what readers see on disk.
    #[cfg(feature = "json")]
    pub(crate) fn kept_on_disk(&mut self, status: DiskStatus) {
        self.on_disk = Some(Box::new(status));
        self.events.push(EngineEvent::Kept);
    }

    /// What is kept of a layer on disk serves in its place: [`LayerState::fill`].
    #[cfg(feature = "json")]
    pub(crate) fn fill(&mut self, layer: usize, kept: KeptContent, reason: FillReason, file: &str) {
        self.layers.kept = Some(reason.kept.clone());
        self.layers.states[layer].fill(kept, reason, file);
        self.layers.were_absent_beside(layer);
    }

    /// The secrets that what is kept on disk does not have, and whose defaults readers see.
    #[cfg(feature = "json")]
    pub(crate) fn secrets_by_default(&self) -> &[String] {
        &self.secrets_by_default
    }

    /// What is kept of a layer on disk cannot serve: [`LayerState::cannot_fill`].
    #[cfg(feature = "json")]
    pub(crate) fn cannot_fill(&mut self, layer: usize, why: String) -> bool {
        self.layers.states[layer].cannot_fill(why)
    }

    /// What is kept on disk is read, or cannot be: it is asked for once.
    #[cfg(feature = "json")]
    pub(crate) fn fallback_tried(&mut self) -> bool {
        self.agenda.fallback_at.take().is_some()
    }

    /// Nothing newer is taken up from now on, or it is taken up again; answers whether that is to be done now.
    pub(crate) fn pin(&mut self, pinned: bool) -> bool {
        self.pinned = pinned;
        self.events.push(EngineEvent::Pinned);
        self.agenda.loaded && !pinned
    }

    fn unsettled(&self) -> bool {
        self.layers.states.iter().any(|state| state.unsettled)
    }
}

fn dotted(paths: &[Vec<Seg>]) -> Vec<String> {
    paths.iter().map(|path| Dotted(path).text()).collect()
}

/// Something about an origin as a whole.
pub(crate) fn whole_entry(origin: &str, text: String) -> Entry {
    let kind = match origin {
        "pipeline" => ProblemKind::Callback,
        "group" => ProblemKind::Group,
        _ => ProblemKind::TakenBack,
    };
    Entry::new(origin, Flaw::whole(What::message(kind, text)))
}
