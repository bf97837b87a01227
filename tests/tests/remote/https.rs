//! A document on a web server.

use crate::watched::{Watched, document};
use flux::{Source, State, source, source::ErrorKind};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
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
    /// A 304 has the headers, too.
    names_tag: bool,
    asked: Vec<String>,
    sent: usize,
    connections: usize,
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
                held.lock().unwrap().connections += 1;
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

    /// How often it has sent the document, and over how many connections.
    fn count(&self) -> (usize, usize) {
        let held = self.held.lock().unwrap();
        (held.sent, held.connections)
    }

    /// It sent the document at most this many times more. On a machine that stands still for longer than an answer may take, a session
    /// ends with its connection, and the next one asks without a condition.
    fn has_sent_at_most(&self, times: usize, (sent, connections): (usize, usize)) {
        let now = self.count();
        let (more, lost) = (now.0 - sent, now.1 - connections);
        assert!(
            more <= times + lost,
            "{more} were sent, {lost} connections lost, {times} needed"
        );
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
                true => {
                    let headers = if held.names_tag { &*held.headers } else { "" };
                    let head = format!("HTTP/1.1 304 Not Modified\r\n{headers}\r\n");
                    (head.into_bytes(), false)
                }
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
    web.has_sent_at_most(4, (0, 1));
    assert!(web.sent() >= 4);
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

/// By RFC 9110 a server answers 304 for whatever is not later than the date that it is asked with.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_document_that_was_put_back_is_seen_where_the_server_gives_dates_alone() {
    let web = Web::start().await;
    let turn = |n, day| {
        let header = format!("Last-Modified: Wed, 0{day} Jan 2025 00:00:00 GMT");
        web.version(n, &header, "If-Modified-Since: ");
    };
    turn(1, 5);
    let watched = Watched::started(Source::watcher(web.source())).await;
    web.asked_again(3).await;
    // With the same date, and with an older one.
    for (n, day) in [(2, 5), (3, 4)] {
        turn(n, day);
        watched.sees(n).await;
    }
    watched.until("live", || watched.is_live()).await;
}

/// What was changed just before it was read may change again within the same second.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_just_changed_is_sent_again_until_it_has_settled() {
    let web = Web::start().await;
    let date = |second: u64| format!("Wed, 01 Jan 2025 00:00:{second:02} GMT");
    let turn = |n, read| {
        let headers = format!(
            "ETag: \"5\"\r\nLast-Modified: {}\r\nDate: {}",
            date(10),
            date(read)
        );
        web.version(n, &headers, "If-None-Match: \"5\"");
    };
    turn(1, 10);
    let watched = Watched::started(Source::watcher(web.source())).await;
    for n in 2..=4 {
        turn(n, 10 + n / 4);
        watched.sees(n).await;
    }
    turn(5, 12);
    watched.sees(5).await;
    let before = web.count();
    web.asked_again(5).await;
    web.has_sent_at_most(1, before); // It has settled.
    watched.has_applied(&[1, 2, 3, 4, 5]);
}

/// A server that dates each answer seems to have changed its document just now, always. Its tag shows that it has not.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dates_each_answer_is_asked_by_its_tag() {
    let web = Web::start().await;
    let turn = |n, second: u64| {
        let date = format!("Wed, 01 Jan 2025 00:00:{second:02} GMT");
        let headers = format!("ETag: \"v{n}\"\r\nLast-Modified: {date}\r\nDate: {date}");
        web.version(n, &headers, &format!("If-None-Match: \"v{n}\""));
    };
    turn(1, 0);
    let watched = Watched::started(Source::watcher(web.source())).await;
    for n in 1..=3 {
        turn(n, n * 10);
        watched.sees(n).await;
        turn(n, n * 10 + 1);
        web.asked_again(3).await;
        let before = web.count();
        for second in 2..6 {
            turn(n, n * 10 + second);
            web.asked_again(2).await;
        }
        web.has_sent_at_most(0, before); // It was sent before.
        assert!(watched.is_live());
    }
    watched.has_applied(&[1, 2, 3]);
}

/// As of a cache that confuses two versions.
#[tokio::test(flavor = "multi_thread")]
async fn a_304_that_names_another_tag_is_not_believed() {
    let web = Web::start().await;
    web.version(1, "ETag: \"1\"", "If-None-Match: \"1\"");
    let watched = Watched::started(Source::watcher(web.source())).await;
    web.holds(|held| {
        held.body = document(2);
        held.headers = "ETag: \"2\"\r\n".to_owned();
        held.names_tag = true;
    });
    watched.sees(2).await;
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
        let first = first.to_ascii_lowercase();
        assert!(first.contains("cache-control: no-cache\r\n"), "{first}");
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
    web.has_sent_at_most(3, (0, 1));
    assert!(web.sent() >= 3);
}

/// What the server was like before it failed is no condition afterwards: another one may answer in its place.
#[tokio::test(flavor = "multi_thread")]
async fn after_an_answer_that_failed_the_document_is_asked_for_as_a_whole() {
    let web = Web::start().await;
    let version = || web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
    version();
    let watched = Watched::started(Source::watcher(web.source())).await;
    web.asked_again(3).await;
    let sent = web.sent();
    web.answers(500, "");
    watched.until("stale", || watched.trouble().is_some()).await;
    version();
    watched.until("live", || watched.is_live()).await;
    assert!(web.sent() > sent, "it is sent again, with the same tag");
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

/// The document itself, or what the server repeats of the question, is not shown.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_repeats_is_not_shown() {
    let bodies = [
        (203, "{\"password\": \"swordfish\"}".to_owned()),
        (206, "{\"password\": \"swordfish\"}".to_owned()),
        (403, "Authorization: Bearer hunter2/swordfish".to_owned()),
        (403, "you asked with hunter2%2Fswordfish".to_owned()),
        (400, format!("{}hunter2/swordfish", "-".repeat(190))),
        (500, "aHVudGVyMi9zd29yZGZpc2g= is not known".to_owned()),
    ];
    for (status, body) in bodies {
        let web = Web::start().await;
        web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
        let source = web.source().token("hunter2/swordfish");
        let watched = Watched::started(Source::watcher(source)).await;
        web.answers(status, "");
        web.holds(|held| held.body = body.clone().into_bytes());
        watched.until("stale", || watched.trouble().is_some()).await;
        let shown = watched.trouble().unwrap().to_string();
        for part in ["swordfish", "hunter2", "aHVudGVyMi9"] {
            assert!(!shown.contains(part), "{body}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_in_the_middle_of_a_deployment_do_not_take_turns() {
    let web = Web::start().await;
    let turn = |n| {
        let date = format!("Last-Modified: Wed, 0{n} Jan 2025 00:00:00 GMT");
        web.version(n, &date, "no condition");
    };
    turn(1);
    let watched = Watched::started(Source::watcher(web.source())).await;
    for _ in 0..5 {
        turn(2);
        web.asked_again(1).await;
        turn(1);
        web.asked_again(1).await;
    }
    turn(2);
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
    // One that stays is no replica that lags behind.
    turn(1);
    watched.sees(1).await;
    watched.has_applied(&[1, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_one_is_an_error() {
    let cases = [
        (304, "", "without a condition"),
        (200, "Content-Encoding: gzip\r\n", "compressed (gzip)"),
    ];
    for (status, headers, told) in cases {
        let web = Web::start().await;
        web.answers(status, headers);
        let watched = Watched::starting(Source::watcher(web.source()));
        watched.until("stale", || watched.trouble().is_some()).await;
        let trouble = watched.trouble().unwrap().to_string();
        assert!(trouble.contains(told), "{trouble}");
        web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
        watched.sees(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let web = Web::start().await;
    web.answers(503, "Retry-After: 20\r\n");
    let watched = Watched::starting(Source::watcher(web.source()));
    watched.until("stale", || watched.trouble().is_some()).await;
    let (asked, begin) = (web.asked(), std::time::Instant::now());
    web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
    web.asked_again(1).await;
    assert!(
        begin.elapsed() > Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(asked, 1);
    watched.sees(1).await;
}

/// A token in a file that was renewed is the next session's.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_file_is_read_for_every_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "first\n").unwrap();
    let web = Web::start().await;
    web.version(1, "ETag: \"v1\"", "If-None-Match: \"v1\"");
    let uri = format!(
        "http://{}/app.json#poll=100ms&token=${{file:{}}}",
        web.address,
        path.display()
    );
    let watched = Watched::started(Source::uri(uri)).await;
    let last = || {
        web.held
            .lock()
            .unwrap()
            .asked
            .last()
            .unwrap()
            .to_ascii_lowercase()
    };
    assert!(
        last().contains("authorization: bearer first\r\n"),
        "{}",
        last()
    );
    std::fs::write(&path, "second").unwrap();
    web.answers(401, "");
    watched
        .until("refused", || watched.refusal().is_some())
        .await;
    let renewed = || last().contains("authorization: bearer second\r\n");
    watched.until("the new token", renewed).await;
    web.version(2, "ETag: \"v2\"", "If-None-Match: \"v2\"");
    watched.sees(2).await;
}

/// Its certificates are renewed while another source, which is quiet, holds the client that both share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_certificates_are_taken_up_while_another_source_holds_the_client() {
    renewed_certificates_are_taken_up(&[], false).await;
}

/// The same where the server asks for the client's certificate, which another authority vouches for from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_of_the_client_is_taken_up_while_another_source_holds_it() {
    const VERIFY: &[&str] = &["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"];
    renewed_certificates_are_taken_up(VERIFY, true).await;
}

async fn renewed_certificates_are_taken_up(options: &'static [&'static str], of_client: bool) {
    use flux_tests::certificates::Certificates;
    let Some(openssl) = flux_tests::process::program("openssl") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().to_owned();
    let port = flux_tests::process::free_port();
    let renew = || {
        let fresh = Certificates::new();
        for name in [
            "ca.pem",
            "server.pem",
            "server.key",
            "client.pem",
            "client.key",
        ] {
            std::fs::copy(fresh.path(name), documents.join(name)).unwrap();
        }
    };
    let put = |n| {
        std::fs::write(documents.join("app.json"), document(n)).unwrap();
        std::fs::write(documents.join("other.json"), document(n)).unwrap();
    };
    renew();
    put(1);
    let at = documents.clone();
    let mut server = flux_tests::process::Process::start(
        "openssl",
        move |_| {
            let mut command = std::process::Command::new(&openssl);
            command
                .current_dir(&at)
                .args([
                    "s_server",
                    "-quiet",
                    "-WWW",
                    "-cert",
                    "server.pem",
                    "-key",
                    "server.key",
                ])
                .args(["-accept", &format!("127.0.0.1:{port}")])
                .args(options);
            command
        },
        move || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(),
    );
    let ca = documents.join("ca.pem").display().to_string();
    let source = |name: &str, poll| {
        let https = source::Https::new(format!("127.0.0.1:{port}"), format!("/{name}"));
        let https = https.ca(ca.clone()).poll(poll);
        let path = |name: &str| documents.join(name).display().to_string();
        Source::watcher(match of_client {
            true => https.client_certificate(path("client.pem"), path("client.key")),
            false => https,
        })
    };
    let quiet = Watched::started(source("other.json", Duration::from_secs(600))).await;
    let watched = Watched::started(source("app.json", Duration::from_millis(200))).await;
    renew();
    put(2);
    tokio::task::block_in_place(|| server.restart());
    watched.sees(2).await;
    assert_eq!(quiet.capacitor.get().n, 1);
    if of_client {
        return;
    }
    // Whom the file names no more is not trusted any more, although its server is well.
    let trusted = std::fs::read(&ca).unwrap();
    std::fs::copy(Certificates::new().path("ca.pem"), &ca).unwrap();
    watched.until("stale", || !watched.is_live()).await;
    put(3);
    std::fs::write(&ca, trusted).unwrap();
    watched.sees(3).await;
}

/// A server that speaks only HTTP/2 answers with its settings.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_http_1_is_named() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
        }
    });
    let source = source::Https::plain(address.to_string(), "/app.json");
    let watched = Watched::starting(Source::watcher(source));
    watched.until("stale", || watched.trouble().is_some()).await;
    let trouble = watched.trouble().unwrap();
    assert_eq!(trouble.kind(), ErrorKind::Configuration, "{trouble}");
    assert!(trouble.to_string().contains("HTTP/1.1"), "{trouble}");
}

/// A `resync` of the layer takes the place of `poll`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_for_ten_times_a_second_at_most_whatever_asks() {
    let web = Web::start().await;
    web.version(1, "ETag: \"1\"", "If-None-Match: \"1\"");
    let source = Source::watcher(web.source()).resync(Duration::from_millis(1));
    let watched = Watched::started(source).await;
    watched.sees(1).await;
    let (begin, before) = (Instant::now(), web.asked());
    web.asked_again(20).await;
    let asked = web.asked() - before;
    let took = begin.elapsed();
    // On a machine that stands still a session may end, and the next one asks at once.
    let least = Duration::from_millis(100) * u32::try_from(asked / 2).unwrap();
    assert!(took >= least, "{asked} questions in {took:?}");
}
