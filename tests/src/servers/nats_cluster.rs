//! Three NATS servers with a bucket on all of them.

use super::members::{self, Cluster, Members, SIZE};
use crate::{
    process::{free_port, http, local, program},
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
use tokio::{sync::Mutex, task::block_in_place};

const BUCKET: &str = "flux";
const PATIENCE: Duration = Duration::from_secs(3);
/// How long three servers may take until they are a cluster with a bucket, and how often they are started for it.
const FORMING: Duration = Duration::from_secs(40);
const STARTS: u32 = 2;
/// How often this is done with servers at other ports: one that was free may have been taken meanwhile.
const SETUPS: u32 = 3;

/// A cluster.
pub struct NatsCluster {
    members: Members,
    ports: Vec<u16>,
    monitors: Vec<u16>,
    clients: Mutex<Vec<Option<Client>>>,
}

impl NatsCluster {
    /// Three servers at ports that are free. None where there is no such server.
    async fn at_free_ports() -> Option<Self> {
        let program = program("nats-server")?;
        let ports = members::ports();
        let peers = members::ports();
        let monitors = members::ports();
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
            let monitor = monitors[at];
            let program = program.clone();
            let recipe = move |folder: &Path| {
                let file = folder.join("nats.conf");
                let text = format!(
                    r#"
server_name: "flux{at}"
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
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
            servers.push(members::listening("nats", recipe, port));
        }
        Some(NatsCluster {
            members: Members::start(servers, lines, Numbers::new(vec![0; SIZE].into())),
            ports,
            monitors,
            clients: Mutex::new(vec![None; SIZE]),
        })
    }

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

    /// Makes the bucket, on servers that are started anew where they do not find each other: of two routes between two servers each
    /// may close the other one as its duplicate, again and again.
    async fn make_bucket(&self) -> Result<(), String> {
        for start in 1.. {
            let Err(error) = self.try_bucket().await else {
                return Ok(());
            };
            if start == STARTS {
                return Err(format!("{error}: {:?}", self.reports()));
            }
            (0..SIZE).for_each(|at| self.members.kill(at));
            *self.clients.lock().await = vec![None; SIZE];
            (0..SIZE).for_each(|at| self.members.restart(at));
        }
        Ok(())
    }

    async fn try_bucket(&self) -> Result<(), String> {
        let begin = Instant::now();
        let config = stream::Config {
            name: format!("KV_{BUCKET}"),
            subjects: vec![format!("$KV.{BUCKET}.>")],
            max_messages_per_subject: 1,
            allow_rollup: true,
            deny_delete: true,
            num_replicas: SIZE,
            ..stream::Config::default()
        };
        let mut error = "they are no cluster".to_owned();
        while begin.elapsed() < FORMING {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if !self.has_formed() {
                continue;
            }
            let context = jetstream::new(self.client(0).await?);
            match context.get_or_create_stream(config.clone()).await {
                Ok(_) => return Ok(()),
                Err(refused) => error = refused.to_string(),
            }
        }
        Err(error)
    }

    /// Whether the leader has both of the others: before that there is no place for a bucket on all of them.
    fn has_formed(&self) -> bool {
        let has_both = |report: &String| report.matches("\"current\":true").count() == SIZE - 1;
        self.reports().iter().any(has_both)
    }

    /// What each of them reports of the cluster, without blanks.
    fn reports(&self) -> Vec<String> {
        let report = |port: &u16| {
            let (_, text) = block_in_place(|| http(local(*port), "GET", "/jsz", &[], b""));
            let text = String::from_utf8_lossy(&text).into_owned();
            text.split_whitespace().collect()
        };
        self.monitors.iter().map(report).collect()
    }
}

impl Cluster for NatsCluster {
    const NAME: &'static str = "nats";
    const BOUND: Duration = Duration::from_secs(25);

    async fn start() -> Option<Self> {
        for setup in 1.. {
            let cluster = NatsCluster::at_free_ports().await?;
            match cluster.make_bucket().await {
                Ok(()) => return Some(cluster),
                Err(error) => assert!(setup < SETUPS, "{error}"),
            }
        }
        None
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn source(&self, members: &[usize], key: &str) -> Source {
        let hosts = members::hosts(&self.ports, members);
        Source::uri(format!("nats://{}/{BUCKET}/{key}", hosts))
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
