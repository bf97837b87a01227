//! What the task does with each command of the program, and when it must wait.

use super::Driver;
use crate::runtime::{
    clock::now,
    error::Error,
    order::Command,
    run::{Phase, PipelineRun},
};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tracing::Span;

impl Driver {
    /// Carries out one order; answers whether there was one.
    pub(super) fn poll_commands(&mut self, cx: &mut Context<'_>) -> bool {
        if self.run.is_some() {
            return false;
        }
        let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) else {
            return false;
        };
        if let Some(recorder) = &self.plan.options.recorder {
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
            Command::Reload(reply) => self.reload(Some(reply)),
            Command::Trust(reply) => {
                let trusted = self.engine.trust(now());
                self.listeners.notify(&mut self.engine);
                self.listeners.settled(&self.engine);
                if !trusted.lifted.is_empty() {
                    self.update();
                }
                let _ = reply.send(trusted);
            }
            Command::Rehearse(rehearsal) => {
                let phase = Phase::Rehearsing(Some(rehearsal));
                self.run = Some(PipelineRun::new(phase, Span::none(), None, Instant::now()));
            }
            Command::Pin(pinned, reply) => {
                let newest = self.engine.pin(pinned);
                self.listeners.notify(&mut self.engine);
                if newest {
                    self.update();
                }
                let _ = reply.send(());
            }
        }
        true
    }
}
