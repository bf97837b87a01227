//! Three servers of ZooKeeper.

use super::{
    members::{self, Cluster, Members, SIZE},
    zookeeper::{JAR, written_by},
};
use crate::{
    process::{answer, local, missing, program},
    switchboard::Numbers,
};
use flux::Source;
use std::{fmt::Write, fs, path::Path, process::Command, time::Duration};
use tokio::task::block_in_place;
use zookeeper_client::{Client, Error};

const PATIENCE: Duration = Duration::from_secs(4);

/// An ensemble.
pub struct ZooKeeperCluster {
    members: Members,
    ports: Vec<u16>,
}

impl Cluster for ZooKeeperCluster {
    const NAME: &'static str = "zookeeper";
    const BOUND: Duration = Duration::from_secs(15);
    // What is cut is the data's way. Votes go around the lines, since a server announces its own address for them, and the others
    // would go on voting for one with a higher number.
    const CUTS: &'static [usize] = &[0];

    async fn start() -> Option<Self> {
        let java = program("java")?;
        if !Path::new(JAR).is_file() {
            missing("zookeeper");
            return None;
        }
        let (ports, peers, votes) = (members::ports(), members::ports(), members::ports());
        let lines = members::lines_to(&peers).await;
        let mut servers = Vec::new();
        for (at, &port) in ports.iter().enumerate() {
            let java = java.clone();
            let mut known = String::new();
            for to in 0..SIZE {
                let peer = match to == at {
                    true => local(peers[to]),
                    false => members::line(&lines, at, to),
                };
                let _ = writeln!(known, "server.{}={peer}:{}", to + 1, votes[to]);
            }
            let recipe = move |folder: &Path| {
                let data = folder.join("data");
                let settings = format!(
                    "tickTime=500\ninitLimit=20\nsyncLimit=8\ndataDir={}\nclientPortAddress=127.0.0.1\nclientPort={port}\n\
                     maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\nmaxSessionTimeout=60000\n{known}",
                    data.display()
                );
                fs::write(folder.join("zoo.cfg"), settings).expect("its settings");
                fs::create_dir_all(&data).expect("its folder");
                fs::write(data.join("myid"), (at + 1).to_string()).expect("its number");
                let mut command = Command::new(&java);
                command
                    .args(["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                    .args([
                        "-cp",
                        JAR,
                        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                    ])
                    .arg(folder.join("zoo.cfg"));
                command
            };
            servers.push(members::listening("zookeeper", recipe, port));
        }
        Some(ZooKeeperCluster {
            members: Members::start(servers, lines, Numbers::new(vec![0; SIZE].into())),
            ports,
        })
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn source(&self, members: &[usize], key: &str) -> Source {
        let hosts = members::hosts(&self.ports, members);
        Source::uri(format!("zookeeper://{}/{key}", hosts))
    }

    /// A leader whose votes go around the lines is elected again and again, since it has seen more than the others.
    fn can_be_cut_off(&self, member: usize) -> bool {
        let state = block_in_place(|| answer(local(self.ports[member]), "srvr"));
        state.contains("Mode: follower")
    }

    async fn write_at(&self, member: usize, key: &str, bytes: &[u8]) -> Result<(), String> {
        let write = async {
            let connector = Client::connector()
                .with_session_timeout(Duration::from_secs(10))
                .with_fail_eagerly();
            let address = local(self.ports[member]).to_string();
            let client = connector.connect(&address).await?;
            // What this server has may be old.
            let path = format!("/{key}");
            client.sync(&path).await?;
            match client.get_data(&path).await {
                Ok((held, _)) if held == bytes => Ok(()),
                Ok((_, stat)) => {
                    let written = client.set_data(&path, bytes, Some(stat.version)).await;
                    written.map(drop)
                }
                Err(Error::NoNode) => written_by(&client, key, bytes).await,
                Err(error) => Err(error),
            }
        };
        let written = tokio::time::timeout(PATIENCE, write).await;
        let written = written.map_err(|_| "no answer".to_owned())?;
        written.map_err(|error| error.to_string())
    }
}
