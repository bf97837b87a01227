//! A web service whose configuration is live, in five short files.
//!
//! | setting | what a change does |
//! |---|---|
//! | `log` | followed at once: `follow` in this file |
//! | `pool` | a transaction: new connections are opened before the change is taken up, and closed if it is not: `pool.rs` |
//! | `greeting` | a transaction as well: the file is read before the change is taken up: `greeting.rs` |
//! | `listen` | waits for a restart (`restart`), while the rest of an edit applies; the status says so |
//!
//! `cargo run --example service` serves until Ctrl-C and says what to try; `-- --demo` tries it by itself and ends. Its files are in a folder
//! that goes away with it, or in the one that the variable `EXAMPLE_FOLDER` names, where files that are there already are read as they are.

mod database;
mod demo;
mod greeting;
mod http;
mod pool;

use flux::Flux;
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::{net::TcpListener, sync::oneshot};
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, reload};

/// Settings of the greeting service.
#[derive(Flux, Serialize)]
#[flux(source = "file:service.yaml", override = "env:SERVICE_")]
#[flux(debounce = "50ms", startup_timeout = "20s", timeout = "5s")]
struct Settings {
    #[flux(nested)]
    listen: Listen,
    /// How much is logged.
    #[flux(default = Level::Info)]
    log: Level,
    #[flux(nested)]
    pool: PoolSettings,
    /// The file with the words that visitors see.
    greeting: PathBuf,
}

/// Where the service listens.
#[derive(Flux, Serialize)]
struct Listen {
    #[flux(restart, default = SocketAddr::from(([127, 0, 0, 1], 8080)))]
    address: SocketAddr,
}

/// The connections to the database.
#[derive(Flux, Serialize, Clone, PartialEq)]
struct PoolSettings {
    database: SocketAddr,
    #[flux(secret)]
    password: String,
    /// How many connections are kept open.
    #[flux(default = 4, range = 1..=64)]
    size: u32,
}

#[derive(Deserialize, Serialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (filter, reload) = reload::Layer::new(LevelFilter::INFO);
    let lines = fmt::layer().without_time().with_ansi(false);
    tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(filter).with(lines),
    )?;

    // A service of your own needs neither of these: the example brings its database and its files with it.
    let demo = std::env::args().any(|argument| argument == "--demo");
    let given = std::env::var_os("EXAMPLE_FOLDER").filter(|_| !demo);
    // A file that is kept has the address of the database.
    let database = database::open(if given.is_some() { 8081 } else { 0 }).await?;
    let own = tempfile::tempdir()?;
    let folder = given.map_or_else(|| own.path().to_owned(), PathBuf::from);
    fs::create_dir_all(&folder)?;
    std::env::set_current_dir(&folder)?;
    let port = if demo { 0 } else { 8080 };
    for (file, text) in [
        ("hello.txt", "hello"),
        ("service.yaml", document(port, database).as_str()),
    ] {
        if !Path::new(file).exists() {
            fs::write(file, text)?;
        }
    }

    let (pool, greeting) = (pool::Pool::default(), greeting::Greeting::default());
    Settings::builder()
        .party(pool.clone())
        .party(greeting.clone())
        .start()
        .await?;
    tokio::spawn(follow(reload));

    let listener = TcpListener::bind(Settings::get().listen.address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, http::routes(pool, greeting));
    let server = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        server.with_graceful_shutdown(stopped).await
    });

    let outcome = if demo {
        demo::run(address).await
    } else {
        usage(address, &folder.join("service.yaml"));
        tokio::signal::ctrl_c().await.map_err(Into::into)
    };
    // In this order: requests under way end with the configuration still there, then nothing watches any more.
    drop(stop);
    server.await??;
    Settings::capacitor().stop().await;
    outcome
}

/// The log level follows the configuration; nothing else wakes it.
async fn follow(reload: reload::Handle<LevelFilter, tracing_subscriber::Registry>) {
    let mut level = Settings::capacitor().watch(|settings| &settings.log);
    let mut now = level.get().copied();
    while let Some(level_now) = now {
        if let Err(error) = reload.reload(level_now) {
            tracing::error!(%error, "the log level cannot be changed");
        }
        now = level.changed().await.copied();
    }
}

fn document(port: u16, database: SocketAddr) -> String {
    format!(
        "listen:\n  address: 127.0.0.1:{port}\nlog: info\npool:\n  database: {database}\n  password: {}\n  size: 4\ngreeting: hello.txt\n",
        database::PASSWORD
    )
}

fn usage(address: SocketAddr, path: &Path) {
    println!(
        "listening on http://{address}; configured by {}",
        path.display()
    );
    println!("  curl http://{address}/        greets, over a connection of the pool");
    println!("  curl http://{address}/status  how the configuration fares");
    println!("  curl http://{address}/config  what is in force, without secrets");
    println!(
        "Edit the file and watch: log: debug; size: 6 or size: 600; greeting: missing.txt; another address."
    );
    println!(
        "The database takes {} connections. Ctrl-C ends.",
        database::MOST
    );
}
