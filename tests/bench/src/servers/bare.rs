//! What a program does without Flux: it listens with the server's client crate.

use super::KEY;
use async_nats::jetstream::{self, kv};
use etcd_client::WatchStream;
use flux_tests::servers::{Etcd, Nats, Redis, Remote};
use futures_util::StreamExt;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, aio::MultiplexedConnection, cmd};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A server whose changes can be heard by its client crate alone.
pub(super) trait Bare: Remote {
    /// What it takes to hear of a change.
    const HEARD: &'static str = "the client's event";
    type Ear: Send;

    /// Listens to [`KEY`], which exists.
    fn listen(&self) -> impl Future<Output = Self::Ear> + Send;
    /// The next document there.
    fn heard(ear: &mut Self::Ear) -> impl Future<Output = Vec<u8>> + Send;
}

impl Bare for Etcd {
    type Ear = WatchStream;

    async fn listen(&self) -> WatchStream {
        let client = etcd_client::Client::connect([self.address().to_string()], None).await;
        let watch = client.expect("a client").watch(KEY, None).await;
        let mut watch = watch.expect("a watch");
        let created = watch
            .message()
            .await
            .expect("an answer")
            .expect("an answer");
        assert!(created.created());
        watch
    }

    async fn heard(ear: &mut WatchStream) -> Vec<u8> {
        let message = ear.message().await.expect("a message").expect("a message");
        let key = message.events().last().and_then(|event| event.kv());
        key.expect("a key").value().to_vec()
    }
}

impl Bare for Nats {
    type Ear = kv::Watch;

    async fn listen(&self) -> kv::Watch {
        let client = async_nats::connect(self.address().to_string()).await;
        let uri = self.uri(self.address(), KEY);
        let bucket = uri.rsplit('/').nth(1).expect("a bucket");
        let context = jetstream::new(client.expect("a connection"));
        let store = context.get_key_value(bucket).await.expect("the bucket");
        store.watch(KEY).await.expect("a watch")
    }

    async fn heard(ear: &mut kv::Watch) -> Vec<u8> {
        let entry = ear.next().await.expect("an entry").expect("an entry");
        entry.value.to_vec()
    }
}

/// Redis tells which key changed, and not to what.
pub(super) struct Told {
    pushes: UnboundedReceiver<PushInfo>,
    connection: MultiplexedConnection,
}

impl Bare for Redis {
    const HEARD: &'static str = "the client's push, and GET";
    type Ear = Told;

    async fn listen(&self) -> Told {
        let (sender, pushes) = unbounded_channel();
        let uri = format!("redis://{}/?protocol=resp3", self.address());
        let client = redis::Client::open(uri).expect("a URI");
        let config = AsyncConnectionConfig::new().set_push_sender(sender);
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connection.await.expect("a connection");
        let mut track = cmd("CLIENT");
        track.arg("TRACKING").arg("ON");
        let () = track.query_async(&mut connection).await.expect("tracking");
        let mut told = Told { pushes, connection };
        told.read().await;
        told
    }

    async fn heard(ear: &mut Told) -> Vec<u8> {
        loop {
            let push = ear.pushes.recv().await.expect("a push");
            if push.kind == PushKind::Invalidate {
                return ear.read().await;
            }
        }
    }
}

impl Told {
    /// Reads the key, which also asks to be told of its next change.
    async fn read(&mut self) -> Vec<u8> {
        let mut get = cmd("GET");
        let answer = get.arg(KEY).query_async(&mut self.connection).await;
        answer.expect("a document")
    }
}
