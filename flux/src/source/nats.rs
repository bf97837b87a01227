//! Watches one key of a bucket of NATS' key-value store. The bucket's stream is followed from the key's last message on; every ten
//! seconds the leader of the stream is asked whether it is still as it was then, and the key is read again where it is not. An answer
//! counts where a leader gave it that has a majority: a server that is cut off answers by itself.

mod connection;
mod followed;
mod led;
mod open;

use std::time::Duration;

use async_nats::{
    Client,
    jetstream::{
        self,
        consumer::{DeliverPolicy, push::OrderedConfig},
        context::{GetStreamError, GetStreamErrorKind},
        stream::{self, Stream},
    },
};
use flux_syntax::{Remote, Scheme};
use futures_util::StreamExt;
use tokio::time::{Instant, interval, sleep_until};

use self::{
    connection::NatsLink,
    followed::{Followed, FollowedKey, Unfollow, is_deletion, is_unchanged},
    open::open,
};
use super::{
    Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, answered, checked, document, lost, members,
        shared::{Connections, Lease},
        without_secrets,
    },
};

static SERVERS: Connections<NatsLink> = Connections::new();

/// How often the stream is followed anew at most.
const SPACING: Duration = Duration::from_millis(100);

/// Watches one key of a JetStream key-value bucket.
///
/// The URI is `nats://host:4222/BUCKET/KEY`; several servers as `nats://a:4222,b:4222/BUCKET/KEY`. A token is written where a user
/// would: `nats://${NATS_TOKEN}@host/BUCKET/KEY`. What a bucket loses without a word, because its stream was purged or its
/// messages expired, is found within some ten seconds.
///
/// A user needs the rights to publish to `$JS.API.STREAM.INFO.KV_BUCKET`, `$JS.API.CONSUMER.CREATE.KV_BUCKET` (with `.>` too) and
/// `$JS.FC.>`, and to subscribe to `_INBOX.>`. With the right to publish to `$JS.API.CONSUMER.DELETE.KV_BUCKET.>` its consumer is gone
/// from the server when it stops, and half a minute later without.
///
/// ```
/// use flux::{Source, source::Nats};
///
/// let source = Source::watcher(Nats::new("127.0.0.1:4222", "settings", "app.yaml")).format(flux::Format::Yaml);
/// ```
#[derive(Clone)]
pub struct Nats {
    place: Remote<String>,
    client: Option<Client>,
}

remote::options_of_a_server!(Nats);

impl Nats {
    /// The key in the bucket on the server at `host`, such as `127.0.0.1:4222`.
    pub fn new(host: impl Into<String>, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self::at(
            Remote::new(Scheme::Nats)
                .host(host)
                .piece(bucket)
                .piece(key),
        )
    }

    /// The key, by a client of your own, which reconnects as you configured it.
    pub fn with_client(client: Client, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        let info = client.server_info();
        Nats {
            client: Some(client),
            ..Self::new(format!("{}:{}", info.host, info.port), bucket, key)
        }
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Nats {
            place,
            client: None,
        }
    }

    /// One more server.
    #[must_use]
    pub fn server(mut self, host: impl Into<String>) -> Self {
        self.place.hosts.push(host.into());
        self
    }

    /// The token that the server asks for.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.set("token", token)
    }

    /// A credentials file, as `nsc` writes it.
    #[must_use]
    pub fn credentials_file(self, path: impl Into<String>) -> Self {
        self.set("creds", path)
    }

    fn stream(&self) -> String {
        format!("KV_{}", self.place.at(0))
    }

    async fn session(&self, connected: &NatsLink, observer: &Observer) -> Result<(), SourceError> {
        let jetstream = jetstream::new(connected.client.clone());
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        beat.reset();
        let mut events = connected.events.subscribe();
        loop {
            let begin = Instant::now();
            // Asked for each time: a bucket that was made anew is another stream.
            let stream = self.ask(connected, jetstream.get_stream(self.stream()));
            let stream = stream.await?.map_err(|error| self.no_bucket(&error))?;
            self.is_led(stream.cached_info())?;
            let mut newest = stream.cached_info().state.last_sequence;
            let reader = observer.as_of(begin);
            let mut followed = self.follow(connected, &stream, &reader).await?;
            loop {
                tokio::select! {
                    message = followed.messages.next() => {
                        let message = message.ok_or_else(|| lost(&self.place))?;
                        let message = message.map_err(|error| self.wrong(&error))?;
                        let info = message.info().map_err(|error| self.wrong(&*error))?;
                        let number = info.stream_sequence;
                        let observation = match is_deletion(&message) {
                            true => Observation::Absent,
                            false => document(&self.place, &message.payload, Some(number.to_string())),
                        };
                        newest = newest.max(number);
                        // The first message answers the question for the last one, if there was one.
                        match std::mem::take(&mut followed.is_read) {
                            true => reader.read_at(number, observation),
                            false => observer.announced_at(number, observation),
                        }
                    }
                    _ = events.changed() => connected.is_well(&self.place)?,
                    // A line on which the answer takes longer than the pause between two readings is read all the same.
                    () = resync.due(), if !followed.is_read => break,
                    // A server that is cut off from the others goes on sending the heartbeats of its consumers.
                    _ = beat.tick() => {
                        let asked = Instant::now();
                        match self.is_as_read(connected, &stream, &followed.key, newest).await? {
                            true if !followed.is_read => observer.as_of(asked).live(),
                            // What was to come is gone since, or the stream holds something else, and nothing announces that.
                            _ => break,
                        }
                    }
                }
            }
            sleep_until(begin + SPACING).await;
        }
    }

    /// Whether nothing happened in the stream since it was read. What happened may have been announced, and may not: the client begins to
    /// follow behind the last number that it has had, and an older copy that was put back may hold another message under it; a stream that
    /// is purged, or whose messages expire, announces nothing.
    async fn is_as_read(
        &self,
        connected: &NatsLink,
        stream: &Stream,
        key: &FollowedKey,
        newest: u64,
    ) -> Result<bool, SourceError> {
        let (now, _) = self.info(connected, stream, &key.subject).await?;
        self.keeps_up(&now, key)?;
        // One that went back to when it was read has not what was seen since.
        Ok(now.state.last_sequence == newest && is_unchanged(stream.cached_info(), &now))
    }

    /// What the leader of the stream reports of it, and whether it holds a message of the subject.
    async fn info(
        &self,
        connected: &NatsLink,
        stream: &Stream,
        subject: &str,
    ) -> Result<(stream::Info, bool), SourceError> {
        let asked = async {
            let mut subjects = stream.info_with_subjects(subject).await?;
            let first = subjects.next().await.transpose()?;
            Ok::<_, stream::InfoError>((subjects.info, first.is_some()))
        };
        match self.ask(connected, asked).await? {
            Ok(info) => self.is_led(&info.0).map(|()| info),
            Err(error) => {
                // One that is missing is named.
                let jetstream = jetstream::new(connected.client.clone());
                let stream = self.ask(connected, jetstream.get_stream(self.stream()));
                stream.await?.map_err(|error| self.no_bucket(&error))?;
                Err(self.wrong(&error))
            }
        }
    }

    /// The answer, unless the server refuses: it reports that beside the answer, which then never comes.
    async fn ask<T>(
        &self,
        connected: &NatsLink,
        answer: impl Future<Output = T>,
    ) -> Result<T, SourceError> {
        let mut events = connected.events.subscribe();
        let refused = async {
            loop {
                if let Err(error) = connected.is_well(&self.place) {
                    return error;
                }
                if events.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            biased;
            answer = answered(&self.place, answer) => answer,
            error = refused => Err(error),
        }
    }

    /// Follows the key from its last message on. The server answers at once whether there is one.
    async fn follow(
        &self,
        connected: &NatsLink,
        stream: &Stream,
        observer: &Observer,
    ) -> Result<Followed, SourceError> {
        let mirrored = stream.cached_info().config.mirror.as_ref();
        let bucket = mirrored.map_or(self.place.at(0), |origin| {
            origin.name.trim_start_matches("KV_")
        });
        let subject = format!("$KV.{bucket}.{}", self.place.at(1));
        let consumer = stream.create_consumer(OrderedConfig {
            deliver_subject: connected.client.new_inbox(),
            description: Some("flux".to_owned()),
            filter_subject: subject.clone(),
            deliver_policy: DeliverPolicy::LastPerSubject,
            ..OrderedConfig::default()
        });
        let consumer = self.ask(connected, consumer).await?;
        let consumer = consumer.map_err(|error| self.wrong(&error))?;
        let end = Unfollow {
            client: connected.client.clone(),
            stream: stream.cached_info().config.name.clone(),
            consumer: consumer.cached_info().name.clone(),
        };
        let server = consumer.cached_info().cluster.as_ref();
        let server = server.and_then(|cluster| cluster.leader.clone());
        let nothing = consumer.cached_info().num_pending == 0;
        let messages = self.ask(connected, consumer.messages()).await?;
        let messages = messages.map_err(|error| self.wrong(&error))?;
        // The consumer may be where the stream lags behind: only its leader knows that there is nothing. What there is comes.
        let is_absent = nothing && !self.info(connected, stream, &subject).await?.1;
        if is_absent {
            observer.absent();
        }
        Ok(Followed {
            messages,
            is_read: !is_absent,
            key: FollowedKey { subject, server },
            _end: end,
        })
    }

    /// A leader gave the answer, it has a majority, and what the bucket mirrors, if it does, reaches it.
    fn is_led(&self, info: &stream::Info) -> Result<(), SourceError> {
        if !led::by_a_majority(info.cluster.as_ref()) {
            return Err(self.wrong("the bucket has no leader with a majority of its servers"));
        }
        match led::is_fed(info.mirror.as_ref(), &info.sources) {
            true => Ok(()),
            false => {
                Err(self.wrong("the bucket mirrors another one, and has lost contact with it"))
            }
        }
    }

    /// The server that has the consumer is in contact with the leader of the stream.
    fn keeps_up(&self, info: &stream::Info, key: &FollowedKey) -> Result<(), SourceError> {
        match led::keeps_up(info.cluster.as_ref(), key.server.as_deref()) {
            true => Ok(()),
            false => {
                Err(self.wrong("the server that is followed has lost the leader of the bucket"))
            }
        }
    }

    fn no_bucket(&self, error: &GetStreamError) -> SourceError {
        match error.kind() {
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
            {
                let (origin, bucket) = (self.place.origin(), self.place.at(0));
                SourceError::configuration(format!(
                    "{origin}: there is no bucket `{bucket}`; `nats kv add {bucket}` makes it"
                ))
            }
            _ => self.wrong(error),
        }
    }

    fn wrong(&self, error: &(impl std::fmt::Display + ?Sized)) -> SourceError {
        let text = without_secrets(&self.place, &error.to_string());
        SourceError::transient(format!("{}: {text}", self.place.origin()))
    }
}

impl Watcher for Nats {
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
        observer.holds_for(BEAT + ANSWER + led::CONTACT);
        let connected = match &self.client {
            Some(client) => Lease::own(NatsLink::of(client.clone())),
            None => {
                SERVERS
                    .lease(&self.place, observer.was_live(), self.connect())
                    .await?
            }
        };
        let ended = self.session(&connected, observer).await;
        // What it refuses is the reason, whatever came of it.
        connected.refusal(&self.place)?;
        if let (Err(error), Some(address)) = (&ended, &connected.address)
            && error.kind() == super::ErrorKind::Transient
        {
            members::was_silent(address);
        }
        ended
    }
}

impl Nats {
    /// Connects to the server that answers first. The client's own way through its servers waits for each.
    async fn connect(&self) -> Result<NatsLink, SourceError> {
        members::first(&self.place, |address| self.connect_to(address)).await
    }

    async fn connect_to(&self, address: String) -> Result<NatsLink, SourceError> {
        let connected = open(&self.place, address).await?;
        self.knock(&connected).await?;
        Ok(connected)
    }

    /// Whether the leader of a stream can be asked by way of this server: one that is cut off from the others takes connections all the
    /// same. What it has of the bucket is the matter of each session.
    async fn knock(&self, connected: &NatsLink) -> Result<(), SourceError> {
        if self.place.hosts.len() < 2 {
            return Ok(());
        }
        let jetstream = jetstream::new(connected.client.clone());
        let asked = self
            .ask(connected, jetstream.get_stream(self.stream()))
            .await;
        match asked {
            Ok(Ok(stream)) => self.is_led(stream.cached_info()),
            Ok(Err(error)) => match error.kind() {
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(())
                }
                _ => Err(self.wrong(&error)),
            },
            // What it refuses to one it may grant to another.
            Err(error) if error.kind() == super::ErrorKind::Permission => Ok(()),
            Err(error) => Err(error),
        }
    }
}
