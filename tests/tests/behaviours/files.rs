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
struct App {
    #[flux(default = 0, range = 0..=1_000_000)]
    n: u32,
    #[flux(default = "-")]
    end: String,
}

struct Watched {
    capacitor: Capacitor<App>,
    applied: Arc<AtomicUsize>,
}

impl Watched {
    async fn new(path: &Path, debounce: Duration) -> Watched {
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

    async fn sees(&self, n: u32) {
        crate::until(&format!("n = {n}"), || {
            self.capacitor.current().is_some_and(|app| app.n == n)
        })
        .await;
    }

    fn applied(&self) -> usize {
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

/// Documents of which many a beginning is a whole document too.
const WHOLE: [(&str, &str, &str); 3] = [
    (
        "app.json",
        "{\"n\": 1, \"end\": \"first\"}",
        "{\"n\": 57,\n \"end\": \"é\"}\n",
    ),
    (
        "app.yaml",
        "n: 1\nend: first",
        "n: 57\n# text\nend: \"é\"\n",
    ),
    (
        "app.toml",
        "n = 1\nend = 'first'",
        "n = 57\n# text\nend = \"é\"\n",
    ),
];

/// What a document is to Flux without any file.
async fn by_channel(name: &str, bytes: &[u8]) -> Option<(u32, String)> {
    let format = match name {
        "app.json" => flux::Format::Json,
        "app.yaml" => flux::Format::Yaml,
        _ => flux::Format::Toml,
    };
    let (capacitor, error) = crate::start::<App>(format, bytes).await;
    let app = capacitor.current().filter(|_| error.is_none())?;
    Some((app.n, app.end.clone()))
}

#[tokio::test]
async fn a_file_cut_and_closed_anywhere_is_applied_only_where_the_rest_is_a_whole_document() {
    for (name, first, whole) in WHOLE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, first).unwrap();
        let watched = Watched::new(&path, Duration::ZERO).await;
        let mut expected = (1, "first".to_owned());
        let mut applied = 0;
        for cut in 1..=whole.len() {
            let bytes = &whole.as_bytes()[..cut];
            let valid = by_channel(name, bytes).await;
            let before = watched.capacitor.status().layers[0].received;
            fs::write(&path, bytes).unwrap();
            let state = match &valid {
                Some(_) => State::Healthy,
                None => State::Degraded,
            };
            crate::until("the cut is judged", || {
                let status = watched.capacitor.status();
                status.layers[0].received > before && status.state == state
            })
            .await;
            applied += usize::from(valid.is_some());
            expected = valid.unwrap_or(expected);
            let app = watched.capacitor.get();
            assert_eq!(
                (app.n, &app.end),
                (expected.0, &expected.1),
                "{name} cut at {cut}"
            );
        }
        assert!(applied > 0 && expected == (57, "é".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_file_cut_anywhere_is_not_applied_while_its_writer_has_it_open() {
    use std::io::Write;
    for (name, first, whole) in WHOLE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, first).unwrap();
        let watched = Watched::new(&path, Duration::from_millis(1)).await;
        let mut open = Vec::new();
        for cut in 0..whole.len() {
            let mut file = fs::File::create(&path).unwrap();
            file.write_all(&whole.as_bytes()[..cut]).unwrap();
            // Far longer than the debounce, far shorter than the time after which an open file is judged.
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(
                (watched.capacitor.get().n, watched.capacitor.state()),
                (1, State::Healthy),
                "{name} cut at {cut}"
            );
            open.push(file);
        }
        fs::write(&path, whole).unwrap();
        watched.sees(57).await;
        assert_eq!(watched.applied(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_emptied_for_good_keeps_the_configuration_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.toml");
    fs::write(&path, "n = 1").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    for emptied in ["", "# n = 1\n"] {
        fs::write(&path, emptied).unwrap();
        crate::until("the empty file is judged", || {
            watched.capacitor.state() == State::Degraded
        })
        .await;
        let text = watched.capacitor.last_error().unwrap().to_string();
        assert!(
            text.contains("is empty, and this layer is required"),
            "{text}"
        );
        assert_eq!(watched.capacitor.get().n, 1);
        fs::write(&path, "n = 1").unwrap();
        crate::until("healed", || watched.capacitor.state() == State::Healthy).await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_utf_8_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, b"n: 1\nend: caf\xe9").unwrap();
    let watched = Watched::new(&path, Duration::ZERO).await;
    let text = watched.capacitor.last_error().unwrap().to_string();
    assert!(
        text.contains("is not UTF-8: the byte 0xe9 at offset 13"),
        "{text}"
    );
    assert!(text.contains("app.yaml:2:9"), "{text}");
}

#[tokio::test]
async fn a_missing_file_is_told_with_its_folder_and_with_the_file_that_was_meant() {
    let told = |source: Source| async {
        let capacitor = Capacitor::<App>::builder().source(source).build().unwrap();
        capacitor.start().await.expect_err("missing").to_string()
    };
    let here = std::env::current_dir().unwrap();
    let text = told(Source::file("Cargo.tmol").format(flux::Format::Toml)).await;
    for part in [
        format!(
            "does not exist in {}, and this layer is required",
            here.display()
        ),
        "did you mean `Cargo.toml`?".to_owned(),
        "--> Cargo.tmol".to_owned(),
    ] {
        assert!(text.contains(&part), "`{part}` is not in\n{text}");
    }
    let text = told(Source::file("no-such-folder/app.yaml")).await;
    let folder = here.join("no-such-folder");
    let part = format!("there is no folder {}", folder.display());
    assert!(text.contains(&part), "`{part}` is not in\n{text}");
}

/// The superuser may read everything, so a test of what may not be read runs as somebody else.
#[cfg(unix)]
mod as_nobody {
    use super::*;
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};

    const CHILD: &str = "FLUX_TEST_NOBODY";
    const NOBODY: u32 = 65_534;

    /// Runs the test `name` again as a user without rights, in a folder of its own.
    fn again(name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let open =
            |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        open(folder.path());
        // The program itself may lie where only its owner can reach it.
        let program = folder.path().join("tests");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        open(&program);
        let mine = folder.path().join("mine");
        fs::create_dir(&mine).unwrap();
        std::os::unix::fs::chown(&mine, Some(NOBODY), Some(NOBODY)).unwrap();
        let output = std::process::Command::new(&program)
            .args(["--exact", name, "--nocapture"])
            .current_dir(&mine)
            .env(CHILD, "1")
            .env("TMPDIR", &mine)
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{told}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn is_superuser(folder: &Path) -> bool {
        let path = folder.join("probe");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        fs::read(&path).is_ok()
    }

    #[tokio::test]
    async fn a_file_without_read_permission_is_refused_until_it_is_granted() {
        let folder = tempfile::tempdir().unwrap();
        if is_superuser(folder.path()) {
            assert!(std::env::var(CHILD).is_err(), "still the superuser");
            return again(
                "files::as_nobody::a_file_without_read_permission_is_refused_until_it_is_granted",
            );
        }
        let path = folder.path().join("app.yaml");
        fs::write(&path, "n: 1").unwrap();
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let watched = Watched::new(&path, Duration::ZERO).await;
        mode(0o000);
        fs::rename(&path, folder.path().join("other")).unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        crate::until("refused", || watched.capacitor.state() == State::Degraded).await;
        let text = watched.capacitor.last_error().unwrap().to_string();
        assert!(text.contains("no permission to read it"), "{text}");
        assert_eq!(watched.capacitor.get().n, 1);
        mode(0o600);
        fs::write(&path, "n: 2").unwrap();
        watched.sees(2).await;
        assert_eq!(watched.capacitor.state(), State::Healthy);
    }
}
