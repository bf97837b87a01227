//! Where configuration comes from: watchers observe sources, a supervisor keeps them going.

pub(crate) mod backoff;
mod channel;
mod error;
#[cfg(feature = "file")]
mod file;
pub(crate) mod inbox;
pub(crate) mod supervisor;

use std::{pin::Pin, sync::Arc};

pub use channel::{Channel, ChannelSender};
pub use error::{ErrorKind, SourceError};
#[cfg(feature = "file")]
pub use file::File;
#[cfg(feature = "file")]
pub(crate) use file::missing;
pub use inbox::{Health, Observer};

/// Observes one source: reports its current value first, then every change, until an error.
///
/// A watcher connects, reads, reports and classifies its errors; reconnecting, backoff and health are done for it.
/// The future may be dropped at any await and `watch` called again, so what must outlive a session belongs in `self`.
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

    /// One session. Whatever it returns, even `Ok`, ends the session, and another one starts after a pause; only
    /// [`SourceError::closed`] is final.
    fn watch(
        &mut self,
        observer: &Observer,
    ) -> impl Future<Output = Result<(), SourceError>> + Send;
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
pub struct Content {
    /// The document as the source holds it.
    pub bytes: Arc<[u8]>,
    /// The source's own name for this version, where it has one: an index, a resource version.
    pub revision: Option<String>,
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

/// A [`Watcher`] of any type.
pub(crate) trait DynWatcher: Send + 'static {
    fn origin(&self) -> String;
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a>;
}

impl<W: Watcher> DynWatcher for W {
    fn origin(&self) -> String {
        Watcher::origin(self)
    }
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        Box::pin(Watcher::watch(self, observer))
    }
}
