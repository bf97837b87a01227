//! Three NATS servers with a bucket on all of them.

use super::members::{self, Cluster, Members, SIZE};
use crate::{
    process::{Process, free_port, local, program},
    switchboard::Numbers,
};
use async_nats::{
    Client,
    jetstream::{self, stream},
};
use flux::Source;
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

const BUCKET: &str = "flux";
const PATIENCE: Duration = Duration::from_secs(3);

/// A cluster.
pub struct NatsCluster {
    members: Members,
    ports: Vec<u16>,
    clients: Mutex<Vec<Option<Client>>>,
}

impl NatsCluster {
    async fn client(&self, member: usize) -> Result<Client, String> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = &clients[member] {
            return Ok(client.clone());
        }
        let options = async_nats::ConnectOptions::new()
            .ignore_discovered_servers()
            .request_timeout(Some(PATIENCE))
            .connection_timeout(PATIENCE);
        let client = options.connect(local(self.ports[member]).to_string()).await;
        let client = client.map_err(|error| error.to_string())?;
        clients[member] = Some(client.clone());
        Ok(client)
    }

    async fn make_bucket(&self) {
        let begin = Instant::now();
        let context = jetstream::new(self.client(0).await.expect("a connection"));
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
}

impl Cluster for NatsCluster {
    const NAME: &'static str = "nats";
    const BOUND: Duration = Duration::from_secs(25);

    async fn start() -> Option<Self> {
        let program = program("nats-server")?;
        let ports: Vec<u16> = (0..SIZE).map(|_| free_port()).collect();
        let peers: Vec<u16> = (0..SIZE).map(|_| free_port()).collect();
        let lines = members::lines_to(&peers).await;
        // They tell each other of the rest, and would connect around the lines.
        let nowhere = free_port();
        let mut servers = Vec::new();
        for at in 0..SIZE {
            let routes: Vec<_> = (0..SIZE)
                .filter(|to| *to != at)
                .map(|to| format!("\"nats://{}\"", members::line(&lines, at, to)))
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
cluster {{
  name: "flux", listen: "127.0.0.1:{peer}", no_advertise: true, advertise: "127.0.0.1:{nowhere}", pool_size: -1, routes: [{routes}]
}}
"#,
                    folder.join("data").display()
                );
                std::fs::write(&file, text).expect("its configuration");
                let mut command = Command::new(&program);
                command.arg("-c").arg(file);
                command
            };
            servers.push(Process::prepare("nats", recipe, move || {
                std::net::TcpStream::connect(local(port)).is_ok()
            }));
        }
        let cluster = NatsCluster {
            members: Members::start(servers, lines, Numbers::new(vec![0; SIZE].into())),
            ports,
            clients: Mutex::new(vec![None; SIZE]),
        };
        cluster.make_bucket().await;
        Some(cluster)
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn source(&self, members: &[usize], key: &str) -> Source {
        let hosts: Vec<_> = (members.iter())
            .map(|at| local(self.ports[*at]).to_string())
            .collect();
        Source::uri(format!("nats://{}/{BUCKET}/{key}", hosts.join(",")))
    }

    async fn write_at(&self, member: usize, key: &str, bytes: &[u8]) -> Result<(), String> {
        let context = jetstream::new(self.client(member).await?);
        let write = async {
            let store = context.get_key_value(BUCKET).await;
            let store = store.map_err(|error| error.to_string())?;
            let entry = store.entry(key).await.map_err(|error| error.to_string())?;
            if entry.as_ref().is_some_and(|entry| entry.value == bytes) {
                return Ok(());
            }
            let revision = entry.map_or(0, |entry| entry.revision);
            let written = store.update(key, bytes.to_vec().into(), revision).await;
            written.map(drop).map_err(|error| error.to_string())
        };
        let written = tokio::time::timeout(PATIENCE, write).await;
        written.map_err(|_| "no answer".to_owned())?
    }
}
