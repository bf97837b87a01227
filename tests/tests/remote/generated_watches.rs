//! Schedules of faults from a seed on an etcd that answers each read and does not watch: it ends a watch as soon as it has begun, because
//! history was compacted or for no reason, announces nothing, or is an older copy behind the open connection. The oracle is
//! [the same](crate::oracle); and a server that ends each watch at once is asked less and less.

use crate::{
    oracle::{Limits, Watch},
    seeds::{Random, schedules, settles},
    watched::{Watched, document},
};
use flux::Source;
use flux_tests::servers::{Etcd, Remote};
use h2::{SendStream, server::SendResponse};
use hyper::body::Bytes;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::watch::{Sender, channel},
    time::sleep,
};

const KEY: &str = "app/config";

/// What is done with a watch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watches {
    Work,
    EndAtOnce,
    Compacted,
    AnnounceNothing,
}

#[derive(Clone, Copy)]
struct Store {
    n: Option<u64>,
    revision: i64,
    created: i64,
    modified: i64,
    version: i64,
}

impl Store {
    fn write(&mut self, n: Option<u64>) {
        self.revision += 1;
        if self.n.is_none() {
            (self.created, self.version) = (self.revision, 0);
        }
        self.n = n;
        self.modified = self.revision;
        self.version += 1;
    }
}

struct Server {
    store: Sender<(Store, Watches)>,
    reads: AtomicU64,
    /// The revision of the last answer to a read: a watch begins behind it.
    read: AtomicI64,
}

/// A field of a message of protobuf: a number, or what is behind its length.
fn number(field: u8, mut value: i64) -> Vec<u8> {
    let mut out = vec![field << 3];
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut out = number(field, i64::try_from(value.len()).unwrap());
    out[0] |= 2;
    out.extend(value);
    out
}

/// A message in the frame of gRPC.
fn framed(message: &[Vec<u8>]) -> Bytes {
    let message = message.concat();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &message].concat().into()
}

fn header(store: Store) -> Vec<u8> {
    bytes(1, &number(3, store.revision))
}

fn key_value(store: Store, n: Option<u64>) -> Vec<u8> {
    let numbers = [(2, store.created), (3, store.modified), (4, store.version)];
    let numbers = numbers.map(|(field, value)| number(field, value));
    let value = n.map(|n| bytes(5, &document(n))).unwrap_or_default();
    [bytes(1, KEY.as_bytes()), numbers.concat(), value].concat()
}

type Answer = SendResponse<Bytes>;

fn begun(answer: &mut Answer) -> Option<SendStream<Bytes>> {
    let head = http::Response::builder().header("content-type", "application/grpc");
    answer.send_response(head.body(()).unwrap(), false).ok()
}

fn ended(mut body: SendStream<Bytes>) {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    // The client may have gone.
    let _ = body.send_trailers(trailers);
}

impl Server {
    fn answer_read(&self, mut answer: Answer) {
        self.reads.fetch_add(1, SeqCst);
        let (store, _) = *self.store.borrow();
        self.read.store(store.revision, SeqCst);
        let found = store.n.map(|n| bytes(2, &key_value(store, Some(n))));
        if let Some(mut body) = begun(&mut answer) {
            let message = framed(&[header(store), found.unwrap_or_default()]);
            if body.send_data(message, false).is_ok() {
                ended(body);
            }
        }
    }

    /// Announces each change since the last read, until it is to end.
    async fn watch(&self, mut answer: Answer) {
        let Some(mut body) = begun(&mut answer) else {
            return;
        };
        let mut changes = self.store.subscribe();
        let mut seen = self.read.load(SeqCst);
        let created = framed(&[header(changes.borrow().0), number(3, 1)]);
        if body.send_data(created, false).is_err() {
            return;
        }
        loop {
            let (store, watches) = *changes.borrow_and_update();
            let cancelled = match watches {
                Watches::EndAtOnce => Some(Vec::new()),
                Watches::Compacted => Some(number(5, store.revision + 1)),
                Watches::Work | Watches::AnnounceNothing => None,
            };
            if let Some(compacted) = cancelled {
                let message = framed(&[header(store), number(4, 1), compacted]);
                let _ = body.send_data(message, false);
                return ended(body);
            }
            if store.modified > seen {
                seen = store.modified;
                let kind = if store.n.is_some() { 0 } else { 1 };
                let event = [number(1, kind), bytes(2, &key_value(store, store.n))].concat();
                let message = framed(&[header(store), bytes(11, &event)]);
                let is_sent = watches == Watches::Work;
                if is_sent && body.send_data(message, false).is_err() {
                    return;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn serve(self: Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = Arc::clone(&self);
                tokio::spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(client).await else {
                        return;
                    };
                    while let Some(Ok((question, answer))) = connection.accept().await {
                        let server = Arc::clone(&server);
                        tokio::spawn(async move {
                            match question.uri().path().ends_with("/Range") {
                                true => server.answer_read(answer),
                                false => server.watch(answer).await,
                            }
                        });
                    }
                });
            }
        });
        address
    }
}

struct Followed {
    server: Arc<Server>,
    watch: Watch,
    n: u64,
}

impl Followed {
    fn writes(&mut self, is_deleted: bool) {
        self.n += 1;
        let held = Some(self.n).filter(|_| !is_deleted);
        self.watch.may_hold(held);
        self.server
            .store
            .send_modify(|(store, _)| store.write(held));
        self.watch.holds(held);
    }

    /// An older copy is put back, behind the open connection and unannounced.
    fn goes_back(&self, older: Store) {
        self.watch.may_hold(older.n);
        self.server.store.send_modify(|(store, _)| *store = older);
        self.watch.holds(older.n);
    }

    fn watches(&self, now: Watches) {
        self.server.store.send_modify(|(_, watches)| *watches = now);
    }
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let first = Store {
        n: Some(0),
        revision: 7,
        created: 7,
        modified: 7,
        version: 1,
    };
    let server = Arc::new(Server {
        store: channel((first, Watches::Work)).0,
        reads: AtomicU64::new(0),
        read: AtomicI64::new(0),
    });
    let address = Arc::clone(&server).serve().await;
    let source = Source::uri(format!("etcd://{address}/{KEY}"));
    let watched = Watched::started(source).await;
    let watch = Watch::over(&watched, Limits::of_a_server(Etcd::BOUND));
    watch.holds(Some(0));
    let mut followed = Followed {
        server: Arc::clone(&server),
        watch,
        n: 0,
    };
    let begin = Instant::now();
    while begin.elapsed() < time {
        let older = server.store.borrow().0;
        for _ in 0..random.below(4) {
            followed.writes(random.below(6) == 0);
            sleep(random.millis(200)).await;
        }
        let watches = match random.below(3) {
            0 => Watches::EndAtOnce,
            1 => Watches::Compacted,
            _ => Watches::AnnounceNothing,
        };
        println!(
            "etcd {:?}: fault {watches:?}, {:?} is held",
            begin.elapsed(),
            followed.watch.held()
        );
        followed.watches(watches);
        let (reads, fault_begin) = (server.reads.load(SeqCst), Instant::now());
        let length = random.millis(8000);
        while fault_begin.elapsed() < length {
            match random.below(8) {
                // What is written after it may have the numbers of what was written before.
                0 => followed.goes_back(older),
                how => followed.writes(how == 1),
            }
            sleep(random.millis(4000)).await;
        }
        // A read is all that is needed to be current.
        settles(&watched, &followed.watch).await;
        let reads = server.reads.load(SeqCst) - reads;
        let most = 8 + fault_begin.elapsed().as_secs();
        assert!(reads <= most, "read {reads} times, {most} at most");
        if random.below(2) == 0 {
            followed.watches(Watches::Work);
            settles(&watched, &followed.watch).await;
        }
    }
    followed.watches(Watches::Work);
    followed.writes(false);
    settles(&watched, &followed.watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etcd_that_does_not_watch_under_random_faults() {
    schedules("etcd", "random_faults_of_watches", schedule).await;
}
