//! A file that is mounted by itself, as `-v ./app.json:/app/app.json` does it: in a mount namespace of its own, where the machine has them.

use crate::watched::{Watched, document};
use flux::{Source, State};
use flux_tests::table::Case;
use std::{env, fs, process::Command};

/// Says that this process is the one in the namespace.
const INSIDE: &str = "FLUX_TEST_MOUNTED";

fn in_a_namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_behind_its_mount_is_stale() {
    if env::var_os(INSIDE).is_some() {
        return is_stale().await;
    }
    let case = Case::begin("file", "a_mounted_file_replaced");
    let possible = in_a_namespace().arg("true").output();
    if !possible.is_ok_and(|run| run.status.success()) {
        eprintln!("SKIPPED: this machine allows no mount namespace of one's own");
        return case.skipped();
    }
    let run = in_a_namespace()
        .arg(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("mounted::a_file_that_is_replaced_behind_its_mount_is_stale")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    case.passed();
}

async fn is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let [outside, inside, beside] =
        ["outside.json", "inside.json", "beside"].map(|name| folder.path().join(name));
    fs::write(&outside, document(1)).unwrap();
    fs::write(&inside, "").unwrap();
    let mounted = Command::new("mount")
        .arg("--bind")
        .args([&outside, &inside])
        .status();
    assert!(mounted.unwrap().success());
    let source = Source::uri(format!("file:{}", inside.display()));
    let watched = Watched::started(source).await;
    for n in 2..=4 {
        // In place, as an editor of the host does that keeps the inode.
        fs::write(&outside, document(n)).unwrap();
        watched.sees(n).await;
    }
    fs::write(&beside, document(5)).unwrap();
    fs::rename(&beside, &outside).unwrap();
    let named = || {
        let trouble = watched.trouble();
        trouble.is_some_and(|trouble| trouble.to_string().contains("replaced behind its mount"))
    };
    watched.until("stale", named).await;
    assert_eq!(watched.capacitor.get().n, 4, "the last one is kept");
    assert_eq!(
        watched.capacitor.state(),
        State::Healthy,
        "stale is no state"
    );
    let unmounted = Command::new("umount").arg(&inside).status();
    assert!(unmounted.unwrap().success());
}
