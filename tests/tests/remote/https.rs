//! A document on a web server.

use crate::watched::{Watched, document};
use flux::{Source, State, source, source::ErrorKind};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What it holds and what it was asked.
#[derive(Default)]
struct Held {
    status: u16,
    body: Vec<u8>,
    /// The headers of an answer with a body.
    headers: String,
    /// A condition that is met by what it holds.
    unchanged: Option<String>,
    /// Ends the connection before the body's end.
    breaks_off: bool,
    asked: Vec<String>,
    sent: usize,
}

/// A small web server with one document.
struct Web {
    address: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl Web {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::new(Mutex::new(Held::default()));
        let serving = Arc::clone(&held);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let held = Arc::clone(&serving);
                tokio::spawn(async move {
                    let _ = serve(client, &held).await;
                });
            }
        });
        Web { address, held }
    }

    fn holds(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().unwrap());
    }

    /// This document, with a header that tells its version and the condition that it meets.
    fn version(&self, n: u64, header: &str, condition: &str) {
        self.holds(|held| {
            held.status = 200;
            held.body = document(n);
            held.headers = format!("{header}\r\n");
            held.unchanged = Some(condition.to_ascii_lowercase());
            held.breaks_off = false;
        });
    }

    fn answers(&self, status: u16, headers: &str) {
        self.holds(|held| {
            held.status = status;
            held.headers = headers.to_owned();
            held.body = Vec::new();
            held.unchanged = None;
        });
    }

    fn asked(&self) -> usize {
        self.held.lock().unwrap().asked.len()
    }

    fn sent(&self) -> usize {
        self.held.lock().unwrap().sent
    }

    /// Waits until it was asked this many times more.
    async fn asked_again(&self, times: usize) {
        let before = self.asked();
        crate::watched::until("asked again", async || self.asked() >= before + times).await;
    }

    fn source(&self) -> source::Https {
        source::Https::plain(self.address.to_string(), "/app.json?env=test")
            .poll(Duration::from_millis(100))
    }
}

async fn serve(mut client: TcpStream, held: &Mutex<Held>) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let (answer, breaks_off) = {
            let mut held = held.lock().unwrap();
            let met = |condition: &String| head.to_ascii_lowercase().contains(condition);
            let unchanged = held.unchanged.as_ref().is_some_and(met);
            held.asked.push(head);
            match unchanged {
                true => (b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), false),
                false => {
                    held.sent += usize::from(held.status == 200);
                    let (status, length) = (held.status, held.body.len());
                    let extra = if held.breaks_off { 10 } else { 0 };
                    let head = format!(
                        "HTTP/1.1 {status} Told\r\n{}Content-Length: {}\r\n\r\n",
                        held.headers,
                        length + extra
                    );
                    ([head.as_bytes(), &held.body].concat(), held.breaks_off)
                }
            }
        };
        client.write_all(&answer).await?;
        if breaks_off {
            return Ok(());
        }
    }
}

/// Follows versions by what tells them apart, and is sent each only once.
async fn is_sent_once(headers: impl Fn(u64) -> (String, String)) {
    let web = Web::start().await;
    let turn = |n| {
        let (header, condition) = headers(n);
        web.version(n, &header, &condition);
    };
    turn(1);
    let watched = Watched::started(Source::watcher(web.source())).await;
    for n in 2..=4 {
        web.asked_again(3).await;
        assert!(watched.is_live(), "what has not changed is a sign of life");
        turn(n);
        watched.sees(n).await;
    }
    assert_eq!(web.sent(), 4);
    watched.has_applied(&[1, 2, 3, 4]);
    watched.was_never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_tag_is_sent_once() {
    is_sent_once(|n| {
        let tag = format!("W/\"v{n}\"");
        (format!("ETag: {tag}"), format!("If-None-Match: {tag}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_date_is_sent_once() {
    is_sent_once(|n| {
        let date = format!("Wed, 0{n} Jan 2025 00:00:00 GMT");
        let condition = format!("If-Modified-Since: {date}");
        (format!("Last-Modified: {date}"), condition)
    })
    .await;
}

/// The tag says more than the date, which has whole seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_goes_before_a_date() {
    let web = Web::start().await;
    let headers = "ETag: \"v1\"\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT";
    web.version(1, headers, "If-None-Match: \"v1\"");
    let watched = Watched::started(Source::watcher(web.source())).await;
    web.asked_again(2).await;
    web.holds(|held| {
        let last = held.asked.last().unwrap().to_ascii_lowercase();
        assert!(!last.contains("if-modified-since"), "{last}");
    });
    watched.has_applied(&[1]);
}

/// Without either it is sent each time, and compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_a_version_is_compared() {
    let web = Web::start().await;
    web.holds(|held| (held.status, held.body) = (200, document(1)));
    let uri = format!("http://{}/app.json#poll=100ms", web.address);
    let watched = Watched::started(Source::uri(uri)).await;
    web.asked_again(5).await;
    assert!(web.sent() > 5);
    web.holds(|held| held.body = document(2));
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    web.holds(|held| {
        let first = &held.asked[0];
        assert!(first.starts_with("GET /app.json HTTP/1.1\r\n"), "{first}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_gone_is_absent_until_it_is_there_again() {
    let web = Web::start().await;
    web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
    let watched = Watched::started(Source::watcher(web.source())).await;
    for status in [404, 410] {
        web.answers(status, "");
        let gone = || watched.capacitor.state() == State::Degraded;
        watched.until("degraded", gone).await;
        assert!(!watched.capacitor.status().layers[0].present);
        // The same version as before is sent all the same: it was gone meanwhile.
        web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
        watched.sees(1).await;
    }
    assert_eq!(web.sent(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_answers_is_classified_and_the_last_document_kept() {
    let web = Web::start().await;
    let cases = [
        (401, "", ErrorKind::Permission),
        (403, "", ErrorKind::Permission),
        (500, "", ErrorKind::Transient),
        (429, "", ErrorKind::Transient),
        (302, "Location: /elsewhere\r\n", ErrorKind::Configuration),
        (400, "", ErrorKind::Configuration),
    ];
    for (status, headers, kind) in cases {
        web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
        let source = web.source().token("hunter2");
        let watched = Watched::started(Source::watcher(source)).await;
        web.answers(status, headers);
        watched.until("stale", || watched.trouble().is_some()).await;
        let trouble = watched.trouble().unwrap();
        assert_eq!(trouble.kind(), kind, "{trouble}");
        assert!(
            trouble.to_string().contains(&status.to_string()),
            "{trouble}"
        );
        assert!(!trouble.to_string().contains("hunter2"), "{trouble}");
        assert_eq!(watched.capacitor.get().n, 1);
        assert_eq!(
            watched.capacitor.state(),
            State::Healthy,
            "stale is no state"
        );
        watched.capacitor.stop().await;
    }
    web.holds(|held| {
        let first = held.asked[0].to_ascii_lowercase();
        assert!(first.contains("authorization: bearer hunter2"), "{first}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_none() {
    let web = Web::start().await;
    web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
    let watched = Watched::started(Source::watcher(web.source())).await;
    web.version(2, "ETag: \"v2\"", "If-None-Match: \"v2\"");
    web.holds(|held| held.breaks_off = true);
    watched.until("stale", || watched.trouble().is_some()).await;
    assert_eq!(watched.capacitor.get().n, 1, "half a document is none");
    web.holds(|held| held.breaks_off = false);
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    watched.was_never_refused();
}
