//! An update in the pipeline, in the group and on probation: the driver's part between a proposal and what is told of it.

use super::{
    driver::Driver, generations::GenerationOutcome, probation::Probation, retry::Aim, state::State,
};
use crate::{
    Config, Error, Snapshot,
    change::{Contribution, Verdict},
    observe,
    pipeline::{Answer, Applied, BoxError, Request},
    rules::panic_text,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{sync::oneshot, time::Instant};
use tower_service::Service;
use tracing::Span;

type Reply = oneshot::Sender<Result<u64, Error>>;

/// An update under way.
pub(super) struct Flight<C> {
    phase: Phase<C>,
    span: Span,
    aim: Aim,
    /// Who rolls back by hand.
    reply: Option<Reply>,
}

enum Phase<C> {
    /// The pipeline works on it.
    Asked(Answer<Applied<C>>),
    /// It is ready, and the rest of its group is not.
    Waiting(Arc<Snapshot<C>>),
}

impl<C: Config> Driver<C> {
    /// Hands a request to the pipeline.
    pub(super) fn ask(&mut self, request: Request<C>, back: Option<(Aim, Option<Reply>)>) {
        let span = observe::update_span(&self.core.name, request.correlation_id());
        let answer = span.in_scope(|| self.service.call(request));
        let (aim, reply) = back.unwrap_or((Aim::Newest, None));
        self.flight = Some(Flight {
            phase: Phase::Asked(answer),
            span,
            aim,
            reply,
        });
    }

    /// Polls the update under way; answers whether something came of it.
    pub(super) fn poll_flight(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(flight) = &mut self.flight else {
            return self.poll_veto(cx);
        };
        let span = flight.span.clone();
        let _entered = span.enter();
        match &mut flight.phase {
            Phase::Asked(answer) => {
                let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
                let answer = match polled {
                    Ok(Poll::Pending) => return false,
                    Ok(Poll::Ready(answer)) => answer,
                    Err(panic) => Err(BoxError::from(format!(
                        "the pipeline panicked: {}",
                        panic_text(&*panic)
                    ))),
                };
                self.answered(answer);
            }
            Phase::Waiting(snapshot) => {
                let snapshot = Arc::clone(snapshot);
                let verdict = self.member.as_ref().map(|member| member.poll(cx));
                match verdict {
                    Some(Poll::Pending) | None => return false,
                    Some(Poll::Ready(verdict)) => self.judged(&snapshot, &verdict),
                }
            }
        }
        true
    }

    /// A member that was vetoed may propose again.
    fn poll_veto(&mut self, cx: &mut Context<'_>) -> bool {
        let again = self
            .member
            .as_ref()
            .is_some_and(|member| matches!(member.poll(cx), Poll::Ready(Verdict::Again)));
        if again {
            self.update();
        }
        again
    }

    fn answered(&mut self, answer: Result<Applied<C>, BoxError>) {
        let applied = match self.core.answered(answer) {
            Ok(applied) => applied,
            Err(may_pass) => return self.refused(may_pass),
        };
        let snapshot = Arc::clone(&applied.request.current);
        let transaction = applied.transaction;
        let Some(member) = &self.member else {
            self.shared.publish(Arc::clone(&snapshot));
            transaction.commit();
            return self.committed(&snapshot);
        };
        if let Some(flight) = &mut self.flight {
            flight.phase = Phase::Waiting(Arc::clone(&snapshot));
        }
        let shared = Arc::clone(&self.shared);
        member.ready(Contribution {
            swap: Box::new(move || shared.publish(snapshot)),
            commit: Box::new(move || transaction.commit()),
        });
    }

    fn judged(&mut self, snapshot: &Arc<Snapshot<C>>, verdict: &Verdict) {
        match verdict {
            Verdict::Swapped => self.committed(snapshot),
            Verdict::Vetoed(by) => {
                self.core.vetoed(by);
                self.flight = None;
                self.outcome();
            }
            Verdict::Again => {}
        }
    }

    fn committed(&mut self, snapshot: &Arc<Snapshot<C>>) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        let first = self.core.state() == State::Loading;
        self.core.committed(snapshot);
        self.retry.clear();
        self.probation = None;
        let number = Snapshot::generation(snapshot);
        if flight.aim == Aim::Newest
            && !first
            && let Some(window) = self.plan.probation
            && self.core.generations.good_before(number).is_some()
        {
            let check = self.plan.health_check.clone();
            self.core
                .generations
                .mark(number, GenerationOutcome::OnProbation);
            self.probation = Some(Probation::new(Arc::clone(snapshot), window, check));
        } else {
            self.save();
        }
        self.stand();
        self.outcome();
        if let Some(reply) = flight.reply {
            let _ = reply.send(Ok(number));
        }
    }

    fn refused(&mut self, may_pass: bool) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        match (may_pass, flight.reply) {
            (_, Some(reply)) => {
                let refused = self
                    .core
                    .error()
                    .map(|report| Error::Refused(report.clone()));
                let _ = reply.send(Err(refused.unwrap_or_else(|| Error::Stopped {
                    name: self.core.name.clone(),
                })));
            }
            (true, None) => self.retry.failed(Instant::now(), flight.aim),
            (false, None) => self.retry.clear(),
        }
        self.stand();
        self.outcome();
    }

    /// Tells the group how it stands.
    pub(super) fn stand(&self) {
        if let Some(member) = &self.member {
            if self.debounce.deadline().is_some() {
                member.busy();
                return;
            }
            match self.core.error() {
                None => member.idle(),
                Some(_) => member.refused(),
            }
        }
    }

    /// Newer content has come: what waits for the group is taken back, unless it was swapped just now.
    pub(super) fn tell_group_of_news(&mut self) {
        let Some(member) = &self.member else { return };
        let unread = member.busy();
        let waiting = match &self.flight {
            Some(Flight {
                phase: Phase::Waiting(snapshot),
                ..
            }) => Arc::clone(snapshot),
            _ => return,
        };
        if unread == Some(Verdict::Swapped) {
            self.committed(&waiting);
            if let Some(member) = &self.member {
                member.busy();
            }
        } else {
            self.flight = None;
            self.core.withdraw();
        }
    }

    /// Publishes what subscribers want to know.
    pub(super) fn tell(&self) {
        let current = self.shared.handle.get().load();
        let error = self.core.error();
        self.shared.told.send_if_modified(|told| {
            let applied = current.is_some_and(|snapshot| told.applied(snapshot));
            if let Some(report) = error {
                told.refused(report.clone());
            }
            applied || error.is_some()
        });
    }

    /// Polls the probation; answers whether it ended.
    pub(super) fn poll_probation(&mut self, cx: &mut Context<'_>) -> bool {
        if self.flight.is_some() || self.retry.at().is_some() {
            return false;
        }
        let Some(probation) = &mut self.probation else {
            return false;
        };
        match probation.poll(cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) => {
                let number = Snapshot::generation(&probation.snapshot);
                self.probation = None;
                self.core
                    .generations
                    .mark(number, GenerationOutcome::Applied);
                self.save();
                self.publish_status();
            }
            Poll::Ready(Err(reason)) => self.unhealthy(&reason),
        }
        true
    }

    /// Takes the configuration on probation back.
    pub(super) fn unhealthy(&mut self, reason: &str) {
        if self.probation.take().is_some()
            && let Some(to) = self.core.generations.good_before(self.core.generation())
        {
            self.plan.tape.unhealthy(reason);
            self.go_back(to, reason, None);
        }
    }

    /// By hand.
    pub(super) fn roll_back(&mut self, wanted: Option<u64>, reply: Reply) {
        let now = self.core.generation();
        let to = wanted.or_else(|| self.core.generations.good_before(now));
        match to.filter(|to| *to != now && self.core.generations.find(*to).is_some()) {
            Some(to) => self.go_back(to, "rolled back by hand", Some(reply)),
            None => {
                let kept = self.core.generations.records();
                let error = Error::NoSuchGeneration {
                    name: self.core.name.clone(),
                    wanted,
                    kept: kept.iter().map(|one| one.number).collect(),
                };
                let _ = reply.send(Err(error));
            }
        }
    }

    pub(super) fn go_back(&mut self, to: u64, reason: &str, reply: Option<Reply>) {
        let aim = Aim::Back(to, reason.to_owned());
        match self.core.go_back(to, reason) {
            Some(request) => self.ask(request, Some((aim, reply))),
            None => self.retry.clear(),
        }
    }
}
