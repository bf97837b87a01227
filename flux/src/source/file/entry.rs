//! When a file counts as written completely, and may be read: a writer's work is taken when it is finished, or when it has been
//! quiet for a while, and never half. Pure: findings and times go in, a verdict comes out.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    event::Touch,
    read::{FileContent, FileStamp, ReadOutcome},
};
use crate::{
    source::{Content, ErrorKind, Observation, SourceError},
    time::ceiling,
};

/// How long the pauses grow between two readings that fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long what a link has just been made to lead to is left alone at least.
const CALM: Duration = Duration::from_millis(50);
/// How many settle times an empty file is waited for while its writer has it open.
const EMPTY: u32 = 10;
/// After how many settle times of writing without a pause the health reports it.
const LONG: u32 = 2;

/// How far what was read is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// All was replaced at once by what nobody writes to any more: also what is missing counts.
    Replaced,
    /// It has been left alone for the settle time.
    Settled,
    /// The writer finished; another one may have begun.
    Finished,
    /// A link or a folder on the way was replaced: what it leads to now was not watched, and a writer may be at work there.
    Linked,
    /// There is no sign that a writer finished.
    Unproven,
}

/// What a path holds, as far as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathContent {
    Value(Arc<[u8]>),
    Absent,
    Unreadable(SourceError),
}

/// When a path was read. A wait begins after the reading and ends before it: a thread that was held up in between has seen nothing of
/// that time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadSpan {
    pub(super) before: Instant,
    pub(super) after: Instant,
}

impl ReadSpan {
    /// Of a reading that began at `before` and has just ended.
    pub(super) fn since(before: Instant) -> Self {
        ReadSpan {
            before,
            after: Instant::now().max(before),
        }
    }
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The path holds something else now.
    New,
    /// It holds what it held.
    Same,
    /// It may be half of what comes.
    Wait,
    /// It could not be read just now.
    Failed,
}

#[derive(Debug)]
pub(super) struct PathState {
    quiet: Duration,
    held: Option<PathContent>,
    writer: Option<Writer>,
    failure: Option<Failure>,
    /// Since when the first content has been waited for.
    first_wait: Option<Instant>,
    /// Since when every reading has found nothing, or each an empty file, and nothing was seen to happen.
    missing: Option<(Instant, MissingKind)>,
    orphan: bool,
}

/// What was empty for a while and is gone now has not been gone for that while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissingKind {
    Absent,
    Empty,
}

/// Somebody may be writing.
#[derive(Debug)]
struct Writer {
    since: Instant,
    /// When it counts as settled, if nothing happens until then.
    due: Instant,
    /// How long it must have been left alone by then.
    calm: Duration,
    /// It was seen to write, and not to close.
    open: bool,
    /// What was found when the wait began.
    stamp: Option<FileStamp>,
}

#[derive(Debug)]
struct Failure {
    error: SourceError,
    count: u32,
    again: Instant,
}

impl PathState {
    /// Nothing is known of it. A file must be left alone for `quiet` to be settled.
    pub(super) fn new(quiet: Duration) -> Self {
        PathState {
            quiet,
            held: None,
            writer: None,
            failure: None,
            first_wait: None,
            missing: None,
            orphan: false,
        }
    }

    /// It was not there so far.
    pub(super) fn absent(quiet: Duration) -> Self {
        PathState {
            held: Some(PathContent::Absent),
            ..PathState::new(quiet)
        }
    }

    pub(super) fn held(&self) -> Option<&PathContent> {
        self.held.as_ref()
    }

    /// Takes note of a touch. How far what is read now is trusted; `None`: it is not to be read yet.
    pub(super) fn touched(&mut self, touch: Touch, now: Instant) -> Option<Trust> {
        self.happened(touch);
        match touch {
            Touch::Finished => {
                self.writer = None;
                Some(Trust::Finished)
            }
            Touch::Written | Touch::Rescan => {
                self.suspect(now, None, self.quiet);
                if let Some(writer) = &mut self.writer {
                    writer.open |= touch == Touch::Written;
                }
                None
            }
            Touch::Gone if self.is_busy() => {
                self.suspect(now, None, self.quiet);
                None
            }
            Touch::Metadata | Touch::Structure if self.is_busy() => None,
            Touch::Metadata | Touch::Structure | Touch::Gone => Some(Trust::Unproven),
        }
    }

    /// Takes note of a touch that is looked at in another way: it may have been there since the last reading.
    pub(super) fn happened(&mut self, touch: Touch) {
        if touch != Touch::Metadata {
            self.missing = None;
        }
    }

    /// Judges what was read. `written`: a write was seen that nobody has looked at yet.
    pub(super) fn consider(
        &mut self,
        found: ReadOutcome,
        trust: Trust,
        written: bool,
        span: ReadSpan,
    ) -> Judgement {
        let ReadSpan { before, after } = span;
        let unfinished = !found.steady || written;
        let (held, kind) = match found.what {
            FileContent::Failed(error) => return self.fail(error, span),
            FileContent::Bytes(bytes) => {
                // A writer begins by emptying the file.
                let empty = bytes.is_empty().then_some(MissingKind::Empty);
                if matches!(&self.held, Some(PathContent::Value(held)) if **held == *bytes) {
                    (None, empty)
                } else {
                    (Some(PathContent::Value(bytes.into())), empty)
                }
            }
            FileContent::Absent => (Some(PathContent::Absent), Some(MissingKind::Absent)),
            FileContent::Unreadable(error) => (Some(PathContent::Unreadable(error)), None),
        };
        self.failure = None;
        self.orphan = found.orphan;
        let before_it = self.missing.filter(|(_, before)| Some(*before) == kind);
        self.missing = kind.map(|kind| before_it.unwrap_or((after, kind)));
        let missing = kind.is_some();
        let Some(news) = held.filter(|held| self.held.as_ref() != Some(held)) else {
            if unfinished {
                self.suspect(after, found.stamp, self.quiet);
                return Judgement::Wait;
            }
            self.writer = None;
            return Judgement::Same;
        };
        let calm = match (trust, &self.writer) {
            (Trust::Linked, _) if !missing => self.quiet.min(CALM),
            (Trust::Settled, Some(writer)) => writer.calm,
            _ => self.quiet,
        };
        let age = found.age.filter(|age| *age < calm);
        let wait = match (&self.held, trust) {
            // There is nothing yet that could be kept while a writer is at work.
            (None, _) => {
                let value = matches!(news, PathContent::Value(_));
                value && (unfinished || missing && age.is_some()) && self.is_patient(span)
            }
            (_, Trust::Replaced) => unfinished,
            (_, Trust::Settled) => {
                // What goes away when a wait for something else ends has not been away for long.
                let is_recent = self.missing.is_some_and(|(since, _)| before < since + calm);
                unfinished || is_recent || self.was_touched(&found.stamp, missing, age, before)
            }
            (_, Trust::Finished) => unfinished || missing,
            (_, Trust::Linked | Trust::Unproven) => unfinished || missing || age.is_some(),
        };
        if wait {
            self.suspect(after, found.stamp, calm);
            if let (Some(writer), Some(age), Trust::Settled | Trust::Linked) =
                (&mut self.writer, age, trust)
            {
                writer.due = after + (calm - age).max(Duration::from_millis(1));
            }
            return Judgement::Wait;
        }
        self.writer = None;
        self.held = Some(news);
        Judgement::New
    }

    /// Whether what seemed settled is not: it is another file than when the wait began, it is young although there was no event of
    /// a write, or a writer that emptied it has it open.
    fn was_touched(
        &self,
        stamp: &Option<FileStamp>,
        missing: bool,
        age: Option<Duration>,
        now: Instant,
    ) -> bool {
        let Some(writer) = &self.writer else {
            return age.is_some();
        };
        let moved = writer.stamp.is_some() && writer.stamp != *stamp;
        let emptied = missing && stamp.is_some() && writer.open;
        moved || age.is_some() || emptied && now < writer.since + self.quiet * EMPTY
    }

    fn fail(&mut self, error: SourceError, span: ReadSpan) -> Judgement {
        let count = self.failure.as_ref().map_or(0, |failure| failure.count) + 1;
        // What may pass soon is waited for at the beginning.
        let first =
            self.held.is_none() && (error.kind() != ErrorKind::Transient || !self.is_patient(span));
        if first {
            self.held = Some(PathContent::Unreadable(error.clone()));
        }
        let again = span.after + ceiling(count, SHORTEST_PAUSE, LONGEST_PAUSE);
        if let Some(writer) = &mut self.writer {
            writer.due = writer.due.max(again);
        }
        self.failure = Some(Failure {
            error,
            count,
            again,
        });
        match first {
            true => Judgement::New,
            false => Judgement::Failed,
        }
    }

    /// Somebody may be writing: `stamp` is what was found, if it was looked at.
    fn suspect(&mut self, now: Instant, stamp: Option<FileStamp>, calm: Duration) {
        let writer = self.writer.get_or_insert(Writer {
            since: now,
            due: now,
            calm,
            open: false,
            stamp: None,
        });
        writer.due = now + calm;
        (writer.calm, writer.stamp) = (calm, stamp);
    }

    /// Whether the first content may still be waited for.
    fn is_patient(&mut self, span: ReadSpan) -> bool {
        let since = *self.first_wait.get_or_insert(span.after);
        span.before < since + self.quiet
    }

    /// A writer is at work.
    pub(super) fn is_busy(&self) -> bool {
        self.writer.is_some()
    }

    /// It could not be read when it was read last.
    pub(super) fn is_failing(&self) -> bool {
        self.failure.is_some()
    }

    /// It is left alone for a moment only, since a link was made to lead to it.
    pub(super) fn is_calming(&self) -> bool {
        self.writer
            .as_ref()
            .is_some_and(|writer| writer.calm < self.quiet)
    }

    /// When it is to be read although nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let settled = self.writer.as_ref().map(|writer| writer.due);
        let again = self.failure.as_ref().map(|failure| failure.again);
        settled.into_iter().chain(again).min()
    }

    /// How far it is trusted when it is read now because it is due.
    pub(super) fn overdue(&self, now: Instant) -> Option<Trust> {
        let settled = self.writer.as_ref().is_some_and(|writer| writer.due <= now);
        let again = self
            .failure
            .as_ref()
            .is_some_and(|failure| failure.again <= now);
        match (settled, again) {
            (true, _) => Some(Trust::Settled),
            (false, true) => Some(Trust::Unproven),
            (false, false) => None,
        }
    }

    /// Why what counts may not be what is there, and how many readings failed so.
    pub(super) fn trouble(&self, shown: &str, now: Instant) -> Option<(SourceError, u32)> {
        if let Some(failure) = &self.failure {
            return Some((failure.error.clone(), failure.count));
        }
        if self.orphan {
            let error = SourceError::configuration(format!(
                "{shown}: the file was replaced behind its mount, and this mount still holds the old one; mount its folder \
                 instead of the file"
            ));
            return Some((error, 1));
        }
        let writer = self.writer.as_ref()?;
        let long = (self.quiet * LONG).max(Duration::from_secs(2));
        (now >= writer.since + long).then(|| {
            let error = SourceError::transient(format!(
                "{shown} has been written to for more than {}; it is read when its writer closes it or leaves it alone for {}",
                flux_syntax::format_duration(long),
                flux_syntax::format_duration(self.quiet),
            ));
            (error, 1)
        })
    }
}

impl PathContent {
    pub(super) fn observation(&self) -> Observation {
        match self {
            PathContent::Value(bytes) => Observation::Value(Content {
                bytes: Arc::clone(bytes),
                revision: None,
            }),
            PathContent::Absent => Observation::Absent,
            PathContent::Unreadable(error) => Observation::Unreadable(error.clone()),
        }
    }
}
