//! One server for all cases that do it no harm: starting one takes longer than most of them.

use super::Remote;
use crate::process::Process;
use flux::Source;
use std::{
    any::Any,
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, sync::OnceCell};

/// One case's view of the server of its kind that lasts as long as the program: keys of its own, and nothing that would disturb
/// others.
pub struct Shared<S> {
    server: Arc<S>,
    case: usize,
}

/// The servers' clients outlive the runtime of any test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// None where its program is missing.
type Cell<S> = OnceCell<Option<Arc<S>>>;

fn cell<S: Remote>() -> Arc<Cell<S>> {
    static ALL: Mutex<Option<HashMap<&str, Arc<dyn Any + Send + Sync>>>> = Mutex::new(None);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let cell = all
        .get_or_insert_default()
        .entry(S::NAME)
        .or_insert_with(|| Arc::new(Cell::<S>::new()));
    let cell = Arc::clone(cell).downcast::<Cell<S>>();
    cell.unwrap_or_else(|_| panic!("two kinds of server are called {}", S::NAME))
}

/// Runs on the servers' runtime.
async fn there<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match RUNTIME.spawn(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl<S: Remote> Shared<S> {
    /// The keys of different cases differ in their first part.
    fn own(&self, key: &str) -> String {
        let (first, rest) = key.split_once('/').unwrap_or((key, ""));
        let slash = if rest.is_empty() { "" } else { "/" };
        format!("{first}-{}{slash}{rest}", self.case)
    }
}

impl<S: Remote> Remote for Shared<S> {
    const NAME: &'static str = S::NAME;
    const BOUND: Duration = S::BOUND;
    const IDLE: Option<Duration> = S::IDLE;
    const DURABLE: bool = S::DURABLE;
    const CONNECTIONS: usize = S::CONNECTIONS;
    const SERVED: bool = S::SERVED;
    const POLLED: bool = S::POLLED;

    async fn start() -> Option<Self> {
        static CASES: AtomicUsize = AtomicUsize::new(0);
        let server = match S::SERVED {
            true => {
                let cell = cell::<S>();
                let server = cell.get_or_init(async || there(S::start()).await.map(Arc::new));
                Arc::clone(server.await.as_ref()?)
            }
            // Nothing to start, and nobody to clean up behind what lasts until the end.
            false => Arc::new(S::start().await?),
        };
        Some(Shared {
            server,
            case: CASES.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn process(&mut self) -> &mut Process {
        panic!("a case that harms its server needs one of its own");
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        self.server.uri(address, &self.own(key))
    }

    fn source(&self, address: SocketAddr, key: &str) -> Source {
        self.server.source(address, &self.own(key))
    }

    fn guarded(&self, _: SocketAddr, _: &str) -> Source {
        panic!("a case that changes rights needs a server of its own");
    }

    fn largest(&self) -> usize {
        self.server.largest()
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let (server, key, bytes) = (Arc::clone(&self.server), self.own(key), bytes.to_vec());
        there(async move { server.write(&key, &bytes).await }).await;
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let (server, key) = (Arc::clone(&self.server), self.own(key));
        there(async move { server.write_many(&key, documents).await }).await
    }

    async fn delete(&self, key: &str) {
        let (server, key) = (Arc::clone(&self.server), self.own(key));
        there(async move { server.delete(&key).await }).await;
    }

    async fn refuse(&self) {
        panic!("a case that changes rights needs a server of its own");
    }

    async fn grant(&self) {
        self.refuse().await;
    }

    async fn restarted(&mut self) {
        self.process();
    }

    async fn guests(&self) -> usize {
        panic!("a case that counts guests needs a server of its own");
    }
}
