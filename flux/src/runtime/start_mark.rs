//! A mark that a start leaves before it reads the record of a process that is gone, until its own record is on the disk: whoever changes
//! the record in between learns that the change may not have been read.

#[cfg(feature = "cli")]
use super::disk;
use super::{
    disk::{Disk, SystemDisk},
    process::ProcessId,
    trial_file,
};
use std::path::{Path, PathBuf};

/// A mark names one process.
#[cfg(feature = "cli")]
const LARGEST: u64 = 4 << 10;

/// Where the mark is, for the record at `record`.
pub(super) fn beside(record: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(record.file_name().unwrap_or_default());
    name.push(".start");
    record.with_file_name(name)
}

/// The mark of a start that may still fail; dropped, it is taken away.
pub(super) struct StartMark(Option<PathBuf>);

impl StartMark {
    /// The mark stays until the record is on the disk.
    pub(super) fn stay(mut self) -> Option<PathBuf> {
        self.0.take()
    }
}

impl Drop for StartMark {
    fn drop(&mut self) {
        if let Some(mark) = &self.0 {
            take_away(mark);
        }
    }
}

/// Leaves the mark of this process, where there is a record. A disk that refuses it refuses a change of the record as well, and
/// another process that lives keeps its own, which serves as well.
pub(super) fn leave(record: &Path) -> StartMark {
    StartMark(mark(record))
}

fn mark(record: &Path) -> Option<PathBuf> {
    if !record.is_file() {
        return None;
    }
    #[cfg(feature = "cli")]
    if starting(record).is_some() {
        return None;
    }
    let path = beside(record);
    let content = trial_file::owner(&ProcessId::own()).to_string();
    // Only processes that live read it, so that it need not survive the machine.
    let _ = SystemDisk.remove(&path);
    let written = SystemDisk.create(&path);
    let written = written.and_then(|mut file| file.write_all(content.as_bytes()));
    written.ok().map(|()| path)
}

/// Takes a mark away. One that is left behind names a process that is gone, sooner or later.
pub(super) fn take_away(mark: &Path) {
    let _ = SystemDisk.remove(mark);
}

/// Another process that lives and has begun with the record, or is about to. Half a mark is of one that has not read the record yet.
#[cfg(feature = "cli")]
pub(super) fn starting(record: &Path) -> Option<u32> {
    let bytes = disk::read(&beside(record), LARGEST).ok()??;
    let process = trial_file::process(&serde_json::from_slice(&bytes).ok()?)?;
    process.is_another_that_lives().then_some(process.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // In helpers too.

    use super::*;
    use std::fs;

    #[test]
    fn a_start_that_fails_takes_its_mark_away_and_one_that_goes_on_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("last.json.trial");
        let mark = beside(&record);
        drop(leave(&record));
        assert!(!mark.exists(), "there is no record");
        fs::write(&record, "{}").unwrap();
        let left = leave(&record);
        assert!(mark.exists());
        drop(left);
        assert!(!mark.exists());
        assert_eq!(leave(&record).stay(), Some(mark.clone()));
        assert!(mark.exists());
    }
}
