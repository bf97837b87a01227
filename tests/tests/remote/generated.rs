//! Schedules of faults from a seed, between random writes. The oracle: once the faults are over, what is applied is what the store
//! holds; and at no moment is the source live for longer than its bound while the value is not the store's.
//!
//! Each run takes `FLUX_FAULTS_SECONDS` for each store (20 by default; hours when asked), and prints its seed. A seed that failed is
//! replayed by `FLUX_FAULTS_SEED`.

use crate::{
    suite::KEY,
    watched::{Watched, document},
};
use flux_tests::{proxy::Proxy, servers::Remote};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{task::block_in_place, time::sleep};

/// For how long a source may be live with a value that is not the store's: the longest bound on the pages, and a breath for a machine
/// that is busy.
const BOUND: Duration = Duration::from_secs(60);

/// A small generator of its own, so that a seed is the same schedule everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }
}

/// What the store holds, and since when. Nothing where it was wiped.
#[derive(Clone, Copy)]
struct Truth {
    held: Option<u64>,
    /// What is being written: the store may hold it already.
    next: Option<u64>,
    /// Nobody can vouch for what is held: a majority of the members is away.
    is_unknown: bool,
    since: Instant,
}

impl Truth {
    fn of(held: Option<u64>) -> Self {
        Truth {
            held,
            next: None,
            is_unknown: false,
            since: Instant::now(),
        }
    }

    fn agrees_with(&self, applied: Option<u64>, present: bool) -> bool {
        let right = match self.held {
            Some(n) => applied == Some(n),
            None => !present,
        };
        !self.is_unknown && (right || (self.next.is_some() && applied == self.next))
    }
}

/// Watches for lies, all the time.
pub(crate) struct Watch {
    truth: Arc<Mutex<Truth>>,
    lie: Arc<Mutex<Option<String>>>,
    over: Arc<AtomicBool>,
}

impl Watch {
    /// A lie is to be live for longer than `bound` with what is not the store's.
    pub(crate) fn over(watched: &Watched, bound: Duration) -> Self {
        let watch = Watch {
            truth: Arc::new(Mutex::new(Truth::of(None))),
            lie: Arc::default(),
            over: Arc::default(),
        };
        let capacitor = watched.capacitor.clone();
        let (truth, lie) = (Arc::clone(&watch.truth), Arc::clone(&watch.lie));
        let over = Arc::clone(&watch.over);
        tokio::spawn(async move {
            let mut lying: Option<Instant> = None;
            while !over.load(Ordering::Relaxed) {
                let truth = *truth.lock().unwrap();
                let status = capacitor.status();
                let layer = &status.layers[0];
                let live = matches!(layer.health, flux::source::Health::Live);
                let applied = capacitor.try_snapshot().map(|app| app.n);
                let right = truth.agrees_with(applied, layer.present);
                lying = match live && !right {
                    true => Some(lying.map_or(Instant::now(), |lying| lying.max(truth.since))),
                    false => None,
                };
                if let Some(lying) = lying
                    && lying.elapsed() > bound
                {
                    let Truth {
                        held, is_unknown, ..
                    } = truth;
                    *lie.lock().unwrap() = Some(format!(
                        "live for {bound:?} with {applied:?} while the store holds {held:?} (unknown: {is_unknown})"
                    ));
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        watch
    }

    /// From now on the store holds this.
    pub(crate) fn holds(&self, held: Option<u64>) {
        *self.truth.lock().unwrap() = Truth::of(held);
    }

    /// It is about to be written.
    pub(crate) fn may_hold(&self, next: u64) {
        self.truth.lock().unwrap().next = Some(next);
    }

    /// From now on nobody can vouch for what is held.
    pub(crate) fn is_unknown(&self) {
        let mut truth = self.truth.lock().unwrap();
        truth.is_unknown = true;
        truth.since = Instant::now();
    }

    pub(crate) fn was_no_lie(&self) {
        let lie = self.lie.lock().unwrap().clone();
        assert!(lie.is_none(), "{}", lie.unwrap_or_default());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

async fn written(server: &impl Remote, watch: &Watch, n: &mut u64) {
    *n += 1;
    watch.may_hold(*n);
    server.write(KEY, &document(*n)).await;
    watch.holds(Some(*n));
}

/// A write, and what is no change to a reader that looks seldom: deleted and made again, with the same content or other content,
/// and the same content twice.
async fn written_somehow(
    server: &impl Remote,
    watch: &Watch,
    n: &mut u64,
    random: &mut Random,
    may_delete: bool,
) {
    let how = random.below(8);
    if how < 2 && may_delete {
        server.delete(KEY).await;
        watch.holds(None);
        sleep(random.millis(30)).await;
    }
    match how {
        0 | 2 => {
            watch.may_hold(*n);
            server.write(KEY, &document(*n)).await;
            watch.holds(Some(*n));
        }
        _ => written(server, watch, n).await,
    }
}

/// Waits until what the store holds is applied.
pub(crate) async fn settles(watched: &Watched, watch: &Watch) {
    let held = watch.truth.lock().unwrap().held;
    match held {
        Some(n) => watched.sees(n).await,
        None => {
            let absent = || watched.is_live() && !watched.capacitor.status().layers[0].present;
            watched.until("absent", absent).await;
        }
    }
    watch.was_no_lie();
}

/// One schedule on one server. Rights are of schedules of their own: what is wiped has forgotten who may read.
async fn schedule<R: Remote>(seed: u64, time: Duration) {
    let mut random = Random(seed);
    let rights = random.below(3) == 0;
    let Some(mut server) = R::start().await else {
        return;
    };
    let begin = Instant::now();
    let proxy = Proxy::to(server.address()).await;
    let mut n = 0;
    server.write(KEY, &document(0)).await;
    if rights {
        server.grant().await;
    }
    let watched = Watched::started(match rights {
        true => server.guarded(proxy.address(), KEY),
        false => server.source(proxy.address(), KEY),
    })
    .await;
    let watch = Watch::over(&watched, BOUND);
    watch.holds(Some(0));
    let mut copy: Option<(TempDir, Option<u64>)> = None;
    let mut held = Some(0);
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            // A node that is made again has forgotten who may read.
            written_somehow(&server, &watch, &mut n, &mut random, !rights).await;
            held = Some(n);
            sleep(random.millis(100)).await;
        }
        let fault = match rights {
            true => 7 + random.below(2),
            false => random.below(8),
        };
        println!(
            "{} {:?}: fault {fault}, {held:?} is held",
            R::NAME,
            begin.elapsed()
        );
        match fault {
            0 => {
                block_in_place(|| server.process().kill());
                sleep(random.millis(1500)).await;
                block_in_place(|| server.process().restart());
                server.restarted().await;
            }
            1 => {
                server.process().pause();
                sleep(random.millis(4000)).await;
                server.process().resume();
            }
            2 | 3 => {
                match fault {
                    2 => proxy.cut(),
                    _ => proxy.deaden(),
                }
                sleep(random.millis(2000)).await;
                written(&server, &watch, &mut n).await;
                held = Some(n);
                sleep(random.millis(8000)).await;
                proxy.mend();
            }
            4 => {
                proxy.delay(random.millis(300));
                written(&server, &watch, &mut n).await;
                held = Some(n);
                sleep(random.millis(2000)).await;
                proxy.mend();
            }
            5 => {
                server.wipe().await;
                server.restarted().await;
                held = None;
                watch.holds(held);
                sleep(random.millis(500)).await;
            }
            6 if copy.is_none() => {
                let taken = block_in_place(|| {
                    let taken = server.process().copy();
                    server.process().restart();
                    taken
                });
                server.restarted().await;
                copy = Some((taken, held));
            }
            6 => {
                let (older, then) = copy.take().expect("a copy");
                block_in_place(|| {
                    server.process().put_back(&older);
                    server.process().restart();
                });
                server.restarted().await;
                held = then;
                watch.holds(held);
            }
            7 => {
                proxy.hang_up();
                written(&server, &watch, &mut n).await;
                held = Some(n);
            }
            _ => {
                server.refuse().await;
                written(&server, &watch, &mut n).await;
                held = Some(n);
                if random.below(2) == 0 {
                    proxy.hang_up();
                }
                sleep(random.millis(15_000)).await;
                server.grant().await;
            }
        }
        if random.below(2) == 0 {
            settles(&watched, &watch).await;
        }
    }
    settles(&watched, &watch).await;
    written(&server, &watch, &mut n).await;
    settles(&watched, &watch).await;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Schedules of one store, by `schedule` from a seed and in a time, for as long as was asked for.
pub(crate) async fn schedules<F: Future<Output = ()>>(
    store: &str,
    schedule: impl Fn(u64, Duration) -> F,
) {
    let time = Duration::from_secs(number("FLUX_FAULTS_SECONDS").unwrap_or(20));
    let begin = Instant::now();
    let replayed = number("FLUX_FAULTS_SEED");
    let mut seed = replayed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::try_from(now.unwrap_or_default().as_micros() % u128::from(u64::MAX)).unwrap_or(0)
    });
    let mut done = 0;
    loop {
        println!("{store}: FLUX_FAULTS_SEED={seed}");
        // One schedule is some minutes at most, so that a seed that failed is replayed soon.
        schedule(seed, time.min(Duration::from_secs(120))).await;
        done += 1;
        if replayed.is_some() || begin.elapsed() >= time {
            break;
        }
        seed = seed.wrapping_add(1);
    }
    println!("{store}: {done} schedules in {:?}", begin.elapsed());
}

macro_rules! generated {
    ($($feature:literal $name:ident $Server:ident),+) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            type Server = flux_tests::servers::$Server;
            schedules(<Server as Remote>::NAME, schedule::<Server>).await;
        }
    )+};
}

generated!(
    "etcd" etcd_under_random_faults Etcd,
    "redis" redis_under_random_faults Redis,
    "consul" consul_under_random_faults Consul,
    "nats" nats_under_random_faults Nats,
    "zookeeper" zookeeper_under_random_faults ZooKeeper
);
