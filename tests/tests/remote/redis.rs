//! What is particular to Redis: older servers, narrow rights, other types than strings.

use crate::watched::{Watched, document, until};
use flux::{Flux, Source, State, source};
use flux_tests::{
    proxy::Proxy,
    servers::{Redis, Remote},
    table::Case,
};
use std::{
    process::Command,
    time::{Duration, Instant},
};

const KEY: &str = "app/config";

/// Without the newer protocol, so that changes are seen by notifications of keys.
const NOTIFIES: &[&str] = &[
    "--rename-command",
    "HELLO",
    "",
    "--notify-keyspace-events",
    "KA",
];

/// Follows changes, a deletion and an emptied database.
async fn follows(server: &Redis, watched: &Watched) {
    for n in 2..=5 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    server.command(&["FLUSHALL"]).await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    server.write(KEY, &document(6)).await;
    watched.sees(6).await;
    watched.has_applied(&[1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_newer_protocol_notifies() {
    let Some(server) = Redis::start_with(NOTIFIES).await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let address = server.address().to_string();
    // Polled once a day, so that a change is seen by its notification.
    let source = source::Redis::new(address, KEY).poll(Duration::from_secs(86_400));
    let watched = Watched::started(Source::watcher(source)).await;
    for n in 2..=5 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    server.delete(KEY).await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    watched.has_applied(&[1, 2, 3, 4, 5]);
}

/// The connection for notifications is another one than that which both sources share: it is made with the certificates as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_go_on_with_renewed_certificates_while_another_source_holds_the_connection() {
    let Some(mut server) = Redis::start_secured_with(NOTIFIES).await else {
        return;
    };
    let (address, _) = server.secured().unwrap();
    let source = |key: &str| {
        let (_, certificates) = server.secured().unwrap();
        let [ca, cert, key_file] =
            ["ca.pem", "client.pem", "client.key"].map(|file| certificates.path(file));
        // Polled once a day, so that a change is seen by its notification.
        let day = Duration::from_secs(86_400);
        let source = source::Redis::new(address.to_string(), key).poll(day);
        Source::watcher(source.ca(ca).client_certificate(cert, key_file).resync(day))
    };
    let quiet_key = "quiet/config";
    server.write(KEY, &document(1)).await;
    server.write(quiet_key, &document(1)).await;
    let quiet = Watched::started(source(quiet_key)).await;
    until("it listens", async || server.listeners().await.len() == 1).await;
    let others = server.listeners().await;
    let watched = Watched::started(source(KEY)).await;
    until("both listen", async || server.listeners().await.len() == 2).await;
    for n in 2..=3 {
        server.secured().unwrap().1.renew();
        server.renewed().await;
        for number in server.listeners().await {
            if !others.contains(&number) {
                server.command(&["CLIENT", "KILL", "ID", &number]).await;
            }
        }
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
        until("both listen", async || server.listeners().await.len() == 2).await;
        let listeners = server.listeners().await;
        assert!(others.iter().all(|other| listeners.contains(other)));
    }
    server.write(KEY, &document(4)).await;
    watched.sees(4).await;
    server.write(quiet_key, &document(2)).await;
    quiet.sees(2).await;
    watched.has_applied(&[1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tells_nothing_is_polled() {
    let Some(server) = Redis::start_with(&["--rename-command", "HELLO", ""]).await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let uri = format!("redis://{}/{KEY}?poll=200ms", server.address());
    let watched = Watched::started(Source::uri(uri)).await;
    follows(&server, &watched).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_read_is_enough() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let rights = [
        "ACL", "SETUSER", "reader", "on", ">hunter2", "~app/*", "+get", "+hello", "+ping",
    ];
    server.command(&rights).await;
    let source = source::Redis::new(server.address().to_string(), KEY)
        .credentials("reader", "hunter2")
        .poll(Duration::from_millis(200));
    let watched = Watched::started(Source::watcher(source)).await;
    follows(&server, &watched).await;
}

/// Two capacitors on one connection, and the right to one of the two keys is taken while it stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_to_one_of_two_keys_on_one_connection_concerns_that_key_alone() {
    let Some(server) = Redis::start().await else {
        return;
    };
    let (kept, taken) = ("app/kept", "app/taken");
    let rights = async |keys: &[&str]| {
        let mut rights = vec!["ACL", "SETUSER", "reader", "reset", "on", ">hunter2"];
        rights.extend(keys);
        rights.extend(["+get", "+hello", "+ping", "+role", "+client|tracking"]);
        server.command(&rights).await;
    };
    rights(&["~app/*"]).await;
    let proxy = Proxy::to(server.address()).await;
    let mut both = Vec::new();
    for key in [kept, taken] {
        server.write(key, &document(1)).await;
        let source = source::Redis::new(proxy.address().to_string(), key);
        let source = source.credentials("reader", "hunter2");
        both.push(Watched::started(Source::watcher(source)).await);
    }
    assert_eq!(proxy.connections(), 1);
    let [one, other] = &both[..] else {
        panic!("two");
    };
    for n in [2, 5] {
        rights(&["~app/kept"]).await;
        for key in [kept, taken] {
            server.write(key, &document(n)).await;
        }
        other.until("refused", || other.refusal().is_some()).await;
        assert_eq!(other.capacitor.get().n, n - 1, "the last one is kept");
        for n in [n, n + 1] {
            server.write(kept, &document(n)).await;
            let value = || {
                assert_eq!(one.refusal(), None);
                one.capacitor.get().n == n && one.is_live()
            };
            one.until("the value", value).await;
        }
        rights(&["~app/*"]).await;
        for key in [kept, taken] {
            server.write(key, &document(n + 2)).await;
        }
        one.sees(n + 2).await;
        other.sees(n + 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_and_not_polled_for() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    // Questions of the start may still be under way.
    let mut asked = proxy.bytes().0;
    for _ in 0..120 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = std::mem::replace(&mut asked, proxy.bytes().0);
        if before == asked {
            break;
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        proxy.bytes().0,
        asked,
        "nothing is asked while nothing changes"
    );
    follows(&server, &watched).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_string_is_refused_until_it_is() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server.delete(KEY).await;
    server.command(&["HSET", KEY, "n", "2"]).await;
    let refused = || {
        let report = watched.capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains("is not a string"))
    };
    watched.until("refused", refused).await;
    assert_eq!(watched.capacitor.get().n, 1);
    server.delete(KEY).await;
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_the_uri_is_read() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.command(&["COPY", KEY, KEY, "DB", "3"]).await;
    server.write(KEY, &document(9)).await;
    let uri = format!("redis://{}/{KEY}?db=3", server.address());
    let watched = Watched::started(Source::uri(uri.clone())).await;
    assert_eq!(*watched.capacitor.status().layers[0].origin, uri);
    server.command(&["MOVE", KEY, "4"]).await;
    watched.sees(1).await;
    server.write(KEY, &document(2)).await;
    server
        .command(&["COPY", KEY, KEY, "DB", "3", "REPLACE"])
        .await;
    watched.sees(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_over_the_limit_is_refused() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server.write(KEY, &vec![b' '; (16 << 20) + 1]).await;
    let refused = || {
        let report = watched.capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains("16 MiB"))
    };
    watched.until("refused", refused).await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
}

/// How many bytes the server has sent to all of its clients.
async fn sent(server: &Redis) -> u64 {
    let client = ::redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut info = ::redis::cmd("INFO");
    let info: String = info
        .arg("stats")
        .query_async(&mut connection)
        .await
        .unwrap();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("total_net_output_bytes:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap()
}

/// With and without the right to read a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_value_over_the_limit_no_more_is_read_than_the_limit() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    for (user, right, is_bounded) in [("part", "+getrange", true), ("whole", "+get", false)] {
        let rights = [
            "ACL", "SETUSER", user, "on", ">hunter2", "~app/*", "+get", right, "+hello", "+ping",
        ];
        server.command(&rights).await;
        let source = source::Redis::new(server.address().to_string(), KEY);
        let source = source
            .credentials(user, "hunter2")
            .poll(Duration::from_secs(1));
        let watched = Watched::started(Source::watcher(source)).await;
        let before = sent(&server).await;
        server.write(KEY, &vec![b' '; 100 << 20]).await;
        let refused = || watched.capacitor.last_error().is_some();
        watched.until("refused", refused).await;
        let report = watched.capacitor.last_error().unwrap().to_string();
        assert!(report.contains("16 MiB"), "{report}");
        watched.capacitor.stop().await;
        let read = sent(&server).await - before;
        assert_eq!(read < 100 << 20, is_bounded, "{read} bytes for {user}");
        server.write(KEY, &document(1)).await;
    }
}

/// A script that is at work while the source connects does not decide how it follows for the connection's life.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_busy_tells_of_changes_afterwards() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server
        .command(&["CONFIG", "SET", "busy-reply-threshold", "50"])
        .await;
    let client = ::redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let mut busy = client.get_multiplexed_async_connection().await.unwrap();
    let script = tokio::spawn(async move {
        let mut forever = ::redis::cmd("EVAL");
        forever.arg("while true do end").arg(0);
        let _: Result<(), _> = forever.query_async(&mut busy).await;
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let source = source::Redis::new(server.address().to_string(), KEY)
        .poll(Duration::from_secs(86_400))
        .resync(Duration::from_secs(86_400));
    let watched = Watched::starting(Source::watcher(source));
    watched.until("stale", || watched.trouble().is_some()).await;
    server.command(&["SCRIPT", "KILL"]).await;
    watched.sees(1).await;
    for n in 2..=4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    script.abort();
}

/// One answer that passes, to the question whether it tells of changes, is no answer for the connection's life.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_busy_for_one_command_tells_of_changes_afterwards() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let answer = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
    let (address, answered) = answering_once(server.address(), "TRACKING", answer).await;
    // Neither polled nor read again: it is the server that tells.
    let source = source::Redis::new(address.to_string(), KEY)
        .poll(Duration::from_secs(86_400))
        .resync(Duration::from_secs(86_400));
    let watched = Watched::started(Source::watcher(source)).await;
    assert!(answered.load(std::sync::atomic::Ordering::SeqCst));
    watched.sees(1).await;
    for n in 2..=4 {
        // The questions of the beginning are over.
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
}

/// A line to a server, on which the first command with this word in it is answered like that and never reaches the server.
async fn answering_once(
    server: std::net::SocketAddr,
    word: &'static str,
    answer: &'static str,
) -> (
    std::net::SocketAddr,
    std::sync::Arc<std::sync::atomic::AtomicBool>,
) {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::clone(&done);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(server).await else {
                    return;
                };
                let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
                loop {
                    tokio::select! {
                        length = client.read(&mut asked) => {
                            let Ok(length @ 1..) = length else { return };
                            let text = String::from_utf8_lossy(&asked[..length]);
                            if text.contains(word) && !done.swap(true, SeqCst) {
                                let _ = client.write_all(answer.as_bytes()).await;
                            } else {
                                let _ = server.write_all(&asked[..length]).await;
                            }
                        }
                        length = server.read(&mut told) => {
                            let Ok(length @ 1..) = length else { return };
                            let _ = client.write_all(&told[..length]).await;
                        }
                    }
                }
            });
        }
    });
    (address, answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_has_lost_its_master_is_stale() {
    let case = Case::begin("redis", "a_replica_without_its_master");
    let Some(mut master) = Redis::start().await else {
        return case.skipped();
    };
    let port = master.address().port().to_string();
    let Some(replica) = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).await else {
        return case.skipped();
    };
    master.write(KEY, &document(1)).await;
    let watched = Watched::starting(replica.source(replica.address(), KEY));
    watched.sees(1).await;
    tokio::task::block_in_place(|| master.process().kill());
    let named = || {
        let trouble = watched.trouble();
        trouble.is_some_and(|trouble| trouble.to_string().contains("lost its master"))
    };
    watched.until("the master is lost", named).await;
    // What the replica answers to the next readings, every 30 s, proves nothing.
    let since = || match watched.health() {
        flux::source::Health::Stale { since, .. } => since,
        health => panic!("{health:?}"),
    };
    let (lost, begin) = (since(), Instant::now());
    while begin.elapsed() < Duration::from_secs(40) {
        assert_eq!(since(), lost, "stale since the master was lost");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::task::block_in_place(|| master.process().restart());
    master.restarted().await;
    master.write(KEY, &document(2)).await;
    watched.sees(2).await;
    case.passed();
}

/// A replica takes a dead line to its master for a quiet one for a minute; one below it does so for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_on_a_dead_line_and_the_one_below_it_are_stale() {
    let case = Case::begin("redis", "a_replica_on_a_dead_line");
    let Some(master) = Redis::start().await else {
        return case.skipped();
    };
    let line = Proxy::to(master.address()).await;
    let port = line.address().port().to_string();
    let Some(replica) = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).await else {
        return case.skipped();
    };
    let port = replica.address().port().to_string();
    let Some(below) = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).await else {
        return case.skipped();
    };
    master.write(KEY, &document(1)).await;
    let direct = Watched::starting(replica.source(replica.address(), KEY));
    let indirect = Watched::starting(below.source(below.address(), KEY));
    direct.sees(1).await;
    indirect.sees(1).await;
    // Quiet is not dead: the master sends something every ten seconds.
    let quiet = Instant::now();
    while quiet.elapsed() < Duration::from_secs(30) {
        assert!(direct.is_live(), "{:?}", direct.health());
        assert!(indirect.is_live(), "{:?}", indirect.health());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    line.deaden();
    master.write(KEY, &document(2)).await;
    let since = Instant::now();
    for watched in [&direct, &indirect] {
        let named = || {
            let trouble = watched.trouble();
            trouble.is_some_and(|trouble| trouble.to_string().contains("lost its master"))
        };
        watched.until("the master is lost", named).await;
        // The replica itself notices after 50 to 60 s, and shows that to whoever asks.
        let took = since.elapsed();
        let is_direct = std::ptr::eq(watched, &direct);
        let most = Duration::from_secs(if is_direct { 50 } else { 60 });
        assert!(took < most, "{took:?} of {most:?}");
    }
    assert_eq!(direct.capacitor.get().n, 1);
    line.mend();
    line.hang_up();
    direct.sees(2).await;
    indirect.sees(2).await;
    master.write(KEY, &document(3)).await;
    direct.sees(3).await;
    indirect.sees(3).await;
    case.passed();
}

/// What it is a replica of changes while it is followed: another master, none, and the first one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_gets_another_master_is_read_as_it_is() {
    let (Some(one), Some(two), Some(replica)) = (
        Redis::start().await,
        Redis::start().await,
        Redis::start().await,
    ) else {
        return;
    };
    let follow = async |master: &Redis| {
        let port = master.address().port().to_string();
        replica.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    };
    one.write(KEY, &document(1)).await;
    two.write(KEY, &document(100)).await;
    follow(&one).await;
    let watched = Watched::starting(replica.source(replica.address(), KEY));
    watched.sees(1).await;
    one.write(KEY, &document(2)).await;
    watched.sees(2).await;
    for round in 1..=3 {
        follow(&two).await;
        watched.sees(99 + round).await;
        two.write(KEY, &document(100 + round)).await;
        watched.sees(100 + round).await;
        // A master of its own.
        replica.command(&["REPLICAOF", "NO", "ONE"]).await;
        replica.write(KEY, &document(200 + round)).await;
        watched.sees(200 + round).await;
        two.write(KEY, &document(100 + round)).await;
        follow(&one).await;
        watched.sees(1 + round).await;
        one.write(KEY, &document(2 + round)).await;
        watched.sees(2 + round).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_are_swapped_are_noticed() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(2)).await;
    server.command(&["COPY", KEY, KEY, "DB", "1"]).await;
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server.command(&["SWAPDB", "0", "1"]).await;
    watched.sees(2).await;
}

/// A server whose table of keys is full announces changes that are none. They are not answered by a flood of questions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_table_of_tracked_keys_makes_no_flood() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server
        .command(&["CONFIG", "SET", "tracking-table-max-keys", "1"])
        .await;
    let mut all = Vec::new();
    for n in 0..4 {
        let key = format!("{KEY}{n}");
        server.write(&key, &document(n)).await;
        all.push(Watched::started(server.source(server.address(), &key)).await);
    }
    // The pauses have grown by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let client = ::redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut reads = async || {
        let mut info = ::redis::cmd("INFO");
        info.arg("commandstats");
        let text: String = info.query_async(&mut connection).await.unwrap();
        let calls = |of: &str| {
            let behind = text.split(&format!("cmdstat_{of}:calls=")).nth(1)?;
            behind.split(',').next()?.parse::<u64>().ok()
        };
        // Whichever of them reads a value.
        let all = [calls("get"), calls("getrange")];
        all.into_iter()
            .flatten()
            .reduce(|one, other| one + other)
            .unwrap()
    };
    let (before, begin) = (reads().await, std::time::Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (read, seconds) = (reads().await - before, begin.elapsed().as_secs());
    assert!(
        read <= 4 * (seconds + 2),
        "{read} readings of four keys in {seconds} s"
    );
    server.write(&format!("{KEY}3"), &document(9)).await;
    all[3].sees(9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_that_is_named_is_told_from_a_server() {
    use flux_tests::process::{Process, answer, free_port, local, program};
    let Some(program) = program("redis-server") else {
        return;
    };
    let port = free_port();
    let _sentinel = Process::start(
        "sentinel",
        move |folder| {
            let file = folder.join("sentinel.conf");
            std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\n")).unwrap();
            let mut command = Command::new(&program);
            command.arg(file).arg("--sentinel");
            command
        },
        move || answer(local(port), "PING\r\n").starts_with("+PONG"),
    );
    let watched = Watched::starting(Source::uri(format!("redis://127.0.0.1:{port}/{KEY}")));
    watched.until("stale", || watched.trouble().is_some()).await;
    let trouble = watched.trouble().unwrap();
    assert!(trouble.to_string().contains("name the master"), "{trouble}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_too_many_clients_says_so() {
    let Some(server) = Redis::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.command(&["CONFIG", "SET", "maxclients", "1"]).await;
    for _ in 0..5 {
        let watched = Watched::starting(server.source(server.address(), KEY));
        watched.until("stale", || watched.trouble().is_some()).await;
        let trouble = watched.trouble().unwrap().to_string();
        assert!(trouble.contains("max number of clients"), "{trouble}");
        watched.capacitor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_a_wrong_declaration() {
    let Some(server) = Redis::start().await else {
        return;
    };
    let uri = format!("redis://{}/{KEY}?db=99", server.address());
    let watched = Watched::starting(Source::uri(uri));
    watched.until("stale", || watched.trouble().is_some()).await;
    let trouble = watched.trouble().unwrap();
    assert_eq!(
        trouble.kind(),
        flux::source::ErrorKind::Configuration,
        "{trouble}"
    );
    assert!(
        trouble.to_string().contains("no such database"),
        "{trouble}"
    );
}

#[test]
fn a_program_without_a_runtime_follows_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(server) = runtime.block_on(Redis::start()) else {
        return;
    };
    runtime.block_on(server.write(KEY, &document(1)));
    let watched = Watched::new(server.source(server.address(), KEY));
    watched.capacitor.start_blocking().unwrap();
    runtime.block_on(async {
        server.write(KEY, &document(2)).await;
        watched.sees(2).await;
        watched.capacitor.stop().await;
        drop(server);
    });
}

/// The whole way, from the attribute on: the password is a variable, so the program is one of its own.
#[test]
fn one_line_declares_it() {
    let program = std::env::current_exe().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(server) = runtime.block_on(Redis::start()) else {
        return;
    };
    let address = server.address();
    let run = Command::new(program)
        .args(["--exact", "redis::the_declared_program", "--nocapture"])
        .env("FLUX_TEST_REDIS", address.to_string())
        .env("FLUX_TEST_PASSWORD", "p@ss:w/rd?")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("declared and seen"),
        "{said}"
    );
    drop(server);
}

#[derive(Flux)]
#[flux(source(
    "redis://reader:${FLUX_TEST_PASSWORD}@${FLUX_TEST_REDIS}/app/config.yaml?db=0",
    wait = "60s"
))]
struct Declared {
    n: u64,
}

/// Does nothing unless [`one_line_declares_it`] runs it.
#[tokio::test]
async fn the_declared_program() {
    let Ok(address) = std::env::var("FLUX_TEST_REDIS") else {
        return;
    };
    let client = redis::Client::open(format!("redis://{address}")).unwrap();
    let mut writer = client.get_multiplexed_async_connection().await.unwrap();
    let mut send = async |words: &[&str]| {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let () = command.query_async(&mut writer).await.unwrap();
    };
    send(&[
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">p@ss:w/rd?",
        "~*",
        "+@all",
    ])
    .await;
    send(&["SET", "app/config.yaml", "n: 1"]).await;
    Declared::start().await.unwrap();
    assert_eq!(Declared::get().n, 1);
    send(&["SET", "app/config.yaml", "n: 2"]).await;
    while Declared::get().n != 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = format!("{:?}", Declared::capacitor().status());
    assert!(!status.contains("p@ss"), "{status}");
    println!("declared and seen");
}
