//! What every source on a server must do, written once. The oracle: once the faults are over, what is applied is what the server
//! holds, within a bound; nothing was applied twice, and nothing good was refused.

use crate::{
    oracle::BUSY,
    watched::{App, BOUND, Watched, document, until},
};
use flux::{Capacitor, Source, State};
use flux_tests::{proxy::Proxy, servers::Remote};
use std::time::{Duration, Instant};
use tokio::{runtime::Handle, task::block_in_place, time::sleep};

pub(crate) use crate::renewed::{
    a_password_changed, certificates_expired, certificates_renewed, secured_both_ways,
};

pub(crate) const KEY: &str = "app/config";
/// The key of a source whose document hardly ever changes.
pub(crate) const QUIET: &str = "quiet/config";

/// The suite as tests of a module: `conformance!(redis_conforms, flux_tests::servers::Redis);`. What does a server no harm shares
/// one; what a kind of server has not is said to have no meaning there.
macro_rules! conformance {
    ($module:ident, $Server:ty) => {
        conformance!($module, $Server;
            [flux_tests::servers::Shared<$Server>, start, true]
                the_first_value, a_change, deleted_and_created_again, absent_at_first, ten_thousand_rapid_changes,
                one_mebibyte, garbage_and_then_good, an_equal_value_written_again;
            [flux_tests::servers::Shared<$Server>, start, <$Server as Remote>::SERVED]
                cut_for_five_seconds, a_dead_line, a_slow_line, failing_for_long, ten_capacitors_one_connection,
                an_optional_one_that_is_down;
            [$Server, start, true]
                wiped_and_written_anew, permission_refused_and_granted, permission_taken_and_granted,
                stopped_without_a_trace;
            [$Server, start, <$Server as Remote>::SERVED]
                started_before_the_server, killed_and_restarted, paused_and_resumed;
            [$Server, start, <$Server as Remote>::COPIES] an_older_copy_put_back;
            [$Server, start, <$Server as Remote>::SERVED] permission_taken_on_an_open_connection;
            [$Server, start, <$Server as Remote>::MEMBERS] a_silent_member;
            [$Server, start_secured, <$Server as Remote>::SECURED] secured_both_ways, certificates_renewed,
                certificates_expired;
            [$Server, start, <$Server as Remote>::ROTATES] a_password_changed;
            [$Server, start_impatient, <$Server as Remote>::IDLE.is_some()] quiet_for_longer_than_the_server_likes
        );
    };
    ($module:ident, $Server:ty; $([$Held:ty, $start:ident, $applies:expr] $($case:ident),+);+) => {
        mod $module {
            use flux_tests::servers::Remote;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let case = flux_tests::table::Case::begin(<$Server>::NAME, stringify!($case));
                    if !$applies {
                        return case.does_not_apply();
                    }
                    let path = concat!(stringify!($module), "::", stringify!($case));
                    if let Some(passed) = <$Server as Remote>::elsewhere(path) {
                        assert!(passed, "{path} failed elsewhere");
                        return case.passed();
                    }
                    match <$Held as Remote>::$start().await {
                        None => case.skipped(),
                        Some(server) => match crate::suite::$case(server).await {
                            crate::suite::Shown::Yes => case.passed(),
                            crate::suite::Shown::DoesNotApply => case.does_not_apply(),
                        },
                    }
                }
            )+)+
        }
    };
}

/// Whether a case had something to show.
pub(crate) enum Shown {
    Yes,
    DoesNotApply,
}

use Shown::Yes;

pub(crate) async fn the_first_value(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    watched.sees(1).await;
    watched.has_applied(&[1]);
    watched.was_never_refused();
    Yes
}

pub(crate) async fn a_change(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=10 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&(1..=10).collect::<Vec<_>>());
    watched.was_never_refused();
    Yes
}

pub(crate) async fn deleted_and_created_again(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=4 {
        server.delete(KEY).await;
        let gone = || watched.capacitor.state() == State::Degraded;
        watched.until("degraded", gone).await;
        assert!(!watched.capacitor.status().layers[0].present);
        assert_eq!(watched.capacitor.get().n, n - 1, "the last one is kept");
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    Yes
}

pub(crate) async fn absent_at_first(server: impl Remote) -> Shown {
    let watched = Watched::new(server.source(server.address(), KEY));
    let outcome = tokio::time::timeout(BOUND, watched.capacitor.start()).await;
    let refused = outcome
        .expect("an answer in time")
        .expect_err("no document");
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    assert_eq!(watched.capacitor.state(), State::Empty);
    server.write(KEY, &document(1)).await;
    watched.sees(1).await;
    watched.has_applied(&[1]);
    Yes
}

pub(crate) async fn ten_thousand_rapid_changes(server: impl Remote) -> Shown {
    server.write(KEY, &document(0)).await;
    let watched = Watched::started_as_usual(server.source(server.address(), KEY)).await;
    let documents = (1..=10_000).map(document).collect();
    let order = server.write_many(KEY, documents).await;
    server.write(KEY, &document(10_001)).await;
    watched.sees(10_001).await;
    let applied = watched.applied();
    assert!(applied.len() < 2_500, "{} were applied", applied.len());
    // When the server took each: the first one and the last one are not of the many.
    let mut taken = vec![0; 10_002];
    for (at, place) in (1..).zip(&order) {
        taken[place + 1] = at;
    }
    taken[10_001] = 10_001;
    let taken = applied.iter().map(|&n| taken[usize::try_from(n).unwrap()]);
    assert_eq!(order.len(), 10_000);
    assert!(taken.is_sorted_by(|a, b| a < b), "{applied:?}");
    watched.was_never_refused();
    Yes
}

pub(crate) async fn one_mebibyte(server: impl Remote) -> Shown {
    let large = |n: u64, bytes: usize| {
        let pad = "x".repeat(bytes - 30);
        format!("{{\"n\": {n}, \"pad\": \"{pad}\"}}").into_bytes()
    };
    let bytes = server.largest();
    server.write(KEY, &large(1, bytes)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=4 {
        server.write(KEY, &large(n, bytes)).await;
        watched.sees(n).await;
        assert_eq!(watched.capacitor.get().pad.len(), bytes - 30);
    }
    watched.has_applied(&[1, 2, 3, 4]);
    Yes
}

pub(crate) async fn garbage_and_then_good(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for (n, garbage) in (2..).zip([&b"{\"n\": "[..], b"", b"\xff\xfe\0", b"{\"n\": \"many\"}"]) {
        server.write(KEY, garbage).await;
        let refused = || watched.capacitor.state() == State::Degraded;
        watched.until("degraded", refused).await;
        assert_eq!(watched.capacitor.get().n, n - 1, "the last one is kept");
        assert!(watched.is_live(), "the source itself is well");
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4, 5]);
    Yes
}

pub(crate) async fn an_equal_value_written_again(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for _ in 0..5 {
        server.write(KEY, &document(1)).await;
        sleep(Duration::from_millis(50)).await;
    }
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    Yes
}

pub(crate) async fn started_before_the_server<R: Remote>(mut server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    let source = server.source(server.address(), KEY);
    block_in_place(|| server.process().kill());
    let watched = Watched::starting(source);
    watched.until("stale", || watched.trouble().is_some()).await;
    assert_eq!(watched.capacitor.state(), State::Loading);
    restart(&mut server, 1).await;
    watched.sees(1).await;
    watched.has_applied(&[1]);
    if R::DURABLE {
        watched.was_never_refused();
    }
    Yes
}

pub(crate) async fn killed_and_restarted<R: Remote>(mut server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=4 {
        block_in_place(|| server.process().kill());
        watched.until("stale", || watched.trouble().is_some()).await;
        assert_eq!(
            watched.capacitor.state(),
            State::Healthy,
            "stale is no state"
        );
        restart(&mut server, n - 1).await;
        watched.sees(n - 1).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    if R::DURABLE {
        watched.was_never_refused();
    }
    Yes
}

pub(crate) async fn paused_and_resumed(mut server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=4 {
        server.process().pause();
        sleep(Duration::from_secs(3)).await;
        server.process().resume();
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    watched.was_never_refused();
    Yes
}

/// A server that begins anew counts its changes from the beginning, which must not be taken for history.
pub(crate) async fn wiped_and_written_anew(mut server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    // Seen by the watch, not by a read.
    for n in 2..=30 {
        server.write(KEY, &document(n)).await;
        sleep(Duration::from_millis(5)).await;
    }
    watched.sees(30).await;
    server.wipe().await;
    server.restarted().await;
    server.write(KEY, &document(31)).await;
    watched.sees(31).await;
    server.write(KEY, &document(32)).await;
    watched.sees(32).await;
    assert!(
        watched.applied().ends_with(&[30, 31, 32]),
        "{:?}",
        watched.applied()
    );
    Yes
}

/// An answer to a read is the truth, whatever its number: the volume was put back, and its changes count from there.
pub(crate) async fn an_older_copy_put_back(mut server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let copy = block_in_place(|| {
        let copy = server.process().copy();
        server.process().restart();
        copy
    });
    server.restarted().await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=6 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    block_in_place(|| {
        server.process().put_back(&copy);
        server.process().restart();
    });
    server.restarted().await;
    watched.sees(1).await;
    for n in 7..=9 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4, 5, 6, 1, 7, 8, 9]);
    Yes
}

/// Whoever may not read any more is told so, or still told of changes; never live with what is not so.
pub(crate) async fn permission_taken_on_an_open_connection<R: Remote>(server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    server.grant().await;
    let watched = Watched::started(server.guarded(server.address(), KEY)).await;
    for n in [2, 4] {
        server.refuse().await;
        server.write(KEY, &document(n)).await;
        let written = Instant::now();
        let honest = || watched.capacitor.get().n == n || !watched.is_live();
        watched.until("the value, or stale", honest).await;
        let took = written.elapsed();
        assert!(took < R::BOUND + BUSY, "within the bound: {took:?}");
        server.grant().await;
        server.write(KEY, &document(n + 1)).await;
        watched.sees(n + 1).await;
    }
    Yes
}

/// It takes connections, and that is all.
pub(crate) async fn a_silent_member<R: Remote>(server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    for _ in 0..5 {
        let mut silent = Vec::new();
        for _ in 0..2 {
            let proxy = Proxy::to(server.address()).await;
            proxy.deaden();
            silent.push(proxy);
        }
        let members = [silent[0].address(), server.address(), silent[1].address()];
        let members = members.map(|address| address.to_string()).join(",");
        let uri = server.uri(server.address(), KEY);
        let uri = uri.replace(&server.address().to_string(), &members);
        let begin = Instant::now();
        let wait = Duration::from_secs(30);
        let watched = Watched::new(Source::uri(uri).wait(wait));
        let outcome = watched.capacitor.start().await;
        outcome.expect("a good member is there");
        assert!(begin.elapsed() < wait, "{:?}", begin.elapsed());
        watched.sees(1).await;
    }
    Yes
}

pub(crate) async fn cut_for_five_seconds(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    proxy.cut();
    watched.until("stale", || watched.trouble().is_some()).await;
    server.write(KEY, &document(2)).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(watched.capacitor.get().n, 1);
    proxy.mend();
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    watched.was_never_refused();
    Yes
}

/// Nothing says that the connection is gone: a cable was pulled, a firewall forgot.
pub(crate) async fn a_dead_line(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    proxy.deaden();
    server.write(KEY, &document(2)).await;
    watched.until("stale", || watched.trouble().is_some()).await;
    server.write(KEY, &document(3)).await;
    proxy.mend();
    watched.sees(3).await;
    watched.has_applied(&[1, 3]);
    watched.was_never_refused();
    Yes
}

/// Slow is not dead: whoever takes it for that never gets anywhere.
pub(crate) async fn a_slow_line<R: Remote>(server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    proxy.delay(Duration::from_millis(300));
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    for n in 2..=4 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    watched.was_never_refused();
    let received = watched.capacitor.status().layers[0].received;
    assert!(
        R::POLLED || received <= 16,
        "one session: {received} readings"
    );
    Yes
}

pub(crate) async fn permission_refused_and_granted(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    server.refuse().await;
    let watched = Watched::starting(server.guarded(server.address(), KEY));
    let troubled = || watched.trouble().is_some() || watched.refusal().is_some();
    watched.until("refused", troubled).await;
    let refusal = watched.refusal();
    let refusal = refusal.unwrap_or_else(|| panic!("{:?}", watched.trouble()));
    assert!(!refusal.contains("hunter2"), "{refusal}");
    assert!(!format!("{:?}", watched.capacitor.status()).contains("hunter2"));
    server.grant().await;
    watched.sees(1).await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    Yes
}

pub(crate) async fn permission_taken_and_granted(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    server.grant().await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.guarded(proxy.address(), KEY)).await;
    server.refuse().await;
    proxy.hang_up();
    watched
        .until("refused", || watched.refusal().is_some())
        .await;
    assert_eq!(watched.capacitor.get().n, 1, "the last one is kept");
    server.write(KEY, &document(2)).await;
    server.grant().await;
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    Yes
}

pub(crate) async fn failing_for_long(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    proxy.cut();
    watched.until("stale", || watched.trouble().is_some()).await;
    let before = proxy.connections();
    sleep(Duration::from_secs(20)).await;
    let tried = proxy.connections() - before;
    assert!((1..=40).contains(&tried), "{tried} connections in 20 s");
    server.write(KEY, &document(2)).await;
    proxy.mend();
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    Yes
}

pub(crate) async fn quiet_for_longer_than_the_server_likes<R: Remote>(server: R) -> Shown {
    let Some(limit) = R::IDLE else {
        return Shown::DoesNotApply;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    for n in 2..=3 {
        sleep(limit * 3 / 2 + Duration::from_secs(1)).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3]);
    watched.was_never_refused();
    Yes
}

pub(crate) async fn stopped_without_a_trace<R: Remote>(server: R) -> Shown {
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let guests = server.guests().await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    let mut soonest = BOUND;
    for n in 2..=4 {
        let watched = Watched::started(server.source(proxy.address(), KEY)).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
        assert_eq!(proxy.open() > 0, R::SERVED, "by way of the proxy");
        assert!(server.guests().await > guests, "the server knows of it");
        watched.capacitor.stop().await;
        let stopped = Instant::now();
        until("no connection is left", async || proxy.open() == 0).await;
        until("no guest is left", async || server.guests().await == guests).await;
        let left = || Handle::current().metrics().num_alive_tasks();
        until("no task is left", async || left() <= tasks).await;
        soonest = soonest.min(stopped.elapsed());
        assert_eq!(watched.capacitor.get().n, n, "still readable");
        if n == 4 {
            watched.capacitor.start().await.expect("it starts again");
            server.write(KEY, &document(5)).await;
            watched.sees(5).await;
        }
    }
    // What a server does by itself with those who are gone without a word takes half a minute or more, each time; a busy machine takes
    // long now and then.
    assert!(
        soonest < Duration::from_secs(20),
        "it was told: {soonest:?}"
    );
    Yes
}

pub(crate) async fn ten_capacitors_one_connection<R: Remote>(server: R) -> Shown {
    let proxy = Proxy::to(server.address()).await;
    let mut all = Vec::new();
    for n in 0..10 {
        let key = format!("{KEY}{n}");
        server.write(&key, &document(n)).await;
        all.push(Watched::started(server.source(proxy.address(), &key)).await);
    }
    assert!(
        proxy.connections() <= R::CONNECTIONS,
        "{} connections",
        proxy.connections()
    );
    for (n, watched) in (0..).zip(&all) {
        server.write(&format!("{KEY}{n}"), &document(100 + n)).await;
        watched.sees(100 + n).await;
        watched.has_applied(&[n, 100 + n]);
    }
    // Some stop; the others' connection stays.
    for stopped in all.drain(..5) {
        stopped.capacitor.stop().await;
    }
    for (n, watched) in (5..).zip(&all) {
        server.write(&format!("{KEY}{n}"), &document(200 + n)).await;
        watched.sees(200 + n).await;
    }
    proxy.cut();
    for watched in &all {
        watched.until("stale", || watched.trouble().is_some()).await;
    }
    proxy.mend();
    for (n, watched) in (5..).zip(&all) {
        server.write(&format!("{KEY}{n}"), &document(300 + n)).await;
        watched.sees(300 + n).await;
        watched.was_never_refused();
    }
    Yes
}

/// The start goes on without it, and takes it up when it is there.
pub(crate) async fn an_optional_one_that_is_down(server: impl Remote) -> Shown {
    server.write(KEY, &document(2)).await;
    let proxy = Proxy::to(server.address()).await;
    proxy.cut();
    let wait = Duration::from_secs(1);
    let source = || server.source(proxy.address(), KEY).wait(wait);

    let required = Watched::new(source());
    let refused = required.capacitor.start().await.expect_err("no value");
    assert!(
        refused.to_string().contains("://"),
        "it is named: {refused}"
    );
    assert_eq!(required.capacitor.state(), State::Empty);

    let (sender, channel) = flux::source::Channel::latest("base");
    sender.send(&b"{\"n\": 1}"[..]).await.unwrap();
    let optional = Capacitor::<App>::builder()
        .source(Source::watcher(channel))
        .source(source().optional())
        .build()
        .unwrap();
    optional.start().await.expect("it starts without");
    assert_eq!(optional.get().n, 1);
    assert_eq!(optional.state(), State::Healthy);

    proxy.mend();
    required.sees(2).await;
    until("taken up", async || optional.get().n == 2).await;
    Yes
}

/// Starts the server again. What does not survive that is written again.
async fn restart<R: Remote>(server: &mut R, n: u64) {
    block_in_place(|| server.process().restart());
    server.restarted().await;
    if !R::DURABLE {
        server.write(KEY, &document(n)).await;
    }
}
