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
    feature = "zookeeper"
))]
pub(crate) fn name_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// How a connection is secured: whom it trusts, and the client's certificate.
#[cfg(feature = "zookeeper")]
pub(crate) fn client_config(
    place: &Remote<String>,
    certificates: &Certificates,
) -> Result<rustls::ClientConfig, SourceError> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    name_cryptography();
    let origin = place.origin();
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        SourceError::configuration(format!("{origin}: {what}: {error}"))
    };
    let mut roots = rustls::RootCertStore::empty();
    match &certificates.ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| wrong("`ca` is not PEM", &error))?;
                roots
                    .add(certificate)
                    .map_err(|error| wrong("`ca` holds no certificate", &error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
    let Some((certificate, key)) = &certificates.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong("`cert` is not PEM", &error))?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| wrong("`cert_key` is not PEM", &error))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| wrong("`cert` and `cert_key` do not fit", &error))
}
