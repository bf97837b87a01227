//! Three servers of Consul.

use super::members::{self, Cluster, Members, SIZE};
use crate::{
    process::{http, local, program},
    switchboard::Numbers,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use flux::Source;
use std::{net::SocketAddr, path::Path, process::Command, time::Duration};
use tokio::task::block_in_place;

const ROOT: &str = "root-token";

/// A cluster whose keys only those with a token may read.
pub struct ConsulCluster {
    members: Members,
    ports: Vec<u16>,
    servers: Vec<u16>,
}

impl ConsulCluster {
    /// Where a member answers its clients.
    pub fn address(&self, member: usize) -> SocketAddr {
        local(self.ports[member])
    }

    /// The leader, as the members know it that have no fault.
    pub fn leader(&self) -> Option<usize> {
        let leader = self.members.sound().into_iter().find_map(|member| {
            let token = [("X-Consul-Token", ROOT)];
            let path = "/v1/status/leader";
            let ask = || http(self.address(member), "GET", path, &token, b"");
            let (_, answer) = block_in_place(ask);
            String::from_utf8_lossy(&answer)
                .trim_matches('"')
                .parse::<SocketAddr>()
                .ok()
        })?;
        let mut servers = self.servers.iter();
        servers.position(|server| *server == leader.port())
    }

    /// The source that asks for a key at this address.
    pub fn source_at(&self, address: SocketAddr, key: &str) -> Source {
        let consul = flux::source::Consul::new(address.to_string(), key).token(ROOT);
        Source::watcher(consul.wait(Duration::from_secs(5)))
    }
}

impl Cluster for ConsulCluster {
    const NAME: &'static str = "consul";
    // Its query waits for five seconds.
    const BOUND: Duration = Duration::from_secs(11);
    const SEVERAL: bool = false;
    const CUTS: &'static [usize] = &[];

    async fn start() -> Option<Self> {
        let program = program("consul")?;
        let (ports, peers, servers) = (members::ports(), members::ports(), members::ports());
        let settings = "disable_update_check=true connect{enabled=false} performance{raft_multiplier=1} autopilot{cleanup_dead_servers=false} \
             acl{enabled=true default_policy=\"deny\" token_ttl=\"0s\" policy_ttl=\"0s\" \
             tokens{master=\"root-token\" agent=\"root-token\"}}";
        let mut processes = Vec::new();
        for at in 0..SIZE {
            let (program, peers) = (program.clone(), peers.clone());
            let (port, server) = (ports[at], servers[at]);
            let recipe = move |folder: &Path| {
                let mut command = Command::new(&program);
                command
                    .args(["agent", "-server", "-bootstrap-expect", "3"])
                    .args(["-node", &format!("flux{at}")])
                    .args(["-bind", "127.0.0.1", "-client", "127.0.0.1", "-data-dir"])
                    .arg(folder.join("data"))
                    .args(["-http-port", &port.to_string(), "-dns-port", "-1"])
                    .args(["-grpc-port", "-1", "-serf-wan-port", "-1"])
                    .args(["-serf-lan-port", &peers[at].to_string()])
                    .args(["-server-port", &server.to_string()])
                    .args(["-retry-interval", "1s"])
                    .args(["-hcl", settings]);
                for peer in &peers {
                    command.args(["-retry-join", &local(*peer).to_string()]);
                }
                command
            };
            processes.push(members::listening("consul", recipe, port));
        }
        Some(ConsulCluster {
            members: Members::start(processes, Vec::new(), Numbers::new(vec![0; SIZE].into())),
            ports,
            servers,
        })
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn source(&self, members: &[usize], key: &str) -> Source {
        self.source_at(self.address(members[0]), key)
    }

    async fn write_at(&self, member: usize, key: &str, bytes: &[u8]) -> Result<(), String> {
        let token = [("X-Consul-Token", ROOT)];
        let address = local(self.ports[member]);
        let path = format!("/v1/kv/{key}");
        let held = format!("{path}?consistent");
        let (status, answer) = block_in_place(|| http(address, "GET", &held, &token, b""));
        let text = String::from_utf8_lossy(&answer).into_owned();
        let index = match status {
            200 => text.split("\"ModifyIndex\":").nth(1).map(|rest| {
                let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
                digits.unwrap_or_default().to_owned()
            }),
            404 => Some("0".to_owned()),
            _ => None,
        };
        let Some(index) = index else {
            return Err(format!("{status} {text}"));
        };
        if text.contains(&format!("\"Value\":\"{}\"", BASE64_STANDARD.encode(bytes))) {
            return Ok(());
        }
        let path = format!("{path}?cas={index}");
        let (status, answer) = block_in_place(|| http(address, "PUT", &path, &token, bytes));
        match status {
            200 if answer.starts_with(b"true") => Ok(()),
            _ => Err(format!("{status} {}", String::from_utf8_lossy(&answer))),
        }
    }
}
