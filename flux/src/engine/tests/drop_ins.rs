//! Files of a folder in the engine alone.

use super::{Due, EngineBench};
use crate::{
    engine::{
        decide::Settings,
        layer_state::FillReason,
        small::{Clock, Small, engine_of_folder, folder, kept, settings},
    },
    source::{Observation, SourceError, mailbox::SourceReport},
};
use std::time::Duration;

fn bench() -> EngineBench {
    let clock = Clock::new();
    let settings = Settings {
        fallback: Some(Duration::from_secs(5)),
        ..settings()
    };
    let engine = engine_of_folder(settings, clock.now());
    EngineBench { engine, clock }
}

/// The last known good file has a file of it, of which nothing was heard.
#[test]
fn a_folder_that_cannot_be_read_answers_for_all_files_that_are_expected() {
    let mut bench = bench();
    let now = bench.clock.now();
    bench.engine.expect_files(&["d/a", "d/b"], now);
    bench.observe(0, "n=1");
    assert_eq!(bench.due(), Due::Nothing, "the folder is waited for");
    let error = SourceError::permission("may not be read");
    bench.engine.observe(1, Observation::Unreadable(error), now);
    assert_eq!(bench.due(), Due::Newest);
    bench.take_up_and(Ok(()));
    let report = bench
        .engine
        .error()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(report.contains("may not be read"), "{report}");
    bench.engine.observe(1, folder([("b", "n=3")]), now);
    bench.take_up_and(Ok(()));
    assert_eq!(bench.served(), Some((1, Small { n: 3, m: 0 })));
}

#[test]
fn no_file_of_a_folder_is_applied_while_another_one_breaks_a_rule() {
    let mut bench = bench();
    let now = bench.clock.now();
    bench.observe(0, "n=1");
    bench
        .engine
        .observe(1, folder([("a", "m=1"), ("b", "n=2")]), now);
    bench.take_up_and(Ok(()));
    let serves = |bench: &EngineBench| bench.served().map(|(_, value)| value);
    assert_eq!(serves(&bench), Some(Small { n: 2, m: 1 }));
    for files in [
        [("a", "m=1"), ("b", "n=500")],
        [("a", "m=2"), ("b", "n=500")],
        [("a", "m=3"), ("c", "n=500")],
    ] {
        bench.engine.observe(1, folder(files), now);
        bench.take_up_and(Ok(()));
        assert_eq!(serves(&bench), Some(Small { n: 2, m: 1 }), "{files:?}");
    }
    bench
        .engine
        .observe(1, folder([("a", "m=3"), ("c", "n=5")]), now);
    bench.take_up_and(Ok(()));
    assert_eq!(serves(&bench), Some(Small { n: 5, m: 3 }));
}

/// It has nothing that readers see, and never had.
#[test]
fn a_bad_file_that_comes_while_the_first_configuration_is_asked_about_holds_back_no_other_layer() {
    for bad in ["n=x", "n=500"] {
        let mut bench = bench();
        let now = bench.clock.now();
        bench.observe(0, "n=1");
        bench.engine.observe(1, folder([("b", "m=1")]), now);
        let action = bench.engine.take_up(now);
        bench
            .engine
            .observe(1, folder([("a", bad), ("b", "m=1")]), now);
        assert!(bench.answer(action, Ok(())));
        bench.take_up_and(Ok(()));
        bench.observe(0, "n=2");
        bench.take_up_and(Ok(()));
        let served = bench.served().map(|(_, value)| value);
        assert_eq!(served, Some(Small { n: 2, m: 1 }), "{bad}");
    }
}

/// The wait for the folder is over, before or after what is kept of its file was asked for.
#[test]
fn what_is_kept_of_the_files_of_a_folder_serves_on_where_the_folder_is_not_heard_of_in_time() {
    for before in [true, false] {
        let mut bench = bench();
        let now = bench.clock.now();
        let counts_as_absent = |bench: &mut EngineBench| {
            let stand_in = SourceReport {
                layer: 1,
                observation: Some(Observation::Absent),
                found: None,
                unsettled: false,
                health: None,
                received: 0,
                answered: 0,
            };
            let news = bench.engine.reported(stand_in, || now);
            assert_eq!(news, Some(false), "{before}");
        };
        bench.engine.expect_files(&["d/a"], now);
        bench.observe(0, "n=1");
        if before {
            counts_as_absent(&mut bench);
        }
        assert!(bench.engine.fallback_tried());
        let reason = FillReason {
            why: None,
            kept: "the last known good one".to_owned(),
        };
        bench.engine.fill(2, kept(7), reason, "last.json");
        bench.engine.take_stand_ins(now);
        bench.take_up_and(Ok(()));
        let serves = |bench: &EngineBench| bench.served().map(|(_, value)| value);
        assert_eq!(serves(&bench), Some(Small { n: 7, m: 0 }), "{before}");
        if !before {
            counts_as_absent(&mut bench);
        }
        bench.observe(0, "n=2 m=2");
        bench.take_up_and(Ok(()));
        assert_eq!(serves(&bench), Some(Small { n: 7, m: 2 }), "{before}");
        // Once it is heard of, it is the truth.
        bench.engine.observe(1, folder([]), now);
        bench.take_up_and(Ok(()));
        assert_eq!(serves(&bench), Some(Small { n: 2, m: 2 }), "{before}");
    }
}
