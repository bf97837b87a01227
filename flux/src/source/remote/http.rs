//! How the sources that speak HTTP ask: their client, limits of time and size, and what each status means.

use std::{
    collections::HashSet,
    error::Error,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use flux_syntax::Remote;
use http_body_util::{BodyExt, Collected, Empty, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Bytes,
    header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderName, HeaderValue},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, HttpInfo},
    },
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject};
use tokio::time::timeout;

use super::{
    ANSWER, MAX_SIZE, in_time, innermost,
    retry_after::pause,
    secrets::quoted,
    shared::{Connection, Connections},
    tls::{Certificates, name_cryptography},
    without_secrets,
};
use crate::source::SourceError;

pub(crate) static SERVERS: Connections<Http> = Connections::new();

/// For how long a connection is used again: the name of the server may be another one's by now, while the old one goes on answering.
const LIFETIME: Duration = Duration::from_secs(60);

/// After how long the files are read again before a request, which may make a new connection.
const READ: Duration = Duration::from_secs(1);

/// For how long the words of an answer that is no document are waited for.
const WORDS: Duration = Duration::from_secs(1);

/// A client; its connections are kept for the next request.
pub(crate) struct Http(Mutex<BuiltClient>);

type Inner = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// The client, and the certificates that it connects with.
struct BuiltClient {
    client: Inner,
    connector: HttpsConnector<HttpConnector>,
    /// When its first connection may have been made.
    since: Instant,
    certificates: Certificates,
    /// When the certificates were read.
    read: Instant,
    /// The connections on which a question was answered, by their own addresses: a server may end one that is quiet at any time.
    served: HashSet<SocketAddr>,
}

impl Connection for Http {
    fn is_open(&self) -> bool {
        true
    }
}

/// An answer with its whole body.
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How old it is where a cache on the way gave it by itself, as `Age` shows. More seconds than a number holds are as many as can
    /// be.
    #[cfg(feature = "https")]
    pub(crate) fn age(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(365 * 86_400);
        let age = self.header("age").unwrap_or_default().trim_start();
        let digits = age.bytes().take_while(u8::is_ascii_digit);
        let seconds = digits.fold(0_u64, |seconds, digit| {
            let digit = u64::from(digit - b'0');
            seconds.saturating_mul(10).saturating_add(digit)
        });
        Duration::from_secs(seconds).min(LONGEST)
    }
}

/// What a status that is neither a document nor an absence means.
pub(crate) fn refused(place: &Remote<String>, answer: &HttpAnswer) -> SourceError {
    let (origin, status) = (place.origin(), answer.status);
    // The body of a success is a document, or part of one; that of a redirection names a place whose query may be a secret.
    let said = match status.is_success() || status.is_redirection() {
        true => String::new(),
        false => quoted(place, &answer.body),
    };
    let text = match said.is_empty() || said.starts_with('<') {
        true => format!("{origin}: the server answers {status}"),
        false => format!("{origin}: the server answers {status}: {said}"),
    };
    let error = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceError::permission(text),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => SourceError::transient(text),
        status if status.is_server_error() => SourceError::transient(text),
        status if status.is_redirection() => SourceError::configuration(format!(
            "{text}; redirections are not followed, name the place itself"
        )),
        status if status.is_success() => {
            SourceError::configuration(format!("{text}; only `200 OK` is a document"))
        }
        _ => SourceError::configuration(text),
    };
    let after = answer.header("retry-after");
    match after.and_then(|after| pause(after, answer.header("date"))) {
        Some(pause) => error.after(pause),
        None => error,
    }
}

/// Whether a connection ended without an answer.
fn was_hung_up(error: &hyper_util::client::legacy::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let mut cause = error.source();
    while let Some(error) = cause {
        let hyper = error.downcast_ref::<hyper::Error>();
        let io = error.downcast_ref::<std::io::Error>();
        if hyper.is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
            || io.is_some_and(|error| {
                matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
            })
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// How an answer's body is compressed; none of the two ways to say that it is not.
fn compression(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    (!is_plain).then_some(encoding)
}

impl BuiltClient {
    fn new(place: &Remote<String>, certificates: Certificates) -> Result<Self, SourceError> {
        name_cryptography();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(ANSWER));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let mut tls = tls(place, &certificates)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = HttpsConnector::from((tcp, tls));
        Ok(BuiltClient {
            client: Client::builder(TokioExecutor::new()).build(connector.clone()),
            connector,
            since: Instant::now(),
            certificates,
            read: Instant::now(),
            served: HashSet::new(),
        })
    }

    /// The client, with new connections once the old ones have been used for long enough; a request under way keeps its own.
    fn client(&mut self) -> Inner {
        if self.since.elapsed() > LIFETIME {
            self.client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
            self.since = Instant::now();
            self.served.clear();
        }
        self.client.clone()
    }
}

/// The own address of the connection that an answer came on.
fn answered_on<B>(answer: &hyper::Response<B>) -> Option<SocketAddr> {
    let info = answer.extensions().get::<HttpInfo>();
    info.map(HttpInfo::local_addr)
}

/// The own address of the connection that a question failed on.
fn failed_on(error: &hyper_util::client::legacy::Error) -> Option<SocketAddr> {
    let mut known = hyper::http::Extensions::new();
    error.connect_info()?.get_extras(&mut known);
    known.get::<HttpInfo>().map(HttpInfo::local_addr)
}

impl Http {
    pub(crate) fn new(place: &Remote<String>) -> Result<Self, SourceError> {
        let certificates = Certificates::read(place)?;
        Ok(Http(Mutex::new(BuiltClient::new(place, certificates)?)))
    }

    fn built(&self) -> MutexGuard<'_, BuiltClient> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client for a request, with certificates as they are now: those of the connections that are open may not be trusted any more.
    /// Where they cannot be read or used, as in the middle of a renewal, those before them serve on.
    fn current(&self, place: &Remote<String>) -> Inner {
        let is_due = self.built().read.elapsed() > READ;
        if is_due && let Err(error) = self.renew(place) {
            tracing::debug!(target: "flux", origin = %place.origin(), %error, "certificates are not renewed");
        }
        self.built().client()
    }

    /// Reads the certificates again, and whether they are others than those that a connection was just tried with.
    fn renew(&self, place: &Remote<String>) -> Result<bool, SourceError> {
        let certificates = Certificates::read(place)?;
        let mut built = self.built();
        built.read = Instant::now();
        if built.certificates == certificates {
            return Ok(false);
        }
        *built = BuiltClient::new(place, certificates)?;
        Ok(true)
    }

    /// Whether a connection ended without an answer that had brought one before. It is not used again.
    fn was_quiet(&self, error: &hyper_util::client::legacy::Error) -> bool {
        let on = failed_on(error).filter(|_| was_hung_up(error));
        on.is_some_and(|on| self.built().served.remove(&on))
    }

    /// Sends a request. The certificates may have been renewed since the last connection was made, while another source holds the
    /// client. That a client's certificate is not taken is reported when the connection is made already.
    async fn send(
        &self,
        place: &Remote<String>,
        request: &Request<Empty<Bytes>>,
    ) -> Result<hyper::Response<hyper::body::Incoming>, SourceError> {
        let origin = place.origin();
        let again = |client: Inner| client.request(request.clone());
        let mut answer = again(self.current(place)).await;
        // The server was about to end a quiet connection when it was used again, whoever had used it before.
        while answer.as_ref().is_err_and(|error| self.was_quiet(error)) {
            answer = again(self.current(place)).await;
        }
        if answer.is_err() && self.renew(place)? {
            let client = self.built().client();
            answer = again(client).await;
        }
        let served = answer.as_ref().ok().and_then(answered_on);
        self.built().served.extend(served);
        answer.map_err(|error| {
            let why = innermost(&error);
            let why = without_secrets(place, &why);
            match why.contains("HTTP version") || why.contains("NoApplicationProtocol") {
                true => SourceError::configuration(format!(
                    "{origin}: the server does not speak HTTP/1.1 ({why}); one that speaks only HTTP/2 needs HTTP/1.1 switched on"
                )),
                false => SourceError::transient(format!("{origin}: {why}")),
            }
        })
    }

    /// Asks for `path` on the place's server, and waits no longer than `limit` for the whole answer.
    pub(crate) async fn get(
        &self,
        place: &Remote<String>,
        path: &str,
        headers: impl IntoIterator<Item = (HeaderName, String)>,
        limit: Duration,
    ) -> Result<HttpAnswer, SourceError> {
        let origin = place.origin();
        let wrong = |what: &dyn std::fmt::Display| {
            SourceError::configuration(format!(
                "{origin}: cannot be asked for: {}",
                without_secrets(place, &what.to_string())
            ))
        };
        let scheme = if place.tls() { "https" } else { "http" };
        let host = place.hosts.first().map_or("", String::as_str);
        let port = match (
            host.ends_with(']') || !host.contains(':'),
            place.servers().pop(),
        ) {
            (true, Some((_, port))) => format!(":{port}"),
            _ => String::new(),
        };
        let mut request = Request::get(format!("{scheme}://{host}{port}{path}"))
            .body(Empty::new())
            .map_err(|error| wrong(&error))?;
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(&value).map_err(|error| wrong(&error))?;
            value.set_sensitive(name == AUTHORIZATION);
            request.headers_mut().insert(name, value);
        }
        let plain = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, plain);
        let answer = async {
            let answer = self.send(place, &request).await?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, MAX_SIZE + 1).collect();
            if parts.status != StatusCode::OK {
                // It is no document, and what is wrong is in its head: its words may be compressed, endless or cut.
                let words = timeout(WORDS, body).await;
                let words = words.ok().and_then(Result::ok);
                let words = words.filter(|_| compression(&parts.headers).is_none());
                return Ok(HttpAnswer {
                    status: parts.status,
                    headers: parts.headers,
                    body: words.map(Collected::to_bytes).unwrap_or_default(),
                });
            }
            if let Some(compression) = compression(&parts.headers) {
                return Err(SourceError::configuration(format!(
                    "{origin}: the answer is compressed ({compression}), which was not asked for; switch it off for this document"
                )));
            }
            let body = body
                .await
                .map_err(|error| match error.is::<LengthLimitError>() {
                    true => SourceError::configuration(format!(
                        "{origin} holds more than the limit of 16 MiB"
                    )),
                    false => SourceError::transient(format!(
                        "{origin}: the answer broke off: {}",
                        innermost(&*error)
                    )),
                })?;
            Ok(HttpAnswer {
                status: parts.status,
                headers: parts.headers,
                body: body.to_bytes(),
            })
        };
        match in_time(limit, answer).await {
            Some(answer) => answer,
            None => Err(SourceError::transient(format!(
                "{origin}: no answer within {limit:?}"
            ))),
        }
    }
}

fn tls(place: &Remote<String>, certificates: &Certificates) -> Result<ClientConfig, SourceError> {
    let origin = place.origin();
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        SourceError::configuration(format!("{origin}: {what}: {error}"))
    };
    let mut roots = RootCertStore::empty();
    match &certificates.ca {
        Some(pem) => {
            for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| wrong("`ca` is not PEM", &error))?;
                roots
                    .add(certificate)
                    .map_err(|error| wrong("`ca` holds no certificate", &error))?;
            }
        }
        None if place.tls() => {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
        }
        None => {}
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    match &certificates.client {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = rustls::pki_types::CertificateDer::pem_slice_iter(certificate)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| wrong("`cert` is not PEM", &error))?;
            let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| wrong("`cert_key` is not PEM", &error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong("`cert` and `cert_key` do not fit", &error))
        }
    }
}

/// A key as part of a path: slashes stay.
#[cfg(feature = "consul")]
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_connection_is_used_again_for_a_minute() {
        use std::{
            io::Read,
            net::TcpListener,
            sync::{
                Arc,
                atomic::{AtomicUsize, Ordering::SeqCst},
            },
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                counted.fetch_add(1, SeqCst);
                std::thread::spawn(move || {
                    while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        let _ = stream.write_all(answer);
                    }
                });
            }
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let http = Http::new(&place).unwrap();
        // Answers how many connections the request has made.
        let ask = async || {
            let before = made.load(SeqCst);
            let answer = http.get(&place, "/", [], ANSWER).await;
            assert_eq!(answer.unwrap().status, StatusCode::OK);
            made.load(SeqCst) - before
        };
        // A connection goes back to the others some time after its answer has been read.
        let used_again = async || {
            for n in 0..60 {
                tokio::time::sleep(Duration::from_millis(10 * n)).await;
                if ask().await == 0 {
                    return true;
                }
            }
            false
        };
        assert_eq!(ask().await, 1);
        assert!(used_again().await);
        let before = Instant::now().checked_sub(LIFETIME * 2).unwrap();
        http.built().since = before;
        assert_eq!(ask().await, 1);
        assert!(used_again().await);
    }

    /// As where its patience with quiet connections is the pause between two questions.
    #[tokio::test]
    async fn a_server_that_hangs_up_as_a_connection_is_used_again_is_asked_on_a_new_one() {
        use crate::source::remote::fake;
        let known = Mutex::new(std::collections::HashSet::new());
        let address = fake::web(move |_, client| {
            let is_new = known.lock().unwrap().insert(client.peer_addr().unwrap());
            match is_new {
                true => client.write_all(&fake::found("", "{}")).unwrap(),
                false => client.shutdown(std::net::Shutdown::Both).unwrap(),
            }
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let http = Http::new(&place).unwrap();
        for _ in 0..10 {
            let answer = http.get(&place, "/", [], ANSWER).await;
            assert_eq!(answer.unwrap().status, StatusCode::OK);
            // The connection goes back to the others.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Who has answered nobody is asked once.
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = std::sync::Arc::clone(&asked);
        let address = fake::web(move |_, client| {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            client.shutdown(std::net::Shutdown::Both).unwrap();
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let http = Http::new(&place).unwrap();
        let refused = http.get(&place, "/", [], ANSWER).await;
        assert!(refused.is_err());
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    }

    /// Whether a question is asked again depends on the connection alone, and not on what other sources on the server were answered.
    #[tokio::test]
    async fn what_one_source_was_answered_does_not_decide_for_another_on_the_same_client() {
        use crate::source::remote::fake;
        let known = Mutex::new(std::collections::HashSet::new());
        let (noted, questions) = std::sync::mpsc::channel();
        let address = fake::web(move |head, client| {
            let is_new = known.lock().unwrap().insert(client.peer_addr().unwrap());
            let is_refused = head.starts_with("GET /refused ");
            noted.send(is_refused).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            match is_new && !is_refused {
                true => client.write_all(&fake::found("", "{}")).unwrap(),
                false => client.shutdown(std::net::Shutdown::Both).unwrap(),
            }
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let http = Http::new(&place).unwrap();
        let ask = async |path| http.get(&place, path, [], ANSWER).await.is_ok();
        let refused = || questions.try_iter().filter(|refused| *refused).count();
        // On a connection of its own, while the other one was served before and is being served.
        assert!(ask("/").await);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (served, other) = tokio::join!(ask("/"), ask("/refused"));
        assert!(served && !other);
        assert_eq!(refused(), 1, "asked again");
        // Three quiet connections, and a source that is refused on the first ones.
        let three = tokio::join!(ask("/"), ask("/"), ask("/"));
        assert_eq!(three, (true, true, true));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (other, served) = tokio::join!(ask("/refused"), ask("/"));
        assert!(served && !other, "{served}");
    }

    #[cfg(feature = "https")]
    #[test]
    fn an_age_beyond_any_number_is_as_old_as_can_be() {
        let age = |age: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("age", HeaderValue::from_static(age));
            let answer = HttpAnswer {
                status: StatusCode::OK,
                headers,
                body: Bytes::new(),
            };
            answer.age().as_secs()
        };
        let year = 365 * 86_400;
        assert_eq!(age("99999999999999999999999"), year);
        assert_eq!(age("18446744073709551615"), year);
        assert_eq!(age(" 7 "), 7);
        assert_eq!(age("7, 0"), 7, "the first one counts");
        assert_eq!(age("7.5"), 7);
        assert_eq!(age("new"), 0);
    }

    #[tokio::test]
    async fn an_answer_that_is_no_document_is_what_its_head_says_however_its_words_are_sent() {
        use crate::source::remote::fake;
        let heads = [
            "404 Not Found\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1f}x",
            "304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n",
            "503 Busy\r\nRetry-After: 7\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nzz",
            "503 Busy\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\ncut",
            "503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
            "200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}",
            "200 OK\r\nContent-Encoding: \r\nContent-Length: 2\r\n\r\n{}",
        ];
        for head in heads {
            let address = fake::web(move |_, client| {
                client
                    .write_all(format!("HTTP/1.1 {head}").as_bytes())
                    .unwrap();
                if head.ends_with("cut") {
                    client.shutdown(std::net::Shutdown::Both).unwrap();
                }
            });
            let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
            let http = Http::new(&place).unwrap();
            let answer = http.get(&place, "/", [], ANSWER).await;
            let answer = answer.unwrap_or_else(|error| panic!("{head}: {error}"));
            assert!(head.starts_with(answer.status.as_str()), "{head}");
            if head.starts_with("503") {
                let error = refused(&place, &answer);
                assert_eq!(error.retry_after(0.0), Duration::from_secs(7), "{head}");
                assert!(!error.to_string().contains("zz"), "{error}");
            }
        }
        let address = fake::web(|_, client| {
            let packed = fake::found("Content-Encoding: gzip\r\n", "zz");
            client.write_all(&packed).unwrap();
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let answer = Http::new(&place).unwrap();
        let refused = answer.get(&place, "/", [], ANSWER).await.err().unwrap();
        assert!(
            refused.to_string().contains("compressed (gzip)"),
            "{refused}"
        );
    }

    #[test]
    fn a_server_may_ask_for_a_pause() {
        let place = Remote::new(flux_syntax::Scheme::Https)
            .host("h")
            .piece("/a");
        let mut answer = HttpAnswer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let asked = |answer: &HttpAnswer| refused(&place, answer).retry_after(0.0);
        assert_eq!(asked(&answer), Duration::ZERO);
        let after = HeaderValue::from_static("120");
        answer.headers.insert("retry-after", after);
        assert_eq!(asked(&answer), Duration::from_secs(120));
    }

    #[test]
    fn the_body_of_a_success_or_a_redirection_is_never_quoted() {
        let place = Remote::new(flux_syntax::Scheme::Https)
            .host("h")
            .piece("/app.json");
        for status in [203, 206, 302, 307] {
            let answer = HttpAnswer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Bytes::from_static(b"{\"password\": \"swordfish\"}"),
            };
            let error = refused(&place, &answer);
            assert!(!error.to_string().contains("swordfish"), "{error}");
        }
    }
}
