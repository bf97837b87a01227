//! A service with a page, as a program has it.

use axum::Router;
use flux::{
    Capacitor, Config, Flux, Source,
    page::{Control, Page},
};
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

/// The settings of a service.
#[derive(Flux)]
pub struct Settings {
    #[flux(nested)]
    pub listen: Listen,
    #[flux(nested)]
    pub pool: Pool,
    /// How much is logged.
    #[flux(default = "info", one_of = ["error", "warn", "info", "debug"])]
    pub log: String,
    /// How long an answer may take.
    #[flux(default = "30s")]
    pub timeout: Duration,
    /// What is shown with each metric.
    #[flux(default)]
    pub labels: BTreeMap<String, String>,
}

#[derive(Flux)]
pub struct Listen {
    /// Where visitors are answered.
    #[flux(default = "127.0.0.1:8080", restart)]
    pub address: String,
}

#[derive(Flux)]
pub struct Pool {
    #[flux(default = "db.internal:5432")]
    pub database: String,
    #[flux(secret)]
    pub password: String,
    /// How many connections are kept open.
    #[flux(default = 4, range = 1..=64)]
    pub size: u32,
}

pub struct Site<C: Config> {
    pub capacitor: Capacitor<C>,
    pub url: String,
    pub runtime: Option<Runtime>,
    folder: TempDir,
}

impl<C: Config> Site<C> {
    /// A file with this document, below a variable, and a page with control.
    pub fn of(document: &str) -> Site<C> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("service.yaml");
        fs::write(&file, document).unwrap();
        let runtime = Runtime::new().unwrap();
        let (capacitor, url) = runtime.block_on(async {
            let capacitor = Capacitor::<C>::builder()
                .name("greeting-service")
                .source(Source::uri(format!("file:{}", file.display())).named("service.yaml"))
                .override_with(Source::env("SERVICE_").variables([("SERVICE_LOG", "warn")]))
                .debounce(Duration::from_millis(20))
                .generations(5)
                .history(5)
                .build()
                .unwrap();
            capacitor.start().await.unwrap();
            let page = Page::new(&capacitor).allow(Control);
            let router = Router::new().nest_service("/config", page);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/config", listener.local_addr().unwrap());
            tokio::spawn(async { axum::serve(listener, router).await });
            (capacitor, url)
        });
        Site {
            capacitor,
            url,
            runtime: Some(runtime),
            folder,
        }
    }

    pub fn write(&self, document: &str) {
        let file: PathBuf = self.folder.path().join("service.yaml");
        fs::write(file, document).unwrap();
    }
}

impl<C: Config> Drop for Site<C> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
