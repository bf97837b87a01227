//! Which signals of the operating system ask for a reload.

use crate::{observe, report::outgoing::SafeText};
use std::task::{Context, Poll};

/// A signal that asks for a reload, for [`Builder::reload_on`](crate::Builder::reload_on).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`: what `kill -HUP`, `systemctl reload` and most daemons use.
    Hangup,
    /// `SIGUSR1`.
    User1,
    /// `SIGUSR2`.
    User2,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Signal::Hangup => "SIGHUP",
            Signal::User1 => "SIGUSR1",
            Signal::User2 => "SIGUSR2",
        }
    }
}

/// The signal, as it arrives.
pub(super) struct Signals {
    #[cfg(unix)]
    stream: tokio::signal::unix::Signal,
}

impl Signals {
    /// None where it cannot be listened for, which is reported.
    pub(super) fn listen(signal: Signal, capacitor: &str) -> Option<Self> {
        match listen(signal) {
            Ok(signals) => Some(signals),
            Err(problem) => {
                let text = format!("`reload_on`: {} does nothing: {problem}", signal.name());
                observe::warning(capacitor, &SafeText::own(&text));
                None
            }
        }
    }

    /// Ready once for each arrival, or for several that came close together.
    #[cfg(unix)]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.stream.poll_recv(cx) {
            Poll::Ready(Some(())) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    #[cfg(not(unix))]
    pub(super) fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

#[cfg(unix)]
fn listen(signal: Signal) -> Result<Signals, String> {
    use tokio::signal::unix::{SignalKind, signal as listen};
    let kind = match signal {
        Signal::Hangup => SignalKind::hangup(),
        Signal::User1 => SignalKind::user_defined1(),
        Signal::User2 => SignalKind::user_defined2(),
    };
    // Tokio panics where the runtime was built without I/O.
    let stream = std::panic::catch_unwind(|| listen(kind))
        .map_err(|_| "the Tokio runtime was built without `enable_io()`".to_owned())?
        .map_err(|error| error.to_string())?;
    Ok(Signals { stream })
}

#[cfg(not(unix))]
fn listen(_: Signal) -> Result<Signals, String> {
    Err("there are no such signals on this system".to_owned())
}
