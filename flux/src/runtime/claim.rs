//! Which capacitor of this process writes which file of a last known good configuration: two would write over one another.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long a start waits for a capacitor that was dropped and has not ended yet.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// A file that is written, and by whom.
struct ClaimedFile {
    /// A fork inherits the list, and none of the capacitors.
    process: u32,
    path: PathBuf,
    capacitor: String,
}

static CLAIMED: Mutex<Vec<ClaimedFile>> = Mutex::new(Vec::new());

/// The right to write a file, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim(PathBuf);

impl Claim {
    /// Waits for a capacitor that is about to end; the name of the one that goes on.
    pub(super) fn of(path: &Path, capacitor: &str) -> Result<Claim, String> {
        let limit = Instant::now() + PATIENCE;
        loop {
            match Claim::now(path, capacitor) {
                Err(_) if Instant::now() < limit => thread::sleep(PAUSE),
                claimed => return claimed,
            }
        }
    }

    fn now(path: &Path, capacitor: &str) -> Result<Claim, String> {
        let process = std::process::id();
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|one| one.process == process);
        if let Some(one) = claimed.iter().find(|one| one.path == path) {
            return Err(one.capacitor.clone());
        }
        claimed.push(ClaimedFile {
            process,
            path: path.to_owned(),
            capacitor: capacitor.to_owned(),
        });
        Ok(Claim(path.to_owned()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|one| one.path != self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_claimed_once_until_it_is_released() {
        let path = Path::new("/no/such/folder/last.json");
        let one = Claim::now(path, "One").unwrap();
        assert_eq!(Claim::now(path, "Other").unwrap_err(), "One");
        Claim::now(Path::new("/no/such/folder/other.json"), "Other").unwrap();
        let waits = thread::spawn(move || Claim::of(path, "Other").map(drop));
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
        again.start().await.unwrap();
        again.stop().await;
    }
}
