//! What a test declares of its watcher, so that the kit can try it.

use crate::source::Watcher;
use std::{fmt, future::Future, time::Duration};

/// A watcher and the source behind it, as [`check`](super::check) needs them. The source lives longer than one watcher: what was
/// written stays when a new watcher is made.
///
/// ```
/// use flux::{source::{Channel, ChannelSender}, testing::conformance::{Cannot, Subject, check}};
///
/// /// A source that is fed by the program.
/// struct Fed {
///     held: Option<Vec<u8>>,
///     sender: Option<ChannelSender>,
/// }
///
/// impl Subject for Fed {
///     type Watcher = Channel;
///     fn watcher(&mut self) -> Channel {
///         let (sender, channel) = Channel::latest("fed");
///         if let Some(held) = &self.held {
///             sender.try_send(held.as_slice()).expect("a channel");
///         }
///         self.sender = Some(sender);
///         channel
///     }
///     async fn write(&mut self, document: Vec<u8>) -> Result<(), Cannot> {
///         self.held = Some(document.clone());
///         if let Some(sender) = &self.sender {
///             // Nobody may be watching.
///             let _ = sender.send(document).await;
///         }
///         Ok(())
///     }
///     async fn read(&mut self) -> Option<Vec<u8>> {
///         self.held.clone()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let report = check(Fed { held: None, sender: None }).await;
/// println!("{report}");
/// report.assert_passed();
/// # }
/// ```
pub trait Subject: Send {
    /// What is tried.
    type Watcher: Watcher;

    /// A new watcher of the source.
    fn watcher(&mut self) -> Self::Watcher;

    /// Puts a document into the source, in the place of what is there.
    fn write(&mut self, document: Vec<u8>) -> impl Future<Output = Result<(), Cannot>> + Send;

    /// What the source holds: the truth that the watcher must come to. None where there is nothing.
    fn read(&mut self) -> impl Future<Output = Option<Vec<u8>>> + Send;

    /// Removes the document: the file, the key. By default it cannot be done.
    fn delete(&mut self) -> impl Future<Output = Result<(), Cannot>> + Send {
        async { Err(Cannot::because("the subject cannot delete")) }
    }

    /// Makes the source misbehave, until [`heal`](Subject::heal). By default no fault can be made; those that can are tried.
    fn inject(&mut self, fault: Fault) -> impl Future<Output = Result<(), Cannot>> + Send {
        async move {
            Err(Cannot::because(format!(
                "the subject cannot make it: {fault}"
            )))
        }
    }

    /// Ends what [`inject`](Subject::inject) began.
    fn heal(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// How many requests the source has had in all, refused ones included, where it counts them. Without that, sessions and reports of
    /// failure are counted.
    fn requests(&self) -> Option<u64> {
        None
    }

    /// How long things may take.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// How a source can misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The source ends its watches in good order, and takes new ones.
    End,
    /// The connection is lost and cannot be made, until healed. Writing still works.
    Lost,
    /// The source refuses access, until healed.
    Denied,
    /// The source cannot work as declared (no such database, events turned off), until healed.
    Misconfigured,
    /// The source announces what it holds once more.
    Duplicate,
    /// The source announces what it held before its newest change, after it.
    Older,
    /// The source does not announce its next change. How soon that must be found is in [`Limits::missed`].
    Missed,
    /// The source goes back to an older copy of itself, as from a snapshot: it holds what it held before its newest change, and numbers
    /// its changes from there. Connections may stay. How soon that must be found is in [`Limits::missed`].
    Restored,
    /// The source neither announces nor answers, and connections stay open, until healed. Writing still works. The watcher must be stale
    /// within its [`deadline`](crate::source::Watcher::deadline), or where it states none within [`Limits::silent`].
    Silent,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::End => "the source ends its watches",
            Fault::Lost => "the connection is lost",
            Fault::Denied => "access is refused",
            Fault::Misconfigured => "the source cannot work as declared",
            Fault::Duplicate => "the source announces the same twice",
            Fault::Older => "the source announces something older after something newer",
            Fault::Missed => "the source does not announce a change",
            Fault::Restored => "the source goes back to an older copy",
            Fault::Silent => "the source is silent on open connections",
        })
    }
}

/// What a subject cannot do, and why. A behaviour that needs it is not applicable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cannot(String);

impl Cannot {
    /// With a reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Cannot(reason.into())
    }
}

/// How long things may take, and how much is tried. Times are Tokio's: under a paused clock they cost none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How soon the newest value must be seen; 5 s by default.
    pub within: Duration,
    /// How long nothing more may be seen when nothing changes; 100 ms by default.
    pub quiet: Duration,
    /// How soon a change that was not announced must be found; 90 s by default, which is for paused clocks.
    pub missed: Duration,
    /// How long a source that is silent may be called live where the watcher states no [`deadline`](crate::source::Watcher::deadline): the
    /// bound of staleness that it promises; 90 s by default. Where it states one, that is the limit, and [`within`](Self::within) is
    /// added. How soon the newest value must be seen when the silence is over, in any case.
    pub silent: Duration,
    /// How many rapid changes are made; 10,000 by default.
    pub burst: usize,
    /// How many bytes the largest document has; 1 MiB by default.
    pub largest: usize,
    /// For how long a permanent failure is watched; 3 s by default.
    pub failing: Duration,
    /// How many requests may be made in that time; 60 by default. The pauses between sessions make some ten.
    pub requests: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            within: Duration::from_secs(5),
            quiet: Duration::from_millis(100),
            missed: Duration::from_secs(90),
            silent: Duration::from_secs(90),
            burst: 10_000,
            largest: 1 << 20,
            failing: Duration::from_secs(3),
            requests: 60,
        }
    }
}
