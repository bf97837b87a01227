//! The engine: it is given what happened and the time, and decides what is to be done.

use super::{
    agenda::{Agenda, Due},
    content::LayerContent,
    debounce::Debounce,
    event::{EngineEvent, LayerVerdict, RefusedStage},
    generations::{GenerationOutcome, Generations, KeptGeneration},
    now::Now,
    proposal::{Action, Denial, Direction, Passed, Proposal, Question},
    resolve::{Beside, Layers, Resolved},
    retry::{RetrySchedule, RetryTarget},
    schema::{Built, Stamp},
    standing::Standing,
    state::{State, UpdateOutcome},
    status::Status,
    trial::{Trial, TrialStep},
    value::AnySnapshot,
};
use crate::{
    Report,
    problem::{Dotted, Flaw, Seg, What, panic_text},
    report::{Entry, Keeping},
    source::{Health, Observation},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// How an engine decides.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    /// How many refusals are remembered.
    pub(crate) history: usize,
    /// How many configurations before the current one are kept.
    pub(crate) generations: usize,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Duration,
    /// All of its newest content or none: other config types depend on it.
    pub(crate) grouped: bool,
    /// There is a pipeline to ask.
    pub(crate) asks: bool,
    pub(crate) probation: Option<Duration>,
    /// The program has a health check.
    pub(crate) checks: bool,
    /// After which silence a start falls back to what is kept on disk, where something is kept.
    pub(crate) fallback: Option<Duration>,
}

pub(crate) struct Engine {
    settings: Settings,
    pub(crate) layers: Layers,
    standing: Standing,
    agenda: Agenda,
    generations: Generations,
    proposal: Option<Proposal>,
    /// What readers see.
    current: Option<AnySnapshot>,
    /// What was made of the layers for it, before stages made something else of it.
    before_pipeline: Option<AnySnapshot>,
    /// Something was applied since the start.
    begun: bool,
    /// Nothing newer is taken up.
    pinned: bool,
    /// The highest number that was given.
    last_generation: u64,
    /// Paths that keep their running values until a restart.
    pending_restart: Vec<String>,
    /// The number of the newest update, its correlation id.
    update: u64,
    /// How often what readers see came from other documents than before.
    adoptions: u64,
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
        let fallback = settings.fallback.filter(|_| current.is_none());
        Engine {
            standing: Standing::new(settings.history, now),
            agenda: Agenda {
                debounce: Debounce::new(settings.debounce, settings.max_wait),
                retry: RetrySchedule::default(),
                trial: None,
                loaded: false,
                fallback_at: fallback.map(|after| now.instant + after),
            },
            generations: Generations::new(settings.generations),
            settings,
            layers,
            proposal: None,
            current,
            before_pipeline: None,
            begun: false,
            pinned: false,
            last_generation: highest,
            pending_restart: Vec::new(),
            update: 0,
            adoptions: 0,
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
        self.standing.state
    }

    pub(crate) fn error(&self) -> Option<&Report> {
        self.standing.error.as_ref()
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
        self.proposal.is_some()
    }

    /// Whether changes are waiting to be taken up.
    pub(crate) fn has_news(&self) -> bool {
        self.agenda.debounce.deadline().is_some()
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
    pub(crate) fn take_events(&mut self, into: &mut Vec<EngineEvent>) {
        into.append(&mut self.events);
    }

    /// A source holds something; answers whether it is another content than before.
    pub(crate) fn observe(&mut self, layer: usize, observation: Observation, now: Now) -> bool {
        let news = self.layers.states[layer].observe(observation, now);
        if news {
            self.agenda.debounce.observed(now.instant);
            self.agenda.retry.clear_newest();
            self.events.push(EngineEvent::ChangeReceived { layer });
        }
        news
    }

    pub(crate) fn health(&mut self, layer: usize, health: Health) {
        self.layers.states[layer].health = health;
        self.events.push(EngineEvent::HealthChanged);
    }

    /// What is due now. `closed` where every source has ended, so that nothing is worth waiting for.
    pub(crate) fn due(&self, now: Instant, closed: bool) -> Due {
        if self.busy() {
            return Due::Nothing;
        }
        if !self.agenda.loaded {
            let states = &self.layers.states;
            let down = |health: &Health| matches!(health, Health::Stale { .. });
            let silent = || states.iter().filter(|state| !state.answered());
            return match self.agenda.fallback_at {
                _ if silent().next().is_none() => Due::Newest,
                Some(at) if at <= now || silent().any(|state| down(&state.health)) => Due::Fallback,
                _ => Due::Nothing,
            };
        }
        match self.agenda.retry.due(now) {
            Some(RetryTarget::Newest) => return Due::Newest,
            Some(RetryTarget::Back(to, reason)) => return Due::Back(to, reason),
            None => {}
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
        self.agenda.deadline(self.busy(), self.unsettled())
    }

    /// The way back that is wanted, whatever the time is: for a program that takes the steps by itself.
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

    /// What is kept on disk is read, or cannot be: it is asked for once.
    #[cfg(feature = "json")]
    pub(crate) fn fallback_tried(&mut self) -> bool {
        self.agenda.fallback_at.take().is_some()
    }

    /// Takes up everything that is pending.
    pub(crate) fn take_up(&mut self, now: Now) -> Action {
        self.agenda.debounce.clear();
        self.agenda.loaded = true;
        self.update += 1;
        self.events.push(EngineEvent::TakenUp);
        let resolved = catch_unwind(AssertUnwindSafe(|| self.resolve(now)));
        let action = resolved.unwrap_or_else(|panic| self.panicked(panic_text(&*panic), now));
        if matches!(action, Action::Settled) {
            self.agenda.retry.clear_newest();
        }
        action
    }

    /// Code of the program panicked where nothing else caught it.
    pub(crate) fn panicked(&mut self, text: &str, now: Now) -> Action {
        self.proposal = None;
        let entry = whole_entry("", format!("taking it up panicked: {text}"));
        self.refuse(RefusedStage::Validation, vec![entry], now)
    }

    /// The pipeline has answered.
    pub(crate) fn answered(&mut self, answer: Result<Passed, Denial>, now: Now) -> Action {
        let denial = match answer.and_then(|passed| self.admit(passed)) {
            Ok(action) => return action,
            Err(denial) => denial,
        };
        let (stage, may_pass, mut entries) = match denial {
            Denial::Invalid(problems) => {
                let entries = problems.into_iter().map(|p| Entry::new("pipeline", p));
                (RefusedStage::Validation, false, entries.collect::<Vec<_>>())
            }
            Denial::Failed(text) => (
                RefusedStage::Apply,
                true,
                vec![whole_entry("pipeline", text)],
            ),
        };
        let Some(proposal) = self.proposal.take() else {
            return Action::Nothing;
        };
        let target = proposal.target();
        match proposal.direction {
            Direction::Back { by_hand: true, .. } => {
                let report = self.layers.report(entries, Keeping::Previous);
                self.events.push(EngineEvent::Refused {
                    stage,
                    report: report.clone(),
                });
                return Action::Denied(report);
            }
            Direction::Forward { refused, .. } => entries.extend(refused),
            Direction::Back { .. } => {}
        }
        self.refuse(stage, entries, now);
        match target {
            RetryTarget::Newest if !may_pass => self.agenda.retry.clear_newest(),
            target => self.agenda.retry.failed(now.instant, target),
        }
        Action::Settled
    }

    /// Another member of the group is refused. The group asks again once that is over, so nothing is tried before.
    pub(crate) fn vetoed(&mut self, by: &[String], now: Now) {
        self.proposal = None;
        self.agenda.retry.clear_newest();
        let text = format!(
            "waits for its group: the newest content of {} is refused",
            by.join(", ")
        );
        self.refuse(RefusedStage::Apply, vec![whole_entry("group", text)], now);
    }

    /// What was proposed is taken back: something newer has come, or the capacitor stops.
    pub(crate) fn withdraw(&mut self) {
        self.proposal = None;
    }

    /// Readers see `snapshot`, which was proposed.
    pub(crate) fn swapped(&mut self, snapshot: &AnySnapshot, now: Now) -> Action {
        let Some(proposal) = self.proposal.take() else {
            return Action::Nothing;
        };
        let (first, before) = (!self.begun, self.generation());
        let forward = !proposal.goes_back();
        let number = proposal.number;
        self.commit(proposal, snapshot, now);
        if forward && let Some(RetryTarget::Back(_, reason)) = self.agenda.retry.back() {
            self.condemn(before, &reason);
        }
        self.agenda.retry.clear();
        self.agenda.trial = None;
        if forward
            && !first
            && let Some(window) = self.settings.probation
            && self.generations.good_before(number).is_some()
        {
            self.generations
                .mark(number, GenerationOutcome::OnProbation);
            let checks = self.settings.checks;
            self.agenda.trial = Some(Trial::new(number, window, checks, now.instant));
        }
        if !forward && self.layers.waits() {
            // It was refused before the way back and may succeed after it.
            let retry = &mut self.agenda.retry;
            retry.failed(now.instant, RetryTarget::Newest);
        }
        Action::Settled
    }

    /// Asks the pipeline to go back to an earlier generation. Without one there is nothing to do.
    pub(crate) fn go_back(&mut self, to: u64, reason: &str, by_hand: bool, now: Now) -> Action {
        let Some(kept) = self.generations.find(to) else {
            self.agenda.retry.clear_back();
            return Action::Nothing;
        };
        let snapshot = kept.snapshot.clone();
        self.update += 1;
        let raw = kept.contents.iter().map(LayerContent::bytes).collect();
        self.proposal = Some(Proposal {
            direction: Direction::Back {
                reason: reason.to_owned(),
                by_hand,
            },
            number: to,
            before_pipeline: kept.before_pipeline.clone(),
            since: now,
        });
        if !self.settings.asks {
            return Action::Swap {
                snapshot,
                alone: true,
            };
        }
        Action::Ask(Question {
            previous: self.current.clone(),
            proposed: snapshot,
            raw,
            back: true,
            transition: false,
            update: self.update,
        })
    }

    /// By hand: to this generation, or to the last good one. An error lists those that are kept.
    pub(crate) fn roll_back(&mut self, wanted: Option<u64>, now: Now) -> Result<Action, Vec<u64>> {
        let current = self.generation();
        let to = wanted.or_else(|| self.generations.good_before(current));
        match to.filter(|to| *to != current && self.generations.find(*to).is_some()) {
            Some(to) => Ok(self.go_back(to, "rolled back by hand", true, now)),
            None => {
                let kept = self.generations.records();
                Err(kept.iter().map(|one| one.number).collect())
            }
        }
    }

    /// Nothing newer is taken up from now on, or it is taken up again; answers whether that is to be done now.
    pub(crate) fn pin(&mut self, pinned: bool) -> bool {
        self.pinned = pinned;
        self.events.push(EngineEvent::Pinned);
        self.agenda.loaded && !pinned
    }

    /// What the trial asks for now; a failure is acted on by [`unhealthy`](Engine::unhealthy).
    pub(crate) fn trial(&mut self, now: Instant) -> TrialStep {
        let trial = self.agenda.trial.as_mut();
        let step = trial.map_or(TrialStep::Wait, |trial| trial.step(now));
        self.after_trial(step)
    }

    /// The health check has answered.
    pub(crate) fn health_checked(&mut self, answer: Result<(), String>, now: Instant) -> TrialStep {
        let trial = self.agenda.trial.as_mut();
        let step = trial.map_or(TrialStep::Wait, |trial| trial.answered(answer, now));
        self.after_trial(step)
    }

    fn after_trial(&mut self, step: TrialStep) -> TrialStep {
        if step == TrialStep::Passed
            && let Some(trial) = self.agenda.trial.take()
        {
            self.generations.confirm(trial.generation);
            self.events.push(EngineEvent::Confirmed);
        }
        step
    }

    /// Whether a configuration is on trial.
    pub(crate) fn has_trial(&self) -> bool {
        self.agenda.trial.is_some()
    }

    /// Takes the configuration on trial back.
    pub(crate) fn unhealthy(&mut self, reason: &str, now: Now) -> Action {
        let trial = self.agenda.trial.take();
        match trial.and_then(|_| self.generations.good_before(self.generation())) {
            Some(to) => {
                let reason = reason.to_owned();
                self.events.push(EngineEvent::Unhealthy {
                    reason: reason.clone(),
                });
                self.go_back(to, &reason, false, now)
            }
            None => Action::Nothing,
        }
    }

    pub(crate) fn status(&self, running: bool) -> Status {
        let states = self.layers.states.iter();
        Status {
            name: self.settings.name.clone(),
            state: self.standing.state,
            since: self.standing.since,
            running,
            generation: self.generation(),
            applied: self.current.as_ref().map(AnySnapshot::applied),
            error: self.standing.error.clone(),
            pending_restart: self.pending_restart.clone(),
            on_probation: self.on_probation(),
            pinned: self.pinned,
            generations: self.generations.records(),
            warnings: (states.clone())
                .flat_map(|state| state.warnings.iter().cloned())
                .collect(),
            layers: states.map(|state| state.status()).collect(),
            under_way: self.proposal.as_ref().map(|one| one.since.wall),
            history: self.standing.history(),
        }
    }

    fn unsettled(&self) -> bool {
        self.layers.states.iter().any(|state| state.unsettled)
    }

    fn resolve(&mut self, now: Now) -> Action {
        let warnings = self.layers.take_up(self.update);
        if !warnings.is_empty() {
            let report = self.layers.report(warnings, Keeping::Applied);
            self.events.push(EngineEvent::Warned(report));
        }
        let beside = Beside {
            current: self.current.as_ref(),
            running: self.before_pipeline.as_ref().filter(|_| self.begun),
            stamp: Stamp {
                generation: self.last_generation + 1,
                applied: now.wall,
            },
        };
        match self.layers.resolve(&beside) {
            Resolved::Good {
                built,
                chosen,
                refused,
            } => self.propose(built, chosen, refused, now),
            Resolved::Undecodable(entries) => self.refuse(RefusedStage::Transform, entries, now),
            Resolved::Invalid(entries) => self.refuse(RefusedStage::Validation, entries, now),
        }
    }

    /// A valid configuration: to the pipeline with it, unless readers see it already.
    fn propose(
        &mut self,
        built: Built,
        chosen: Vec<bool>,
        refused: Vec<Entry>,
        now: Now,
    ) -> Action {
        if self.settings.grouped && self.current.is_some() && !refused.is_empty() {
            return self.refuse(RefusedStage::Validation, refused, now);
        }
        let mut candidates = self.layers.states.iter().zip(&chosen);
        let opaque = candidates.any(|(state, candidate)| *candidate && state.changes_something());
        let before = self.before_pipeline.as_ref().filter(|_| self.begun);
        let differences = self.layers.schema.differences;
        let changed = before.map(|before| differences(&built.snapshot, before, opaque));
        let same = changed.as_ref().is_some_and(Vec::is_empty);
        if self.pinned && self.current.is_some() && !same {
            let number = self.generation();
            let text =
                format!("is pinned at generation {number}: what is newer waits until `unpin()`");
            let mut entries = vec![whole_entry("", text)];
            entries.extend(refused);
            return self.refuse(RefusedStage::Apply, entries, now);
        }
        let pending_restart = dotted(&built.pending_restart);
        if same {
            self.adopt(&chosen);
            self.pending_restart.clone_from(&pending_restart);
            if let Some(kept) = self.kept(pending_restart) {
                self.generations.renew(kept);
            }
            self.settle(refused, Keeping::Previous, now);
            return Action::Settled;
        }
        let snapshot = built.snapshot;
        let question = self.settings.asks.then(|| Question {
            previous: self.current.clone(),
            proposed: snapshot.clone(),
            raw: self.layers.raw(&chosen),
            back: false,
            transition: self.begun,
            update: self.update,
        });
        self.proposal = Some(Proposal {
            direction: Direction::Forward {
                chosen,
                refused,
                pending_restart,
                changed: changed.unwrap_or_default(),
            },
            number: self.last_generation + 1,
            before_pipeline: snapshot.clone(),
            since: now,
        });
        match question {
            Some(question) => Action::Ask(question),
            None => Action::Swap {
                snapshot,
                alone: false,
            },
        }
    }

    /// What the pipeline has let through, unless it is something else than what was asked about, or breaks a rule.
    fn admit(&self, passed: Passed) -> Result<Action, Denial> {
        let Some(proposal) = &self.proposal else {
            return Ok(Action::Nothing);
        };
        let number = passed.snapshot.generation();
        if number != proposal.number {
            let text = format!(
                "generation {number} was put in the place of generation {}; make the new value with `Request::with`",
                proposal.number
            );
            return Err(Denial::Invalid(vec![whole_problem(text)]));
        }
        if !passed.checked {
            let transition = self.begun && !proposal.goes_back();
            let previous = self.current.as_ref().filter(|_| transition);
            super::check(self.layers.schema, &passed.snapshot, previous)
                .map_err(Denial::Invalid)?;
        }
        Ok(Action::Swap {
            snapshot: passed.snapshot,
            alone: proposal.goes_back(),
        })
    }

    fn commit(&mut self, proposal: Proposal, snapshot: &AnySnapshot, now: Now) {
        let before = self.current.replace(snapshot.clone());
        let made = &proposal.before_pipeline;
        let made_before = self.before_pipeline.replace(made.clone());
        match proposal.direction {
            Direction::Forward {
                chosen,
                refused,
                pending_restart,
                changed,
            } => {
                self.last_generation = proposal.number;
                let origins = (self.layers.states.iter().zip(&chosen))
                    .filter(|(state, candidate)| **candidate && state.changes_something())
                    .map(|(state, _)| state.origin.clone())
                    .collect();
                self.adopt(&chosen);
                let changed = match (&before, &made_before) {
                    // No stage has made anything else of either.
                    (Some(before), Some(made_before))
                        if self.begun && before.is(made_before) && snapshot.is(made) =>
                    {
                        dotted(&changed)
                    }
                    (Some(before), _) if self.begun => self.differences(snapshot, before),
                    _ => Vec::new(),
                };
                if let Some(mut kept) = self.kept(pending_restart.clone()) {
                    kept.describe(origins, changed);
                    self.generations.push(kept);
                }
                self.pending_restart = pending_restart;
                self.settle(refused, Keeping::Rest, now);
            }
            Direction::Back { reason, by_hand } => {
                let from = before.as_ref().map_or(0, AnySnapshot::generation);
                self.return_to(proposal.number, from, &reason, by_hand, now);
            }
        }
        self.events.push(EngineEvent::Committed {
            generation: proposal.number,
        });
    }

    /// The layers' contents of the generation `to` count again; what made the program go back is quarantined.
    fn return_to(&mut self, to: u64, from: u64, reason: &str, by_hand: bool, now: Now) {
        let Some(back) = self.generations.return_to(to, reason) else {
            return;
        };
        let text = format!(
            "is taken back, and generation {to} is served again: {reason}; this content is not tried again until it changes"
        );
        let states = self.layers.states.iter_mut();
        for (i, (state, content)) in states.zip(&back.contents).enumerate() {
            let suspects = back.suspects.iter().map(|contents| contents[i].clone());
            let served = Some(state.content()).filter(|_| to < from);
            for suspect in suspects.chain(served) {
                state.quarantine.add(&suspect, &text);
            }
            if by_hand {
                state.give_up_candidate(&text);
            }
            state.go_back(content, &text);
        }
        self.pending_restart = back.pending_restart;
        self.adoptions += 1;
        let mut entries = self.layers.refusals();
        if entries.is_empty() && self.layers.waits() {
            entries.push(whole_entry("", text));
        }
        self.settle(entries, Keeping::Previous, now);
    }

    /// The generation `number` made the program unhealthy, and newer content came before the way back succeeded.
    fn condemn(&mut self, number: u64, reason: &str) {
        let text =
            format!("is taken back: {reason}; this content is not tried again until it changes");
        let Some(contents) = self.generations.take_back(number, reason) else {
            return;
        };
        for (state, content) in self.layers.states.iter_mut().zip(&contents) {
            if state.content() != *content {
                state.quarantine.add(content, &text);
            }
        }
    }

    fn adopt(&mut self, chosen: &[bool]) {
        for (state, candidate) in self.layers.states.iter_mut().zip(chosen) {
            if *candidate {
                state.adopt();
                self.adoptions += 1;
            }
        }
    }

    /// What readers see, to be kept for a way back.
    fn kept(&self, pending_restart: Vec<String>) -> Option<KeptGeneration> {
        let (current, made) = (self.current.as_ref()?, self.before_pipeline.as_ref()?);
        let contents = self.layers.contents()?;
        Some(KeptGeneration::new(
            current,
            made,
            contents,
            pending_restart,
        ))
    }

    /// An update is over, and what of the newest content is `refused` is reported.
    fn settle(&mut self, refused: Vec<Entry>, keeping: Keeping, now: Now) {
        self.begun = true;
        if refused.is_empty() {
            self.standing.applied(now, &mut self.events);
        } else {
            let report = self.layers.report(refused, keeping);
            let states = &self.layers.states;
            let stage = match states.iter().any(|state| state.refusal.is_some()) {
                true => RefusedStage::Transform,
                false => RefusedStage::Validation,
            };
            let (standing, events) = (&mut self.standing, &mut self.events);
            standing.refused(stage, report, UpdateOutcome::Partly, now, events);
        }
        self.judge_layers();
    }

    fn refuse(&mut self, stage: RefusedStage, entries: Vec<Entry>, now: Now) -> Action {
        let (keeping, outcome) = match &self.current {
            // After a stop and a start readers see what they saw before.
            Some(_) => (Keeping::Previous, UpdateOutcome::Partly),
            None => (Keeping::Nothing, UpdateOutcome::Refused),
        };
        let report = self.layers.report(entries, keeping);
        let (standing, events) = (&mut self.standing, &mut self.events);
        standing.refused(stage, report, outcome, now, events);
        self.judge_layers();
        Action::Settled
    }

    /// Tells what became of the content of each layer that was taken up.
    fn judge_layers(&mut self) {
        for (layer, state) in self.layers.states.iter_mut().enumerate() {
            if std::mem::take(&mut state.unjudged) {
                let good = state.candidate.is_none() && state.refusal.is_none();
                let verdict = match good {
                    true => LayerVerdict::Applied,
                    false => LayerVerdict::Refused,
                };
                self.events.push(EngineEvent::Judged { layer, verdict });
            }
        }
    }

    /// The paths in which two configurations differ; none that can be told where the comparison panics.
    fn differences(&self, new: &AnySnapshot, old: &AnySnapshot) -> Vec<String> {
        let differences = self.layers.schema.differences;
        let paths = catch_unwind(AssertUnwindSafe(|| differences(new, old, true)));
        dotted(&paths.unwrap_or_default())
    }
}

fn dotted(paths: &[Vec<Seg>]) -> Vec<String> {
    paths.iter().map(|path| Dotted(path).to_string()).collect()
}

/// Something about an origin as a whole.
pub(crate) fn whole_entry(origin: &str, text: String) -> Entry {
    Entry::new(origin, whole_problem(text))
}

fn whole_problem(text: String) -> Flaw {
    Flaw {
        path: Vec::new(),
        what: What::Message(text),
    }
}
