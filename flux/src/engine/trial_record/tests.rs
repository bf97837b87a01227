//! Deaths, quarantine, and how long both are remembered.

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn holding(number: u128) -> Fingerprints {
    vec![
        ("app.yaml".to_owned(), Fingerprint(number)),
        ("other.yaml".to_owned(), Fingerprint(100)),
    ]
}

fn record(number: u128) -> TrialRecord {
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    let changed = vec!["port".to_owned()];
    record.on_trial = Some(record.trial(holding(number), 7, changed, 2, NOW));
    record
}

#[test]
fn the_second_death_quarantines_what_differs_from_the_last_known_good() {
    let (mut record, good) = (record(2), holding(1));
    let found = record.at_start(true, Some(&good), 2, NOW);
    assert!(matches!(found, Some(Aftermath::Died(trial)) if trial.deaths == 1));
    assert_eq!(record.in_quarantine().count(), 0);
    // The same content again.
    record.on_trial = Some(record.trial(holding(2), 1, Vec::new(), 2, NOW));
    let found = record.at_start(true, Some(&good), 2, NOW);
    assert!(matches!(found, Some(Aftermath::Quarantined(trial)) if trial.deaths == 2));
    let quarantined: Vec<_> = record.in_quarantine().collect();
    assert_eq!(quarantined.len(), 1, "the other layer holds what it held");
    assert!(quarantined[0].is("app.yaml", Fingerprint(2)));
    assert_eq!(quarantined[0].until, NOW + FIRST);
    assert_eq!(record.on_trial, None);
}

#[test]
fn a_stop_a_live_process_and_a_trial_that_was_passed_are_no_deaths() {
    let good = holding(1);
    for (running, died) in [(false, true), (true, false)] {
        let mut record = record(2);
        record.on_trial.as_mut().unwrap().running = running;
        assert_eq!(record.at_start(died, Some(&good), 1, NOW), None);
        assert_eq!(record.on_trial.unwrap().deaths, 0);
    }
    let mut record = record(2);
    assert_eq!(record.at_start(true, Some(&holding(2)), 1, NOW), None);
    assert_eq!(record.on_trial, None);
}

#[test]
fn without_a_last_known_good_nothing_is_held_against_any_content() {
    let mut record = record(2);
    assert_eq!(record.at_start(true, None, 1, NOW), None);
    assert_eq!((record.on_trial, record.quarantined), (None, Vec::new()));
}

#[test]
fn after_its_time_one_more_death_is_enough_and_the_time_doubles_up_to_a_day() {
    let (mut record, good) = (record(2), holding(1));
    let mut now = NOW;
    record.on_trial.as_mut().unwrap().deaths = 1;
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let found = record.at_start(true, Some(&good), 2, now);
        assert!(matches!(found, Some(Aftermath::Quarantined(_))));
        let until = record.in_quarantine().next().unwrap().until;
        pauses.push(until.duration_since(now).unwrap().as_secs() / 3600);
        now = until;
        assert!(record.lift(|content| content.until <= now));
        assert_eq!(record.in_quarantine().count(), 0);
        record.on_trial = Some(record.trial(holding(2), 1, Vec::new(), 2, now));
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 24, 24]);
    record.forgive(&holding(2));
    assert_eq!(record.quarantined, Vec::new());
}

#[test]
fn no_number_that_a_person_writes_into_the_record_is_too_large() {
    let (mut record, good) = (record(2), holding(1));
    record.at_start(true, Some(&good), 1, NOW);
    let content = &mut record.quarantined[0];
    (content.times, content.deaths, content.lifted) = (u32::MAX, u32::MAX, true);
    let most = format!("and {} more", usize::MAX);
    let changed = vec![most, "and 1 more".to_owned()];
    let mut trial = record.trial(holding(2), u64::MAX, changed, 2, NOW);
    trial.deaths = u32::MAX;
    record.on_trial = Some(trial);
    let found = record.at_start(true, Some(&good), 2, NOW);
    assert!(matches!(found, Some(Aftermath::Quarantined(_))));
    assert_eq!(record.in_quarantine().count(), 1);
}

#[test]
fn content_that_is_new_begins_with_nothing_against_it() {
    let (mut record, good) = (record(2), holding(1));
    record.at_start(true, Some(&good), 2, NOW);
    assert_eq!(record.trial(holding(3), 1, Vec::new(), 2, NOW).deaths, 0);
    assert_eq!(record.trial(holding(2), 1, Vec::new(), 2, NOW).deaths, 1);
}

#[test]
fn deaths_are_counted_for_each_layer_though_another_one_changes_at_every_start() {
    let (mut record, good) = (TrialRecord::new(FingerprintKey(1, 2)), holding(1));
    let with_other = |app: u128, other: u128| {
        let mut holding = holding(app);
        holding[1].1 = Fingerprint(other);
        holding
    };
    for (start, other) in [(1, 101), (2, 102)] {
        let trial = record.trial(with_other(2, other), 1, Vec::new(), 2, NOW);
        assert_eq!(trial.deaths, start - 1);
        record.on_trial = Some(trial);
        let found = record.at_start(true, Some(&good), 2, NOW);
        let quarantined = matches!(found, Some(Aftermath::Quarantined(_)));
        assert_eq!(quarantined, start == 2);
    }
    let quarantined: Vec<_> = record.in_quarantine().collect();
    assert_eq!(quarantined.len(), 1, "the other layer's content died once");
    assert!(quarantined[0].is("app.yaml", Fingerprint(2)));
    assert_eq!(quarantined[0].deaths, 2);
}

#[test]
fn deaths_are_counted_for_each_content_though_contents_alternate() {
    let (mut record, good) = (TrialRecord::new(FingerprintKey(1, 2)), holding(1));
    let mut quarantined = Vec::new();
    for number in [2, 3, 2, 3] {
        record.on_trial = Some(record.trial(holding(number), 1, Vec::new(), 2, NOW));
        let found = record.at_start(true, Some(&good), 2, NOW);
        quarantined.push(matches!(found, Some(Aftermath::Quarantined(_))));
    }
    assert_eq!(quarantined, [false, false, true, true]);
    assert!(!record.forget_suspects(), "both are more than suspected");
}

#[test]
fn what_is_only_suspected_is_forgotten_after_a_day_or_by_a_trial_that_is_passed() {
    let good = holding(1);
    let suspected = || {
        let mut record = record(2);
        record.at_start(true, Some(&good), 2, NOW);
        assert_eq!(
            (record.quarantined.len(), record.in_quarantine().count()),
            (1, 0)
        );
        record.on_trial = None;
        record
    };
    let mut record = suspected();
    record.at_start(true, Some(&good), 2, NOW + LONGEST);
    assert_eq!(record.quarantined, Vec::new());
    assert!(suspected().forget_suspects());
}

#[test]
fn a_quarantine_ends_within_a_day_though_the_calendar_was_ahead_when_it_began() {
    let (mut record, good) = (record(2), holding(1));
    let ahead = NOW + Duration::from_secs(4_000_000_000);
    record.on_trial.as_mut().unwrap().deaths = 1;
    record.at_start(true, Some(&good), 2, ahead);
    assert_eq!(record.at_start(false, Some(&good), 2, NOW), None);
    let until = record.in_quarantine().next().unwrap().until;
    assert_eq!(until, NOW + LONGEST);
    record.at_start(false, Some(&good), 2, until);
    assert_eq!(record.in_quarantine().count(), 0);
}

#[test]
fn contents_that_died_together_are_tried_one_at_a_time_and_the_innocent_one_is_cleared() {
    let good = holding(1);
    let both = vec![
        ("app.yaml".to_owned(), Fingerprint(2)),
        ("other.yaml".to_owned(), Fingerprint(200)),
    ];
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    for _ in 0..2 {
        record.on_trial = Some(record.trial(both.clone(), 1, Vec::new(), 2, NOW));
        record.at_start(true, Some(&good), 2, NOW);
    }
    assert_eq!(record.in_quarantine().count(), 2, "nobody knows which");
    let held = record.layers_in_quarantine();
    assert_eq!(beside(&held, "app.yaml").as_deref(), Some("`other.yaml`"));
    let later = NOW + FIRST;
    record.at_start(false, Some(&good), 2, later);
    let held: Vec<_> = record.in_quarantine().map(|one| &*one.layer).collect();
    assert_eq!(held, ["other.yaml"], "the other one is tried without it");
    // While something is on trial, nothing else is added to it.
    let alone = vec![both[0].clone(), good[1].clone()];
    record.on_trial = Some(record.trial(alone.clone(), 1, Vec::new(), 2, later));
    record.at_start(false, Some(&good), 2, later);
    assert_eq!(record.in_quarantine().count(), 1);
    // It passes, and the other one is tried and kills the process.
    (record.on_trial, _) = (None, record.forgive(&alone));
    assert!(record.lift_first(|until| until <= later));
    record.on_trial = Some(record.trial(both.clone(), 1, Vec::new(), 2, later));
    record.at_start(true, Some(&good), 2, later);
    let held: Vec<_> = record.in_quarantine().map(|one| &*one.layer).collect();
    assert_eq!(held, ["other.yaml"], "the innocent one is served");
}

/// A folder of many files, all of them new.
#[test]
fn no_content_of_a_whole_folder_that_died_is_forgotten() {
    let all = |content: u128| -> Fingerprints {
        let files = 0..MOST_FILES;
        files
            .map(|file| (format!("d/{file:04}"), Fingerprint(content)))
            .collect()
    };
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    record.has_folders();
    let changed: Vec<String> = (0..16).map(|number| format!("path{number}")).collect();
    for _ in 0..2 {
        record.on_trial = Some(record.trial(all(2), 1, changed.clone(), 2, NOW));
        record.at_start(true, Some(&all(1)), 2, NOW);
    }
    assert_eq!(record.in_quarantine().count(), MOST_FILES);
    let with_paths = record.in_quarantine().filter(|one| !one.changed.is_empty());
    assert_eq!(with_paths.count(), MOST_WITH_PATHS);
    let held = record.layers_in_quarantine();
    let others = beside(&held, "d/0000").unwrap();
    assert!(others.ends_with("and 4079 more"), "{others}");
    // A program without folders keeps fewer, whatever an earlier one has written.
    record.most = TrialRecord::new(record.key).most;
    record.on_trial = Some(record.trial(all(3), 1, changed, 2, NOW));
    record.at_start(true, Some(&all(1)), 2, NOW);
    assert_eq!(record.in_quarantine().count(), 64);
}

/// One start after a death with this content.
fn dies_with(record: &mut TrialRecord, content: u128, now: SystemTime) -> bool {
    record.on_trial = Some(record.trial(holding(content), 1, Vec::new(), 2, now));
    record.at_start(true, Some(&holding(1)), 2, now);
    record.is_in_a_row(2)
}

#[test]
fn a_start_after_three_contents_that_killed_holds_back_what_it_finds_and_longer_each_time() {
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    assert!(!dies_with(&mut record, 2, NOW));
    assert!(!dies_with(&mut record, 3, NOW));
    for (hours, content) in [(1, 4), (2, 5), (4, 6)] {
        assert!(dies_with(&mut record, content, NOW), "{content}");
        let (layer, next) = ("app.yaml", Fingerprint(content + 1));
        let why = record.hold(layer, next, &["port".to_owned()], NOW).unwrap();
        assert!(why.contains("new") && why.contains("`port`"), "{why}");
        assert_eq!(
            record.hold(layer, next, &[], NOW),
            None,
            "it is held already"
        );
        let held = record.in_quarantine().last().unwrap();
        assert!(held.is(layer, next));
        assert_eq!((held.until, held.deaths), (NOW + FIRST * hours, 0));
    }
    // It is tried at last, and one death is enough; it is counted as one.
    assert!(record.lift(|_| true));
    record.on_trial = Some(record.trial(holding(7), 1, Vec::new(), 2, NOW));
    let found = record.at_start(true, Some(&holding(1)), 2, NOW);
    assert!(matches!(found, Some(Aftermath::Quarantined(_))));
    let held = record.in_quarantine().last().unwrap();
    assert_eq!((held.fingerprint, held.deaths), (Fingerprint(7), 1));
    assert!(held.sentence().contains("died once"), "{}", held.sentence());
}

#[test]
fn a_row_ends_with_a_trial_that_was_passed_and_after_a_day_without_a_death() {
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    for content in 2..4 {
        dies_with(&mut record, content, NOW);
    }
    let mut passed = record.clone();
    assert!(passed.end_row());
    assert!(!dies_with(&mut passed, 4, NOW));
    let mut later = record.clone();
    assert!(!dies_with(&mut later, 4, NOW + LONGEST * 2));
    let mut same = record.clone();
    assert!(!dies_with(&mut same, 3, NOW), "that content died before");
    assert!(dies_with(&mut record, 4, NOW + LONGEST));
}

#[test]
fn a_row_with_a_last_death_in_the_future_is_over_a_day_after_the_start_that_found_it() {
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    for content in 2..4 {
        dies_with(&mut record, content, NOW + LONGEST * 30);
    }
    record.on_trial = None;
    record.at_start(false, Some(&holding(1)), 2, NOW);
    assert!(!dies_with(&mut record, 4, NOW + LONGEST * 2));
}

#[test]
fn what_the_last_process_died_with_is_held_back_and_not_called_new() {
    let mut record = TrialRecord::new(FingerprintKey(1, 2));
    for content in 2..5 {
        dies_with(&mut record, content, NOW);
    }
    let last = Fingerprint(4);
    let why = record.hold("app.yaml", last, &[], NOW).unwrap();
    for part in ["died once", "3 contents in a row"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    let held = record.in_quarantine().last().unwrap();
    assert_eq!((held.fingerprint, held.deaths), (last, 1));
}
