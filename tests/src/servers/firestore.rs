//! The emulator of Firestore.

use super::Remote;
use crate::process::{Process, cache, established, free_port, http, local, missing, program};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use flux::Source;
pub use googleapis_tonic_google_firestore_v1::google::firestore::v1::value::ValueType;
use googleapis_tonic_google_firestore_v1::google::firestore::v1::{
    CommitRequest, Document, Value, Write, firestore_client::FirestoreClient, write::Operation,
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
use tokio::task::block_in_place;
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint},
};

/// An emulator, which keeps everything in memory and asks nobody who comes.
pub struct Firestore {
    process: Process,
    port: u16,
    client: FirestoreClient<Channel>,
}

const PROJECT: &str = "flux-test";

/// Who reads must be somebody, and there must be a document that says so; the owner may do everything.
const RULES: &str = "rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /{document=**} {
      allow read: if request.auth != null && exists(/databases/$(database)/documents/rights/guarded);
    }
  }
}
";

/// Where `tests/servers/install` says that the emulator is.
fn jar() -> Option<PathBuf> {
    let jar = cache().join("firestore-emulator.jar");
    if !jar.is_file() {
        missing("the Firestore emulator");
        return None;
    }
    Some(jar)
}

impl Firestore {
    /// A token of the user `guarded`, which the emulator takes unsigned.
    pub fn guarded_token() -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let head = part("{\"alg\":\"none\",\"typ\":\"JWT\"}");
        let body = part(&format!(
            "{{\"sub\":\"guarded\",\"user_id\":\"guarded\",\"iat\":0,\"auth_time\":0,\"exp\":4102444800,\
             \"iss\":\"https://securetoken.google.com/{PROJECT}\",\"aud\":\"{PROJECT}\"}}"
        ));
        format!("{head}.{body}.")
    }

    /// Changes one document, as the owner of everything.
    async fn commit(&self, operation: Operation) {
        let begin = Instant::now();
        loop {
            let mut request = Request::new(CommitRequest {
                database: format!("projects/{PROJECT}/databases/(default)"),
                writes: vec![Write {
                    operation: Some(operation.clone()),
                    ..Write::default()
                }],
                ..CommitRequest::default()
            });
            let owner = "Bearer owner".parse().expect("a word");
            request.metadata_mut().insert("authorization", owner);
            let answer = self.client.clone().commit(request).await;
            let Err(status) = answer else {
                return;
            };
            // A reader of the same document may be in the way, or the server have been away.
            let passing = matches!(
                status.code(),
                Code::Aborted | Code::Cancelled | Code::Unavailable | Code::Unknown
            );
            let late = begin.elapsed() > Duration::from_secs(60);
            assert!(passing && !late, "{status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn document(key: &str) -> String {
        format!("projects/{PROJECT}/databases/(default)/documents/{key}")
    }

    /// Takes away all that it holds, while it runs.
    pub fn empty(&self) {
        let path = format!("/emulator/v1/projects/{PROJECT}/databases/(default)/documents");
        let asked = || http(local(self.port), "DELETE", &path, &[], b"");
        let (status, answer) = block_in_place(asked);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// Writes a document of several fields.
    pub async fn write_fields(&self, key: &str, fields: &[(&str, ValueType)]) {
        let value = |value: &ValueType| Value {
            value_type: Some(value.clone()),
        };
        let fields = fields.iter();
        let document = Document {
            name: Self::document(key),
            fields: fields
                .map(|(name, content)| ((*name).to_owned(), value(content)))
                .collect(),
            ..Document::default()
        };
        self.commit(Operation::Update(document)).await;
    }
}

impl Remote for Firestore {
    const NAME: &'static str = "firestore";
    const BOUND: Duration = Duration::from_secs(71);
    const DURABLE: bool = false;

    async fn start() -> Option<Self> {
        let (java, jar) = (program("java")?, jar()?);
        let port = free_port();
        let recipe = move |folder: &std::path::Path| {
            std::fs::write(folder.join("rules"), RULES).expect("its rules");
            let mut command = Command::new(&java);
            command
                .args(["-Duser.language=en", "-Xmx512m", "-XX:+UseSerialGC"])
                .args(["-XX:TieredStopAtLevel=1", "-cp"])
                .arg(&jar)
                .arg("com.google.cloud.datastore.emulator.firestore.CloudFirestore")
                .args(["start", "--host=127.0.0.1", &format!("--port={port}")])
                .arg(format!("--rules={}", folder.join("rules").display()));
            command
        };
        let probe = move || http(local(port), "GET", "/", &[], b"").0 == 200;
        let process = block_in_place(|| Process::start("firestore", recipe, probe));
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
        let channel = channel.expect("an address").connect_lazy();
        Some(Firestore {
            process,
            port,
            client: FirestoreClient::new(channel),
        })
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn address(&self) -> SocketAddr {
        local(self.port)
    }

    fn uri(&self, _: SocketAddr, key: &str) -> String {
        format!("firestore://{PROJECT}/{key}?field=data")
    }

    fn source(&self, address: SocketAddr, key: &str) -> Source {
        let source = flux::source::Firestore::new(PROJECT, key).field("data");
        Source::watcher(source.emulator(address.to_string()))
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let source = flux::source::Firestore::new(PROJECT, key).field("data");
        Source::watcher(
            source
                .emulator(address.to_string())
                .token(Self::guarded_token()),
        )
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let data = ValueType::BytesValue(bytes.to_vec());
        self.write_fields(key, &[("data", data)]).await;
    }

    async fn delete(&self, key: &str) {
        self.commit(Operation::Delete(Self::document(key))).await;
    }

    async fn refuse(&self) {
        self.delete("rights/guarded").await;
    }

    async fn grant(&self) {
        self.write("rights/guarded", b"").await;
    }

    async fn restarted(&mut self) {}

    fn largest(&self) -> usize {
        // A document has at most a mebibyte, its names included.
        (1 << 20) - 1024
    }

    async fn guests(&self) -> usize {
        established(self.port)
    }
}
