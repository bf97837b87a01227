//! What the program can tell a running capacitor to do.

use super::{Capacitor, Shared};
use crate::{Config, Error};
use tokio::sync::{mpsc, oneshot};

/// An order to the task of a capacitor.
pub(crate) enum Command {
    /// The program is unhealthy since this generation was applied.
    Unhealthy { generation: u64, reason: String },
    /// Serve an earlier generation: this one, or the last good one.
    Rollback {
        to: Option<u64>,
        reply: oneshot::Sender<Result<u64, Error>>,
    },
    /// Take nothing new up until further notice, or take it up again.
    Pin(bool, oneshot::Sender<()>),
}

pub(crate) type Commands = mpsc::UnboundedReceiver<Command>;

impl<C: Config> Shared<C> {
    fn command(&self, command: Command) -> Result<(), Error> {
        let control = self.control();
        control
            .running
            .as_ref()
            .and_then(|running| running.commands.send(command).ok())
            .ok_or_else(|| Error::Stopped {
                name: self.name.clone(),
            })
    }
}

impl<C: Config> Capacitor<C> {
    /// Tells that the program is unhealthy with the current configuration. While that is on probation
    /// ([`Builder::probation`](crate::Builder::probation)), it is taken back: the last good generation is served again, and the
    /// content that made the bad one is not tried again until it changes. Answers whether it was on probation.
    pub fn report_unhealthy(&self, reason: impl Into<String>) -> bool {
        let status = self.status();
        if !status.on_probation {
            return false;
        }
        let command = Command::Unhealthy {
            generation: status.generation,
            reason: reason.into(),
        };
        self.shared.command(command).is_ok()
    }

    /// Serves an earlier generation again, by hand: the one with this number, or the last good one before the current one.
    /// Parties prepare and commit as for any change. What the layers hold now is not tried again until it changes. Answers with
    /// the number that is served.
    ///
    /// # Errors
    /// [`Error::NoSuchGeneration`] where it is not kept any more ([`Builder::generations`](crate::Builder::generations)),
    /// [`Error::Refused`] where a party refuses it, [`Error::Stopped`] where the capacitor is not running.
    pub async fn rollback(&self, to: impl Into<Option<u64>>) -> Result<u64, Error> {
        let (reply, answer) = oneshot::channel();
        let to = to.into();
        self.shared.command(Command::Rollback { to, reply })?;
        self.step().await;
        answer.await.unwrap_or_else(|_| Err(self.not_running()))
    }

    /// Keeps the current configuration until [`unpin`](Capacitor::unpin), whatever the sources say: newer content is refused
    /// meanwhile, and told in the status.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the capacitor is not running.
    pub async fn pin(&self) -> Result<(), Error> {
        self.set_pinned(true).await
    }

    /// Ends [`pin`](Capacitor::pin) and takes up what has come meanwhile.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the capacitor is not running.
    pub async fn unpin(&self) -> Result<(), Error> {
        self.set_pinned(false).await
    }

    async fn set_pinned(&self, pinned: bool) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.command(Command::Pin(pinned, reply))?;
        self.step().await;
        answer.await.map_err(|_| self.not_running())
    }

    /// In manual mode nobody else carries commands out.
    pub(crate) async fn step(&self) {
        if let Some(driver) = &mut *self.shared.manual.lock().await {
            driver.obey().await;
        }
    }
}
