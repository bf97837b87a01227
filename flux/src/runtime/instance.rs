//! What the task, the readers and the owners of a capacitor share: its status, its plan, its kept answers; and whether it runs or
//! is asked to stop.

use super::{clock, driver::Driver, error::Error, inside::is_inside, order::Command, plan::Plan};
use crate::{
    Report,
    change::LastNotices,
    engine::{AnySnapshot, State, Status},
};
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::SystemTime,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Where configurations are published, whatever their type.
pub(crate) trait Outlet: Send + Sync {
    /// Readers see this from now on. Answers with what they saw before, whose drop is code of the program: it must not run under
    /// a lock.
    fn publish(&self, snapshot: &AnySnapshot) -> Option<AnySnapshot>;
    /// What readers see.
    fn load(&self) -> Option<AnySnapshot>;
}

/// One capacitor, running or not.
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) outlet: Box<dyn Outlet>,
    pub(crate) status: ArcSwap<Status>,
    pub(crate) notices: watch::Sender<LastNotices>,
    /// The highest generation number that was given; it outlives a stop.
    count: AtomicU64,
    /// `stop` was called, and not only the last handle dropped.
    in_order: AtomicBool,
    control: Mutex<InstanceControl>,
    pub(super) manual: tokio::sync::Mutex<Option<Box<Driver>>>,
    /// What was found out about the configuration that readers see, for the next question.
    answers: Mutex<Option<KeptAnswers>>,
}

/// What was found out about a configuration; its type is known to `inspect`.
pub(crate) type KeptAnswers = Arc<dyn std::any::Any + Send + Sync>;

struct InstanceControl {
    plan: Option<Arc<Plan>>,
    /// The process that started the plan: what its watchers hold is of no use in a fork of it.
    planned_in: Option<u32>,
    running: Option<Running>,
}

/// The channels to a running capacitor.
struct Running {
    /// The process in which it runs. A fork has a copy of all this, and none of the threads.
    process: u32,
    stop: Option<oneshot::Sender<()>>,
    commands: mpsc::UnboundedSender<Command>,
    ended: watch::Receiver<bool>,
    /// The generation that readers saw when the first configuration was refused, until a start has answered that it is good now.
    refused: Option<u64>,
}

/// What a task is launched with.
pub(super) struct Launch {
    pub(super) plan: Arc<Plan>,
    /// The order to stop.
    pub(super) stopped: oneshot::Receiver<()>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    /// Where its end is reported.
    pub(super) end: watch::Sender<bool>,
}

impl Instance {
    pub(crate) fn new(name: String, outlet: Box<dyn Outlet>) -> Self {
        let status = Status::idle(name.as_str(), SystemTime::now());
        let (notices, _) = watch::channel(LastNotices::new(outlet.load()));
        Instance {
            name,
            outlet,
            status: ArcSwap::from_pointee(status),
            notices,
            count: AtomicU64::new(0),
            in_order: AtomicBool::new(false),
            control: Mutex::new(InstanceControl {
                plan: None,
                planned_in: None,
                running: None,
            }),
            manual: tokio::sync::Mutex::new(None),
            answers: Mutex::new(None),
        }
    }

    /// What was found out about a configuration, perhaps not the current one.
    pub(crate) fn kept_answers(&self) -> Option<KeptAnswers> {
        let answers = self.answers.lock();
        answers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was found out. Answers with what was kept before, to be dropped outside any lock.
    pub(crate) fn keep_answers(&self, answers: Option<KeptAnswers>) -> Option<KeptAnswers> {
        let kept = self.answers.lock();
        std::mem::replace(&mut *kept.unwrap_or_else(PoisonError::into_inner), answers)
    }

    pub(crate) fn state(&self) -> State {
        self.status.load().state
    }

    /// One consistent picture. In a fork of the process that watches, nothing is watched; and where the task is held up, nothing is live
    /// for longer than its source shows.
    pub(crate) fn status(&self) -> Arc<Status> {
        let status = self.status.load_full();
        if status.running && !self.is_here() {
            return Arc::new(status.unwatched());
        }
        match status.unproven(clock::now()) {
            Some(status) => Arc::new(status),
            None => status,
        }
    }

    fn is_here(&self) -> bool {
        self.control().running.as_ref().is_none_or(Running::is_here)
    }

    /// Notifies subscribers; answers with the configuration of the notice before, to be dropped outside any lock.
    pub(super) fn notify(
        &self,
        current: Option<&AnySnapshot>,
        error: Option<&Report>,
    ) -> Option<AnySnapshot> {
        let mut before = None;
        self.notices.send_if_modified(|notices| {
            let applied = current.is_some_and(|snapshot| notices.applied(snapshot, &mut before));
            if let Some(report) = error {
                notices.refused(report.clone());
            }
            applied || error.is_some()
        });
        before
    }

    /// Its number in [`inside`](super::inside).
    pub(super) fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Refuses what would wait for itself.
    pub(super) fn outside(&self) -> Result<(), Error> {
        match is_inside(self.number()) {
            true => Err(Error::Inside {
                name: self.name.clone(),
            }),
            false => Ok(()),
        }
    }

    /// The first configuration is refused, and the watching goes on.
    pub(super) fn refused_first(&self) {
        let generation = self.status.load().generation;
        if let Some(running) = &mut self.control().running {
            running.refused = Some(generation);
        }
    }

    /// The outcome of one more start where the first configuration was refused and the watching goes on: the newest report, until a good
    /// configuration is applied.
    pub(crate) fn rejoin(&self) -> Option<Result<(), Error>> {
        let mut control = self.control();
        if !control.is_running() || control.is_stopping() {
            return None;
        }
        let running = control.running.as_mut()?;
        let refused = running.refused?;
        let status = self.status.load();
        match &status.error {
            Some(report) if status.generation == refused => {
                Some(Err(Error::Refused(report.clone())))
            }
            _ => {
                running.refused = None;
                Some(Ok(()))
            }
        }
    }

    /// Becomes true when a capacitor that was asked to stop has done so.
    pub(super) fn stopping(&self) -> Option<watch::Receiver<bool>> {
        let control = self.control();
        let running = control.running.as_ref()?;
        (control.is_running() && control.is_stopping()).then(|| running.ended.clone())
    }

    /// What it was started from, or is to be.
    pub(crate) fn plan(&self) -> Option<Arc<Plan>> {
        self.control().plan.clone()
    }

    /// Puts a plan in place of the last one, unless that one is running.
    pub(crate) fn install(&self, plan: Plan) -> Result<(), Error> {
        let mut control = self.control();
        if control.is_running() && !control.is_stopping() {
            return Err(Error::AlreadyStarted {
                name: plan.options.name.as_str().into(),
            });
        }
        let plan = Some(Arc::new(plan));
        let before = std::mem::replace(&mut control.plan, plan);
        control.planned_in = None;
        drop(control);
        // The old one has closures of the program in it.
        drop(before);
        Ok(())
    }

    /// Whether a start makes a timer of the runtime's.
    pub(super) fn needs_timers(&self) -> bool {
        let control = self.control();
        control
            .plan
            .as_ref()
            .is_some_and(|plan| plan.needs_timers())
    }

    /// Marks the capacitor as running and hands out what the task needs.
    pub(super) fn launch(&self) -> Result<Launch, Error> {
        let mut control = self.control();
        let Some(plan) = control.plan.clone() else {
            return Err(self.not_running());
        };
        if control.is_running() {
            return Err(Error::AlreadyStarted {
                name: plan.options.name.clone(),
            });
        }
        let process = std::process::id();
        if control.planned_in.is_some_and(|id| id != process) {
            return Err(Error::Forked {
                name: plan.options.name.clone(),
            });
        }
        control.planned_in = Some(process);
        let (stop, stopped) = oneshot::channel();
        let (sender, commands) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        control.running = Some(Running {
            process,
            stop: Some(stop),
            commands: sender,
            ended,
            refused: None,
        });
        self.in_order.store(false, Ordering::Relaxed);
        self.notices.send_modify(|notices| notices.ended(false));
        Ok(Launch {
            plan,
            stopped,
            commands,
            end,
        })
    }

    pub(super) fn command(&self, command: Command) -> Result<(), Error> {
        let control = self.control();
        control
            .running
            .as_ref()
            .filter(|running| running.is_here())
            .and_then(|running| running.commands.send(command).ok())
            .ok_or_else(|| self.not_running())
    }

    pub(super) fn is_running(&self) -> bool {
        self.control().is_running()
    }

    /// Becomes true when nothing of the last start is left.
    pub(super) fn ended(&self) -> Option<watch::Receiver<bool>> {
        let control = self.control();
        control
            .running
            .as_ref()
            .filter(|running| running.is_here())
            .map(|running| running.ended.clone())
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn keep_count(&self, highest: u64) {
        self.count.fetch_max(highest, Ordering::Relaxed);
    }

    /// The next stop is an orderly one.
    pub(super) fn stop_in_order(&self) {
        self.in_order.store(true, Ordering::Relaxed);
    }

    pub(super) fn stops_in_order(&self) -> bool {
        self.in_order.load(Ordering::Relaxed)
    }

    /// Answers what becomes true at the end; none where there is nothing to wait for.
    pub(crate) fn ask_to_stop(&self) -> Option<watch::Receiver<bool>> {
        let mut control = self.control();
        let running = (control.running.as_mut()).filter(|running| running.is_here())?;
        if let Some(stop) = running.stop.take() {
            // The task may have ended by itself.
            let _ = stop.send(());
        }
        Some(running.ended.clone())
    }

    pub(crate) fn not_running(&self) -> Error {
        Error::Stopped {
            name: self.name.clone(),
        }
    }

    fn control(&self) -> MutexGuard<'_, InstanceControl> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InstanceControl {
    fn is_stopping(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.stop.is_none())
    }

    fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| {
            running.is_here() && !*running.ended.borrow() && running.ended.has_changed().is_ok()
        })
    }
}

impl Running {
    /// Whether this process is the one in which it was started, and no fork of it.
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }
}

/// Held by every clone of a capacitor; the last one that goes ends the watching.
pub(crate) struct Owner(pub(crate) Arc<Instance>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.ask_to_stop();
        // In manual mode no task does it.
        if let Ok(mut manual) = self.0.manual.try_lock() {
            let driver = manual.take();
            drop(manual);
            drop(driver);
        }
    }
}
