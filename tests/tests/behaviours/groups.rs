//! Several config types that change together: all of them swap or none does.

use crate::kit::{App, Log, Teller, over_a_channel, pass, running, write};
use flux::{
    Builder, Capacitor, Flux, Snapshot, State, change::Group, pipeline::BoxError,
    source::ChannelSender,
};
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};

#[derive(Flux, Debug)]
struct Routes {
    #[flux(default = 0, range = 0..=99)]
    version: u32,
}

#[derive(Flux, Debug)]
struct Limits {
    #[flux(default = 0, range = 0..=99)]
    version: u32,
}

type One<C> = (Capacitor<C>, ChannelSender);

fn member<C: flux::Config>(group: &Group, adjust: impl FnOnce(Builder<C>) -> Builder<C>) -> One<C> {
    // What is written within this time is written together.
    let together = Duration::from_millis(100);
    let (builder, sender) = over_a_channel::<C>();
    let builder = builder.debounce(together).group(group);
    (adjust(builder).build().unwrap(), sender)
}

async fn version(sender: &ChannelSender, version: u32) {
    write(sender, &format!("version: {version}")).await;
}

/// Two members that run, both at version 1.
async fn pair(
    routes: impl FnOnce(Builder<Routes>) -> Builder<Routes>,
    limits: impl FnOnce(Builder<Limits>) -> Builder<Limits>,
) -> (One<Routes>, One<Limits>) {
    let group = Group::new();
    let (routes, limits) = (member(&group, routes), member(&group, limits));
    version(&routes.1, 1).await;
    version(&limits.1, 1).await;
    tokio::try_join!(routes.0.start(), limits.0.start()).unwrap();
    (routes, limits)
}

fn seen(routes: &Capacitor<Routes>, limits: &Capacitor<Limits>) -> (u32, u32) {
    (routes.get().version, limits.get().version)
}

#[tokio::test(start_paused = true)]
async fn what_is_written_together_is_swapped_together() {
    let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
    version(&to_routes, 2).await;
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (2, 2));
    assert_eq!(routes.state(), State::Healthy);
    assert_eq!(limits.status().generation, 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_one_member_alone_waits_for_nobody() {
    let ((routes, to_routes), (limits, _to_limits)) = pair(|b| b, |b| b).await;
    version(&to_routes, 2).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn while_one_is_refused_none_swaps_and_healing_it_wakes_the_others() {
    for bad in ["version: 100", "version: x", ""] {
        let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
        version(&to_routes, 2).await;
        write(&to_limits, bad).await;
        pass(0.2).await;
        assert_eq!(seen(&routes, &limits), (1, 1));
        assert_eq!(limits.state(), State::Degraded);
        assert_eq!(routes.state(), State::Degraded);
        let error = routes.last_error().unwrap().to_string();
        assert!(error.contains("waits for its group"), "{error}");
        assert!(error.contains("Limits"), "{error}");
        version(&to_limits, 3).await;
        pass(0.2).await;
        assert_eq!(seen(&routes, &limits), (2, 3));
        assert_eq!(
            (routes.state(), limits.state()),
            (State::Healthy, State::Healthy)
        );
        assert!(routes.last_error().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn the_refused_one_may_also_go_back_to_what_is_applied() {
    let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
    version(&to_routes, 2).await;
    version(&to_limits, 100).await;
    pass(0.2).await;
    version(&to_limits, 1).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (2, 1));
    assert_eq!(
        (routes.state(), limits.state()),
        (State::Healthy, State::Healthy)
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_refuses_holds_the_others_until_the_schedule_succeeds() {
    let calls = crate::kit::Count::default();
    let count = calls.clone();
    let ((routes, to_routes), (limits, to_limits)) = pair(
        |b| b,
        move |b| {
            b.on_apply(move |_, _| {
                let refuses = (1..3).contains(&count.add());
                async move { if refuses { Err("not now") } else { Ok(()) } }
            })
        },
    )
    .await;
    version(&to_routes, 2).await;
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (1, 1));
    pass(10.0).await;
    assert_eq!(seen(&routes, &limits), (2, 2));
    assert_eq!(calls.get(), 4);
    assert_eq!(
        (routes.state(), limits.state()),
        (State::Healthy, State::Healthy)
    );
}

#[tokio::test(start_paused = true)]
async fn first_configurations_that_are_started_together_wait_for_each_other() {
    let group = Group::new();
    let (routes, to_routes) = member::<Routes>(&group, |b| b);
    let (limits, to_limits) = member::<Limits>(&group, |b| b);
    version(&to_routes, 1).await;
    let late = async {
        pass(5.0).await;
        assert!(
            routes.try_snapshot().is_none(),
            "it waits for the other one"
        );
        version(&to_limits, 1).await;
        Ok(())
    };
    tokio::try_join!(routes.start(), limits.start(), late).unwrap();
    assert_eq!(seen(&routes, &limits), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bad_first_configuration_holds_the_others_back_until_it_is_good() {
    let group = Group::new();
    let (routes, to_routes) = member::<Routes>(&group, |b| b);
    let (limits, to_limits) = member::<Limits>(&group, |b| b);
    version(&to_routes, 1).await;
    version(&to_limits, 100).await;
    let (one, other) = tokio::join!(routes.start(), limits.start());
    let error = one.expect_err("it waits").to_string();
    assert!(error.contains("waits for its group"), "{error}");
    other.expect_err("100 breaks the rule");
    assert!(routes.try_snapshot().is_none() && limits.try_snapshot().is_none());
    assert_eq!(
        (routes.state(), limits.state()),
        (State::Empty, State::Empty)
    );
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (1, 2));
    assert_eq!(
        (routes.state(), limits.state()),
        (State::Healthy, State::Healthy)
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_that_stops_leaves_the_group_and_nobody_waits_for_it() {
    let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
    version(&to_routes, 2).await;
    version(&to_limits, 100).await;
    pass(0.2).await;
    assert_eq!(routes.get().version, 1);
    limits.stop().await;
    pass(0.2).await;
    assert_eq!(routes.get().version, 2);
    assert_eq!(routes.state(), State::Healthy);

    let group = Group::new();
    let (routes, to_routes) = member::<Routes>(&group, |b| b);
    let (silent, _to_silent) =
        member::<Limits>(&group, |b| b.startup_timeout(Duration::from_secs(5)));
    version(&to_routes, 1).await;
    let (one, other) = tokio::join!(routes.start(), silent.start());
    one.unwrap();
    other.expect_err("nothing came");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_its_group_too_long_says_so() {
    let group = Group::new();
    let (routes, to_routes) =
        member::<Routes>(&group, |b| b.startup_timeout(Duration::from_secs(5)));
    let (limits, _to_limits) = member::<Limits>(&group, |b| b);
    version(&to_routes, 1).await;
    let waiting = tokio::spawn({
        let limits = limits.clone();
        async move { limits.start().await }
    });
    let error = routes.start().await.expect_err("the other one is silent");
    assert!(error.to_string().contains("group"), "{error}");
    waiting.abort();
    limits.stop().await;
}

#[tokio::test(start_paused = true)]
async fn newer_content_replaces_what_waits_for_the_group_and_its_parties_roll_back() {
    let log = Log::default();
    let group = Group::new();
    let (app, to_app) = member::<App>(&group, |b| b.party(Teller::new("the party", &log)));
    let (slow, to_slow) = member::<Limits>(&group, |b| {
        b.on_apply(|_, next: Arc<Snapshot<Limits>>| async move {
            pass(f64::from(next.version)).await;
            Ok::<_, BoxError>(())
        })
    });
    write(&to_app, "n: 1").await;
    version(&to_slow, 1).await;
    tokio::try_join!(app.start(), slow.start()).unwrap();
    log.take();
    version(&to_slow, 9).await;
    write(&to_app, "n: 2").await;
    pass(3.0).await;
    write(&to_app, "n: 3").await;
    pass(3.0).await;
    assert_eq!(app.get().n, 1);
    pass(4.0).await;
    assert_eq!((app.get().n, slow.get().version), (3, 9));
    let told = [
        "the party prepares 2",
        "the party rolls back 2",
        "the party prepares 3",
        "the party commits 3",
    ];
    assert_eq!(log.take(), told);
}

#[tokio::test(start_paused = true)]
async fn what_was_vetoed_by_the_group_is_rolled_back_and_prepared_again() {
    let log = Log::default();
    let group = Group::new();
    let (app, to_app) = member::<App>(&group, |b| b.party(Teller::new("the party", &log)));
    let (limits, to_limits) = member::<Limits>(&group, |b| b);
    write(&to_app, "n: 1").await;
    version(&to_limits, 1).await;
    tokio::try_join!(app.start(), limits.start()).unwrap();
    log.take();
    write(&to_app, "n: 2").await;
    version(&to_limits, 100).await;
    pass(0.2).await;
    assert_eq!(
        log.take(),
        ["the party prepares 2", "the party rolls back 2"]
    );
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(log.take(), ["the party prepares 2", "the party commits 2"]);
}

#[tokio::test(start_paused = true)]
async fn every_member_has_swapped_before_the_first_party_commits() {
    struct Looks(Log<(u32, u32)>, std::sync::OnceLock<Both>);
    type Both = (Capacitor<Routes>, Capacitor<Limits>);
    struct Asks(Arc<Looks>);
    impl<C: Send + Sync + 'static> flux::change::Party<C> for Asks {
        type Prepared = ();
        type Error = BoxError;
        async fn prepare(&self, _: &flux::change::Change<C>) -> Result<(), BoxError> {
            Ok(())
        }
        fn commit(&self, (): ()) {
            if let Some((routes, limits)) = self.0.1.get() {
                self.0.0.push(seen(routes, limits));
            }
        }
    }
    let looks = Arc::new(Looks(Log::default(), std::sync::OnceLock::new()));
    let (one, other) = (Arc::clone(&looks), Arc::clone(&looks));
    let ((routes, to_routes), (limits, to_limits)) =
        pair(|b| b.party(Asks(one)), |b| b.party(Asks(other))).await;
    let both = (routes.clone(), limits.clone());
    assert!(looks.1.set(both).is_ok());
    version(&to_routes, 2).await;
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(looks.0.take(), [(2, 2), (2, 2)]);
    tokio::join!(routes.stop(), limits.stop());
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_pinned_holds_the_others_until_it_is_unpinned() {
    let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
    limits.pin().await.unwrap();
    version(&to_routes, 2).await;
    version(&to_limits, 2).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (1, 1));
    limits.unpin().await.unwrap();
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn going_back_waits_for_nobody_and_holds_the_others_while_it_lasts() {
    let ((routes, to_routes), (limits, to_limits)) = pair(|b| b, |b| b).await;
    version(&to_routes, 2).await;
    pass(0.2).await;
    version(&to_limits, 100).await;
    pass(0.2).await;
    assert_eq!(routes.rollback(None).await.unwrap(), 1);
    assert_eq!(seen(&routes, &limits), (1, 1));
    version(&to_limits, 3).await;
    pass(0.2).await;
    assert_eq!(
        seen(&routes, &limits),
        (1, 1),
        "the first one is taken back"
    );
    version(&to_routes, 4).await;
    pass(0.2).await;
    assert_eq!(seen(&routes, &limits), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn a_group_may_be_printed_from_within_a_commit() {
    struct Prints(Group, Log<String>);
    impl flux::change::Party<App> for Prints {
        type Prepared = ();
        type Error = BoxError;
        async fn prepare(&self, _: &flux::change::Change<App>) -> Result<(), BoxError> {
            Ok(())
        }
        fn commit(&self, (): ()) {
            self.1.say(format!("{:?}", self.0));
        }
    }
    let log = Log::default();
    let group = Group::new();
    let party = Prints(group.clone(), log.clone());
    let (_capacitor, _sender) = running(|builder| builder.group(&group).party(party)).await;
    assert!(log.take()[0].starts_with("Group"));
    assert!(format!("{group:?}").contains("App"));
}

/// What one member is told next.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Good(u32),
    Bad,
    Wait(u64),
}

fn turns() -> impl Strategy<Value = Vec<(usize, Turn)>> {
    let turn = prop_oneof![
        (2..90_u32).prop_map(Turn::Good),
        Just(Turn::Bad),
        (0..3_000_u64).prop_map(Turn::Wait),
    ];
    proptest::collection::vec((0..3_usize, turn), 0..24)
}

/// In whatever order good and bad content comes: never a swap while a member is refused, and once all are good all are applied.
#[test]
fn no_order_of_changes_leads_to_a_deadlock_or_to_a_half() {
    #[derive(Flux, Debug)]
    struct Member {
        #[flux(default = 0, range = 0..=99)]
        version: u32,
    }
    let config = ProptestConfig::with_cases(96);
    proptest!(config, |(turns in turns())| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let group = Group::new();
            let mut members = Vec::new();
            for i in 0..3_u64 {
                let (capacitor, sender) = member::<Member>(&group, |b| {
                    b.name(format!("member {i}")).on_apply(move |_, _| async move {
                        tokio::time::sleep(Duration::from_millis(i * 300)).await;
                        Ok::<_, BoxError>(())
                    })
                });
                version(&sender, 1).await;
                members.push((capacitor, sender));
            }
            let (a, b, c) = (&members[0].0, &members[1].0, &members[2].0);
            tokio::try_join!(a.start(), b.start(), c.start()).unwrap();
            let mut newest = [1; 3];
            let mut good = [true; 3];
            for (who, turn) in turns {
                match turn {
                    Turn::Good(n) => {
                        version(&members[who].1, n).await;
                        (newest[who], good[who]) = (n, true);
                    }
                    Turn::Bad => {
                        write(&members[who].1, "version: 100").await;
                        good[who] = false;
                    }
                    Turn::Wait(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                }
            }
            pass(60.0).await;
            let before: Vec<u32> = members.iter().map(|one| one.0.get().version).collect();
            if good.contains(&false) {
                pass(600.0).await;
                let after: Vec<u32> = members.iter().map(|one| one.0.get().version).collect();
                assert_eq!(before, after, "nobody swaps while one is refused");
                for (i, (capacitor, sender)) in members.iter().enumerate() {
                    if !good[i] {
                        assert_eq!(capacitor.state(), State::Degraded);
                        version(sender, 50).await;
                        newest[i] = 50;
                    }
                }
                pass(60.0).await;
            }
            for ((capacitor, _), newest) in members.iter().zip(newest) {
                assert_eq!(capacitor.get().version, newest);
                assert_eq!(capacitor.state(), State::Healthy);
            }
            for (capacitor, _) in &members {
                capacitor.stop().await;
            }
        });
    });
}

/// Manual members, so that each step is the program's.
#[tokio::test(start_paused = true)]
async fn members_in_manual_mode_hear_of_the_swap_at_their_next_step() {
    let (group, log) = (Group::new(), Log::default());
    let by_hand = |name| {
        let (builder, sender) = over_a_channel::<App>();
        let party = Teller::new(name, &log);
        let builder = builder.group(&group).party(party).manual();
        (builder.build().unwrap(), sender)
    };
    let (first, to_first) = by_hand("first");
    let (second, to_second) = by_hand("second");
    crate::kit::say(&to_first, 1).await;
    crate::kit::say(&to_second, 1).await;
    tokio::try_join!(first.start(), second.start()).unwrap();
    log.take();
    crate::kit::say(&to_first, 2).await;
    crate::kit::say(&to_second, 2).await;
    first.process().await.unwrap();
    second.process().await.unwrap();
    assert_eq!((first.get().n, second.get().n), (2, 2));
    first.process().await.unwrap();
    assert_eq!(first.status().generation, 2);
    let log = log.take();
    for line in ["first commits 2", "second commits 2"] {
        assert!(log.iter().any(|entry| entry == line), "{log:?}");
    }
    let back = tokio::time::timeout(Duration::from_secs(9), first.rollback(1)).await;
    assert_eq!(back.expect("an answer").unwrap(), 1);
}
