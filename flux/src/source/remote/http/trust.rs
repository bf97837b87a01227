//! Whom a client over HTTP trusts, and with which certificate it identifies itself.

use flux_syntax::Remote;
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject};

use crate::source::{SourceError, remote::tls::Certificates};

pub(super) fn tls(
    place: &Remote<String>,
    certificates: &Certificates,
) -> Result<ClientConfig, SourceError> {
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
