//! Which certificates a connection is secured with, and the error where they cannot be read.

use std::{
    io::{Error, ErrorKind, Read},
    time::{Duration, UNIX_EPOCH},
};

use flux_syntax::Remote;

use crate::{
    source::{SourceError, error::may_pass, off_the_worker::read_for},
    time::clock_time,
};

/// A larger file has no certificates, and one without an end is not read to it.
const LARGEST: u64 = 16 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";

/// The files that a secured connection needs, read anew for each connection, so that renewed certificates are taken up.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// Who is trusted, in place of whom the system trusts.
    pub(crate) ca: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    /// Reads them where that keeps no task waiting, and hands them to `used`, which may read those that the system trusts.
    pub(crate) async fn read<T: Send + 'static>(
        place: &Remote<String>,
        limit: Duration,
        used: impl FnOnce(&Remote<String>, Self) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let named = ["ca", "cert", "cert_key"];
        if !place.tls() && named.iter().all(|name| place.get(name).is_none()) {
            return used(place, Certificates::default());
        }
        let of = place.clone();
        read_for(place, limit, move || used(&of, Self::read_here(&of)?)).await
    }

    fn read_here(place: &Remote<String>) -> Result<Self, SourceError> {
        let file = |name: &str| {
            let path = place.get(name)?;
            Some(read_file(place, name, path).and_then(|bytes| in_pem(place, name, path, bytes)))
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

/// The content of a file that the option `name` of a place names.
pub(crate) fn read_file(
    place: &Remote<String>,
    name: &str,
    path: &str,
) -> Result<Vec<u8>, SourceError> {
    let read = || {
        let mut read = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(LARGEST + 1).read_to_end(&mut read)?;
        match read.len() as u64 > LARGEST {
            true => Err(Error::new(
                ErrorKind::InvalidData,
                "it has more than 16 MiB",
            )),
            false => Ok(read),
        }
    };
    read().map_err(|error| {
        let text = format!(
            "{}: the file `{path}` of `{name}` cannot be read: {error}",
            place.origin()
        );
        match may_pass(&error) {
            true => SourceError::transient(text),
            false => SourceError::configuration(text),
        }
    })
}

/// With nobody to trust, every server would be refused as unknown. An empty file is one that is being renewed.
fn in_pem(
    place: &Remote<String>,
    name: &str,
    path: &str,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, SourceError> {
    if bytes.windows(BEGIN.len()).any(|part| part == BEGIN) {
        return Ok(bytes);
    }
    let origin = place.origin();
    let text =
        format!("{origin}: the file `{path}` of `{name}` holds nothing in PEM (`-----BEGIN ..`)");
    Err(match bytes.trim_ascii().is_empty() {
        true => SourceError::transient(text),
        false => SourceError::configuration(text),
    })
}

/// What an error reports: that the server's certificate has expired, where that is the cause. The words around it, of all that stands
/// between rustls and here, report only that something failed.
pub(crate) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    expired(error).unwrap_or_else(|| error.to_string())
}

/// That the server's certificate has expired, where rustls reports that in an error or one of its causes.
pub(crate) fn expired(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).find_map(|text| {
        let (_, reported) = text.split_once("invalid peer certificate: certificate expired")?;
        // Without the time that it is now, so that the sentence stays the same.
        let until = reported.split_once("not valid after ").map(|(_, rest)| rest);
        let until = until.and_then(|rest| rest.split(' ').next()?.parse().ok());
        let until = until.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        let until = until.map(|until| format!(": it was valid until {}", clock_time(until)));
        let until = until.unwrap_or_default();
        Some(format!(
            "the server's certificate has expired{until}, by the clock of this machine; renew it at the server"
        ))
    })
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
#[cfg(any(feature = "_http", feature = "zookeeper"))]
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
            if roots.is_empty() {
                return Err(wrong(
                    "`ca` holds no certificate",
                    &"but something else in PEM",
                ));
            }
        }
        None if place.tls() => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        None => {}
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ErrorKind;
    use flux_syntax::Scheme;

    #[test]
    fn a_file_without_pem_is_named_and_an_empty_one_may_be_renewed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        let read = |bytes: &[u8]| {
            std::fs::write(&ca, bytes).unwrap();
            let path = ca.display().to_string();
            let place = Remote::new(Scheme::Https).host("h").option("ca", path);
            Certificates::read_here(&place).map(drop)
        };
        for (bytes, passes) in [(&b""[..], true), (b" \n", true), (b"\x30\x82\x01", false)] {
            let error = read(bytes).unwrap_err();
            assert_eq!(error.kind() == ErrorKind::Transient, passes, "{error}");
            let text = error.to_string();
            assert!(text.contains("of `ca` holds nothing in PEM"), "{text}");
            assert!(text.contains(&ca.display().to_string()), "{text}");
        }
        assert!(read(b"-----BEGIN CERTIFICATE-----").is_ok());
    }

    #[test]
    fn a_certificate_that_has_expired_is_reported_with_its_time_wherever_that_is_in_the_causes() {
        let of_rustls = "invalid peer certificate: certificate expired: verification time 951782460 (UNIX), but certificate is not valid \
                         after 951782400 (60 seconds ago)";
        let expired = "the server's certificate has expired: it was valid until 2000-02-29 00:00:00 UTC, by the clock";
        assert!(words(&Error::other(of_rustls)).starts_with(expired));
        // An error of input and output that contains another one has its words and not it as its cause.
        let deep = SourceCause(Box::new(Error::other(Error::other(of_rustls))));
        assert!(words(&deep).starts_with(expired));
        let short = Error::other("invalid peer certificate: certificate expired");
        assert!(words(&short).starts_with("the server's certificate has expired, by the clock"));
        let other = "invalid peer certificate: UnknownIssuer";
        assert_eq!(words(&Error::other(other)), other);
    }

    /// Something that failed for a reason that it does not show.
    #[derive(Debug, thiserror::Error)]
    #[error("transport error")]
    struct SourceCause(#[source] Box<Error>);

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_without_an_end_is_refused() {
        let place = Remote::new(Scheme::Etcd).host("h");
        let error = read_file(&place, "ca", "/dev/zero").expect_err("no certificate");
        assert!(error.to_string().contains("more than 16 MiB"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}
