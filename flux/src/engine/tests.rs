//! The engine alone: over a schema written by hand, with a clock that the test moves.

#[cfg(feature = "json")]
mod drop_ins;
mod evaluation;
mod way_back;

use super::{
    agenda::Due,
    decide::{Engine, Settings},
    event::{EngineEvent, LayerVerdict, RefusedStage},
    generations::GenerationOutcome,
    layer_state::LayerState,
    probation::ProbationStep,
    proposal::{Action, Denial, Passed},
    small::{Clock, Small, document, engine, engine_of_uri, settings, small},
    state::State,
    value::AnySnapshot,
};
use crate::{problem::Flaw, source::Observation};
use std::time::Duration;

struct EngineBench {
    engine: Engine,
    clock: Clock,
}

impl EngineBench {
    fn new(settings: Settings, upper: usize) -> Self {
        let clock = Clock::new();
        let engine = engine(settings, upper, None, 0, clock.now());
        EngineBench { engine, clock }
    }

    /// One that serves `n=1`.
    fn started(settings: Settings) -> Self {
        let mut bench = EngineBench::new(settings, 0);
        bench.observe(0, "n=1");
        bench.take_up_and(Ok(()));
        assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
        bench.events();
        bench
    }

    fn observe(&mut self, layer: usize, text: &str) {
        let now = self.clock.now();
        self.engine.observe(layer, document(text), now);
    }

    fn served(&self) -> Option<(u64, Small)> {
        let current = self.engine.current();
        current.map(|snapshot| (snapshot.generation(), small(snapshot)))
    }

    /// Answers whether it was asked.
    fn answer(&mut self, action: Action, answer: Result<(), &str>) -> bool {
        let now = self.clock.now();
        let (action, asked) = match action {
            Action::Ask(question) => {
                let passed = || Passed {
                    snapshot: question.proposed.clone(),
                    checked: true,
                };
                let denial = |text: &str| Denial::Failed(text.to_owned());
                let answer = answer.map(|()| passed()).map_err(denial);
                (self.engine.answered(answer, now), true)
            }
            action => (action, false),
        };
        if let Action::Swap { snapshot, .. } = action {
            assert!(matches!(
                self.engine.swapped(&snapshot, now),
                Action::Settled
            ));
        }
        asked
    }

    fn take_up_and(&mut self, answer: Result<(), &str>) -> bool {
        let now = self.clock.now();
        let action = self.engine.take_up(now);
        self.answer(action, answer)
    }

    fn change(&mut self, text: &str) {
        self.observe(0, text);
        self.take_up_and(Ok(()));
    }

    fn events(&mut self) -> Vec<EngineEvent> {
        self.engine.take_events()
    }

    fn due(&self) -> Due {
        self.engine.due(self.clock.now().instant, false)
    }
}

#[test]
fn an_update_leaves_its_events_in_order() {
    let mut bench = EngineBench::new(settings(), 0);
    bench.observe(0, "n=1");
    bench.take_up_and(Ok(()));
    let events = bench.events();
    let expected = [
        matches!(events[0], EngineEvent::ChangeReceived { layer: 0 }),
        matches!(events[1], EngineEvent::TakenUp),
        matches!(
            events[2],
            EngineEvent::StateChanged {
                from: State::Loading,
                to: State::Healthy
            }
        ),
        matches!(
            events[3],
            EngineEvent::Judged {
                layer: 0,
                verdict: LayerVerdict::Applied
            }
        ),
        matches!(events[4], EngineEvent::Committed { generation: 1 }),
    ];
    assert!(
        expected.iter().all(|holds| *holds) && events.len() == 5,
        "{events:?}"
    );
}

#[test]
fn nothing_is_due_before_every_layer_has_answered() {
    let mut bench = EngineBench::new(settings(), 1);
    assert_eq!(bench.due(), Due::Nothing);
    bench.observe(0, "n=1");
    assert_eq!(bench.due(), Due::Nothing);
    let now = bench.clock.now();
    bench.engine.observe(1, Observation::Absent, now);
    assert_eq!(bench.due(), Due::Newest);
}

#[test]
fn a_change_is_due_after_the_debounce_and_a_writer_at_work_puts_it_off_to_the_longest_wait() {
    let mut bench = EngineBench::started(settings());
    bench.observe(0, "n=2");
    assert_eq!(bench.due(), Due::Nothing);
    let deadline = bench.engine.deadline();
    assert_eq!(
        deadline,
        Some(bench.clock.now().instant + Duration::from_millis(100))
    );
    bench.clock.pass(Duration::from_millis(100));
    assert_eq!(bench.due(), Due::Newest);
    bench.engine.layers.states[0].unsettled = true;
    assert_eq!(bench.due(), Due::Nothing);
    bench.clock.pass(Duration::from_millis(900));
    assert_eq!(bench.due(), Due::Newest);
}

#[test]
fn equal_content_asks_nobody_and_keeps_the_generation() {
    let mut bench = EngineBench::started(settings());
    bench.observe(0, "n=1 # another comment");
    assert!(!bench.take_up_and(Ok(())));
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    assert_eq!(bench.engine.state(), State::Healthy);
}

#[test]
fn without_a_pipeline_nobody_is_asked() {
    let mut bench = EngineBench::new(
        Settings {
            asks: false,
            ..settings()
        },
        0,
    );
    bench.observe(0, "n=1");
    let now = bench.clock.now();
    assert!(matches!(
        bench.engine.take_up(now),
        Action::Swap { alone: false, .. }
    ));
}

#[test]
fn content_that_breaks_a_rule_is_refused_and_the_previous_one_is_kept() {
    let mut bench = EngineBench::started(settings());
    bench.observe(0, "n=100");
    assert!(!bench.take_up_and(Ok(())));
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    assert_eq!(bench.engine.state(), State::Degraded);
    let stage = bench.events().into_iter().find_map(|event| match event {
        EngineEvent::Refused { stage, .. } => Some(stage),
        _ => None,
    });
    assert_eq!(stage, Some(RefusedStage::Validation));
}

#[test]
fn a_bad_layer_does_not_block_what_is_good_in_another() {
    let mut bench = EngineBench::new(settings(), 1);
    bench.observe(0, "n=1");
    bench.observe(1, "m=1");
    bench.take_up_and(Ok(()));
    bench.observe(1, "m=x");
    bench.observe(0, "n=2");
    bench.take_up_and(Ok(()));
    assert_eq!(bench.served(), Some((2, Small { n: 2, m: 1 })));
    assert_eq!(bench.engine.state(), State::Degraded);
}

#[test]
fn a_rule_on_changes_sees_what_was_made_of_the_layers_before() {
    let mut bench = EngineBench::started(settings());
    bench.change("n=1 m=60");
    bench.change("n=1 m=5");
    assert_eq!(bench.served(), Some((2, Small { n: 1, m: 60 })));
    bench.change("n=1 m=10");
    assert_eq!(bench.served(), Some((3, Small { n: 1, m: 10 })));
}

#[test]
fn what_the_pipeline_refuses_is_tried_again_later_and_later() {
    let mut bench = EngineBench::started(settings());
    bench.observe(0, "n=2");
    bench.take_up_and(Err("no"));
    for pause in [1, 2, 4] {
        assert_eq!(bench.due(), Due::Nothing);
        bench.clock.pass(Duration::from_secs(pause));
        assert_eq!(bench.due(), Due::Newest);
        bench.take_up_and(Err("no"));
    }
    bench.take_up_and(Ok(()));
    assert_eq!(bench.served(), Some((2, Small { n: 2, m: 0 })));
    assert_eq!(bench.engine.deadline(), None);
}

#[test]
fn what_a_stage_puts_in_the_place_of_the_value_is_checked() {
    let mut bench = EngineBench::started(settings());
    bench.observe(0, "n=2");
    let now = bench.clock.now();
    let Action::Ask(question) = bench.engine.take_up(now) else {
        panic!("a pipeline is there");
    };
    let other = |n, generation| {
        let snapshot = crate::Snapshot::new(Small { n, m: 0 }, generation);
        let snapshot = AnySnapshot::new(std::sync::Arc::new(snapshot));
        Ok::<_, Denial>(Passed {
            snapshot,
            checked: false,
        })
    };
    let number = question.proposed.generation();
    let action = bench.engine.answered(other(100, number), now);
    assert!(matches!(action, Action::Settled));
    assert_eq!(bench.engine.state(), State::Degraded);
    assert_eq!(
        bench.engine.deadline(),
        None,
        "the same would break the same rule"
    );
    bench.observe(0, "n=3");
    let now = bench.clock.now();
    bench.engine.take_up(now);
    let action = bench.engine.answered(other(3, 77), now);
    assert!(matches!(action, Action::Settled), "of another generation");
}

#[test]
fn a_panic_in_a_rule_is_a_refusal() {
    let mut bench = EngineBench::started(settings());
    bench.change("n=666");
    assert_eq!(bench.served(), Some((1, Small { n: 1, m: 0 })));
    let error = bench.engine.error().expect("refused").to_string();
    assert!(
        error.contains("building it panicked: out of cheese"),
        "{error}"
    );
    bench.change("n=2");
    assert_eq!(bench.engine.state(), State::Healthy);
}

#[test]
fn warnings_are_in_the_status_until_the_document_changes() {
    let mut bench = EngineBench::started(settings());
    bench.change("n=2 x=1");
    let status = bench.engine.status(true);
    assert_eq!(
        (status.warnings.len(), status.warnings[0].path.as_str()),
        (1, "x")
    );
    assert_eq!(status.warnings[0].origin, "lower");
    bench.observe(0, "n=2 x=1");
    bench.take_up_and(Ok(()));
    assert_eq!(bench.engine.status(true).warnings.len(), 1);
    bench.change("n=2 x=2");
    assert_eq!(bench.engine.status(true).warnings.len(), 1);
    bench.change("n=3");
    assert_eq!(bench.engine.status(true).warnings, []);
}

#[test]
fn a_layer_is_not_present_before_it_was_heard() {
    let mut bench = EngineBench::new(settings(), 0);
    assert!(!bench.engine.status(true).layers[0].present);
    bench.observe(0, "n=1");
    assert!(bench.engine.status(true).layers[0].present);
    let now = bench.clock.now();
    bench.engine.observe(0, Observation::Absent, now);
    assert!(!bench.engine.status(true).layers[0].present);
}

#[test]
fn a_check_keeps_what_was_found_before_a_panic() {
    let value = |n| {
        let snapshot = crate::Snapshot::new(Small { n, m: 0 }, 1);
        AnySnapshot::new(std::sync::Arc::new(snapshot))
    };
    let check = |n| super::check(&super::small::SMALL, &value(n), None);
    assert_eq!(check(1), Ok(()));
    let paths = |found: Vec<Flaw>| found.len();
    assert_eq!(check(100).map_err(paths), Err(1));
    assert_eq!(check(666).map_err(paths), Err(1));
}

#[test]
fn before_every_layer_was_received_nothing_is_due_at_a_time() {
    let mut bench = EngineBench::new(settings(), 1);
    bench.observe(0, "n=1");
    assert_eq!(bench.engine.deadline(), None);
    bench.observe(1, "n=2");
    let now = bench.clock.now().instant;
    assert_eq!(bench.engine.due(now, false), Due::Newest);
}

#[test]
fn the_password_of_a_uri_is_a_secret_of_texts_also_where_the_type_has_none() {
    let clock = Clock::new();
    let mut bench = EngineBench {
        engine: engine_of_uri("hunter2hunter2", clock.now()),
        clock,
    };
    let safe = |text: &str| String::from(bench.engine.secret_book().safe(&text));
    for text in ["no login with hunter2hunter2", "Ym9iOmh1bnRlcjJodW50ZXIy"] {
        assert!(safe(text).contains("not shown"), "{text}");
    }
    // What is shown in the place of the URI gives nothing away.
    let shown = "redis://h/app.json: refused";
    assert_eq!(safe(shown), shown);
    bench.observe(0, "n=1");
    bench.take_up_and(Err("no login with hunter2hunter2"));
    let error = bench.engine.error().unwrap().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
