//! Performs an update: records it where it is on trial, asks the pipeline, swaps what has passed, and reports the outcome.

use super::Driver;
use crate::{
    change::Transaction,
    engine::{Action, AnySnapshot, Denial, Now, Passed, Question, discard},
    observe,
    pipeline::{AnyApplied, BoxError, into_denial},
    problem::caught,
    runtime::{
        clock::now,
        error::Error,
        inside::inside,
        order::Reply,
        run::{Phase, PipelineRun},
    },
};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tracing::Span;

impl Driver {
    /// Takes up what is pending; where that is not trusted, its record is on the disk before it is read.
    pub(super) fn update(&mut self) {
        let now = now();
        self.began = Some(Instant::from_std(now.instant));
        // New content on trial is read for its values, beside what it is compared with.
        let is_read = self.engine.trials().is_some() && self.is_long_to_compare();
        let is_recorded = match is_read {
            true => self.away(|driver| driver.record_reading(now)),
            false => self.record_reading(now),
        };
        match is_recorded {
            true => {
                self.record_trial();
                let began = Instant::now();
                self.run = Some(PipelineRun::new(Phase::Reading, Span::none(), None, began));
            }
            false => self.take_up(now),
        }
    }

    /// Whether what is pending is recorded, with the paths in which it differs, before it is read.
    fn record_reading(&mut self, now: Now) -> bool {
        let is_recorded = self.engine.record_reading(now);
        if is_recorded {
            self.describe_reading();
        }
        is_recorded
    }

    fn take_up(&mut self, now: Now) {
        let span = observe::update_span(self.engine.name(), self.engine.update_id() + 1);
        let entered = span.clone().entered();
        let action = match self.is_long() {
            true => self.away(|driver| driver.engine.take_up(now)),
            false => self.engine.take_up(now),
        };
        let refused = matches!(action, Action::Settled) && self.engine.generation() == 0;
        if refused && self.fall_back().is_some() {
            self.listeners.notify(&mut self.engine);
            drop(entered);
            return self.take_up(self::now());
        }
        self.perform(action, span, None);
    }

    /// Performs what an order or a way back asks for, in a span of its own.
    pub(super) fn perform_anew(&mut self, action: Action, reply: Option<Reply>) {
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

    pub(super) fn perform(&mut self, action: Action, span: Span, reply: Option<Reply>) {
        self.notify();
        match action {
            Action::Nothing => {}
            Action::Record => {
                self.describe_trial();
                let began = self.began.unwrap_or_else(Instant::now);
                self.run = Some(PipelineRun::new(Phase::Recording, span, reply, began));
            }
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
                    // The caller may have gone.
                    let _ = reply.send(Err(Error::Refused(report)));
                }
            }
        }
    }

    /// Hands a question to the pipeline.
    fn ask(&mut self, question: Question, span: Span, reply: Option<Reply>) {
        let (pipeline, number) = (&mut self.pipeline, self.instance.number());
        let begin = || pipeline.as_mut().map(|one| one.call(question));
        let answer = inside(number, || caught(begin));
        let answer = answer.unwrap_or_else(|panic| {
            let text = format!("the pipeline panicked: {panic}");
            Some(Box::pin(std::future::ready(Err(BoxError::from(text)))))
        });
        let began = self.began.unwrap_or_else(Instant::now);
        self.run = Some(PipelineRun::new(Phase::Asked(answer), span, reply, began));
    }

    /// Polls the update under way; answers whether something came of it.
    pub(super) fn poll_run(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(run) = &mut self.run else {
            return self.poll_veto(cx);
        };
        let _entered = run.span.clone().entered();
        match &mut run.phase {
            Phase::Reading => {
                if self.poll_saver(cx).is_pending() {
                    self.show_run();
                    return false;
                }
                self.run = None;
                // What has come meanwhile follows.
                self.mailbox.release();
                self.update();
            }
            Phase::Recording => {
                if self.poll_saver(cx).is_pending() {
                    self.show_run();
                    return false;
                }
                let Some(mut run) = self.run.take() else {
                    return false;
                };
                let action = self.engine.recorded();
                let (span, reply) = (run.span.clone(), run.reply.take());
                self.perform(action, span, reply);
            }
            Phase::Asked(answer) => {
                let number = self.instance.number();
                let poll = || answer.as_mut().map(|answer| answer.as_mut().poll(cx));
                let polled = inside(number, || caught(poll));
                let answer = match polled {
                    Ok(Some(Poll::Pending)) => {
                        self.show_run();
                        return false;
                    }
                    Ok(Some(Poll::Ready(answer))) => answer,
                    Ok(None) => Err("there is no pipeline".into()),
                    Err(panic) => Err(BoxError::from(format!("the pipeline panicked: {panic}"))),
                };
                self.answered(answer);
            }
            Phase::Rehearsing(rehearsal) => {
                let number = self.instance.number();
                let poll = || rehearsal.as_mut().map(|one| one.as_mut().poll(cx));
                if let Ok(Some(Poll::Pending)) = inside(number, || caught(poll)) {
                    self.show_run();
                    return false;
                }
                let run = self.run.take();
                inside(number, || drop(run));
                self.publish_status();
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
        match self.long(|driver| driver.engine.answered(passed, now())) {
            Action::Swap { snapshot, alone } => {
                self.swap(snapshot, transaction, alone, span, reply);
            }
            action => {
                // What was prepared is rolled back before any listener is notified.
                inside(self.instance.number(), || drop(transaction));
                let refused = matches!(action, Action::Settled) && self.engine.generation() == 0;
                let kept = refused.then(|| self.fall_back_from_denied()).flatten();
                self.perform(kept.unwrap_or(action), span, reply);
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
        // A way back does not wait for the group: it is each member's own.
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
        self.run = Some(PipelineRun::new(phase, span, reply, Instant::now()));
        self.offer();
    }

    /// Readers see a configuration: the parties take it up, and every listener is notified.
    pub(super) fn committed(
        &mut self,
        snapshot: &AnySnapshot,
        transaction: Transaction,
        reply: Option<Reply>,
    ) {
        inside(self.instance.number(), || transaction.commit());
        let action = self.long(|driver| driver.engine.swapped(snapshot, now()));
        self.instance.keep_count(self.engine.last_generation());
        discard(self.check.take());
        self.perform(action, Span::none(), reply);
    }

    /// An update is over.
    pub(super) fn settled(&mut self, reply: Option<Reply>) {
        if let Some(began) = self.began.take() {
            observe::metrics::took(self.engine.name(), || began.elapsed());
        }
        self.notify_settled();
        let before = self
            .instance
            .notify(self.engine.current(), self.engine.error());
        drop(before);
        if let Some(first) = self.first.take() {
            let outcome = match self.engine.failed_to_start() {
                Some(report) => Err(Error::Refused(report.clone())),
                None => Ok(()),
            };
            // The caller may have gone.
            let _ = first.send(outcome);
        }
        if let Some(reply) = reply {
            // The caller may have gone.
            let _ = reply.send(Ok(self.engine.generation()));
        }
    }
}
