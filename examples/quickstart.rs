//! The main job of Flux in one page: start, read, apply a good edit, refuse a bad one, recover, override from the environment.
//!
//! `cargo run --example quickstart` writes its own `app.yaml` in a temporary folder and ends by itself.

use flux::{Flux, State};
use std::{error::Error, fs, process::Command, time::Duration};

/// Settings of the checkout service.
#[derive(Flux)]
#[flux(source = "file:app.yaml", override = "env:APP_", debounce = "20ms")]
struct AppConfig {
    /// TCP port to listen on.
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(secret)]
    password: Option<String>,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 10, range = 1..=100)]
    max_size: u32,
}

const GOOD: &str =
    "host: localhost\nport: 8080\ntimeout: 30s\npassword: hunter2\npool:\n  max_size: 10\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("again") {
        AppConfig::start().await?;
        show();
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;

    println!("1. app.yaml is written, and the program starts:");
    write(GOOD)?;
    AppConfig::start().await?;
    show();

    println!("\n2. A good edit is applied while the program runs:");
    write(&GOOD.replace("8080", "9090"))?;
    until(|| AppConfig::get().port == 9090).await;
    show();

    println!("\n3. A bad edit is refused, and says why:");
    write(
        "host: \"\"\nport: 70000\ntimeout: 3 parsecs\npasword: hunter2\npool:\n  max_szie: 20\n",
    )?;
    until(|| AppConfig::capacitor().state() == State::Degraded).await;
    if let Some(report) = AppConfig::capacitor().last_error() {
        println!("{}", indent(&report.to_string()));
    }
    println!("   Readers still see the last good value:");
    show();

    println!("\n4. The mistake is corrected:");
    write(&GOOD.replace("8080", "9091"))?;
    until(|| AppConfig::capacitor().state() == State::Healthy).await;
    show();

    println!(
        "\n5. A variable of the environment wins over the file; the program again, with APP_PORT=7070:"
    );
    let status = Command::new(std::env::current_exe()?)
        .arg("again")
        .env("APP_PORT", "7070")
        .status()?;
    AppConfig::capacitor().stop().await;
    if status.success() {
        Ok(())
    } else {
        Err("the second run failed".into())
    }
}

fn write(text: &str) -> std::io::Result<()> {
    fs::write("app.yaml", text)
}

fn show() {
    let config = AppConfig::get();
    println!(
        "   {}:{}, timeout {:?}, pool {}, password {}, state {}",
        config.host,
        config.port,
        config.timeout,
        config.pool.max_size,
        if config.password.is_some() {
            "set"
        } else {
            "not set"
        },
        AppConfig::capacitor().state(),
    );
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   | {line}\n")).collect()
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
