//! How the sources that speak HTTP ask: their client, its connections, and limits of time and size.

mod answer;
mod connection;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use flux_syntax::Remote;
use http_body_util::{BodyExt, Collected, Empty, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderName, HeaderValue},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use tokio::time::timeout;

pub(crate) use self::answer::{HttpAnswer, refused};
use self::{
    answer::compression,
    connection::{Connector, HasAnswered, was_quiet},
};
use super::{
    ANSWER, MAX_SIZE, in_time, innermost, lost,
    secrets::quoted,
    shared::{Connection, Connections},
    tls::{Certificates, client_config, expired},
    without_secrets,
};
use crate::source::{SourceError, off_the_worker::READ};

pub(crate) static SERVERS: Connections<Http> = Connections::new();

/// For how long a connection is used again: the name of the server may be another one's by now, while the old one goes on answering.
const LIFETIME: Duration = Duration::from_secs(60);

/// After how long the files are read again before a request, which may make a new connection.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How long a request waits for files that are read again: those of before serve on.
const READING: Duration = Duration::from_secs(2);

/// For how long the words of an answer that is no document are waited for.
const WORDS: Duration = Duration::from_secs(1);

/// A client; its connections are kept for the next request.
pub(crate) struct Http(Mutex<BuiltClient>);

type Inner = Client<Connector, Empty<Bytes>>;

/// The client, and the certificates that it connects with.
struct BuiltClient {
    client: Inner,
    connector: Connector,
    /// When its first connection may have been made.
    since: Instant,
    certificates: Arc<Certificates>,
    /// When the certificates were read.
    read: Instant,
}

impl Connection for Http {
    fn is_open(&self) -> bool {
        true
    }
}

/// How connections are secured.
struct Secured {
    tls: ClientConfig,
    certificates: Certificates,
}

/// Reads how connections are secured; none where that is as it was `before`.
async fn secured(
    place: &Remote<String>,
    limit: Duration,
    before: Option<Arc<Certificates>>,
) -> Result<Option<Secured>, SourceError> {
    let used = move |place: &Remote<String>, certificates| {
        if before.as_deref() == Some(&certificates) {
            return Ok(None);
        }
        let mut tls = client_config(place, &certificates)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Secured { tls, certificates }))
    };
    Certificates::read(place, limit, used).await
}

impl BuiltClient {
    fn new(Secured { tls, certificates }: Secured) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(ANSWER));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let connector = Connector(HttpsConnector::from((tcp, tls)));
        BuiltClient {
            client: Client::builder(TokioExecutor::new()).build(connector.clone()),
            connector,
            since: Instant::now(),
            certificates: Arc::new(certificates),
            read: Instant::now(),
        }
    }

    /// The client, with new connections once the old ones have been used for long enough; a request under way keeps its own.
    fn client(&mut self) -> Inner {
        if self.since.elapsed() > LIFETIME {
            self.client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
            self.since = Instant::now();
        }
        self.client.clone()
    }
}

impl Http {
    pub(crate) async fn new(place: &Remote<String>) -> Result<Self, SourceError> {
        let secured = secured(place, READ, None).await?;
        let built = secured.map(BuiltClient::new).map(Mutex::new).map(Http);
        // Without any before them they are others.
        built.ok_or_else(|| lost(place))
    }

    fn built(&self) -> MutexGuard<'_, BuiltClient> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client for a request, with certificates as they are now: those of the connections that are open may not be trusted any more.
    /// Where they cannot be read or used, as in the middle of a renewal, those before them serve on.
    async fn current(&self, place: &Remote<String>) -> Inner {
        let is_due = self.built().read.elapsed() > READ_AGAIN;
        if is_due && let Err(error) = self.renew(place).await {
            tracing::debug!(target: "flux", origin = %place.origin(), %error, "certificates are not renewed");
        }
        self.built().client()
    }

    /// Reads the certificates again, and whether they are others than those that a connection was just tried with.
    async fn renew(&self, place: &Remote<String>) -> Result<bool, SourceError> {
        let before = Arc::clone(&self.built().certificates);
        let secured = secured(place, READING, Some(before)).await?;
        let mut built = self.built();
        built.read = Instant::now();
        let is_other = secured.is_some();
        if let Some(secured) = secured {
            *built = BuiltClient::new(secured);
        }
        Ok(is_other)
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
        let mut answer = again(self.current(place).await).await;
        // The server was about to end a quiet connection when it was used again, whoever had used it before.
        while answer.as_ref().is_err_and(was_quiet) {
            answer = again(self.current(place).await).await;
        }
        if answer.is_err() && self.renew(place).await? {
            let client = self.built().client();
            answer = again(client).await;
        }
        if let Ok(answer) = &answer {
            HasAnswered::note(answer);
        }
        answer.map_err(|error| {
            let why = expired(&error).unwrap_or_else(|| innermost(&error));
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
                let compression = quoted(place, compression.as_bytes());
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
                        without_secrets(place, &innermost(&*error))
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
