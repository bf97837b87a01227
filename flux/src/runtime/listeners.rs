//! Which events of the engine reach the log, the status, the recorder and the disk; which are logged once and which again.

#[cfg(feature = "json")]
use super::keeper::LastGoodKeeper;
use super::{
    instance::Instance,
    outage::{Outages, Remark},
    plan::{DiskFindings, Plan},
};
use crate::{
    engine::{Engine, EngineEvent, RefusedStage, listed, take_drop_panics},
    observe,
    report::outgoing::SafeText,
    source::Health,
};
use std::{sync::Arc, time::SystemTime};
use tokio::time::Instant;

/// Listens to the engine.
trait EngineListener {
    /// Something happened.
    fn event(&mut self, event: &EngineEvent, engine: &Engine);
    /// An update is over.
    fn settled(&mut self, _: &Engine) {}
}

/// All listeners, in the order in which they are notified.
pub(super) struct Listeners {
    operators: Operators,
    /// None where nothing is kept on disk. In a box, since most capacitors have none.
    #[cfg(feature = "json")]
    pub(super) keeper: Option<Box<LastGoodKeeper>>,
    board: Board,
    recorder: RecorderListener,
}

impl Listeners {
    pub(super) fn new(instance: &Arc<Instance>, plan: &Arc<Plan>, engine: &Engine) -> Self {
        let states = &engine.layers().states;
        for state in states {
            let up = matches!(state.health, Health::Live);
            observe::metrics::layer_up(engine.name(), &state.declared, up);
            if let Some(at) = state.changed {
                observe::metrics::layer_changed(engine.name(), &state.declared, at);
            }
        }
        let waiting = (states.iter()).map(|state| matches!(state.health, Health::Starting));
        Listeners {
            operators: Operators {
                outages: Outages::new(waiting, Instant::now()),
            },
            #[cfg(feature = "json")]
            keeper: (plan.last_known_good.clone()).map(|keep| Box::new(LastGoodKeeper::new(keep))),
            board: Board(Arc::clone(instance)),
            recorder: RecorderListener(Arc::clone(plan)),
        }
    }

    /// Gives the engine what was found on disk.
    #[cfg(feature = "json")]
    pub(super) fn begin(&mut self, found: DiskFindings, engine: &mut Engine) {
        if let Some(keeper) = &mut self.keeper {
            keeper.begin(found, engine);
        }
    }

    #[cfg(not(feature = "json"))]
    pub(super) fn begin(&mut self, found: DiskFindings, _: &mut Engine) {
        match found {}
    }

    /// Passes on what the engine has decided since the last call.
    pub(super) fn notify(&mut self, engine: &mut Engine) {
        if !engine.has_events() {
            return;
        }
        let mut events = engine.take_events();
        for event in events.drain(..) {
            self.each(|listener| listener.event(&event, engine));
        }
        engine.put_back(events);
    }

    /// When operators are to be reminded of a source that cannot be watched.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.operators.outages.deadline()
    }

    /// Reminds operators of the sources that cannot be watched, where that is due.
    pub(super) fn remind(&mut self, engine: &Engine) {
        for (source, remark) in self.operators.outages.due(Instant::now()) {
            let layer = engine.layers().number_of(source);
            Operators::remark(engine, layer, &remark);
        }
    }

    /// Reports that an update is over.
    pub(super) fn settled(&mut self, engine: &Engine) {
        self.each(|listener| listener.settled(engine));
        for text in take_drop_panics() {
            let safe = engine.secret_book().safe(&text);
            observe::panicked(engine.name(), "the drop of a configuration", &safe);
        }
    }

    fn each(&mut self, mut notify: impl FnMut(&mut dyn EngineListener)) {
        notify(&mut self.operators);
        #[cfg(feature = "json")]
        if let Some(keeper) = &mut self.keeper {
            notify(&mut **keeper);
        }
        notify(&mut self.board);
        if self.recorder.0.options.recorder.is_some() {
            notify(&mut self.recorder);
        }
    }
}

/// `tracing` and metrics.
struct Operators {
    outages: Outages,
}

impl Operators {
    fn remark(engine: &Engine, layer: usize, remark: &Remark) {
        let (name, layer) = (engine.name(), &*engine.layers().states[layer].origin);
        // The engine has reworded it already.
        let safe = |error: &String| SafeText::own(error);
        match remark {
            Remark::Waiting { lasts } => observe::source_waiting(name, layer, *lasts),
            Remark::Stale { lasts, error } => {
                observe::source_stale(name, layer, *lasts, &safe(error));
            }
            Remark::Refused { lasts, kind, error } => {
                observe::source_refused(name, layer, *lasts, *kind, &safe(error));
            }
            Remark::Recovered { lasted } => observe::source_recovered(name, layer, *lasted),
            Remark::Closed => observe::source_closed(name, layer),
        }
    }

    /// The health of a layer has changed.
    fn health(&mut self, engine: &Engine, layer: usize) {
        let state = &engine.layers().states[layer];
        let up = matches!(state.health, Health::Live);
        observe::metrics::layer_up(engine.name(), &state.declared, up);
        let remark = (self.outages).health(state.source, &state.health, Instant::now());
        if let Some(remark) = remark {
            Self::remark(engine, layer, &remark);
        }
    }
}

impl EngineListener for Operators {
    fn event(&mut self, event: &EngineEvent, engine: &Engine) {
        let (name, update) = (engine.name(), engine.update_id());
        match event {
            EngineEvent::ChangeReceived { layer } => {
                let state = &engine.layers().states[*layer];
                let at = state.changed.unwrap_or_else(SystemTime::now);
                observe::change_received(name, &state.declared, at);
            }
            EngineEvent::Warned(report) => observe::warned(name, report),
            EngineEvent::WaitsForRestart { paths } => {
                observe::waits_for_restart(name, &listed(paths), update);
            }
            EngineEvent::StateChanged { from, to } => observe::state_changed(name, *from, *to),
            EngineEvent::Committed { generation } => {
                observe::apply_succeeded(name, *generation, update);
            }
            EngineEvent::Refused { stage, report } => match stage {
                RefusedStage::Transform => observe::transform_failed(name, report, update),
                RefusedStage::Validation => observe::validation_failed(name, report, update),
                RefusedStage::Apply => observe::apply_failed(name, report, update),
            },
            EngineEvent::HealthChanged { layer } => self.health(engine, *layer),
            EngineEvent::ProcessDied(found) => observe::process_died(name, found),
            EngineEvent::OnTrial { generation } => {
                let changed = engine.trials().and_then(|trials| trials.applied());
                let changed = changed.map_or(String::new(), |trial| listed(&trial.changed));
                observe::on_trial(name, *generation, &changed);
            }
            EngineEvent::TrialPassed => observe::trial_passed(name, engine.generation()),
            EngineEvent::Lifted => observe::lifted(name),
            #[cfg(feature = "json")]
            EngineEvent::Kept => {}
            EngineEvent::Judged { .. }
            | EngineEvent::TakenUp
            | EngineEvent::Unhealthy { .. }
            | EngineEvent::Confirmed
            | EngineEvent::Pinned => {}
        }
    }
}

/// The published status.
struct Board(Arc<Instance>);

impl EngineListener for Board {
    fn event(&mut self, event: &EngineEvent, engine: &Engine) {
        if matches!(
            event,
            EngineEvent::HealthChanged { .. }
                | EngineEvent::Confirmed
                | EngineEvent::TrialPassed
                | EngineEvent::Lifted
                | EngineEvent::Pinned
        ) {
            self.settled(engine);
        }
        #[cfg(feature = "json")]
        if matches!(event, EngineEvent::Kept) {
            self.settled(engine);
        }
    }
    fn settled(&mut self, engine: &Engine) {
        self.0.status.store(Arc::new(engine.status(true)));
    }
}

/// The recorder of the test kit.
struct RecorderListener(Arc<Plan>);

impl EngineListener for RecorderListener {
    fn event(&mut self, event: &EngineEvent, _: &Engine) {
        if let Some(recorder) = &self.0.options.recorder {
            recorder.event(event);
        }
    }
    fn settled(&mut self, engine: &Engine) {
        if let Some(recorder) = &self.0.options.recorder {
            recorder.settled(engine);
        }
    }
}

#[cfg(feature = "json")]
impl EngineListener for LastGoodKeeper {
    fn event(&mut self, event: &EngineEvent, engine: &Engine) {
        if matches!(
            event,
            EngineEvent::Confirmed | EngineEvent::TrialPassed | EngineEvent::Lifted
        ) {
            self.settled(engine);
        }
    }
    fn settled(&mut self, engine: &Engine) {
        self.save(engine);
    }
}
