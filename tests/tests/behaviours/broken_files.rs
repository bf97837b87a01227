//! Files that are cut, emptied, unreadable or missing.

use crate::files::{App, Watched};
use flux::{Capacitor, Source, State, source::Health};
use std::{fs, path::Path, time::Duration};

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
    let app = capacitor.try_snapshot().filter(|_| error.is_none())?;
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
    let text = told(Source::file("~/app.yaml")).await;
    assert!(
        text.contains("no shell expands `~` here, write `${HOME}`"),
        "{text}"
    );
    let text = told(Source::file("no-such-folder/app.yaml")).await;
    let folder = here.join("no-such-folder");
    let part = format!("there is no folder {}", folder.display());
    assert!(text.contains(&part), "`{part}` is not in\n{text}");
}

/// The superuser may read everything, so a test of what may not be read runs as somebody else.
#[cfg(unix)]
pub(crate) mod as_nobody {
    use super::*;
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};

    const CHILD: &str = "FLUX_TEST_NOBODY";
    const NOBODY: u32 = 65_534;

    /// Runs the test `name` again as a user without rights, in a folder of its own.
    pub(crate) fn again(name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let open =
            |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        open(folder.path());
        // The program itself may lie where only its owner can reach it.
        let program = folder.path().join("tests");
        // By another process: a copy open for writing here is inherited by what other tests start meanwhile, and may not be run.
        let copied = std::process::Command::new("cp")
            .arg(std::env::current_exe().unwrap())
            .arg(&program)
            .status();
        assert!(copied.unwrap().success());
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

    pub(crate) fn is_superuser(folder: &Path) -> bool {
        let path = folder.join("probe");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        fs::read(&path).is_ok()
    }

    /// What the health of the source says, while it is not live.
    fn stale(watched: &Watched) -> Option<String> {
        match &watched.capacitor.status().layers[0].health {
            Health::Stale { error, .. } => Some(error.to_string()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_file_without_read_permission_keeps_the_value_and_is_stale_until_it_is_granted() {
        let folder = tempfile::tempdir().unwrap();
        if is_superuser(folder.path()) {
            assert!(std::env::var(CHILD).is_err(), "still the superuser");
            return again(
                "broken_files::as_nobody::a_file_without_read_permission_keeps_the_value_and_is_stale_until_it_is_granted",
            );
        }
        let path = folder.path().join("app.yaml");
        fs::write(&path, "n: 1").unwrap();
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let watched = Watched::new(&path, Duration::ZERO).await;
        mode(0o000);
        fs::rename(&path, folder.path().join("other")).unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        crate::until("stale", || stale(&watched).is_some()).await;
        let text = stale(&watched).unwrap();
        assert!(text.contains("no permission to read it"), "{text}");
        assert_eq!(
            (watched.capacitor.get().n, watched.capacitor.state()),
            (1, State::Healthy),
            "no content was refused"
        );
        mode(0o600);
        crate::until("live", || stale(&watched).is_none()).await;
        fs::write(&path, "n: 2").unwrap();
        watched.sees(2).await;
        assert_eq!(watched.capacitor.state(), State::Healthy);
    }

    #[tokio::test]
    async fn the_rights_of_a_folder_are_noticed_when_they_go_and_when_they_come_back() {
        let folder = tempfile::tempdir().unwrap();
        if is_superuser(folder.path()) {
            assert!(std::env::var(CHILD).is_err(), "still the superuser");
            return again(
                "broken_files::as_nobody::the_rights_of_a_folder_are_noticed_when_they_go_and_when_they_come_back",
            );
        }
        let conf = folder.path().join("conf");
        fs::create_dir(&conf).unwrap();
        let path = conf.join("app.yaml");
        fs::write(&path, "n: 1").unwrap();
        let mode = |mode| fs::set_permissions(&conf, fs::Permissions::from_mode(mode)).unwrap();
        let watched = Watched::new(&path, Duration::ZERO).await;
        mode(0o000);
        crate::until("stale", || stale(&watched).is_some()).await;
        assert_eq!(
            (watched.capacitor.get().n, watched.capacitor.state()),
            (1, State::Healthy)
        );
        mode(0o700);
        crate::until("live", || stale(&watched).is_none()).await;
        fs::write(&path, "n: 2").unwrap();
        watched.sees(2).await;
    }

    #[tokio::test]
    async fn a_start_without_the_right_to_read_the_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        if is_superuser(folder.path()) {
            assert!(std::env::var(CHILD).is_err(), "still the superuser");
            return again(
                "broken_files::as_nobody::a_start_without_the_right_to_read_the_file_is_refused_by_name",
            );
        }
        let path = folder.path().join("app.yaml");
        fs::write(&path, "n: 1").unwrap();
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o000);
        let watched = Watched::new(&path, Duration::ZERO).await;
        let text = watched.capacitor.last_error().unwrap().to_string();
        assert!(text.contains("no permission to read it"), "{text}");
        mode(0o600);
        watched.sees(1).await;
    }
}
