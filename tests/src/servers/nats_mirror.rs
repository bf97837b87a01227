//! Two servers of NATS: a hub with a bucket, and a leaf node with a mirror or a copy of it, over a line.

use crate::{
    process::{Process, free_port, local, page, program},
    proxy::Proxy,
};
use async_nats::jetstream::{
    self, Context,
    stream::{Config, External, Source},
};
use std::{net::SocketAddr, path::Path, process::Command};
use tokio::task::block_in_place;

const BUCKET: &str = "flux";

/// A bucket, and its mirror on another server.
pub struct NatsMirror {
    /// The line between both.
    pub line: Proxy,
    bucket: Context,
    mirror: Context,
    leaf: u16,
    _servers: [Process; 2],
}

/// A server whose JetStream is the domain of its name, with more settings.
fn server(program: &Path, name: &str, port: u16, more: String) -> Process {
    let monitor = free_port();
    let (program, name) = (program.to_owned(), name.to_owned());
    let recipe = move |folder: &Path| {
        let file = folder.join("nats.conf");
        let data = folder.join("data");
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
             jetstream {{ store_dir: \"{}\", domain: {name} }}\nleafnodes {{ {more} }}\n",
            data.display()
        );
        std::fs::write(&file, text).expect("its configuration");
        let mut command = Command::new(&program);
        command.arg("-c").arg(file);
        command
    };
    let probe = move || page(local(monitor), "/healthz").contains("ok");
    block_in_place(|| Process::start("nats", recipe, probe))
}

async fn jetstream(port: u16) -> Context {
    let client = async_nats::connect(format!("127.0.0.1:{port}")).await;
    jetstream::new(client.expect("a connection"))
}

impl NatsMirror {
    /// Both servers with the bucket and its mirror; none where the program is missing.
    pub async fn start() -> Option<Self> {
        Self::start_as(true).await
    }

    /// The same with a bucket that has the first one as its source, and so is no mirror of it.
    pub async fn start_sourced() -> Option<Self> {
        Self::start_as(false).await
    }

    async fn start_as(is_mirror: bool) -> Option<Self> {
        let program = program("nats-server")?;
        let (hub, leaves, leaf) = (free_port(), free_port(), free_port());
        // A leaf that knows where the hub listens goes there without the line once it was hung up on.
        let listen = format!("listen: \"127.0.0.1:{leaves}\", no_advertise: true");
        let origin = server(&program, "hub", hub, listen);
        let line = Proxy::to(local(leaves)).await;
        let remote = format!("remotes: [ {{ url: \"nats-leaf://{}\" }} ]", line.address());
        let second = server(&program, "leaf", leaf, remote);
        let bucket = jetstream(hub).await;
        let bucket_of_hub = Config {
            name: format!("KV_{BUCKET}"),
            subjects: vec![format!("$KV.{BUCKET}.>")],
            max_messages_per_subject: 1,
            ..Config::default()
        };
        let first = Source {
            name: format!("KV_{BUCKET}"),
            external: Some(External {
                api_prefix: "$JS.hub.API".to_owned(),
                delivery_prefix: None,
            }),
            ..Source::default()
        };
        let mut mirror = Config {
            name: format!("KV_{BUCKET}"),
            max_messages_per_subject: 1,
            ..Config::default()
        };
        match is_mirror {
            true => mirror.mirror = Some(first),
            false => mirror.sources = Some(vec![first]),
        }
        bucket
            .create_stream(bucket_of_hub)
            .await
            .expect("the bucket");
        let mirrored = jetstream(leaf).await;
        let made = mirrored.create_stream(mirror).await;
        made.expect("its mirror");
        Some(NatsMirror {
            line,
            bucket,
            mirror: mirrored,
            leaf,
            _servers: [origin, second],
        })
    }

    /// Where the server of the mirror listens.
    pub fn address(&self) -> SocketAddr {
        local(self.leaf)
    }

    /// Whether the mirror has all that was written.
    pub async fn is_whole(&self) -> bool {
        let [bucket, mirror] = [&self.bucket, &self.mirror].map(async |stream| {
            let stream = stream.get_stream(format!("KV_{BUCKET}")).await;
            stream.expect("a stream").cached_info().state.last_sequence
        });
        bucket.await == mirror.await
    }

    /// Writes a key of the bucket that is mirrored.
    pub async fn write(&self, key: &str, bytes: &[u8]) {
        let subject = format!("$KV.{BUCKET}.{key}");
        let sent = self.bucket.publish(subject, bytes.to_vec().into()).await;
        sent.expect("sent").await.expect("written");
    }
}
