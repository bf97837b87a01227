//! A judgement without a capacitor.

use super::*;
use crate::engine::{EvaluationInput, evaluate, small::SMALL};

#[test]
fn judging_without_a_capacitor_gives_the_same_value_and_the_same_report() {
    for (lower, upper) in [
        ("n=1", "m=2"),
        ("n=1", "m=x"),
        ("n=100", ""),
        ("m=1", "m=2 y=1"),
        ("n=666", ""),
    ] {
        let mut bench = EngineBench::new(settings(), 1);
        bench.observe(0, lower);
        bench.observe(1, upper);
        bench.take_up_and(Ok(()));
        let clock = Clock::new();
        let mut states: Vec<LayerState> = engine(settings(), 1, None, 0, clock.now()).layers.states;
        states[0].observe(document(lower), clock.now());
        states[1].observe(document(upper), clock.now());
        let judged = evaluate(EvaluationInput::of_start(&SMALL, states, clock.now()));
        match (judged.value, judged.refused) {
            (Some(value), None) => {
                assert_eq!(bench.served().map(|(_, value)| value), Some(small(&value)));
            }
            (_, report) => {
                let report = report.expect("a value or a report");
                let report = report.with_warnings(judged.warnings.as_ref());
                let status = bench.engine.status(true);
                let expected = status.error.expect("refused by both");
                assert_eq!(report.problems(), expected.problems());
            }
        }
        let warned = judged.warnings.map_or(0, |report| report.problems().len());
        assert_eq!(warned, bench.engine.status(true).warnings.len());
    }
}

#[test]
fn a_judgement_tells_which_layer_sets_a_field() {
    let clock = Clock::new();
    let mut states: Vec<LayerState> = engine(settings(), 1, None, 0, clock.now()).layers.states;
    states[0].observe(document("n=1 m=1"), clock.now());
    states[1].observe(document("m=2"), clock.now());
    let judged = evaluate(EvaluationInput::of_start(&SMALL, states, clock.now()));
    let origins = judged.origins.iter();
    let origins: Vec<_> = origins
        .map(|(path, origin)| (crate::problem::Dotted(path).to_string(), &**origin))
        .collect();
    let expected = [("n".to_owned(), "lower"), ("m".to_owned(), "upper")];
    assert_eq!(origins, expected);
}
