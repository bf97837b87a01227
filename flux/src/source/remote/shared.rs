//! Connections that the capacitors of a process share: one for each server, user and runtime, for as long as somebody uses it.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use flux_syntax::Remote;
use tokio::{
    runtime::{Handle, Id},
    time::Instant,
};

use crate::source::SourceError;

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

    /// The next one who asks gets another.
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

type Cells<C> = HashMap<(Id, Remote<String>), Weak<Cell<C>>>;

type Cell<C> = tokio::sync::Mutex<Last<C>>;

/// How the last attempt to connect ended.
struct Last<C> {
    open: Weak<C>,
    failed: Option<(Instant, SourceError)>,
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

    /// The open connection to `server`, or a new one by `connect`. Who asks together waits for one attempt and is told of
    /// its failure together, so that a thousand capacitors knock once.
    pub(crate) async fn lease(
        &self,
        server: Remote<String>,
        connect: impl Future<Output = Result<C, SourceError>>,
    ) -> Result<Lease<C>, SourceError> {
        let asked = Instant::now();
        let cell = self.cell(server);
        let mut last = cell.lock().await;
        if let Some(connection) = last.open.upgrade().filter(|open| open.is_open()) {
            return Ok(Lease {
                connection,
                _cell: Some(Arc::clone(&cell)),
            });
        }
        if let Some((at, error)) = &last.failed
            && *at > asked
        {
            return Err(error.clone());
        }
        match connect.await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                last.open = Arc::downgrade(&connection);
                last.failed = None;
                Ok(Lease {
                    connection,
                    _cell: Some(Arc::clone(&cell)),
                })
            }
            Err(error) => {
                last.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn cell(&self, server: Remote<String>) -> Arc<Cell<C>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = cells.get_or_insert_with(HashMap::new);
        cells.retain(|_, cell| cell.strong_count() > 0);
        let key = (Handle::current().id(), server);
        if let Some(cell) = cells.get(&key).and_then(Weak::upgrade) {
            return cell;
        }
        let cell = Arc::new(tokio::sync::Mutex::new(Last {
            open: Weak::new(),
            failed: None,
        }));
        cells.insert(key, Arc::downgrade(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flux_syntax::Scheme;
    use std::{
        sync::atomic::{AtomicU32, Ordering::SeqCst},
        time::Duration,
    };

    type Wire = Client<()>;

    fn server(host: &str) -> Remote<String> {
        Remote::new(Scheme::Redis).host(host)
    }

    async fn connect(count: &AtomicU32) -> Result<Wire, SourceError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match count.fetch_add(1, SeqCst) {
            u32::MAX => Err(SourceError::transient("refused")),
            _ => Ok(Wire::new(())),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_server_has_one_connection_until_nobody_uses_it() {
        let (all, count) = (Connections::new(), AtomicU32::new(0));
        let (one, two) = tokio::join!(
            all.lease(server("a"), connect(&count)),
            all.lease(server("a"), connect(&count)),
        );
        assert_eq!(count.load(SeqCst), 1);
        let (one, two) = (one.unwrap(), two.unwrap());
        let other = all.lease(server("b"), connect(&count)).await.unwrap();
        assert_eq!(count.load(SeqCst), 2, "another server");
        drop(one);
        let weak = Arc::downgrade(&two.connection);
        drop(two);
        assert!(weak.upgrade().is_none(), "the last one closes it");
        let _again = all.lease(server("a"), connect(&count)).await.unwrap();
        assert_eq!(count.load(SeqCst), 3);
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_is_replaced() {
        let (all, count) = (Connections::new(), AtomicU32::new(0));
        let old = all.lease(server("a"), connect(&count)).await.unwrap();
        old.give_up();
        let new = all.lease(server("a"), connect(&count)).await.unwrap();
        let same = all.lease(server("a"), connect(&count)).await.unwrap();
        assert!(Arc::ptr_eq(&new.connection, &same.connection));
        assert_eq!(count.load(SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_an_attempt_is_told_of_its_failure() {
        let (all, count) = (Connections::<Wire>::new(), AtomicU32::new(u32::MAX));
        let (one, two) = tokio::join!(
            all.lease(server("a"), connect(&count)),
            all.lease(server("a"), connect(&count)),
        );
        assert!(one.is_err() && two.is_err());
        assert_eq!(count.load(SeqCst), 0, "one attempt");
        assert!(all.lease(server("a"), connect(&count)).await.is_ok());
    }

    #[test]
    fn each_runtime_has_its_own() {
        static ALL: Connections<Wire> = Connections::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut leases = Vec::new();
        for n in 1..=2 {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            leases.push(runtime.block_on(ALL.lease(server("a"), connect(&COUNT))));
            assert_eq!(COUNT.load(SeqCst), n);
        }
    }
}
