//! NATS: one key of a bucket of JetStream's key-value store. The bucket's stream is followed from the key's last message on.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, ServerError,
    jetstream::{
        self,
        consumer::{
            DeliverPolicy,
            push::{Ordered, OrderedConfig},
        },
        context::{GetStreamError, GetStreamErrorKind},
        stream::Stream,
    },
};
use flux_syntax::{Remote, Scheme};
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    time::{Instant, interval, sleep_until},
};

use super::{
    Observation, Observer, Revision, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, answered, checked, document, lost,
        shared::{Connection, Connections, Lease},
        tls::{Certificates, name_cryptography},
        without_secrets,
    },
};

static SERVERS: Connections<Connected> = Connections::new();

/// A quiet connection is asked this often; it is lost when it does not answer three times.
const PING: Duration = Duration::from_secs(5);
/// How often the stream is followed anew at most.
const SPACING: Duration = Duration::from_millis(100);
/// Where a consumer is taken away.
const DELETE: &str = "$JS.API.CONSUMER.DELETE";

/// Watches one key of a JetStream key-value bucket.
///
/// The URI is `nats://host:4222/BUCKET/KEY`; several servers as `nats://a:4222,b:4222/BUCKET/KEY`. A token stands where a user
/// would: `nats://${NATS_TOKEN}@host/BUCKET/KEY`. What a bucket loses without a word, because its stream was purged or its
/// messages expired, is found at the next resync.
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

    /// The key, by a client of your own, which reconnects as you told it to.
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

    async fn session(&self, connected: &Connected, observer: &Observer) -> Result<(), SourceError> {
        let jetstream = jetstream::new(connected.client.clone());
        let stream = format!("KV_{}", self.place.at(0));
        let stream = answered(&self.place, jetstream.get_stream(stream)).await?;
        let stream = stream.map_err(|error| self.no_bucket(&error))?;
        let made = incarnation(&stream);
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        let mut ended = connected.ended.subscribe();
        loop {
            let begin = Instant::now();
            let mut followed = self.follow(connected, &stream, observer).await?;
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
                        let revision = Revision { incarnation: made, number };
                        observer.observe_at(revision, observation);
                    }
                    _ = ended.changed() => return Err(lost(&self.place)),
                    () = resync.due() => break,
                    // A lost connection and missed heartbeats end the session, so what goes on is alive.
                    _ = beat.tick() => observer.live(),
                }
            }
            sleep_until(begin + SPACING).await;
        }
    }

    /// Follows the key from its last message on. The server says at once whether there is one.
    async fn follow(
        &self,
        connected: &Connected,
        stream: &Stream,
        observer: &Observer,
    ) -> Result<Followed, SourceError> {
        let mirrored = stream.cached_info().config.mirror.as_ref();
        let bucket = mirrored.map_or(self.place.at(0), |origin| {
            origin.name.trim_start_matches("KV_")
        });
        let consumer = stream.create_consumer(OrderedConfig {
            deliver_subject: connected.client.new_inbox(),
            description: Some("flux".to_owned()),
            filter_subject: format!("$KV.{bucket}.{}", self.place.at(1)),
            deliver_policy: DeliverPolicy::LastPerSubject,
            ..OrderedConfig::default()
        });
        let consumer = answered(&self.place, consumer).await?;
        let consumer = consumer.map_err(|error| self.wrong(&error))?;
        let end = Unfollow {
            client: connected.client.clone(),
            stream: stream.cached_info().config.name.clone(),
            consumer: consumer.cached_info().name.clone(),
        };
        let nothing = consumer.cached_info().num_pending == 0;
        let messages = answered(&self.place, consumer.messages()).await?;
        let messages = messages.map_err(|error| self.wrong(&error))?;
        if nothing {
            observer.absent();
        }
        Ok(Followed {
            messages,
            _end: end,
        })
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

/// The messages of a key, for as long as they are listened to.
struct Followed {
    messages: Ordered,
    _end: Unfollow,
}

/// Takes the consumer from the server when it is dropped. Where the right to do so is missing, the server does it by itself, half a
/// minute later.
struct Unfollow {
    client: Client,
    stream: String,
    consumer: String,
}

impl Drop for Unfollow {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let subject = format!("{DELETE}.{}.{}", self.stream, self.consumer);
        let client = self.client.clone();
        runtime.spawn(async move {
            // Without an answer nobody waits for one that does not come.
            if client.publish(subject, Vec::new().into()).await.is_ok() {
                let _ = tokio::time::timeout(ANSWER, client.flush()).await;
            }
        });
    }
}

/// Which stream it is: one that was made anew counts from the beginning.
fn incarnation(stream: &Stream) -> u64 {
    let mut hasher = DefaultHasher::new();
    stream.cached_info().created.to_string().hash(&mut hasher);
    hasher.finish()
}

/// Whether a message says that the key is gone: deleted, purged, expired.
fn is_deletion(message: &jetstream::Message) -> bool {
    let Some(headers) = &message.headers else {
        return false;
    };
    let said = headers.get("KV-Operation").map(|said| said.as_str());
    matches!(said, Some("DEL" | "PURGE")) || headers.get("Nats-Marker-Reason").is_some()
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
        let connected = match &self.client {
            Some(client) => Lease::own(Connected::of(client.clone())),
            None => {
                SERVERS
                    .lease(self.place.server(), observer.was_live(), self.connect())
                    .await?
            }
        };
        let ended = self.session(&connected, observer).await;
        // The server tells of what it refuses beside the answer, which then never comes.
        match connected.refusal() {
            Some(refusal) => Err(SourceError::permission(format!(
                "{}: {refusal}",
                self.place.origin()
            ))),
            None => ended,
        }
    }
}

impl Nats {
    async fn connect(&self) -> Result<Connected, SourceError> {
        let place = &self.place;
        let told = Arc::new(Told::default());
        let ended = watch::channel(()).0;
        let (tell, end) = (Arc::clone(&told), ended.clone());
        let mut options = ConnectOptions::new()
            .name("flux")
            .connection_timeout(ANSWER)
            .request_timeout(Some(ANSWER))
            .ping_interval(PING)
            // Connecting again is the supervisor's; the client cannot be told to leave it altogether.
            .max_reconnects(place.hosts.len().max(1))
            .event_callback(move |event| {
                tell.note(&event);
                if matches!(event, Event::Disconnected | Event::Closed) {
                    end.send_replace(());
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
        if let Some(path) = place.get("creds") {
            let read = options.credentials_file(path).await;
            options = read.map_err(|error| {
                SourceError::configuration(format!(
                    "{}: the credentials file `{path}` cannot be read: {error}",
                    place.origin()
                ))
            })?;
        }
        if place.tls() {
            // The client reads the files by itself, but says less of what is wrong with them.
            Certificates::read(place)?;
            name_cryptography();
            options = options.require_tls(true);
        }
        if let Some(ca) = place.get("ca") {
            options = options.add_root_certificates(ca.into());
        }
        if let (Some(certificate), Some(key)) = (place.get("cert"), place.get("cert_key")) {
            options = options.add_client_certificate(certificate.into(), key.into());
        }
        let client = answered(place, options.connect(place.addresses())).await?;
        let client = client.map_err(|error| {
            let text = without_secrets(place, &error.to_string());
            let text = format!("{}: {text}", place.origin());
            match error.kind() {
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    SourceError::permission(text)
                }
                ConnectErrorKind::ServerParse => SourceError::configuration(text),
                _ => SourceError::transient(text),
            }
        })?;
        Ok(Connected {
            client,
            told,
            ended,
        })
    }
}

/// A connection, and what the server told of it.
struct Connected {
    client: Client,
    told: Arc<Told>,
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct Told(Mutex<News>);

#[derive(Default)]
struct News {
    lost: bool,
    refusal: Option<String>,
}

impl Told {
    fn news(&self) -> std::sync::MutexGuard<'_, News> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &Event) {
        let mut news = self.news();
        match event {
            Event::Disconnected | Event::Closed => news.lost = true,
            Event::ServerError(ServerError::AuthorizationViolation) => {
                news.refusal = Some("the server refuses the credentials".to_owned());
            }
            Event::ServerError(ServerError::Other(said))
                if said.to_ascii_lowercase().contains("permissions violation")
                    // It goes by itself, too.
                    && !said.contains(DELETE) =>
            {
                news.refusal = Some(said.clone());
            }
            _ => {}
        }
    }
}

impl Connected {
    fn of(client: Client) -> Self {
        Connected {
            client,
            told: Arc::default(),
            ended: watch::channel(()).0,
        }
    }

    /// What the server refused, if it did. The connection is then of no use: rights are those of its beginning.
    fn refusal(&self) -> Option<String> {
        self.told.news().refusal.clone()
    }
}

impl Connection for Connected {
    fn is_open(&self) -> bool {
        let news = self.told.news();
        !news.lost && news.refusal.is_none()
    }
}
