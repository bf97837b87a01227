//! Driven by hand, every answer is that of the model.

use super::{
    model::{Fate, Kept, Model, RING},
    *,
};

#[derive(Debug, Clone)]
enum Turn {
    Says(Document),
    Answers(bool),
    Process,
    Unhealthy,
    Rollback(Option<u64>),
    Pin(bool),
    Restart(Document),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        8 => documents().prop_map(Turn::Says),
        2 => any::<bool>().prop_map(Turn::Answers),
        8 => Just(Turn::Process),
        3 => Just(Turn::Unhealthy),
        2 => proptest::option::of(1..8_u64).prop_map(Turn::Rollback),
        1 => any::<bool>().prop_map(Turn::Pin),
        1 => documents().prop_map(Turn::Restart),
    ];
    proptest::collection::vec(turn, 1..48)
}

/// Compares everything that can be seen.
fn compare(capacitor: &Capacitor<App>, asked: &Asked, model: &mut Model) {
    let status = capacitor.status();
    assert_eq!(status.state, model.state);
    let served = capacitor
        .try_snapshot()
        .map(|app| (Snapshot::generation(&app), app.n));
    assert_eq!(served, model.served);
    assert_eq!(
        status.generation,
        model.served.map_or(0, |(number, _)| number)
    );
    assert_eq!(
        status.error.is_none(),
        matches!(status.state, State::Healthy | State::Loading)
    );
    assert_eq!(status.pinned, model.pinned);
    let on_probation =
        |kept: &Kept| kept.fate == Fate::OnProbation && kept.number == status.generation;
    assert_eq!(status.on_probation, model.ring.iter().any(on_probation));
    let fate = |outcome: &GenerationOutcome| match outcome {
        GenerationOutcome::Applied => Fate::Applied,
        GenerationOutcome::OnProbation => Fate::OnProbation,
        _ => Fate::TakenBack,
    };
    let ring: Vec<_> = (status.generations.iter())
        .map(|one| (one.number, fate(&one.outcome)))
        .collect();
    let expected: Vec<_> = model
        .ring
        .iter()
        .map(|kept| (kept.number, kept.fate))
        .collect();
    assert_eq!(ring, expected);
    assert_eq!(asked.log.take(), std::mem::take(&mut model.asked));
    asked.paired();
    check_history(&status);
}

async fn by_hand(probation: bool, turns: Vec<Turn>) {
    let asked = Asked::new();
    let party = asked.clone();
    let (capacitor, sender) = crate::by_hand::<App>(|builder| {
        let builder = builder.party(party).generations(RING - 1).history(8);
        match probation {
            true => builder.probation(Duration::from_secs(1_000_000)),
            false => builder,
        }
    });
    let mut model = Model::new(probation);
    let first = Document::Number(1, 0);
    first.send(&sender).await;
    capacitor.start().await.unwrap();
    model.says(first);
    model.take_up();
    compare(&capacitor, &asked, &mut model);
    for turn in turns {
        match turn {
            Turn::Says(document) => {
                document.send(&sender).await;
                // Not seen before it is processed; what comes and goes in between is never seen.
                assert_eq!(capacitor.process().await.unwrap(), {
                    model.says(document);
                    model.process()
                });
            }
            Turn::Answers(yes) => {
                asked.set(if yes { Answer::Yes } else { Answer::No });
                model.yes = yes;
            }
            Turn::Process => {
                assert_eq!(capacitor.process().await.unwrap(), model.process());
            }
            Turn::Unhealthy => {
                let number = model.served.map_or(0, |(number, _)| number);
                let kept = model.ring.iter().find(|kept| kept.number == number);
                let expected = kept.is_some_and(|kept| kept.fate == Fate::OnProbation);
                assert_eq!(capacitor.report_unhealthy("bad"), expected);
                if expected {
                    model.reports.push(number);
                }
            }
            Turn::Rollback(to) => {
                let answer = capacitor.rollback(to).await;
                assert!(matches!(
                    answer,
                    Ok(_) | Err(Error::NoSuchGeneration { .. } | Error::Refused(_))
                ));
                assert_eq!(answer.map_err(drop), model.rollback(to));
            }
            Turn::Pin(pinned) => {
                model.obey();
                let unpins = !pinned;
                model.pinned = pinned;
                match pinned {
                    true => capacitor.pin().await.unwrap(),
                    false => capacitor.unpin().await.unwrap(),
                }
                if unpins {
                    model.take_up();
                }
            }
            Turn::Restart(document) => {
                capacitor.stop().await;
                document.send(&sender).await;
                let outcome = capacitor.start().await;
                model.restart();
                model.says(document);
                model.take_up();
                assert_eq!(outcome.is_ok(), model.begun);
            }
        }
        compare(&capacitor, &asked, &mut model);
    }
    capacitor.stop().await;
    asked.paired();
}

#[test]
fn by_hand_every_interleaving_ends_where_a_small_model_says() {
    let config = ProptestConfig::with_cases(cases(512));
    proptest!(config, |(probation: bool, turns in turns())| {
        paused().block_on(by_hand(probation, turns));
    });
}
