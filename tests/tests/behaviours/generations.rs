//! The last configurations: which are kept, and how one of them is served again by hand.

use crate::kit::{App, Log, Teller, by_hand_app, pass, running, say, settle, write};
use flux::{
    Capacitor, Error, Flux, Snapshot, State, capacitor::GenerationOutcome, inspect::Inputs,
    pipeline::BoxError, source::ChannelSender,
};
use std::{sync::Arc, time::Duration};

fn kept(capacitor: &Capacitor<App>) -> Vec<u64> {
    let status = capacitor.status();
    status.generations.iter().map(|one| one.number).collect()
}

async fn changed_to(sender: &ChannelSender, numbers: std::ops::RangeInclusive<u32>) {
    for n in numbers {
        say(sender, n).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_configurations_are_kept_with_what_made_them() {
    let (capacitor, sender) = running(|builder| builder.generations(2)).await;
    changed_to(&sender, 2..=5).await;
    write(&sender, "{n: 5, text: a}").await;
    settle().await;
    assert_eq!(kept(&capacitor), [4, 5, 6]);
    let status = capacitor.status();
    let last = status.generations.last().unwrap();
    assert_eq!(last.origins, [Arc::<str>::from("channel")]);
    assert_eq!(last.changed, ["text"]);
    assert_eq!(last.outcome, GenerationOutcome::Applied);
    assert_eq!(last.at, Snapshot::applied(&capacitor.snapshot()));
    let json = serde_json::to_value(&*status).unwrap();
    assert_eq!(json["generations"][2]["outcome"], "applied");
    assert_eq!(json["generations"][2]["number"], 6);
}

#[tokio::test(start_paused = true)]
async fn four_earlier_ones_are_kept_by_default() {
    let (capacitor, sender) = running(|b| b).await;
    changed_to(&sender, 2..=9).await;
    assert_eq!(kept(&capacitor), [5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn rollback_serves_the_one_before_or_any_that_is_kept() {
    for (to, served) in [(None, 3), (Some(1), 1), (Some(2), 2)] {
        let log = Log::default();
        let party = Teller::new("one", &log);
        let (capacitor, sender) = running(|builder| builder.party(party)).await;
        changed_to(&sender, 2..=4).await;
        log.take();
        assert_eq!(capacitor.rollback(to).await.unwrap(), served);
        assert_eq!(u64::from(capacitor.get().n), served);
        let status = capacitor.status();
        assert_eq!((status.state, status.generation), (State::Degraded, served));
        let told = [
            format!("one prepares {served}"),
            format!("one commits {served}"),
        ];
        assert_eq!(log.take(), told);
        let error = status.error.as_ref().unwrap().to_string();
        assert!(error.contains("rolled back by hand"), "{error}");
        for one in &status.generations {
            let taken_back = matches!(one.outcome, GenerationOutcome::TakenBack(_));
            assert_eq!(taken_back, one.number > served, "{one:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_each_of_several_rollbacks_the_status_names_the_generation_that_serves() {
    let (capacitor, sender) = running(|b| b).await;
    changed_to(&sender, 2..=4).await;
    for to in [3, 2, 1, 3] {
        capacitor.rollback(to).await.unwrap();
        let error = capacitor.last_error().unwrap().to_string();
        let words = format!("generation {to} is served again");
        assert!(
            error.contains(&words) && error.matches("is served again").count() == 1,
            "{error}"
        );
    }
    // The content of before comes again once another generation serves.
    say(&sender, 5).await;
    settle().await;
    say(&sender, 4).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 5));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("rolled back by hand") && !error.contains("served again"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_layers_held_is_not_tried_again_until_it_changes_and_numbers_go_on() {
    let (capacitor, sender) = running(|b| b).await;
    changed_to(&sender, 2..=3).await;
    capacitor.rollback(None).await.unwrap();
    assert_eq!(capacitor.get().n, 2);
    // Who looks at it, or asks what would change, reads what the next process does.
    let status = capacitor.status().to_string();
    let plan = capacitor.plan(&Inputs::new()).unwrap().to_string();
    for text in [status, plan] {
        let words = "but a restart of the program reads it anew: the sources still contain it";
        assert!(text.contains(words), "{text}");
    }
    pass(600.0).await;
    say(&sender, 3).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 2));
    say(&sender, 4).await;
    settle().await;
    let status = capacitor.status();
    assert_eq!((status.state, status.generation), (State::Healthy, 4));
    capacitor.rollback(None).await.unwrap();
    assert_eq!(capacitor.get().n, 2, "3 was taken back");
}

#[tokio::test(start_paused = true)]
async fn content_that_waits_for_a_party_is_not_tried_again_after_a_rollback_by_hand() {
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
            (next.n != 3).then_some(()).ok_or("no threes")
        })
    })
    .await;
    changed_to(&sender, 2..=3).await;
    assert_eq!(capacitor.state(), State::Degraded);
    capacitor.rollback(1).await.unwrap();
    pass(600.0).await;
    assert_eq!(capacitor.get().n, 1);
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("not tried again until it changes"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_what_the_source_says_heals_and_may_also_go_forward() {
    let (capacitor, sender) = running(|b| b).await;
    changed_to(&sender, 2..=3).await;
    capacitor.rollback(1).await.unwrap();
    assert_eq!(capacitor.state(), State::Degraded);
    assert_eq!(capacitor.rollback(3).await.unwrap(), 3);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
    assert!(capacitor.last_error().is_none());
    assert!(!capacitor.status().layers[0].refused);
    let status = capacitor.status();
    let third = status.generations.last().unwrap();
    assert_eq!(third.outcome, GenerationOutcome::Applied);
    for n in [1, 3] {
        say(&sender, n).await;
        settle().await;
        assert_eq!(u64::from(capacitor.get().n), u64::from(n));
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_not_kept_is_refused_with_those_that_are() {
    let (capacitor, sender) = running(|builder| builder.generations(1)).await;
    let none = capacitor
        .rollback(None)
        .await
        .expect_err("nothing before 1");
    assert!(matches!(none, Error::NoSuchGeneration { wanted: None, .. }));
    changed_to(&sender, 2..=4).await;
    for wanted in [1, 2, 4, 5] {
        match capacitor.rollback(wanted).await {
            Err(Error::NoSuchGeneration {
                wanted: Some(asked),
                kept,
                ..
            }) => {
                assert_eq!((asked, kept), (wanted, vec![3, 4]));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 4));
    capacitor.stop().await;
    let error = capacitor.rollback(None).await.expect_err("stopped");
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
    assert!(error.to_string().contains("not running"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_a_party_refuses_changes_nothing_and_is_not_tried_again() {
    let log = Log::default();
    let party = Refusing(log.clone());
    let (capacitor, sender) = running(|builder| builder.party(party)).await;
    changed_to(&sender, 2..=2).await;
    log.take();
    let error = capacitor.rollback(None).await.expect_err("refused");
    assert!(matches!(error, Error::Refused(_)));
    assert!(error.to_string().contains("no way back"), "{error}");
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
    assert!(capacitor.last_error().is_none());
    pass(600.0).await;
    say(&sender, 3).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
    assert_eq!(log.take(), ["refused", "prepared 3"]);
}

/// Never goes back.
struct Refusing(Log<String>);

impl flux::change::Party<App> for Refusing {
    type Prepared = ();
    type Error = &'static str;
    async fn prepare(&self, change: &flux::change::Change<App>) -> Result<(), &'static str> {
        let back = change
            .previous
            .as_ref()
            .is_some_and(|app| app.n > change.current.n);
        if back {
            self.0.say("refused");
            return Err("no way back");
        }
        self.0.say(format!("prepared {}", change.current.n));
        Ok(())
    }
    fn commit(&self, (): ()) {}
}

#[tokio::test(start_paused = true)]
async fn stages_do_not_run_again_on_what_they_made_of_an_earlier_generation() {
    let (capacitor, sender) = running(|builder| {
        builder.transform(|request| {
            let n = request.current.n * 2;
            request.with(crate::kit::app(n))
        })
    })
    .await;
    changed_to(&sender, 2..=3).await;
    assert_eq!(capacitor.get().n, 6);
    capacitor.rollback(None).await.unwrap();
    assert_eq!(capacitor.get().n, 4);
    capacitor.rollback(1).await.unwrap();
    assert_eq!(capacitor.get().n, 2);
}

#[tokio::test(start_paused = true)]
async fn a_pin_keeps_the_current_configuration_and_unpin_takes_up_what_has_come() {
    let (capacitor, sender) = running(|b| b).await;
    capacitor.pin().await.unwrap();
    assert!(capacitor.status().pinned);
    assert_eq!(capacitor.state(), State::Healthy, "nothing waits yet");
    changed_to(&sender, 2..=3).await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("is pinned at generation 1"), "{error}");
    pass(600.0).await;
    assert_eq!(capacitor.get().n, 1);
    capacitor.unpin().await.unwrap();
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 3));
    assert!(!capacitor.status().pinned);
    assert!(capacitor.last_error().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pinned_capacitor_is_healthy_again_when_the_source_goes_back() {
    let (capacitor, sender) = running(|b| b).await;
    capacitor.pin().await.unwrap();
    for (n, state) in [(2, State::Degraded), (1, State::Healthy)] {
        say(&sender, n).await;
        settle().await;
        assert_eq!(capacitor.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn pin_and_unpin_before_the_first_configuration_do_not_keep_it_away() {
    let (builder, sender) = crate::kit::over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    assert!(matches!(capacitor.pin().await, Err(Error::Stopped { .. })));
    let starting = tokio::spawn({
        let capacitor = capacitor.clone();
        async move { capacitor.start().await }
    });
    settle().await;
    capacitor.pin().await.unwrap();
    capacitor.unpin().await.unwrap();
    capacitor.pin().await.unwrap();
    say(&sender, 1).await;
    starting.await.unwrap().unwrap();
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 1));
    say(&sender, 2).await;
    settle().await;
    assert_eq!(capacitor.get().n, 1, "pinned now");
}

#[tokio::test]
async fn rollback_and_pin_work_in_manual_mode() {
    let (capacitor, sender) = by_hand_app().await;
    for n in 2..=3 {
        say(&sender, n).await;
        capacitor.process().await.unwrap();
    }
    assert_eq!(capacitor.rollback(None).await.unwrap(), 2);
    assert_eq!(capacitor.get().n, 2);
    capacitor.pin().await.unwrap();
    say(&sender, 4).await;
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().n, 2);
    capacitor.unpin().await.unwrap();
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 4));
}

#[tokio::test(start_paused = true)]
async fn generation_numbers_go_on_after_a_stop_even_from_an_earlier_generation() {
    let (capacitor, sender) = running(|b| b).await;
    changed_to(&sender, 2..=4).await;
    capacitor.rollback(1).await.unwrap();
    capacitor.stop().await;
    say(&sender, 7).await;
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.status().generation, 5);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_waits_for_the_update_under_way() {
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
            if next.n == 3 {
                pass(5.0).await;
            }
            Ok::<_, BoxError>(())
        })
    })
    .await;
    changed_to(&sender, 2..=3).await;
    assert_eq!(capacitor.rollback(None).await.unwrap(), 2);
    assert_eq!(capacitor.get().n, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_brings_back_what_waited_for_a_restart_then() {
    #[derive(Flux, Debug)]
    struct Restarting {
        #[flux(default = 0)]
        n: u32,
        #[flux(default = 1, restart)]
        port: u16,
    }
    let (builder, sender) = crate::kit::over_a_channel::<Restarting>();
    let capacitor = builder.build().unwrap();
    write(&sender, "n: 1").await;
    capacitor.start().await.unwrap();
    for document in ["{n: 2, port: 7}", "{n: 3, port: 1}"] {
        write(&sender, document).await;
        settle().await;
    }
    assert!(capacitor.status().pending_restart.is_empty());
    capacitor.rollback(None).await.unwrap();
    let app = capacitor.get();
    assert_eq!((app.n, app.port), (2, 1));
    assert_eq!(capacitor.status().pending_restart, ["port"]);
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_changed_since_is_nothing_to_blame() {
    let (other, channel) = flux::source::Channel::buffered("other", 4);
    write(&other, "text: a").await;
    let (capacitor, sender) = running(|builder| {
        builder.source(flux::Source::watcher(channel).format(flux::Format::Yaml))
    })
    .await;
    write(&other, "text: a # said again").await;
    settle().await;
    changed_to(&sender, 2..=2).await;
    capacitor.rollback(None).await.unwrap();
    let report = capacitor.last_error().unwrap();
    let origins: Vec<_> = report.problems().iter().map(|p| &*p.origin).collect();
    assert_eq!(origins, ["channel"]);
}

/// As `Capacitor::rollback` documents it.
#[tokio::test]
async fn a_rollback_is_forgotten_by_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    std::fs::write(&path, "n: 1").unwrap();
    let started = async || {
        let source = flux::Source::file(path.to_str().unwrap());
        let builder = flux::Capacitor::<App>::builder().source(source);
        let capacitor = builder.debounce(Duration::ZERO).build().unwrap();
        capacitor.start().await.unwrap();
        capacitor
    };
    let before = started().await;
    std::fs::write(&path, "n: 2").unwrap();
    crate::until("the bad one", || before.get().n == 2).await;
    before.rollback(None).await.unwrap();
    assert_eq!(before.get().n, 1);
    before.stop().await;
    let after = started().await;
    assert_eq!(after.get().n, 2, "what the source holds");
}
