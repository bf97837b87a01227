//! The task of a capacitor: in which order it polls the watchers, the timer, the pipeline and the program's orders, and how it
//! ends.

mod by_hand;
mod disk;
mod group;
mod intake;
mod long;
mod orders;
mod reload;
mod trial;
mod update;

use super::{
    clock::now,
    error::Error,
    instance::Instance,
    listeners::Listeners,
    order::Commands,
    plan::{DiskFindings, Plan, StartedLayers},
    run::PipelineRun,
    task::BoxedTask,
};
use crate::{
    change::Member,
    engine::{Due, Engine, Layers, discard},
    observe,
    pipeline::{Answer, AnyPipeline},
    problem::caught,
    source::{Health, mailbox::Mailbox},
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep, sleep_until},
};
use tracing::Span;

/// The outcome of the first update, for the caller of `start`.
type First = oneshot::Sender<Result<(), Error>>;

/// How long a task rests in which something panicked that nothing else caught.
const REST: Duration = Duration::from_secs(1);

pub(crate) struct Driver {
    plan: Arc<Plan>,
    instance: Arc<Instance>,
    engine: Engine,
    listeners: Listeners,
    mailbox: Arc<Mailbox>,
    watchers: Vec<Option<BoxedTask>>,
    changed: BoxedTask,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    pipeline: Option<Box<dyn AnyPipeline>>,
    run: Option<PipelineRun>,
    member: Option<Member>,
    /// The health check that is running.
    check: Option<Answer<()>>,
    commands: Commands,
    reload: Option<Box<reload::Reload>>,
    #[cfg(feature = "signal")]
    signals: Option<super::signal::Signals>,
    first: Option<First>,
    /// When the update under way was taken up.
    began: Option<Instant>,
    resting: Option<Pin<Box<Sleep>>>,
    /// Whether the layers were large at the last update, and other threads can go on meanwhile.
    is_large: bool,
    /// Work was done on a thread that the runtime did without: see [`away`](Driver::away).
    was_away: bool,
    stopped: bool,
}

impl Driver {
    /// Ready to run; nothing is watched before the first poll.
    pub(super) fn new(
        plan: Arc<Plan>,
        instance: Arc<Instance>,
        first: First,
        commands: Commands,
        found: Option<DiskFindings>,
    ) -> Self {
        let mailbox = Mailbox::new(plan.layers.len());
        let StartedLayers {
            states,
            watchers,
            variables,
        } = plan.layers(&mailbox);
        let layers = Layers::new(
            plan.options.schema,
            states,
            plan.options.unknown,
            plan.options.reducer.clone(),
        );
        let (current, count) = (instance.outlet.load(), instance.count());
        let mut engine = Engine::new(plan.settings(), layers, current, count, now());
        observe::started(&plan.options.name, plan.options.debounce);
        #[cfg(feature = "signal")]
        let signals = (plan.options.reload_on.filter(|_| !plan.options.manual))
            .and_then(|signal| super::signal::Signals::listen(signal, &plan.options.name));
        let mut listeners = Listeners::new(&instance, &plan, &engine);
        if let Some(found) = found {
            listeners.begin(found, &mut engine);
        }
        let mut driver = Driver {
            listeners,
            changed: changed(&mailbox),
            pipeline: plan
                .options
                .pipeline
                .as_ref()
                .map(|parts| parts.pipeline(&plan.options.name)),
            member: plan
                .options
                .group
                .as_ref()
                .map(|group| group.join(&plan.options.name)),
            plan,
            instance,
            engine,
            mailbox,
            watchers,
            timer: None,
            run: None,
            check: None,
            commands,
            reload: None,
            #[cfg(feature = "signal")]
            signals,
            first: Some(first),
            began: None,
            resting: None,
            is_large: false,
            was_away: false,
            stopped: false,
        };
        let (plan, engine) = (&driver.plan, &driver.engine);
        if let Some(recorder) = &plan.options.recorder {
            let layers = (&*plan.layers, &*variables);
            recorder.begin(plan.options.schema, layers, engine.generation());
        }
        driver.listeners.notify(&mut driver.engine);
        driver.publish_status();
        driver
    }

    /// Runs until every source is closed; for ever where there is nothing that could close. A panic that nothing else caught is
    /// reported and refuses the update; the task goes on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(rest) = &mut self.resting {
            std::task::ready!(rest.as_mut().poll(cx));
            self.resting = None;
        }
        let text = match caught(|| self.go_on(cx)) {
            Ok(polled) => return polled,
            Err(text) => text,
        };
        let safe = self.engine.secret_book().safe(&text);
        observe::panicked(self.engine.name(), "the capacitor's task", &safe);
        self.run = None;
        let action = self.engine.panicked(&text, now());
        self.perform(action, Span::none(), None);
        let mut rest = Box::pin(sleep(REST));
        let polled = rest.as_mut().poll(cx);
        self.resting = Some(rest);
        polled
    }

    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.comes_back(cx) {
                return Poll::Pending;
            }
            self.poll_watchers(cx);
            self.drain();
            self.poll_signals(cx);
            if self.poll_run(cx)
                || self.poll_commands(cx)
                || self.poll_trial(cx)
                || self.poll_reload(cx)
            {
                continue;
            }
            // Pending means that a write is under way; it wakes this task.
            let _ = self.poll_saver(cx);
            if self.run.is_none() {
                let closed = self.all_closed();
                match self.engine.due(Instant::now().into_std(), closed) {
                    // A further try or a trial goes on without any source.
                    Due::Nothing if closed && self.engine.deadline().is_none() => {
                        return Poll::Ready(());
                    }
                    Due::Nothing => {}
                    due => {
                        self.pursue(due);
                        if self.comes_back(cx) {
                            return Poll::Pending;
                        }
                        // Before any watcher is asked again: most pipelines answer at once.
                        self.poll_run(cx);
                        continue;
                    }
                }
            }
            if self.comes_back(cx) {
                return Poll::Pending;
            }
            if self.poll_timer(cx) {
                continue;
            }
            match self.changed.as_mut().poll(cx) {
                Poll::Ready(()) => self.changed = changed(&self.mailbox),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Runs until the first outcome is known.
    pub(super) fn poll_until_loaded(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll(cx).is_ready() || self.first.is_none()
    }

    fn pursue(&mut self, due: Due) {
        match due {
            Due::Nothing => {}
            Due::Newest => self.update(),
            Due::Lift => {
                if self.lift() {
                    self.update();
                }
            }
            Due::Back(to, reason) => {
                let action = self.engine.go_back(to, &reason, false, now());
                self.perform_anew(action, None);
            }
            Due::Fallback => {
                if self.fall_back().is_some() {
                    self.update();
                }
            }
        }
    }

    fn publish_status(&self) {
        self.instance
            .status
            .store(Arc::new(self.engine.status(true)));
    }

    /// Polls the timer of the next thing that is due by time; answers whether it fired.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.engine.deadline().map(Instant::from_std);
        let slow = self.run.as_ref().map(PipelineRun::slow_at);
        let reminder = self.listeners.deadline();
        let Some(at) = due.into_iter().chain(slow).chain(reminder).min() else {
            self.timer = None;
            return false;
        };
        if self.timer.as_ref().is_none_or(|(armed, _)| *armed != at) {
            self.timer = Some((at, Box::pin(sleep_until(at))));
        }
        let fired = self
            .timer
            .as_mut()
            .is_some_and(|(_, sleep)| sleep.as_mut().poll(cx).is_ready());
        if fired {
            self.timer = None;
            self.listeners.remind(&self.engine);
            if let Some(lasts) = self.run.as_mut().and_then(PipelineRun::is_slow) {
                observe::slow(self.engine.name(), self.engine.update_id(), lasts);
            }
        }
        fired
    }

    /// Ends it: what is to be kept is on disk. `in_order` where nothing that is on trial can be to blame for it.
    pub(super) async fn end(&mut self, in_order: bool) {
        self.swapped_meanwhile();
        if let Some(recorder) = &self.plan.options.recorder {
            recorder.end();
        }
        self.save_again();
        poll_fn(|cx| self.poll_saver(cx)).await;
        if in_order {
            self.end_trial().await;
        }
        self.stop();
    }

    /// Ends it: the status shows that, and the program's callback runs, once.
    fn stop(&mut self) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.watchers.clear();
        self.swapped_meanwhile();
        self.run = None;
        self.engine.withdraw();
        self.member = None;
        discard(self.check.take());
        self.listeners.notify(&mut self.engine);
        let status = self.engine.status(false).unwatched();
        let states = self.engine.layers().states.iter();
        let layers = status.layers.iter().zip(states);
        for (layer, state) in layers.filter(|(_, state)| state.drop_in.is_none()) {
            let up = matches!(layer.health, Health::Live);
            observe::metrics::layer_up(self.engine.name(), &state.declared, up);
        }
        self.instance.status.store(Arc::new(status));
        let state = self.engine.state();
        observe::stopped(self.engine.name(), state);
        if let Some(on_stop) = &self.plan.options.on_stop
            && let Err(panic) = caught(|| on_stop(state))
        {
            let safe = self.engine.secret_book().safe(&panic);
            observe::panicked(self.engine.name(), "on_stop", &safe);
        }
        self.instance
            .notices
            .send_modify(|notices| notices.ended(true));
        if let Some(first) = self.first.take() {
            let _ = first.send(Err(self.instance.not_running()));
        }
    }
}

/// The runtime may drop the task without a stop.
impl Drop for Driver {
    fn drop(&mut self) {
        let was_stopped = self.stopped;
        self.stop();
        if !was_stopped {
            self.leave();
        }
    }
}

fn changed(mailbox: &Arc<Mailbox>) -> BoxedTask {
    let mailbox = Arc::clone(mailbox);
    Box::pin(async move { mailbox.changed().await })
}
