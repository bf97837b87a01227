//! Which sources share a connection, how long a failure to connect counts for all of them, and who steps aside.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use flux_syntax::Remote;
use tokio::{
    runtime::{Handle, Id},
    time::Instant,
};

use crate::source::{
    SourceError,
    backoff::{CAP, SPREAD},
};

/// How long a failure to connect is the answer for every source at most.
const STANDS: Duration = Duration::from_secs(5);

/// How long to step aside after so long a wait, for a `random` number in `0.0..1.0`. They came one after the other, and are to go on
/// like that: a wait that is short for what the spread is let in few.
fn aside(waited: Duration, random: f64) -> Duration {
    (waited * 10).min(SPREAD).mul_f64(random)
}

/// What is asked of a connection before it is shared with one more.
pub(crate) trait Connection: Send + Sync + 'static {
    /// Whether it can still be used.
    fn is_open(&self) -> bool;
}

/// A client of which it is known only from its failures that it is of no use any more.
pub(crate) struct Client<T> {
    client: T,
    given_up: AtomicBool,
}

impl<T> Client<T> {
    pub(crate) fn new(client: T) -> Self {
        Client {
            client,
            given_up: AtomicBool::new(false),
        }
    }

    /// The next caller gets another.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

impl<T> Deref for Client<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.client
    }
}

impl<T: Send + Sync + 'static> Connection for Client<T> {
    fn is_open(&self) -> bool {
        !self.given_up.load(Ordering::Relaxed)
    }
}

/// The connections of one kind of server. A connection dies with its runtime, so each runtime has its own.
pub(crate) struct Connections<C> {
    cells: Mutex<Option<Cells<C>>>,
}

type Cells<C> = HashMap<(Id, Remote<String>), Arc<Cell<C>>>;

type Cell<C> = tokio::sync::Mutex<Last<C>>;

/// How the last attempt to connect ended.
struct Last<C> {
    open: Weak<C>,
    failed: Option<FailedConnect>,
}

/// A server that could not be connected to.
struct FailedConnect {
    /// The first failure in a row.
    since: Instant,
    /// The newest one.
    at: Instant,
    error: SourceError,
    /// The source that asked.
    origin: String,
}

impl FailedConnect {
    /// Whether the newest failure still answers for the next attempt: for a tenth of the time that the server has been away. So
    /// a thousand capacitors knock often while it is short and seldom when it is long, and none is kept waiting for much more than
    /// it waited already.
    fn stands(&self, now: Instant) -> bool {
        let away = self.at - self.since;
        now.saturating_duration_since(self.at) < (away / 10).min(STANDS)
    }

    /// Whether no source that still uses the server can have received it.
    fn is_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) > 2 * CAP
    }
}

impl<C: Connection> Last<C> {
    fn open(&self) -> Option<Arc<C>> {
        self.open.upgrade().filter(|open| open.is_open())
    }
}

/// A connection in use; the last one to go closes it.
pub(crate) struct Lease<C> {
    connection: Arc<C>,
    _cell: Option<Arc<Cell<C>>>,
}

impl<C> Lease<C> {
    /// A connection that is not shared.
    pub(crate) fn own(connection: C) -> Self {
        Lease {
            connection: Arc::new(connection),
            _cell: None,
        }
    }
}

impl<C> Deref for Lease<C> {
    type Target = C;
    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C: Connection> Connections<C> {
    pub(crate) const fn new() -> Self {
        Connections {
            cells: Mutex::new(None),
        }
    }

    /// The open connection to the server of this place, or a new one by `connect`. Callers at one time wait for one attempt and receive
    /// its failure together, so that a thousand capacitors knock once. Who had `lost` the server and had to wait for it steps aside
    /// before it uses the connection: all who wait, here and in other processes, are let in in the same instant.
    pub(crate) async fn lease(
        &self,
        place: &Remote<String>,
        lost: bool,
        connect: impl Future<Output = Result<C, SourceError>>,
    ) -> Result<Lease<C>, SourceError> {
        let asked = Instant::now();
        let cell = self.cell(place.server());
        let connection = Self::connection(&cell, place, asked, connect).await?;
        if lost {
            tokio::time::sleep(aside(asked.elapsed(), fastrand::f64())).await;
        }
        Ok(Lease {
            connection,
            _cell: Some(cell),
        })
    }

    async fn connection(
        cell: &Cell<C>,
        place: &Remote<String>,
        asked: Instant,
        connect: impl Future<Output = Result<C, SourceError>>,
    ) -> Result<Arc<C>, SourceError> {
        let mut last = cell.lock().await;
        if let Some(connection) = last.open() {
            return Ok(connection);
        }
        let since = match &last.failed {
            Some(failed) if failed.at > asked || failed.stands(Instant::now()) => {
                return Err(failed.error.clone().of(&failed.origin, &place.origin()));
            }
            failed => failed.as_ref().map(|failed| failed.since),
        };
        match connect.await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                last.open = Arc::downgrade(&connection);
                last.failed = None;
                Ok(connection)
            }
            Err(error) => {
                let at = Instant::now();
                last.failed = Some(FailedConnect {
                    since: since.unwrap_or(at),
                    at,
                    error: error.clone(),
                    origin: place.origin(),
                });
                Err(error)
            }
        }
    }

    fn cell(&self, server: Remote<String>) -> Arc<Cell<C>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = cells.get_or_insert_with(HashMap::new);
        let now = Instant::now();
        // Kept for who uses it, and for who will ask again after a failure.
        cells.retain(|_, cell| {
            let failing = |last: &Last<C>| match &last.failed {
                Some(failed) => !failed.is_forgotten(now),
                None => false,
            };
            Arc::strong_count(cell) > 1 || cell.try_lock().is_ok_and(|last| failing(&last))
        });
        let cell = cells.entry((Handle::current().id(), server));
        let cell = cell.or_insert_with(|| {
            Arc::new(tokio::sync::Mutex::new(Last {
                open: Weak::new(),
                failed: None,
            }))
        });
        Arc::clone(cell)
    }
}

#[cfg(test)]
mod tests;
