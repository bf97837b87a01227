//! Files, end to end: from a change on the disk to what readers see.

use flux::{Capacitor, Flux, Source, State};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Debug)]
pub(crate) struct App {
    #[flux(default = 0, range = 0..=1_000_000)]
    pub(crate) n: u32,
    #[flux(default = "-")]
    pub(crate) end: String,
}

pub(crate) struct Watched {
    pub(crate) capacitor: Capacitor<App>,
    applied: Arc<AtomicUsize>,
}

impl Watched {
    pub(crate) async fn new(path: &Path, debounce: Duration) -> Watched {
        let applied = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&applied);
        let source = Source::file(path.to_str().unwrap()).resync(Duration::from_secs(3600));
        let capacitor = Capacitor::<App>::builder()
            .source(source)
            .debounce(debounce)
            .on_apply(move |_, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                async { Ok::<(), std::io::Error>(()) }
            })
            .build()
            .unwrap();
        let _ = capacitor.start().await;
        Watched { capacitor, applied }
    }

    pub(crate) async fn sees(&self, n: u32) {
        crate::until(&format!("n = {n}"), || {
            self.capacitor.try_snapshot().is_some_and(|app| app.n == n)
        })
        .await;
    }

    pub(crate) fn applied(&self) -> usize {
        self.applied.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn every_write_in_place_is_applied_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 0\nend: here").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    for n in 1..=1_000 {
        fs::write(&path, format!("n: {n}\nend: here")).unwrap();
        watched.sees(n).await;
        assert_eq!(
            watched.capacitor.get().end,
            "here",
            "half a file was applied"
        );
    }
    assert_eq!(watched.applied(), 1_001);
    assert_eq!(watched.capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn every_atomic_rename_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 0").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    for n in 1..=100 {
        let next = folder.path().join("next");
        fs::write(&next, format!("n: {n}")).unwrap();
        fs::rename(&next, &path).unwrap();
        watched.sees(n).await;
    }
    assert_eq!(watched.applied(), 101);
}

#[tokio::test]
async fn two_files_changed_together_are_one_update() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        folder.path().join("one.yaml"),
        folder.path().join("two.toml"),
    );
    fs::write(&one, "n: 1").unwrap();
    fs::write(&two, "end = 'a'").unwrap();
    let capacitor = Capacitor::<App>::builder()
        .source(Source::file(one.to_str().unwrap()))
        .source(Source::file(two.to_str().unwrap()))
        .debounce(Duration::from_secs(2))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    fs::write(&one, "n: 2").unwrap();
    fs::write(&two, "end = 'b'").unwrap();
    crate::until("both", || capacitor.get().n == 2).await;
    assert_eq!(capacitor.get().end, "b");
    assert_eq!(capacitor.status().generation, 2);
}

#[tokio::test]
async fn a_writer_that_keeps_the_file_open_is_never_seen_half() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 7\nend: old").unwrap();
    let watched = Watched::new(&path, Duration::from_millis(10)).await;
    let mut file = fs::File::create(&path).unwrap();
    for byte in b"n: 123456\nend: new\n" {
        file.write_all(&[*byte]).unwrap();
        file.flush().unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
        assert_eq!(
            (watched.capacitor.get().n, watched.capacitor.state()),
            (7, State::Healthy)
        );
    }
    drop(file);
    watched.sees(123_456).await;
    assert_eq!(watched.capacitor.get().end, "new");
    assert_eq!(watched.applied(), 2);
}

#[tokio::test]
async fn a_file_cut_anywhere_is_applied_only_where_the_rest_is_a_whole_document() {
    let whole = "{\"n\": 5, \"end\": \"here\"}";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    fs::write(&path, "{\"n\": 1, \"end\": \"first\"}").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    for cut in 0..whole.len() {
        let before = watched.capacitor.status().layers[0].received;
        fs::write(&path, &whole[..cut]).unwrap();
        crate::until("the cut is judged", || {
            let status = watched.capacitor.status();
            status.layers[0].received > before && status.state == State::Degraded
        })
        .await;
        assert_eq!(watched.capacitor.get().end, "first", "cut at {cut}");
    }
    fs::write(&path, whole).unwrap();
    watched.sees(5).await;
    assert_eq!(watched.capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_or_vanishes_is_handled_as_declared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conf").join("app.yaml");
    let watched = Watched::new(&path, Duration::ZERO).await;
    assert_eq!(watched.capacitor.state(), State::Empty);
    assert!(
        watched
            .capacitor
            .last_error()
            .unwrap()
            .to_string()
            .contains("does not exist")
    );
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "n: 3").unwrap();
    watched.sees(3).await;
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    crate::until("degraded", || watched.capacitor.state() == State::Degraded).await;
    assert_eq!(watched.capacitor.get().n, 3);
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "n: 4").unwrap();
    watched.sees(4).await;
    assert_eq!(watched.capacitor.state(), State::Healthy);
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_or_a_pipe_in_the_files_place_is_refused_and_nothing_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::create_dir(&path).unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    let text = watched.capacitor.last_error().unwrap().to_string();
    assert!(text.contains("directory"), "{text}");
    fs::remove_dir(&path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    crate::until("the pipe is refused", || {
        watched
            .capacitor
            .last_error()
            .is_some_and(|report| !report.to_string().contains("directory"))
    })
    .await;
    fs::remove_file(&path).unwrap();
    fs::write(&path, "n: 1").unwrap();
    watched.sees(1).await;
}

#[tokio::test]
async fn a_file_over_the_size_cap_is_refused_with_both_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    fs::File::create(&path)
        .unwrap()
        .set_len(100 * 1024 * 1024)
        .unwrap();
    crate::until("refused", || watched.capacitor.state() == State::Degraded).await;
    let text = watched.capacitor.last_error().unwrap().to_string();
    assert!(text.contains("16") && text.contains("100"), "{text}");
    assert_eq!(watched.capacitor.get().n, 1);
}

#[tokio::test]
async fn touching_and_rewriting_the_same_content_applies_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    for _ in 0..5 {
        fs::write(&path, "n: 1").unwrap();
        fs::File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .set_modified(std::time::SystemTime::now())
            .unwrap();
    }
    fs::write(&path, "n: 2").unwrap();
    watched.sees(2).await;
    assert_eq!(watched.applied(), 2);
}
