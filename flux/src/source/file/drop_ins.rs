//! The source `file:` of a pattern, `conf.d/*.yaml`: which files of a folder are delivered together; its intervals and limits.

use std::{ffi::OsStr, sync::Arc, time::Duration};

use flux_syntax::Pattern;

use super::{
    entry::PathContent,
    folder::Folder,
    place::WatchedPlace,
    session::{self, Intervals},
    target::Target,
};
use crate::source::{
    Content, Observation, Observer, SourceError, Watcher,
    drop_ins::{DropInLayers, name_of, refusal_of_size, written},
};

/// How often the folder is read although no event came.
const RESYNC: Duration = Duration::from_secs(60);
/// Each file.
const MAX_SIZE: u64 = 16 << 20;

/// Watches the files of a folder that a pattern fits. [`Source::file`](crate::Source::file) makes a layer of each:
/// `Source::file("conf.d/*.yaml")`. See [the guide](mod@crate::guide::sources::file).
#[derive(Clone, Debug)]
pub struct DropIns {
    target: Arc<Target>,
    pattern: Pattern,
    settle: Duration,
    resync: Option<Duration>,
}

impl DropIns {
    /// The files of these layers; neither they nor their folder need exist.
    pub(crate) fn of(layers: &DropInLayers, shown: &str) -> Self {
        DropIns {
            target: Arc::new(Target {
                shown: shown.to_owned(),
                path: layers.folder().to_owned(),
                max_size: MAX_SIZE,
            }),
            pattern: layers.pattern().clone(),
            settle: Duration::from_secs(1),
            resync: None,
        }
    }

    pub(crate) fn settle(mut self, quiet: Duration) -> Self {
        self.settle = quiet;
        self
    }

    pub(crate) fn resync(mut self, interval: Duration) -> Self {
        self.resync = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// The document in which this source delivers files with these names and contents, for a test that feeds it.
    ///
    /// ```
    /// # use flux::{Flux, source::DropIns};
    /// #[derive(Flux)]
    /// #[flux(source = "file:conf.d/*.yaml")]
    /// struct AppConfig {
    ///     port: u16,
    /// }
    /// # #[cfg(all(feature = "testing", feature = "yaml"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = flux::testing::harness::<AppConfig>()
    ///     .document("conf.d/*.yaml", DropIns::document([("10-a.yaml", "port: 1"), ("20-b.yaml", "port: 2")]))
    ///     .start()
    ///     .await;
    /// assert_eq!(app.get().port, 2);
    /// # }
    /// # #[cfg(not(all(feature = "testing", feature = "yaml")))]
    /// # fn main() {}
    /// ```
    pub fn document<N: AsRef<str>, T: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Vec<u8> {
        let files: Vec<(N, T)> = files.into_iter().collect();
        written(
            files
                .iter()
                .map(|(name, content)| (name.as_ref(), content.as_ref())),
        )
    }
}

impl Watcher for DropIns {
    fn origin(&self) -> String {
        self.target.shown.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let target = Arc::clone(&self.target);
        let place = WatchedPlace::folder(target, Some(self.pattern.clone()), self.settle);
        let intervals = Intervals {
            asked: self.resync,
            usual: RESYNC,
        };
        session::run(place, intervals, observer).await
    }
}

/// What the files of a folder are together: nothing, where there is none.
pub(super) fn documents(folder: &Folder, files: &[(&OsStr, &PathContent)]) -> Observation {
    match contents(folder, files) {
        Ok(files) if files.is_empty() => Observation::Absent,
        Ok(files) => Observation::Value(Content::new(written(files))),
        Err(error) => Observation::Unreadable(error),
    }
}

fn contents<'f>(
    folder: &Folder,
    files: &[(&'f OsStr, &'f PathContent)],
) -> Result<Vec<(&'f str, &'f [u8])>, SourceError> {
    let (mut contents, mut size) = (Vec::new(), 0_usize);
    for (name, held) in files {
        let bytes = match held {
            PathContent::Value(bytes) => bytes,
            PathContent::Absent => continue,
            PathContent::Unreadable(error) => return Err(error.clone()),
        };
        contents.push((name_of(name, &folder.shown(name))?, &**bytes));
        size = size.saturating_add(bytes.len());
    }
    match refusal_of_size(&folder.target.shown, contents.len(), size) {
        Some(error) => Err(error),
        None => Ok(contents),
    }
}
