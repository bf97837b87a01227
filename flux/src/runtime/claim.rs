//! That only one capacitor of a process writes a last known good file, and that no other one reads it as a source: it would be written
//! over.

use super::last_known_good::KeepOnDisk;
use crate::source::off_the_worker;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long a start waits for a capacitor that was dropped and has not ended yet.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Files of a capacitor.
#[derive(Debug)]
struct ClaimedFiles {
    /// A fork inherits the list, and none of the capacitors.
    process: u32,
    capacitor: String,
    /// Where it writes.
    written: Vec<PathBuf>,
    keep: Option<KeepOnDisk>,
    /// Files and folders that it reads as sources.
    sources: Vec<PathBuf>,
}

static CLAIMED: Mutex<Vec<Arc<ClaimedFiles>>> = Mutex::new(Vec::new());

/// Those of this process. It is held for no look at the disk, which may hang.
fn claimed() -> MutexGuard<'static, Vec<Arc<ClaimedFiles>>> {
    let process = std::process::id();
    let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    claimed.retain(|one| one.process == process);
    claimed
}

/// The right to write some files, and that no other capacitor writes what this one reads, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim(Arc<ClaimedFiles>);

impl Claim {
    /// Waits for a capacitor that is about to end; the name of the one that goes on.
    #[cfg(feature = "cli")]
    pub(super) fn of(paths: &[PathBuf], capacitor: &str) -> Result<Claim, String> {
        patiently(|| Claim::now(paths, capacitor))
    }

    /// For the files that a capacitor keeps; else why not.
    pub(super) fn to_keep(keep: &KeepOnDisk, capacitor: &str) -> Result<Claim, String> {
        let written = keep.places();
        patiently(|| {
            let both = |other: String| {
                format!(
                    "the last known good configuration would be written to {}, which the capacitor `{other}` of this process writes, too; \
                     give each a file of its own, or call `stop().await` on the other one first",
                    keep.shown()
                )
            };
            Claim::make(&written, Some(keep), &[], capacitor, |other| {
                if shares(other, &written) {
                    return Err(both(other.capacitor.clone()));
                }
                let reader = format!(" of the capacitor `{}` of this process", other.capacitor);
                keep.beside(other.sources.iter().map(PathBuf::as_path), "", &reader)
            })
        })
    }

    /// For what a capacitor reads; else why not. The disk is looked at only where another capacitor keeps a file, and never on this
    /// thread: a network file system may be away.
    pub(super) async fn to_read(sources: Vec<PathBuf>, capacitor: &str) -> Result<Claim, String> {
        let unseen = Claim::make(&[], None, &sources, capacitor, |_| Err(String::new()));
        if unseen.is_ok() {
            return unseen;
        }
        let capacitor = capacitor.to_owned();
        // Whoever is in the way may be about to end.
        let look = move || {
            patiently(|| {
                Claim::make(&[], None, &sources, &capacitor, |other| {
                    let Some(keep) = &other.keep else {
                        return Ok(());
                    };
                    let writer = format!(" of the capacitor `{}` of this process", other.capacitor);
                    keep.beside(sources.iter().map(PathBuf::as_path), &writer, "")
                })
            })
        };
        off_the_worker(look).await.and_then(|claim| claim)
    }

    #[cfg(any(feature = "cli", test))]
    pub(super) fn now(paths: &[PathBuf], capacitor: &str) -> Result<Claim, String> {
        Claim::make(paths, None, &[], capacitor, |other| {
            match shares(other, paths) {
                true => Err(other.capacitor.clone()),
                false => Ok(()),
            }
        })
    }

    /// Unless `check` refuses another one.
    fn make(
        written: &[PathBuf],
        keep: Option<&KeepOnDisk>,
        sources: &[PathBuf],
        capacitor: &str,
        check: impl Fn(&ClaimedFiles) -> Result<(), String>,
    ) -> Result<Claim, String> {
        let own = Arc::new(ClaimedFiles {
            process: std::process::id(),
            capacitor: capacitor.to_owned(),
            written: written.to_owned(),
            keep: keep.cloned(),
            sources: sources.to_owned(),
        });
        let mut checked: Vec<Arc<ClaimedFiles>> = Vec::new();
        loop {
            let mut claimed = claimed();
            // Those that only read are never in each other's way.
            let matters = |one: &&Arc<ClaimedFiles>| keep.is_some() || !one.written.is_empty();
            let is_new =
                |one: &&Arc<ClaimedFiles>| !checked.iter().any(|two| Arc::ptr_eq(one, two));
            let new: Vec<_> = claimed
                .iter()
                .filter(matters)
                .filter(is_new)
                .cloned()
                .collect();
            if new.is_empty() {
                claimed.push(Arc::clone(&own));
                return Ok(Claim(own));
            }
            drop(claimed);
            new.iter().try_for_each(|one| check(one))?;
            checked.extend(new);
        }
    }
}

fn shares(other: &ClaimedFiles, paths: &[PathBuf]) -> bool {
    other.written.iter().any(|path| paths.contains(path))
}

/// Tries again for a while: what is in the way may be about to end.
fn patiently(claim: impl Fn() -> Result<Claim, String>) -> Result<Claim, String> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match claim() {
            Err(_) if Instant::now() < limit => thread::sleep(PAUSE),
            claimed => return claimed,
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claimed().retain(|one| !Arc::ptr_eq(one, &self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_claimed_once_until_it_is_released() {
        let paths = |name: &str| {
            let file = PathBuf::from(format!("/no/such/folder/{name}.json"));
            [file.with_extension("json.trial"), file]
        };
        let last = paths("last");
        let one = Claim::now(&last, "One").unwrap();
        assert_eq!(Claim::now(&last, "Other").unwrap_err(), "One");
        // The file of one is the record of another.
        assert_eq!(Claim::now(&last[..1], "Other").unwrap_err(), "One");
        Claim::now(&paths("other"), "Other").unwrap();
        let waits = thread::spawn(move || patiently(|| Claim::now(&last, "Other")).map(drop));
        thread::sleep(Duration::from_millis(50));
        drop(one);
        assert_eq!(waits.join().unwrap(), Ok(()));
    }

    /// As where a folder on the way is on a network file system that is away.
    #[test]
    fn where_another_capacitor_keeps_a_file_the_disk_is_not_looked_at_on_a_thread_of_the_runtime() {
        use crate::Secrets;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let keep = KeepOnDisk::new(path("kept.json").display().to_string(), Secrets::Omit, None);
        let sources = || vec![path("app.json")];
        let (free, held) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || held.recv());
        let soon = Duration::from_millis(200);
        runtime.block_on(async {
            let _kept = Claim::to_keep(&keep.unwrap(), "Keeping").unwrap();
            let mut claim = Box::pin(Claim::to_read(sources(), "Reading"));
            let early = tokio::time::timeout(soon, &mut claim).await;
            assert!(early.is_err(), "the disk was looked at");
            free.send(()).unwrap();
            claim.await.unwrap();
        });
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "file", feature = "yaml"))]
mod starts {
    #![allow(clippy::unwrap_used)] // In helpers too.

    use crate::{Capacitor, Format, Secrets, Source, source::Channel};
    use std::path::Path;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct FirstWriter {
        n: u32,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct SecondWriter {
        #[flux(default)]
        n: u32,
    }

    async fn ready<C: crate::Config>(path: &Path) -> Capacitor<C> {
        let (sender, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        sender.send(&b"n: 1"[..]).await.unwrap();
        std::mem::forget(sender);
        let builder = Capacitor::<C>::builder().source(source);
        let kept = builder.last_known_good(path.to_str().unwrap(), Secrets::Omit);
        kept.trial(2).build().unwrap()
    }

    #[tokio::test]
    async fn a_second_capacitor_with_the_same_last_known_good_file_is_refused_until_the_first_ends()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let dotted = folder.path().join(".").join("last.json");
        let one = ready::<FirstWriter>(&path).await;
        one.start().await.unwrap();
        let other = ready::<SecondWriter>(&dotted).await;
        let error = other.start().await.unwrap_err().to_string();
        for part in ["last.json", "`FirstWriter`", "a file of its own"] {
            assert!(error.contains(part), "{error}");
        }
        one.stop().await;
        other.start().await.unwrap();
        // One that is dropped ends by itself.
        drop(other);
        let again = ready::<FirstWriter>(&path).await;
        let started = async {
            while again.start().await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, started).await.unwrap();
        again.stop().await;
    }

    /// Two capacitors with files at these paths; whether the second one is refused.
    async fn refused(one: &Path, other: &Path) -> bool {
        let first = ready::<FirstWriter>(one).await;
        first.start().await.unwrap();
        let second = ready::<SecondWriter>(other).await;
        let outcome = second.start().await;
        second.stop().await;
        first.stop().await;
        outcome.is_err()
    }

    /// A capacitor with a file as its source.
    fn reader(path: &Path) -> Capacitor<SecondWriter> {
        let source = Source::file(path.to_str().unwrap()).format(Format::Json);
        Capacitor::builder().source(source).build().unwrap()
    }

    #[tokio::test]
    async fn a_source_that_is_the_last_known_good_file_of_another_capacitor_or_its_record_is_refused()
     {
        let folder = tempfile::tempdir().unwrap();
        for (source, what) in [
            ("last.json", "the last known good configuration"),
            ("last.json.trial", "the record of trials"),
        ] {
            let kept = folder.path().join("last.json");
            let source = folder.path().join(".").join(source);
            std::fs::write(&source, r#"{"n": 1}"#).unwrap();
            let expected = |whose: &str| format!("{what}{whose} would be written to ");
            // The reader is first.
            let first = reader(&source);
            first.start().await.unwrap();
            let second = ready::<FirstWriter>(&kept).await;
            let error = second.start().await.unwrap_err().to_string();
            assert!(error.contains(&expected("")), "{error}");
            let read = "of the capacitor `SecondWriter` of this process reads; give it a file";
            assert!(error.contains(read), "{error}");
            assert_eq!(std::fs::read_to_string(&source).unwrap(), r#"{"n": 1}"#);
            first.stop().await;
            second.start().await.unwrap();
            // The writer is first.
            let third = reader(&source);
            let error = third.start().await.unwrap_err().to_string();
            let writer = expected(" of the capacitor `FirstWriter` of this process");
            assert!(error.contains(&writer), "{error}");
            second.stop().await;
            std::fs::write(&source, r#"{"n": 1}"#).unwrap();
            third.start().await.unwrap();
            third.stop().await;
            for name in ["last.json", "last.json.trial"] {
                let _ = std::fs::remove_file(folder.path().join(name));
            }
        }
        // Two readers of one file, and a writer of another one beside it.
        let (path, kept) = (folder.path().join("app.json"), folder.path().join("k.json"));
        std::fs::write(&path, r#"{"n": 1}"#).unwrap();
        let (one, two) = (reader(&path), reader(&path));
        one.start().await.unwrap();
        two.start().await.unwrap();
        one.stop().await;
        let writer = ready::<FirstWriter>(&kept).await;
        writer.start().await.unwrap();
        writer.stop().await;
        // The one that is left is known still.
        let writer = ready::<FirstWriter>(&path).await;
        writer.start().await.unwrap_err();
        two.stop().await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn one_file_is_one_file_by_whatever_path_and_a_link_in_its_place_is_another() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink(folder.path(), path("link")).unwrap();
        assert!(refused(&path("a.json"), &path("link/a.json")).await);
        // The folder is not there yet.
        assert!(refused(&path("no/a.json"), &path("link/no/a.json")).await);
        // The record of one is the file of the other.
        assert!(refused(&path("b.json"), &path("b.json.trial")).await);
        assert!(!refused(&path("c.json"), &path("d.json")).await);
        // The first one replaces the link, and the file that it led to is not written.
        symlink(path("c.json"), path("e.json")).unwrap();
        assert!(refused(&path("e.json"), &path("e.json")).await);
        symlink(path("c.json"), path("f.json")).unwrap();
        assert!(!refused(&path("f.json"), &path("c.json")).await);
    }
}
