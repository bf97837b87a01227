//! Schedules of faults from a seed, between random writes. The [oracle](crate::oracle): once the faults are over, what is applied is
//! what the store holds; and at no moment is the source live for longer than its bound with what the store does not hold any more.
//!
//! Each run takes `FLUX_FAULTS_SECONDS` for each store (20 by default; hours when asked), and prints its seed. A seed that failed is
//! replayed by `FLUX_FAULTS_SEED`, for two minutes where no time is given: as long as one schedule lasts at most.

use crate::{
    oracle::{BUSY, Limits, Watch},
    suite::KEY,
    watched::{Watched, document},
};
use flux_tests::{proxy::Proxy, servers::Remote};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::{task::block_in_place, time::sleep};

/// One schedule is some minutes at most, so that a seed that failed is replayed soon.
const LONGEST: Duration = Duration::from_secs(120);

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

    fn part_of(&mut self, time: Duration) -> Duration {
        time * u32::try_from(self.below(1000)).unwrap_or(0) / 1000
    }

    pub(crate) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }
}

async fn written(server: &impl Remote, watch: &Watch, n: &mut u64) {
    *n += 1;
    watch.may_hold(Some(*n));
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
        watch.may_hold(None);
        server.delete(KEY).await;
        watch.holds(None);
        sleep(random.millis(30)).await;
    }
    match how {
        0 | 2 => {
            watch.may_hold(Some(*n));
            server.write(KEY, &document(*n)).await;
            watch.holds(Some(*n));
        }
        _ => written(server, watch, n).await,
    }
}

/// Writes for as long as a fault lasts, at least once.
async fn written_during(
    length: Duration,
    server: &impl Remote,
    watch: &Watch,
    n: &mut u64,
    random: &mut Random,
) {
    let begin = Instant::now();
    loop {
        written(server, watch, n).await;
        let rest = length.saturating_sub(begin.elapsed());
        if rest.is_zero() {
            return;
        }
        sleep(rest.min(random.millis(5000))).await;
    }
}

/// How long a fault lasts: up to `usual` milliseconds, and every third time past the bound, where there is time for that: only then
/// may a source not be live.
fn length<R: Remote>(random: &mut Random, usual: u64, time: Duration) -> Duration {
    let is_long = random.below(3) == 0;
    let (short, long) = (
        random.millis(usual),
        R::BOUND + random.part_of(R::BOUND + BUSY),
    );
    match is_long && time > R::BOUND * 2 {
        true => long,
        false => short,
    }
}

/// Waits until what the store holds is applied.
pub(crate) async fn settles(watched: &Watched, watch: &Watch) {
    match watch.held() {
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
    let watch = Watch::over(&watched, Limits::of_a_server(R::BOUND));
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
                let length = length::<R>(&mut random, 8000, time);
                written_during(length, &server, &watch, &mut n, &mut random).await;
                held = Some(n);
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
                watch.may_hold(None);
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
                watch.may_hold(then);
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
                if random.below(2) == 0 {
                    proxy.hang_up();
                }
                let length = length::<R>(&mut random, 15_000, time);
                written_during(length, &server, &watch, &mut n, &mut random).await;
                held = Some(n);
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
    let begin = Instant::now();
    let replayed = number("FLUX_FAULTS_SEED");
    let usual = match replayed {
        Some(_) => LONGEST,
        None => Duration::from_secs(20),
    };
    let time = number("FLUX_FAULTS_SECONDS").map_or(usual, Duration::from_secs);
    let mut seed = replayed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::try_from(now.unwrap_or_default().as_micros() % u128::from(u64::MAX)).unwrap_or(0)
    });
    let mut done = 0;
    loop {
        println!("{store}: FLUX_FAULTS_SEED={seed}");
        schedule(seed, time.min(LONGEST)).await;
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
