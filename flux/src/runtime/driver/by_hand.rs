//! What each step of manual mode does.

use super::Driver;
use crate::engine::Due;
use std::{future::poll_fn, task::Poll};

impl Driver {
    /// Takes up what is pending at once, without timers; answers whether there was anything.
    pub(in crate::runtime) async fn process(&mut self) -> bool {
        let mut consumed = false;
        self.take_group_verdict().await;
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
        if self.lift() || news || self.engine.wants_newest() {
            self.update();
            self.land().await;
        }
        self.obey().await;
        consumed
    }

    /// Manual mode: carries out what was ordered, and looks after a trial, as far as it can be done now.
    pub(in crate::runtime) async fn obey(&mut self) {
        self.take_group_verdict().await;
        loop {
            let again = poll_fn(|cx| Poll::Ready(self.poll_commands(cx) || self.poll_trial(cx)));
            if !again.await {
                if self.reload.is_none() {
                    return poll_fn(|cx| self.poll_saver(cx)).await;
                }
                self.reload_by_hand().await;
            }
            self.land().await;
        }
    }

    /// Manual mode: takes up what the group has decided since the last step.
    async fn take_group_verdict(&mut self) {
        if self.run.is_none() && self.member.is_none() {
            return;
        }
        poll_fn(|cx| {
            while self.poll_run(cx) {}
            Poll::Ready(())
        })
        .await;
        self.land().await;
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
}
