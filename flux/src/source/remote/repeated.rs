//! Tests that what a server repeats of its question is shown nowhere: each store asks one that refuses with the words of the question.

#![allow(clippy::unwrap_used)] // In helpers too.
#![allow(dead_code, reason = "each store uses a part of it")]

use crate::source::{DynWatcher, mailbox::Mailbox, open::open};
use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The same in base64 wherever it begins among others is long enough to be looked for.
const SECRET: &str = "swordfish-swordfish-swordfish";

/// Every event of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct EventTexts<'a>(&'a mut String);

impl Visit for EventTexts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        // Other crates have logs of their own, which a program may leave out.
        if event.metadata().target().starts_with("flux") {
            let mut log = self.0.lock().unwrap();
            event.record(&mut EventTexts(&mut log));
            log.push('\n');
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// With one dispatcher alone, the thread that comes first to an event decides for all whether anybody listens to it.
fn keep_two() {
    static TWO: OnceLock<[Dispatch; 2]> = OnceLock::new();
    TWO.get_or_init(|| [(); 2].map(|()| Dispatch::new(Log::default())));
}

/// A server that greets, and answers each piece of a question by what `refuse` makes of it.
async fn repeating(greeting: &'static str, refuse: fn(&[u8]) -> Vec<u8>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = client.write_all(greeting.as_bytes()).await;
                let mut asked = vec![0; 64 << 10];
                while let Ok(length @ 1..) = client.read(&mut asked).await {
                    if client.write_all(&refuse(&asked[..length])).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn in_a_line(asked: &[u8]) -> String {
    let text = String::from_utf8_lossy(asked);
    text.replace(|one: char| one.is_control() || one == '\'', " ")
}

fn as_http(asked: &[u8]) -> Vec<u8> {
    let body = in_a_line(asked);
    let head = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// What each of the commands in the question is answered with; nothing is known, or nothing but what comes before is granted.
fn as_redis(asked: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(asked);
    let words = in_a_line(asked);
    let commands = text.matches("*").count().max(1);
    let answer = match text.contains("HELLO") || text.contains("AUTH") {
        true => "+OK\r\n".to_owned(),
        false => format!("-NOPERM User {SECRET} has no right to: {words}\r\n"),
    };
    answer.repeat(commands).into_bytes()
}

fn as_redis_that_refuses_all(asked: &[u8]) -> Vec<u8> {
    format!("-WRONGPASS {SECRET} {}\r\n", in_a_line(asked)).into_bytes()
}

fn as_nats(asked: &[u8]) -> Vec<u8> {
    format!("-ERR 'Authorization Violation: {}'\r\n", in_a_line(asked)).into_bytes()
}

#[tokio::test]
async fn what_a_server_repeats_of_its_question_is_shown_nowhere() {
    keep_two();
    let log = Log::default();
    let _heard = tracing::subscriber::set_default(log.clone());
    const INFO: &str = "INFO {\"server_id\":\"a\",\"version\":\"2.10.0\",\"go\":\"go\",\"host\":\"127.0.0.1\",\
        \"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"auth_required\":true}\r\n";
    type Case = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);
    let cases: &[Case] = &[
        #[cfg(feature = "consul")]
        ("consul://ADDRESS/k?token=${P}", "", as_http),
        #[cfg(feature = "https")]
        ("http://bob:${P}@ADDRESS/${P}/a.json?key=${P}", "", as_http),
        #[cfg(feature = "https")]
        ("http://ADDRESS/a.json#token=${P}", "", as_http),
        #[cfg(feature = "etcd")]
        ("etcd://bob:${P}@ADDRESS/k", "", <[u8]>::to_vec),
        #[cfg(feature = "etcd")]
        ("etcd://bob:${P}@ADDRESS/k", "", as_http),
        #[cfg(feature = "firestore")]
        ("firestore://p/c/d?token=${P}&emulator=ADDRESS", "", as_http),
        #[cfg(feature = "firestore")]
        (
            "firestore://p/c/d?token=${P}&emulator=ADDRESS",
            "",
            <[u8]>::to_vec,
        ),
        #[cfg(feature = "nats")]
        ("nats://bob:${P}@ADDRESS/b/k", INFO, as_nats),
        #[cfg(feature = "nats")]
        ("nats://${P}@ADDRESS/b/k", INFO, as_nats),
        #[cfg(feature = "redis")]
        ("redis://bob:${P}@ADDRESS/k?poll=100ms", "", as_redis),
        #[cfg(feature = "redis")]
        ("redis://bob:${P}@ADDRESS/k", "", as_redis_that_refuses_all),
        #[cfg(feature = "zookeeper")]
        ("zookeeper://bob:${P}@ADDRESS/k", "", <[u8]>::to_vec),
    ];
    for (uri, greeting, refuse) in cases {
        let address = repeating(greeting, *refuse).await;
        let uri = uri.replace("ADDRESS", &address);
        let Ok(flux_syntax::Uri::Remote(template)) = flux_syntax::parse_uri(&uri) else {
            panic!("{uri}");
        };
        let place = template.expand(&|_| Some(SECRET.to_owned())).unwrap();
        let mut source: Box<dyn DynWatcher> = open(place).unwrap();
        let observer = Mailbox::new(1).observer(0);
        let ended = timeout(Duration::from_secs(30), source.watch(&observer)).await;
        let error = ended
            .unwrap_or_else(|_| panic!("{uri} goes on"))
            .unwrap_err();
        let shown = format!("{error} {error:?} {}", log.0.lock().unwrap()).to_lowercase();
        let in_base64 = "c3dvcmrmaxnolxn3b3jkzmlzac1zd29yzgzpc2";
        for part in [SECRET, "swordfish-", in_base64] {
            assert!(!shown.contains(part), "{uri}: {shown}");
        }
    }
    // Its words are in the log where it is asked in another way.
    #[cfg(feature = "redis")]
    assert!(log.0.lock().unwrap().contains("no client tracking"));
}
