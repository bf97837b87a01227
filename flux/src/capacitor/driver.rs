//! Performs what the engine asks for: polls the watchers, the timer and the pipeline inside one task, and publishes.

use super::{
    Shared,
    builder::OnStop,
    core::{Core, Reducer, Step},
    debounce::Debounce,
    slot::Slot,
    state::State,
};
use crate::{
    Error, Snapshot,
    codec::Unknown,
    config::Config,
    declare::{Input, Opened},
    environment, observe,
    pipeline::{self, Answer, BoxError, Request, Stage},
    rules::panic_text,
    source::{inbox::Inbox, supervisor::supervise},
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

/// Everything a capacitor needs to be started, any number of times.
pub(crate) struct Plan<C: Config> {
    pub(crate) name: String,
    pub(crate) layers: Vec<Opened>,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) startup_timeout: Option<Duration>,
    pub(crate) unknown: Unknown,
    pub(crate) history: usize,
    pub(crate) manual: bool,
    pub(crate) reducer: Option<Reducer<C>>,
    pub(crate) stages: Vec<Stage<C>>,
    pub(crate) on_stop: Option<OnStop>,
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The outcome of the first update, for whoever started it.
pub(crate) type First = oneshot::Sender<Result<(), Error>>;

/// A refused apply is tried again after this, doubled each time up to [`RETRY_CAP`].
const RETRY_BASE: Duration = Duration::from_secs(1);
const RETRY_CAP: Duration = Duration::from_secs(60);

pub(crate) struct Driver<C: Config> {
    plan: Arc<Plan<C>>,
    shared: Arc<Shared<C>>,
    core: Core<C>,
    inbox: Arc<Inbox>,
    watchers: Vec<Option<Boxed>>,
    changed: Boxed,
    unsettled: Vec<bool>,
    debounce: Debounce,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    flight: Option<(Arc<Snapshot<C>>, Answer<C>)>,
    retry: Option<(Instant, u32)>,
    first: Option<First>,
    loaded: bool,
    stopped: bool,
    ended: Option<super::Ended>,
}

impl<C: Config> Driver<C> {
    /// Ready to run; nothing is watched before the first poll.
    pub(crate) fn new(plan: Arc<Plan<C>>, shared: Arc<Shared<C>>, first: First) -> Self {
        let inbox = Inbox::new(plan.layers.len());
        let mut slots = Vec::with_capacity(plan.layers.len());
        let mut watchers = Vec::new();
        for (i, opened) in plan.layers.iter().enumerate() {
            let mut slot = Slot::new(
                opened.origin.clone(),
                opened.decoder.clone(),
                opened.optional,
            );
            slot.file.clone_from(&opened.file);
            match &opened.input {
                Input::Watched(watcher) => {
                    let (watcher, observer) = (Arc::clone(watcher), inbox.observer(i));
                    watchers.push(Some(Box::pin(async move {
                        let mut watcher = watcher.lock().await;
                        supervise(&mut **watcher, &observer).await;
                    }) as Boxed));
                }
                Input::Environment(prefix) => {
                    slot.give(environment::layer::<C>(prefix, &|name| {
                        std::env::var_os(name)
                    }));
                }
                #[cfg(feature = "figment")]
                Input::Provider(provider) => {
                    let provider = provider
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    slot.give(crate::foreign::layer_of::<C>(&**provider));
                }
            }
            slots.push(slot);
        }
        let core = Core::new(
            plan.name.clone(),
            slots,
            plan.unknown,
            plan.reducer.clone(),
            plan.history,
            shared.handle.get().load(),
        );
        let debounce = Debounce::new(plan.debounce, plan.max_wait);
        observe::started(&plan.name, plan.debounce);
        let driver = Driver {
            unsettled: vec![false; plan.layers.len()],
            changed: changed(&inbox),
            plan,
            shared,
            core,
            inbox,
            watchers,
            debounce,
            timer: None,
            flight: None,
            retry: None,
            first: Some(first),
            loaded: false,
            stopped: false,
            ended: None,
        };
        driver.publish_status();
        driver
    }

    /// Runs until every source is closed; for ever where there is nothing that could close.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.poll_watchers(cx);
            self.drain();
            if self.poll_flight(cx) {
                continue;
            }
            if self.flight.is_none() && self.due() {
                self.update();
                continue;
            }
            if self.flight.is_none() && self.all_closed() {
                return Poll::Ready(());
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
        self.poll(cx).is_ready() || self.loaded && self.flight.is_none()
    }

    /// Keeps something that is dropped when the driver is.
    pub(crate) fn hold(&mut self, ended: super::Ended) {
        self.ended = Some(ended);
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
        if self.debounce.deadline().is_some() || self.retry.is_some() {
            consumed |= self.debounce.deadline().is_some();
            self.update();
            std::future::poll_fn(|cx| match self.flight.is_none() || self.poll_flight(cx) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
        }
        consumed
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
                self.retry = None;
                self.debounce.observed(Instant::now());
            }
        }
        if health {
            self.publish_status();
        }
        news
    }

    /// Whether an update is due now.
    fn due(&mut self) -> bool {
        let now = Instant::now();
        if !self.loaded {
            return self.core.waiting().is_empty();
        }
        if self.retry.is_some_and(|(at, _)| at <= now) {
            return true;
        }
        let Some(deadline) = self.debounce.deadline() else {
            return false;
        };
        let quiet = deadline <= now && !self.unsettled.contains(&true);
        quiet || self.debounce.overdue(now) || self.all_closed()
    }

    fn all_closed(&self) -> bool {
        self.loaded && !self.watchers.is_empty() && self.watchers.iter().all(Option::is_none)
    }

    fn update(&mut self) {
        self.debounce.clear();
        self.loaded = true;
        match self.core.update() {
            Step::Settled => {
                self.retry = None;
                self.outcome();
            }
            Step::Run(request) => {
                let proposed = Arc::clone(&request.current);
                let stages = self.plan.stages.clone();
                self.flight = Some((proposed, pipeline::run(stages, request)));
            }
        }
    }

    /// Polls the pipeline; answers whether it has answered.
    fn poll_flight(&mut self, cx: &mut Context<'_>) -> bool {
        let Some((_, answer)) = &mut self.flight else {
            return false;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        let answer: Result<Request<C>, BoxError> = match polled {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(answer)) => answer,
            Err(panic) => Err(format!("it panicked: {}", panic_text(&*panic)).into()),
        };
        let Some((proposed, _)) = self.flight.take() else {
            return false;
        };
        let vetoed = answer.is_err();
        match self.core.answered(&proposed, answer) {
            Ok(snapshot) => {
                self.retry = None;
                self.shared.publish(snapshot);
            }
            Err(()) if vetoed => {
                let attempt = self.retry.map_or(0, |(_, attempt)| attempt + 1);
                let wait = RETRY_BASE
                    .saturating_mul(1 << attempt.min(10))
                    .min(RETRY_CAP);
                self.retry = Some((Instant::now() + wait, attempt));
            }
            Err(()) => self.retry = None,
        }
        self.outcome();
        true
    }

    /// Publishes the status, and tells whoever started the capacitor.
    fn outcome(&mut self) {
        self.publish_status();
        if let Some(first) = self.first.take() {
            let outcome = match (self.core.state(), self.core.error()) {
                (State::Empty, Some(report)) => Err(Error::Refused(report.clone())),
                _ => Ok(()),
            };
            // Nobody may be waiting any more.
            let _ = first.send(outcome);
        }
    }

    fn publish_status(&self) {
        self.shared.status.store(Arc::new(self.core.status(true)));
    }

    /// Polls the timer of the next thing that is due by time; answers whether it fired.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let retry = self.retry.map(|(at, _)| at);
        let debounce = match self.flight {
            Some(_) => None,
            None => self.debounce.deadline_while(self.unsettled.contains(&true)),
        };
        let Some(at) = debounce
            .into_iter()
            .chain(retry.filter(|_| self.flight.is_none()))
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

    /// Ends it: the status says so and the user's callback runs, once.
    pub(crate) fn stop(&mut self) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.watchers.clear();
        self.flight = None;
        self.shared.status.store(Arc::new(self.core.status(false)));
        let state = self.core.state();
        observe::stopped(&self.core.name, state);
        if let Some(on_stop) = &self.plan.on_stop
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| on_stop(state)))
        {
            tracing::error!(target: "flux", capacitor = self.core.name, "on_stop panicked: {}", panic_text(&*panic));
        }
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
