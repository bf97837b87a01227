//! How a file is read whole: which are refused (pipes, devices, too large), and when it changed while it was read.

use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Read},
    path::Path,
    time::{Duration, SystemTime},
};

use super::target::Target;
use crate::source::SourceError;

/// How often a file that moves under the reader is read again before its writer is waited for.
const TRIES: usize = 3;

/// What a path was found to lead to.
#[derive(Debug)]
pub(super) struct ReadOutcome {
    pub(super) what: FileContent,
    /// It did not change while it was read.
    pub(super) steady: bool,
    /// How long before the reading began it was modified; `None` also where that lies in the future.
    pub(super) age: Option<Duration>,
    /// Of a file: which one it is, and how it was left.
    pub(super) stamp: Option<FileStamp>,
    /// It has no name any more: it is seen through a mount, and another file has its name.
    pub(super) orphan: bool,
}

/// What differs between two files, or two states of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    size: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

#[derive(Debug)]
pub(super) enum FileContent {
    Bytes(Vec<u8>),
    Absent,
    /// There is something that cannot be a document.
    Unreadable(SourceError),
    /// It could not be read for a reason that may pass.
    Failed(SourceError),
}

impl ReadOutcome {
    /// What was found where no file could be read.
    pub(super) fn bare(what: FileContent) -> Self {
        ReadOutcome {
            what,
            steady: true,
            age: None,
            stamp: None,
            orphan: false,
        }
    }
}

impl FileStamp {
    fn of(metadata: &Metadata) -> Self {
        FileStamp {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }

    /// Which file it is.
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        self.identity
    }

    #[cfg(test)]
    pub(super) fn of_test(size: u64) -> Self {
        FileStamp {
            size,
            modified: None,
            identity: None,
        }
    }
}

/// Reads `path`, called `shown` in errors, unless it is larger than `max` bytes.
pub(super) fn read(path: &Path, shown: &str, max: u64) -> ReadOutcome {
    let mut found = attempt(path, shown, max);
    for _ in 1..TRIES {
        if found.steady {
            break;
        }
        found = attempt(path, shown, max);
    }
    found
}

/// Reads `target` for a thread that must not be kept: a small file only, once, and only what is plainly good.
pub(super) fn early(target: &Target) -> Option<ReadOutcome> {
    const SMALL: u64 = 64 << 10;
    let found = attempt(&target.path, &target.shown, target.max_size.min(SMALL));
    (found.steady && matches!(found.what, FileContent::Bytes(_))).then_some(found)
}

fn attempt(path: &Path, shown: &str, max: u64) -> ReadOutcome {
    let begin = SystemTime::now();
    let failed = |error: io::Error| ReadOutcome::bare(explain(&error, shown));
    let file = match open(path) {
        Ok(file) => file,
        Err(error) => {
            // A socket cannot be opened, which will not be better next time.
            let refused = fs::metadata(path)
                .ok()
                .filter(|metadata| !metadata.is_file() && !metadata.is_dir())
                .and_then(|metadata| refuse(&metadata, shown, max));
            return match refused {
                Some(refused) => ReadOutcome::bare(FileContent::Unreadable(refused)),
                None => failed(error),
            };
        }
    };
    let before = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return failed(error),
    };
    if let Some(refused) = refuse(&before, shown, max) {
        return ReadOutcome::bare(FileContent::Unreadable(refused));
    }
    let expected = usize::try_from(before.len()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected.saturating_add(1));
    if let Err(error) = (&file).take(max.saturating_add(1)).read_to_end(&mut bytes) {
        return failed(error);
    }
    if bytes.len() as u64 > max {
        return ReadOutcome::bare(FileContent::Unreadable(too_large(
            shown,
            bytes.len() as u64,
            max,
        )));
    }
    // By path, so that a file renamed into its place meanwhile is seen too.
    let stamp = FileStamp::of(&before);
    let steady = fs::metadata(path).is_ok_and(|after| FileStamp::of(&after) == stamp);
    ReadOutcome {
        what: FileContent::Bytes(bytes),
        steady,
        age: stamp.modified.and_then(|modified| age(modified, begin)),
        orphan: steady && has_no_name(&before),
        stamp: Some(stamp),
    }
}

/// How old what was modified at `modified` was when its reading began: its reader may have been held up since.
fn age(modified: SystemTime, begin: SystemTime) -> Option<Duration> {
    match begin.duration_since(modified) {
        Ok(age) => Some(age),
        Err(_) => modified.elapsed().ok().map(|_| Duration::ZERO),
    }
}

fn open(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A FIFO without a writer would block the open itself.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    options.open(path)
}

fn has_no_name(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.nlink() == 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// What distinguishes two files or directories that had the same path at different times.
pub(super) fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

fn refuse(metadata: &Metadata, shown: &str, max: u64) -> Option<SourceError> {
    let kind = metadata.file_type();
    if !kind.is_file() {
        let kind = if kind.is_dir() {
            "a directory"
        } else {
            special(kind)
        };
        return Some(SourceError::configuration(format!(
            "{shown} is {kind}; expected a regular file"
        )));
    }
    (metadata.len() > max).then(|| too_large(shown, metadata.len(), max))
}

fn special(kind: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    let _ = kind;
    "not a file"
}

fn too_large(shown: &str, size: u64, max: u64) -> SourceError {
    SourceError::configuration(format!(
        "{shown} holds {}, more than the limit of {}",
        size_text(size),
        size_text(max)
    ))
}

/// `16 MiB`, `1.5 KiB`, `700 bytes`.
fn size_text(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in units {
        if bytes >= unit {
            let tenths = (u128::from(bytes) * 10 / u128::from(unit)) as u64;
            return match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                tenth => format!("{}.{tenth} {name}", tenths / 10),
            };
        }
    }
    format!("{bytes} bytes")
}

/// What an error means for the path. What may be passing trouble is taken for it.
pub(super) fn explain(error: &io::Error, shown: &str) -> FileContent {
    match error.kind() {
        // A file where a directory is expected means that there is no such file, too.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileContent::Absent,
        io::ErrorKind::PermissionDenied => FileContent::Failed(SourceError::permission(format!(
            "{shown}: no permission to read it"
        ))),
        _ => {
            let error_of = SourceError::transient(format!("{shown} cannot be read: {error}"));
            match is_of_the_path(error) {
                true => FileContent::Unreadable(error_of),
                false => FileContent::Failed(error_of),
            }
        }
    }
}

/// A path that leads in a circle, or is too long, will not be better next time.
fn is_of_the_path(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENAMETOOLONG))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ErrorKind;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_has_lost_its_last_name_is_seen_as_such() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "text").unwrap();
        let open = fs::File::open(&path).unwrap();
        // As by a mount of the file.
        let held = format!("/proc/self/fd/{}", open.as_raw_fd());
        let found = || super::read(Path::new(&held), "f", 100);
        assert!(!found().orphan);
        fs::remove_file(&path).unwrap();
        let found = found();
        assert!(found.orphan && matches!(found.what, FileContent::Bytes(_)));
    }

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, text) in [
            (700, "700 bytes"),
            (1 << 10, "1 KiB"),
            (1536, "1.5 KiB"),
            (16 << 20, "16 MiB"),
            ((16 << 20) + 1, "16 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }

    #[test]
    fn what_the_system_says_decides_what_a_path_is() {
        let told = |kind: io::ErrorKind| match explain(&io::Error::from(kind), "app.yaml") {
            FileContent::Absent => None,
            FileContent::Failed(error) => Some((error.kind(), error.to_string())),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(io::ErrorKind::NotFound), None);
        assert_eq!(told(io::ErrorKind::NotADirectory), None);
        let denied = "app.yaml: no permission to read it".to_owned();
        assert_eq!(
            told(io::ErrorKind::PermissionDenied),
            Some((ErrorKind::Permission, denied))
        );
        let (kind, text) = told(io::ErrorKind::TimedOut).unwrap();
        assert_eq!(kind, ErrorKind::Transient);
        assert!(text.starts_with("app.yaml cannot be read: "), "{text}");
        #[cfg(unix)]
        for (code, passes) in [
            (libc::EMFILE, true),
            (libc::EIO, true),
            (libc::ELOOP, false),
        ] {
            let what = explain(&io::Error::from_raw_os_error(code), "app.yaml");
            assert_eq!(matches!(what, FileContent::Failed(_)), passes, "{what:?}");
        }
    }

    #[test]
    fn a_file_is_as_old_as_it_was_when_its_reading_began() {
        let now = SystemTime::now();
        let second = Duration::from_secs(1);
        let begin = now - second * 10;
        assert_eq!(age(begin - second, begin), Some(second));
        assert_eq!(
            age(begin + second, begin),
            Some(Duration::ZERO),
            "while it was read"
        );
        assert_eq!(age(now + second * 100, begin), None, "in the future");
    }

    #[test]
    fn the_size_limit_is_inclusive() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        fs::write(&path, "12345").unwrap();
        assert!(matches!(read(&path, "f", 5).what, FileContent::Bytes(bytes) if bytes == b"12345"));
        let FileContent::Unreadable(error) = read(&path, "f", 4).what else {
            panic!("not refused");
        };
        assert_eq!(
            error.to_string(),
            "f holds 5 bytes, more than the limit of 4 bytes"
        );
    }
}
