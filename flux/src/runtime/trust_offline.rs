//! `config trust` where no process of the program runs: what is ended in the record on disk, and when that is refused.

use super::{
    claim::Claim,
    disk,
    last_known_good::{KeepOnDisk, other_writer},
    process::ProcessId,
    spec::Spec,
    start_mark, trial_file,
};
use crate::{engine::Trusted, problem::escaped, source::declare};

/// Changes the record of the program with this declaration; the next start begins with it. Nothing is there to trust where the program
/// keeps no last known good configuration, or no record is on disk. Where the system does not reveal which processes live
/// ([`processes_are_seen`]), one that runs writes over the record.
///
/// # Errors
/// A sentence: the record cannot be read or written, or a process that runs, or has started meanwhile, would write over it.
pub(crate) fn trust_offline(spec: &Spec) -> Result<Trusted, String> {
    trusted_offline(spec, || {})
}

/// Whether a process of the program that runs would be noticed.
pub(crate) fn processes_are_seen() -> bool {
    ProcessId::others_are_seen()
}

/// `meanwhile` is done once the record is read.
fn trusted_offline(spec: &Spec, meanwhile: impl FnOnce()) -> Result<Trusted, String> {
    let Some((path, secrets)) = &spec.last_known_good else {
        return Ok(Trusted::default());
    };
    let path = declare::expand(path, &Default::default())?;
    let keep = KeepOnDisk::new(path, *secrets, None)?;
    let path = trial_file::beside(keep.path());
    let shown = escaped(&path.display().to_string()).into_owned();
    let config = spec.options.schema.name;
    let ask = "let it answer with `admin = \"unix:PATH\"`, or stop it first";
    let _claim = Claim::of(&keep.places(), "config trust").map_err(|other| {
        format!("{shown}: the capacitor `{other}` of this process writes it, and nothing was changed; call its `trust()`")
    })?;
    let Some(bytes) = disk::read(&path, trial_file::LARGEST_OF_FOLDERS)? else {
        return Ok(Trusted::default());
    };
    let Some(mut file) = trial_file::parse(config, &bytes) else {
        return Err(format!(
            "{shown}: is no record of trials of {config}, and nothing was changed; a start does not use it"
        ));
    };
    let writer = (file.process.is_another_that_lives()).then_some(file.process.id);
    let other = || start_mark::starting(&path).or_else(|| other_writer(keep.path()));
    if let Some(id) = writer.or_else(other) {
        return Err(format!(
            "{shown}: belongs to the process {id}, which runs and would write over it; nothing was changed: {ask}"
        ));
    }
    let trusted = file.record.trust();
    if trusted.is_nothing() {
        return Ok(trusted);
    }
    meanwhile();
    let disk = disk::here();
    let changed =
        match trial_file::written(config, &file.record, &file.process, file.is_beside_kept) {
            Some(content) => disk::replace(&*disk, &path, &content),
            None => disk::remove(&*disk, &path),
        };
    if let Err(error) = changed {
        return Err(format!(
            "{shown}: cannot be changed: {error}; run this as the user of the program"
        ));
    }
    let record = disk::read(&path, trial_file::LARGEST_OF_FOLDERS)
        .ok()
        .flatten();
    let record = record.and_then(|bytes| trial_file::parse(config, &bytes));
    let writer = record.map(|file| file.process);
    let writer = writer.filter(ProcessId::is_another_that_lives);
    match writer.map(|process| process.id).or_else(other) {
        None => Ok(trusted),
        Some(id) => Err(format!(
            "{shown}: the process {id} has started while this was changed, and may not have read the change: {ask}"
        )),
    }
}

#[cfg(all(test, feature = "derive", target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)] // In helpers too.

    use super::*;
    use crate::{
        Secrets,
        engine::{FingerprintKey, InARow, TrialRecord},
    };
    use flux_derive::Flux;
    use std::{
        fs,
        path::PathBuf,
        process::{Child, Command},
        time::SystemTime,
    };

    #[derive(Debug, Flux)]
    #[flux(crate = crate)]
    struct OfflineApp {
        #[flux(default = 1)]
        n: u32,
    }

    /// A program with deaths on record, and a process that lives beside it.
    struct Before {
        folder: tempfile::TempDir,
        running: Child,
        record: Vec<u8>,
    }

    impl Before {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let running = Command::new("sleep").arg("60").spawn().unwrap();
            let mut held = TrialRecord::new(FingerprintKey(1, 2));
            held.in_a_row = Some(InARow {
                contents: 1,
                last: SystemTime::now(),
                held: 0,
            });
            let gone = ProcessId {
                began: "another boot/1".to_owned(),
                ..ProcessId::of_child(&running)
            };
            let record = trial_file::written("OfflineApp", &held, &gone, true).unwrap();
            let before = Before {
                folder,
                running,
                record,
            };
            fs::write(trial_file::beside(&before.path()), &before.record).unwrap();
            before
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("last.json")
        }

        /// The process begins with the record, and has not written its own yet.
        fn begins(&self) {
            let mark = trial_file::owner(&ProcessId::of_child(&self.running)).to_string();
            let record = trial_file::beside(&self.path());
            fs::write(start_mark::beside(&record), mark).unwrap();
        }

        fn trusted(&self, meanwhile: impl FnOnce()) -> Result<Trusted, String> {
            let builder = crate::Capacitor::<OfflineApp>::builder();
            let builder = builder.last_known_good(self.path().to_str().unwrap(), Secrets::Omit);
            trusted_offline(&builder.spec, meanwhile)
        }
    }

    impl Drop for Before {
        fn drop(&mut self) {
            self.running.kill().unwrap();
            self.running.wait().unwrap();
        }
    }

    #[test]
    fn a_process_that_starts_while_the_record_is_changed_is_reported() {
        for has_written in [true, false] {
            let before = Before::new();
            let started = || match has_written {
                true => {
                    let process = trial_file::owner(&ProcessId::of_child(&before.running));
                    let kept = serde_json::json!({ "process": process });
                    fs::write(before.path(), kept.to_string()).unwrap();
                }
                false => before.begins(),
            };
            let refused = before.trusted(started).unwrap_err();
            let expected = format!("the process {} has started", before.running.id());
            assert!(refused.contains(&expected), "{refused}");
        }
        // Nobody starts.
        assert_eq!(Before::new().trusted(|| {}).unwrap().forgotten, 1);
    }

    #[test]
    fn the_record_that_a_starting_process_has_read_is_left_alone() {
        let mut before = Before::new();
        before.begins();
        let refused = before.trusted(|| {}).unwrap_err();
        let expected = format!("belongs to the process {}, which runs", before.running.id());
        assert!(refused.contains(&expected), "{refused}");
        let record = trial_file::beside(&before.path());
        assert_eq!(fs::read(record).unwrap(), before.record);
        // It died, and its mark is still there.
        before.running.kill().unwrap();
        before.running.wait().unwrap();
        before.running = Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(before.trusted(|| {}).unwrap().forgotten, 1);
    }
}
