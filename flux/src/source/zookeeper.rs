//! Watches one node of ZooKeeper, by one-shot watches that are set in the same call that reads. Every ten seconds the leader is
//! asked whether the node is still the one that was read: the server drops the event of a watch whose owner may not read any more.

use std::time::Duration;

use flux_syntax::{Remote, Scheme};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, interval, timeout},
};
use zookeeper_client::{Client, Error, OneshotWatcher, SessionState, Stat};

use super::{
    Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, RESYNC, answered, checked, document, members,
        shared::{Connection, Connections, Lease},
        without_secrets,
    },
};

/// A session lasts so long without its client; the server may shorten it.
const SESSION: Duration = Duration::from_secs(10);

static SERVERS: Connections<ZooKeeperSession> = Connections::new();

struct ZooKeeperSession(Client);

impl Connection for ZooKeeperSession {
    fn is_open(&self) -> bool {
        !self.0.state().is_terminated()
    }
}

/// Which version of a node was read; none where there is no node. Never compared for order. The rights are part of it.
type Version = Option<(i64, i64, i32)>;

fn version(stat: &Stat) -> Version {
    Some((stat.czxid, stat.mzxid, stat.aversion))
}

/// Watches the data of one node of a ZooKeeper ensemble; one that does not exist is waited for.
///
/// The URI is `zookeeper://host:2181,host:2181/PATH`. A user and a password (`user:${PASSWORD}@`) authenticate by the scheme
/// `digest`; the node's ACL must grant `READ`.
///
/// ```
/// use flux::{Source, source::ZooKeeper};
///
/// let source = Source::watcher(ZooKeeper::new("127.0.0.1:2181", "app/config").credentials("app", "secret"));
/// ```
#[derive(Clone)]
pub struct ZooKeeper {
    place: Remote<String>,
    client: Option<Client>,
}

remote::options_of_a_server!(ZooKeeper);

impl ZooKeeper {
    /// The node on the server at `host`, such as `127.0.0.1:2181`; [`server`](ZooKeeper::server) names further ones.
    pub fn new(host: impl Into<String>, path: impl Into<String>) -> Self {
        let path = path.into().trim_start_matches('/').to_owned();
        Self::at(Remote::new(Scheme::ZooKeeper).host(host).piece(path))
    }

    /// The node, by a client of your own; its session is not shared.
    pub fn with_client(client: Client, path: impl Into<String>) -> Self {
        ZooKeeper {
            client: Some(client),
            ..Self::new("client", path)
        }
    }

    /// One more server of the ensemble.
    #[must_use]
    pub fn server(mut self, host: impl Into<String>) -> Self {
        self.place = self.place.host(host);
        self
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        ZooKeeper {
            place,
            client: None,
        }
    }

    async fn connect(&self) -> Result<ZooKeeperSession, SourceError> {
        let place = &self.place;
        let mut connector = Client::connector()
            .with_session_timeout(SESSION)
            .with_connection_timeout(ANSWER)
            .with_fail_eagerly();
        if let Some(password) = &place.password {
            let user = place.user.as_deref().unwrap_or_default();
            connector = connector.with_auth("digest", format!("{user}:{password}").as_bytes());
        }
        let servers = answering(place.addresses(), place.tls()).await.join(",");
        let connected = timeout(SESSION, async {
            match place.tls() {
                true => secured(place, connector, &servers).await,
                false => connector
                    .connect(&servers)
                    .await
                    .map_err(|error| self.classified(&error)),
            }
        });
        match connected.await {
            Ok(client) => client.map(ZooKeeperSession),
            Err(_) => Err(SourceError::transient(format!(
                "{}: no session within {SESSION:?}",
                place.origin()
            ))),
        }
    }

    /// Reads the node and sets a watch, in one call; of a node that does not exist the watch is for its creation.
    async fn read(
        &self,
        client: &Client,
    ) -> Result<(Observation, Version, OneshotWatcher), SourceError> {
        let path = self.path();
        let ask = async {
            loop {
                match client.get_and_watch_data(&path).await {
                    Ok((data, stat, watcher)) => {
                        let revision = Some(stat.mzxid.to_string());
                        let observation = document(&self.place, data, revision);
                        return Ok((observation, version(&stat), watcher));
                    }
                    Err(Error::NoNode) => {}
                    Err(error) => return Err(self.classified(&error)),
                }
                match client.check_and_watch_stat(&path).await {
                    Ok((None, watcher)) => return Ok((Observation::Absent, None, watcher)),
                    // It was created in between: read it.
                    Ok((Some(_), _)) => {}
                    Err(error) => return Err(self.classified(&error)),
                }
            }
        };
        answered(&self.place, ask).await?
    }

    fn path(&self) -> String {
        format!("/{}", self.place.at(0))
    }

    /// Asks the leader, by way of the server, whether the node is still what was read. This needs no right to read it.
    async fn still_holds(&self, client: &Client, seen: Version) -> Result<bool, SourceError> {
        let path = self.path();
        let ask = async {
            client.sync(&path).await?;
            client.check_stat(&path).await
        };
        let stat = answered(&self.place, ask).await?;
        let stat = stat.map_err(|error| self.classified(&error))?;
        Ok(stat.as_ref().and_then(version) == seen)
    }

    /// Waits until the server has all that the leader had. A session remembers what its client has seen, and no server shows it less; a
    /// new session has seen nothing, and a server that lags behind would show it what was replaced long ago.
    async fn caught_up(&self, client: &Client) -> Result<(), SourceError> {
        let path = self.path();
        let caught_up = answered(&self.place, client.sync(&path)).await?;
        caught_up.map_err(|error| self.classified(&error))
    }

    fn classified(&self, error: &Error) -> SourceError {
        let origin = self.place.origin();
        let said = without_secrets(&self.place, &error.to_string());
        match error {
            Error::NoAuth => SourceError::permission(format!(
                "{origin}: not authorized; the node's ACL must grant READ to this user"
            )),
            Error::AuthFailed => SourceError::permission(format!("{origin}: {said}")),
            Error::BadArguments(_) => SourceError::configuration(format!("{origin}: {said}")),
            _ => SourceError::transient(format!("{origin}: {said}")),
        }
    }
}

/// The servers that answer, in the order in which they are to be asked: the client asks one after the other, and waits for each.
async fn answering(servers: Vec<String>, tls: bool) -> Vec<String> {
    match servers.len() {
        0 | 1 => servers,
        _ => members::answering(servers, |server| answers(server, tls)).await,
    }
}

/// Whether a server answers at all. One that does not grant the word refuses it, and one that does not take part in the handshake
/// reports the reason, which is an answer too.
async fn answers(server: String, tls: bool) -> bool {
    let question = match tls {
        true => client_hello(&server),
        false => b"ruok".to_vec(),
    };
    let ask = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&question).await?;
        stream.read(&mut [0; 16]).await
    };
    ask.await.is_ok_and(|length| length > 0)
}

/// The beginning of a handshake with the server at this address.
#[cfg(feature = "zookeeper-tls")]
fn client_hello(server: &str) -> Vec<u8> {
    use rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};
    remote::tls::name_cryptography();
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let host = host.trim_matches(['[', ']']).to_owned();
    let mut hello = Vec::new();
    if let Ok(name) = ServerName::try_from(host) {
        // Whom to trust is a question for later.
        let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
        let config = std::sync::Arc::new(config.with_no_client_auth());
        if let Ok(mut connection) = ClientConnection::new(config, name) {
            let _ = connection.write_tls(&mut hello);
        }
    }
    hello
}

#[cfg(not(feature = "zookeeper-tls"))]
fn client_hello(_: &str) -> Vec<u8> {
    Vec::new()
}

#[cfg(feature = "zookeeper-tls")]
async fn secured(
    place: &Remote<String>,
    connector: zookeeper_client::Connector,
    servers: &str,
) -> Result<Client, SourceError> {
    use zookeeper_client::TlsOptions;
    remote::tls::name_cryptography();
    let origin = place.origin();
    let masked = |error: &dyn std::fmt::Display| without_secrets(place, &error.to_string());
    let wrong = |error: &dyn std::fmt::Display| {
        SourceError::configuration(format!("{origin}: {}", masked(error)))
    };
    let certificates = remote::tls::Certificates::read(place)?;
    let Some(ca) = &certificates.ca else {
        return Err(wrong(
            &"TLS needs the certificates that vouch for the server: `ca=/path/ca.pem`",
        ));
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut options = TlsOptions::new()
        .with_pem_ca(&text(ca))
        .map_err(|error| wrong(&error))?;
    if let Some((certificate, key)) = &certificates.client {
        options = options
            .with_pem_identity(&text(certificate), &text(key))
            .map_err(|error| wrong(&error))?;
    }
    let connected = connector.with_tls(options).secure_connect(servers).await;
    connected.map_err(|error| SourceError::transient(format!("{origin}: {}", masked(&error))))
}

#[cfg(not(feature = "zookeeper-tls"))]
async fn secured(
    place: &Remote<String>,
    _: zookeeper_client::Connector,
    _: &str,
) -> Result<Client, SourceError> {
    Err(SourceError::configuration(format!(
        "{}: TLS needs the cargo feature `zookeeper-tls` of flux",
        place.origin()
    )))
}

impl Watcher for ZooKeeper {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.place.duration("resync").unwrap_or(RESYNC))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        observer.holds_for(BEAT + ANSWER);
        let session = match &self.client {
            Some(client) => Lease::own(ZooKeeperSession(client.clone())),
            None => {
                SERVERS
                    .lease(self.place.server(), observer.was_live(), self.connect())
                    .await?
            }
        };
        let client = &session.0;
        let mut states = client.state_watcher();
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        beat.reset();
        self.caught_up(client).await?;
        loop {
            let asked = Instant::now();
            let (observation, seen, watcher) = self.read(client).await?;
            observer.as_of(asked).observe(observation);
            let mut changed = std::pin::pin!(watcher.changed());
            loop {
                tokio::select! {
                    _ = &mut changed => break,
                    () = resync.due() => break,
                    state = states.changed() => match state {
                        SessionState::Disconnected => {
                            let lost = format!("{}: disconnected", self.place.origin());
                            observer.failing(SourceError::transient(lost));
                        }
                        state if state.is_terminated() => {
                            return Err(SourceError::transient(format!(
                                "{}: the session has ended ({state:?})",
                                self.place.origin()
                            )));
                        }
                        // Connected again: what was missed is read.
                        _ => break,
                    },
                    _ = beat.tick() => {
                        if states.peek_state() != SessionState::SyncConnected {
                            continue;
                        }
                        let asked = Instant::now();
                        match self.still_holds(client, seen).await {
                            Ok(true) => observer.as_of(asked).live(),
                            Ok(false) => break,
                            // The session may outlive it.
                            Err(error) => observer.failing(error),
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that reads what comes, and answers where it begins like this.
    async fn server(beginning: &'static [u8]) -> String {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut read = vec![0; beginning.len()];
                if client.read_exact(&mut read).await.is_ok() && read == beginning {
                    client.write_all(b"an answer").await.unwrap();
                }
                open.push(client);
            }
        });
        address
    }

    #[tokio::test]
    async fn a_server_that_is_silent_is_left_out() {
        let silent = server(b"nobody begins like this").await;
        let good = server(b"ruok").await;
        let answering = answering(vec![silent, good.clone()], false).await;
        assert_eq!(answering, [good]);
    }

    #[cfg(feature = "zookeeper-tls")]
    #[tokio::test]
    async fn a_server_that_is_silent_in_the_handshake_is_left_out() {
        let silent = server(b"nobody begins like this").await;
        // The record of a handshake, of the first version that has records like these.
        let good = server(b"\x16\x03\x01").await;
        let answering = answering(vec![silent, good.clone()], true).await;
        assert_eq!(answering, [good]);
    }

    #[test]
    fn the_digest_is_not_shown() {
        let source = ZooKeeper::new("h", "/app").credentials("bob", "hunter2");
        assert_eq!(source.origin(), "zookeeper://h/app");
        assert!(!format!("{source:?}").contains("hunter2"));
    }
}
