//! One connection to a Redis server, which tells each source on it of the changes of its key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates, Value, aio::MultiplexedConnection, cmd,
};
use flux_syntax::Remote;
use tokio::{sync::watch, time::Instant};

use crate::source::{
    SourceError,
    remote::{
        ANSWER, BEAT,
        shared::{Connection, Connections},
        tls::{Certificates, name_cryptography},
        unanswered, without_secrets,
    },
};

pub(super) static SERVERS: Connections<Connected> = Connections::new();

/// A connection, and the ears on it.
pub(super) struct Connected {
    client: Client,
    handle: MultiplexedConnection,
    ears: Arc<Ears>,
    tells: bool,
    /// When it last answered.
    answered: tokio::sync::Mutex<Instant>,
}

/// Who wants to be told of which key; none once the connection is lost.
#[derive(Default)]
struct Ears(Mutex<Option<Keys>>);

type Keys = HashMap<Vec<u8>, watch::Sender<()>>;

impl Ears {
    fn keys(&self) -> MutexGuard<'_, Option<Keys>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, push: &PushInfo) {
        let mut keys = self.keys();
        match (&push.kind, push.data.first()) {
            (PushKind::Disconnection, _) => *keys = None,
            (PushKind::Invalidate, Some(Value::Array(changed))) => {
                for key in changed {
                    if let (Value::BulkString(key), Some(keys)) = (key, &*keys)
                        && let Some(ear) = keys.get(key)
                    {
                        ear.send_replace(());
                    }
                }
            }
            // Nothing instead of keys: the whole database was emptied.
            (PushKind::Invalidate, _) => {
                for ear in keys.iter().flatten() {
                    ear.1.send_replace(());
                }
            }
            _ => {}
        }
    }
}

impl Connected {
    /// Whether the server tells of changes on this connection.
    pub(super) fn tells(&self) -> bool {
        self.tells
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Changes with the key, and ends with the connection.
    pub(super) fn changes(&self, key: &[u8]) -> watch::Receiver<()> {
        let mut keys = self.ears.keys();
        let Some(keys) = &mut *keys else {
            // The sender is gone at once, as after a loss.
            return watch::channel(()).1;
        };
        keys.retain(|_, ear| ear.receiver_count() > 0);
        let ear = keys.entry(key.to_vec());
        ear.or_insert_with(|| watch::channel(()).0).subscribe()
    }

    pub(super) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        let value = self.handle.clone().send_packed_command(command).await?;
        value.extract_error()
    }

    /// Asks for a sign of life, unless somebody else just did.
    pub(super) async fn alive(&self, place: &Remote<String>) -> Result<(), SourceError> {
        let mut answered = self.answered.lock().await;
        if answered.elapsed() < BEAT / 2 {
            return Ok(());
        }
        if let Err(refused) = asked(place, self.ask(&cmd("PING"))).await {
            self.give_up();
            return Err(refused.error);
        }
        *answered = Instant::now();
        Ok(())
    }

    /// Nobody uses it any more.
    pub(super) fn give_up(&self) {
        *self.ears.keys() = None;
    }
}

impl Connection for Connected {
    fn is_open(&self) -> bool {
        self.ears.keys().is_some()
    }
}

/// An error with the word that the server gave it.
pub(super) struct Refused {
    pub(super) error: SourceError,
    pub(super) code: Option<String>,
}

pub(super) async fn asked<T>(
    place: &Remote<String>,
    answer: impl Future<Output = RedisResult<T>>,
) -> Result<T, Refused> {
    answer.await.map_err(|error| classified(place, error))
}

pub(super) fn classified(place: &Remote<String>, error: RedisError) -> Refused {
    let origin = place.origin();
    let code = error.code().map(str::to_owned);
    let said = without_secrets(place, &error.to_string());
    let text = format!("{origin}: {said}");
    let error = match (error.kind(), code.as_deref()) {
        _ if error.is_timeout() => unanswered(place),
        (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => SourceError::permission(text),
        (ErrorKind::InvalidClientConfig, _) => SourceError::configuration(text),
        (ErrorKind::Server(ServerErrorKind::Moved), _) => SourceError::configuration(format!(
            "{origin}: the key is on another node of the cluster ({said}); name that node"
        )),
        _ => SourceError::transient(text),
    };
    Refused { error, code }
}

/// The client of the server that `place` names.
pub(super) fn client(place: &Remote<String>) -> Result<Client, SourceError> {
    let wrong = |error| classified(place, error).error;
    let Some((host, port)) = place.servers().pop() else {
        return Err(SourceError::configuration("a `redis:` source needs a host"));
    };
    let db = place.get("db").and_then(|db| db.parse().ok()).unwrap_or(0);
    let mut redis = RedisConnectionInfo::default().set_db(db);
    if let Some(user) = &place.user {
        redis = redis.set_username(user);
    }
    if let Some(password) = &place.password {
        redis = redis.set_password(password);
    }
    if !place.tls() {
        let info = ConnectionAddr::Tcp(host, port).into_connection_info();
        return Client::open(info.map_err(wrong)?.set_redis_settings(redis)).map_err(wrong);
    }
    name_cryptography();
    let certificates = Certificates::read(place)?;
    let secured = ConnectionAddr::TcpTls {
        host,
        port,
        insecure: false,
        tls_params: None,
    };
    let info = secured.into_connection_info().map_err(wrong)?;
    let tls = TlsCertificates {
        client_tls: certificates
            .client
            .map(|(client_cert, client_key)| ::redis::ClientTlsConfig {
                client_cert,
                client_key,
            }),
        root_cert: certificates.ca,
    };
    Client::build_with_tls(info.set_redis_settings(redis), tls).map_err(wrong)
}

/// Connects in the newer protocol, in which the server may tell of changes, else in the older one.
pub(super) async fn connect(
    place: &Remote<String>,
    client: Client,
) -> Result<Connected, SourceError> {
    let ears = Arc::new(Ears(Mutex::new(Some(Keys::new()))));
    let told = Arc::clone(&ears);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER))
        .set_response_timeout(Some(ANSWER));
    let newer = config.clone().set_push_sender(move |push: PushInfo| {
        told.told(&push);
        Ok::<(), std::convert::Infallible>(())
    });
    let speaking = |protocol| {
        let info = client.get_connection_info().clone();
        let redis = info.redis_settings().clone().set_protocol(protocol);
        Client::open(info.set_redis_settings(redis))
    };
    let connected = async {
        let client = speaking(ProtocolVersion::RESP3)?;
        let handle = client.get_multiplexed_async_connection_with_config(&newer);
        Ok((handle.await?, client))
    };
    let (handle, client) = match connected.await {
        Ok(connected) => connected,
        Err(error) if is_older(&error) => {
            let older = async {
                let client = speaking(ProtocolVersion::RESP2)?;
                let handle = client.get_multiplexed_async_connection_with_config(&config);
                Ok((handle.await?, client))
            };
            asked(place, older).await.map_err(|refused| refused.error)?
        }
        Err(error) => return Err(classified(place, error).error),
    };
    let mut connected = Connected {
        client,
        handle,
        ears,
        tells: false,
        answered: tokio::sync::Mutex::new(Instant::now()),
    };
    let mut track = cmd("CLIENT");
    track.arg("TRACKING").arg("ON");
    let newer = connected.client.get_connection_info().redis_settings();
    if newer.protocol() == ProtocolVersion::RESP3 {
        match connected.ask(&track).await {
            Ok(_) => connected.tells = true,
            // The server answered: it does not know the command, or does not grant it.
            Err(error) if error.code().is_some() => {
                tracing::debug!(target: "flux", origin = place.origin(), %error, "no client tracking");
            }
            Err(error) => return Err(classified(place, error).error),
        }
    }
    Ok(connected)
}

/// The server does not speak the newer protocol, or not to us.
fn is_older(error: &RedisError) -> bool {
    error.kind() == ErrorKind::RESP3NotSupported
        || error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
        || error.code() == Some("NOPROTO")
        || error
            .detail()
            .is_some_and(|said| said.starts_with("unknown command"))
}

/// Every text in an answer.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::SimpleString(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Map(pairs) => pairs
            .iter()
            .flat_map(|(name, value)| [texts(name), texts(value)].concat())
            .collect(),
        _ => Vec::new(),
    }
}
