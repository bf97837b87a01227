//! Watches one node of ZooKeeper, by one-shot watches that are set in the same call that reads. Every ten seconds the leader is
//! asked whether the node is still the one that was read: the server drops the event of a watch whose owner may not read any more.

mod connection;
#[cfg(test)]
mod fake;
mod frames;
mod jute;
mod refusal;
mod session;

use std::{sync::Arc, time::Duration};

use flux_syntax::{Remote, Scheme};
use rustls::pki_types::ServerName;
use tokio::{
    net::TcpStream,
    time::{Instant, interval, sleep_until},
};
use tokio_rustls::TlsConnector;

use self::{
    connection::{Duplex, NodeChange},
    jute::NodeStat,
    refusal::{Unanswered, classified},
    session::ZooKeeperSession,
};
use super::{
    Observation, Observer, SourceError, Watcher,
    off_the_worker::READ,
    remote::{
        self, ANSWER, BEAT, DEADLINE, MAX_SIZE, RESYNC,
        anew::{IDLE, Watches},
        answered, checked, document, members,
        shared::Connections,
        tls::{Certificates, client_config, words},
        without_secrets,
    },
};

static SERVERS: Connections<ZooKeeperSession> = Connections::new();

/// Which version of a node was read; none where there is no node. Never compared for order. The rights are part of it.
type Version = Option<(i64, i64, i32)>;

fn version(stat: &NodeStat) -> Version {
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
}

remote::options_of_a_server!(ZooKeeper);

impl ZooKeeper {
    /// The node on the server at `host`, such as `127.0.0.1:2181`; [`server`](ZooKeeper::server) names further ones.
    pub fn new(host: impl Into<String>, path: impl Into<String>) -> Self {
        let path = path.into().trim_start_matches('/').to_owned();
        Self::at(Remote::new(Scheme::ZooKeeper).host(host).piece(path))
    }

    /// One more server of the ensemble.
    #[must_use]
    pub fn server(mut self, host: impl Into<String>) -> Self {
        self.place = self.place.host(host);
        self
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        ZooKeeper { place }
    }

    async fn connect(&self) -> Result<ZooKeeperSession, SourceError> {
        let place = &self.place;
        let tls = match place.tls() {
            true => {
                let config =
                    Certificates::read(place, READ, |place, files| client_config(place, &files));
                Some(TlsConnector::from(Arc::new(config.await?)))
            }
            false => None,
        };
        members::first(place, |address| {
            let tls = tls.clone();
            async move { answered(place, self.connect_to(address, tls)).await? }
        })
        .await
    }

    async fn connect_to(
        &self,
        address: String,
        tls: Option<TlsConnector>,
    ) -> Result<ZooKeeperSession, SourceError> {
        let failed = |error: std::io::Error| {
            let why = without_secrets(&self.place, &words(&error));
            SourceError::transient(format!("{}: {why}", self.place.origin()))
        };
        let stream = TcpStream::connect(&address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let stream: Box<dyn Duplex> = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let name = self.server_name(&address)?;
                Box::new(tls.connect(name, stream).await.map_err(failed)?)
            }
        };
        let digest = self.place.password.as_ref().map(|password| {
            let user = self.place.user.as_deref().unwrap_or_default();
            format!("{user}:{password}")
        });
        let begun = ZooKeeperSession::begin(stream, digest).await;
        begun.map_err(|error| classified(&self.place, &error))
    }

    /// The name that a server's certificate must have.
    fn server_name(&self, address: &str) -> Result<ServerName<'static>, SourceError> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_matches(['[', ']']).to_owned();
        ServerName::try_from(host).map_err(|error| {
            let why = without_secrets(&self.place, &error.to_string());
            SourceError::configuration(format!("{}: {why}", self.place.origin()))
        })
    }

    /// Reads the node and sets a watch, in one call; of a node that does not exist the watch is for its creation.
    async fn read(
        &self,
        session: &ZooKeeperSession,
    ) -> Result<(Observation, Version, NodeChange), SourceError> {
        let path = self.path();
        let ask = async {
            loop {
                let is_too_long = match session.data(&path).await {
                    Ok(Some((data, stat, change))) => {
                        let revision = Some(stat.mzxid.to_string());
                        let observation = document(&self.place, data, revision);
                        return Ok((observation, version(&stat), change));
                    }
                    Ok(None) => None,
                    Err(error @ Unanswered::TooLong(_)) => Some(error),
                    Err(error) => return Err(error),
                };
                match (session.watch(&path).await?, is_too_long) {
                    ((None, change), _) => return Ok((Observation::Absent, None, change)),
                    ((Some(stat), change), Some(error)) if is_over(&stat) => {
                        let refused = Observation::Unreadable(classified(&self.place, &error));
                        return Ok((refused, version(&stat), change));
                    }
                    // It was created or replaced in between: read it.
                    ((Some(_), _), _) => {}
                }
            }
        };
        let read = answered(&self.place, ask).await?;
        read.map_err(|error| classified(&self.place, &error))
    }

    fn path(&self) -> String {
        format!("/{}", self.place.at(0))
    }

    /// Asks the leader, by way of the server, whether the node is still what was read. This needs no right to read it.
    async fn still_holds(
        &self,
        session: &ZooKeeperSession,
        seen: Version,
    ) -> Result<bool, SourceError> {
        let path = self.path();
        let ask = async {
            session.sync(&path).await?;
            session.stat(&path).await
        };
        let stat = answered(&self.place, ask).await?;
        let stat = stat.map_err(|error| classified(&self.place, &error))?;
        Ok(stat.as_ref().and_then(version) == seen)
    }

    /// Waits until the server has all that the leader had. A new session has seen nothing, and a server that lags behind would show it
    /// what was replaced long ago.
    async fn caught_up(&self, session: &ZooKeeperSession) -> Result<(), SourceError> {
        let path = self.path();
        let caught_up = answered(&self.place, session.sync(&path)).await?;
        caught_up.map_err(|error| classified(&self.place, &error))
    }
}

fn is_over(stat: &NodeStat) -> bool {
    usize::try_from(stat.length).is_ok_and(|length| length > MAX_SIZE)
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
        let session = SERVERS
            .lease(&self.place, observer.was_live(), self.connect())
            .await?;
        let mut ended = std::pin::pin!(session.ended());
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        beat.reset();
        self.caught_up(&session).await?;
        let mut watches = Watches::default();
        let mut before = None;
        loop {
            let asked = Instant::now();
            let (observation, seen, mut change) = self.read(&session).await?;
            observer.as_of(asked).observe(observation);
            // A server may announce changes that are none, as fast as the node is read.
            let was_of_use = before.replace(seen) != Some(seen);
            let pause = watches.pause(was_of_use, IDLE, fastrand::f64());
            loop {
                tokio::select! {
                    biased;
                    error = &mut ended => return Err(classified(&self.place, &error)),
                    _ = &mut change => break,
                    () = resync.due() => break,
                    _ = beat.tick() => {
                        let asked = Instant::now();
                        match self.still_holds(&session, seen).await {
                            Ok(true) => observer.as_of(asked).live(),
                            Ok(false) => break,
                            // The session may outlive it.
                            Err(error) => observer.failing(error),
                        }
                    }
                }
            }
            if !was_of_use {
                tokio::select! {
                    error = &mut ended => return Err(classified(&self.place, &error)),
                    () = sleep_until(asked + pause) => {}
                    () = resync.due() => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
