//! Watches one key of etcd: it is read at a revision, and watched from the next one on. Every ten seconds a majority is asked
//! whether what was seen is still what the key holds.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use etcd_client::{
    Certificate, Client, ConnectOptions, Error, EventType, GetOptions, GetResponse, Identity,
    KeyValue, TlsOptions, WatchOptions, WatchStream,
};
use flux_syntax::{Remote, Scheme};
use tokio::time::{Instant, interval, sleep_until};

use super::{
    Observation, Observer, SourceError, Watcher,
    off_the_worker::READ,
    remote::{
        self, ANSWER, BEAT, DEADLINE, MAX_SIZE,
        anew::{BRIEF, SPACING, Watches},
        answered, checked, document, lost, members,
        shared::{self, Connections, Lease},
        tls::{Certificates, expired, words},
        without_secrets,
    },
};

static SERVERS: Connections<shared::Client<EtcdMember>> = Connections::new();

/// A client of one member, and where that is; nowhere that is known if it is the program's own client.
struct EtcdMember {
    client: Client,
    address: Option<String>,
}

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
}

/// Which version of a key it is; none where there is no key. Never compared for order.
type KeyVersion = Option<(i64, i64, i64)>;

fn version(found: Option<&KeyValue>) -> KeyVersion {
    found.map(|found| {
        (
            found.create_revision(),
            found.mod_revision(),
            found.version(),
        )
    })
}

/// A hash of the key's value. A store that an older copy was put back into, and that was written to since, may hold another value under
/// the numbers that were seen; behind a proxy (`etcd grpc-proxy`) the connection stays meanwhile.
fn value_hash(found: Option<&KeyValue>) -> u64 {
    let mut hasher = DefaultHasher::new();
    found.map(KeyValue::value).hash(&mut hasher);
    hasher.finish()
}

/// What a session has seen last.
#[derive(Clone, Copy)]
struct EtcdRead {
    version: KeyVersion,
    value: u64,
    /// The store's revision when the key was read last.
    revision: i64,
}

impl EtcdRead {
    /// Whether a store at this revision, with this version of the key, is still the one that was seen.
    fn still_holds(self, revision: i64, version: KeyVersion, value: u64) -> bool {
        revision >= self.revision && version == self.version && value == self.value
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
        }
    }

    async fn session(&self, client: &Client, observer: &Observer) -> Result<(), SourceError> {
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        beat.reset();
        let mut watches = Watches::default();
        loop {
            let begin = Instant::now();
            let mut seen = self.read(client, observer).await?;
            let mut watch = self.follow(client, seen.revision + 1).await?;
            // A server that answers late is not one that watches.
            let watched = Instant::now();
            let was_of_use = loop {
                tokio::select! {
                    message = watch.message() => {
                        let message = message.map_err(|error| self.wrong(&error))?;
                        let message = message.ok_or_else(|| lost(&self.place))?;
                        if message.canceled() || message.compact_revision() > 0 {
                            self.refused(message.cancel_reason())?;
                            break watched.elapsed() >= BRIEF;
                        }
                        if let Some(event) = message.events().last() {
                            self.changed(event.event_type(), event.kv(), &mut seen, observer);
                        }
                    }
                    () = resync.due() => break true,
                    // Only a majority answers it. A change that the watch has not announced, and a store that went back, are
                    // read and watched anew.
                    _ = beat.tick() => {
                        let asked = Instant::now();
                        match self.still_holds(client, seen).await? {
                            true => observer.as_of(asked).live(),
                            false => break true,
                        }
                    }
                }
            };
            let pause = watches.pause(was_of_use, BEAT, fastrand::f64());
            sleep_until(begin + SPACING).await;
            tokio::select! {
                () = sleep_until(begin + pause) => {}
                () = resync.due() => {}
            }
        }
    }

    async fn ask(
        &self,
        client: &Client,
        options: Option<GetOptions>,
    ) -> Result<GetResponse, SourceError> {
        let mut reader = client.kv_client().max_decoding_message_size(2 * MAX_SIZE);
        let answer = answered(&self.place, reader.get(self.place.at(0), options)).await?;
        answer.map_err(|error| self.wrong(&error))
    }

    /// Reads the key, at the newest revision that a majority agrees on.
    async fn read(&self, client: &Client, observer: &Observer) -> Result<EtcdRead, SourceError> {
        let asked = Instant::now();
        let answer = self.ask(client, None).await?;
        let revision = answer.header().map_or(0, |header| header.revision());
        let found = answer.kvs().first();
        let observation = found.map_or(Observation::Absent, |found| self.document(found));
        let observer = observer.as_of(asked);
        observer.read_at(revision.unsigned_abs(), observation);
        Ok(EtcdRead {
            version: version(found),
            value: value_hash(found),
            revision,
        })
    }

    /// Asks a majority whether the key is still what was seen of it.
    async fn still_holds(&self, client: &Client, seen: EtcdRead) -> Result<bool, SourceError> {
        let answer = self.ask(client, None).await?;
        let revision = answer.header().map_or(0, |header| header.revision());
        let found = answer.kvs().first();
        Ok(seen.still_holds(revision, version(found), value_hash(found)))
    }

    async fn follow(&self, client: &Client, revision: i64) -> Result<WatchStream, SourceError> {
        let options = WatchOptions::new().with_start_revision(revision);
        let mut watcher = client
            .watch_client()
            .max_decoding_message_size(2 * MAX_SIZE);
        let watch = answered(&self.place, watcher.watch(self.place.at(0), Some(options)));
        watch.await?.map_err(|error| self.wrong(&error))
    }

    fn changed(
        &self,
        change: EventType,
        key: Option<&KeyValue>,
        seen: &mut EtcdRead,
        observer: &Observer,
    ) {
        let Some(key) = key else {
            return;
        };
        let (observation, now) = match change {
            EventType::Put => (self.document(key), Some(key)),
            EventType::Delete => (Observation::Absent, None),
        };
        (seen.version, seen.value) = (version(now), value_hash(now));
        observer.announced_at(key.mod_revision().unsigned_abs(), observation);
    }

    fn document(&self, found: &KeyValue) -> Observation {
        let revision = found.mod_revision().to_string();
        document(&self.place, found.value(), Some(revision))
    }

    /// The server ended the watch: because history was compacted, which a new reading solves, or for a reason of its own.
    fn refused(&self, reason: &str) -> Result<(), SourceError> {
        let origin = self.place.origin();
        let is_refused = reason.contains("permission denied") || reason.contains("auth");
        let reason = without_secrets(&self.place, reason);
        if is_refused {
            return Err(SourceError::permission(format!("{origin}: {reason}")));
        }
        tracing::debug!(target: "flux", %origin, %reason, "the watch was ended; reading again");
        Ok(())
    }

    fn wrong(&self, error: &Error) -> SourceError {
        let text = match error {
            Error::GRpcStatus(status) => {
                expired(status).unwrap_or_else(|| status.message().to_owned())
            }
            error => words(error),
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
        observer.holds_for(BEAT + ANSWER);
        let member = match &self.client {
            Some(client) => Lease::own(shared::Client::new(EtcdMember {
                client: client.clone(),
                address: None,
            })),
            None => {
                SERVERS
                    .lease(&self.place, observer.was_live(), self.connect())
                    .await?
            }
        };
        let ended = self.session(&member.client, observer).await;
        member.give_up();
        if let (Err(error), Some(address)) = (&ended, &member.address)
            && error.kind() == super::ErrorKind::Transient
        {
            members::was_silent(address);
        }
        ended
    }
}

impl Etcd {
    /// Connects to the member that answers first. The client's own choice among several asks a silent one again and again.
    async fn connect(&self) -> Result<shared::Client<EtcdMember>, SourceError> {
        members::first(&self.place, |address| self.connect_to(address)).await
    }

    async fn connect_to(&self, address: String) -> Result<shared::Client<EtcdMember>, SourceError> {
        let mut options = ConnectOptions::new()
            .with_connect_timeout(ANSWER)
            .with_keep_alive(BEAT, ANSWER)
            .with_require_leader(true)
            .with_auto_token_refresh(true);
        if self.place.tls() {
            options = options.with_tls(self.certificates().await?);
        }
        let connect = async |options| {
            let client = Client::connect([address.clone()], Some(options));
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
        Ok(shared::Client::new(EtcdMember {
            client,
            address: Some(address),
        }))
    }

    /// The client connects when it is first used. It is not shared before the member answers, so that one asks and not all.
    async fn knock(&self, client: &Client) -> Result<(), SourceError> {
        let least = GetOptions::new().with_keys_only().with_limit(1);
        match self.ask(client, Some(least)).await {
            Err(error) if error.kind() == super::ErrorKind::Transient => Err(error),
            // What it refuses to one it may grant to another.
            _ => Ok(()),
        }
    }

    async fn certificates(&self) -> Result<TlsOptions, SourceError> {
        let certificates = Certificates::read(&self.place, READ, |_, files| Ok(files)).await?;
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

    /// Where a server goes back behind an open connection, or does not announce a change.
    #[test]
    fn what_the_watch_did_not_announce_is_noticed_when_the_store_is_asked() {
        let seen = EtcdRead {
            version: Some((3, 7, 2)),
            value: 1,
            revision: 9,
        };
        let holds = |revision, version| seen.still_holds(revision, version, 1);
        assert!(holds(9, Some((3, 7, 2))));
        assert!(holds(20, Some((3, 7, 2))), "other keys changed");
        assert!(!holds(20, Some((3, 12, 3))));
        assert!(!holds(20, None));
        assert!(!holds(8, Some((3, 7, 2))), "an older copy");
        // Made anew, with the numbers of another key.
        assert!(!holds(9, Some((7, 7, 1))));
        // An older copy, and the same number of writes since.
        assert!(!seen.still_holds(9, Some((3, 7, 2)), 2));
        let absent = EtcdRead {
            version: None,
            ..seen
        };
        let holds = |revision, version| absent.still_holds(revision, version, 1);
        assert!(holds(9, None) && !holds(10, Some((10, 10, 1))));
    }

    #[test]
    fn a_password_that_the_end_of_a_watch_repeats_is_not_shown() {
        let etcd = Etcd::new("h:2379", "k").credentials("bob", "hunter2");
        let refused = etcd.refused("auth: hunter2 is no password");
        let error = refused.expect_err("it is refused").to_string();
        assert!(error.contains("no password"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
