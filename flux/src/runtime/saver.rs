//! Writes to the disk off the task, one job after the other: when what the disk refused is written again, and for how long one that
//! does not answer is waited for.

use super::{
    disk::{self, Disk},
    last_known_good::{KeptSnapshot, other_writer},
    start_mark, trial_file,
};
use crate::time::ceiling;
use std::{
    collections::VecDeque,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    task::{Context, Poll},
    thread,
    time::{Duration, SystemTime},
};
use tokio::{
    task::JoinHandle,
    time::{Sleep, sleep},
};

/// How long a write is waited for. A disk that takes longer does not answer: updates and a stop go on without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a write is waited for where the runtime ends, on the thread that ends it.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// The pause after a write that the disk refused; twice as long after each further one.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SavedFile {
    /// The last known good configuration.
    Kept,
    /// The record of trials.
    Record,
}

/// Something to be done on disk.
pub(super) enum Job {
    Keep(PathBuf, KeptSnapshot),
    /// The record of this config type; without content there is nothing to remember. The mark of this start is not needed after it.
    Record(PathBuf, &'static str, Option<Vec<u8>>, Option<PathBuf>),
}

/// What became of a job.
#[derive(Debug)]
pub(super) enum SaveOutcome {
    /// It is on disk; of a configuration, what of it is not in the file.
    Done { missing: Option<String> },
    /// It is not.
    Failed(String),
    /// It is under way since then, and not waited for any more.
    Hangs(SystemTime),
}

/// A report of one file.
pub(super) struct SaveReport {
    pub(super) kind: SavedFile,
    pub(super) path: PathBuf,
    pub(super) outcome: SaveOutcome,
}

/// What a job answers.
struct DiskAnswer {
    missing: Option<String>,
    /// Why it failed, and whether it is of use to try it again.
    failed: Option<(String, bool)>,
}

impl Job {
    fn kind(&self) -> SavedFile {
        match self {
            Job::Keep(..) => SavedFile::Kept,
            Job::Record(..) => SavedFile::Record,
        }
    }

    fn path(&self) -> &Path {
        match self {
            Job::Keep(path, _) | Job::Record(path, ..) => path,
        }
    }

    fn run(&self, disk: &dyn Disk) -> DiskAnswer {
        let shown = self.path().display();
        match self {
            Job::Keep(path, snapshot) => match snapshot.content() {
                Ok((content, missing)) => {
                    let other = other_writer(path).map(|id| {
                        format!(
                            "{shown}: the process {id}, which runs, keeps its last known good configuration in this file, too, and the last \
                             one to write it wins: give each process a file of its own"
                        )
                    });
                    // The status has the first clause.
                    let missing = match (missing, other) {
                        (Some(missing), Some(other)) => Some(format!("{other}; {missing}")),
                        (missing, other) => missing.or(other),
                    };
                    let failed = disk::replace(disk, path, &content).err().map(|error| {
                        let before = match path.is_file() {
                            true => "the file contains an older one",
                            false => "there is no such file yet",
                        };
                        let why = format!(
                            "{shown}: the last known good configuration cannot be kept: {error}; {before}, and the write is tried again"
                        );
                        (why, true)
                    });
                    DiskAnswer {
                        missing: missing.filter(|_| failed.is_none()),
                        failed,
                    }
                }
                Err(problem) => DiskAnswer {
                    missing: None,
                    failed: Some((
                        format!("the last known good configuration is not kept: {problem}"),
                        false,
                    )),
                },
            },
            Job::Record(path, config, content, mark) => DiskAnswer {
                missing: None,
                failed: record(disk, path, config, content.as_deref(), mark.as_deref()).err().map(|(why, again)| {
                    let next = if again { "; the write is tried again" } else { "" };
                    (
                        format!(
                            "{shown}: the record of trials cannot be kept: {why}; if this process dies now, that is not counted{next}"
                        ),
                        again,
                    )
                }),
            },
        }
    }
}

/// Writes or removes the record, unless it is that of another process that lives: then it is not tried again, since that process may
/// die, and its record is to be found.
fn record(
    disk: &dyn Disk,
    path: &Path,
    config: &str,
    content: Option<&[u8]>,
    mark: Option<&Path>,
) -> Result<(), (String, bool)> {
    if let Ok(Some(bytes)) = disk::read(path, trial_file::LARGEST_OF_FOLDERS)
        && let Some(found) = trial_file::parse(config, &bytes)
        && found.process.is_another_that_lives()
    {
        let id = found.process.id;
        let why = format!("it belongs to the process {id}, which runs");
        return Err((why, false));
    }
    let done = match content {
        Some(content) => disk::replace(disk, path, content),
        None => disk::remove(disk, path),
    };
    done.map_err(|error| (error.to_string(), true))?;
    if let Some(mark) = mark {
        start_mark::take_away(mark);
    }
    Ok(())
}

/// Does one job after the other, off the task. Of two that are alike the newer one is done.
pub(super) struct Saver {
    disk: Arc<dyn Disk>,
    pending: VecDeque<Task>,
    running: Option<RunningJob>,
    /// What the disk refused, at most one of each kind.
    again: Vec<(Task, Pin<Box<Sleep>>)>,
    /// The number of the newest job.
    number: u64,
    /// The numbers of the newest jobs of each kind that were done: what comes late does not write over what is newer.
    done: Arc<Mutex<[u64; 2]>>,
}

struct Task {
    job: Job,
    number: u64,
    /// How often the disk refused it.
    failures: u32,
}

impl Task {
    /// Does it, unless a newer one was done meanwhile. One job is done at a time.
    fn run(&self, disk: &dyn Disk, done: &Mutex<[u64; 2]>) -> DiskAnswer {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = &mut done[self.job.kind() as usize];
        if *newest > self.number {
            return DiskAnswer {
                missing: None,
                failed: None,
            };
        }
        let answer = self.job.run(disk);
        if answer.failed.is_none() {
            *newest = self.number;
        }
        answer
    }
}

struct RunningJob {
    kind: SavedFile,
    path: PathBuf,
    since: SystemTime,
    handle: JoinHandle<(Task, DiskAnswer)>,
    /// Until it is given up; none once it is.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Saver {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Saver {
            disk,
            pending: VecDeque::new(),
            running: None,
            again: Vec::new(),
            number: 0,
            done: Arc::default(),
        }
    }

    fn task(&mut self, job: Job) -> Task {
        self.number += 1;
        Task {
            job,
            number: self.number,
            failures: 0,
        }
    }

    /// Whether something of this kind is not known to be on disk.
    pub(super) fn owes(&self, kind: SavedFile) -> bool {
        let mut waiting = self
            .pending
            .iter()
            .chain(self.again.iter().map(|(task, _)| task));
        waiting.any(|task| task.job.kind() == kind)
            || self
                .running
                .as_ref()
                .is_some_and(|running| running.kind == kind)
    }

    /// Does a job without the runtime, which ends and does nothing more. A disk that does not answer is not waited for.
    pub(super) fn at_once(&mut self, job: Job) {
        let (task, disk, done) = (
            self.task(job),
            Arc::clone(&self.disk),
            Arc::clone(&self.done),
        );
        let (tell, told) = mpsc::channel();
        let work = move || {
            task.run(&*disk, &done);
            let _ = tell.send(());
        };
        if thread::Builder::new().spawn(work).is_ok() {
            let _ = told.recv_timeout(LAST_PATIENCE);
        }
    }

    pub(super) fn push(&mut self, job: Job) {
        let kind = job.kind();
        self.again.retain(|(task, _)| task.job.kind() != kind);
        self.pending.retain(|task| task.job.kind() != kind);
        let task = self.task(job);
        self.pending.push_back(task);
    }

    /// Tries at once what the disk refused.
    pub(super) fn try_again(&mut self) {
        let again = self.again.drain(..).map(|(task, _)| task);
        self.pending.extend(again);
    }

    /// Ready with none once nothing is to be waited for: everything is done, or waits for its next try, or the disk does not answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<SaveReport>> {
        let mut at = 0;
        while let Some((_, pause)) = self.again.get_mut(at) {
            match pause.as_mut().poll(cx) {
                Poll::Ready(()) => self.pending.push_back(self.again.remove(at).0),
                Poll::Pending => at += 1,
            }
        }
        loop {
            if let Some(running) = &mut self.running {
                match Pin::new(&mut running.handle).poll(cx) {
                    Poll::Ready(done) => return Poll::Ready(self.done(done)),
                    Poll::Pending => return running.wait(cx),
                }
            }
            let Some(task) = self.pending.pop_front() else {
                return Poll::Ready(None);
            };
            let (disk, order) = (Arc::clone(&self.disk), Arc::clone(&self.done));
            self.running = Some(RunningJob {
                kind: task.job.kind(),
                path: task.job.path().to_owned(),
                since: SystemTime::now(),
                handle: tokio::task::spawn_blocking(move || {
                    let answer = task.run(&*disk, &order);
                    (task, answer)
                }),
                limit: Some(Box::pin(sleep(PATIENCE))),
            });
        }
    }

    fn done(
        &mut self,
        done: Result<(Task, DiskAnswer), tokio::task::JoinError>,
    ) -> Option<SaveReport> {
        let RunningJob { kind, path, .. } = self.running.take()?;
        let outcome = match done {
            Err(error) => {
                let why = match error.is_cancelled() {
                    true => "the program's runtime ended before it was written",
                    false => "writing it panicked",
                };
                SaveOutcome::Failed(format!("{}: cannot be kept: {why}", path.display()))
            }
            Ok((
                _,
                DiskAnswer {
                    missing,
                    failed: None,
                },
            )) => SaveOutcome::Done { missing },
            Ok((
                mut task,
                DiskAnswer {
                    failed: Some((why, again)),
                    ..
                },
            )) => {
                let replaced = self.pending.iter().any(|other| other.job.kind() == kind);
                if again && !replaced {
                    task.failures = task.failures.saturating_add(1);
                    let pause = Box::pin(sleep(ceiling(task.failures, FIRST, LONGEST)));
                    self.again.push((task, pause));
                }
                SaveOutcome::Failed(why)
            }
        };
        Some(SaveReport {
            kind,
            path,
            outcome,
        })
    }
}

impl RunningJob {
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<SaveReport>> {
        let Some(limit) = &mut self.limit else {
            return Poll::Ready(None);
        };
        std::task::ready!(limit.as_mut().poll(cx));
        self.limit = None;
        Poll::Ready(Some(SaveReport {
            kind: self.kind,
            path: self.path.clone(),
            outcome: SaveOutcome::Hangs(self.since),
        }))
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests;
