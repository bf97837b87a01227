//! Keeps the last good configuration of one run, and the record of what is on trial: written one after the other, off the task.

use super::{
    disk::{self, SystemDisk},
    last_known_good::{KeepOnDisk, KeptFile, KeptSnapshot},
    process::ProcessId,
    trial_file,
};
use crate::{
    engine::{Engine, FingerprintKey, LastKnownGood, LayerContent, Past, TrialRecord},
    observe,
};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};
use tokio::task::JoinHandle;

/// What was found on disk at a start.
pub(super) struct DiskFindings {
    past: Option<Past>,
    /// The last known good configuration of before.
    kept: Option<KeptFile>,
    /// What is to be reported.
    warnings: Vec<String>,
}

impl DiskFindings {
    /// Reads what is kept, where changes are on trial; it waits for the disk.
    pub(super) fn read(keep: &KeepOnDisk, config: &str) -> DiskFindings {
        let mut found = DiskFindings {
            past: None,
            kept: None,
            warnings: Vec::new(),
        };
        disk::sweep(&keep.path);
        let Some(rules) = keep.trials else {
            return found;
        };
        disk::sweep(&trial_file::beside(&keep.path));
        match keep.read(config) {
            Ok(kept) => found.kept = kept,
            // It is reported again where it would be needed.
            Err(problem) => found.warnings.push(problem),
        }
        let path = trial_file::beside(&keep.path);
        let file = match disk::read(&path, trial_file::LARGEST) {
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
        let (mut record, mut died) = (TrialRecord::new(key), false);
        if let Some(file) = file.filter(|file| file.record.key == key) {
            let lives = file.process.is_another_that_lives();
            if lives {
                let (shown, id) = (path.display(), file.process.id);
                found.warnings.push(format!(
                    "{shown}: belongs to the process {id}, which runs; deaths of this process are not counted. Give each process \
                     a file of its own"
                ));
            }
            died = !lives && !file.process.is_own();
            record = file.record;
        }
        found.past = Some(Past {
            record,
            died,
            trusted: found.kept.as_ref().and_then(KeptFile::fingerprints),
            rules,
        });
        found
    }
}

/// Keeps the last good configuration of one run.
pub(super) struct LastGoodKeeper {
    pub(super) keep: Option<KeepOnDisk>,
    /// What was on disk at the start, until the first configuration is applied.
    before: Option<KeptFile>,
    saver: Saver,
    /// The documents that were last kept, by the engine's count.
    kept: u64,
    /// The record that is on disk, or on its way there, by the engine's count.
    recorded: u64,
    /// When it was last written.
    written: Option<SystemTime>,
    /// What became of the last attempt, to be put into the status.
    news: Option<LastKnownGood>,
}

impl LastGoodKeeper {
    pub(super) fn new(keep: Option<KeepOnDisk>) -> Self {
        LastGoodKeeper {
            keep,
            before: None,
            saver: Saver::default(),
            kept: 0,
            recorded: 0,
            written: None,
            news: None,
        }
    }

    /// Gives the engine what was found.
    pub(super) fn begin(&mut self, found: DiskFindings, engine: &mut Engine) {
        for warning in &found.warnings {
            observe::warning(engine.name(), warning);
        }
        self.before = found.kept;
        if let Some(past) = found.past {
            engine.remember(past, super::clock::now());
        }
        self.record(engine);
    }

    /// Keeps what readers see now, unless it is kept already, may still be taken back, or is itself from a file of before.
    pub(super) fn save(&mut self, engine: &Engine) {
        let Some(keep) = &self.keep else {
            return;
        };
        let from_sources = engine.layers.contents().is_some();
        if self.kept != engine.adoptions() && engine.is_trusted() && from_sources {
            self.kept = engine.adoptions();
            let snapshot = KeptSnapshot::of(engine, keep.secrets);
            self.saver.push(Job::Keep(keep.path.clone(), snapshot));
        }
        self.record(engine);
    }

    /// Brings the record of trials to the disk, after the configuration that it may refer to.
    pub(super) fn record(&mut self, engine: &Engine) {
        let (Some(keep), Some(trials)) = (&self.keep, engine.trials()) else {
            return;
        };
        let (record, version) = trials.record();
        if std::mem::replace(&mut self.recorded, version) != version {
            let config = engine.layers.schema.name;
            let content = trial_file::written(config, record, &ProcessId::own());
            let path = trial_file::beside(&keep.path);
            self.saver.push(Job::Record(path, config, content));
        }
    }

    /// In which paths the documents that are about to be applied differ from what is kept on disk.
    pub(super) fn differences(&mut self, engine: &Engine) -> Vec<String> {
        let Some(before) = self.before.take() else {
            return Vec::new();
        };
        let mut paths = Vec::new();
        let states = engine.layers.states.iter().zip(engine.layers.keys());
        for (state, key) in states {
            let (Some(decoder), Some(LayerContent::Document(bytes))) =
                (&state.decoder, state.newest_content())
            else {
                continue;
            };
            let kept = super::kept_document::keep(engine.layers.schema, decoder, &bytes);
            if let (Ok((new, _)), Some(old)) = (kept, before.content(&key)) {
                super::differing::paths(old, &new, &mut paths);
            }
        }
        paths
    }

    /// What became of the last attempt since the last call.
    pub(super) fn news(&mut self) -> Option<LastKnownGood> {
        self.news.take()
    }

    /// Ready once everything is on disk.
    pub(super) fn poll(&mut self, capacitor: &str, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(done) = std::task::ready!(self.saver.poll(cx)) {
            if let Err(problem) = &done.outcome {
                observe::warning(capacitor, problem);
            }
            if let Some(missing) = &done.missing {
                observe::warning(capacitor, missing);
            }
            if let Some(path) = done.kept {
                if done.outcome.is_ok() {
                    self.written = Some(SystemTime::now());
                }
                self.news = Some(LastKnownGood {
                    path,
                    written: self.written,
                    problem: done.outcome.err().or(done.missing),
                });
            }
        }
        Poll::Ready(())
    }
}

/// Something to be done on disk.
enum Job {
    Keep(PathBuf, KeptSnapshot),
    /// The record of this config type; without content there is nothing to remember.
    Record(PathBuf, &'static str, Option<Vec<u8>>),
}

/// What became of it; where it was the last known good configuration, its path.
struct Done {
    kept: Option<PathBuf>,
    outcome: Result<(), String>,
    /// What of it is not in the file.
    missing: Option<String>,
}

impl Job {
    fn is_like(&self, other: &Job) -> bool {
        matches!(
            (self, other),
            (Job::Keep(..), Job::Keep(..)) | (Job::Record(..), Job::Record(..))
        )
    }

    fn run(self) -> Done {
        match self {
            Job::Keep(path, snapshot) => {
                let mut missing = None;
                let written = match snapshot.content() {
                    Ok((content, lacks)) => {
                        missing = lacks;
                        let written = disk::replace(&SystemDisk, &path, &content);
                        let shown = path.display();
                        written.map_err(|error| {
                            format!(
                                "{shown}: the last known good configuration cannot be kept: {error}"
                            )
                        })
                    }
                    Err(problem) => Err(format!(
                        "the last known good configuration is not kept: {problem}"
                    )),
                };
                Done {
                    kept: Some(path),
                    missing: missing.filter(|_| written.is_ok()),
                    outcome: written,
                }
            }
            Job::Record(path, config, content) => Done {
                kept: None,
                missing: None,
                outcome: record(&path, config, content).map_err(|error| {
                    let shown = path.display();
                    format!("{shown}: the record of trials cannot be kept: {error}; if this process dies now, that is not counted")
                }),
            },
        }
    }
}

/// Writes or removes the record, unless it is that of another process that lives.
fn record(path: &Path, config: &str, content: Option<Vec<u8>>) -> Result<(), String> {
    if let Ok(Some(bytes)) = disk::read(path, trial_file::LARGEST)
        && let Some(found) = trial_file::parse(config, &bytes)
        && found.process.is_another_that_lives()
    {
        let id = found.process.id;
        return Err(format!("it belongs to the process {id}, which runs"));
    }
    let done = match content {
        Some(content) => disk::replace(&SystemDisk, path, &content),
        None => disk::remove(&SystemDisk, path),
    };
    done.map_err(|error| error.to_string())
}

/// Does one job after the other, off the task. Of two that are alike the newer one is done, in its place.
#[derive(Default)]
struct Saver {
    pending: VecDeque<Job>,
    running: Option<JoinHandle<Done>>,
}

impl Saver {
    fn push(&mut self, job: Job) {
        self.pending.retain(|pending| !pending.is_like(&job));
        self.pending.push_back(job);
    }

    /// Ready with none once everything is done.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done>> {
        loop {
            if let Some(running) = &mut self.running {
                let done = std::task::ready!(Pin::new(running).poll(cx));
                self.running = None;
                return Poll::Ready(Some(done.unwrap_or_else(|error| Done {
                    kept: None,
                    missing: None,
                    outcome: Err(format!(
                        "the last known good configuration is not kept: {error}"
                    )),
                })));
            }
            let Some(job) = self.pending.pop_front() else {
                return Poll::Ready(None);
            };
            self.running = Some(tokio::task::spawn_blocking(move || job.run()));
        }
    }
}
