//! etcd: one key. It is read at a revision, and watched from the next one on.

use std::time::Duration;

use etcd_client::{
    Certificate, Client, ConnectOptions, Error, EventType, GetOptions, GetResponse, Identity,
    KeyValue, TlsOptions, WatchOptions, WatchStream,
};
use flux_syntax::{Remote, Scheme};
use tokio::time::{Instant, interval, sleep_until};

use super::{
    Observation, Observer, Revision, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, MAX_SIZE, answered, checked, document, lost,
        shared::{self, Connections, Lease},
        tls::Certificates,
        without_secrets,
    },
};

static SERVERS: Connections<shared::Client<Client>> = Connections::new();

/// How often a watch is begun again at most, where the server ends each one.
const SPACING: Duration = Duration::from_millis(100);

/// Watches one key of an etcd cluster.
///
/// The URI is `etcd://host:2379/KEY`; several members as `etcd://a:2379,b:2379/KEY`. A key that begins with a slash is written
/// with two: `etcd://host:2379//registry/app`.
///
/// ```
/// use flux::{Source, source::Etcd};
///
/// let source = Source::watcher(Etcd::new("10.0.0.1:2379", "app/config").member("10.0.0.2:2379"));
/// ```
#[derive(Clone)]
pub struct Etcd {
    place: Remote<String>,
    client: Option<Client>,
    seen: Seen,
}

/// The newest revision that was read. A store whose revisions went back is another one: it was restored, or made anew.
#[derive(Clone, Copy, Default)]
struct Seen {
    store: u64,
    revision: u64,
}

impl Seen {
    fn read(&mut self, revision: i64) -> Revision {
        let number = revision.unsigned_abs();
        if number < self.revision {
            self.store += 1;
        }
        self.revision = number;
        self.at(revision)
    }

    fn at(self, revision: i64) -> Revision {
        Revision {
            incarnation: self.store,
            number: revision.unsigned_abs(),
        }
    }
}

remote::options_of_a_server!(Etcd);

impl Etcd {
    /// The key on the member at `host`, such as `127.0.0.1:2379`.
    pub fn new(host: impl Into<String>, key: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Etcd).host(host).piece(key))
    }

    /// One more member of the cluster.
    #[must_use]
    pub fn member(mut self, host: impl Into<String>) -> Self {
        self.place.hosts.push(host.into());
        self
    }

    /// The key, by a client of your own. `name` is what reports call the cluster.
    pub fn with_client(client: Client, name: impl Into<String>, key: impl Into<String>) -> Self {
        Etcd {
            client: Some(client),
            ..Self::new(name, key)
        }
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Etcd {
            place,
            client: None,
            seen: Seen::default(),
        }
    }

    async fn session(
        &mut self,
        client: &shared::Client<Client>,
        observer: &Observer,
    ) -> Result<(), SourceError> {
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        loop {
            let begin = Instant::now();
            let revision = self.read(client, observer).await?;
            let mut watch = self.follow(client, revision + 1).await?;
            loop {
                tokio::select! {
                    message = watch.message() => {
                        let message = message.map_err(|error| self.wrong(&error))?;
                        let message = message.ok_or_else(|| lost(&self.place))?;
                        if message.canceled() || message.compact_revision() > 0 {
                            self.refused(message.cancel_reason())?;
                            break;
                        }
                        match message.events().last() {
                            Some(event) => self.changed(event.event_type(), event.kv(), observer),
                            None => observer.live(),
                        }
                    }
                    () = resync.due() => {
                        self.read(client, observer).await?;
                    }
                    // The answer is a message without events; without one the session is ended as silent.
                    _ = beat.tick() => {
                        let asked = answered(&self.place, watch.request_progress()).await?;
                        asked.map_err(|error| self.wrong(&error))?;
                    }
                }
            }
            sleep_until(begin + SPACING).await;
        }
    }

    /// Reads the key, at the newest revision that a majority agrees on.
    async fn read(
        &mut self,
        client: &shared::Client<Client>,
        observer: &Observer,
    ) -> Result<i64, SourceError> {
        let mut reader = client.kv_client().max_decoding_message_size(2 * MAX_SIZE);
        let answer = answered(&self.place, reader.get(self.place.at(0), None)).await?;
        let answer: GetResponse = answer.map_err(|error| self.wrong(&error))?;
        let revision = answer.header().map_or(0, |header| header.revision());
        let observation = match answer.kvs().first() {
            Some(found) => self.document(found),
            None => Observation::Absent,
        };
        observer.observe_at(self.seen.read(revision), observation);
        Ok(revision)
    }

    async fn follow(
        &self,
        client: &shared::Client<Client>,
        revision: i64,
    ) -> Result<WatchStream, SourceError> {
        let options = WatchOptions::new()
            .with_start_revision(revision)
            .with_progress_notify();
        let mut watcher = client
            .watch_client()
            .max_decoding_message_size(2 * MAX_SIZE);
        let watch = answered(&self.place, watcher.watch(self.place.at(0), Some(options)));
        watch.await?.map_err(|error| self.wrong(&error))
    }

    fn changed(&self, change: EventType, key: Option<&KeyValue>, observer: &Observer) {
        let Some(key) = key else {
            return observer.live();
        };
        let observation = match change {
            EventType::Put => self.document(key),
            EventType::Delete => Observation::Absent,
        };
        observer.observe_at(self.seen.at(key.mod_revision()), observation);
    }

    fn document(&self, found: &KeyValue) -> Observation {
        let revision = found.mod_revision().to_string();
        document(&self.place, found.value(), Some(revision))
    }

    /// The server ended the watch: because history was compacted, which a new reading mends, or for a reason of its own.
    fn refused(&self, reason: &str) -> Result<(), SourceError> {
        let origin = self.place.origin();
        if reason.contains("permission denied") || reason.contains("auth") {
            return Err(SourceError::permission(format!("{origin}: {reason}")));
        }
        tracing::debug!(target: "flux", %origin, reason, "the watch was ended; reading again");
        Ok(())
    }

    fn wrong(&self, error: &Error) -> SourceError {
        let text = match error {
            Error::GRpcStatus(status) => status.message().to_owned(),
            error => error.to_string(),
        };
        let text = without_secrets(&self.place, &text);
        let text = format!("{}: {text}", self.place.origin());
        /// The numbers of gRPC's `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `PERMISSION_DENIED` and `UNAUTHENTICATED`.
        const REFUSED: [i32; 4] = [3, 9, 7, 16];
        match error {
            Error::GRpcStatus(status) if REFUSED.contains(&(status.code() as i32)) => {
                SourceError::permission(text)
            }
            Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => {
                SourceError::configuration(text)
            }
            _ => SourceError::transient(text),
        }
    }
}

impl Watcher for Etcd {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.place.duration("resync").unwrap_or(remote::RESYNC))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        let client = match &self.client {
            Some(client) => Lease::own(shared::Client::new(client.clone())),
            None => {
                SERVERS
                    .lease(self.place.server(), observer.was_live(), self.connect())
                    .await?
            }
        };
        let ended = self.session(&client, observer).await;
        client.give_up();
        ended
    }
}

impl Etcd {
    async fn connect(&self) -> Result<shared::Client<Client>, SourceError> {
        let mut options = ConnectOptions::new()
            .with_connect_timeout(ANSWER)
            .with_keep_alive(BEAT, ANSWER)
            .with_require_leader(true)
            .with_auto_token_refresh(true);
        if self.place.tls() {
            options = options.with_tls(self.certificates()?);
        }
        let connect = async |options| {
            let client = Client::connect(self.place.addresses(), Some(options));
            answered(&self.place, client).await
        };
        let mut client = match (&self.place.user, &self.place.password) {
            (Some(user), Some(password)) => {
                connect(options.clone().with_user(user, password)).await?
            }
            _ => connect(options.clone()).await?,
        };
        // Who is known by name is welcome too where nobody is asked for one.
        if let Err(Error::GRpcStatus(status)) = &client
            && status.message().contains("authentication is not enabled")
        {
            client = connect(options).await?;
        }
        let client = client.map_err(|error| self.wrong(&error))?;
        self.knock(&client).await?;
        Ok(shared::Client::new(client))
    }

    /// The client connects when it is first used. It is not shared before the cluster answers, so that one asks and not all.
    async fn knock(&self, client: &Client) -> Result<(), SourceError> {
        let least = GetOptions::new().with_keys_only().with_limit(1);
        let mut reader = client.kv_client();
        // Each question may go to a member that is down, and is then refused at once.
        let mut tries = match self.place.hosts.len() {
            0 | 1 => 1,
            members => 2 * members,
        };
        loop {
            let answer = reader.get(self.place.at(0), Some(least.clone()));
            let answer = answered(&self.place, answer).await?;
            tries -= 1;
            match answer.map_err(|error| self.wrong(&error)) {
                // What it refuses to one it may grant to another.
                Err(error) if error.kind() != super::ErrorKind::Transient => return Ok(()),
                Err(error) if tries == 0 => return Err(error),
                Err(_) => {}
                Ok(_) => return Ok(()),
            }
        }
    }

    fn certificates(&self) -> Result<TlsOptions, SourceError> {
        let certificates = Certificates::read(&self.place)?;
        let mut tls = match certificates.ca {
            Some(ca) => TlsOptions::new().ca_certificate(Certificate::from_pem(ca)),
            None => TlsOptions::new().with_native_roots(),
        };
        if let Some((certificate, key)) = certificates.client {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        Ok(tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_was_made_anew_is_told_by_its_revisions() {
        let mut seen = Seen::default();
        let old = seen.read(30);
        assert!(seen.at(29).is_before(old), "history");
        assert!(!seen.read(30).is_before(old) && !seen.read(31).is_before(old));
        let new = seen.read(2);
        assert!(!new.is_before(old) && seen.at(1).is_before(new));
    }
}
