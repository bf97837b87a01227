//! What is listed and watched, at a fake API server.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::*;
use crate::source::{Health, mailbox::Mailbox, remote::fake};
use kube::Config;
use std::{io::Write, net::SocketAddr, sync::mpsc::channel, time::SystemTime};

/// A source of the server at `address`.
fn source(address: SocketAddr) -> Kubernetes {
    let config = Config::new(format!("http://{address}").parse().unwrap());
    let client = Client::try_from(config).unwrap();
    Kubernetes::config_map("default", "app", "key").client(client)
}

/// A list without the object, and that the version of a watch is forgotten: as an answer, or as an event of the watch.
fn list_or_gone(head: &str, is_event: bool) -> Vec<u8> {
    let json = "Content-Type: application/json\r\n";
    let gone = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}"#;
    match (head.contains("watch="), is_event) {
        (false, _) => fake::found(json, r#"{"metadata":{"resourceVersion":"1"},"items":[]}"#),
        (true, true) => {
            let event = format!("{{\"type\":\"ERROR\",\"object\":{gone}}}\n");
            fake::found(json, &event)
        }
        (true, false) => {
            let length = gone.len();
            let head = format!("HTTP/1.1 410 Gone\r\n{json}Content-Length: {length}\r\n\r\n");
            (head + gone).into_bytes()
        }
    }
}

#[tokio::test]
async fn where_each_watch_is_answered_with_gone_it_is_listed_less_and_less_and_each_list_is_a_proof()
 {
    for is_event in [false, true] {
        let (noted, lists) = channel();
        let address = fake::web(move |head, client| {
            if !head.contains("watch=") {
                noted.send(std::time::Instant::now()).unwrap();
            }
            client.write_all(&list_or_gone(head, is_event)).unwrap();
        });
        let mailbox = Mailbox::new(1);
        let (observer, proven) = (mailbox.observer(0), mailbox.proven(0));
        let mut source = source(address);
        let session = tokio::spawn(async move { source.watch(&observer).await });
        let mut healths = Vec::new();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(4) {
            let reports = mailbox.take().into_iter();
            healths.extend(reports.filter_map(|report| report.health));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(matches!(healths[..], [Health::Live]), "{healths:?}");
        let times: Vec<_> = lists.try_iter().collect();
        // 9 where each pause is the shortest that it may be.
        assert!((4..=9).contains(&times.len()), "{}", times.len());
        let last = times.last().unwrap().elapsed();
        let proof = proven.at().unwrap().elapsed().unwrap_or_default();
        let late = Duration::from_millis(600);
        assert!(
            proof <= last + late && last <= proof + late,
            "{proof:?}, {last:?}"
        );
        // Whoever asks for it has it read, whatever the pause.
        let request = mailbox.read_now(0).unwrap();
        let limit = Duration::from_millis(400);
        let listed = tokio::task::spawn_blocking(move || lists.recv_timeout(limit).is_ok());
        assert!(listed.await.unwrap(), "not asked at once");
        let answered = async {
            while !mailbox.take().iter().any(|one| one.answered == request) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let answered = tokio::time::timeout(Duration::from_secs(60), answered);
        answered.await.expect("an answer to the request");
        assert!(!session.is_finished());
        session.abort();
    }
}

#[tokio::test]
async fn what_is_listed_and_watched_counts_from_the_question_for_the_list() {
    let (noted, notes) = channel();
    let address = fake::web(move |head, client| {
        let map = |n: u8| {
            format!(
                r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"app","resourceVersion":"{n}"}},"data":{{"key":"{n}"}}}}"#
            )
        };
        let pause = Duration::from_secs(2);
        match head.contains("watch=") {
            false => {
                noted.send(SystemTime::now()).unwrap();
                std::thread::sleep(pause);
                let list = format!(
                    r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#,
                    map(1)
                );
                let json = "Content-Type: application/json\r\n";
                client.write_all(&fake::found(json, &list)).unwrap();
            }
            true => {
                std::thread::sleep(pause);
                let event = format!("{{\"type\":\"MODIFIED\",\"object\":{}}}\n", map(2));
                let chunk = format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{event}\r\n",
                    event.len()
                );
                client.write_all(chunk.as_bytes()).unwrap();
            }
        }
    });
    let mailbox = Mailbox::new(1);
    let (observer, proven) = (mailbox.observer(0), mailbox.proven(0));
    let mut source = source(address);
    let session = tokio::spawn(async move { source.watch(&observer).await });
    let both = async {
        while mailbox.take().iter().all(|report| report.received < 2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let both = tokio::time::timeout(Duration::from_secs(60), both);
    both.await.expect("a list and an event");
    let after = proven.at().unwrap().duration_since(notes.recv().unwrap());
    let after = after.unwrap_or_default();
    assert!(after < Duration::from_secs(1), "{after:?}");
    session.abort();
}

#[test]
fn a_key_is_text_or_bytes_or_absent() {
    let bytes = || Some(BTreeMap::from([("raw".to_owned(), ByteString(vec![1]))]));
    let map = ConfigMap {
        data: Some(BTreeMap::from([("app".to_owned(), "a: 1".to_owned())])),
        binary_data: bytes(),
        ..ConfigMap::default()
    };
    assert_eq!(map.content("app"), Some(b"a: 1".to_vec()));
    assert_eq!(map.content("raw"), Some(vec![1]));
    assert_eq!(map.content("none"), None);
    let secret = Secret {
        data: bytes(),
        ..Secret::default()
    };
    assert_eq!(secret.content("raw"), Some(vec![1]));
    assert_eq!(ConfigMap::default().content("app"), None);
}

#[tokio::test]
async fn what_the_server_refuses_for_want_of_rights_is_tried_slowly() {
    let source = Kubernetes::secret("default", "app", "key");
    let config = Config::new("http://127.0.0.1:1".parse().unwrap());
    let cluster = Cluster::of(Client::try_from(config).unwrap());
    let refused = |code| {
        let status = Status {
            code,
            ..Status::default()
        };
        source.refused(&cluster, &status).kind()
    };
    use crate::source::ErrorKind;
    assert_eq!(refused(403), ErrorKind::Permission);
    assert_eq!(refused(429), ErrorKind::Transient);
    assert_eq!(refused(503), ErrorKind::Transient);
    assert_eq!(refused(400), ErrorKind::Configuration);
}
