//! Performs what the engine asks for: polls the watchers, the timer and the pipeline inside one task, and publishes.

use super::{
    Shared,
    command::{Command, Commands},
    core::{Core, Step},
    debounce::Debounce,
    flight::Flight,
    plan::Plan,
    probation::Probation,
    retry::{Aim, Retry},
};
use crate::{
    Error, change::Member, layer::Config, observe, pipeline::Next, problem::panic_text,
    source::mailbox::Inbox,
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

pub(super) type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The outcome of the first update, for whoever started it.
pub(crate) type First = oneshot::Sender<Result<(), Error>>;

pub(crate) struct Driver<C: Config> {
    pub(super) plan: Arc<Plan<C>>,
    pub(super) shared: Arc<Shared<C>>,
    pub(super) core: Core<C>,
    inbox: Arc<Inbox>,
    watchers: Vec<Option<Boxed>>,
    changed: Boxed,
    unsettled: Vec<bool>,
    pub(super) debounce: Debounce,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    pub(super) service: Next<C>,
    pub(super) flight: Option<Flight<C>>,
    pub(super) member: Option<Member>,
    pub(super) retry: Retry,
    pub(super) probation: Option<Probation<C>>,
    commands: Commands,
    /// When a silent start falls back to what is kept on disk.
    pub(super) rescue_at: Option<Instant>,
    #[cfg(feature = "json")]
    pub(super) saver: super::last_known_good::Saver,
    first: Option<First>,
    /// When the update under way was taken up.
    began: Option<Instant>,
    pub(super) loaded: bool,
    stopped: bool,
}

impl<C: Config> Driver<C> {
    /// Ready to run; nothing is watched before the first poll.
    pub(crate) fn new(
        plan: Arc<Plan<C>>,
        shared: Arc<Shared<C>>,
        first: First,
        commands: Commands,
    ) -> Self {
        let inbox = Inbox::new(plan.layers.len());
        let (slots, watchers) = plan.layers(&inbox);
        let mut core = Core::new(
            plan.name.clone(),
            slots,
            plan.unknown,
            plan.reducer.clone(),
            plan.history,
            plan.generations,
            shared.handle.get().load(),
        );
        core.last_generation = shared.count();
        core.grouped = plan.group.is_some();
        let debounce = Debounce::new(plan.debounce, plan.max_wait);
        observe::started(&plan.name, plan.debounce);
        let mut driver = Driver {
            unsettled: vec![false; plan.layers.len()],
            changed: changed(&inbox),
            service: plan.service(),
            member: plan.group.as_ref().map(|group| group.join(&plan.name)),
            plan,
            shared,
            core,
            inbox,
            watchers,
            debounce,
            timer: None,
            flight: None,
            retry: Retry::default(),
            probation: None,
            commands,
            rescue_at: None,
            #[cfg(feature = "json")]
            saver: super::last_known_good::Saver::default(),
            first: Some(first),
            began: None,
            loaded: false,
            stopped: false,
        };
        let tape = &driver.plan.tape;
        tape.begin(&driver.plan.layers, driver.core.generation());
        driver.plan_rescue();
        for slot in &driver.core.slots {
            if let Some(at) = slot.changed {
                observe::metrics::layer_changed(&driver.core.name, &slot.origin, at);
            }
        }
        driver.publish_status();
        driver
    }

    /// Runs until every source is closed; for ever where there is nothing that could close.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.poll_watchers(cx);
            self.drain();
            if self.poll_flight(cx) || self.poll_commands(cx) || self.poll_probation(cx) {
                continue;
            }
            // Pending means that a write is under way; it wakes this task.
            let _ = self.poll_saver(cx);
            if self.flight.is_none() {
                if let Some(aim) = self.due() {
                    self.pursue(aim);
                    // Before any watcher is asked again: most pipelines answer at once.
                    self.poll_flight(cx);
                    continue;
                }
                if self.all_closed() {
                    return Poll::Ready(());
                }
            }
            if self.poll_timer(cx) {
                continue;
            }
            match self.changed.as_mut().poll(cx) {
                Poll::Ready(()) => self.changed = changed(&self.inbox),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Runs until the first outcome is known.
    pub(crate) fn poll_until_loaded(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll(cx).is_ready() || self.first.is_none()
    }

    /// Takes up what is pending at once, without timers; answers whether there was anything.
    pub(crate) async fn process(&mut self) -> bool {
        let mut consumed = false;
        std::future::poll_fn(|cx| {
            self.poll_watchers(cx);
            consumed |= self.drain();
            Poll::Ready(())
        })
        .await;
        let news = self.debounce.deadline().is_some();
        consumed |= news;
        if let Some(back) = self.retry.back() {
            self.pursue(back);
            self.land().await;
        }
        if news || self.retry.wants_newest() {
            self.update();
            self.land().await;
        }
        self.obey().await;
        consumed
    }

    /// Manual mode: carries out what was ordered, and looks after a probation, as far as it can be done now.
    pub(crate) async fn obey(&mut self) {
        loop {
            let again = std::future::poll_fn(|cx| {
                Poll::Ready(self.poll_commands(cx) || self.poll_probation(cx))
            });
            if !again.await {
                return self.saved().await;
            }
            self.land().await;
        }
    }

    /// Manual mode: until the pipeline has answered.
    async fn land(&mut self) {
        std::future::poll_fn(|cx| match self.flight.is_none() || self.poll_flight(cx) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    fn poll_watchers(&mut self, cx: &mut Context<'_>) {
        for watcher in &mut self.watchers {
            let closed = watcher
                .as_mut()
                .is_some_and(|w| w.as_mut().poll(cx).is_ready());
            if closed {
                *watcher = None;
            }
        }
    }

    /// Hands what the sources said to the engine.
    fn drain(&mut self) -> bool {
        let (mut news, mut health) = (false, false);
        for item in self.inbox.take() {
            self.plan.tape.heard(&item);
            if let Some(now) = item.health {
                health = true;
                self.core.health(item.layer, now);
            }
            self.unsettled[item.layer] = item.unsettled;
            self.core.slots[item.layer].received = item.received;
            if let Some(observation) = item.observation
                && self.core.observe(item.layer, observation)
            {
                news = true;
                self.debounce.observed(Instant::now());
            }
            self.core.closed(item.layer);
        }
        if health {
            self.publish_status();
        }
        if news {
            self.retry.clear_newest();
            self.tell_group_of_news();
        }
        news
    }

    /// What is due now.
    fn due(&mut self) -> Option<Aim> {
        let now = Instant::now();
        if !self.loaded {
            let complete = self.core.waiting().is_empty() || self.rescue(now);
            return complete.then_some(Aim::Newest);
        }
        if let Some(aim) = self.retry.due(now) {
            return Some(aim);
        }
        let deadline = self.debounce.deadline()?;
        let quiet = deadline <= now && !self.unsettled.contains(&true);
        (quiet || self.debounce.overdue(now) || self.all_closed()).then_some(Aim::Newest)
    }

    fn pursue(&mut self, aim: Aim) {
        match aim {
            Aim::Newest => self.update(),
            Aim::Back(to, reason) => self.go_back(to, &reason, None),
        }
    }

    fn all_closed(&self) -> bool {
        self.loaded && !self.watchers.is_empty() && self.watchers.iter().all(Option::is_none)
    }

    pub(super) fn update(&mut self) {
        if self.debounce.deadline().is_some() {
            self.retry.clear_newest();
        }
        self.debounce.clear();
        self.plan.tape.update();
        self.loaded = true;
        self.began = Some(Instant::now());
        let span = observe::update_span(&self.core.name, self.core.update_id() + 1);
        let _entered = span.enter();
        let step = catch_unwind(AssertUnwindSafe(|| self.core.update()))
            .unwrap_or_else(|panic| self.core.panicked(panic_text(&*panic)));
        match step {
            Step::Settled if self.core.generation() == 0 && self.rescue_refused() => self.update(),
            Step::Settled => {
                self.retry.clear_newest();
                self.save();
                self.stand();
                self.outcome();
            }
            Step::Run(request) => self.ask(request, None),
        }
    }

    /// Carries out one order; answers whether there was one.
    fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        if self.flight.is_some() {
            return false;
        }
        let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) else {
            return false;
        };
        self.plan.tape.command(&command);
        match command {
            Command::Unhealthy { generation, reason } => {
                if self.core.generation() == generation {
                    self.unhealthy(&reason);
                }
            }
            Command::Rollback { to, reply } => self.roll_back(to, reply),
            Command::Pin(pinned, reply) => {
                self.core.pinned = pinned;
                match self.loaded && !pinned {
                    true => self.update(),
                    false => self.publish_status(),
                }
                // Whoever asked may have gone.
                let _ = reply.send(());
            }
        }
        true
    }

    /// Publishes the status, and tells whoever started the capacitor.
    pub(super) fn outcome(&mut self) {
        if let Some(began) = self.began.take() {
            observe::metrics::took(&self.core.name, began.elapsed());
        }
        self.publish_status();
        let core = &self.core;
        let tape = &self.plan.tape;
        tape.outcome(core.state(), core.generation(), core.error());
        self.tell();
        if let Some(first) = self.first.take() {
            let outcome = match self.core.failed_to_start() {
                Some(report) => Err(Error::Refused(report.clone())),
                None => Ok(()),
            };
            // Nobody may be waiting any more.
            let _ = first.send(outcome);
        }
    }

    pub(super) fn publish_status(&self) {
        self.shared.status.store(Arc::new(self.core.status(true)));
    }

    /// Polls the timer of the next thing that is due by time; answers whether it fired.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let retry = self.retry.at();
        let debounce = match self.flight {
            Some(_) => None,
            None => self.debounce.deadline_while(self.unsettled.contains(&true)),
        };
        let rescue = self.rescue_at.filter(|_| !self.loaded);
        let Some(at) = debounce
            .into_iter()
            .chain(retry.filter(|_| self.flight.is_none()))
            .chain(rescue)
            .min()
        else {
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
        }
        fired
    }

    /// Ends it in good order: what is to be kept is on disk.
    pub(crate) async fn end(&mut self) {
        self.swapped_meanwhile();
        self.plan.tape.end();
        self.saved().await;
        self.stop();
    }

    /// Ends it: the status says so and the user's callback runs, once.
    pub(crate) fn stop(&mut self) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.watchers.clear();
        self.swapped_meanwhile();
        self.flight = None;
        self.member = None;
        self.probation = None;
        self.shared.status.store(Arc::new(self.core.status(false)));
        let state = self.core.state();
        observe::stopped(&self.core.name, state);
        if let Some(on_stop) = &self.plan.on_stop
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| on_stop(state)))
        {
            observe::panicked(&self.core.name, "on_stop", panic_text(&*panic));
        }
        self.shared.told.send_modify(|told| told.ended(true));
        if let Some(first) = self.first.take() {
            let _ = first.send(Err(Error::Stopped {
                name: self.core.name.clone(),
            }));
        }
    }
}

/// The runtime may drop the task without a stop.
impl<C: Config> Drop for Driver<C> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn changed(inbox: &Arc<Inbox>) -> Boxed {
    let inbox = Arc::clone(inbox);
    Box::pin(async move { inbox.changed().await })
}
