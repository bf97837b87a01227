//! Where configuration comes from: what a watcher is and may observe, and the supervisor that keeps it going.

pub(crate) mod arguments;
pub(crate) mod backoff;
mod channel;
#[cfg(feature = "consul")]
mod consul;
pub(crate) mod declare;
#[cfg(feature = "dotenv")]
pub(crate) mod dotenv;
pub(crate) mod drop_ins;
pub(crate) mod environment;
mod error;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "figment")]
pub(crate) mod figment;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "firestore")]
mod firestore;
mod given;
#[cfg(feature = "https")]
mod https;
#[cfg(feature = "k8s")]
mod k8s;
mod last_proven;
pub(crate) mod mailbox;
#[cfg(feature = "nats")]
mod nats;
mod off_the_worker;
pub(crate) mod open;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod remote;
pub(crate) mod renewed;
mod resync;
#[cfg(feature = "testing")]
pub(crate) mod script;
pub(crate) mod supervisor;
mod uri_secrets;
mod value_file;
#[cfg(feature = "zookeeper")]
mod zookeeper;

use std::{pin::Pin, sync::Arc, time::Duration};

pub use channel::{Channel, ChannelSender};
#[cfg(feature = "consul")]
pub use consul::Consul;
pub use declare::Source;
pub use error::{ErrorKind, SourceError};
#[cfg(feature = "etcd")]
pub use etcd::Etcd;
#[cfg(feature = "file")]
pub(crate) use file::missing;
#[cfg(feature = "file")]
pub use file::{Dir, DropIns, File};
#[cfg(feature = "firestore")]
pub use firestore::Firestore;
pub(crate) use given::{
    ArgumentPaths, DecodeTree, Given, KnownKeys, ReadAgain, VariablePath, VariablePaths,
};
#[cfg(feature = "https")]
pub use https::Https;
#[cfg(feature = "k8s")]
pub use k8s::Kubernetes;
pub(crate) use last_proven::{AsOf, LastProven};
pub use mailbox::{Health, Observer};
#[cfg(feature = "nats")]
pub use nats::Nats;
#[cfg(feature = "json")]
pub(crate) use off_the_worker::off_the_worker;
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use resync::Resync;
pub(crate) use uri_secrets::UriSecrets;
pub(crate) use value_file::ValueFile;
#[cfg(feature = "zookeeper")]
pub use zookeeper::ZooKeeper;

/// Observes one source: reports its current value first, then every change, until an error.
///
/// A watcher connects, reads, reports and classifies its errors; reconnecting, backoff and health are done for it.
/// The future may be dropped at any await and `watch` called again, so what must outlive a session belongs in `self`.
///
/// Two rules make [`Health::Live`] worth something:
/// - *Order.* An answer to a read is the truth, whatever its number: a store that was restored counts from before. Only an announced
///   change may be outdated, and only within the session that announced it: [`Observer::read_at`] and [`Observer::announced_at`].
/// - *Liveness.* [`Observer::live`] reports that something arrived which only the source itself could send. A timer, an open
///   connection or a heartbeat of a server that was cut off from its cluster prove nothing.
///
/// ```
/// use flux::source::{Observer, SourceError, Watcher};
///
/// struct Greeting;
///
/// impl Watcher for Greeting {
///     fn origin(&self) -> String {
///         "greeting".to_owned()
///     }
///     async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
///         observer.value(*b"text: hello");
///         std::future::pending().await
///     }
/// }
/// ```
pub trait Watcher: Send + 'static {
    /// What reports call the source: `app.yaml`. Never with credentials.
    fn origin(&self) -> String;

    /// One session. Whatever it returns, even `Ok`, ends the session, and another one starts after a random pause, of up to three
    /// seconds at first where the source was live before; only [`SourceError::closed`] is final.
    fn watch(
        &mut self,
        observer: &Observer,
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// How long a session may show no sign of life, an observation or [`Observer::live`], before it is ended and another one
    /// is started. Connecting counts. For ever by default.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// How often [`Observer::resync`] asks a session to read the source again. Never by default.
    fn resync(&self) -> Option<Duration> {
        None
    }
}

/// What a source was seen to hold.
#[derive(Clone, Debug)]
pub enum Observation {
    /// A document.
    Value(Content),
    /// The source answered that there is nothing: no such file, no such key.
    Absent,
    /// The source answered with something that cannot be a document: a directory, a file too large, no permission.
    Unreadable(SourceError),
}

/// The bytes of a document.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// The document as the source holds it.
    pub bytes: Arc<[u8]>,
    /// The source's own name for this version, where it has one: an index, a resource version.
    pub revision: Option<String>,
}

impl Content {
    /// A document without a revision.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Content {
            bytes: bytes.into(),
            revision: None,
        }
    }

    /// The source's own name for this version.
    #[must_use]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }
}

impl std::fmt::Debug for Content {
    /// Without the bytes, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content")
            .field("len", &self.bytes.len())
            .field("revision", &self.revision)
            .finish()
    }
}

pub(crate) type Session<'a> = Pin<Box<dyn Future<Output = Result<(), SourceError>> + Send + 'a>>;

/// What a supervisor asks of a watcher's sessions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) deadline: Option<Duration>,
    pub(crate) resync: Option<Duration>,
    pub(crate) patience: Option<Patience>,
}

/// How long the start waits for a source's first word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) wait: Duration,
    /// Silence contributes nothing, instead of being refused.
    pub(crate) optional: bool,
}

/// A [`Watcher`] of any type.
pub(crate) trait DynWatcher: Send + 'static {
    fn origin(&self) -> String;
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a>;
    fn terms(&self) -> Terms;
}

impl<W: Watcher> DynWatcher for W {
    fn origin(&self) -> String {
        Watcher::origin(self)
    }
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        Box::pin(Watcher::watch(self, observer))
    }
    fn terms(&self) -> Terms {
        Terms {
            deadline: self.deadline(),
            resync: self.resync(),
            patience: None,
        }
    }
}
