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

/// Leaves the mark of this process, where there is a record. A disk that refuses it refuses a change of the record as well.
pub(super) fn leave(record: &Path) -> Option<PathBuf> {
    if !record.is_file() {
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
