//! A web server (nginx) with documents, and another one before it, as operations have them.

use super::{Nginx, Remote};
use crate::{
    certificates::Certificates,
    process::{Process, established},
};
use flux::{Format, Source};
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::task::block_in_place;

/// The server that holds the documents, and the one before it, which clients ask.
pub struct Https {
    origin: Nginx,
    front: Nginx,
    certificates: Option<Certificates>,
}

const POLL: Duration = Duration::from_secs(1);

/// The guarded user's documents are the same ones at another place, which is closed where there is no file `granted`.
const PLACES: &str = "location / { root FOLDER/pages; }
    location /guarded/ { alias FOLDER/pages/; if (!-f FOLDER/granted) { return 403; } }";

impl Https {
    fn start_with(certificates: Option<Certificates>) -> Option<Self> {
        let origin = Nginx::start("", PLACES)?;
        let pass = format!("location / {{ proxy_pass http://{}; }}", origin.address());
        let front = match &certificates {
            None => Nginx::start("", &pass)?,
            Some(certificates) => {
                let settings = format!(
                    "{pass} ssl_certificate {}; ssl_certificate_key {}; ssl_client_certificate {}; ssl_verify_client on;",
                    certificates.path("server.pem"),
                    certificates.path("server.key"),
                    certificates.path("ca.pem")
                );
                Nginx::start(" ssl", &settings)?
            }
        };
        Some(Https {
            origin,
            front,
            certificates,
        })
    }

    fn page(&self, key: &str) -> PathBuf {
        self.origin.folder().join("pages").join(key)
    }
}

impl Remote for Https {
    const NAME: &'static str = "https";
    const BOUND: Duration = Duration::from_secs(7);
    /// The date of an older copy is that of a replica which lags behind.
    const COPIES: bool = false;
    const SECURED: bool = true;
    const POLLED: bool = true;
    /// One that is asked for has a connection of its own.
    const CONNECTIONS: usize = 20;

    async fn start() -> Option<Self> {
        block_in_place(|| Self::start_with(None))
    }

    async fn start_secured() -> Option<Self> {
        block_in_place(|| Self::start_with(Some(Certificates::new())))
    }

    fn secured(&self) -> Option<(SocketAddr, &Certificates)> {
        Some((self.front.address(), self.certificates.as_ref()?))
    }

    fn secured_source(&self, address: SocketAddr, key: &str, ca: &str, is_known: bool) -> Source {
        let (_, certificates) = self.secured().expect("a server with certificates");
        let path = |file| certificates.path(file);
        let source = flux::source::Https::new(address.to_string(), format!("/{key}"));
        let mut source = source.poll(POLL).ca(path(ca));
        if is_known {
            source = source.client_certificate(path("client.pem"), path("client.key"));
        }
        Source::watcher(source).format(Format::Json)
    }

    async fn renewed(&mut self) {
        block_in_place(|| self.front.process().restart());
    }

    fn process(&mut self) -> &mut Process {
        self.origin.process()
    }

    fn address(&self) -> SocketAddr {
        self.front.address()
    }

    fn uri(&self, address: SocketAddr, key: &str) -> String {
        format!("http://{address}/{key}#poll=1s")
    }

    fn source(&self, address: SocketAddr, key: &str) -> Source {
        Source::uri(self.uri(address, key)).format(Format::Json)
    }

    fn guarded(&self, address: SocketAddr, key: &str) -> Source {
        let source = flux::source::Https::plain(address.to_string(), format!("/guarded/{key}"));
        Source::watcher(source.poll(POLL)).format(Format::Json)
    }

    async fn write(&self, key: &str, bytes: &[u8]) {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let (page, file) = (self.page(key), FILES.fetch_add(1, Ordering::Relaxed));
        let beside = self.origin.folder().join(format!("new-{file}"));
        fs::create_dir_all(page.parent().expect("a folder")).expect("a folder");
        fs::write(&beside, bytes).expect("a page");
        fs::rename(&beside, &page).expect("a page");
    }

    async fn delete(&self, key: &str) {
        let _ = fs::remove_file(self.page(key));
    }

    async fn refuse(&self) {
        let _ = fs::remove_file(self.origin.folder().join("granted"));
    }

    async fn grant(&self) {
        fs::write(self.origin.folder().join("granted"), "").expect("a file");
    }

    async fn restarted(&mut self) {}

    async fn guests(&self) -> usize {
        established(self.front.address().port())
    }
}
