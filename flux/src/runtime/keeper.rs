//! When the last known good file and the record of trials are written, and what the status contains of it.

use super::{
    claim::Claim,
    differing, disk,
    last_known_good::{KeepOnDisk, KeptFile, KeptSnapshot},
    process::ProcessId,
    saver::{Job, PATIENCE, SaveOutcome, SaveReport, SavedFile, Saver},
    start_mark::{self, StartMark},
    trial_file,
};
use crate::{
    engine::{
        DiskStatus, Engine, FingerprintKey, LastKnownGood, Past, TrialRecord, TrialRecordFile,
    },
    observe,
    report::outgoing::SafeText,
};
use std::{
    path::PathBuf,
    task::{Context, Poll},
    time::SystemTime,
};

/// What was found on disk at a start.
pub(super) struct DiskFindings {
    past: Option<Past>,
    /// The last known good configuration of before.
    kept: Option<KeptFile>,
    /// What is to be reported.
    warnings: Vec<String>,
    /// No other capacitor of this process writes the file.
    claim: Claim,
    /// The record names a process that is gone.
    is_inherited: bool,
    /// What shows others that this process has read the record.
    mark: Option<StartMark>,
}

impl DiskFindings {
    /// Reads what is kept, where changes are on trial; it waits for the disk. Refuses a file that another capacitor of this process
    /// writes or reads.
    pub(super) fn read(
        keep: &KeepOnDisk,
        config: &str,
        capacitor: &str,
    ) -> Result<DiskFindings, String> {
        let claim = Claim::to_keep(keep, capacitor)?;
        let mut found = DiskFindings {
            past: None,
            kept: None,
            warnings: Vec::new(),
            claim,
            is_inherited: false,
            mark: None,
        };
        disk::sweep(keep.path());
        let Some(rules) = keep.trials else {
            return Ok(found);
        };
        let path = trial_file::beside(keep.path());
        disk::sweep(&path);
        let mark = start_mark::leave(&path);
        match keep.read(config) {
            Ok(kept) => found.kept = kept,
            // It is reported again where it would be needed.
            Err(problem) => found.warnings.push(problem),
        }
        let largest = match rules.has_folders {
            true => trial_file::LARGEST_OF_FOLDERS,
            false => trial_file::LARGEST,
        };
        let file = match disk::read(&path, largest) {
            Ok(None) => None,
            Ok(Some(bytes)) => {
                let file = trial_file::parse(config, &bytes);
                if file.is_none() {
                    let shown = path.display();
                    found.warnings.push(format!(
                        "{shown}: is no record of trials of {config}; it is not used"
                    ));
                }
                file
            }
            Err(problem) => {
                found.warnings.push(problem);
                None
            }
        };
        let key = found.kept.as_ref().and_then(|kept| kept.key);
        let key = key.or(file.as_ref().map(|file| file.record.key));
        let key = key.unwrap_or_else(|| FingerprintKey(fastrand::u64(..), fastrand::u64(..)));
        let (mut record, mut died, mut is_orphan) = (TrialRecord::new(key), false, false);
        if let Some(file) = file.filter(|file| file.record.key == key) {
            // The last known good file was lost or damaged, and what processes died with is still known.
            is_orphan = file.is_beside_kept && found.kept.is_none();
            let lives = file.process.is_another_that_lives();
            if lives {
                let (shown, id) = (path.display(), file.process.id);
                found.warnings.push(format!(
                    "{shown}: belongs to the process {id}, which runs; deaths of this process are not counted. Give each process \
                     a file of its own"
                ));
            }
            died = !lives && !file.process.is_own();
            found.is_inherited = died;
            record = file.record;
        }
        match found.is_inherited {
            true => found.mark = Some(mark),
            // This process does not write over it by itself.
            false => drop(mark),
        }
        if is_orphan {
            // Nothing is there that could serve in the place of content that was never tried.
            record.in_a_row = None;
        }
        let trusted = found.kept.as_ref().map(KeptFile::fingerprints);
        found.past = Some(Past {
            record,
            died,
            trusted: trusted.or(is_orphan.then(Vec::new)),
            rules,
        });
        Ok(found)
    }
}

/// Keeps the last good configuration of one run.
pub(super) struct LastGoodKeeper {
    pub(super) keep: KeepOnDisk,
    /// Until the run is over.
    claim: Option<Claim>,
    /// There is a last known good file, or was one before the record.
    is_beside_kept: bool,
    /// What was on disk at the start, until the configuration that runs is kept, or the paths of the first one were asked for.
    before: Option<KeptFile>,
    saver: Saver,
    /// The documents that were last kept, by the engine's count.
    kept: u64,
    /// The record that is on disk, or on its way there, by the engine's count.
    recorded: u64,
    /// It is taken away once the record is on disk.
    mark: Option<PathBuf>,
    /// What the status contains of the two files; none before the first attempt.
    status: DiskStatus,
    /// One of them has changed since it was put into the status.
    changed: bool,
    /// The secrets whose defaults serve, as they were last reported.
    by_default: Vec<String>,
}

impl LastGoodKeeper {
    pub(super) fn new(keep: KeepOnDisk) -> Self {
        LastGoodKeeper {
            keep,
            claim: None,
            is_beside_kept: false,
            before: None,
            saver: Saver::new(disk::here()),
            kept: 0,
            recorded: 0,
            status: DiskStatus::default(),
            mark: None,
            changed: false,
            by_default: Vec::new(),
        }
    }

    /// Gives the engine what was found.
    pub(super) fn begin(&mut self, found: DiskFindings, engine: &mut Engine) {
        for warning in &found.warnings {
            let safe = engine.secret_book().safe(warning);
            observe::warning(engine.name(), &safe);
        }
        (self.before, self.claim) = (found.kept, Some(found.claim));
        if found.is_inherited {
            // It is written anew even if nothing in it changes: whoever would change it learns from it that this process runs.
            self.recorded = u64::MAX;
        }
        self.mark = found.mark.and_then(StartMark::stay);
        if let Some(past) = found.past {
            self.is_beside_kept = past.trusted.is_some();
            engine.remember(past, super::clock::now());
        }
        self.record(engine);
    }

    /// Keeps what readers see now, unless it is kept already, may still be taken back, or is itself from a file of before.
    pub(super) fn save(&mut self, engine: &Engine) {
        let keep = &self.keep;
        let from_sources = engine.layers().contents().is_some();
        if self.kept != engine.adoptions() && engine.is_trusted() && from_sources {
            self.kept = engine.adoptions();
            self.before = None;
            let snapshot = KeptSnapshot::of(engine, keep.secrets);
            self.saver.push(Job::Keep(keep.path().to_owned(), snapshot));
        }
        self.record(engine);
        self.report_defaults(engine);
    }

    /// Warns of each secret that the file does not have and whose default serves from now on.
    fn report_defaults(&mut self, engine: &Engine) {
        let now = engine.secrets_by_default();
        if self.by_default == now {
            return;
        }
        let shown = self.keep.shown();
        for secret in now.iter().filter(|one| !self.by_default.contains(one)) {
            let text = format!(
                "{shown}: `{secret}` was secret, so it was not kept; no other layer sets it, and its default serves"
            );
            // The path, which the status has too, is no text of the program.
            observe::warning(engine.name(), &SafeText::own(&text));
        }
        self.by_default = now.to_vec();
    }

    /// Brings the record of trials to the disk, after the configuration that it may refer to.
    pub(super) fn record(&mut self, engine: &Engine) {
        let Some(version) = engine.trials().map(|trials| trials.record().1) else {
            return;
        };
        if std::mem::replace(&mut self.recorded, version) != version
            && let Some(job) = self.record_job(engine)
        {
            self.saver.push(job);
        }
    }

    /// The same where the runtime ends without a stop, and does nothing more: what is refused, or was only proposed, is not to be found
    /// as if the process had died of it.
    pub(super) fn record_at_once(&mut self, engine: &Engine) {
        let Some(version) = engine.trials().map(|trials| trials.record().1) else {
            return;
        };
        let is_new = std::mem::replace(&mut self.recorded, version) != version;
        if (is_new || self.saver.owes(SavedFile::Record))
            && let Some(job) = self.record_job(engine)
        {
            self.saver.at_once(job);
        }
    }

    fn record_job(&self, engine: &Engine) -> Option<Job> {
        let (record, _) = engine.trials()?.record();
        let config = engine.layers().schema.name;
        let content = trial_file::written(config, record, &ProcessId::own(), self.is_beside_kept);
        let path = trial_file::beside(self.keep.path());
        Some(Job::Record(path, config, content, self.mark.clone()))
    }

    /// In which paths the documents that are about to be applied differ from what is kept on disk.
    pub(super) fn differences(&mut self, engine: &Engine) -> Vec<String> {
        let Some(before) = self.before.take() else {
            return Vec::new();
        };
        differing::applied(engine, &before)
    }

    /// In which paths the documents that are about to be read differ from what readers see, or from what is kept on disk.
    pub(super) fn differences_to_read(&self, engine: &Engine) -> Vec<String> {
        differing::incoming(engine, self.before.as_ref())
    }

    /// Puts what became of the writes since the last call into the engine, for the status; answers whether there was anything.
    pub(super) fn report(&mut self, engine: &mut Engine) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed {
            engine.kept_on_disk(self.status.clone());
        }
        changed
    }

    /// Tries at once what the disk refused: the program ends.
    pub(super) fn try_again(&mut self) {
        self.saver.try_again();
    }

    /// Ready once nothing is to be waited for: everything is on disk, or cannot be for now.
    pub(super) fn poll(&mut self, capacitor: &str, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(news) = std::task::ready!(self.saver.poll(cx)) {
            self.take_up(capacitor, news);
            self.changed = true;
        }
        Poll::Ready(())
    }

    /// Notes what of the file cannot serve at this start.
    pub(super) fn cannot_serve(&mut self, unfit: Vec<SafeText>) {
        if unfit.is_empty() {
            return;
        }
        let texts: Vec<String> = unfit.into_iter().map(String::from).collect();
        let path = self.keep.path().to_owned();
        kept_file(&mut self.status, path).problem = Some(texts.join("; "));
        self.changed = true;
    }

    fn take_up(&mut self, capacitor: &str, news: SaveReport) {
        let SaveReport {
            kind,
            path,
            outcome,
        } = news;
        let shown = path.display().to_string();
        let is_written = matches!(outcome, SaveOutcome::Done { .. });
        let (written, problem, writing) = match kind {
            SavedFile::Kept => {
                let file = kept_file(&mut self.status, path);
                file.is_written =
                    is_written || file.is_written && matches!(outcome, SaveOutcome::Hangs(_));
                (&mut file.written, &mut file.problem, &mut file.writing)
            }
            SavedFile::Record => {
                let file = self.status.trial_record.get_or_insert(TrialRecordFile {
                    path,
                    written: None,
                    problem: None,
                    writing: None,
                });
                (&mut file.written, &mut file.problem, &mut file.writing)
            }
        };
        if kind == SavedFile::Record && matches!(outcome, SaveOutcome::Done { .. }) {
            self.mark = None;
        }
        self.is_beside_kept |=
            kind == SavedFile::Kept && matches!(outcome, SaveOutcome::Done { .. });
        match outcome {
            SaveOutcome::Hangs(since) => {
                *writing = Some(since);
                let text = format!(
                    "{shown}: a write has lasted {PATIENCE:?}, and the disk does not answer; updates go on without it, and if this \
                     process dies now, that is not counted"
                );
                observe::warning(capacitor, &SafeText::own(&text));
            }
            SaveOutcome::Done { missing } => {
                // What the same content lacks in every file is no news.
                let is_known = *problem == missing;
                if problem.is_some() && !is_known || writing.is_some() {
                    observe::disk_recovered(capacitor, &shown);
                }
                if let Some(missing) = missing.as_ref().filter(|_| !is_known) {
                    observe::warning(capacitor, &SafeText::own(missing));
                }
                (*written, *problem, *writing) = (Some(SystemTime::now()), missing, None);
            }
            SaveOutcome::Failed(why) => {
                // A further try that fails for the same reason is no news.
                if problem.as_ref() != Some(&why) {
                    observe::warning(capacitor, &SafeText::own(&why));
                }
                (*problem, *writing) = (Some(why), None);
            }
        }
    }
}

fn kept_file(status: &mut DiskStatus, path: PathBuf) -> &mut LastKnownGood {
    status.last_known_good.get_or_insert(LastKnownGood {
        path,
        written: None,
        problem: None,
        writing: None,
        is_written: false,
    })
}
