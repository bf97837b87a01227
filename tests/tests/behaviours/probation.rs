//! The time after a change in which the program's own health can take it back.

use crate::kit::{App, Clock, Count, Ear, Log, Teller, pass, running, say, settle, write};
use flux::{
    Capacitor, Snapshot, State, capacitor::GenerationOutcome, pipeline::BoxError,
    source::ChannelSender,
};
use std::{sync::Arc, time::Duration};

const WINDOW: Duration = Duration::from_secs(30);

/// On probation for 30 s; 1 is confirmed.
async fn started(
    adjust: impl FnOnce(flux::Builder<App>) -> flux::Builder<App>,
) -> (Capacitor<App>, ChannelSender) {
    running(|builder| adjust(builder.probation(WINDOW))).await
}

/// Number, and what became of it.
fn outcomes(capacitor: &Capacitor<App>) -> Vec<(u64, String)> {
    let status = capacitor.status();
    let outcome = |outcome: &GenerationOutcome| match outcome {
        GenerationOutcome::Applied => "applied".to_owned(),
        GenerationOutcome::OnProbation => "on probation".to_owned(),
        GenerationOutcome::TakenBack(reason) => format!("taken back: {reason}"),
        other => panic!("{other:?}"),
    };
    let each = status.generations.iter();
    each.map(|one| (one.number, outcome(&one.outcome)))
        .collect()
}

fn expected(outcomes: &[(u64, &str)]) -> Vec<(u64, String)> {
    let each = outcomes.iter();
    each.map(|(number, outcome)| (*number, (*outcome).to_owned()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_configuration_is_not_on_probation_and_every_change_is() {
    let (capacitor, sender) = started(|b| b).await;
    assert!(!capacitor.status().on_probation);
    assert!(!capacitor.report_unhealthy("too early"));
    say(&sender, 2).await;
    settle().await;
    assert!(capacitor.status().on_probation);
    assert_eq!(capacitor.state(), State::Healthy);
    pass(29.0).await;
    assert!(capacitor.status().on_probation);
    pass(1.1).await;
    assert!(!capacitor.status().on_probation);
    assert!(!capacitor.report_unhealthy("too late"));
    settle().await;
    assert_eq!(capacitor.get().n, 2);
    assert_eq!(
        outcomes(&capacitor),
        expected(&[(1, "applied"), (2, "applied")])
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_of_the_program_takes_the_change_back_and_says_why() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, sender) = started(|b| b).await;
    say(&sender, 2).await;
    pass(10.0).await;
    let status = capacitor.status();
    let probation = status.probation.unwrap();
    let window = probation.until.duration_since(probation.since).unwrap();
    assert!(window.as_secs() >= 10, "{window:?}");
    let line = status.to_string();
    let line = line
        .lines()
        .find(|line| line.contains("on probation: since 20"));
    assert!(
        line.is_some_and(|line| line.contains(" UTC, until ")),
        "{status}"
    );
    assert!(capacitor.report_unhealthy("5 % of the checkouts fail"));
    settle().await;
    assert_eq!(capacitor.status().probation, None);
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let status = capacitor.status();
    assert_eq!(status.generation, 1);
    assert!(!status.on_probation);
    let reason = "taken back: 5 % of the checkouts fail";
    assert_eq!(
        outcomes(&capacitor),
        expected(&[(1, "applied"), (2, reason)])
    );
    let error = status.error.as_ref().unwrap().to_string();
    for part in [
        "channel",
        "5 % of the checkouts fail",
        "generation 1 is served again",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(ear.text().contains("5 % of the checkouts fail"));
    assert!(
        !capacitor.report_unhealthy("again"),
        "nothing is on probation"
    );
    pass(600.0).await;
    assert_eq!(capacitor.get().n, 1, "it is not tried again");
}

#[tokio::test(start_paused = true)]
async fn a_failing_and_a_panicking_health_check_take_the_change_back() {
    for panics in [false, true] {
        let (capacitor, sender) = started(|builder| {
            builder.health_check(move |snapshot: Arc<Snapshot<App>>| async move {
                assert!(!panics || snapshot.n != 2, "out of cheese");
                (snapshot.n != 2)
                    .then_some(())
                    .ok_or("the error rate is up")
            })
        })
        .await;
        say(&sender, 2).await;
        settle().await;
        assert_eq!(capacitor.get().n, 2);
        pass(3.1).await;
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
        let error = capacitor.last_error().unwrap().to_string();
        let said = if panics {
            "out of cheese"
        } else {
            "the error rate is up"
        };
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_panics_before_its_future_counts_as_a_failure() {
    let (capacitor, sender) = started(|builder| {
        builder.health_check(|snapshot: Arc<Snapshot<App>>| {
            assert_ne!(snapshot.n, 2, "out of cheese");
            async { Ok::<_, BoxError>(()) }
        })
    })
    .await;
    say(&sender, 2).await;
    pass(3.1).await;
    assert_eq!(capacitor.get().n, 1);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_runs_ten_times_in_the_window_and_then_the_change_is_confirmed() {
    let times = Log::default();
    let log = times.clone();
    let clock = Clock::start();
    let (capacitor, sender) = started(|builder| {
        builder.health_check(move |snapshot: Arc<Snapshot<App>>| {
            log.push((snapshot.n, clock.seconds()));
            async { Ok::<_, BoxError>(()) }
        })
    })
    .await;
    say(&sender, 2).await;
    pass(100.0).await;
    let expected: Vec<_> = (1..=10).map(|i| (2, i * 3)).collect();
    assert_eq!(times.take(), expected);
    assert!(!capacitor.status().on_probation);
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_never_answers_is_a_failure_and_blocks_nothing() {
    let (capacitor, sender) = started(|builder| {
        builder.health_check(|snapshot: Arc<Snapshot<App>>| async move {
            if snapshot.n == 2 {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(())
        })
    })
    .await;
    say(&sender, 2).await;
    pass(34.0).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("no answer within 30s"), "{error}");
    say(&sender, 3).await;
    pass(1.0).await;
    assert_eq!(capacitor.get().n, 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_is_not_tried_again_until_it_changes() {
    let (capacitor, sender) = started(|b| b).await;
    say(&sender, 2).await;
    settle().await;
    capacitor.report_unhealthy("bad");
    settle().await;
    let calm = |what: &str| {
        assert_eq!(capacitor.get().n, 1, "{what}");
        assert_eq!(capacitor.status().generation, 1, "{what}");
    };
    say(&sender, 2).await;
    settle().await;
    calm("the same bytes");
    assert_eq!(capacitor.state(), State::Degraded);
    say(&sender, 1).await;
    settle().await;
    calm("what is served");
    assert_eq!(capacitor.state(), State::Healthy);
    say(&sender, 2).await;
    settle().await;
    calm("the same bytes once more");
    assert_eq!(capacitor.state(), State::Degraded);
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("not tried again until it changes"),
        "{error}"
    );
    write(&sender, "n: 2 # mended elsewhere").await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    assert_eq!(capacitor.status().generation, 3);
}

#[tokio::test(start_paused = true)]
async fn only_the_layer_that_changed_is_blamed() {
    let (other, channel) = flux::source::Channel::buffered("other", 4);
    write(&other, "text: a").await;
    let (capacitor, sender) = started(|builder| {
        builder.source(flux::Source::watcher(channel).format(flux::Format::Yaml))
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    capacitor.report_unhealthy("bad");
    settle().await;
    let report = capacitor.last_error().unwrap();
    let origins: Vec<_> = report.problems().iter().map(|p| &*p.origin).collect();
    assert_eq!(origins, ["channel"]);
    write(&other, "text: b").await;
    settle().await;
    let app = capacitor.get();
    assert_eq!((app.n, &*app.text), (1, "b"), "the other layer goes on");
    assert_eq!(capacitor.state(), State::Degraded);
}

#[tokio::test(start_paused = true)]
async fn a_change_on_top_of_one_on_probation_goes_back_to_what_was_confirmed() {
    let (capacitor, sender) = started(|b| b).await;
    for n in [2, 3] {
        say(&sender, n).await;
        pass(10.0).await;
    }
    assert!(capacitor.report_unhealthy("bad"));
    settle().await;
    assert_eq!(capacitor.get().n, 1, "2 was never confirmed");
    let taken = "taken back: bad";
    assert_eq!(
        outcomes(&capacitor),
        expected(&[(1, "applied"), (2, taken), (3, taken)])
    );
    for n in [2, 3] {
        say(&sender, n).await;
        settle().await;
        assert_eq!(capacitor.get().n, 1, "both are quarantined");
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_change_that_is_confirmed_confirms_what_stood_before_it() {
    let (capacitor, sender) = started(|b| b).await;
    for n in [2, 3] {
        say(&sender, n).await;
        pass(10.0).await;
    }
    pass(30.0).await;
    let applied = [(1, "applied"), (2, "applied"), (3, "applied")];
    assert_eq!(outcomes(&capacitor), expected(&applied));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_flaps_never_pushes_the_last_good_one_out_of_the_ring() {
    let (capacitor, sender) = started(|builder| builder.generations(2)).await;
    for n in 2..=9 {
        say(&sender, n).await;
        settle().await;
        assert_eq!(capacitor.get().n, n);
        assert!(capacitor.report_unhealthy("bad"), "{n} is on probation");
        settle().await;
        assert_eq!(capacitor.get().n, 1);
    }
    assert!(capacitor.status().generations.len() <= 3);
}

#[tokio::test(start_paused = true)]
async fn probation_works_even_where_no_earlier_generation_was_to_be_kept() {
    let (capacitor, sender) = started(|builder| builder.generations(0)).await;
    say(&sender, 2).await;
    settle().await;
    assert!(capacitor.report_unhealthy("bad"));
    settle().await;
    assert_eq!(capacitor.get().n, 1);
}

#[tokio::test(start_paused = true)]
async fn the_way_back_is_prepared_and_committed_and_tried_again_where_a_party_refuses_it() {
    let log = Log::default();
    let (calls, clock) = (Count::default(), Clock::start());
    let tries = Log::default();
    let seen = tries.clone();
    let (capacitor, sender) = started(|builder| {
        builder
            .party(Teller::new("one", &log))
            .on_apply(move |_, next: Arc<Snapshot<App>>| {
                let back = next.n == 1 && calls.add() > 0;
                if back {
                    seen.push(clock.seconds());
                }
                let refuses = back && calls.get() <= 4;
                async move {
                    if refuses {
                        Err("the port is taken")
                    } else {
                        Ok(())
                    }
                }
            })
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    log.take();
    capacitor.report_unhealthy("bad");
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 2));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("the port is taken"), "{error}");
    pass(600.0).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    assert_eq!(tries.take(), [0, 1, 3, 7]);
    let told = ["one prepares 1", "one rolls back 1"].repeat(3);
    let told = [told, vec!["one prepares 1", "one commits 1"]].concat();
    assert_eq!(log.take(), told);
}

#[tokio::test(start_paused = true)]
async fn newer_content_replaces_a_refused_way_back_if_it_applies() {
    let calls = Log::default();
    let log = calls.clone();
    let (capacitor, sender) = started(|builder| {
        builder.on_apply(move |previous, next: Arc<Snapshot<App>>| {
            log.push(next.n);
            let refuses = previous.is_some() && next.n == 1 || next.n == 3;
            async move { if refuses { Err("no") } else { Ok(()) } }
        })
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    capacitor.report_unhealthy("bad");
    settle().await;
    calls.take();
    say(&sender, 3).await;
    pass(4.0).await;
    let tried = calls.take();
    assert!(tried.len() < 10, "no busy loop: {} tries", tried.len());
    assert!(tried.contains(&3), "the newer content is tried: {tried:?}");
    assert!(tried.contains(&1), "the way back is tried still: {tried:?}");
    assert_eq!(capacitor.get().n, 2);
    say(&sender, 4).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 4));
    calls.take();
    pass(20.0).await;
    assert!(calls.take().is_empty(), "the way back is no longer wanted");
}

#[tokio::test(start_paused = true)]
async fn a_refused_newer_value_does_not_stop_the_watch_over_what_is_on_probation() {
    let (capacitor, sender) = started(|builder| {
        builder
            .on_apply(|_, next: Arc<Snapshot<App>>| async move {
                (next.n != 3).then_some(()).ok_or("no threes")
            })
            .health_check(|snapshot: Arc<Snapshot<App>>| async move {
                (snapshot.n != 2)
                    .then_some(())
                    .ok_or("the error rate is up")
            })
    })
    .await;
    say(&sender, 2).await;
    pass(1.0).await;
    say(&sender, 3).await;
    pass(5.0).await;
    assert_eq!(capacitor.get().n, 1, "2 is taken back all the same");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_by_a_party_is_tried_again_after_a_way_back() {
    let calls = Count::default();
    let (capacitor, sender) = started(|builder| {
        builder.on_apply(move |_, next: Arc<Snapshot<App>>| {
            let refuses = next.n == 3 && calls.add() < 3;
            async move { if refuses { Err("not now") } else { Ok(()) } }
        })
    })
    .await;
    say(&sender, 2).await;
    pass(1.0).await;
    say(&sender, 3).await;
    settle().await;
    assert!(capacitor.report_unhealthy("bad"));
    pass(100.0).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
}

#[tokio::test(start_paused = true)]
async fn a_report_about_what_is_no_longer_served_changes_nothing() {
    let (capacitor, sender) = started(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
            if next.n == 3 {
                pass(5.0).await;
            }
            Ok::<_, BoxError>(())
        })
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    say(&sender, 3).await;
    pass(1.0).await;
    assert!(capacitor.report_unhealthy("about 2"));
    pass(10.0).await;
    assert_eq!(capacitor.get().n, 3, "3 was not meant");
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_quotes_a_secret_is_shown_nowhere() {
    #[derive(flux::Flux)]
    struct Vault {
        n: u32,
        #[flux(secret)]
        url: String,
    }
    let (ear, _listening) = Ear::listen();
    let (builder, sender) = crate::kit::over_a_channel::<Vault>();
    let capacitor = builder
        .probation(WINDOW)
        .history(8)
        .health_check(|vault: Arc<Snapshot<Vault>>| async move {
            match vault.n {
                2 => Err(format!("cannot log in to {}", vault.url)),
                _ => Ok(()),
            }
        })
        .build()
        .unwrap();
    let document = |n: u32| format!("n: {n}\nurl: postgres://app:correct-horse@db");
    write(&sender, &document(1)).await;
    capacitor.start().await.unwrap();
    for n in [2, 3, 2] {
        write(&sender, &document(n)).await;
        pass(20.0).await;
    }
    let status = capacitor.status();
    assert_eq!(status.state, State::Degraded, "2 is quarantined");
    let error = status.error.as_ref().unwrap().to_string();
    assert!(
        error.contains("not tried again until it changes"),
        "{error}"
    );
    let shown = serde_json::to_string(&*status).unwrap();
    for text in [shown, format!("{status} {status:?}"), ear.text()] {
        assert!(!text.contains("correct-horse"), "{text}");
    }
}
