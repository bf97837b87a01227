//! Which certificates a connection is secured with, and the error where they cannot be read.

use flux_syntax::Remote;

use crate::source::{SourceError, error::may_pass};

/// The files that a secured connection needs, read anew for each connection, so that renewed certificates are taken up.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// Who is trusted, in place of whom the system trusts.
    pub(crate) ca: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    pub(crate) fn read(place: &Remote<String>) -> Result<Self, SourceError> {
        let file = |name: &str| {
            let path = place.get(name)?;
            Some(std::fs::read(path).map_err(|error| {
                let text = format!(
                    "{}: the file `{path}` of `{name}` cannot be read: {error}",
                    place.origin()
                );
                match may_pass(&error) {
                    true => SourceError::transient(text),
                    false => SourceError::configuration(text),
                }
            }))
        };
        let client = match (file("cert").transpose()?, file("cert_key").transpose()?) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert, key)),
            _ => {
                return Err(SourceError::configuration(format!(
                    "{}: `cert` and `cert_key` belong together; one is missing",
                    place.origin()
                )));
            }
        };
        Ok(Certificates {
            ca: file("ca").transpose()?,
            client,
        })
    }
}

/// Names the cryptography that rustls uses where the program has named none: a client that asks for the default would panic
/// in a program that has several compiled in.
#[cfg(any(
    feature = "redis",
    feature = "nats",
    feature = "_http",
    feature = "k8s",
    feature = "firestore",
    feature = "zookeeper-tls"
))]
pub(crate) fn name_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
