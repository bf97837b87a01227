//! ZooKeeper.

use super::Remote;
use crate::{
    certificates::Certificates,
    process::{Process, answer, free_port, local, missing, program},
};
use flux::Source;
use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::block_in_place};
use zookeeper_client::{Acl, Acls, AuthId, Client, CreateMode, Error, Permission};

pub(super) const JAR: &str = "/usr/share/java/zookeeper.jar";
/// With what its connections over TLS need.
const JARS: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/netty-codec.jar:/usr/share/java/netty-resolver.jar";

/// A ZooKeeper without peers.
pub struct ZooKeeper {
    process: Process,
    port: u16,
    client: Mutex<Client>,
    secured: Option<(u16, Arc<Certificates>)>,
}

async fn connect(port: u16) -> Client {
    let begin = std::time::Instant::now();
    loop {
        let connector = Client::connector()
            .with_session_timeout(Duration::from_secs(60))
            .with_auth("digest", b"root:swordfish");
        match connector.connect(&format!("127.0.0.1:{port}")).await {
            Ok(client) => return client,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl ZooKeeper {
    async fn start_with(secured: Option<(u16, Arc<Certificates>)>) -> Option<Self> {
        let java = program("java")?;
        if !Path::new(JAR).is_file() {
            missing("zookeeper");
            return None;
        }
        let port = free_port();
        let secure = secured.clone();
        let recipe = move |folder: &Path| {
            let mut settings = format!(
                "tickTime=500\ndataDir={}\nclientPortAddress=127.0.0.1\nclientPort={port}\nmaxClientCnxns=0\n\
                 admin.enableServer=false\n4lw.commands.whitelist=*\nmaxSessionTimeout=60000\n",
                folder.join("data").display()
            );
            if let Some((port, certificates)) = &secure {
                settings += &over_tls(folder, *port, certificates);
            }
            fs::write(folder.join("zoo.cfg"), settings).expect("its settings");
            let mut command = Command::new(&java);
            command
                .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                .args(["-Djute.maxbuffer=33554432", "-cp", JARS])
                .arg("org.apache.zookeeper.server.ZooKeeperServerMain")
                .arg(folder.join("zoo.cfg"));
            command
        };
        let probe = move || answer(local(port), "srvr").contains("Mode:");
        let process = block_in_place(|| Process::start("zookeeper", recipe, probe));
        Some(ZooKeeper {
            process,
            port,
            client: Mutex::new(connect(port).await),
            secured,
        })
    }

    /// How many sessions it knows, the suite's own included.
    pub fn sessions(&self) -> usize {
        let all = block_in_place(|| answer(local(self.port), "dump"));
        let (sessions, _) = all.split_once("ephemeral nodes").expect("an answer");
        let known = |line: &&str| line.trim_start().starts_with("0x");
        sessions.lines().filter(known).count()
    }

    /// Gives a node these rights, and makes it where it is missing.
    async fn rights(&self, path: &str, acls: &[Acl]) {
        let client = self.client.lock().await;
        match client.set_acl(path, acls, None).await {
            Ok(_) => {}
            Err(Error::NoNode) => {
                let options = CreateMode::Persistent.with_acls(Acls::new(acls));
                client.create(path, b"", &options).await.expect("made");
            }
            Err(error) => panic!("{path}: {error}"),
        }
    }
}

/// The settings of a second port, which asks for TLS and for a client's certificate.
fn over_tls(folder: &Path, port: u16, certificates: &Certificates) -> String {
    let read = |name| fs::read_to_string(certificates.path(name)).expect("a certificate");
    let (own, trusted) = (folder.join("own.pem"), folder.join("trusted.pem"));
    fs::write(&own, read("server.pem") + &read("server.key")).expect("its certificate");
    fs::write(&trusted, read("ca.pem")).expect("whom it trusts");
    format!(
        "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n\
         secureClientPort={port}\nsecureClientPortAddress=127.0.0.1\n\
         ssl.keyStore.location={}\nssl.trustStore.location={}\n",
        own.display(),
        trusted.display()
    )
}

/// Writes a node, and makes it with its parents where it is missing.
pub(super) async fn written_by(client: &Client, key: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = format!("/{key}");
    match client.set_data(&path, bytes, None).await {
        Err(Error::NoNode) => {}
        written => return written.map(drop),
    }
    let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
    if let Some((parent, _)) = path
        .rsplit_once('/')
        .filter(|(parent, _)| !parent.is_empty())
    {
        client.mkdir(parent, &options).await?;
    }
    client.create(&path, bytes, &options).await.map(drop)
}

fn root() -> Acl {
    Acl::new(Permission::ALL, AuthId::new("auth", ""))
}

/// `guarded:hunter2` as the scheme `digest` knows it.
fn guarded() -> AuthId {
    AuthId::new("digest", "guarded:rEr9jK4L99Cb1FRErfX5XqtF3Ik=")
}

impl Remote for ZooKeeper {
    const NAME: &'static str = "zookeeper";
    const BOUND: Duration = Duration::from_secs(15);
    const MEMBERS: bool = true;
    const SECURED: bool = true;

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
        format!("zookeeper://{address}/{key}")
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let source = flux::source::ZooKeeper::new(address.to_string(), key);
        Source::watcher(source.credentials("guarded", "hunter2"))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let client = self.client.lock().await;
        let written = written_by(&client, key, bytes).await;
        written.unwrap_or_else(|error| panic!("/{key}: {error}"));
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        let (client, path) = (self.client.lock().await, format!("/{key}"));
        let mut written = Vec::new();
        for some in documents.chunks(250) {
            // Sent as soon as called.
            let answers: Vec<_> = some
                .iter()
                .map(|document| client.set_data(&path, document, None))
                .collect();
            for answer in answers {
                let stat = answer.await.expect("written");
                written.push((stat.mzxid, written.len()));
            }
        }
        written.sort_unstable();
        written.into_iter().map(|(_, place)| place).collect()
    }

    async fn delete(&self, key: &str) {
        let client = self.client.lock().await;
        match client.delete(&format!("/{key}"), None).await {
            Ok(()) | Err(Error::NoNode) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn refuse(&self) {
        self.rights("/app/config", &[root()]).await;
    }

    async fn grant(&self) {
        self.rights(
            "/app/config",
            &[root(), Acl::new(Permission::READ, guarded())],
        )
        .await;
    }

    async fn restarted(&mut self) {
        self.client = Mutex::new(connect(self.port).await);
    }

    fn largest(&self) -> usize {
        // Its own limit is just under a mebibyte.
        (1 << 20) - 2048
    }

    async fn guests(&self) -> usize {
        // The last lines of `cons` are its own question and the suite's session.
        let all = block_in_place(|| answer(local(self.port), "cons"));
        all.lines().filter(|line| line.contains("sid=")).count()
    }
}
