//! Three NATS servers with a bucket on all of them, and lines between them that can be cut.

use crate::{
    process::{Process, free_port, local, program},
    proxy::Proxy,
};
use async_nats::{
    Client,
    jetstream::{self, stream},
};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tokio::task::block_in_place;

const BUCKET: &str = "flux";
const SIZE: usize = 3;

/// A cluster. The lines go with it.
pub struct NatsCluster {
    _servers: Vec<Process>,
    ports: Vec<u16>,
    /// The line from the first of a pair to the second.
    lines: Vec<(usize, usize, Proxy)>,
    client: Client,
}

impl NatsCluster {
    /// Three servers that have found each other and a bucket with three replicas; none where the program is missing.
    pub async fn start() -> Option<Self> {
        let program = program("nats-server")?;
        let ports: Vec<u16> = (0..SIZE).map(|_| free_port()).collect();
        let peers: Vec<u16> = (0..SIZE).map(|_| free_port()).collect();
        let mut lines = Vec::new();
        for from in 0..SIZE {
            for (to, peer) in peers.iter().enumerate().filter(|(to, _)| *to != from) {
                lines.push((from, to, Proxy::to(local(*peer)).await));
            }
        }
        let mut servers = Vec::new();
        for at in 0..SIZE {
            let routes: Vec<_> = (lines.iter())
                .filter(|(from, ..)| *from == at)
                .map(|(_, _, line)| format!("\"nats://{}\"", line.address()))
                .collect();
            let (port, peer, routes) = (ports[at], peers[at], routes.join(", "));
            let program = program.clone();
            let recipe = move |folder: &Path| {
                let file = folder.join("nats.conf");
                let text = format!(
                    r#"
server_name: "flux{at}"
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{}" }}
cluster {{ name: "flux", listen: "127.0.0.1:{peer}", no_advertise: true, pool_size: -1, routes: [{routes}] }}
"#,
                    folder.join("data").display()
                );
                std::fs::write(&file, text).expect("its configuration");
                let mut command = Command::new(&program);
                command.arg("-c").arg(file);
                command
            };
            let mut process = Process::prepare("nats", recipe, move || {
                std::net::TcpStream::connect(local(port)).is_ok()
            });
            block_in_place(|| process.restart());
            servers.push(process);
        }
        let options = async_nats::ConnectOptions::new().ignore_discovered_servers();
        let client = options.connect(format!("127.0.0.1:{}", ports[0])).await;
        let cluster = NatsCluster {
            _servers: servers,
            ports,
            lines,
            client: client.expect("a connection"),
        };
        cluster.make_bucket().await;
        Some(cluster)
    }

    async fn make_bucket(&self) {
        let begin = Instant::now();
        let context = jetstream::new(self.client.clone());
        let config = stream::Config {
            name: format!("KV_{BUCKET}"),
            subjects: vec![format!("$KV.{BUCKET}.>")],
            max_messages_per_subject: 1,
            allow_rollup: true,
            deny_delete: true,
            num_replicas: SIZE,
            ..stream::Config::default()
        };
        // They have to find each other and a leader first.
        while let Err(error) = context.get_or_create_stream(config.clone()).await {
            assert!(begin.elapsed() < Duration::from_secs(60), "{error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The URI of `key` at some of the servers.
    pub fn uri(&self, servers: &[usize], key: &str) -> String {
        let hosts: Vec<_> = (servers.iter())
            .map(|at| local(self.ports[*at]).to_string())
            .collect();
        format!("nats://{}/{BUCKET}/{key}", hosts.join(","))
    }

    /// Writes by way of the first server, as soon as there is a leader.
    pub async fn write(&self, key: &str, bytes: &[u8]) {
        let begin = Instant::now();
        let context = jetstream::new(self.client.clone());
        loop {
            let subject = format!("$KV.{BUCKET}.{key}");
            let written = match context.publish(subject, bytes.to_vec().into()).await {
                Ok(answer) => answer.await.map(drop),
                Err(error) => Err(error),
            };
            match written {
                Ok(()) => return,
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Nothing passes between this server and the others; clients still reach it.
    pub fn cut_off(&self, server: usize) {
        for (from, to, line) in &self.lines {
            if *from == server || *to == server {
                line.cut();
            }
        }
    }

    /// Everything passes again.
    pub fn mend(&self) {
        for (_, _, line) in &self.lines {
            line.mend();
        }
    }
}
