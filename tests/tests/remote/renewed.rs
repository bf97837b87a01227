//! Cases of the suite about certificates and passwords, also while they are renewed.

use crate::{
    oracle::BUSY,
    suite::{
        KEY, QUIET,
        Shown::{self, Yes},
    },
    watched::Watched,
    watched::document,
};
use flux::{Source, source::ErrorKind};
use flux_tests::{proxy::Proxy, servers::Remote};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// The server is known by its certificate, and knows the client by its own.
pub(crate) async fn secured_both_ways(server: impl Remote) -> Shown {
    server.write(KEY, &document(1)).await;
    let Some((address, _)) = server.secured() else {
        return Shown::DoesNotApply;
    };
    let source = |ca: &str, is_known| server.secured_source(address, KEY, ca, is_known);
    let stranger = Watched::starting(source("other.pem", true));
    let unknown = Watched::starting(source("ca.pem", false));
    let lost = Watched::starting(source("none.pem", true));
    let known = Watched::started(source("ca.pem", true)).await;
    server.write(KEY, &document(2)).await;
    known.sees(2).await;
    known.has_applied(&[1, 2]);
    for refused in [&stranger, &unknown, &lost] {
        refused.until("stale", || refused.trouble().is_some()).await;
        refused.has_applied(&[]);
    }
    let trouble = lost.trouble().expect("a file is missing");
    assert_eq!(trouble.kind(), ErrorKind::Configuration);
    assert!(trouble.to_string().contains("none.pem"), "{trouble}");
    Yes
}

/// The first password of the guarded user.
pub(crate) const FIRST_PASSWORD: &str = "hunter2";

/// Puts the guarded user's password in the place of the one before.
pub(crate) fn keep_password(folder: &TempDir, password: &str) {
    let (beside, path) = (folder.path().join("new"), folder.path().join("password"));
    std::fs::write(&beside, password).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

/// The source at this URI for the guarded user, whose password is in the folder.
pub(crate) fn with_password_in(folder: &TempDir, uri: String) -> Source {
    let path = folder.path().join("password");
    let user = format!("://guarded:${{file:{}}}@", path.display());
    Source::uri(uri.replacen("://", &user, 1))
}

/// New ones for both sides, of other authorities, while another source shares the connection.
pub(crate) async fn certificates_renewed(mut server: impl Remote) -> Shown {
    let Some((address, _)) = server.secured() else {
        return Shown::DoesNotApply;
    };
    let proxy = Proxy::to(address).await;
    let [watched, quiet] = both(&server, |key| {
        server.secured_source(proxy.address(), key, "ca.pem", true)
    })
    .await;
    for n in 2..=4 {
        let (_, certificates) = server.secured().expect("certificates");
        certificates.renew();
        server.renewed().await;
        // Connections are not ended by what they were made with.
        proxy.hang_up();
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
        quiet.sees(1).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    Yes
}

/// That of the server has expired: while a source is connected, which finds out as it connects anew, and before another one connects.
pub(crate) async fn certificates_expired<R: Remote>(mut server: R) -> Shown {
    let Some((address, certificates)) = server.secured() else {
        return Shown::DoesNotApply;
    };
    let proxy = Proxy::to(address).await;
    let source = |server: &R| server.secured_source(proxy.address(), KEY, "ca.pem", true);
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(source(&server)).await;
    certificates.renew_until(SystemTime::now() - Duration::from_secs(60));
    server.renewed().await;
    proxy.hang_up();
    server.write(KEY, &document(2)).await;
    let changed = Instant::now();
    let late = Watched::starting(source(&server));
    for watched in [&watched, &late] {
        let named = || {
            let text = watched.trouble().map(|trouble| trouble.to_string());
            text.is_some_and(|text| {
                let server = proxy.address().to_string();
                text.contains("certificate has expired") && text.contains(&server)
            })
        };
        watched.until("the reason", named).await;
        let took = changed.elapsed();
        assert!(took < R::BOUND + BUSY, "within the bound: {took:?}");
    }
    late.has_applied(&[]);
    watched.has_applied(&[1]);
    let (_, certificates) = server.secured().expect("certificates");
    certificates.renew();
    server.renewed().await;
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
    late.sees(3).await;
    watched.has_applied(&[1, 3]);
    Yes
}

/// In the file that the URI names, while another source shares the connection.
pub(crate) async fn a_password_changed(server: impl Remote) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    keep_password(&folder, FIRST_PASSWORD);
    server.grant().await;
    let proxy = Proxy::to(server.address()).await;
    let source = |key: &str| with_password_in(&folder, server.uri(proxy.address(), key));
    let [watched, quiet] = both(&server, source).await;
    for n in 2..=4 {
        let password = format!("{FIRST_PASSWORD}-{n}");
        server.rotate(&password).await;
        keep_password(&folder, &password);
        proxy.hang_up();
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
        quiet.sees(1).await;
        let shown = format!("{:?}", watched.capacitor.status());
        assert!(!shown.contains(FIRST_PASSWORD), "{shown}");
    }
    watched.has_applied(&[1, 2, 3, 4]);
    Yes
}

/// Two sources, the second of which is quiet.
async fn both(server: &impl Remote, source: impl Fn(&str) -> Source) -> [Watched; 2] {
    for key in [KEY, QUIET] {
        server.write(key, &document(1)).await;
    }
    [
        Watched::started(source(KEY)).await,
        Watched::started(source(QUIET)).await,
    ]
}
