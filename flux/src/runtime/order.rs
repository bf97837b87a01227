//! The commands that the program sends to a running capacitor, and where the answer goes.

use super::{error::Error, task::BoxedTask};
use crate::engine::Trusted;
use tokio::sync::{mpsc, oneshot};

/// A command to the task of a capacitor.
pub(crate) enum Command {
    /// The program is unhealthy since this generation was applied.
    Unhealthy { generation: u64, reason: String },
    /// Serve an earlier generation: this one, or the last good one.
    Rollback { to: Option<u64>, reply: Reply },
    /// Read every source again now.
    Reload(Reply),
    /// Take nothing new up until further notice, or take it up again.
    Pin(bool, oneshot::Sender<()>),
    /// Ask the parties what they would answer to a change. It ends by itself, and updates wait for it.
    Rehearse(BoxedTask),
    /// Trust what is on trial, and try again what is in quarantine.
    Trust(oneshot::Sender<Trusted>),
}

pub(super) type Commands = mpsc::UnboundedReceiver<Command>;

/// Where the answer to a rollback or a reload goes: the number that is served.
pub(super) type Reply = oneshot::Sender<Result<u64, Error>>;
