//! NATS with JetStream.

use super::Remote;
use crate::{
    certificates::Certificates,
    process::{Process, free_port, local, page, program},
};
use async_nats::{
    Client, ConnectOptions,
    jetstream::{self, kv::Store, stream},
};
use flux::Source;
use std::{
    fmt::Write,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const BUCKET: &str = "flux";

/// A server that keeps its streams on disk.
pub struct Nats {
    process: Process,
    port: u16,
    monitor: u16,
    client: Client,
    store: Store,
    rights: Mutex<Rights>,
    certificates: Option<Arc<Certificates>>,
}

/// What the guarded user may do.
#[derive(Clone)]
struct Rights {
    may_read: bool,
    password: String,
}

impl Rights {
    /// Those from the start.
    fn none() -> Self {
        Rights {
            may_read: false,
            password: "hunter2".to_owned(),
        }
    }
}

fn configuration(
    folder: &Path,
    port: u16,
    monitor: u16,
    rights: &Rights,
    certificates: Option<&Certificates>,
) -> String {
    let password = &rights.password;
    let rights = match rights.may_read {
        false => "publish: { deny: \">\" }, subscribe: { deny: \">\" }".to_owned(),
        true => format!(
            "publish: [\"$JS.API.STREAM.INFO.KV_{BUCKET}\", \"$JS.API.CONSUMER.CREATE.KV_{BUCKET}\", \"$JS.API.CONSUMER.CREATE.KV_{BUCKET}.>\", \"$JS.FC.>\"], subscribe: [\"_INBOX.>\"]"
        ),
    };
    let mut text = String::new();
    let _ = write!(
        text,
        r#"
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
max_payload: 2MB
jetstream {{ store_dir: "{}" }}
no_auth_user: "admin"
authorization {{
  users: [
    {{ user: "admin", password: "swordfish" }}
    {{ user: "guarded", password: "{password}", permissions: {{ {rights} }} }}
  ]
}}
"#,
        folder.join("data").display()
    );
    if let Some(certificates) = certificates {
        let [cert, key, ca] =
            ["server.pem", "server.key", "ca.pem"].map(|file| certificates.path(file));
        // The suite's own client goes on without.
        let _ = writeln!(
            text,
            "allow_non_tls: true\ntls {{ cert_file: \"{cert}\", key_file: \"{key}\", ca_file: \"{ca}\", verify: true }}"
        );
    }
    text
}

/// The bucket, which is made if it is not there.
async fn bucket(client: &Client) -> Store {
    let context = jetstream::new(client.clone());
    // As a plain stream: older servers refuse what newer clients ask for a bucket.
    let config = stream::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        max_messages_per_subject: 1,
        allow_rollup: true,
        deny_delete: true,
        ..stream::Config::default()
    };
    context
        .get_or_create_stream(config)
        .await
        .expect("a stream");
    context.get_key_value(BUCKET).await.expect("a bucket")
}

async fn connect(port: u16) -> Client {
    let options = ConnectOptions::new().user_and_password("admin".into(), "swordfish".into());
    let client = options.connect(format!("127.0.0.1:{port}")).await;
    client.expect("a connection")
}

impl Nats {
    /// A server by another program than the usual one.
    pub async fn start_as(name: &str) -> Option<Self> {
        Self::start_with(name, None).await
    }

    async fn start_with(name: &str, certificates: Option<Arc<Certificates>>) -> Option<Self> {
        let known = certificates.clone();
        let program = program(name)?;
        let (port, monitor) = (free_port(), free_port());
        let recipe = move |folder: &Path| {
            let file = folder.join("nats.conf");
            if !file.exists() {
                let text = configuration(folder, port, monitor, &Rights::none(), known.as_deref());
                std::fs::write(&file, text).expect("its configuration");
            }
            let mut command = Command::new(&program);
            command.arg("-c").arg(file);
            command
        };
        let probe = move || page(local(monitor), "/healthz").contains("ok");
        let process = Process::start("nats", recipe, probe);
        let client = connect(port).await;
        let store = bucket(&client).await;
        Some(Nats {
            process,
            port,
            monitor,
            client,
            store,
            rights: Mutex::new(Rights::none()),
            certificates,
        })
    }

    /// Deletes the bucket with all that is in it.
    pub async fn delete_bucket(&self) {
        let context = jetstream::new(self.client.clone());
        let gone = context.delete_stream(format!("KV_{BUCKET}")).await;
        gone.expect("the bucket is deleted");
    }

    /// Empties the bucket without a word to who follows its keys.
    pub async fn empty_bucket(&self) {
        let context = jetstream::new(self.client.clone());
        let stream = context.get_stream(format!("KV_{BUCKET}")).await;
        let emptied = stream.expect("the bucket").purge().await;
        emptied.expect("the bucket is emptied");
    }

    /// Makes the bucket again.
    pub async fn make_bucket(&mut self) {
        self.store = bucket(&self.client).await;
    }

    /// Deletes a key with its history.
    pub async fn purge(&self, key: &str) {
        self.store.purge(key).await.expect("purged");
    }

    async fn change_rights(&self, change: impl FnOnce(&mut Rights)) {
        let rights = {
            let mut rights = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut rights);
            rights.clone()
        };
        let told = || page(local(self.monitor), "/varz");
        let time = |page: String| {
            let line = page.lines().find(|line| line.contains("config_load_time"));
            line.map(str::to_owned)
        };
        let before = time(told());
        let folder = self.process.folder();
        let text = configuration(
            folder,
            self.port,
            self.monitor,
            &rights,
            self.certificates.as_deref(),
        );
        std::fs::write(folder.join("nats.conf"), text).expect("its configuration");
        self.process.signal("HUP");
        let begin = Instant::now();
        while time(told()) == before {
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "it does not reload"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A number on a page of the monitor's.
    fn number(&self, path: &str, name: &str) -> usize {
        let page = page(local(self.monitor), path);
        let quoted = format!("\"{name}\":");
        let value = page.split_once(&quoted).map(|(_, rest)| rest.trim_start());
        let digits = value.map(|value| value.split(|c: char| !c.is_ascii_digit()).next());
        let number = digits.flatten().and_then(|digits| digits.parse().ok());
        number.unwrap_or_else(|| panic!("no {name} in {page}"))
    }
}

impl Remote for Nats {
    const NAME: &'static str = "nats";
    const BOUND: Duration = Duration::from_secs(25);
    const MEMBERS: bool = true;
    const SECURED: bool = true;
    const ROTATES: bool = true;
    const RECREATES: bool = true;

    async fn start() -> Option<Self> {
        Self::start_as("nats-server").await
    }

    async fn start_secured() -> Option<Self> {
        Self::start_with("nats-server", Some(Arc::new(Certificates::new()))).await
    }

    fn secured(&self) -> Option<(SocketAddr, &Certificates)> {
        Some((self.address(), self.certificates.as_deref()?))
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn address(&self) -> SocketAddr {
        local(self.port)
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        format!("nats://{address}/{BUCKET}/{key}")
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let nats = flux::source::Nats::new(address.to_string(), BUCKET, key);
        Source::watcher(nats.credentials("guarded", "hunter2"))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let begin = Instant::now();
        // The suite's own client may still be on its way back to a server that was away.
        while let Err(error) = self.store.put(key, bytes.to_vec().into()).await {
            assert!(begin.elapsed() < Duration::from_secs(30), "{error}");
        }
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let context = jetstream::new(self.client.clone());
        let mut written = Vec::new();
        for some in documents.chunks(250) {
            let mut answers = Vec::new();
            for document in some {
                let subject = format!("$KV.{BUCKET}.{key}");
                let sent = context.publish(subject, document.clone().into()).await;
                answers.push(sent.expect("sent"));
            }
            for answer in answers {
                let answer = answer.await.expect("written");
                written.push((answer.sequence, written.len()));
            }
        }
        written.sort_unstable();
        written.into_iter().map(|(_, place)| place).collect()
    }

    async fn delete(&self, key: &str) {
        self.store.delete(key).await.expect("deleted");
    }

    async fn refuse(&self) {
        self.change_rights(|rights| rights.may_read = false).await;
    }

    async fn grant(&self) {
        self.change_rights(|rights| rights.may_read = true).await;
    }

    async fn rotate(&self, password: &str) {
        let change = |rights: &mut Rights| password.clone_into(&mut rights.password);
        self.change_rights(change).await;
    }

    async fn recreate(&mut self) {
        self.delete_bucket().await;
        self.make_bucket().await;
    }

    /// It reads its files again with its configuration.
    async fn renewed(&mut self) {
        self.change_rights(|_| {}).await;
    }

    async fn restarted(&mut self) {
        self.client = connect(self.port).await;
        self.store = bucket(&self.client).await;
    }

    async fn guests(&self) -> usize {
        self.number("/connz", "num_connections") + self.number("/jsz", "consumers") - 1
    }
}
