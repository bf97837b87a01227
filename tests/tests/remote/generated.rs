//! Schedules of faults from a seed, between random writes. The [oracle](crate::oracle): once the faults are over, what is applied is
//! what the store holds; and at no moment is the source live for longer than its bound with what the store does not hold any more.

use crate::{
    oracle::{BUSY, Limits, Watch},
    renewed::{FIRST_PASSWORD, keep_password, with_password_in},
    seeds::{Random, schedules, settles},
    suite::{KEY, QUIET},
    watched::{Watched, document},
};
use flux::Source;
use flux_tests::{proxy::Proxy, servers::Remote};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::{task::block_in_place, time::sleep};

/// A document that is written, and the source that follows it.
struct Followed {
    key: &'static str,
    watched: Watched,
    watch: Watch,
    /// The number of the last document.
    n: u64,
}

impl Followed {
    async fn start<R: Remote>(key: &'static str, source: Source) -> Self {
        let watched = Watched::started(source).await;
        let watch = Watch::over(&watched, Limits::of_a_server(R::BOUND));
        watch.holds(Some(0));
        Followed {
            key,
            watched,
            watch,
            n: 0,
        }
    }

    async fn write(&self, server: &impl Remote) {
        self.watch.may_hold(Some(self.n));
        server.write(self.key, &document(self.n)).await;
        self.watch.holds(Some(self.n));
    }

    async fn written(&mut self, server: &impl Remote) {
        self.n += 1;
        self.write(server).await;
    }

    /// A write, and what is no change to a reader that looks seldom: deleted and made again, with the same content or other content,
    /// and the same content twice.
    async fn written_somehow(
        &mut self,
        server: &impl Remote,
        random: &mut Random,
        may_delete: bool,
    ) {
        let how = random.below(8);
        if how < 2 && may_delete {
            self.watch.may_hold(None);
            server.delete(self.key).await;
            self.watch.holds(None);
            sleep(random.millis(30)).await;
        }
        match how {
            0 | 2 => self.write(server).await,
            _ => self.written(server).await,
        }
    }

    async fn settles(&self) {
        settles(&self.watched, &self.watch).await;
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
    match is_long && time > R::BOUND * 3 / 2 {
        true => long,
        false => short,
    }
}

/// As whom the sources of a schedule come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Guest {
    /// Nobody is asked for a name.
    Anybody,
    /// A user whose rights and password change.
    Guarded,
    /// With certificates, which are renewed.
    Secured,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Paused,
    LineCut,
    LineDead,
    LineSlow,
    HungUp,
    Wiped,
    /// A copy is taken, or the one that was taken before is put back.
    Copied,
    Recreated,
    RightsTaken,
    PasswordChanged,
    CertificatesRenewed,
    /// Again and again, between writes: a watch that begins where it was read last has ended before it began.
    HistoryForgotten,
}

/// Those that this server knows, as often as they are to come.
fn faults<R: Remote>(guest: Guest) -> Vec<Fault> {
    use Fault::*;
    let mut faults = vec![
        Killed, Paused, LineCut, LineDead, LineSlow, HungUp, HungUp, Wiped,
    ];
    if R::COPIES {
        faults.extend([Copied, Copied]);
    }
    if R::RECREATES {
        faults.push(Recreated);
    }
    if R::FORGETS {
        faults.extend([HistoryForgotten; 2]);
    }
    match guest {
        Guest::Anybody => {}
        Guest::Guarded => {
            faults.extend([RightsTaken; 5]);
            if R::ROTATES {
                faults.extend([PasswordChanged; 3]);
            }
        }
        Guest::Secured => faults.extend([CertificatesRenewed; 4]),
    }
    faults
}

/// One schedule on one server, with two sources: one whose document changes all the time, and a quiet one.
struct Schedule<R> {
    server: R,
    proxy: Proxy,
    random: Random,
    guest: Guest,
    busy: Followed,
    quiet: Followed,
    /// The guarded user's password, and the folder with its file.
    password: String,
    secret: TempDir,
    /// An older copy of the server's data, and what it holds.
    copy: Option<(TempDir, [Option<u64>; 2])>,
    time: Duration,
}

impl<R: Remote> Schedule<R> {
    async fn start(seed: u64, time: Duration) -> Option<Self> {
        let mut random = Random(seed);
        let guest = match random.below(4) {
            0 => Guest::Guarded,
            1 if R::SECURED => Guest::Secured,
            _ => Guest::Anybody,
        };
        let server = match guest {
            Guest::Secured => R::start_secured().await?,
            _ => R::start().await?,
        };
        let address = match (guest, server.secured()) {
            (Guest::Secured, Some((address, _))) => address,
            _ => server.address(),
        };
        let proxy = Proxy::to(address).await;
        for key in [KEY, QUIET] {
            server.write(key, &document(0)).await;
        }
        let secret = tempfile::tempdir().unwrap();
        keep_password(&secret, FIRST_PASSWORD);
        if guest == Guest::Guarded {
            server.grant().await;
        }
        let source = |key| match guest {
            Guest::Anybody => server.source(proxy.address(), key),
            Guest::Secured => server.secured_source(proxy.address(), key, "ca.pem", true),
            Guest::Guarded if R::ROTATES => {
                with_password_in(&secret, server.uri(proxy.address(), key))
            }
            Guest::Guarded => server.guarded(proxy.address(), key),
        };
        let busy = Followed::start::<R>(KEY, source(KEY)).await;
        let quiet = Followed::start::<R>(QUIET, source(QUIET)).await;
        Some(Schedule {
            server,
            proxy,
            random,
            guest,
            busy,
            quiet,
            password: FIRST_PASSWORD.to_owned(),
            secret,
            copy: None,
            time,
        })
    }

    fn both(&self) -> [&Followed; 2] {
        [&self.busy, &self.quiet]
    }

    /// The server starts again on what data it has, and holds this.
    async fn restarts(&mut self, held: [Option<u64>; 2]) {
        for (followed, held) in self.both().into_iter().zip(held) {
            followed.watch.may_hold(held);
        }
        block_in_place(|| self.server.process().restart());
        self.server.restarted().await;
        for (followed, held) in self.both().into_iter().zip(held) {
            followed.watch.holds(held);
        }
    }

    fn held(&self) -> [Option<u64>; 2] {
        self.both().map(|followed| followed.watch.held())
    }

    /// After what may have cost the guarded user's rights: some servers keep them with the data, some with the nodes themselves.
    async fn grant_again(&mut self) {
        if self.guest == Guest::Guarded {
            for followed in [&mut self.busy, &mut self.quiet] {
                if followed.watch.held().is_none() {
                    followed.written(&self.server).await;
                }
            }
            self.server.grant().await;
        }
    }

    /// Writes for as long as a fault lasts, at least once.
    async fn written_for(&mut self, length: Duration) {
        let begin = Instant::now();
        loop {
            self.busy.written(&self.server).await;
            let rest = length.saturating_sub(begin.elapsed());
            if rest.is_zero() {
                return;
            }
            sleep(rest.min(self.random.millis(5000))).await;
        }
    }

    fn length(&mut self, usual: u64) -> Duration {
        length::<R>(&mut self.random, usual, self.time)
    }

    async fn pauses(&mut self) {
        self.server.process().pause();
        sleep(self.random.millis(4000)).await;
        self.server.process().resume();
    }

    async fn suffers(&mut self, fault: Fault) {
        match fault {
            Fault::Killed => {
                let held = match R::DURABLE {
                    true => self.held(),
                    false => [None; 2],
                };
                block_in_place(|| self.server.process().kill());
                sleep(self.random.millis(1500)).await;
                self.restarts(held).await;
                self.grant_again().await;
            }
            Fault::Paused => self.pauses().await,
            Fault::LineCut | Fault::LineDead => {
                match fault {
                    Fault::LineCut => self.proxy.cut(),
                    _ => self.proxy.deaden(),
                }
                sleep(self.random.millis(2000)).await;
                let length = self.length(8000);
                self.written_for(length).await;
                self.proxy.mend();
            }
            Fault::LineSlow => {
                self.proxy.delay(self.random.millis(300));
                self.busy.written(&self.server).await;
                sleep(self.random.millis(2000)).await;
                self.proxy.mend();
            }
            Fault::HungUp => {
                self.proxy.hang_up();
                self.busy.written(&self.server).await;
            }
            Fault::Wiped | Fault::Recreated => {
                for followed in self.both() {
                    followed.watch.may_hold(None);
                }
                if matches!(fault, Fault::Wiped) {
                    self.server.wipe().await;
                    self.server.restarted().await;
                } else {
                    self.server.recreate().await;
                }
                for followed in self.both() {
                    followed.watch.holds(None);
                }
                sleep(self.random.millis(500)).await;
                self.grant_again().await;
            }
            Fault::Copied => match self.copy.take() {
                None => {
                    let held = self.held();
                    let taken = block_in_place(|| self.server.process().copy());
                    self.copy = Some((taken, held));
                    self.restarts(held).await;
                    self.grant_again().await;
                }
                Some((older, held)) => {
                    block_in_place(|| self.server.process().put_back(&older));
                    self.restarts(held).await;
                    if self.guest == Guest::Guarded && R::ROTATES {
                        self.server.rotate(&self.password).await;
                    }
                    self.grant_again().await;
                }
            },
            Fault::HistoryForgotten => {
                let (begin, length) = (Instant::now(), self.random.millis(4000));
                self.proxy.delay(self.random.millis(60));
                while begin.elapsed() < length {
                    self.busy.written(&self.server).await;
                    self.server.forget_history().await;
                }
                self.proxy.mend();
                if self.random.below(2) == 0 {
                    self.proxy.hang_up();
                }
                self.busy.written(&self.server).await;
                self.server.forget_history().await;
            }
            Fault::RightsTaken => {
                self.server.refuse().await;
                match self.random.below(6) {
                    0 => self.proxy.hang_up(),
                    1 => self.pauses().await,
                    2 => {
                        self.proxy.cut();
                        sleep(self.random.millis(3000)).await;
                        self.proxy.mend();
                    }
                    3 => self.proxy.delay(self.random.millis(300)),
                    _ => {}
                }
                let length = self.length(15_000);
                self.written_for(length).await;
                self.proxy.mend();
                match self.random.below(2) {
                    0 => self.server.grant_least().await,
                    _ => self.server.grant().await,
                }
            }
            Fault::PasswordChanged => {
                self.password = format!("hunter-{}", self.random.below(1 << 20));
                let is_file_first = self.random.below(2) == 0;
                for step in [is_file_first, !is_file_first] {
                    match step {
                        true => keep_password(&self.secret, &self.password),
                        false => self.server.rotate(&self.password).await,
                    }
                    sleep(self.random.millis(3000)).await;
                }
                if self.random.below(2) == 0 {
                    self.proxy.hang_up();
                }
                self.busy.written(&self.server).await;
            }
            Fault::CertificatesRenewed => {
                let (_, certificates) = self.server.secured().expect("certificates");
                certificates.renew();
                sleep(self.random.millis(3000)).await;
                self.server.renewed().await;
                if self.random.below(2) == 0 {
                    self.proxy.hang_up();
                }
                self.busy.written(&self.server).await;
            }
        }
    }

    async fn settle(&self) {
        for followed in self.both() {
            followed.settles().await;
        }
    }

    async fn run(mut self) {
        let begin = Instant::now();
        let faults = faults::<R>(self.guest);
        while begin.elapsed() < self.time {
            // Some servers keep the rights to a node with it.
            let may_delete = self.guest != Guest::Guarded;
            for _ in 0..self.random.below(4) {
                let busy = &mut self.busy;
                busy.written_somehow(&self.server, &mut self.random, may_delete)
                    .await;
                sleep(self.random.millis(100)).await;
            }
            if self.random.below(8) == 0 {
                self.quiet.written(&self.server).await;
            }
            let fault = faults[self.random.below(faults.len() as u64) as usize];
            println!(
                "{} {:?}: fault {fault:?}, {:?}, {:?} are held",
                R::NAME,
                begin.elapsed(),
                self.guest,
                self.held()
            );
            self.suffers(fault).await;
            if self.random.below(2) == 0 {
                self.settle().await;
            }
        }
        self.settle().await;
        self.busy.written(&self.server).await;
        self.quiet.written(&self.server).await;
        self.settle().await;
    }
}

async fn schedule<R: Remote>(seed: u64, time: Duration) -> Option<()> {
    Schedule::<R>::start(seed, time).await?.run().await;
    Some(())
}

macro_rules! generated {
    ($($feature:literal $name:ident $Server:ident),+) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            type Server = flux_tests::servers::$Server;
            schedules(<Server as Remote>::NAME, "random_faults", schedule::<Server>).await;
        }
    )+};
}

generated!(
    "etcd" etcd_under_random_faults Etcd,
    "redis" redis_under_random_faults Redis,
    "consul" consul_under_random_faults Consul,
    "nats" nats_under_random_faults Nats,
    "firestore" firestore_under_random_faults Firestore,
    "https" https_under_random_faults Https,
    "k8s" kubernetes_under_random_faults Kubernetes,
    "zookeeper" zookeeper_under_random_faults ZooKeeper
);
