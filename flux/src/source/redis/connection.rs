//! Which sources on a Redis connection are notified of a change of their key, and whether the server notifies at all.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    PushInfo, PushKind, RedisConnectionInfo, RedisResult, TlsCertificates, Value,
    aio::MultiplexedConnection, cmd,
};
use flux_syntax::Remote;
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch, time::Instant};

use super::{
    refusal::{CommandRefused, asked, classified, is_never, is_older},
    replication::Replication,
};
use crate::source::{
    SourceError,
    off_the_worker::READ,
    remote::{
        ANSWER, BEAT,
        shared::{Connection, Connections},
        tls::{Certificates, name_cryptography},
        without_secrets,
    },
};

pub(super) static SERVERS: Connections<Connected> = Connections::new();

/// A connection, and the listeners on it.
pub(super) struct Connected {
    handle: MultiplexedConnection,
    listeners: Arc<KeyListeners>,
    tells: bool,
    /// The server does not know `GETRANGE`, or does not grant it.
    is_read_as_a_whole: AtomicBool,
    /// When it last answered, and what it answered.
    answered: tokio::sync::Mutex<Answered>,
}

struct Answered {
    at: Instant,
    /// Whether the server reports its role.
    role: bool,
    replication: Replication,
}

/// Which source follows which key; none once the connection is lost.
#[derive(Default)]
struct KeyListeners(Mutex<Option<KeyEvents>>);

type KeyEvents = HashMap<Vec<u8>, watch::Sender<()>>;

impl KeyListeners {
    fn keys(&self) -> MutexGuard<'_, Option<KeyEvents>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, push: &PushInfo) {
        let mut keys = self.keys();
        match (&push.kind, push.data.first()) {
            (PushKind::Disconnection, _) => *keys = None,
            (PushKind::Invalidate, Some(Value::Array(changed))) => {
                for key in changed {
                    if let (Value::BulkString(key), Some(keys)) = (key, &*keys)
                        && let Some(listener) = keys.get(key)
                    {
                        listener.send_replace(());
                    }
                }
            }
            // Nothing instead of keys: the whole database was emptied.
            (PushKind::Invalidate, _) => {
                for listener in keys.iter().flatten() {
                    listener.1.send_replace(());
                }
            }
            _ => {}
        }
    }
}

impl Connected {
    /// Whether the server reports changes on this connection.
    pub(super) fn tells(&self) -> bool {
        self.tells
    }

    /// Changes with the key, and ends with the connection.
    pub(super) fn changes(&self, key: &[u8]) -> watch::Receiver<()> {
        let mut keys = self.listeners.keys();
        let Some(keys) = &mut *keys else {
            // The sender is gone at once, as after a loss.
            return watch::channel(()).1;
        };
        keys.retain(|_, listener| listener.receiver_count() > 0);
        let listener = keys.entry(key.to_vec());
        listener.or_insert_with(|| watch::channel(()).0).subscribe()
    }

    pub(super) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        let value = self.handle.clone().send_packed_command(command).await?;
        value.extract_error()
    }

    /// Asks for a part of a value; none where the server does not know or grant that, which is asked once.
    pub(super) async fn ask_if_known(
        &self,
        command: &Cmd,
        place: &Remote<String>,
    ) -> Option<Result<Value, CommandRefused>> {
        if self.is_read_as_a_whole.load(Ordering::Relaxed) {
            return None;
        }
        let answer = async {
            match self.ask(command).await {
                // Another key of the same user may be denied, which concerns that key alone.
                Err(error) if is_never(&error) => {
                    let is_of_key = error.to_string().contains("key");
                    self.is_read_as_a_whole
                        .fetch_or(!is_of_key, Ordering::Relaxed);
                    Ok(None)
                }
                answer => answer.map(Some),
            }
        };
        asked(place, answer).await.transpose()
    }

    /// Asks for a sign of life, unless somebody else just did.
    pub(super) async fn alive(&self, place: &Remote<String>) -> Result<(), SourceError> {
        let mut answered = self.answered.lock().await;
        if answered.at.elapsed() < BEAT / 2 {
            return Ok(());
        }
        let asking = async {
            if answered.role {
                match self.ask(&cmd("ROLE")).await {
                    Ok(role) => {
                        answered.replication.answered(&role, Instant::now());
                        return Ok(());
                    }
                    Err(error) if is_never(&error) => answered.role = false,
                    Err(error) => return Err(error),
                }
            }
            self.ask(&cmd("PING")).await.map(drop)
        };
        if let Err(refused) = asked(place, asking).await {
            self.give_up();
            return Err(refused.error);
        }
        answered.at = Instant::now();
        Ok(())
    }

    /// How a replica that has lost its master is; nothing of any other server.
    pub(super) async fn orphaned(&self) -> Option<String> {
        let answered = self.answered.lock().await;
        answered.replication.orphaned().map(str::to_owned)
    }

    /// Nobody uses it any more.
    pub(super) fn give_up(&self) {
        *self.listeners.keys() = None;
    }
}

impl Connection for Connected {
    fn is_open(&self) -> bool {
        self.listeners.keys().is_some()
    }
}

/// The client of the server that `place` names.
pub(super) async fn client(place: &Remote<String>) -> Result<Client, SourceError> {
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
    let certificates = Certificates::read(place, READ, |_, certificates| Ok(certificates)).await?;
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

/// Connects in the newer protocol, in which the server may report changes, else in the older one.
pub(super) async fn connect(
    place: &Remote<String>,
    client: Client,
) -> Result<Connected, SourceError> {
    match speak(place, client).await {
        Ok(connected) => Ok(connected),
        Err(CommandRefused { error, code: None }) => Err(match farewell(place).await {
            Some(reason) => SourceError::transient(format!("{}: {reason}", place.origin())),
            None => error,
        }),
        Err(refused) => Err(refused.error),
    }
}

async fn speak(place: &Remote<String>, client: Client) -> Result<Connected, CommandRefused> {
    let listeners = Arc::new(KeyListeners(Mutex::new(Some(KeyEvents::new()))));
    let told = Arc::clone(&listeners);
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
            older.await.map_err(|error| classified(place, error))?
        }
        Err(error) => return Err(classified(place, error)),
    };
    let mut connected = Connected {
        handle,
        listeners,
        tells: false,
        is_read_as_a_whole: AtomicBool::new(false),
        answered: tokio::sync::Mutex::new(Answered {
            at: Instant::now(),
            role: true,
            replication: Replication::default(),
        }),
    };
    let mut track = cmd("CLIENT");
    track.arg("TRACKING").arg("ON");
    let newer = client.get_connection_info().redis_settings();
    if newer.protocol() == ProtocolVersion::RESP3 {
        match connected.ask(&track).await {
            Ok(_) => connected.tells = true,
            Err(error) if is_never(&error) => {
                // The server names the user, whom a variable may have brought.
                let error = classified(place, error).error;
                tracing::debug!(target: "flux", origin = place.origin(), %error, "no client tracking");
            }
            Err(error) => return Err(classified(place, error)),
        }
    }
    match connected.ask(&cmd("ROLE")).await {
        Ok(role) => {
            let replication = &mut connected.answered.get_mut().replication;
            replication.answered(&role, Instant::now());
        }
        Err(error) if is_never(&error) => connected.answered.get_mut().role = false,
        Err(error) => return Err(classified(place, error)),
    }
    Ok(connected)
}

/// What a server sends to a client that has not asked anything yet, before it hangs up: that it has too many clients, for one. The
/// client's question may have crossed it, and what is left is a broken connection.
async fn farewell(place: &Remote<String>) -> Option<String> {
    if place.tls() {
        return None;
    }
    let address = place.addresses().pop()?;
    let listen = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let mut said = [0; 256];
        let length = stream.read(&mut said).await.ok()?;
        let said = String::from_utf8_lossy(&said[..length]).into_owned();
        let said = said.strip_prefix('-')?.trim();
        (!said.is_empty()).then(|| without_secrets(place, said))
    };
    let patience = Duration::from_secs(1);
    tokio::time::timeout(patience, listen).await.ok()?
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
