//! Schedules of faults from a seed on Redis and its replicas: the master changes, is lost, killed, paused, emptied, its databases are
//! swapped, between random writes. The oracle is [the same](crate::oracle): the store is the server that the replica is
//! told to follow, or the replica itself where it is told to follow none.

use crate::{
    oracle::{Limits, Watch},
    seeds::{Random, schedules, settles},
    suite::KEY,
    watched::{Watched, document},
};
use flux_tests::{
    proxy::Proxy,
    servers::{Redis, Remote},
};
use std::time::{Duration, Instant};
use tokio::{task::block_in_place, time::sleep};

/// What the page of the source states of a replica.
const BOUND: Duration = Duration::from_secs(40);

/// The places of the servers: two that may be followed, the replica, and one below it.
const REPLICA: usize = 2;
const BELOW: usize = 3;

struct Fleet {
    servers: Vec<Redis>,
    /// The lines to the first three servers.
    lines: Vec<Proxy>,
    /// What each of the first three holds where nothing is above it.
    held: [Option<u64>; 3],
    /// The server that the replica follows; itself where it follows none.
    followed: usize,
    n: u64,
}

impl Fleet {
    async fn start() -> Option<Self> {
        let (mut servers, mut lines) = (Vec::new(), Vec::new());
        for at in 0..=BELOW {
            let server = Redis::start().await?;
            if at < BELOW {
                lines.push(Proxy::to(server.address()).await);
            }
            servers.push(server);
        }
        let fleet = Fleet {
            servers,
            lines,
            held: [None; 3],
            followed: REPLICA,
            n: 0,
        };
        fleet.tell(BELOW, REPLICA).await;
        Some(fleet)
    }

    /// Lets one server follow another one, by way of its line.
    async fn tell(&self, server: usize, followed: usize) {
        let port = self.lines[followed].address().port().to_string();
        let words = ["REPLICAOF", "127.0.0.1", &port];
        self.servers[server].command(&words).await;
    }

    fn truth(&self) -> Option<u64> {
        self.held[self.followed]
    }

    async fn write(&mut self, watch: &Watch) {
        self.n += 1;
        watch.may_hold(Some(self.n));
        let server = &self.servers[self.followed];
        server.write(KEY, &document(self.n)).await;
        self.held[self.followed] = Some(self.n);
        watch.holds(self.truth());
    }

    async fn follow(&mut self, followed: usize, watch: &Watch) {
        watch.may_hold(self.held[followed]);
        self.tell(REPLICA, followed).await;
        self.followed = followed;
        watch.holds(self.truth());
    }

    /// The replica follows none: what it holds is the truth, which may be old.
    async fn stands_alone(&mut self, watch: &Watch) {
        let text = self.servers[REPLICA].read(KEY).await;
        let number = |text: String| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.parse().expect("a document of these tests")
        };
        self.held[REPLICA] = text.map(number);
        self.followed = REPLICA;
        watch.holds(self.truth());
    }

    async fn restart(&mut self, at: usize) {
        block_in_place(|| self.servers[at].process().restart());
        self.servers[at].restarted().await;
    }

    /// The other database holds the next document, and the two are swapped.
    async fn swap(&mut self, watch: &Watch) {
        self.n += 1;
        let text = String::from_utf8(document(self.n)).expect("text");
        let server = &self.servers[self.followed];
        watch.may_hold(Some(self.n));
        server
            .command(&["COPY", KEY, KEY, "DB", "1", "REPLACE"])
            .await;
        server.command(&["SWAPDB", "0", "1"]).await;
        server.command(&["SET", KEY, &text]).await;
        server.command(&["SWAPDB", "0", "1"]).await;
        server.command(&["SWAPDB", "0", "1"]).await;
        self.held[self.followed] = Some(self.n);
        watch.holds(self.truth());
    }
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let mut fleet = Fleet::start().await?;
    let begin = Instant::now();
    let asked = match random.below(2) {
        0 => REPLICA,
        _ => BELOW,
    };
    for at in 0..2 {
        fleet.n += 1;
        let server = &fleet.servers[at];
        server.write(KEY, &document(fleet.n)).await;
        fleet.held[at] = Some(fleet.n);
    }
    fleet.tell(REPLICA, 0).await;
    fleet.followed = 0;
    let proxy = Proxy::to(fleet.servers[asked].address()).await;
    let watched = Watched::starting(fleet.servers[asked].source(proxy.address(), KEY));
    let watch = Watch::over(&watched, Limits::of_members(BOUND));
    watch.holds(fleet.truth());
    settles(&watched, &watch).await;
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            fleet.write(&watch).await;
            sleep(random.millis(100)).await;
        }
        let fault = random.below(11);
        println!(
            "redis replicas {:?}: fault {fault}, {asked} is asked, {} is followed, {:?} is held",
            begin.elapsed(),
            fleet.followed,
            fleet.truth()
        );
        let alone = fleet.followed == REPLICA;
        match fault {
            0 | 1 => {
                let other = match fleet.followed {
                    REPLICA => random.below(2) as usize,
                    followed => 1 - followed,
                };
                fleet.follow(other, &watch).await;
            }
            2 if alone => fleet.follow(0, &watch).await,
            2 => {
                fleet.servers[REPLICA]
                    .command(&["REPLICAOF", "NO", "ONE"])
                    .await;
                fleet.stands_alone(&watch).await;
            }
            3 | 4 => {
                // The line to the master, or that of the one below.
                let line = match random.below(2) {
                    0 => fleet.followed,
                    _ => REPLICA,
                };
                match fault {
                    3 => fleet.lines[line].cut(),
                    _ => fleet.lines[line].deaden(),
                }
                for _ in 0..1 + random.below(3) {
                    fleet.write(&watch).await;
                }
                sleep(random.millis(70_000)).await;
                fleet.lines[line].mend();
                fleet.lines[line].hang_up();
            }
            5 if !alone => {
                let followed = fleet.followed;
                block_in_place(|| fleet.servers[followed].process().kill());
                sleep(random.millis(10_000)).await;
                fleet.restart(followed).await;
            }
            6 if !alone => {
                let followed = fleet.followed;
                fleet.servers[followed].process().pause();
                sleep(random.millis(20_000)).await;
                fleet.servers[followed].process().resume();
            }
            5..=7 => fleet.swap(&watch).await,
            8 => {
                // It has forgotten whom it followed, and is followed itself.
                block_in_place(|| fleet.servers[REPLICA].process().kill());
                sleep(random.millis(3000)).await;
                fleet.restart(REPLICA).await;
                fleet.stands_alone(&watch).await;
            }
            9 => {
                match random.below(2) {
                    0 => proxy.cut(),
                    _ => proxy.deaden(),
                }
                fleet.write(&watch).await;
                sleep(random.millis(10_000)).await;
                proxy.mend();
            }
            _ => {
                let followed = fleet.followed;
                watch.may_hold(None);
                fleet.servers[followed].command(&["FLUSHALL"]).await;
                fleet.held[followed] = None;
                watch.holds(None);
                sleep(random.millis(1000)).await;
                fleet.write(&watch).await;
            }
        }
        watch.was_no_lie();
        if random.below(2) == 0 {
            settles(&watched, &watch).await;
        }
    }
    settles(&watched, &watch).await;
    fleet.write(&watch).await;
    settles(&watched, &watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_replicas_under_random_faults() {
    schedules("redis", "random_faults_of_replicas", schedule).await;
}
