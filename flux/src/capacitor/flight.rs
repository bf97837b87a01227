//! An update in the pipeline, in the group and on probation: the driver's part between a proposal and what is told of it.

use super::{
    commit::Denied, driver::Driver, generations::GenerationOutcome, probation::Probation,
    retry::Aim,
};
use crate::{
    Config, Error, Snapshot,
    change::{Contribution, Verdict},
    observe,
    pipeline::{Answer, Applied, BoxError, Request},
    problem::panic_text,
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
            Err(denied) => return self.refused(denied),
        };
        let snapshot = Arc::clone(&applied.request.current);
        let transaction = applied.transaction;
        // A way back waits for nobody: it is each member's own.
        let forward = (self.flight.as_ref()).is_some_and(|flight| flight.aim == Aim::Newest);
        let Some(member) = self.member.as_ref().filter(|_| forward) else {
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
        let (first, before) = (!self.core.begun, self.core.generation());
        self.core.committed(snapshot);
        self.shared.keep_count(self.core.last_generation);
        if let (Aim::Newest, Some(Aim::Back(_, reason))) = (&flight.aim, self.retry.back()) {
            self.core.condemn(before, &reason);
        }
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
        }
        if flight.aim != Aim::Newest && self.core.waits() {
            // It was refused before the way back and may succeed after it.
            self.retry.failed(Instant::now(), Aim::Newest);
        }
        self.save();
        self.stand();
        self.outcome();
        if let Some(reply) = flight.reply {
            // Whoever asked may have gone.
            let _ = reply.send(Ok(number));
        }
    }

    fn refused(&mut self, denied: Denied) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        match denied {
            Denied::ByHand(report) => {
                if let Some(reply) = flight.reply {
                    let _ = reply.send(Err(Error::Refused(report)));
                }
                return;
            }
            Denied::Told { may_pass: false } if flight.aim == Aim::Newest => {
                self.retry.clear_newest();
            }
            Denied::Told { .. } => self.retry.failed(Instant::now(), flight.aim),
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
        if !self.swapped_meanwhile() && self.waiting().is_some() {
            self.flight = None;
            self.core.withdraw();
        }
        if let Some(member) = &self.member {
            member.busy();
        }
    }

    /// Leaves what waits for the group in the group, unless that has swapped it already. Answers whether it has.
    pub(super) fn swapped_meanwhile(&mut self) -> bool {
        let (Some(snapshot), Some(member)) = (self.waiting(), &self.member) else {
            return false;
        };
        let swapped = member.busy() == Some(Verdict::Swapped);
        if swapped {
            self.committed(&snapshot);
        }
        swapped
    }

    fn waiting(&self) -> Option<Arc<Snapshot<C>>> {
        match &self.flight.as_ref()?.phase {
            Phase::Waiting(snapshot) => Some(Arc::clone(snapshot)),
            Phase::Asked(_) => None,
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
        if self.flight.is_some() {
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
                self.core.generations.confirm(number);
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
        match self.core.go_back(to, reason, reply.is_some()) {
            Some(request) => self.ask(request, Some((aim, reply))),
            None => self.retry.clear_back(),
        }
    }
}
