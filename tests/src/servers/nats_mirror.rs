//! Two servers of NATS: a hub with a bucket, and a leaf node with a mirror or a copy of it, or without one, over a line.

use crate::{
    process::{Process, free_port, local, page, program},
    proxy::Proxy,
};
use async_nats::jetstream::{
    self, Context,
    stream::{Config, External, Source},
};
use std::{net::SocketAddr, path::Path, process::Command};
use tempfile::TempDir;
use tokio::task::block_in_place;

const BUCKET: &str = "flux";

/// A bucket, and its mirror on another server.
pub struct NatsMirror {
    /// The line between both.
    pub line: Proxy,
    bucket: Context,
    mirror: Context,
    hub: u16,
    leaf: u16,
    origin: Process,
    _second: Process,
}

/// What the leaf node has of the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaf {
    /// A mirror.
    Mirror,
    /// A bucket with the first one as its source, and so no mirror of it.
    Sourced,
    /// Nothing: it has no JetStream, and the hub's is asked by way of it.
    Bare,
}

/// A server with more settings, whose JetStream, if it has one, is the domain of its name, and otherwise that of the hub.
fn server(program: &Path, name: &str, port: u16, keeps: bool, more: String) -> Process {
    let monitor = free_port();
    let (program, name) = (program.to_owned(), name.to_owned());
    let recipe = move |folder: &Path| {
        let file = folder.join("nats.conf");
        let data = folder.join("data");
        let keeps = match keeps {
            true => format!(
                "jetstream {{ store_dir: \"{}\", domain: {name} }}\n",
                data.display()
            ),
            false => "default_js_domain: { \"$G\": hub }\n".to_owned(),
        };
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
             {keeps}leafnodes {{ {more} }}\n"
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
    /// Both servers, the bucket, and what the leaf node has of it; none where the program is missing.
    pub async fn start(kind: Leaf) -> Option<Self> {
        let program = program("nats-server")?;
        let (hub, leaves, leaf) = (free_port(), free_port(), free_port());
        // A leaf that knows where the hub listens goes there without the line once it was hung up on.
        let listen = format!("listen: \"127.0.0.1:{leaves}\", no_advertise: true");
        let origin = server(&program, "hub", hub, true, listen);
        let line = Proxy::to(local(leaves)).await;
        let remote = format!(
            "reconnect: 1s, remotes: [ {{ url: \"nats-leaf://{}\" }} ]",
            line.address()
        );
        let keeps = kind != Leaf::Bare;
        let second = server(&program, "leaf", leaf, keeps, remote);
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
        match kind {
            Leaf::Mirror => mirror.mirror = Some(first),
            Leaf::Sourced => mirror.sources = Some(vec![first]),
            Leaf::Bare => {}
        }
        bucket
            .create_stream(bucket_of_hub)
            .await
            .expect("the bucket");
        let mirrored = jetstream(leaf).await;
        if keeps {
            let made = mirrored.create_stream(mirror).await;
            made.expect("its mirror");
        }
        Some(NatsMirror {
            line,
            bucket,
            mirror: mirrored,
            hub,
            leaf,
            origin,
            _second: second,
        })
    }

    /// An older copy of the hub's data, which runs again.
    pub async fn copied(&mut self) -> TempDir {
        let copy = block_in_place(|| {
            let copy = self.origin.copy();
            self.origin.restart();
            copy
        });
        self.bucket = jetstream(self.hub).await;
        copy
    }

    /// Puts an older copy of the hub's data in the place of them.
    pub async fn put_back(&mut self, copy: &TempDir) {
        block_in_place(|| {
            self.origin.put_back(copy);
            self.origin.restart();
        });
        self.bucket = jetstream(self.hub).await;
    }

    /// Where the server of the mirror listens.
    pub fn address(&self) -> SocketAddr {
        local(self.leaf)
    }

    /// Whether the leaf node has all that was written.
    pub async fn is_whole(&self) -> bool {
        let [bucket, mirror] = [&self.bucket, &self.mirror].map(async |stream| {
            let stream = stream.get_stream(format!("KV_{BUCKET}")).await.ok()?;
            Some(stream.cached_info().state.last_sequence)
        });
        let bucket = bucket.await;
        bucket.is_some() && bucket == mirror.await
    }

    /// Writes a key of the bucket that is mirrored.
    pub async fn write(&self, key: &str, bytes: &[u8]) {
        let subject = format!("$KV.{BUCKET}.{key}");
        let sent = self.bucket.publish(subject, bytes.to_vec().into()).await;
        sent.expect("sent").await.expect("written");
    }
}
