//! What one path holds, as far as it counts: a writer's work is taken when it is finished, or when it has been quiet for a
//! while, and never half. Pure: findings and times go in, a verdict comes out.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::read::{FileContent, FileStamp, ReadOutcome};
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

/// What happened to one of the entries that lead to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// Permissions, owner or times.
    Metadata,
    /// A directory on the way appeared.
    Structure,
    /// Written to, and the writer may go on.
    Written,
    /// A writer closed it, or something whole came into its place.
    Finished,
    /// It went away; something may come in its place.
    Gone,
    /// Events were lost.
    Rescan,
}

impl Touch {
    /// One touch for two that were not looked at yet.
    pub(super) fn then(self, next: Touch) -> Touch {
        match (self, next) {
            (before, Touch::Metadata) => before,
            // A link was swapped and what it led to before was removed.
            (Touch::Finished, Touch::Gone) => Touch::Finished,
            (_, next) => next,
        }
    }
}

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
    /// Since when every reading has found nothing, or an empty file, and nothing was seen to happen.
    missing: Option<Instant>,
    orphan: bool,
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
        if !matches!(touch, Touch::Metadata | Touch::Structure) {
            // It may have been there since the last reading.
            self.missing = None;
        }
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
        let (held, missing) = match found.what {
            FileContent::Failed(error) => return self.fail(error, span),
            FileContent::Bytes(bytes) => {
                // A writer begins by emptying the file.
                let empty = bytes.is_empty();
                if matches!(&self.held, Some(PathContent::Value(held)) if **held == *bytes) {
                    (None, empty)
                } else {
                    (Some(PathContent::Value(bytes.into())), empty)
                }
            }
            FileContent::Absent => (Some(PathContent::Absent), true),
            FileContent::Unreadable(error) => (Some(PathContent::Unreadable(error)), false),
        };
        self.failure = None;
        self.orphan = found.orphan;
        self.missing = missing.then(|| self.missing.unwrap_or(after));
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
                let is_recent = self.missing.is_some_and(|since| before < since + calm);
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

#[cfg(test)]
mod tests {
    use super::{Touch::*, *};
    use proptest::prelude::*;

    const QUIET: Duration = Duration::from_secs(1);
    const OLD: Duration = Duration::from_secs(3600);

    fn found(text: &str, age: Duration) -> ReadOutcome {
        ReadOutcome {
            what: FileContent::Bytes(text.as_bytes().to_vec()),
            steady: true,
            age: Some(age),
            stamp: Some(FileStamp::of_test(text.len() as u64)),
            orphan: false,
        }
    }

    fn absent() -> ReadOutcome {
        ReadOutcome::bare(FileContent::Absent)
    }

    fn failed() -> ReadOutcome {
        ReadOutcome::bare(FileContent::Failed(SourceError::transient(
            "no descriptor is free",
        )))
    }

    /// A reading that takes no time.
    fn at(now: Instant) -> ReadSpan {
        ReadSpan {
            before: now,
            after: now,
        }
    }

    /// An entry that holds `text`.
    fn holding(text: &str, now: Instant) -> PathState {
        let mut entry = PathState::new(QUIET);
        let verdict = entry.consider(found(text, OLD), Trust::Unproven, false, at(now));
        assert_eq!(verdict, Judgement::New);
        entry
    }

    fn text(entry: &PathState) -> Option<&str> {
        match entry.held()? {
            PathContent::Value(bytes) => std::str::from_utf8(bytes).ok(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_write_waits_for_its_close() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        assert_eq!(entry.touched(Written, now), None);
        assert_eq!(entry.touched(Metadata, now), None);
        assert_eq!(entry.touched(Finished, now), Some(Trust::Finished));
        assert!(!entry.is_busy());
        assert_eq!(entry.touched(Metadata, now), Some(Trust::Unproven));
    }

    #[test]
    fn a_write_without_a_close_settles_after_the_last_one() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        entry.touched(Written, now);
        entry.touched(Written, now + QUIET / 2);
        assert_eq!(entry.overdue(now + QUIET), None);
        let due = now + QUIET * 3 / 2;
        assert_eq!(entry.overdue(due), Some(Trust::Settled));
        let verdict = entry.consider(found("new", QUIET), Trust::Settled, false, at(due));
        assert_eq!((verdict, text(&entry)), (Judgement::New, Some("new")));
        assert_eq!(entry.due(), None);
    }

    #[test]
    fn what_went_away_or_was_emptied_for_less_than_the_settle_time_keeps_its_value() {
        for missing in [absent, || found("", Duration::ZERO)] {
            let now = Instant::now();
            let mut entry = holding("old", now);
            assert_eq!(entry.touched(Gone, now), Some(Trust::Unproven));
            let verdict = entry.consider(missing(), Trust::Unproven, false, at(now));
            assert_eq!((verdict, text(&entry)), (Judgement::Wait, Some("old")));
            entry.touched(Finished, now + QUIET / 2);
            let verdict = entry.consider(found("new", QUIET), Trust::Finished, false, at(now));
            assert_eq!((verdict, text(&entry)), (Judgement::New, Some("new")));
        }
    }

    #[test]
    fn what_goes_away_as_a_wait_ends_is_waited_for_anew() {
        for missing in [absent, || found("", OLD)] {
            let now = Instant::now();
            let mut entry = holding("old", now);
            entry.touched(Rescan, now);
            let due = now + QUIET;
            assert_eq!(entry.overdue(due), Some(Trust::Settled));
            let verdict = entry.consider(missing(), Trust::Settled, false, at(due));
            assert_eq!((verdict, text(&entry)), (Judgement::Wait, Some("old")));
            let due = due + QUIET;
            assert_eq!(entry.overdue(due), Some(Trust::Settled));
            let verdict = entry.consider(missing(), Trust::Settled, false, at(due));
            assert_eq!(verdict, Judgement::New);
        }
    }

    #[test]
    fn a_wait_begins_after_a_reading_and_ends_before_it() {
        for missing in [absent, || found("", OLD)] {
            let now = Instant::now();
            let mut entry = holding("old", now);
            assert_eq!(entry.touched(Gone, now), Some(Trust::Unproven));
            // The thread was held up for longer than the settle time.
            let late = now + QUIET * 3;
            let span = ReadSpan {
                before: now,
                after: late,
            };
            let verdict = entry.consider(missing(), Trust::Unproven, false, span);
            assert_eq!(
                (verdict, entry.due()),
                (Judgement::Wait, Some(late + QUIET))
            );
            assert_eq!(entry.overdue(late), None, "it was away for a moment");
            let span = ReadSpan {
                before: late + QUIET / 2,
                after: late + QUIET * 2,
            };
            let verdict = entry.consider(missing(), Trust::Settled, false, span);
            assert_eq!((verdict, text(&entry)), (Judgement::Wait, Some("old")));
            let last = late + QUIET * 3;
            assert_eq!(entry.overdue(last), Some(Trust::Settled));
            let verdict = entry.consider(missing(), Trust::Settled, false, at(last));
            assert_eq!(verdict, Judgement::New);
        }
    }

    #[test]
    fn a_writer_that_emptied_the_file_and_has_it_open_is_waited_for_longer() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        entry.touched(Written, now);
        for seconds in 1..10 {
            let later = now + QUIET * seconds;
            assert_eq!(entry.overdue(later), Some(Trust::Settled));
            let empty = found("", QUIET * seconds);
            assert_eq!(
                entry.consider(empty, Trust::Settled, false, at(later)),
                Judgement::Wait
            );
        }
        assert_eq!(entry.trouble("f", now + QUIET).map(drop), None);
        let error = entry.trouble("f", now + QUIET * 2).unwrap().0.to_string();
        assert!(
            error.starts_with("f has been written to for more than 2s"),
            "{error}"
        );
        let last = now + QUIET * 10;
        let verdict = entry.consider(found("", OLD), Trust::Settled, false, at(last));
        assert_eq!((verdict, text(&entry)), (Judgement::New, Some("")));
    }

    #[test]
    fn without_events_quiet_is_judged_by_the_modification_time() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        let half = |age| found("half", age);
        let verdict = entry.consider(half(QUIET / 2), Trust::Unproven, false, at(now));
        assert_eq!(verdict, Judgement::Wait);
        // No event came, but somebody wrote.
        let later = now + QUIET;
        assert_eq!(entry.overdue(later), Some(Trust::Settled));
        let verdict = entry.consider(half(QUIET / 4), Trust::Settled, false, at(later));
        assert_eq!(verdict, Judgement::Wait);
        assert_eq!(entry.due(), Some(later + QUIET * 3 / 4));
        // The clock of a server may be behind: what changed meanwhile is not settled either.
        let later = later + QUIET;
        let verdict = entry.consider(found("half of it", OLD), Trust::Settled, false, at(later));
        assert_eq!((verdict, text(&entry)), (Judgement::Wait, Some("old")));
        let later = later + QUIET;
        let verdict = entry.consider(found("half of it", OLD), Trust::Settled, false, at(later));
        assert_eq!(
            (verdict, text(&entry)),
            (Judgement::New, Some("half of it"))
        );
    }

    #[test]
    fn what_a_link_leads_to_anew_is_left_alone_for_a_moment_if_it_is_young() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        let verdict = entry.consider(found("old enough", CALM), Trust::Linked, false, at(now));
        assert_eq!(verdict, Judgement::New);
        let young = Duration::from_millis(10);
        let verdict = entry.consider(found("half", young), Trust::Linked, false, at(now));
        assert_eq!(
            (verdict, text(&entry)),
            (Judgement::Wait, Some("old enough"))
        );
        let due = now + CALM - young;
        assert_eq!(entry.due(), Some(due));
        let verdict = entry.consider(found("whole", CALM), Trust::Settled, false, at(due));
        assert_eq!(verdict, Judgement::Wait, "it was written to");
        let due = due + CALM;
        assert_eq!(entry.overdue(due), Some(Trust::Settled));
        let verdict = entry.consider(found("whole", CALM * 2), Trust::Settled, false, at(due));
        assert_eq!((verdict, text(&entry)), (Judgement::New, Some("whole")));
    }

    #[test]
    fn a_reading_that_fails_keeps_the_value_and_is_tried_again_with_growing_pauses() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let verdict = entry.consider(failed(), Trust::Finished, false, at(now));
            assert_eq!((verdict, text(&entry)), (Judgement::Failed, Some("old")));
            pauses.push(entry.due().unwrap().duration_since(now).as_millis());
        }
        assert_eq!(
            pauses,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert!(entry.trouble("f", now).is_some());
        let verdict = entry.consider(found("old", OLD), Trust::Unproven, false, at(now));
        assert_eq!(verdict, Judgement::Same);
        assert!(entry.trouble("f", now).is_none() && entry.due().is_none());
    }

    #[test]
    fn a_first_reading_that_fails_for_long_is_reported() {
        let now = Instant::now();
        let mut entry = PathState::new(QUIET);
        let verdict = entry.consider(failed(), Trust::Unproven, false, at(now));
        assert_eq!((verdict, entry.held()), (Judgement::Failed, None));
        let verdict = entry.consider(failed(), Trust::Unproven, false, at(now + QUIET));
        assert_eq!(verdict, Judgement::New);
        assert!(matches!(entry.held(), Some(PathContent::Unreadable(_))));
        assert!(entry.due().is_some(), "and tried again");
    }

    #[test]
    fn a_file_without_a_name_is_reported_although_it_can_be_read() {
        let now = Instant::now();
        let mut entry = holding("old", now);
        let orphan = ReadOutcome {
            orphan: true,
            ..found("old", OLD)
        };
        assert_eq!(
            entry.consider(orphan, Trust::Unproven, false, at(now)),
            Judgement::Same
        );
        let error = entry.trouble("app.yaml", now).unwrap().0.to_string();
        assert!(
            error.contains("app.yaml: the file was replaced behind its mount"),
            "{error}"
        );
        assert!(error.contains("mount its folder"), "{error}");
    }

    fn touch() -> impl Strategy<Value = Touch> {
        prop_oneof![
            Just(Metadata),
            Just(Structure),
            Just(Written),
            Just(Finished),
            Just(Gone),
            Just(Rescan)
        ]
    }

    proptest! {
        /// However touches are merged, the file is read once all is quiet, and never at once after an unfinished write.
        #[test]
        fn nothing_is_left_unread(touches in proptest::collection::vec((touch(), any::<bool>()), 1..40)) {
            let now = Instant::now();
            let mut entry = holding("old", now);
            let mut unread = false;
            let mut waiting: Option<Touch> = None;
            for (touch, look) in touches {
                let merged = waiting.map_or(touch, |before| before.then(touch));
                waiting = Some(merged);
                unread = true;
                if look {
                    waiting = None;
                    match entry.touched(merged, now) {
                        Some(_) => {
                            prop_assert!(!matches!(merged, Written | Rescan));
                            unread = false;
                        }
                        None => prop_assert!(entry.is_busy()),
                    }
                }
            }
            prop_assert!(!unread || waiting.is_some() || entry.overdue(now + QUIET).is_some());
        }

        /// Whatever happened before: what is away counts only once it was found so for as long as the settle time.
        #[test]
        fn what_is_away_counts_after_the_settle_time(
            steps in proptest::collection::vec((any::<bool>(), proptest::option::of(touch()), 0..1500u64), 1..60)
        ) {
            let mut now = Instant::now();
            let mut entry = holding("old", now);
            let mut away: Option<Instant> = None;
            for (is_there, touch, wait) in steps {
                now += Duration::from_millis(wait);
                let trust = match touch {
                    Some(touch) => {
                        if !matches!(touch, Metadata | Structure) {
                            away = None;
                        }
                        entry.touched(touch, now)
                    }
                    None => entry.overdue(now),
                };
                let Some(trust) = trust else {
                    continue;
                };
                let reading = if is_there { found("old", OLD) } else { absent() };
                away = (!is_there).then(|| away.unwrap_or(now));
                let verdict = entry.consider(reading, trust, false, at(now));
                if verdict == Judgement::New && !is_there {
                    prop_assert!(away.is_some_and(|since| now >= since + QUIET));
                }
            }
        }

        /// Whatever is found, and however far it is trusted: what was found last counts once it has been quiet.
        #[test]
        fn what_is_there_counts_in_the_end(
            findings in proptest::collection::vec((0..4u8, 0..5u8, any::<bool>(), 0..3000u64), 0..30)
        ) {
            let mut now = Instant::now();
            let mut entry = holding("old", now);
            for (n, (what, trust, steady, wait)) in findings.into_iter().enumerate() {
                now += Duration::from_millis(wait);
                let mut found = match what {
                    0 => absent(),
                    1 => failed(),
                    2 => found("", Duration::ZERO),
                    _ => found(&"x".repeat(n), Duration::from_millis(wait)),
                };
                found.steady = steady;
                let trust = [
                    Trust::Replaced, Trust::Settled, Trust::Finished, Trust::Linked, Trust::Unproven,
                ][trust as usize];
                entry.consider(found, trust, false, at(now));
            }
            let mut waits = 0;
            let mut trust = Some(Trust::Unproven);
            let quiet = now;
            while let Some(how) = trust {
                entry.consider(found("the end", now - quiet), how, false, at(now));
                match entry.due() {
                    None => break,
                    Some(due) => {
                        now = due.max(now);
                        trust = entry.overdue(now);
                        waits += 1;
                        prop_assert!(waits < 4, "{entry:?}");
                    }
                }
            }
            prop_assert_eq!(text(&entry), Some("the end"));
        }
    }
}
