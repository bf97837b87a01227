//! Redis.

use super::Remote;
use crate::{
    certificates::Certificates,
    process::{Process, answer, free_port, local, program},
};
use flux::Source;
use redis::{AsyncTypedCommands, aio::MultiplexedConnection, cmd, pipe};
use std::{net::SocketAddr, process::Command, time::Duration};
use tokio::sync::Mutex;

/// A Redis server that keeps its data on disk.
pub struct Redis {
    process: Process,
    port: u16,
    connection: MultiplexedConnection,
    /// The guarded user's password.
    password: Mutex<String>,
    secured: Option<(u16, Certificates)>,
}

impl Redis {
    /// A server with more options.
    pub async fn start_with(options: &[&str]) -> Option<Self> {
        let options: Vec<String> = options.iter().map(|&option| option.into()).collect();
        let program = program("redis-server")?;
        let port = free_port();
        let recipe = move |folder: &std::path::Path| {
            let mut command = Command::new(&program);
            command
                .args(["--bind", "127.0.0.1", "--daemonize", "no", "--save", ""])
                .args(["--appendonly", "yes", "--appendfsync", "always"])
                .args(["--port", &port.to_string()])
                .arg("--dir")
                .arg(folder)
                .args(&options);
            command
        };
        let probe = move || answer(local(port), "PING\r\n").starts_with("+PONG");
        let process = Process::start("redis", recipe, probe);
        let connection = connect(port).await;
        let server = Redis {
            process,
            port,
            connection,
            password: Mutex::new("hunter2".to_owned()),
            secured: None,
        };
        server.refuse().await;
        Some(server)
    }

    /// One that asks for TLS at a second port, with more options.
    pub async fn start_secured_with(more: &[&str]) -> Option<Self> {
        let (certificates, port) = (Certificates::new(), free_port());
        let mut options = vec!["--tls-port".to_owned(), port.to_string()];
        for (name, file) in [
            ("--tls-cert-file", "server.pem"),
            ("--tls-key-file", "server.key"),
            ("--tls-ca-cert-file", "ca.pem"),
        ] {
            options.extend([name.to_owned(), certificates.path(file)]);
        }
        let options = options.iter().map(String::as_str);
        let options: Vec<&str> = options.chain(more.iter().copied()).collect();
        let server = Self::start_with(&options).await?;
        Some(Redis {
            secured: Some((port, certificates)),
            ..server
        })
    }

    /// The numbers of the clients that listen for notifications.
    pub async fn listeners(&self) -> Vec<String> {
        let mut list = cmd("CLIENT");
        list.arg(&["LIST", "TYPE", "pubsub"]);
        let connection = &mut self.connection.clone();
        let clients: String = list.query_async(connection).await.expect("the clients");
        let numbers = clients.lines().filter_map(|line| {
            let number = line.split(' ').next()?.strip_prefix("id=")?;
            Some(number.to_owned())
        });
        numbers.collect()
    }

    /// Sends a command as the administrator.
    pub async fn command(&self, words: &[&str]) {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        let connection = &mut self.connection.clone();
        let () = command.query_async(connection).await.expect("an answer");
    }

    /// What the server itself holds at a key, whatever is above it.
    pub async fn read(&self, key: &str) -> Option<String> {
        let mut connection = self.connection.clone();
        connection.get(key).await.expect("an answer")
    }
}

async fn connect(port: u16) -> MultiplexedConnection {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("a URI");
    let config = redis::AsyncConnectionConfig::new()
        .set_response_timeout(Some(Duration::from_secs(60)))
        .set_connection_timeout(Some(Duration::from_secs(60)));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.expect("a connection")
}

impl Remote for Redis {
    const NAME: &'static str = "redis";
    const BOUND: Duration = Duration::from_secs(38);
    const SECURED: bool = true;
    const IDLE: Option<Duration> = Some(Duration::from_secs(2));
    const ROTATES: bool = true;
    const RECREATES: bool = true;

    async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    async fn start_impatient() -> Option<Self> {
        // Set later: the suite's own connection would be ended too.
        let server = Self::start().await?;
        server.command(&["CONFIG", "SET", "timeout", "2"]).await;
        Some(server)
    }

    async fn start_secured() -> Option<Self> {
        Self::start_secured_with(&[]).await
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
        format!("redis://{address}/{key}")
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let redis = flux::source::Redis::new(address.to_string(), key);
        Source::watcher(redis.credentials("guarded", "hunter2"))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let mut connection = self.connection.clone();
        if connection.set(key, bytes).await.is_err() {
            // An impatient server ends quiet connections, the suite's own included.
            let written = connect(self.port).await.set(key, bytes).await;
            written.expect("the document is written");
        }
    }

    async fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> Vec<usize> {
        for some in documents.chunks(500) {
            let mut pipe = pipe();
            some.iter().for_each(|document| {
                pipe.set(key, document.as_slice()).ignore();
            });
            let () = pipe
                .query_async(&mut self.connection.clone())
                .await
                .expect("written");
        }
        (0..documents.len()).collect()
    }

    async fn delete(&self, key: &str) {
        self.connection.clone().del(key).await.expect("deleted");
    }

    async fn refuse(&self) {
        self.command(&["ACL", "SETUSER", "guarded", "reset"]).await;
    }

    async fn grant(&self) {
        let password = format!(">{}", self.password.lock().await);
        self.command(&[
            "ACL", "SETUSER", "guarded", "reset", "on", &password, "~*", "&*", "+get", "+hello",
            "+ping", "+client",
        ])
        .await;
    }

    /// Neither changes nor the server's role are reported to it.
    async fn grant_least(&self) {
        let password = format!(">{}", self.password.lock().await);
        self.command(&[
            "ACL", "SETUSER", "guarded", "reset", "on", &password, "~*", "&*", "+get", "+hello",
            "+ping",
        ])
        .await;
    }

    async fn rotate(&self, password: &str) {
        password.clone_into(&mut *self.password.lock().await);
        let password = format!(">{password}");
        let change = ["ACL", "SETUSER", "guarded", "resetpass", &password];
        self.command(&change).await;
    }

    async fn recreate(&mut self) {
        self.command(&["FLUSHALL"]).await;
    }

    async fn renewed(&mut self) {
        let Some((_, certificates)) = &self.secured else {
            return;
        };
        let files = ["server.pem", "server.key", "ca.pem"].map(|file| certificates.path(file));
        let names = ["tls-cert-file", "tls-key-file", "tls-ca-cert-file"];
        let pairs = names.iter().zip(&files);
        let pairs = pairs.flat_map(|(name, file)| [*name, file.as_str()]);
        let command: Vec<&str> = ["CONFIG", "SET"].into_iter().chain(pairs).collect();
        self.command(&command).await;
    }

    async fn restarted(&mut self) {
        self.connection = connect(self.port).await;
    }

    async fn guests(&self) -> usize {
        let mut list = cmd("CLIENT");
        list.arg("LIST");
        let connection = &mut self.connection.clone();
        let clients: String = list.query_async(connection).await.expect("the clients");
        clients.lines().count() - 1
    }
}
