//! A server of NATS with two accounts, each of which has a bucket of the same name.

use crate::process::{Process, free_port, local, page, program};
use async_nats::{
    ConnectOptions,
    jetstream::{
        self, Context,
        stream::{Config, StorageType},
    },
};
use flux::{Source, source};
use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tokio::task::block_in_place;

const BUCKET: &str = "flux";

/// The accounts, and what their users have as passwords.
const ACCOUNTS: [(&str, &str); 2] = [("one", "hunter2"), ("two", "hunter3")];

/// A server with two accounts, which see nothing of each other.
pub struct NatsAccounts {
    process: Process,
    port: u16,
    monitor: u16,
    buckets: [Context; 2],
}

/// Who may read the bucket of which account; the owner of each may do everything.
fn configuration(folder: &Path, port: u16, monitor: u16, may_read: [bool; 2]) -> String {
    let account = |at: usize| {
        let (name, password) = ACCOUNTS[at];
        let rights = match may_read[at] {
            true => "subscribe: [\"_INBOX.>\"]".to_owned(),
            false => "publish: { deny: \">\" }, subscribe: { deny: \">\" }".to_owned(),
        };
        format!(
            "{name} {{ jetstream: enabled, users: [ {{ user: \"owner-{name}\", password: \"swordfish\" }}, \
             {{ user: \"{name}\", password: \"{password}\", permissions: {{ {rights} }} }} ] }}\n"
        )
    };
    format!(
        "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\njetstream {{ store_dir: \"{}\" }}\n\
         accounts {{\n{}{}}}\n",
        folder.join("data").display(),
        account(0),
        account(1)
    )
}

async fn jetstream(port: u16, account: &str) -> Context {
    let user = format!("owner-{account}");
    let options = ConnectOptions::new().user_and_password(user, "swordfish".to_owned());
    let client = options.connect(format!("127.0.0.1:{port}")).await;
    jetstream::new(client.expect("a connection"))
}

impl NatsAccounts {
    /// The server, with an empty bucket in each account; none where the program is missing.
    pub async fn start() -> Option<Self> {
        let program = program("nats-server")?;
        let (port, monitor) = (free_port(), free_port());
        let recipe = move |folder: &Path| {
            let file = folder.join("nats.conf");
            let text = configuration(folder, port, monitor, [true; 2]);
            std::fs::write(&file, text).expect("its configuration");
            let mut command = Command::new(&program);
            command.arg("-c").arg(file);
            command
        };
        let probe = move || page(local(monitor), "/healthz").contains("ok");
        let process = block_in_place(|| Process::start("nats", recipe, probe));
        let [one, two] = ACCOUNTS.map(|(name, _)| name);
        let server = NatsAccounts {
            process,
            port,
            monitor,
            buckets: [jetstream(port, one).await, jetstream(port, two).await],
        };
        server.make_bucket(0).await;
        server.make_bucket(1).await;
        Some(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// The key of the bucket of this account, for its user by way of `address`.
    pub fn source(&self, account: usize, address: SocketAddr, key: &str) -> Source {
        let (user, password) = ACCOUNTS[account];
        let nats = source::Nats::new(address.to_string(), BUCKET, key);
        Source::watcher(nats.credentials(user, password))
    }

    /// Makes the bucket of this account.
    pub async fn make_bucket(&self, account: usize) {
        let bucket = Config {
            name: format!("KV_{BUCKET}"),
            subjects: vec![format!("$KV.{BUCKET}.>")],
            max_messages_per_subject: 1,
            storage: StorageType::Memory,
            ..Config::default()
        };
        let made = self.buckets[account].create_stream(bucket).await;
        made.expect("a bucket");
    }

    /// Deletes the bucket of this account.
    pub async fn delete_bucket(&self, account: usize) {
        let deleted = self.buckets[account].delete_stream(format!("KV_{BUCKET}"));
        deleted.await.expect("it is gone");
    }

    /// Writes to the bucket of this account.
    pub async fn write(&self, account: usize, key: &str, bytes: Vec<u8>) {
        let sent = self.buckets[account].publish(format!("$KV.{BUCKET}.{key}"), bytes.into());
        sent.await.expect("sent").await.expect("written");
    }

    /// Who may read the bucket of which account, from now on.
    pub async fn may_read(&self, may_read: [bool; 2]) {
        let loaded = || {
            let page = page(local(self.monitor), "/varz");
            let line = page.lines().find(|line| line.contains("config_load_time"));
            line.map(str::to_owned)
        };
        let before = loaded();
        let folder = self.process.folder();
        let text = configuration(folder, self.port, self.monitor, may_read);
        std::fs::write(folder.join("nats.conf"), text).expect("its configuration");
        self.process.signal("HUP");
        let begin = Instant::now();
        while loaded() == before {
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "it does not reload"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
