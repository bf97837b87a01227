//! Certificates for servers and clients, made for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A folder with `ca.pem`, what it vouches for (`server.pem`, `client.pem`, each with its `.key`), and `other.pem`, which
/// vouches for nobody here.
pub struct Certificates {
    folder: TempDir,
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

impl Certificates {
    /// New ones.
    pub fn new() -> Self {
        let certificates = Certificates {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        certificates.renew();
        certificates
    }

    /// New ones in the places of the old ones, of new authorities. Who has read the old ones goes on with them.
    pub fn renew(&self) {
        self.issue(None);
    }

    /// The same, where that of the server has expired by `end`.
    pub fn renew_until(&self, end: SystemTime) {
        let end = end.duration_since(SystemTime::UNIX_EPOCH);
        self.issue(Some(end.expect("later than 1970")));
    }

    /// The certificate of the server expires so long after 1970, if it does.
    fn issue(&self, server_expires: Option<Duration>) {
        let write = |name: &str, text: String| {
            let beside = self.folder.path().join("new");
            std::fs::write(&beside, text).expect("a file");
            std::fs::rename(&beside, self.path(name)).expect("a file");
        };
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let key = KeyPair::generate().expect("a key");
            let certificate = params.self_signed(&key).expect("a certificate");
            (certificate.pem(), Issuer::new(params, key))
        };
        let (ca, issuer) = authority("flux tests");
        write("ca.pem", ca);
        write("other.pem", authority("somebody else").0);
        for name in ["server", "client"] {
            let hosts = ["127.0.0.1".to_owned(), "localhost".to_owned()];
            let mut params = CertificateParams::new(hosts).expect("host names");
            params.distinguished_name.push(DnType::CommonName, name);
            if let Some(expires) = server_expires.filter(|_| name == "server") {
                params.not_after = date_time_ymd(1970, 1, 1) + expires;
            }
            let key = KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, &issuer).expect("a certificate");
            write(&format!("{name}.pem"), certificate.pem());
            write(&format!("{name}.key"), key.serialize_pem());
        }
    }

    /// Where one of them is, or is not.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}
