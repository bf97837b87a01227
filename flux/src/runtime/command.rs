//! What the program can tell a running capacitor to do.

use super::{error::Error, instance::Instance};
use tokio::sync::{mpsc, oneshot};

/// An order to the task of a capacitor.
pub(crate) enum Command {
    /// The program is unhealthy since this generation was applied.
    Unhealthy { generation: u64, reason: String },
    /// Serve an earlier generation: this one, or the last good one.
    Rollback { to: Option<u64>, reply: Reply },
    /// Take nothing new up until further notice, or take it up again.
    Pin(bool, oneshot::Sender<()>),
}

pub(super) type Commands = mpsc::UnboundedReceiver<Command>;

/// Where the answer to a rollback goes: the number that is served.
pub(super) type Reply = oneshot::Sender<Result<u64, Error>>;

/// Tells that the program is unhealthy; answers whether anything can come of it.
pub(crate) fn report_unhealthy(instance: &Instance, reason: String) -> bool {
    let status = instance.status.load();
    let command = Command::Unhealthy {
        generation: status.generation,
        reason,
    };
    status.on_probation && instance.command(command).is_ok()
}

pub(crate) async fn rollback(instance: &Instance, to: Option<u64>) -> Result<u64, Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Rollback { to, reply })?;
    obey(instance).await;
    answer.await.unwrap_or_else(|_| Err(instance.not_running()))
}

pub(crate) async fn pin(instance: &Instance, pinned: bool) -> Result<(), Error> {
    instance.outside()?;
    let (reply, answer) = oneshot::channel();
    instance.command(Command::Pin(pinned, reply))?;
    obey(instance).await;
    answer.await.map_err(|_| instance.not_running())
}

/// In manual mode nobody else carries commands out.
pub(crate) async fn obey(instance: &Instance) {
    if let Some(driver) = &mut *instance.manual.lock().await {
        driver.obey().await;
    }
}
