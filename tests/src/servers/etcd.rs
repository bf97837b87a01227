//! etcd.

use super::{Remote, by_many_hands};
use crate::{
    certificates::Certificates,
    process::{Process, free_port, local, page, program},
};
use etcd_client::{
    Client, CompactionOptions, ConnectOptions, DeleteOptions, Permission, PermissionType,
};
use flux::Source;
use std::{net::SocketAddr, process::Command, sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::block_in_place};

/// A cluster of one etcd.
pub struct Etcd {
    process: Process,
    port: u16,
    client: Mutex<Client>,
    /// Whether users are asked for their names.
    guarded: Mutex<bool>,
    /// The guarded user's password.
    password: Mutex<String>,
    secured: Option<(u16, Arc<Certificates>)>,
}

const ROOT: (&str, &str) = ("root", "swordfish");

async fn connect(port: u16, guarded: bool) -> Client {
    let mut options = ConnectOptions::new().with_connect_timeout(Duration::from_secs(60));
    if guarded {
        options = options.with_user(ROOT.0, ROOT.1);
    }
    let client = Client::connect([format!("127.0.0.1:{port}")], Some(options)).await;
    client.expect("a client")
}

impl Etcd {
    async fn start_with(secured: Option<(u16, Arc<Certificates>)>) -> Option<Self> {
        let program = program("etcd")?;
        let (port, peers) = (free_port(), free_port());
        let with_tls = secured.clone();
        let recipe = move |folder: &std::path::Path| {
            let mut clients = format!("http://127.0.0.1:{port}");
            let peers = format!("http://127.0.0.1:{peers}");
            let mut command = Command::new(&program);
            if let Some((port, certificates)) = &with_tls {
                clients = format!("{clients},https://127.0.0.1:{port}");
                command.arg("--client-cert-auth");
                for (name, file) in [
                    ("--cert-file", "server.pem"),
                    ("--key-file", "server.key"),
                    ("--trusted-ca-file", "ca.pem"),
                ] {
                    command.arg(name).arg(certificates.path(file));
                }
            }
            command
                .args(["--name", "flux", "--log-level", "warn"])
                .arg("--data-dir")
                .arg(folder.join("data"))
                .args(["--listen-client-urls", &clients])
                .args(["--advertise-client-urls", &clients])
                .args(["--listen-peer-urls", &peers])
                .args(["--initial-advertise-peer-urls", &peers])
                .args(["--initial-cluster", &format!("flux={peers}")]);
            command
        };
        let probe = move || page(local(port), "/health").contains("true");
        let process = Process::start("etcd", recipe, probe);
        Some(Etcd {
            process,
            port,
            client: Mutex::new(connect(port, false).await),
            guarded: Mutex::new(false),
            password: Mutex::new("hunter2".to_owned()),
            secured,
        })
    }

    /// Forgets what is older than the newest revision.
    pub async fn compact(&self) {
        let mut client = self.client.lock().await;
        let answer = client.get("", None).await;
        let revision = match answer {
            Ok(answer) => answer.header().expect("a header").revision(),
            Err(_) => client
                .put("-", "", None)
                .await
                .expect("written")
                .header()
                .expect("a header")
                .revision(),
        };
        let options = CompactionOptions::new().with_physical();
        let compacted = client.compact(revision, Some(options)).await;
        compacted.expect("history is forgotten");
    }

    /// One counter of the server's.
    fn metric(&self, name: &str) -> usize {
        let all = page(self.address(), "/metrics");
        let line = all.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|value| value.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in {all}"))
    }
}

impl Remote for Etcd {
    const NAME: &'static str = "etcd";
    const BOUND: Duration = Duration::from_secs(15);
    const MEMBERS: bool = true;
    const SECURED: bool = true;
    const ROTATES: bool = true;
    const RECREATES: bool = true;
    const FORGETS: bool = true;

    async fn start() -> Option<Self> {
        Self::start_with(None).await
    }

    async fn start_secured() -> Option<Self> {
        Self::start_with(Some((free_port(), Arc::new(Certificates::new())))).await
    }

    fn secured(&self) -> Option<(SocketAddr, &Certificates)> {
        let (port, certificates) = self.secured.as_ref()?;
        Some((local(*port), certificates))
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn address(&self) -> SocketAddr {
        local(self.port)
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        format!("etcd://{address}/{key}")
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let etcd = flux::source::Etcd::new(address.to_string(), key);
        Source::watcher(etcd.credentials("guarded", "hunter2"))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let written = self.client.lock().await.put(key, bytes, None).await;
        written.expect("written");
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let (client, key) = (self.client.lock().await.kv_client(), key.to_owned());
        by_many_hands(64, documents, move |document| {
            let (mut client, key) = (client.clone(), key.clone());
            async move {
                let written = client.put(key, document, None).await.expect("written");
                let header = written.header().expect("a header");
                header.revision().unsigned_abs()
            }
        })
        .await
    }

    async fn delete(&self, key: &str) {
        let deleted = self.client.lock().await.delete(key, None).await;
        deleted.expect("deleted");
    }

    async fn refuse(&self) {
        let mut client = self.client.lock().await;
        let mut guarded = self.guarded.lock().await;
        if !std::mem::replace(&mut *guarded, true) {
            client.role_add("root").await.expect("a role");
            client.role_add("reader").await.expect("a role");
            client.user_add(ROOT.0, ROOT.1, None).await.expect("a user");
            let password = self.password.lock().await.clone();
            let user = client.user_add("guarded", password, None).await;
            user.expect("a user");
            // What others are about is never refused.
            client.role_add("others").await.expect("a role");
            let others = Permission::new(PermissionType::Read, "quiet/").with_prefix();
            let right = client.role_grant_permission("others", others).await;
            right.expect("a right");
            let given = client.user_grant_role("guarded", "others").await;
            given.expect("the role is given");
            client
                .user_grant_role("root", "root")
                .await
                .expect("a right");
            client.auth_enable().await.expect("users are asked");
            *client = connect(self.port, true).await;
            return;
        }
        let taken = client.user_revoke_role("guarded", "reader").await;
        taken.expect("the role is taken away");
    }

    async fn grant(&self) {
        if !*self.guarded.lock().await {
            self.refuse().await;
        }
        let mut client = self.client.lock().await;
        let all = Permission::new(PermissionType::Read, "app/").with_prefix();
        let right = client.role_grant_permission("reader", all).await;
        right.expect("a right");
        let given = client.user_grant_role("guarded", "reader").await;
        given.expect("the role is given");
    }

    async fn rotate(&self, password: &str) {
        let mut client = self.client.lock().await;
        let changed = client.user_change_password("guarded", password).await;
        changed.expect("another password");
        password.clone_into(&mut *self.password.lock().await);
    }

    async fn forget_history(&self) {
        self.compact().await;
    }

    async fn recreate(&mut self) {
        let all = DeleteOptions::new().with_all_keys();
        let deleted = self.client.lock().await.delete("", Some(all)).await;
        deleted.expect("deleted");
    }

    /// Its users are gone with its data.
    async fn wipe(&mut self) {
        block_in_place(|| {
            self.process.wipe();
            self.process.restart();
        });
        *self.guarded.lock().await = false;
    }

    async fn restarted(&mut self) {
        let guarded = *self.guarded.lock().await;
        self.client = Mutex::new(connect(self.port, guarded).await);
    }

    async fn guests(&self) -> usize {
        self.metric("etcd_debugging_mvcc_watcher_total")
            + self.metric("etcd_debugging_mvcc_watch_stream_total")
    }
}
