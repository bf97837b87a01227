//! Consul.

use super::{Remote, by_many_hands};
use crate::process::{Process, established, free_port, http, local, page, program};
use base64::{Engine, prelude::BASE64_STANDARD};
use flux::Source;
use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};
use tokio::task::block_in_place;

/// A cluster of one Consul, which keeps its data and knows who asks.
pub struct Consul {
    process: Process,
    port: u16,
}

const ROOT: (&str, &str) = ("X-Consul-Token", "root-token");
const GUARDED: &str = "3b5a8f0e-0b2e-4c55-9b7d-5f4a8c1d2e3f";
const POLICY: &str = "f1c6e6b2-7c43-4a8e-8d53-0d6e2f7a9b10";

/// Asks until the server does it: it may have no leader yet.
fn ask(port: u16, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let begin = Instant::now();
    loop {
        let (status, answer) = http(local(port), method, path, &[ROOT], body);
        if (200..300).contains(&status) {
            return answer;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&answer)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Writes a document, and answers with the index of the change.
fn set(port: u16, key: &str, document: &[u8]) -> u64 {
    let value = BASE64_STANDARD.encode(document);
    let body =
        format!("[{{\"KV\": {{\"Verb\": \"set\", \"Key\": \"{key}\", \"Value\": \"{value}\"}}}}]");
    let answer = ask(port, "PUT", "/v1/txn", body.as_bytes());
    let answer = String::from_utf8_lossy(&answer);
    let index = answer.split("\"ModifyIndex\":").nth(1);
    let digits = index.map(|index| index.split(|c: char| !c.is_ascii_digit()).next());
    let index = digits.flatten().and_then(|digits| digits.parse().ok());
    index.unwrap_or_else(|| panic!("no index in {answer}"))
}

impl Consul {
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        ask(self.port, method, path, body)
    }

    fn policy(&self, may: &str) {
        let rules = format!("key_prefix \\\"app/\\\" {{ policy = \\\"{may}\\\" }}");
        let body = format!("{{\"Name\": \"guarded\", \"Rules\": \"{rules}\"}}");
        let known = self.ask("GET", "/v1/acl/policies", b"");
        let known = String::from_utf8_lossy(&known).into_owned();
        let id = known
            .split("},")
            .find(|one| one.contains("\"guarded\""))
            .and_then(|one| one.split("\"ID\":\"").nth(1))
            .and_then(|id| id.split('"').next());
        match id {
            Some(id) => drop(self.ask("PUT", &format!("/v1/acl/policy/{id}"), body.as_bytes())),
            None => {
                self.ask("PUT", "/v1/acl/policy", body.as_bytes());
                let token = format!(
                    "{{\"SecretID\": \"{GUARDED}\", \"AccessorID\": \"{POLICY}\", \"Policies\": [{{\"Name\": \"guarded\"}}]}}"
                );
                self.ask("PUT", "/v1/acl/token", token.as_bytes());
            }
        }
    }
}

impl Remote for Consul {
    const NAME: &'static str = "consul";
    const BOUND: Duration = Duration::from_secs(16);
    /// The source's own query; the server ends it with its answer.
    const IDLE: Option<Duration> = Some(Duration::from_secs(5));
    /// Every query has a connection of its own while it waits.
    const CONNECTIONS: usize = 20;

    async fn start() -> Option<Self> {
        let program = program("consul")?;
        let (port, peers, server) = (free_port(), free_port(), free_port());
        let recipe = move |folder: &std::path::Path| {
            let settings = "disable_update_check=true connect{enabled=false} performance{raft_multiplier=1} \
                 limits{kv_max_value_size=33554432 txn_max_req_len=33554432} \
                 acl{enabled=true default_policy=\"allow\" token_ttl=\"0s\" policy_ttl=\"0s\" tokens{master=\"root-token\"}}";
            let mut command = Command::new(&program);
            command
                .args([
                    "agent",
                    "-server",
                    "-bootstrap-expect",
                    "1",
                    "-node",
                    "flux",
                ])
                .args(["-bind", "127.0.0.1", "-client", "127.0.0.1", "-data-dir"])
                .arg(folder.join("data"))
                .args(["-http-port", &port.to_string(), "-dns-port", "-1"])
                .args(["-grpc-port", "-1", "-serf-wan-port", "-1"])
                .args(["-serf-lan-port", &peers.to_string()])
                .args(["-server-port", &server.to_string()])
                .args(["-hcl", settings]);
            command
        };
        let probe = move || page(local(port), "/v1/status/leader").contains(':');
        let process = block_in_place(|| Process::start("consul", recipe, probe));
        let consul = Consul { process, port };
        block_in_place(|| consul.policy("deny"));
        Some(consul)
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn address(&self) -> SocketAddr {
        local(self.port)
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        format!("consul://{address}/{key}?wait=5s")
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let consul = flux::source::Consul::new(address.to_string(), key);
        Source::watcher(consul.token(GUARDED).wait(Duration::from_secs(5)))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        block_in_place(|| self.ask("PUT", &format!("/v1/kv/{key}"), bytes));
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let (port, key) = (self.port, key.to_owned());
        by_many_hands(8, documents, move |document| {
            let key = key.clone();
            async move { block_in_place(|| set(port, &key, &document)) }
        })
        .await
    }

    async fn delete(&self, key: &str) {
        block_in_place(|| self.ask("DELETE", &format!("/v1/kv/{key}"), b""));
    }

    async fn refuse(&self) {
        block_in_place(|| self.policy("deny"));
    }

    async fn grant(&self) {
        block_in_place(|| self.policy("read"));
    }

    async fn restarted(&mut self) {
        // A wiped server has forgotten the token.
        block_in_place(|| self.policy("deny"));
    }

    async fn guests(&self) -> usize {
        established(self.port)
    }
}
