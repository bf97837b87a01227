//! Findings and times, and what is made of them.

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

/// As a folder without files.
fn empty() -> ReadOutcome {
    ReadOutcome::bare(FileContent::Bytes(Vec::new()))
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

/// Between the two it may have been there, whatever the event was; rights alone bring nothing back.
#[test]
fn two_absences_with_an_event_in_between_are_not_one() {
    for (touch, counts) in [
        (Metadata, true),
        (Structure, false),
        (Gone, false),
        (Finished, false),
    ] {
        let now = Instant::now();
        let mut entry = holding("old", now);
        assert_eq!(entry.touched(Gone, now), Some(Trust::Unproven));
        let verdict = entry.consider(absent(), Trust::Unproven, false, at(now));
        assert_eq!(verdict, Judgement::Wait);
        // It came and went, and is read when the first wait ends.
        entry.happened(touch);
        let due = entry.due().unwrap();
        let verdict = entry.consider(absent(), Trust::Settled, false, at(due));
        assert_eq!(verdict == Judgement::New, counts, "{touch:?}");
        if !counts {
            let due = due + QUIET;
            assert_eq!(entry.overdue(due), Some(Trust::Settled));
            let verdict = entry.consider(absent(), Trust::Settled, false, at(due));
            assert_eq!(verdict, Judgement::New);
        }
    }
}

/// As a folder without files that is removed when the wait for it ends.
#[test]
fn what_was_empty_and_is_gone_now_has_not_been_gone_for_long() {
    for (first, then) in [
        (empty as fn() -> ReadOutcome, absent as fn() -> ReadOutcome),
        (absent, empty),
    ] {
        let now = Instant::now();
        let mut entry = holding("old", now);
        let verdict = entry.consider(first(), Trust::Linked, false, at(now));
        assert_eq!(verdict, Judgement::Wait);
        let due = now + QUIET;
        assert_eq!(entry.overdue(due), Some(Trust::Settled));
        let verdict = entry.consider(then(), Trust::Settled, false, at(due));
        assert_eq!((verdict, text(&entry)), (Judgement::Wait, Some("old")));
        let due = due + QUIET;
        assert_eq!(entry.overdue(due), Some(Trust::Settled));
        let verdict = entry.consider(then(), Trust::Settled, false, at(due));
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

    /// Whatever happened before: what is away, or empty, counts only once it was found so for as long as the settle time.
    #[test]
    fn what_is_away_counts_after_the_settle_time(
        steps in proptest::collection::vec((0..3u8, proptest::option::of(touch()), 0..1500u64), 1..60)
    ) {
        let mut now = Instant::now();
        let mut entry = holding("old", now);
        let mut away: Option<(u8, Instant)> = None;
        for (what, touch, wait) in steps {
            now += Duration::from_millis(wait);
            let trust = match touch {
                Some(touch) => {
                    if touch != Metadata {
                        away = None;
                    }
                    entry.touched(touch, now)
                }
                None => entry.overdue(now),
            };
            let Some(trust) = trust else {
                continue;
            };
            let reading = match what {
                0 => found("old", OLD),
                1 => absent(),
                _ => empty(),
            };
            away = away.filter(|(before, _)| *before == what);
            away = (what != 0).then(|| away.unwrap_or((what, now)));
            let verdict = entry.consider(reading, trust, false, at(now));
            if verdict == Judgement::New && what != 0 {
                prop_assert!(away.is_some_and(|(_, since)| now >= since + QUIET));
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
