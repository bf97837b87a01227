//! Lines that are written and read again.

use crate::record::line::*;

#[test]
fn a_time_that_no_clock_can_reach_is_refused() {
    for at in ["1.8e19", "1e300", "-1", "1000000001"] {
        let line = format!("{{\"at\":{at},\"update\":true}}");
        assert!(Line::parse(&line).is_err(), "{line}");
    }
    assert!(Line::parse("{\"at\":31536000,\"update\":true}").is_ok());
}

#[test]
fn every_line_reads_back() {
    let layer = |kind| RecordedLayer {
        origin: "app.yaml".to_owned(),
        optional: true,
        kind,
        note: None,
    };
    let variables = vec![
        ("A".to_owned(), Some("1".to_owned())),
        ("B".to_owned(), None),
    ];
    let start = Start {
        config: "App".to_owned(),
        generation: 3,
        layers: vec![
            layer(RecordedLayerKind::Watched(Encoding::Tree)),
            layer(RecordedLayerKind::Environment {
                prefix: "APP_".to_owned(),
                variables,
                refused: vec!["APP_PORT_FILE".to_owned()],
            }),
            layer(RecordedLayerKind::Given(Ok("{}".to_owned()))),
            layer(RecordedLayerKind::Given(Err("no".to_owned()))),
        ],
    };
    let error = SourceError::permission("no");
    let observed = |observed| LineKind::Observed {
        layer: 1,
        observed,
        received: 7,
    };
    let health = |health| LineKind::Health { layer: 0, health };
    let all = [
        LineKind::Start(start),
        observed(RecordedObservation::Value {
            text: "a: 1\n".to_owned(),
            revision: Some("5".to_owned()),
            note: None,
        }),
        observed(RecordedObservation::Same),
        observed(RecordedObservation::Absent),
        observed(RecordedObservation::Unreadable(error.clone())),
        health(RecordedHealth::Live),
        health(RecordedHealth::Stale(error)),
        health(RecordedHealth::Closed),
        LineKind::Update,
        LineKind::Pin(false),
        LineKind::Rollback(None),
        LineKind::Rollback(Some(4)),
        LineKind::Unhealthy("reason".to_owned()),
        LineKind::Outcome(Outcome {
            state: State::Degraded,
            generation: 2,
            refused: vec![Refused {
                layer: "app.yaml".to_owned(),
                path: "port".to_owned(),
            }],
        }),
        LineKind::Cut,
    ];
    for (n, what) in all.into_iter().enumerate() {
        let at = Duration::from_millis(n as u64 * 250);
        let line = Line { at, what };
        let printed = line.print();
        assert!(!printed.contains('\n'));
        assert_eq!(Line::parse(&printed).ok(), Some(line), "{printed}");
    }
}

#[test]
fn what_is_no_line_is_told() {
    for text in [
        "",
        "{}",
        "{\"at\": 1}",
        "{\"at\": -1, \"update\": true}",
        "nonsense",
    ] {
        assert!(Line::parse(text).is_err(), "{text}");
    }
    let newer = "{\"at\": 0, \"start\": \"App\", \"version\": 2}";
    let told = Line::parse(newer).expect_err("newer").to_string();
    assert!(told.contains("version 2"), "{told}");
}
