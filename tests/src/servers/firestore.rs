//! The emulator of Firestore.

use super::Remote;
use crate::process::{Process, cache, established, free_port, http, local, missing, program};
use flux::Source;
use std::{fmt::Write, net::SocketAddr, path::PathBuf, process::Command};
use tokio::task::block_in_place;

/// An emulator, which keeps everything in memory and asks nobody who comes.
pub struct Firestore {
    process: Process,
    port: u16,
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

/// A token of the user `guarded`, which the emulator takes unsigned.
fn guarded_token() -> String {
    let part = |text: &str| {
        let text = base64(text.as_bytes()).replace('+', "-").replace('/', "_");
        text.trim_end_matches('=').to_owned()
    };
    let head = part("{\"alg\":\"none\",\"typ\":\"JWT\"}");
    let body = part(&format!(
        "{{\"sub\":\"guarded\",\"user_id\":\"guarded\",\"iat\":0,\"auth_time\":0,\"exp\":4102444800,\
         \"iss\":\"https://securetoken.google.com/{PROJECT}\",\"aud\":\"{PROJECT}\"}}"
    ));
    format!("{head}.{body}.")
}

/// Where `tests/servers/install` says that the emulator is.
fn jar() -> Option<PathBuf> {
    let jar = cache().join("firestore-emulator.jar");
    if !jar.is_file() {
        missing("the Firestore emulator");
        return None;
    }
    Some(jar)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => out.push(DIGITS[(group >> (18 - 6 * digit) & 63) as usize].into()),
                false => out.push('='),
            }
        }
    }
    out
}

impl Firestore {
    fn ask(&self, method: &str, path: &str, body: &str) -> u16 {
        let headers = [
            ("Authorization", "Bearer owner"),
            ("Content-Type", "application/json"),
        ];
        http(self.address(), method, path, &headers, body.as_bytes()).0
    }

    fn document(key: &str) -> String {
        format!("/v1/projects/{PROJECT}/databases/(default)/documents/{key}")
    }
}

impl Remote for Firestore {
    const NAME: &'static str = "firestore";
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
        Some(Firestore { process, port })
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
        Source::watcher(source.emulator(address.to_string()).token(guarded_token()))
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        let mut body = String::from("{\"fields\": {\"data\": {\"bytesValue\": \"");
        let _ = write!(body, "{}\"}}}}}}", base64(bytes));
        let written = || {
            (0..100).any(|_| {
                // A reader of the same document may be in the way.
                let status = self.ask("PATCH", &Self::document(key), &body);
                assert!(matches!(status, 200 | 409 | 499), "{status}");
                status == 200
            })
        };
        assert!(block_in_place(written), "written");
    }

    async fn delete(&self, key: &str) {
        let status = block_in_place(|| self.ask("DELETE", &Self::document(key), ""));
        assert_eq!(status, 200, "deleted");
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
