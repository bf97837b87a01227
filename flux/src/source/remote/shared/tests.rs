//! Sources that share a connection, and those that step aside.

use super::*;
use flux_syntax::Scheme;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

type Wire = Client<()>;

/// The question of a first start, or of a source that lost the connection.
const FIRST: bool = false;
const LOST: bool = true;

fn place(host: &str) -> Remote<String> {
    Remote::new(Scheme::Redis).host(host)
}

fn server(host: &str) -> &'static Remote<String> {
    Box::leak(Box::new(place(host)))
}

async fn connect(count: &AtomicU32) -> Result<Wire, SourceError> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    match count.fetch_add(1, SeqCst) {
        u32::MAX => Err(SourceError::transient("refused")),
        _ => Ok(Wire::new(())),
    }
}

#[tokio::test(start_paused = true)]
async fn one_server_has_one_connection_until_nobody_uses_it() {
    let (all, count) = (Connections::new(), AtomicU32::new(0));
    let (one, two) = tokio::join!(
        all.lease(server("a"), FIRST, connect(&count)),
        all.lease(server("a"), FIRST, connect(&count)),
    );
    assert_eq!(count.load(SeqCst), 1);
    let (one, two) = (one.unwrap(), two.unwrap());
    let other = all
        .lease(server("b"), FIRST, connect(&count))
        .await
        .unwrap();
    assert_eq!(count.load(SeqCst), 2, "another server");
    drop(one);
    let weak = Arc::downgrade(&two.connection);
    drop(two);
    assert!(weak.upgrade().is_none(), "the last one closes it");
    let _again = all
        .lease(server("a"), FIRST, connect(&count))
        .await
        .unwrap();
    assert_eq!(count.load(SeqCst), 3);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_replaced() {
    let (all, count) = (Connections::new(), AtomicU32::new(0));
    let old = all
        .lease(server("a"), FIRST, connect(&count))
        .await
        .unwrap();
    old.give_up();
    let new = all
        .lease(server("a"), FIRST, connect(&count))
        .await
        .unwrap();
    let same = all
        .lease(server("a"), FIRST, connect(&count))
        .await
        .unwrap();
    assert!(Arc::ptr_eq(&new.connection, &same.connection));
    assert_eq!(count.load(SeqCst), 2);
}

#[tokio::test]
async fn a_failure_that_is_shared_names_the_source_that_receives_it() {
    let all: Connections<Wire> = Connections::new();
    let places = ["one", "two"].map(|key| place("a").piece(key));
    let refused = |place: &Remote<String>| {
        let error = SourceError::transient(format!("{}: refused", place.origin()));
        async move {
            tokio::task::yield_now().await;
            Err(error)
        }
    };
    let (one, two) = tokio::join!(
        all.lease(&places[0], FIRST, refused(&places[0])),
        all.lease(&places[1], FIRST, std::future::pending()),
    );
    for (place, error) in places.iter().zip([one.err(), two.err()]) {
        let text = error.expect("it is refused").to_string();
        assert_eq!(text, format!("{}: refused", place.origin()));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_an_attempt_is_told_of_its_failure() {
    let (all, count) = (Connections::<Wire>::new(), AtomicU32::new(u32::MAX));
    let (one, two) = tokio::join!(
        all.lease(server("a"), FIRST, connect(&count)),
        all.lease(server("a"), FIRST, connect(&count)),
    );
    assert!(one.is_err() && two.is_err());
    assert_eq!(count.load(SeqCst), 0, "one attempt");
    assert!(all.lease(server("a"), FIRST, connect(&count)).await.is_ok());
}

proptest::proptest! {
    #[test]
    fn who_waited_steps_aside_for_a_part_of_the_spread_and_who_did_not_goes_on(
        millis in 0..100_000u64,
        random in 0.0..1.0f64,
    ) {
        let waited = Duration::from_millis(millis);
        let aside = aside(waited, random);
        proptest::prop_assert!(aside <= SPREAD && aside <= waited * 10);
        if millis >= 300 {
            proptest::prop_assert_eq!(aside, SPREAD.mul_f64(random));
        }
    }
}

/// When each of a hundred has the connection that one of them makes in a second.
async fn waits(lost: bool) -> Vec<Duration> {
    let shared = Arc::new((Connections::new(), AtomicU32::new(0)));
    let begin = Instant::now();
    let mut leases = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let shared = Arc::clone(&shared);
        leases.spawn(async move {
            let (all, count) = &*shared;
            let lease = all.lease(server("a"), lost, connect(count)).await;
            (lease.unwrap(), begin.elapsed())
        });
    }
    let leases = leases.join_all().await;
    assert_eq!(shared.1.load(SeqCst), 1, "one attempt");
    leases.into_iter().map(|(_, waited)| waited).collect()
}

#[tokio::test(start_paused = true)]
async fn who_waited_after_a_loss_steps_aside_and_a_first_start_does_not() {
    let second = Duration::from_secs(1);
    assert!(waits(FIRST).await.iter().all(|waited| *waited == second));
    let mut lost = waits(LOST).await;
    lost.sort_unstable();
    assert!(lost[99] <= second + SPREAD + Duration::from_millis(1));
    let most = lost.iter().map(|from| {
        let end = *from + Duration::from_millis(100);
        lost.iter().filter(|at| (*from..end).contains(*at)).count()
    });
    let most = most.max();
    // 3 are expected.
    assert!(most < Some(20), "{most:?} of 100 in 100 ms");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_ask_again_and_again_knock_less_and_less() {
    let all = Connections::<Wire>::new();
    let knocks = std::sync::Mutex::new(Vec::new());
    let begin = Instant::now();
    // 10 questions a second for ten minutes, as of 150 capacitors that pause for 15 s in the mean.
    while begin.elapsed() < Duration::from_secs(600) {
        let refused = all.lease(server("a"), LOST, async {
            knocks.lock().unwrap().push(begin.elapsed().as_secs());
            Err(SourceError::transient("refused"))
        });
        assert_eq!(refused.await.err().unwrap().to_string(), "refused");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let knocks = knocks.into_inner().unwrap();
    let of = |minute: u64| knocks.iter().filter(|at| **at / 60 == minute).count();
    assert!((20..150).contains(&of(0)), "{} in the first", of(0));
    for minute in 1..10 {
        assert!((11..=12).contains(&of(minute)), "{}", of(minute));
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_alone_is_hardly_held_up() {
    let all = Connections::<Wire>::new();
    let knocks = AtomicU32::new(0);
    let mut pauses = 0;
    for failures in 1..20 {
        let ceiling = crate::time::ceiling(failures, Duration::from_millis(100), CAP);
        let refused = all.lease(server("a"), FIRST, async {
            knocks.fetch_add(1, SeqCst);
            Err::<Wire, _>(SourceError::transient("refused"))
        });
        assert!(refused.await.is_err());
        pauses += 1;
        tokio::time::sleep(ceiling / 2).await;
    }
    assert_eq!(knocks.load(SeqCst), pauses, "each question is a knock");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_forgotten_when_nobody_asks_any_more() {
    let all = Connections::<Wire>::new();
    let cells = || all.cells.lock().unwrap().as_ref().unwrap().len();
    let refuse = async || {
        let refused = async { Err(SourceError::transient("refused")) };
        assert!(all.lease(server("a"), FIRST, refused).await.is_err());
    };
    refuse().await;
    assert_eq!(cells(), 1, "kept for the next attempt");
    tokio::time::sleep(2 * CAP + Duration::from_secs(1)).await;
    let other = all.lease(server("b"), FIRST, async { Ok(Wire::new(())) });
    let other = other.await.unwrap();
    assert_eq!(cells(), 1, "only the other one");
    drop(other);
    refuse().await;
    assert_eq!(cells(), 1, "what nobody uses is not kept");
}

#[test]
fn each_runtime_has_its_own() {
    static ALL: Connections<Wire> = Connections::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut leases = Vec::new();
    for n in 1..=2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        leases.push(runtime.block_on(ALL.lease(server("a"), FIRST, connect(&COUNT))));
        assert_eq!(COUNT.load(SeqCst), n);
    }
}
