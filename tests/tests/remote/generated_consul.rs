//! Schedules of faults from a seed on three servers of Consul behind a cache: the leader is killed or paused, so that another one takes its
//! place, and the cache answers by itself with what it has had for some time, hangs up, or asks another server. The oracle is
//! [the same](crate::oracle).

use crate::{
    answers::{Answers, serve},
    oracle::{BUSY, Limits, Watch},
    seeds::{Random, schedules, settles},
    suite::KEY,
    watched::{Watched, document},
};
use flux_tests::servers::{Cluster, ConsulCluster, members::SIZE};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

/// How many answers a cache remembers.
const COPIES: usize = 6;

/// An answer, and when it was asked for.
#[derive(Clone)]
struct Copy {
    answer: Vec<u8>,
    asked: Instant,
}

#[derive(Clone)]
enum Way {
    /// Each question goes to the server.
    Straight,
    /// The copy is the answer, and shows its age.
    Cached(Copy),
    /// Nobody answers, and the connection ends.
    HangingUp,
}

struct State {
    server: SocketAddr,
    way: Way,
    copies: Vec<Copy>,
}

struct Cache(Mutex<State>);

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn goes(&self, way: Way) {
        self.state().way = way;
    }

    /// From now on it answers by itself, with one of the answers that it remembers.
    fn answers_by_itself(&self, random: &mut Random) {
        let mut state = self.state();
        let count = state.copies.len() as u64;
        let at = count.checked_sub(1).map(|_| random.below(count) as usize);
        if let Some(copy) = at.and_then(|at| state.copies.get(at)).cloned() {
            state.way = Way::Cached(copy);
        }
    }
}

/// The server's answer to a question.
async fn forwarded(head: &str, server: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut line = TcpStream::connect(server).await?;
    let question = head.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    line.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await?;
    match answer.starts_with(b"HTTP/1.1 ") {
        true => Ok(answer),
        false => Err(std::io::ErrorKind::ConnectionAborted.into()),
    }
}

impl Answers for Cache {
    async fn answer(&self, head: &str, client: &mut TcpStream) -> std::io::Result<()> {
        let (server, way) = {
            let state = self.state();
            (state.server, state.way.clone())
        };
        let (answer, age) = match way {
            Way::HangingUp => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            Way::Cached(copy) => (copy.answer, copy.asked.elapsed()),
            Way::Straight => {
                let asked = Instant::now();
                let answer = forwarded(head, server).await?;
                let is_good = [b"HTTP/1.1 200", b"HTTP/1.1 404"]
                    .iter()
                    .any(|status| answer.starts_with(*status));
                if is_good {
                    let mut state = self.state();
                    if state.copies.len() == COPIES {
                        state.copies.remove(0);
                    }
                    let answer = answer.clone();
                    state.copies.push(Copy { answer, asked });
                }
                (answer, Duration::ZERO)
            }
        };
        // Behind the line with the status.
        let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
        let (status, rest) = answer.split_at(end);
        client.write_all(status).await?;
        let age = format!("Age: {}\r\n", age.as_secs());
        client.write_all(age.as_bytes()).await?;
        client.write_all(rest).await?;
        // The server ends its answer with the connection.
        Err(std::io::ErrorKind::ConnectionAborted.into())
    }
}

struct Followed {
    cluster: ConsulCluster,
    cache: Arc<Cache>,
    watch: Watch,
    n: u64,
}

impl Followed {
    async fn writes(&mut self) {
        self.n += 1;
        self.watch.may_hold(Some(self.n));
        self.cluster.write(KEY, &document(self.n)).await;
        self.watch.holds(Some(self.n));
    }

    /// Writes for as long as a fault lasts, at least once.
    async fn writes_for(&mut self, random: &mut Random, length: Duration) {
        let begin = Instant::now();
        loop {
            self.writes().await;
            let rest = length.saturating_sub(begin.elapsed());
            if rest.is_zero() {
                return;
            }
            sleep(rest.min(random.millis(6000))).await;
        }
    }

    /// The cache asks one of the members that have no fault, at random.
    fn asks_another(&self, random: &mut Random) {
        let sound = self.cluster.members().sound();
        let member = sound[random.below(sound.len() as u64) as usize];
        self.cache.state().server = self.cluster.address(member);
    }
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let cluster = ConsulCluster::start().await?;
    cluster.write(KEY, &document(0)).await;
    let server = cluster.address(random.below(SIZE as u64) as usize);
    let cache = Arc::new(Cache(Mutex::new(State {
        server,
        way: Way::Straight,
        copies: Vec::new(),
    })));
    let address = serve(Arc::clone(&cache)).await;
    let watched = Watched::started(cluster.source_at(address, KEY)).await;
    let watch = Watch::over(&watched, Limits::of_members(ConsulCluster::BOUND));
    watch.holds(Some(0));
    let mut followed = Followed {
        cluster,
        cache,
        watch,
        n: 0,
    };
    // Three servers that find each other may take long.
    let begin = Instant::now();
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            followed.writes().await;
            sleep(random.millis(500)).await;
        }
        let fault = random.below(7);
        let leader = followed.cluster.leader();
        println!(
            "consul {:?}: fault {fault}, {leader:?} leads, {} is held",
            begin.elapsed(),
            followed.n
        );
        // What is to be seen of a lie is seen after the bound and what the first contact takes.
        let longest = ConsulCluster::BOUND * 2 + BUSY * 2;
        let length = match random.below(3) == 0 && time > longest {
            true => longest,
            false => random.millis(12_000),
        };
        // The leader goes, alone or behind a cache that answers by itself.
        let gone = leader.filter(|_| fault < 4);
        if let Some(leader) = gone {
            match fault % 2 {
                0 => followed.cluster.members().kill(leader),
                _ => followed.cluster.members().pause(leader),
            }
        }
        match fault {
            0 | 1 if random.below(2) == 0 => followed.asks_another(&mut random),
            0 | 1 => {}
            2..=4 => followed.cache.answers_by_itself(&mut random),
            5 => followed.cache.goes(Way::HangingUp),
            _ => followed.asks_another(&mut random),
        }
        followed.writes_for(&mut random, length).await;
        followed.watch.was_no_lie();
        if let Some(leader) = gone {
            match fault % 2 {
                0 => followed.cluster.members().restart(leader),
                _ => followed.cluster.members().resume(leader),
            }
        }
        followed.cache.goes(Way::Straight);
        if random.below(2) == 0 {
            settles(&watched, &followed.watch).await;
        }
    }
    settles(&watched, &followed.watch).await;
    followed.writes().await;
    settles(&watched, &followed.watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consul_members_behind_a_cache_under_random_faults() {
    schedules("consul", "random_faults_of_caches", schedule).await;
}
