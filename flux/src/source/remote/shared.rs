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

    /// The open connection to `server`, or a new one by `connect`. Callers at one time wait for one attempt and receive
    /// its failure together, so that a thousand capacitors knock once. Who had `lost` the server and had to wait for it steps aside
    /// before it uses the connection: all who wait, here and in other processes, are let in in the same instant.
    pub(crate) async fn lease(
        &self,
        server: Remote<String>,
        lost: bool,
        connect: impl Future<Output = Result<C, SourceError>>,
    ) -> Result<Lease<C>, SourceError> {
        let asked = Instant::now();
        let cell = self.cell(server);
        let connection = Self::connection(&cell, asked, connect).await?;
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
        asked: Instant,
        connect: impl Future<Output = Result<C, SourceError>>,
    ) -> Result<Arc<C>, SourceError> {
        let mut last = cell.lock().await;
        if let Some(connection) = last.open() {
            return Ok(connection);
        }
        let since = match &last.failed {
            Some(failed) if failed.at > asked || failed.stands(Instant::now()) => {
                return Err(failed.error.clone());
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
mod tests {
    use super::*;
    use flux_syntax::Scheme;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    type Wire = Client<()>;

    /// As a first start asks, or as who lost it.
    const FIRST: bool = false;
    const LOST: bool = true;

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
            all.lease(server("a"), FIRST, connect(&count)),
            all.lease(server("a"), FIRST, connect(&count)),
        );
        assert_eq!(count.load(SeqCst), 1);
        let (one, two) = (one.unwrap(), two.unwrap());
        let other = all
            .lease(server("b"), FIRST, connect(&count))
            .await
            .unwrap();
        assert_eq!(count.load(SeqCst), 2, "another server");
        drop(one);
        let weak = Arc::downgrade(&two.connection);
        drop(two);
        assert!(weak.upgrade().is_none(), "the last one closes it");
        let _again = all
            .lease(server("a"), FIRST, connect(&count))
            .await
            .unwrap();
        assert_eq!(count.load(SeqCst), 3);
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_is_replaced() {
        let (all, count) = (Connections::new(), AtomicU32::new(0));
        let old = all
            .lease(server("a"), FIRST, connect(&count))
            .await
            .unwrap();
        old.give_up();
        let new = all
            .lease(server("a"), FIRST, connect(&count))
            .await
            .unwrap();
        let same = all
            .lease(server("a"), FIRST, connect(&count))
            .await
            .unwrap();
        assert!(Arc::ptr_eq(&new.connection, &same.connection));
        assert_eq!(count.load(SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_an_attempt_is_told_of_its_failure() {
        let (all, count) = (Connections::<Wire>::new(), AtomicU32::new(u32::MAX));
        let (one, two) = tokio::join!(
            all.lease(server("a"), FIRST, connect(&count)),
            all.lease(server("a"), FIRST, connect(&count)),
        );
        assert!(one.is_err() && two.is_err());
        assert_eq!(count.load(SeqCst), 0, "one attempt");
        assert!(all.lease(server("a"), FIRST, connect(&count)).await.is_ok());
    }

    proptest::proptest! {
        #[test]
        fn who_waited_steps_aside_for_a_part_of_the_spread_and_who_did_not_goes_on(
            millis in 0..100_000u64,
            random in 0.0..1.0f64,
        ) {
            let waited = Duration::from_millis(millis);
            let aside = aside(waited, random);
            proptest::prop_assert!(aside <= SPREAD && aside <= waited * 10);
            if millis >= 300 {
                proptest::prop_assert_eq!(aside, SPREAD.mul_f64(random));
            }
        }
    }

    /// When each of a hundred has the connection that one of them makes in a second.
    async fn waits(lost: bool) -> Vec<Duration> {
        let shared = Arc::new((Connections::new(), AtomicU32::new(0)));
        let begin = Instant::now();
        let mut leases = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let shared = Arc::clone(&shared);
            leases.spawn(async move {
                let (all, count) = &*shared;
                let lease = all.lease(server("a"), lost, connect(count)).await;
                (lease.unwrap(), begin.elapsed())
            });
        }
        let leases = leases.join_all().await;
        assert_eq!(shared.1.load(SeqCst), 1, "one attempt");
        leases.into_iter().map(|(_, waited)| waited).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_after_a_loss_steps_aside_and_a_first_start_does_not() {
        let second = Duration::from_secs(1);
        assert!(waits(FIRST).await.iter().all(|waited| *waited == second));
        let mut lost = waits(LOST).await;
        lost.sort_unstable();
        assert!(lost[99] <= second + SPREAD + Duration::from_millis(1));
        let most = lost.iter().map(|from| {
            let end = *from + Duration::from_millis(100);
            lost.iter().filter(|at| (*from..end).contains(*at)).count()
        });
        let most = most.max();
        // 3 are expected.
        assert!(most < Some(20), "{most:?} of 100 in 100 ms");
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_who_ask_again_and_again_knock_less_and_less() {
        let all = Connections::<Wire>::new();
        let knocks = std::sync::Mutex::new(Vec::new());
        let begin = Instant::now();
        // 10 questions a second for ten minutes, as of 150 capacitors that pause for 15 s in the mean.
        while begin.elapsed() < Duration::from_secs(600) {
            let refused = all.lease(server("a"), LOST, async {
                knocks.lock().unwrap().push(begin.elapsed().as_secs());
                Err(SourceError::transient("refused"))
            });
            assert_eq!(refused.await.err().unwrap().to_string(), "refused");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let knocks = knocks.into_inner().unwrap();
        let of = |minute: u64| knocks.iter().filter(|at| **at / 60 == minute).count();
        assert!((20..150).contains(&of(0)), "{} in the first", of(0));
        for minute in 1..10 {
            assert!((11..=12).contains(&of(minute)), "{}", of(minute));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_alone_is_hardly_held_up() {
        let all = Connections::<Wire>::new();
        let knocks = AtomicU32::new(0);
        let mut pauses = 0;
        for failures in 1..20 {
            let ceiling = crate::time::ceiling(failures, Duration::from_millis(100), CAP);
            let refused = all.lease(server("a"), FIRST, async {
                knocks.fetch_add(1, SeqCst);
                Err::<Wire, _>(SourceError::transient("refused"))
            });
            assert!(refused.await.is_err());
            pauses += 1;
            tokio::time::sleep(ceiling / 2).await;
        }
        assert_eq!(knocks.load(SeqCst), pauses, "each question is a knock");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_forgotten_when_nobody_asks_any_more() {
        let all = Connections::<Wire>::new();
        let cells = || all.cells.lock().unwrap().as_ref().unwrap().len();
        let refuse = async || {
            let refused = async { Err(SourceError::transient("refused")) };
            assert!(all.lease(server("a"), FIRST, refused).await.is_err());
        };
        refuse().await;
        assert_eq!(cells(), 1, "kept for the next attempt");
        tokio::time::sleep(2 * CAP + Duration::from_secs(1)).await;
        let other = all.lease(server("b"), FIRST, async { Ok(Wire::new(())) });
        let other = other.await.unwrap();
        assert_eq!(cells(), 1, "only the other one");
        drop(other);
        refuse().await;
        assert_eq!(cells(), 1, "what nobody uses is not kept");
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
            leases.push(runtime.block_on(ALL.lease(server("a"), FIRST, connect(&COUNT))));
            assert_eq!(COUNT.load(SeqCst), n);
        }
    }
}
