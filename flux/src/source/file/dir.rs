//! The source `dir:`: a mounted directory in which every file is one key, as Kubernetes mounts ConfigMaps and Secrets; its
//! intervals and limits.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    place::WatchedPlace,
    session::{self, Intervals},
    target::Target,
    values::{self, FolderCodec},
};
use crate::{
    codec::Codec,
    source::{Observer, SourceError, Watcher},
};

/// How often the directory is read although no event came.
const RESYNC: Duration = Duration::from_secs(10);
/// All files together.
const MAX_SIZE: u64 = 16 << 20;

/// Watches a directory in which every file holds the value of one key: `/etc/secrets/password`. Its name is the key, dots lead
/// into sections (`pool.size`); the content is read by the field's type, as a variable of the environment is, without a line
/// break at its end. Hidden files are passed over.
///
/// A swap of the link `..data` is seen at once and as a whole. In a plain directory each file is settled by itself, as
/// [`File`](super::File) is: a finished write counts at once, and a file that went away or was emptied keeps its value for the
/// settle time.
///
/// ```
/// use flux::{Source, source::Dir};
///
/// let source = Source::dir("/etc/secrets");
/// let watcher = Dir::new("/etc/secrets");
/// ```
#[derive(Clone, Debug)]
pub struct Dir {
    target: Arc<Target>,
    settle: Duration,
    resync: Duration,
}

impl Dir {
    /// The directory at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Dir {
            target: Arc::new(Target {
                shown: format!("dir:{}", path.display()),
                path: std::path::absolute(&path).unwrap_or(path),
                max_size: MAX_SIZE,
            }),
            settle: Duration::from_secs(1),
            resync: RESYNC,
        }
    }

    /// How long a file must be quiet to be read when its writer has not closed it, and how long one that went away keeps its
    /// value. Default: 1 second.
    #[must_use]
    pub fn settle(mut self, quiet: Duration) -> Self {
        self.settle = quiet;
        self
    }

    /// How often the directory is read although no event came; 10 seconds by default.
    #[must_use]
    pub fn resync(mut self, resync: Duration) -> Self {
        self.resync = resync.max(Duration::from_millis(10));
        self
    }

    /// The document that this source makes of files with these names and contents, for a test that feeds its layer.
    ///
    /// ```
    /// # use flux::{Flux, source::Dir};
    /// #[derive(Flux)]
    /// #[flux(source = "dir:/etc/secrets")]
    /// struct Secrets {
    ///     #[flux(secret)]
    ///     password: String,
    /// }
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let secrets = flux::testing::harness::<Secrets>()
    ///     .document("dir:/etc/secrets", Dir::document([("password", "hunter2\n")]))
    ///     .start()
    ///     .await;
    /// assert_eq!(secrets.get().password, "hunter2");
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub fn document<N: Into<String>, T: Into<String>>(
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Vec<u8> {
        let files = files.into_iter();
        let files: Vec<(String, String)> = files
            .map(|(name, text)| (name.into(), text.into()))
            .collect();
        let files: Vec<(&str, &str)> = (files.iter())
            .map(|(name, text)| (&**name, &**text))
            .collect();
        values::written(&files)
    }

    /// How the documents that this source makes are read.
    pub fn codec() -> impl Codec + use<> {
        FolderCodec
    }
}

impl Watcher for Dir {
    fn origin(&self) -> String {
        self.target.shown.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let place = WatchedPlace::folder(Arc::clone(&self.target), None, self.settle);
        let intervals = Intervals {
            asked: None,
            usual: self.resync,
        };
        session::run(place, intervals, observer).await
    }
}
