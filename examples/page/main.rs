//! A service with its configuration in the browser: read-only for who reaches it, and with rollback and pins behind a password.
//!
//! `cargo run --example page` serves until Ctrl-C; `-- --demo` asks itself, and ends.

mod demo;

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use flux::{Flux, page::Control};
use std::{error::Error, fs, time::Duration};
use tokio::net::TcpListener;

/// Settings of a service.
#[derive(Flux)]
#[flux(source = "file:app.yaml", override = "env:APP_")]
#[flux(debounce = "50ms", generations = 5, history = 10)]
struct AppConfig {
    /// Where visitors are answered.
    #[flux(default = "127.0.0.1:8080", restart)]
    address: String,
    /// How many visitors are served at the same time.
    #[flux(default = 100, range = 1..=10_000)]
    visitors: u32,
    /// How long an answer may take.
    #[flux(default = "30s")]
    timeout: Duration,
    /// The key of the payment service.
    #[flux(secret)]
    api_key: String,
}

const GOOD: &str = "visitors: 200\napi_key: correct-horse\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A service of your own does not bring its file with it.
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;
    fs::write("app.yaml", GOOD)?;
    AppConfig::start().await?;

    let page = flux::page::<AppConfig>();
    let controlled = Router::new()
        .nest_service("/admin/config", page.clone().allow(Control))
        .layer(middleware::from_fn(only_admins));
    let router = Router::new()
        .nest_service("/config", page)
        .merge(controlled);

    let demo = std::env::args().any(|argument| argument == "--demo");
    let listener = TcpListener::bind(if demo {
        "127.0.0.1:0"
    } else {
        "127.0.0.1:8080"
    })
    .await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    if demo {
        demo::run(address).await?;
    } else {
        let file = folder.path().join("app.yaml");
        println!(
            "http://{address}/config is read-only; configured by {}",
            file.display()
        );
        println!(
            "http://{address}/admin/config has rollback and pins, for `admin` with the password `admin`"
        );
        tokio::signal::ctrl_c().await?;
    }
    server.abort();
    AppConfig::capacitor().stop().await;
    Ok(())
}

/// `admin:admin`, as browsers send it. Your service has an authentication of its own.
const ADMIN: &str = "Basic YWRtaW46YWRtaW4=";

async fn only_admins(request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    if given.is_some_and(|given| given == ADMIN) {
        return next.run(request).await;
    }
    let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"config\"")];
    (StatusCode::UNAUTHORIZED, ask).into_response()
}
