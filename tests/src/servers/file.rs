//! Files: no server, but the same suite as far as it has a meaning.

use super::Remote;
use crate::process::{Process, local};
use flux::Source;
use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use tempfile::TempDir;

/// A folder of files, each written as a whole and renamed into its place.
pub struct File {
    folder: TempDir,
    refused: AtomicBool,
}

impl File {
    fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    fn mode(&self) -> Permissions {
        Permissions::from_mode(if self.refused.load(SeqCst) { 0 } else { 0o644 })
    }

    fn apply_mode(&self) {
        for file in fs::read_dir(self.path("app")).into_iter().flatten() {
            let path = file.expect("an entry").path();
            fs::set_permissions(path, self.mode()).expect("its mode");
        }
    }
}

impl Remote for File {
    const NAME: &'static str = "file";
    const BOUND: Duration = Duration::from_secs(65);
    const SERVED: bool = false;

    async fn start() -> Option<Self> {
        Some(File {
            folder: tempfile::tempdir().expect("a folder"),
            refused: AtomicBool::new(false),
        })
    }

    /// Nobody refuses root anything, so that root runs the cases about rights again as somebody else.
    fn elsewhere(case: &str) -> Option<bool> {
        let may_anything = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        (may_anything && case.contains("permission")).then(|| as_nobody(case))
    }

    fn process(&mut self) -> &mut Process {
        panic!("nobody serves a file");
    }

    /// Nobody's: only for lines that nothing goes over.
    fn address(&self) -> SocketAddr {
        local(0)
    }

    fn uri(&self, _: SocketAddr, key: &str) -> String {
        format!("file:{}", self.path(key).display())
    }

    fn source(&self, _: SocketAddr, key: &str) -> Source {
        Source::uri(self.uri(local(0), key)).format(flux::Format::Json)
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        self.source(address, key)
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.path(key);
        let beside = self.path(&key.replace('/', "-"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&beside, bytes).expect("written");
        fs::set_permissions(&beside, self.mode()).expect("its mode");
        fs::rename(&beside, &path).expect("in its place");
    }

    async fn delete(&self, key: &str) {
        let _ = fs::remove_file(self.path(key));
    }

    async fn refuse(&self) {
        self.refused.store(true, SeqCst);
        self.apply_mode();
    }

    async fn grant(&self) {
        self.refused.store(false, SeqCst);
        self.apply_mode();
    }

    /// The folder is gone and comes back.
    async fn wipe(&mut self) {
        fs::remove_dir_all(self.folder.path()).expect("removed");
        fs::create_dir(self.folder.path()).expect("made again");
    }

    async fn restarted(&mut self) {}

    /// The watches of this process on its folders.
    async fn guests(&self) -> usize {
        let inode = |path: &Path| fs::metadata(path).map(|folder| folder.ino());
        let own: Vec<u64> = [self.folder.path(), &self.path("app")]
            .into_iter()
            .filter_map(|path| inode(path).ok())
            .collect();
        let mut watches = 0;
        for descriptor in fs::read_dir("/proc/self/fdinfo").expect("descriptors") {
            let path = descriptor.expect("a descriptor").path();
            let told = fs::read_to_string(path).unwrap_or_default();
            watches += told
                .lines()
                .filter_map(|line| line.strip_prefix("inotify ")?.split("ino:").nth(1))
                .filter_map(|rest| u64::from_str_radix(rest.split(' ').next()?, 16).ok())
                .filter(|watched| own.contains(watched))
                .count();
        }
        watches
    }
}

/// Runs one test of this program as the user `nobody`.
fn as_nobody(case: &str) -> bool {
    let program = std::env::current_exe().expect("this program");
    // Where nobody may go, too.
    let place = tempfile::tempdir().expect("a folder");
    let copy = place.path().join("tests");
    fs::hard_link(&program, &copy)
        .or_else(|_| fs::copy(&program, &copy).map(drop))
        .expect("a copy of this program");
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("its mode");
    let run = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .args(["--inh-caps=-all", "--no-new-privs"])
        .arg(&copy)
        .args(["--exact", case, "--nocapture"])
        .current_dir("/")
        .output()
        .expect("setpriv, of util-linux");
    let said = String::from_utf8_lossy(&run.stdout);
    let passed = run.status.success() && said.contains("1 passed");
    if !passed {
        eprintln!("{said}{}", String::from_utf8_lossy(&run.stderr));
    }
    passed
}
