//! That only one capacitor of a process writes a last known good file: two would write over one another.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long a start waits for a capacitor that was dropped and has not ended yet.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Files that are written, and by whom.
struct ClaimedFiles {
    /// A fork inherits the list, and none of the capacitors.
    process: u32,
    paths: Vec<PathBuf>,
    capacitor: String,
}

static CLAIMED: Mutex<Vec<ClaimedFiles>> = Mutex::new(Vec::new());

/// The right to write some files, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim(Vec<PathBuf>);

impl Claim {
    /// Waits for a capacitor that is about to end; the name of the one that goes on.
    pub(super) fn of(paths: &[PathBuf], capacitor: &str) -> Result<Claim, String> {
        let limit = Instant::now() + PATIENCE;
        loop {
            match Claim::now(paths, capacitor) {
                Err(_) if Instant::now() < limit => thread::sleep(PAUSE),
                claimed => return claimed,
            }
        }
    }

    pub(super) fn now(paths: &[PathBuf], capacitor: &str) -> Result<Claim, String> {
        let process = std::process::id();
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|one| one.process == process);
        let shared = |one: &&ClaimedFiles| one.paths.iter().any(|path| paths.contains(path));
        if let Some(one) = claimed.iter().find(shared) {
            return Err(one.capacitor.clone());
        }
        claimed.push(ClaimedFiles {
            process,
            paths: paths.to_owned(),
            capacitor: capacitor.to_owned(),
        });
        Ok(Claim(paths.to_owned()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|one| one.paths != self.0);
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
        let waits = thread::spawn(move || Claim::of(&last, "Other").map(drop));
        thread::sleep(Duration::from_millis(50));
        drop(one);
        assert_eq!(waits.join().unwrap(), Ok(()));
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "file", feature = "yaml"))]
mod starts {
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
