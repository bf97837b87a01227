//! Ways back to an earlier configuration, and what keeps newer content away.

use super::*;

#[test]
fn a_rollback_serves_the_earlier_value_and_quarantines_what_came_after() {
    let mut bench = EngineBench::started(settings());
    bench.change("n=2");
    let now = bench.clock.now();
    let action = bench.engine.roll_back(None, now).expect("one is kept");
    assert!(bench.answer(action, Ok(())));
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    bench.change("n=1");
    bench.change("n=2");
    assert_eq!(
        bench.served(),
        Some((1, Small { n: 1, m: 0 })),
        "in quarantine"
    );
    bench.change("n=3");
    assert_eq!(bench.served(), Some((3, Small { n: 3, m: 0 })));
    let now = bench.clock.now();
    assert_eq!(
        bench.engine.roll_back(Some(9), now).err(),
        Some(vec![1, 2, 3])
    );
}

#[test]
fn a_rollback_by_hand_that_is_denied_changes_nothing() {
    let mut bench = EngineBench::started(settings());
    bench.change("n=2");
    let now = bench.clock.now();
    let action = bench.engine.roll_back(Some(1), now).expect("one is kept");
    let Action::Ask(_) = action else {
        panic!("a pipeline is there");
    };
    let denial = Err(Denial::Failed("no".to_owned()));
    assert!(matches!(
        bench.engine.answered(denial, now),
        Action::Denied(_)
    ));
    assert_eq!(bench.engine.state(), State::Healthy);
    assert_eq!(
        (bench.engine.busy(), bench.engine.deadline()),
        (false, None)
    );
}

#[test]
fn what_makes_the_program_unhealthy_is_taken_back() {
    let mut bench = EngineBench::started(Settings {
        probation: Some(Duration::from_secs(10)),
        ..settings()
    });
    bench.change("n=2");
    assert!(bench.engine.on_probation());
    let now = bench.clock.now();
    let action = bench.engine.unhealthy("bad", now);
    bench.answer(action, Ok(()));
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    let status = bench.engine.status(true);
    let outcomes: Vec<_> = status
        .generations
        .iter()
        .map(|one| one.outcome.clone())
        .collect();
    let taken_back = GenerationOutcome::TakenBack("bad".to_owned());
    assert_eq!(outcomes, [GenerationOutcome::Applied, taken_back]);
}

#[test]
fn a_trial_that_passes_is_confirmed() {
    let mut bench = EngineBench::started(Settings {
        probation: Some(Duration::from_secs(10)),
        ..settings()
    });
    bench.change("n=2");
    bench
        .clock
        .pass_to(bench.engine.deadline().expect("the end of the trial"));
    let now = bench.clock.now().instant;
    assert_eq!(bench.engine.trial(now), ProbationStep::Passed);
    assert!(!bench.engine.on_probation() && !bench.engine.has_trial());
    assert!(matches!(
        bench.events().last(),
        Some(EngineEvent::Confirmed)
    ));
}

#[test]
fn a_pin_keeps_newer_content_waiting() {
    let mut bench = EngineBench::started(settings());
    assert!(!bench.engine.pin(true));
    bench.change("n=2");
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    assert!(bench.engine.pin(false));
    bench.take_up_and(Ok(()));
    assert_eq!(bench.served(), Some((2, Small { n: 2, m: 0 })));
}

#[cfg(feature = "json")]
#[test]
fn what_is_lifted_while_the_configuration_is_pinned_is_tried_once_that_ends_and_not_now() {
    use crate::engine::{
        decide::{Past, TrialRules},
        fingerprint::FingerprintKey,
        trial_record::{Fingerprints, QuarantinedContent, TrialRecord},
    };
    let key = FingerprintKey(1, 2);
    let begin = |record: TrialRecord, trusted: Option<Fingerprints>| {
        let mut bench = EngineBench::new(settings(), 0);
        let rules = TrialRules {
            tries: 1,
            lasts: Duration::from_secs(60),
            has_folders: false,
        };
        let past = Past {
            record,
            died: false,
            trusted,
            rules,
        };
        let now = bench.clock.now();
        bench.engine.remember(past, now);
        bench
    };
    let prints = |text: &str| {
        let mut bench = begin(TrialRecord::new(key), None);
        bench.change(text);
        bench.engine.fingerprints().expect("a memory")
    };
    let (layer, fingerprint) = prints("n=2").remove(0);
    for pinned in [true, false] {
        let mut record = TrialRecord::new(key);
        record.quarantined.push(QuarantinedContent {
            layer: layer.clone(),
            fingerprint,
            changed: vec!["n".to_owned()],
            deaths: 1,
            until: std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(3600),
            times: 1,
            lifted: false,
            after: 0,
        });
        let mut bench = begin(record, Some(prints("n=1")));
        bench.change("n=1");
        bench.change("n=2");
        assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })), "held");
        bench.engine.pin(pinned);
        let now = bench.clock.now();
        let trusted = bench.engine.trust(now);
        assert_eq!(
            (trusted.lifted.len(), trusted.pinned),
            (1, pinned.then_some(1))
        );
        let text = trusted.to_string();
        assert_eq!(text.contains("it is tried now"), !pinned, "{text}");
        let later = "it is tried once the configuration is not pinned any more";
        assert_eq!(text.contains(later), pinned, "{text}");
        // A change is recorded before it is applied.
        let action = bench.engine.take_up(now);
        let is_tried = !matches!(action, Action::Settled | Action::Nothing);
        assert_eq!(is_tried, !pinned);
    }
}
