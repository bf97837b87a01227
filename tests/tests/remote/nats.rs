//! What is particular to NATS: buckets that come and go, purged keys, older servers.

use crate::{
    suite,
    watched::{Watched, document, until},
};
use flux::{Source, State, source, source::ErrorKind};
use flux_tests::{
    proxy::Proxy,
    servers::{Leaf, Nats, NatsMirror, Remote},
};
use std::time::Duration;
use tokio::task::block_in_place;

const KEY: &str = "app.config";

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_key_is_absent() {
    let Some(server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server.purge(KEY).await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    assert!(!watched.capacitor.status().layers[0].present);
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;

    server.purge(KEY).await;
    let late = Watched::new(server.source(server.address(), KEY));
    let refused = late.capacitor.start().await.expect_err("no document");
    assert!(refused.to_string().contains("does not exist"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_missing_is_named_and_waited_for() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(7)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server.delete_bucket().await;
    let named = || {
        let trouble = watched.trouble();
        trouble.is_some_and(|trouble| {
            trouble.kind() == ErrorKind::Configuration
                && trouble.to_string().contains("nats kv add flux")
        })
    };
    watched.until("the bucket is missing", named).await;
    assert_eq!(watched.capacitor.get().n, 7, "the last one is kept");
    server.make_bucket().await;
    server.write(KEY, &document(8)).await;
    watched.sees(8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_watch_stays_live_and_is_told() {
    let Some(server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    // Longer than the deadline for signs of life, and than the server keeps a consumer that nobody uses.
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(watched.is_live(), "{:?}", watched.health());
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    assert_eq!(
        watched.capacitor.status().layers[0].received,
        2,
        "one session"
    );
}

/// The guarded user has no right to take its consumer away. That is no refusal of what others on the connection do.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_has_to_stay_disturbs_nobody() {
    let Some(server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.grant().await;
    let proxy = Proxy::to(server.address()).await;
    let start = || Watched::started(server.guarded(proxy.address(), KEY));
    let (one, two) = (start().await, start().await);
    one.capacitor.stop().await;
    // Time for the server to say no.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let three = start().await;
    server.write(KEY, &document(2)).await;
    two.sees(2).await;
    three.sees(2).await;
    assert_eq!(proxy.connections(), 1);
    two.has_applied(&[1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_announces_is_found_within_the_bound() {
    let Some(server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    // Without a resync: it is found by what is asked of the leader.
    let source = Source::uri(server.uri(server.address(), KEY)).resync(Duration::from_secs(86_400));
    let watched = Watched::started(source).await;
    server.empty_bucket().await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    assert!(!watched.capacitor.status().layers[0].present);
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
}

/// Debian's, from before buckets had all that they have now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_will_do() {
    if Nats::start_as("nats-server-2.9").await.is_none() {
        return;
    }
    let start = async || {
        Nats::start_as("nats-server-2.9")
            .await
            .expect("it is there")
    };
    suite::a_change(start().await).await;
    suite::deleted_and_created_again(start().await).await;
    suite::absent_at_first(start().await).await;
    suite::killed_and_restarted(start().await).await;
    suite::wiped_and_written_anew(start().await).await;
}

/// What was refused to one on a shared connection is not the reason of what happens to another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_to_who_asked() {
    let Some(server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.grant().await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.guarded(proxy.address(), KEY)).await;
    let private = source::Nats::new(proxy.address().to_string(), "private", KEY);
    let private = private.credentials("guarded", "hunter2");
    let refused = Watched::starting(Source::watcher(private));
    refused
        .until("refused", || refused.refusal().is_some())
        .await;
    let named = refused.refusal().unwrap();
    assert!(named.contains("KV_private"), "{named}");
    for n in 2..=4 {
        proxy.hang_up();
        server.write(KEY, &document(n)).await;
        watched
            .until("the value", || {
                assert_eq!(watched.refusal(), None);
                watched.capacitor.get().n == n && watched.is_live()
            })
            .await;
    }
}

/// A bucket that is deleted and made again within one session counts from the beginning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_was_made_anew_meanwhile_is_read() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    for n in 1..=10 {
        server.write(KEY, &document(n)).await;
    }
    // A resync falls between the two every time.
    let uri = server.uri(server.address(), KEY);
    let source = Source::uri(uri).resync(Duration::from_millis(100));
    let watched = Watched::started(source).await;
    for n in 11..=15 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    for n in 16..=18 {
        server.delete_bucket().await;
        server.make_bucket().await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
}

/// How far the old bucket was seen is no place to go on from, although the new one has as many messages by now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_was_made_anew_and_has_grown_since_is_read() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    // Without a resync: it is found by what is asked of the leader.
    let source = Source::uri(server.uri(server.address(), KEY)).resync(Duration::from_secs(86_400));
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(source).await;
    for n in 2..=3 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    server.delete_bucket().await;
    server.make_bucket().await;
    server.write(KEY, &document(4)).await;
    for n in 0..10 {
        server.write("app.other", &document(n)).await;
    }
    watched.sees(4).await;
}

/// The same while the line is cut: nothing shows a client that connects again by itself that the bucket is another one, and it goes on
/// behind the last message that it had from the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_was_made_anew_behind_a_cut_line_is_read_by_a_client_of_the_programs_own() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let client = async_nats::connect(proxy.address().to_string()).await;
    let own = source::Nats::with_client(client.unwrap(), "flux", KEY);
    let source = Source::watcher(own).resync(Duration::from_secs(86_400));
    let watched = Watched::started(source).await;
    for n in 2..=3 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    proxy.cut();
    server.delete_bucket().await;
    server.make_bucket().await;
    server.write(KEY, &document(4)).await;
    for n in 0..10 {
        server.write("app.other", &document(n)).await;
    }
    proxy.mend();
    watched.sees(4).await;
}

/// The client connects again by itself, so that the session goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_read_by_a_client_of_the_programs_own() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let copy = block_in_place(|| {
        let copy = server.process().copy();
        server.process().restart();
        copy
    });
    server.restarted().await;
    let client = async_nats::connect(server.address().to_string()).await;
    let own = source::Nats::with_client(client.unwrap(), "flux", KEY);
    let source = Source::watcher(own).resync(Duration::from_secs(86_400));
    let watched = Watched::started(source).await;
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
}

/// The same, and the copy is written to until it has as many messages: what was seen last has its number there, and is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_that_has_grown_since_is_read_by_a_client_of_the_programs_own() {
    let Some(mut server) = Nats::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let copy = block_in_place(|| {
        let copy = server.process().copy();
        server.process().restart();
        copy
    });
    server.restarted().await;
    let proxy = Proxy::to(server.address()).await;
    let client = async_nats::connect(proxy.address().to_string()).await;
    let own = source::Nats::with_client(client.unwrap(), "flux", KEY);
    let source = Source::watcher(own).resync(Duration::from_secs(86_400));
    let watched = Watched::started(source).await;
    for n in 2..=6 {
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    proxy.cut();
    block_in_place(|| {
        server.process().put_back(&copy);
        server.process().restart();
    });
    server.restarted().await;
    for n in 102..=106 {
        server.write(KEY, &document(n)).await;
    }
    proxy.mend();
    watched.sees(106).await;
}

/// Where the bucket keeps a history, the message before it is the newest one then, and nothing announces that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_deleted_leaves_the_one_before_it() {
    let Some(server) = Nats::start().await else {
        return;
    };
    let address = server.address();
    let client = async_nats::connect(address.to_string()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "KV_kept".to_owned(),
        subjects: vec!["$KV.kept.>".to_owned()],
        max_messages_per_subject: 5,
        ..Default::default()
    };
    let stream = context.create_stream(config).await.unwrap();
    let write = async |n| {
        let sent = context.publish(format!("$KV.kept.{KEY}"), document(n).into());
        sent.await.unwrap().await.unwrap().sequence
    };
    write(1).await;
    let source = Source::uri(format!("nats://{address}/kept/{KEY}"));
    let watched = Watched::started(source.resync(Duration::from_secs(86_400))).await;
    let newest = write(2).await;
    watched.sees(2).await;
    stream.delete_message(newest).await.unwrap();
    watched.sees(1).await;
}

/// The hub's data are an older copy of them, written to until it has as many messages. The leaf node keeps its clients' connections meanwhile.
async fn an_older_copy_that_has_grown_since(kind: Leaf) -> Option<(NatsMirror, Watched)> {
    let mut hub = NatsMirror::start(kind).await?;
    hub.write(KEY, &document(1)).await;
    until("there", || hub.is_whole()).await;
    let copy = hub.copied().await;
    until("there again", || hub.is_whole()).await;
    let source = Source::uri(format!("nats://{}/flux/{KEY}", hub.address()));
    let watched = Watched::started(source.resync(Duration::from_secs(86_400))).await;
    for n in 2..=6 {
        hub.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    hub.put_back(&copy).await;
    for n in 102..=106 {
        hub.write(KEY, &document(n)).await;
    }
    Some((hub, watched))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_that_has_grown_since_is_read_behind_a_leaf_node() {
    if let Some((_hub, watched)) = an_older_copy_that_has_grown_since(Leaf::Bare).await {
        watched.sees(106).await;
    }
}

/// The server does not notice: its mirror keeps what it has by number, and goes on behind it. The page of the source names that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mirror_of_an_older_copy_goes_on_behind_what_it_has() {
    if let Some((hub, watched)) = an_older_copy_that_has_grown_since(Leaf::Mirror).await {
        hub.write(KEY, &document(107)).await;
        watched.sees(107).await;
    }
}

/// The server of the mirror answers for it by itself, as its leader.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_has_lost_the_bucket_that_it_mirrors_is_stale() {
    let Some(mirror) = NatsMirror::start(Leaf::Mirror).await else {
        return;
    };
    mirror.write(KEY, &document(1)).await;
    until("mirrored", || mirror.is_whole()).await;
    let source = Source::uri(format!("nats://{}/flux/{KEY}", mirror.address()));
    let watched = Watched::started(source).await;
    watched.sees(1).await;
    mirror.write(KEY, &document(2)).await;
    watched.sees(2).await;
    mirror.line.deaden();
    mirror.write(KEY, &document(3)).await;
    let named = || {
        let trouble = watched.trouble();
        trouble.is_some_and(|trouble| trouble.to_string().contains("mirrors another one"))
    };
    watched.until("stale", named).await;
    mirror.line.mend();
    mirror.line.hang_up();
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
}

/// As long as the line is cut there is no other way to the bucket: the leaf does not know where its hub listens.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_whose_line_is_cut_is_stale_until_it_is_back() {
    for kind in [Leaf::Mirror, Leaf::Sourced] {
        let Some(mirror) = NatsMirror::start(kind).await else {
            return;
        };
        mirror.write(KEY, &document(1)).await;
        until("mirrored", || mirror.is_whole()).await;
        let source = Source::uri(format!("nats://{}/flux/{KEY}", mirror.address()));
        let watched = Watched::started(source).await;
        watched.sees(1).await;
        mirror.line.cut();
        mirror.write(KEY, &document(2)).await;
        let named = || {
            let trouble = watched.trouble();
            trouble.is_some_and(|trouble| trouble.to_string().contains("mirrors another one"))
        };
        watched.until("stale", named).await;
        mirror.line.mend();
        watched.sees(2).await;
        watched.has_applied(&[1, 2]);
    }
}
