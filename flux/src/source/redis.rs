//! Watches one key of Redis: the server reports its changes where it can; where it cannot, the key is read again and again.

mod connection;
mod refusal;
mod replication;

use std::time::Duration;

use ::redis::{Value, cmd};
use flux_syntax::{Remote, Scheme};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, interval, sleep_until};

use self::{
    connection::{Connected, SERVERS, connect},
    refusal::{CommandRefused, asked},
};
use super::{
    Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, MAX_SIZE, checked, document, in_time, lost, shared::Lease,
        unanswered,
    },
};

/// A busy key is read this often at most.
const SPACING: Duration = Duration::from_millis(10);
/// How often a key is read whose changes the server does not report.
const POLL: Duration = Duration::from_secs(5);
/// How often a key is read although its server reports changes: some it does not report, such as databases that are swapped.
const RESYNC: Duration = Duration::from_secs(30);
/// The longest pause between two readings of a key that is reported as changed, and is not.
const IDLE: Duration = Duration::from_secs(1);

/// Watches the string at one key of a Redis server, or of one that speaks its protocol.
///
/// Changes are reported by client tracking (Redis 6 and later; nothing to configure), else by keyspace notifications, else found
/// by reading the key every 5 seconds. The URI is `redis://host:6379/KEY?db=0`, `rediss://` for TLS.
///
/// ```
/// use flux::{Source, source::Redis};
///
/// let source = Source::watcher(Redis::new("127.0.0.1:6379", "app/config").db(2));
/// ```
#[derive(Clone)]
pub struct Redis {
    place: Remote<String>,
    client: Option<::redis::Client>,
}

remote::options_of_a_server!(Redis);

impl Redis {
    /// The key on the server at `host`, such as `127.0.0.1:6379`.
    pub fn new(host: impl Into<String>, key: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Redis).host(host).piece(key))
    }

    /// The key, by a client of your own; its connection is not shared.
    pub fn with_client(client: ::redis::Client, key: impl Into<String>) -> Self {
        let address = client.get_connection_info().addr().to_string();
        Redis {
            client: Some(client),
            ..Self::new(address, key)
        }
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Redis {
            place,
            client: None,
        }
    }

    /// The number of the database; 0 by default.
    #[must_use]
    pub fn db(self, db: u32) -> Self {
        self.set("db", db.to_string())
    }

    /// How often the key is read where the server reports no change; 5 seconds by default.
    #[must_use]
    pub fn poll(self, every: Duration) -> Self {
        self.set("poll", flux_syntax::format_duration(every))
    }

    async fn read(&self, connected: &Connected) -> Result<Observation, SourceError> {
        let key = self.place.at(0);
        // One byte more than may be there: of a longer value the rest is not sent.
        let mut range = cmd("GETRANGE");
        range.arg(key).arg(0).arg(MAX_SIZE);
        if let Some(answer) = connected.ask_if_known(&range, &self.place).await {
            match answer {
                Ok(Value::BulkString(bytes)) if bytes.len() > MAX_SIZE => {
                    return Ok(Observation::Unreadable(SourceError::configuration(
                        format!(
                            "{} holds more than the limit of 16 MiB",
                            self.place.origin()
                        ),
                    )));
                }
                // Nothing is also what there is of a key that does not exist.
                Ok(Value::BulkString(bytes)) if bytes.is_empty() => {}
                answer => return self.answered(connected, answer),
            }
        }
        let answer = asked(&self.place, connected.ask(cmd("GET").arg(key))).await;
        self.answered(connected, answer)
    }

    fn answered(
        &self,
        connected: &Connected,
        answer: Result<Value, CommandRefused>,
    ) -> Result<Observation, SourceError> {
        match answer {
            Ok(Value::Nil) => Ok(Observation::Absent),
            Ok(Value::BulkString(bytes)) => Ok(document(&self.place, bytes, None)),
            Ok(Value::SimpleString(text)) => Ok(document(&self.place, text, None)),
            Ok(_) => Ok(self.not_a_string()),
            Err(refused) if refused.code.as_deref() == Some("WRONGTYPE") => Ok(self.not_a_string()),
            Err(refused) => {
                // Whoever did not answer once is asked on a new connection.
                if refused.error.kind() == super::ErrorKind::Transient {
                    connected.give_up();
                }
                Err(refused.error)
            }
        }
    }

    fn not_a_string(&self) -> Observation {
        Observation::Unreadable(SourceError::configuration(format!(
            "{} is not a string; write the document with SET",
            self.place.origin()
        )))
    }

    /// Whether the server is a master, or a replica that has one. What another replica holds may be old.
    async fn replicated(&self, connected: &Connected, observer: &Observer) -> bool {
        match connected.orphaned().await {
            None => true,
            Some(state) => {
                // It answers, which another connection would not change.
                observer.connected();
                observer.failing(SourceError::transient(format!(
                    "{}: the server is a replica that has lost its master ({state}); what it holds may be old",
                    self.place.origin()
                )));
                false
            }
        }
    }

    /// Reports what was read, unless it is that of a replica which has lost its master: it shows nothing of the store as it is now,
    /// and is taken only where nothing was ever received. Returns whether the server is to be believed.
    async fn report(
        &self,
        connected: &Connected,
        observer: &Observer,
        observation: Observation,
    ) -> bool {
        if connected.orphaned().await.is_none() || !observer.was_live() {
            observer.observe(observation);
        }
        self.replicated(connected, observer).await
    }

    /// Follows what the server reports on the shared connection.
    async fn tracked(&self, connected: &Connected, observer: &Observer) -> Result<(), SourceError> {
        // First the listener, then the question: what changes in between is asked for again.
        let mut changes = connected.changes(self.place.at(0).as_bytes());
        let mut resync = observer.resync();
        let mut beat = interval(BEAT);
        let mut spacing = SPACING;
        let mut before = None;
        loop {
            changes.mark_unchanged();
            let read = Instant::now();
            let observation = self.read(connected).await?;
            // A server whose table of keys is full announces changes that are none, as fast as the key is read.
            let now = match &observation {
                Observation::Value(content) => Some(content.bytes.clone()),
                _ => None,
            };
            spacing = match now.is_some() && now == before {
                true => (spacing * 2).min(IDLE),
                false => SPACING,
            };
            before = now;
            // A sign of life on the connection proves nothing of changes that are not announced: only the key does.
            let observer = &observer.as_of(read);
            let mut reported = self.report(connected, observer, observation).await;
            loop {
                tokio::select! {
                    changed = changes.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return Err(lost(&self.place)),
                    },
                    () = resync.due() => break,
                    _ = beat.tick() => {
                        connected.alive(&self.place).await?;
                        match self.replicated(connected, observer).await {
                            true if reported => observer.live(),
                            // What was read while the master was away was not reported.
                            true => break,
                            false => reported = false,
                        }
                    }
                }
            }
            sleep_until(read + spacing).await;
        }
    }

    /// Listens for notifications on a connection of its own, and reads the key every now and then whatever is reported.
    async fn polled(&self, connected: &Connected, observer: &Observer) -> Result<(), SourceError> {
        let mut notifications = self.notifications(connected).await?;
        let mut resync = observer.resync();
        let mut poll = interval(self.place.duration("poll").unwrap_or(POLL));
        loop {
            let read = Instant::now();
            let observation = self.read(connected).await?;
            connected.alive(&self.place).await?;
            self.report(connected, &observer.as_of(read), observation)
                .await;
            tokio::select! {
                told = next(&mut notifications) => if told.is_none() {
                    return Err(lost(&self.place));
                },
                () = resync.due() => {}
                _ = poll.tick() => {}
            }
            sleep_until(read + SPACING).await;
        }
    }

    /// The keyspace notifications of the key; none where the server sends none, which is reported once.
    async fn notifications(
        &self,
        connected: &Connected,
    ) -> Result<Option<impl Stream<Item = ::redis::Msg> + Unpin + use<>>, SourceError> {
        let origin = self.place.origin();
        let every = self.place.duration("poll").unwrap_or(POLL);
        let mut config = cmd("CONFIG");
        config.arg("GET").arg("notify-keyspace-events");
        let answer = match connected.ask(&config).await {
            Ok(answer) => Some(answer),
            Err(error) if refusal::is_never(&error) => None,
            Err(error) => return Err(refusal::classified(&self.place, error).error),
        };
        if let Some(answer) = answer {
            let flags = connection::texts(&answer).pop().unwrap_or_default();
            let on = flags.contains('K') && flags.contains(['A', '$']);
            if !on {
                tracing::warn!(target: "flux", %origin, ?every, "the server reports no change, so the key is read again and again; `CONFIG SET notify-keyspace-events KA` makes it report changes");
                return Ok(None);
            }
        }
        // As a number: `01` is 1 in the name of the channel.
        let db: u32 = self
            .place
            .get("db")
            .and_then(|db| db.parse().ok())
            .unwrap_or(0);
        let channel = format!("__keyspace@{db}__:{}", self.place.at(0));
        // Another connection: with the certificates as they are now.
        let client = match &self.client {
            Some(client) => client.clone(),
            None => connection::client(&self.place).await?,
        };
        let listen = async {
            let mut pubsub = client.get_async_pubsub().await?;
            pubsub.subscribe(channel).await?;
            Ok(pubsub)
        };
        match in_time(ANSWER, listen).await {
            Some(Ok(pubsub)) => Ok(Some(Box::pin(pubsub.into_on_message()))),
            Some(Err(error)) => {
                let never = refusal::is_never(&error);
                let refused = refusal::classified(&self.place, error);
                if !never {
                    return Err(refused.error);
                }
                tracing::warn!(target: "flux", %origin, ?every, error = %refused.error, "notifications are refused, so the key is read again and again");
                Ok(None)
            }
            None => Err(unanswered(&self.place)),
        }
    }
}

async fn next<S: Stream<Item = ::redis::Msg> + Unpin>(
    stream: &mut Option<S>,
) -> Option<::redis::Msg> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

impl Watcher for Redis {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE.max(self.place.duration("poll").unwrap_or(POLL) * 3))
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.place.duration("resync").unwrap_or(RESYNC))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        let poll = self.place.duration("poll").unwrap_or(POLL);
        observer.is_read_every(poll.max(RESYNC), ANSWER);
        let connected: Lease<Connected> = match &self.client {
            Some(client) => Lease::own(connect(&self.place, client.clone()).await?),
            None => {
                let connect = async {
                    let client = connection::client(&self.place).await?;
                    connect(&self.place, client).await
                };
                SERVERS
                    .lease(&self.place, observer.was_live(), connect)
                    .await?
            }
        };
        match connected.tells() {
            true => self.tracked(&connected, observer).await,
            false => self.polled(&connected, observer).await,
        }
    }
}
