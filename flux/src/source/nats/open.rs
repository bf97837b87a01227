//! How one server of NATS is connected to: the user, the certificates, and what a refusal means.

use std::{sync::Arc, time::Duration};

use async_nats::{ConnectErrorKind, ConnectOptions};
use flux_syntax::Remote;
use tokio::sync::watch;

use super::connection::{NatsLink, NatsReport};
use crate::source::{
    SourceError,
    off_the_worker::{READ, read_for},
    remote::{
        ANSWER, answered,
        tls::{Certificates, name_cryptography, read_file, words},
        without_secrets,
    },
};

/// A quiet connection is asked this often; it is lost when it does not answer three times.
const PING: Duration = Duration::from_secs(5);

/// Connects to the server at `address`.
pub(super) async fn open(place: &Remote<String>, address: String) -> Result<NatsLink, SourceError> {
    let told = Arc::new(NatsReport::default());
    let events = watch::channel(()).0;
    let (tell, event) = (Arc::clone(&told), events.clone());
    let mut options = ConnectOptions::new()
        .name("flux")
        .connection_timeout(ANSWER)
        .request_timeout(Some(ANSWER))
        .ping_interval(PING)
        // Connecting again is the supervisor's; the client cannot be configured to leave it altogether.
        .max_reconnects(1)
        .ignore_discovered_servers()
        .event_callback(move |happened| {
            if tell.note(&happened) {
                event.send_replace(());
            }
            std::future::ready(())
        });
    options = match (&place.user, &place.password, place.get("token")) {
        (Some(user), Some(password), _) => {
            options.user_and_password(user.clone(), password.clone())
        }
        (Some(token), None, _) | (_, _, Some(token)) => options.token(token.clone()),
        _ => options,
    };
    if place.get("creds").is_some() {
        options = read_for(place, READ, {
            let place = place.clone();
            move || {
                let path = place.get("creds").map_or("", String::as_str);
                let read = read_file(&place, "creds", path)?;
                let options = options.credentials(&String::from_utf8_lossy(&read));
                options.map_err(|error| {
                    let origin = place.origin();
                    SourceError::configuration(format!(
                        "{origin}: the file `{path}` of `creds` has no credentials: {error}"
                    ))
                })
            }
        })
        .await?;
    }
    if place.tls() {
        // The client reads the files by itself, but reports less of what is wrong with them.
        Certificates::read(place, READ, |_, _| Ok(())).await?;
        name_cryptography();
        options = options.require_tls(true);
    }
    if let Some(ca) = place.get("ca") {
        options = options.add_root_certificates(ca.into());
    }
    if let (Some(certificate), Some(key)) = (place.get("cert"), place.get("cert_key")) {
        options = options.add_client_certificate(certificate.into(), key.into());
    }
    let client = answered(place, options.connect(address.clone())).await?;
    let client = client.map_err(|error| {
        let text = without_secrets(place, &words(&error));
        let text = format!("{}: {text}", place.origin());
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                SourceError::permission(text)
            }
            ConnectErrorKind::ServerParse => SourceError::configuration(text),
            _ => SourceError::transient(text),
        }
    })?;
    Ok(NatsLink {
        client,
        told,
        events,
        address: Some(address),
    })
}
