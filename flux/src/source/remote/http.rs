//! The HTTP client of the sources that speak HTTP.

use std::time::Duration;

use flux_syntax::Remote;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject};

use super::{
    ANSWER, MAX_SIZE, innermost,
    shared::{Connection, Connections},
    tls::{Certificates, name_cryptography},
    without_secrets,
};
use crate::source::SourceError;

pub(crate) static SERVERS: Connections<Http> = Connections::new();

/// A client; its connections are kept for the next request.
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

impl Connection for Http {
    fn is_open(&self) -> bool {
        true
    }
}

/// An answer with its whole body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a status that is neither a document nor an absence means.
pub(crate) fn refused(place: &Remote<String>, answer: &Answer) -> SourceError {
    let (origin, status) = (place.origin(), answer.status);
    let said = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)]);
    let said = without_secrets(place, said.trim());
    let text = match said.is_empty() || said.starts_with('<') {
        true => format!("{origin}: the server answers {status}"),
        false => format!("{origin}: the server answers {status}: {said}"),
    };
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceError::permission(text),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => SourceError::transient(text),
        status if status.is_server_error() => SourceError::transient(text),
        status if status.is_redirection() => SourceError::configuration(format!(
            "{text}; redirections are not followed, name the place itself"
        )),
        _ => SourceError::configuration(text),
    }
}

impl Http {
    pub(crate) fn new(place: &Remote<String>) -> Result<Self, SourceError> {
        name_cryptography();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(ANSWER));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls(place)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Http(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Asks for `path` on the place's server, and waits no longer than `limit` for the whole answer.
    pub(crate) async fn get(
        &self,
        place: &Remote<String>,
        path: &str,
        headers: impl IntoIterator<Item = (HeaderName, String)>,
        limit: Duration,
    ) -> Result<Answer, SourceError> {
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
        let answer = async {
            let answer = self.0.request(request).await.map_err(|error| {
                let why = innermost(&error);
                SourceError::transient(format!("{origin}: {}", without_secrets(place, &why)))
            })?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, MAX_SIZE + 1).collect().await;
            let body = body.map_err(|error| match error.is::<LengthLimitError>() {
                true => SourceError::configuration(format!(
                    "{origin} holds more than the limit of 16 MiB"
                )),
                false => SourceError::transient(format!(
                    "{origin}: the answer broke off: {}",
                    innermost(&*error)
                )),
            })?;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(SourceError::transient(format!(
                "{origin}: no answer within {limit:?}"
            ))),
        }
    }
}

fn tls(place: &Remote<String>) -> Result<ClientConfig, SourceError> {
    let origin = place.origin();
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        SourceError::configuration(format!("{origin}: {what}: {error}"))
    };
    let certificates = Certificates::read(place)?;
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
