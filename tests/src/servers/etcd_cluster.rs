//! Three members of etcd.

use super::members::{self, Cluster, Members, SIZE};
use crate::{
    process::{local, program},
    switchboard::{Numbers, Switchboard},
};
use etcd_client::{Client, Compare, CompareOp, ConnectOptions, KeyValue, Txn, TxnOp};
use flux::Source;
use std::{path::Path, process::Command, sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(3);

/// A cluster.
pub struct EtcdCluster {
    members: Members,
    ports: Vec<u16>,
    /// Every member knows the same address of a peer.
    _peers: Vec<Switchboard>,
}

impl Cluster for EtcdCluster {
    const NAME: &'static str = "etcd";
    const BOUND: Duration = Duration::from_secs(15);

    async fn start() -> Option<Self> {
        let program = program("etcd")?;
        let ports = members::ports();
        let peers = members::ports();
        let lines = members::lines_to(&peers).await;
        let numbers = Numbers::new(vec![0; SIZE].into());
        let mut boards = Vec::new();
        for to in 0..SIZE {
            let line = |from| (from != to).then(|| members::line(&lines, from, to));
            let lines = (0..SIZE).map(line).collect();
            boards.push(Switchboard::over(Arc::clone(&numbers), lines).await);
        }
        let known: Vec<_> = (boards.iter().enumerate())
            .map(|(at, board)| format!("flux{at}=http://{}", board.address()))
            .collect();
        let known = known.join(",");
        let mut servers = Vec::new();
        for at in 0..SIZE {
            let (program, known) = (program.clone(), known.clone());
            let (port, peer, board) = (ports[at], peers[at], boards[at].address());
            let recipe = move |folder: &Path| {
                let clients = format!("http://127.0.0.1:{port}");
                let mut command = Command::new(&program);
                command
                    .args(["--name", &format!("flux{at}"), "--log-level", "warn"])
                    .args(["--heartbeat-interval", "200", "--election-timeout", "2000"])
                    .arg("--data-dir")
                    .arg(folder.join("data"))
                    .args(["--listen-client-urls", &clients])
                    .args(["--advertise-client-urls", &clients])
                    .args(["--listen-peer-urls", &format!("http://127.0.0.1:{peer}")])
                    .args(["--initial-advertise-peer-urls", &format!("http://{board}")])
                    .args(["--initial-cluster", &known]);
                command
            };
            servers.push(members::listening("etcd", recipe, port));
        }
        Some(EtcdCluster {
            members: Members::start(servers, lines, numbers),
            ports,
            _peers: boards,
        })
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn source(&self, members: &[usize], key: &str) -> Source {
        let hosts = members::hosts(&self.ports, members);
        Source::uri(format!("etcd://{}/{key}", hosts))
    }

    async fn write_at(&self, member: usize, key: &str, bytes: &[u8]) -> Result<(), String> {
        let write = async {
            let options = ConnectOptions::new().with_connect_timeout(PATIENCE);
            let address = local(self.ports[member]).to_string();
            let mut client = Client::connect([address], Some(options)).await?;
            let held = client.get(key, None).await?;
            let held = held.kvs().first();
            if held.is_some_and(|held| held.value() == bytes) {
                return Ok(true);
            }
            let version = held.map_or(0, KeyValue::mod_revision);
            let same = Compare::mod_revision(key, CompareOp::Equal, version);
            let put = TxnOp::put(key, bytes, None);
            let written = client.txn(Txn::new().when([same]).and_then([put])).await?;
            Ok::<_, etcd_client::Error>(written.succeeded())
        };
        let written = tokio::time::timeout(PATIENCE, write).await;
        let written = written.map_err(|_| "no answer".to_owned())?;
        match written.map_err(|error| error.to_string())? {
            true => Ok(()),
            false => Err("it was written meanwhile".to_owned()),
        }
    }
}
