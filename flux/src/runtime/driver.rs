//! The task of a capacitor: polls the watchers, the timer, the pipeline and the program's orders, and performs what the engine decides.

use super::{
    clock::now,
    error::Error,
    inside::inside,
    instance::Instance,
    listeners::Listeners,
    order::{Command, Commands, Reply},
    plan::{BoxedTask, Plan},
    run::{Phase, PipelineRun},
};
use crate::{
    change::{GroupVerdict, Member, Transaction},
    engine::{
        Action, AnySnapshot, Denial, Due, Engine, Layers, Passed, Question, TrialStep, discard,
    },
    observe,
    pipeline::{Answer, AnyApplied, AnyPipeline, BoxError, guarded, into_denial},
    problem::{panic_text, printed},
    source::mailbox::Inbox,
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
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

/// The outcome of the first update, for whoever started it.
type First = oneshot::Sender<Result<(), Error>>;

/// How long a task rests in which something panicked that nothing else caught.
const REST: Duration = Duration::from_secs(1);

pub(crate) struct Driver {
    plan: Arc<Plan>,
    instance: Arc<Instance>,
    engine: Engine,
    listeners: Listeners,
    inbox: Arc<Inbox>,
    watchers: Vec<Option<BoxedTask>>,
    changed: BoxedTask,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    pipeline: Option<Box<dyn AnyPipeline>>,
    run: Option<PipelineRun>,
    member: Option<Member>,
    /// The health check that is running.
    check: Option<Answer<()>>,
    commands: Commands,
    first: Option<First>,
    /// When the update under way was taken up.
    began: Option<Instant>,
    resting: Option<Pin<Box<Sleep>>>,
    stopped: bool,
}

impl Driver {
    /// Ready to run; nothing is watched before the first poll.
    pub(super) fn new(
        plan: Arc<Plan>,
        instance: Arc<Instance>,
        first: First,
        commands: Commands,
    ) -> Self {
        let inbox = Inbox::new(plan.layers.len());
        let (states, watchers) = plan.layers(&inbox);
        let layers = Layers::new(plan.schema, states, plan.unknown, plan.reducer.clone());
        let (current, count) = (instance.outlet.load(), instance.count());
        let engine = Engine::new(plan.settings(), layers, current, count, now());
        observe::started(&plan.name, plan.debounce);
        let driver = Driver {
            listeners: Listeners::new(&instance, &plan),
            changed: changed(&inbox),
            pipeline: plan.pipeline.as_ref().map(|parts| parts.pipeline()),
            member: plan.group.as_ref().map(|group| group.join(&plan.name)),
            plan,
            instance,
            engine,
            inbox,
            watchers,
            timer: None,
            run: None,
            check: None,
            commands,
            first: Some(first),
            began: None,
            resting: None,
            stopped: false,
        };
        let (plan, engine) = (&driver.plan, &driver.engine);
        if let Some(recorder) = &plan.recorder {
            recorder.begin(plan.schema, &plan.layers, engine.generation());
        }
        for state in &engine.layers.states {
            if let Some(at) = state.changed {
                observe::metrics::layer_changed(engine.name(), &state.origin, at);
            }
        }
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
        let panic = match catch_unwind(AssertUnwindSafe(|| self.go_on(cx))) {
            Ok(polled) => return polled,
            Err(panic) => panic,
        };
        let text = panic_text(&*panic);
        observe::panicked(self.engine.name(), "the capacitor's task", text);
        self.run = None;
        let action = self.engine.panicked(text, now());
        self.perform(action, Span::none(), None);
        let mut rest = Box::pin(sleep(REST));
        let polled = rest.as_mut().poll(cx);
        self.resting = Some(rest);
        polled
    }

    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.poll_watchers(cx);
            self.drain();
            if self.poll_run(cx) || self.poll_commands(cx) || self.poll_trial(cx) {
                continue;
            }
            // Pending means that a write is under way; it wakes this task.
            let _ = self.poll_saver(cx);
            if self.run.is_none() {
                let closed = self.all_closed();
                match self.engine.due(Instant::now().into_std(), closed) {
                    Due::Nothing if closed => return Poll::Ready(()),
                    Due::Nothing => {}
                    due => {
                        self.pursue(due);
                        // Before any watcher is asked again: most pipelines answer at once.
                        self.poll_run(cx);
                        continue;
                    }
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
    pub(super) fn poll_until_loaded(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll(cx).is_ready() || self.first.is_none()
    }

    /// Takes up what is pending at once, without timers; answers whether there was anything.
    pub(super) async fn process(&mut self) -> bool {
        let mut consumed = false;
        poll_fn(|cx| {
            self.poll_watchers(cx);
            consumed |= self.drain();
            Poll::Ready(())
        })
        .await;
        let news = self.engine.has_news();
        consumed |= news;
        match self.engine.wanted_back() {
            Due::Nothing => {}
            back => {
                self.pursue(back);
                self.land().await;
            }
        }
        if news || self.engine.wants_newest() {
            self.update();
            self.land().await;
        }
        self.obey().await;
        consumed
    }

    /// Manual mode: carries out what was ordered, and looks after a trial, as far as it can be done now.
    pub(super) async fn obey(&mut self) {
        loop {
            let again = poll_fn(|cx| Poll::Ready(self.poll_commands(cx) || self.poll_trial(cx)));
            if !again.await {
                return poll_fn(|cx| self.poll_saver(cx)).await;
            }
            self.land().await;
        }
    }

    /// Manual mode: until the pipeline has answered, and the group where it can decide now.
    async fn land(&mut self) {
        poll_fn(|cx| {
            while self.run.is_some() {
                if !self.poll_run(cx) {
                    return match self.is_ready() {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    };
                }
            }
            Poll::Ready(())
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

    /// Hands what the sources reported to the engine.
    fn drain(&mut self) -> bool {
        let mut news = false;
        for item in self.inbox.take() {
            if let Some(recorder) = &self.plan.recorder {
                recorder.heard(&item);
            }
            if let Some(health) = item.health {
                self.engine.health(item.layer, health);
            }
            let state = &mut self.engine.layers.states[item.layer];
            (state.unsettled, state.received) = (item.unsettled, item.received);
            if let Some(observation) = item.observation {
                news |= self.engine.observe(item.layer, observation, now());
            }
            self.engine.layers.states[item.layer].closed();
        }
        self.listeners.tell(&mut self.engine);
        if news {
            self.tell_group_of_news();
        }
        news
    }

    fn pursue(&mut self, due: Due) {
        match due {
            Due::Nothing => {}
            Due::Newest => self.update(),
            Due::Back(to, reason) => {
                let action = self.engine.go_back(to, &reason, false, now());
                self.perform_anew(action, None);
            }
            Due::Fallback => {
                if self.fall_back() {
                    self.update();
                }
            }
        }
    }

    fn all_closed(&self) -> bool {
        let ended = self.watchers.iter().all(Option::is_none);
        self.engine.loaded() && !self.watchers.is_empty() && ended
    }

    fn update(&mut self) {
        self.began = Some(Instant::now());
        let span = observe::update_span(self.engine.name(), self.engine.update_id() + 1);
        let entered = span.clone().entered();
        let action = self.engine.take_up(now());
        let refused = matches!(action, Action::Settled) && self.engine.generation() == 0;
        if refused && self.fall_back() {
            self.listeners.tell(&mut self.engine);
            drop(entered);
            return self.update();
        }
        self.perform(action, span, None);
    }

    /// Performs what an order or a way back asks for, in a span of its own.
    fn perform_anew(&mut self, action: Action, reply: Option<Reply>) {
        let span = match action {
            Action::Ask(_) | Action::Swap { .. } => {
                observe::update_span(self.engine.name(), self.engine.update_id())
            }
            _ => Span::none(),
        };
        let entered = span.clone().entered();
        self.perform(action, span, reply);
        drop(entered);
    }

    fn perform(&mut self, action: Action, span: Span, reply: Option<Reply>) {
        self.listeners.tell(&mut self.engine);
        match action {
            Action::Nothing => {}
            Action::Ask(question) => self.ask(question, span, reply),
            Action::Swap { snapshot, alone } => {
                self.swap(snapshot, Transaction::default(), alone, span, reply);
            }
            Action::Settled => {
                self.tell_group();
                self.settled(reply);
            }
            Action::Denied(report) => {
                if let Some(reply) = reply {
                    // Whoever asked may have gone.
                    let _ = reply.send(Err(Error::Refused(report)));
                }
            }
        }
    }

    /// Hands a question to the pipeline.
    fn ask(&mut self, question: Question, span: Span, reply: Option<Reply>) {
        let name = Arc::from(self.engine.name());
        let (pipeline, number) = (&mut self.pipeline, self.instance.number());
        let begin = || pipeline.as_mut().map(|one| one.call(question, name));
        let answer = inside(number, || catch_unwind(AssertUnwindSafe(begin)));
        let answer = answer.unwrap_or_else(|panic| {
            let text = format!("the pipeline panicked: {}", panic_text(&*panic));
            Some(Box::pin(std::future::ready(Err(BoxError::from(text)))))
        });
        self.run = Some(PipelineRun::new(Phase::Asked(answer), span, reply));
    }

    /// Polls the update under way; answers whether something came of it.
    fn poll_run(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(run) = &mut self.run else {
            return self.poll_veto(cx);
        };
        let _entered = run.span.clone().entered();
        match &mut run.phase {
            Phase::Asked(answer) => {
                let number = self.instance.number();
                let poll = || answer.as_mut().map(|answer| answer.as_mut().poll(cx));
                let polled = inside(number, || catch_unwind(AssertUnwindSafe(poll)));
                let answer = match polled {
                    Ok(Some(Poll::Pending)) => {
                        self.show_run();
                        return false;
                    }
                    Ok(Some(Poll::Ready(answer))) => answer,
                    Ok(None) => Err("there is no pipeline".into()),
                    Err(panic) => Err(BoxError::from(format!(
                        "the pipeline panicked: {}",
                        panic_text(&*panic)
                    ))),
                };
                self.answered(answer);
            }
            Phase::Ready { .. } => match self.member.as_ref().map(|member| member.poll(cx)) {
                Some(Poll::Pending) | None => {
                    self.show_run();
                    return false;
                }
                Some(Poll::Ready(verdict)) => self.judged(&verdict),
            },
        }
        true
    }

    /// An update that is waited for shows in the status.
    fn show_run(&mut self) {
        let Some(run) = &mut self.run else { return };
        if !std::mem::replace(&mut run.shown, true) {
            self.publish_status();
        }
    }

    /// A member that was vetoed may propose again.
    fn poll_veto(&mut self, cx: &mut Context<'_>) -> bool {
        let again = self
            .member
            .as_ref()
            .is_some_and(|member| matches!(member.poll(cx), Poll::Ready(GroupVerdict::Again)));
        if again {
            self.update();
        }
        again
    }

    fn answered(&mut self, answer: Result<AnyApplied, BoxError>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        let (span, reply) = (run.span.clone(), run.reply.take());
        drop(run);
        let (passed, transaction): (Result<Passed, Denial>, _) = match answer {
            Ok(applied) => (Ok(applied.passed), applied.transaction),
            Err(error) => (Err(into_denial(error)), Transaction::default()),
        };
        match self.engine.answered(passed, now()) {
            Action::Swap { snapshot, alone } => {
                self.swap(snapshot, transaction, alone, span, reply);
            }
            action => {
                // What was prepared is rolled back before anybody hears of it.
                inside(self.instance.number(), || drop(transaction));
                self.perform(action, span, reply);
            }
        }
    }

    /// Lets readers see a configuration, at once or together with the group.
    fn swap(
        &mut self,
        snapshot: AnySnapshot,
        transaction: Transaction,
        alone: bool,
        span: Span,
        reply: Option<Reply>,
    ) {
        // A way back waits for nobody: it is each member's own.
        if self.member.is_none() || alone {
            let before = self.instance.outlet.publish(&snapshot);
            self.committed(&snapshot, transaction, reply);
            drop(before);
            return;
        }
        let phase = Phase::Ready {
            snapshot,
            transaction,
        };
        self.run = Some(PipelineRun::new(phase, span, reply));
        self.offer();
    }

    /// Tells the group that what is ready may be swapped.
    fn offer(&self) {
        let run = self.run.as_ref().map(|run| &run.phase);
        if let (Some(Phase::Ready { snapshot, .. }), Some(member)) = (run, &self.member) {
            let (instance, ready) = (Arc::clone(&self.instance), snapshot.clone());
            member.ready(Box::new(move || instance.outlet.publish(&ready)));
        }
    }

    fn judged(&mut self, verdict: &GroupVerdict) {
        match verdict {
            GroupVerdict::Swapped => {
                self.taken_with_the_group();
            }
            GroupVerdict::Vetoed(by) => {
                self.run = None;
                self.engine.vetoed(by, now());
                self.listeners.tell(&mut self.engine);
                // The group knows how it fares.
                self.settled(None);
            }
            // Another one was refused and is good again before this one has heard of it.
            GroupVerdict::Again => self.offer(),
        }
    }

    /// The group has swapped what was ready.
    fn taken_with_the_group(&mut self) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        let reply = run.reply.take();
        let phase = std::mem::replace(&mut run.phase, Phase::Asked(None));
        if let Phase::Ready {
            snapshot,
            transaction,
        } = phase
        {
            self.committed(&snapshot, transaction, reply);
        }
    }

    /// Readers see a configuration: the parties take it up, and everybody hears of it.
    fn committed(
        &mut self,
        snapshot: &AnySnapshot,
        transaction: Transaction,
        reply: Option<Reply>,
    ) {
        inside(self.instance.number(), || transaction.commit());
        let action = self.engine.swapped(snapshot, now());
        self.instance.keep_count(self.engine.last_generation());
        discard(self.check.take());
        self.perform(action, Span::none(), reply);
    }

    /// An update is over.
    fn settled(&mut self, reply: Option<Reply>) {
        if let Some(began) = self.began.take() {
            observe::metrics::took(self.engine.name(), began.elapsed());
        }
        self.listeners.settled(&self.engine);
        let before = self
            .instance
            .tell(self.engine.current(), self.engine.error());
        drop(before);
        if let Some(first) = self.first.take() {
            let outcome = match self.engine.failed_to_start() {
                Some(report) => Err(Error::Refused(report.clone())),
                None => Ok(()),
            };
            // Nobody may be waiting any more.
            let _ = first.send(outcome);
        }
        if let Some(reply) = reply {
            // Whoever asked may have gone.
            let _ = reply.send(Ok(self.engine.generation()));
        }
    }

    /// Tells the group how it fares.
    fn tell_group(&self) {
        let Some(member) = &self.member else { return };
        match (self.engine.has_news(), self.engine.error()) {
            (true, _) => drop(member.busy()),
            (false, None) => member.idle(),
            (false, Some(_)) => member.refused(),
        }
    }

    /// Newer content has come: what waits for the group is taken back, unless it was swapped just now.
    fn tell_group_of_news(&mut self) {
        if !self.swapped_meanwhile() && self.is_ready() {
            self.run = None;
            self.engine.withdraw();
        }
        if let Some(member) = &self.member {
            member.busy();
        }
    }

    /// Leaves what waits for the group in the group, unless that has swapped it already. Answers whether it has.
    fn swapped_meanwhile(&mut self) -> bool {
        let swapped = self.is_ready()
            && self.member.as_ref().and_then(Member::busy) == Some(GroupVerdict::Swapped);
        if swapped {
            self.taken_with_the_group();
        }
        swapped
    }

    fn is_ready(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| matches!(run.phase, Phase::Ready { .. }))
    }

    /// Carries out one order; answers whether there was one.
    fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        if self.run.is_some() {
            return false;
        }
        let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) else {
            return false;
        };
        if let Some(recorder) = &self.plan.recorder {
            recorder.command(&command);
        }
        match command {
            Command::Unhealthy { generation, reason } => {
                if self.engine.generation() == generation {
                    self.unhealthy(&reason);
                }
            }
            Command::Rollback { to, reply } => match self.engine.roll_back(to, now()) {
                Ok(action) => self.perform_anew(action, Some(reply)),
                Err(kept) => {
                    let error = Error::NoSuchGeneration {
                        name: self.engine.name().to_owned(),
                        wanted: to,
                        kept,
                    };
                    let _ = reply.send(Err(error));
                }
            },
            Command::Pin(pinned, reply) => {
                let newest = self.engine.pin(pinned);
                self.listeners.tell(&mut self.engine);
                if newest {
                    self.update();
                }
                let _ = reply.send(());
            }
        }
        true
    }

    /// Looks after the configuration on trial; answers whether there was anything to do.
    fn poll_trial(&mut self, cx: &mut Context<'_>) -> bool {
        if self.run.is_some() || !self.engine.has_trial() {
            return false;
        }
        let at = Instant::now().into_std();
        let step = match &mut self.check {
            None => self.engine.trial(at),
            Some(check) => match check.as_mut().poll(cx) {
                Poll::Pending => self.engine.trial(at),
                Poll::Ready(answer) => {
                    discard(self.check.take());
                    let answer = answer.map_err(|error| printed(&error));
                    let step = self.engine.health_checked(answer, at);
                    if step == TrialStep::Wait {
                        return true;
                    }
                    step
                }
            },
        };
        match step {
            TrialStep::Wait => return false,
            TrialStep::Passed => self.listeners.tell(&mut self.engine),
            TrialStep::Failed(reason) => self.unhealthy(&reason),
            TrialStep::Check => {
                let check = self.plan.health_check.clone();
                self.check = check
                    .zip(self.engine.current().cloned())
                    .map(|(check, now)| {
                        let begin = move || check(now);
                        Box::pin(guarded(begin, "it")) as Answer<()>
                    });
            }
        }
        true
    }

    /// Takes the configuration on trial back.
    fn unhealthy(&mut self, reason: &str) {
        discard(self.check.take());
        let action = self.engine.unhealthy(reason, now());
        self.perform_anew(action, None);
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
        let Some(at) = due.into_iter().chain(slow).min() else {
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
            if let Some(lasts) = self.run.as_mut().and_then(PipelineRun::is_slow) {
                observe::slow(self.engine.name(), self.engine.update_id(), lasts);
            }
        }
        fired
    }

    /// Ends it in good order: what is to be kept is on disk.
    pub(super) async fn end(&mut self) {
        self.swapped_meanwhile();
        if let Some(recorder) = &self.plan.recorder {
            recorder.end();
        }
        poll_fn(|cx| self.poll_saver(cx)).await;
        self.stop();
    }

    /// Ends it: the status says so and the program's callback runs, once.
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
        self.listeners.tell(&mut self.engine);
        self.instance
            .status
            .store(Arc::new(self.engine.status(false)));
        let state = self.engine.state();
        observe::stopped(self.engine.name(), state);
        if let Some(on_stop) = &self.plan.on_stop
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| on_stop(state)))
        {
            observe::panicked(self.engine.name(), "on_stop", panic_text(&*panic));
        }
        self.instance.told.send_modify(|told| told.ended(true));
        if let Some(first) = self.first.take() {
            let _ = first.send(Err(self.instance.not_running()));
        }
    }

    /// Fills layers of which nothing could be read from what is kept on disk; tried once.
    #[cfg(feature = "json")]
    fn fall_back(&mut self) -> bool {
        let wanted = self.engine.fallback_tried();
        let keep = self.listeners.keeper.keep.as_ref().filter(|_| wanted);
        keep.is_some_and(|keep| super::fallback_start::fill(&mut self.engine, keep))
    }

    #[cfg(not(feature = "json"))]
    fn fall_back(&mut self) -> bool {
        false
    }

    #[cfg(feature = "json")]
    fn poll_saver(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.listeners.keeper.poll(self.engine.name(), cx)
    }

    #[cfg(not(feature = "json"))]
    fn poll_saver(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// The runtime may drop the task without a stop.
impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

fn changed(inbox: &Arc<Inbox>) -> BoxedTask {
    let inbox = Arc::clone(inbox);
    Box::pin(async move { inbox.changed().await })
}
