//! What a capacitor does as a member of a group: when it offers, waits, swaps together with the others, or withdraws.

use super::Driver;
use crate::{
    change::{GroupVerdict, Member},
    runtime::{clock::now, run::Phase},
};
use std::{
    sync::Arc,
    task::{Context, Poll},
};

impl Driver {
    /// Reports to the group that what is ready may be swapped.
    pub(super) fn offer(&self) {
        let run = self.run.as_ref().map(|run| &run.phase);
        if let (Some(Phase::Ready { snapshot, .. }), Some(member)) = (run, &self.member) {
            let (instance, ready) = (Arc::clone(&self.instance), snapshot.clone());
            member.ready(Box::new(move || instance.outlet.publish(&ready)));
        }
    }

    pub(super) fn judged(&mut self, verdict: &GroupVerdict) {
        match verdict {
            GroupVerdict::Swapped => {
                self.taken_with_the_group();
            }
            GroupVerdict::Vetoed(by) => {
                self.run = None;
                self.engine.vetoed(by, now());
                self.listeners.notify(&mut self.engine);
                // The group knows how it fares.
                self.settled(None);
            }
            // Another one was refused and is good again before this one was notified.
            GroupVerdict::Again => self.offer(),
        }
    }

    /// A member that was vetoed may propose again.
    pub(super) fn poll_veto(&mut self, cx: &mut Context<'_>) -> bool {
        let again = self
            .member
            .as_ref()
            .is_some_and(|member| matches!(member.poll(cx), Poll::Ready(GroupVerdict::Again)));
        if again {
            self.update();
        }
        again
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

    /// Reports its state to the group.
    pub(super) fn tell_group(&self) {
        let Some(member) = &self.member else { return };
        match (self.engine.has_news(), self.engine.error()) {
            (true, _) => drop(member.busy()),
            (false, None) => member.idle(),
            (false, Some(_)) => member.refused(),
        }
    }

    /// Newer content has come: what waits for the group is taken back, unless it was swapped just now.
    pub(super) fn tell_group_of_news(&mut self) {
        if !self.swapped_meanwhile() && self.is_ready() {
            self.run = None;
            self.engine.withdraw();
        }
        if let Some(member) = &self.member {
            member.busy();
        }
    }

    /// Leaves what waits for the group in the group, unless that has swapped it already. Answers whether it has.
    pub(super) fn swapped_meanwhile(&mut self) -> bool {
        let swapped = self.is_ready()
            && self.member.as_ref().and_then(Member::busy) == Some(GroupVerdict::Swapped);
        if swapped {
            self.taken_with_the_group();
        }
        swapped
    }

    pub(super) fn is_ready(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| matches!(run.phase, Phase::Ready { .. }))
    }
}
