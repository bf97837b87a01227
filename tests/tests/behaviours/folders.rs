//! Directories of values, end to end: from a change on the disk to what readers see.

use flux::{Capacitor, Flux, Source, State};
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Flux, Debug)]
struct Secrets {
    #[flux(default = "the default")]
    s: String,
    #[flux(default = 0)]
    n: u32,
}

struct Watched {
    capacitor: Capacitor<Secrets>,
    applied: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    async fn new(folder: &Path) -> Watched {
        let applied = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&applied);
        let capacitor = Capacitor::<Secrets>::builder()
            .source(Source::dir(folder))
            .debounce(Duration::ZERO)
            .on_apply(move |_, new: Arc<flux::Snapshot<Secrets>>| {
                all.lock().unwrap().push(new.s.clone());
                async { Ok::<(), std::io::Error>(()) }
            })
            .build()
            .unwrap();
        let _ = capacitor.start().await;
        Watched { capacitor, applied }
    }

    async fn sees(&self, s: &str, n: u32) {
        crate::until(&format!("{s}, {n}"), || {
            let now = self.capacitor.get();
            now.s == s && now.n == n
        })
        .await;
    }

    fn applied(&self) -> Vec<String> {
        let mut applied = self.applied.lock().unwrap().clone();
        applied.dedup();
        applied
    }
}

#[tokio::test]
async fn neither_an_emptied_file_nor_a_missing_one_leads_to_a_default_while_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let s = folder.path().join("s");
    let n = |n: u32| fs::write(folder.path().join("n"), n.to_string()).unwrap();
    fs::write(&s, "old").unwrap();
    n(1);
    let watched = Watched::new(folder.path()).await;
    watched.sees("old", 1).await;
    // As `rm s; sleep .1; echo new > s` while another file is written.
    fs::remove_file(&s).unwrap();
    n(2);
    watched.sees("old", 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    fs::write(&s, "new").unwrap();
    watched.sees("new", 2).await;
    // As `( sleep 1.5; echo newer ) > s`.
    let writer = fs::File::create(&s).unwrap();
    n(3);
    watched.sees("new", 3).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    std::io::Write::write_all(&mut &writer, b"newer\n").unwrap();
    drop(writer);
    watched.sees("newer", 3).await;
    assert_eq!(watched.applied(), ["old", "new", "newer"]);
    assert_eq!(watched.capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn files_of_a_plain_folder_are_seen_when_they_come_and_when_they_go() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("n"), "1").unwrap();
    let watched = Watched::new(folder.path()).await;
    watched.sees("the default", 1).await;
    fs::write(folder.path().join("s"), "here").unwrap();
    watched.sees("here", 1).await;
    fs::remove_file(folder.path().join("s")).unwrap();
    watched.sees("the default", 1).await;
}

#[tokio::test]
async fn a_file_and_a_section_of_one_name_are_refused_by_the_names_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s"), "1").unwrap();
    fs::write(folder.path().join("s.inner"), "1").unwrap();
    let watched = Watched::new(folder.path()).await;
    let text = watched.capacitor.last_error().unwrap().to_string();
    assert!(
        text.contains("the files `s` and `s.inner` set the same key"),
        "{text}"
    );
}

/// What could not be read since the last look at the whole is not known to be as it was.
#[tokio::test]
async fn an_event_of_one_file_of_a_folder_proves_nothing_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let n = |n: u32| fs::write(folder.path().join("n"), n.to_string()).unwrap();
    fs::write(folder.path().join("s"), "as it was").unwrap();
    n(1);
    let source = Source::dir(folder.path()).resync(Duration::from_secs(36_000));
    let capacitor = Capacitor::<Secrets>::builder()
        .source(source)
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    let proven = || capacitor.status().layers[0].proven().expect("it was read");
    let first = proven();
    tokio::time::sleep(Duration::from_secs(2)).await;
    n(2);
    crate::until("the new number", || capacitor.get().n == 2).await;
    let since = proven().duration_since(first).unwrap_or_default();
    assert!(since < Duration::from_secs(1), "{since:?}");
    capacitor.stop().await;
}
