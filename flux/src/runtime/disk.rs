//! In which order a kept file is written, synced and renamed, so that a name leads to the old content or to the new one, whenever
//! the process stops.
//!
//! A file is replaced as a whole: written beside its name, synced, renamed, and its folder synced. Whatever the moment at which the
//! process or the machine stops, the name leads to the old content or to the new one. Its tests stop between each two calls.

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// The system calls.
pub(super) trait Disk: Send + Sync + std::fmt::Debug {
    /// A new file, readable by its owner alone.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub(super) trait DiskFile {
    fn write_all(&mut self, content: &[u8]) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

/// The disk of this machine; in a test, the one that it has put in its place.
pub(super) fn here() -> std::sync::Arc<dyn Disk> {
    #[cfg(test)]
    if let Ok(disk) = INSTEAD.try_with(std::sync::Arc::clone) {
        return disk;
    }
    std::sync::Arc::new(SystemDisk)
}

#[cfg(test)]
tokio::task_local! {
    static INSTEAD: std::sync::Arc<dyn Disk>;
}

/// Runs `start` with another disk.
#[cfg(all(test, feature = "derive", feature = "yaml"))]
pub(super) async fn on_disk<T>(
    disk: std::sync::Arc<dyn Disk>,
    start: impl Future<Output = T>,
) -> T {
    INSTEAD.scope(disk, start).await
}

/// Puts the whole file in place at once, readable by its owner alone, and on the disk before it counts.
pub(super) fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    // One that was left behind may be readable by others.
    let _ = disk.remove(&beside);
    let written = disk.create(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync()
    });
    let placed = written.and_then(|()| disk.rename(&beside, path));
    if placed.is_err() {
        // What could not be put in place is of no use; the first error is the one to report.
        let _ = disk.remove(&beside);
        return placed;
    }
    disk.sync_folder(folder(path))
}

/// Removes a file, where there is one; it does not come back when the machine stops.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Ok(()) => disk.sync_folder(folder(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// No write lasts as long as this.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// Removes what processes that were killed while they replaced the file have left beside it. What is new may be another process's,
/// which writes right now. Nothing depends on it: an error is passed over.
pub(super) fn sweep(path: &Path) {
    let Ok(entries) = fs::read_dir(folder(path)) else {
        return;
    };
    let start = format!(".{}.", path.file_name().unwrap_or_default().display());
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let number = name
            .strip_prefix(&start)
            .and_then(|rest| rest.strip_suffix(".new"));
        let is_ours = number.is_some_and(|number| number.parse::<u32>().is_ok());
        // Only of those that have such a name, since a folder may be large and far away.
        let is_old = || {
            let modified = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let age = modified.modified().ok()?.elapsed().ok()?;
            Some(age > LEFT_BEHIND)
        };
        if is_ours && is_old() == Some(true) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    // Two processes of two containers can have one number.
    name.push(format!(".{}.new", fastrand::u32(..)));
    path.with_file_name(name)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Reads a regular file of at most `max` bytes; none where there is no file. Never waits on a pipe or a device.
pub(super) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, String> {
    let shown = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(None),
        _ => Err(format!("{shown}: cannot be read: {error}")),
    };
    // Before it is opened, since opening some devices has effects, and for systems where the open itself may wait.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(no_file(path)),
        Ok(_) => {}
        Err(error) => return failed(error),
    }
    let file = match open(path) {
        Ok(file) => file,
        Err(error) => return failed(error),
    };
    match file.metadata() {
        Ok(found) if !found.is_file() => return Err(no_file(path)),
        Ok(found) if found.len() > max => return Err(too_large(path, max)),
        Ok(_) => {}
        Err(error) => return failed(error),
    }
    let mut bytes = Vec::new();
    match file.take(max.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > max => Err(too_large(path, max)),
        Ok(_) => Ok(Some(bytes)),
        Err(error) => failed(error),
    }
}

fn no_file(path: &Path) -> String {
    format!("{}: is no regular file", path.display())
}

fn too_large(path: &Path, max: u64) -> String {
    let limit = max >> 20;
    format!(
        "{}: is larger than the limit of {limit} MiB",
        path.display()
    )
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(all(unix, feature = "file"))]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A FIFO without a writer would block the open itself.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    options.open(path)
}

/// The disk of this machine.
#[derive(Debug)]
pub(super) struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        is_replaceable(to)?;
        fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        is_replaceable(path)?;
        fs::remove_file(path)
    }
    /// Where a folder cannot be synced, what happens to its names is the system's own promise, and no write fails of it: Windows opens
    /// no folder as a file, and some network and user-space file systems refuse the call.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(not(unix)) {
            return Ok(());
        }
        match File::open(path)?.sync_all() {
            Err(error) if cannot_sync(&error) => Ok(()),
            synced => synced,
        }
    }
}

/// A device, a pipe or a socket belongs to others: as root, a rename would put a file in the place of `/dev/null`.
fn is_replaceable(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path);
    match found.is_ok_and(|found| !found.is_file() && !found.is_symlink() && !found.is_dir()) {
        true => Err(io::Error::other(
            "there is a device, a pipe or a socket, which is left alone",
        )),
        false => Ok(()),
    }
}

/// The call is not there for what it was called with; an error of the medium is another one.
fn cannot_sync(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

impl DiskFile for File {
    fn write_all(&mut self, content: &[u8]) -> io::Result<()> {
        Write::write_all(self, content)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
