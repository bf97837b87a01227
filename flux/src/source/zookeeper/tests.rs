use super::{
    fake::{
        CLOSE, EXISTS, FakeZooKeeper, GET_DATA, SYNC, answer, begun_with, data, event, framed,
        granted, listening, session, stat,
    },
    *,
};
use crate::source::{ErrorKind, mailbox::Mailbox, remote::shared::Connection};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::{io::AsyncWriteExt, time::timeout};

fn reason(error: &Unanswered) -> String {
    match error {
        Unanswered::Ended(reason) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_digest_is_not_shown() {
    let source = ZooKeeper::new("h", "/app").credentials("bob", "hunter2");
    assert_eq!(source.origin(), "zookeeper://h/app");
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_next_change_fires_each_watch_once() {
    let (session, mut server) = session().await;
    let serving = async {
        for xid in 1..=2 {
            let asked = server.question().await.unwrap();
            assert_eq!(
                (asked.xid, asked.kind, asked.path()),
                (xid, GET_DATA, "/a".into())
            );
            server.send(&answer(xid, 0, &data(b"one", 5))).await;
        }
        server.send(&event(3, "/b")).await;
        server.send(&event(3, "/a")).await;
        server.send(&event(3, "/a")).await;
        let asked = server.question().await.unwrap();
        assert_eq!(asked.kind, SYNC);
        server.send(&answer(3, 0, b"\0\0\0\x02/a")).await;
        server
    };
    let asking = async {
        let (bytes, stat, one) = session.data("/a").await.unwrap().unwrap();
        assert_eq!((bytes.as_slice(), stat.mzxid), (&b"one"[..], 5));
        let (_, _, other) = session.data("/a").await.unwrap().unwrap();
        one.await.unwrap();
        other.await.unwrap();
        session.sync("/a").await.unwrap();
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn a_node_that_is_absent_has_a_watch_only_where_its_creation_was_asked_for() {
    let (session, mut server) = session().await;
    let serving = async {
        for (kind, watch) in [(GET_DATA, 1), (EXISTS, 1), (EXISTS, 0)] {
            let asked = server.question().await.unwrap();
            assert_eq!((asked.kind, asked.rest.last()), (kind, Some(&watch)));
            server.send(&answer(asked.xid, -101, &[])).await;
        }
        server.send(&event(1, "/a")).await;
        server
    };
    let asking = async {
        assert!(session.data("/a").await.unwrap().is_none());
        let (stat, created) = session.watch("/a").await.unwrap();
        assert!(stat.is_none());
        assert!(session.stat("/a").await.unwrap().is_none());
        created.await.unwrap();
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn the_last_to_go_ends_the_session_without_waiting() {
    let (session, mut server) = session().await;
    drop(session);
    assert_eq!(server.question().await.unwrap().kind, CLOSE);
    assert!(server.question().await.is_none());
}

#[tokio::test]
async fn a_refusal_fails_its_question_alone() {
    let (session, mut server) = session().await;
    let serving = async {
        for code in [-102, -8, -4711, -101] {
            let asked = server.question().await.unwrap();
            server.send(&answer(asked.xid, code, &[])).await;
        }
    };
    let asking = async {
        let place = Remote::new(Scheme::ZooKeeper).host("h").piece("a");
        for (kind, said) in [
            (ErrorKind::Permission, "must grant READ"),
            (ErrorKind::Configuration, "BadArguments"),
            (ErrorKind::Transient, "-4711"),
        ] {
            let error = classified(&place, &session.data("/a").await.unwrap_err());
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(said), "{error}");
        }
        // A sync succeeds whether or not the node exists, so that an error is never its answer.
        let refused = session.sync("/a").await.unwrap_err();
        assert_eq!(refused, Unanswered::Refused(-101));
        assert!(session.is_open());
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn credentials_are_proven_before_anything_is_asked() {
    for (code, kind) in [(0, None), (-115, Some(ErrorKind::Permission))] {
        let (client, server) = tokio::io::duplex(4096);
        let mut server = FakeZooKeeper(server);
        let begin = ZooKeeperSession::begin(Box::new(client), Some("bob:hunter2".to_owned()));
        let serving = async {
            server.grant().await;
            let proof = server.question().await.unwrap();
            assert_eq!((proof.xid, proof.kind), (-4, 100));
            assert!(proof.rest.ends_with(b"bob:hunter2"));
            server.send(&answer(-4, code, &[])).await;
        };
        let begun = tokio::join!(begin, serving).0;
        let place = Remote::new(Scheme::ZooKeeper).host("h").piece("a");
        let refused = begun.err().map(|error| classified(&place, &error));
        assert_eq!(refused.as_ref().map(SourceError::kind), kind);
        assert!(!format!("{refused:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_no_server_of_zookeeper_is_refused_with_a_reason() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "closed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "1213486160 bytes"),
        (&(-1_i32).to_be_bytes(), "-1 bytes"),
        (&i32::MAX.to_be_bytes(), "closed"),
        (&framed(&[]), "before its last field"),
        (&framed(&[0; 17]), "before its last field"),
        (&granted(10_000, 0), "refuses"),
        (&granted(-5, 7), "refuses"),
    ];
    for (bytes, expected) in cases {
        let why = reason(&begun_with(bytes).await);
        assert!(why.contains(expected), "{bytes:?}: {why}");
    }
}

/// Each ends the session: every question ends with an error, and none hangs.
#[tokio::test]
async fn what_is_no_answer_ends_the_session_with_a_reason() {
    let cut = |record: Vec<u8>| framed(&record[4..record.len() - 1]);
    let mut of_itself = data(b"one", 5);
    of_itself[..4].copy_from_slice(&1000_i32.to_be_bytes());
    let cases: [(Vec<u8>, &str); 11] = [
        (Vec::new(), "closed"),
        (vec![0, 0], "closed"),
        ((-3_i32).to_be_bytes().to_vec(), "-3 bytes"),
        (i32::MAX.to_be_bytes().repeat(8), "not asked"),
        (framed(&[1; 15]), "before its last field"),
        (answer(2, 0, &data(b"one", 5)), "not asked"),
        (answer(-7, 0, &[]), "not asked"),
        (answer(1, 0, &[]), "before its last field"),
        (cut(answer(1, 0, &data(b"one", 5))), "before its last field"),
        (answer(1, 0, &of_itself), "before its last field"),
        (cut(event(3, "/a")), "before its last field"),
    ];
    for (bytes, expected) in cases {
        let (session, mut server) = session().await;
        let serving = async {
            server.question().await.unwrap();
            server.send(&bytes).await;
            let _ = server.0.shutdown().await;
        };
        let (asked, ()) = tokio::join!(session.data("/a"), serving);
        let why = reason(&asked.map(drop).unwrap_err());
        assert!(why.contains(expected), "{bytes:?}: {why}");
        assert!(!session.is_open());
        assert_eq!(reason(&session.ended().await), why);
        // And who comes late.
        assert_eq!(reason(&session.sync("/a").await.unwrap_err()), why);
    }
}

#[tokio::test]
async fn an_answer_to_a_question_that_was_given_up_is_passed_over() {
    let (session, mut server) = session().await;
    let impatient = timeout(Duration::from_millis(50), session.data("/a"));
    assert!(impatient.await.is_err());
    let serving = async {
        for bytes in [b"old", b"new"] {
            let asked = server.question().await.unwrap();
            server.send(&answer(asked.xid, 0, &data(bytes, 5))).await;
        }
        server
    };
    let (asked, _server) = tokio::join!(session.data("/a"), serving);
    assert_eq!(asked.unwrap().unwrap().0, b"new");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_for_two_thirds_of_the_session_has_lost_it() {
    let (session, _server) = session().await;
    let begin = Instant::now();
    let why = reason(&session.ended().await);
    assert!(why.contains("nothing has come"), "{why}");
    let lasted = begin.elapsed();
    assert!(
        lasted > Duration::from_secs(6) && lasted < Duration::from_secs(7),
        "{lasted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_quiet_session_is_kept_alive() {
    let (session, mut server) = session().await;
    let serving = async { while server.question().await.is_some() {} };
    let quiet = timeout(Duration::from_secs(3600), session.ended());
    tokio::select! {
        () = serving => panic!("it has ended"),
        ended = quiet => assert!(ended.is_err(), "{ended:?}"),
    }
}

/// Otherwise questions would be kept for ever.
#[tokio::test(start_paused = true)]
async fn a_server_that_gives_signs_of_life_alone_has_lost_the_session() {
    let (session, mut server) = session().await;
    tokio::spawn(async move { while server.question().await.is_some() {} });
    assert!(timeout(ANSWER, session.data("/a")).await.is_err());
    let why = reason(&session.ended().await);
    assert!(why.contains("no answer"), "{why}");
}

/// Neither is asked without a pause, and a silent one is noticed.
#[tokio::test(start_paused = true)]
async fn a_session_of_an_odd_length_is_kept_as_one_of_a_usual_one() {
    for (timeout, pings) in [(1, 90..=110), (i32::MAX, 0..=1)] {
        let (client, server) = tokio::io::duplex(1 << 16);
        let mut server = FakeZooKeeper(server);
        let begins = async {
            server.record().await.unwrap();
            server.send(&granted(timeout, 7)).await;
        };
        let (session, ()) = tokio::join!(ZooKeeperSession::begin(Box::new(client), None), begins);
        let session = session.unwrap();
        let mut counted = 0;
        let counting = async {
            while server.record().await.is_some() {
                counted += 1;
                server.send(&answer(-2, 0, &[])).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(10), counting).await;
        assert!(pings.contains(&counted), "{timeout}: {counted}");
        // Silent from now on.
        let ended = tokio::time::timeout(DEADLINE, session.ended()).await;
        assert!(reason(&ended.unwrap()).contains("nothing has come"));
    }
}

#[tokio::test]
async fn a_document_that_is_too_long_is_refused_and_its_node_followed() {
    let long = MAX_SIZE + 2000;
    let (session, mut server) = session().await;
    let source = ZooKeeper::new("h", "/a");
    let serving = async {
        let asked = server.question().await.unwrap();
        server
            .send(&answer(asked.xid, 0, &data(&vec![7; long], 5)))
            .await;
        let asked = server.question().await.unwrap();
        assert_eq!((asked.kind, asked.rest.last()), (EXISTS, Some(&1)));
        let length = i32::try_from(long).unwrap();
        server.send(&answer(asked.xid, 0, &stat(5, length))).await;
        server.send(&event(3, "/a")).await;
        let asked = server.question().await.unwrap();
        server.send(&answer(asked.xid, 0, &data(b"short", 6))).await;
        server
    };
    let asking = async {
        let (observation, seen, change) = source.read(&session).await.unwrap();
        match observation {
            Observation::Unreadable(error) => {
                assert_eq!(error.kind(), ErrorKind::Configuration);
                assert!(error.to_string().contains("limit of 16 MiB"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(seen, Some((1, 5, 0)));
        change.await.unwrap();
        let (observation, ..) = source.read(&session).await.unwrap();
        assert!(
            matches!(observation, Observation::Value(_)),
            "{observation:?}"
        );
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn a_server_that_is_silent_or_no_zookeeper_keeps_nobody_from_the_good_one() {
    let silent = listening(|server| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(server);
    });
    let strange = listening(|mut server| async move {
        server.record().await;
        server.send(b"220 mail.example ESMTP\r\n").await;
    });
    let good = listening(|mut server| async move {
        server.grant().await;
        server.serve(b"{}").await;
    });
    let (silent, strange, good) = tokio::join!(silent, strange, good);
    for _ in 0..6 {
        let source = ZooKeeper::new(&silent, "/a").server(&strange).server(&good);
        let begin = Instant::now();
        let session = source.connect().await.unwrap();
        assert!(begin.elapsed() < Duration::from_secs(4));
        let (observation, ..) = source.read(&session).await.unwrap();
        assert!(matches!(observation, Observation::Value(_)));
    }
    let error = ZooKeeper::new(&strange, "/a")
        .connect()
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(
        error.to_string().contains("not how ZooKeeper begins"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Neither a panic nor an endless wait.
    #[test]
    fn whatever_a_server_sends_a_question_has_an_answer_or_an_error(
        records in proptest::collection::vec(
            (-5_i32..5, prop_oneof![Just(0), Just(-101), any::<i32>()], proptest::collection::vec(any::<u8>(), 0..90)),
            0..6,
        ),
        garbage in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (session, mut server) = session().await;
            let serving = async {
                let mut bytes: Vec<u8> = records.iter().flat_map(|(xid, error, rest)| answer(*xid, *error, rest)).collect();
                bytes.extend(&garbage);
                let _ = server.0.write_all(&bytes).await;
                drop(server);
            };
            let asking = async {
                let _ = tokio::join!(session.data("/a"), session.watch("/b"), session.stat("/c"), session.sync("/d"));
                session.ended().await
            };
            let both = async { tokio::join!(serving, asking) };
            assert!(timeout(Duration::from_secs(5), both).await.is_ok());
        });
    }
}

/// Each reading sets a watch, which the server fires without a change.
#[tokio::test]
async fn a_server_that_announces_changes_that_are_none_is_asked_less_and_less() {
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let address = listening(move |mut server| {
        let asked = Arc::clone(&asked);
        async move {
            server.grant().await;
            while let Some(question) = server.question().await {
                let is_read = question.kind == GET_DATA;
                let rest = if is_read { data(b"{}", 5) } else { Vec::new() };
                server.send(&answer(question.xid, 0, &rest)).await;
                if is_read {
                    asked.fetch_add(1, SeqCst);
                    server.send(&event(3, "/app")).await;
                }
            }
        }
    })
    .await;
    let observer = Mailbox::new(1).observer(0);
    let mut source = ZooKeeper::new(address, "app");
    let watched = timeout(Duration::from_secs(3), source.watch(&observer)).await;
    assert!(watched.is_err(), "{watched:?}");
    let asked = count.load(SeqCst);
    assert!((3..=14).contains(&asked), "{asked}");
}
