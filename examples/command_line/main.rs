//! A service with the commands of its configuration in its own parser: `command_line config check new.yaml`, and while it runs
//! `config plan`, `show`, `explain` and `watch` about the process that runs.
//!
//! `cargo run --example command_line` serves until Ctrl-C, and prints what to try; `-- --demo` tries it, and ends.

mod demo;

use clap::{Arg, ArgAction, Args as _, FromArgMatches as _};
use flux::{
    Flux,
    change::{Change, Party},
    cli,
};
use std::{error::Error, fs, path::Path, process::ExitCode};

/// Settings of a service.
#[derive(Flux)]
#[flux(source = "file:app.yaml", override = "env:APP_")]
#[flux(debounce = "50ms", history = 10)]
#[cfg_attr(unix, flux(admin = "unix:app.sock"))]
struct AppConfig {
    /// How many visitors are served at the same time.
    #[flux(default = 100, range = 1..=10_000)]
    visitors: u32,
    /// Where visitors are answered.
    #[flux(default = "127.0.0.1:8080", restart)]
    address: String,
    /// The password of the database.
    #[flux(secret)]
    password: String,
}

/// The database grants so many connections, and is asked before a change.
struct Database;

impl Party<AppConfig> for Database {
    type Prepared = ();
    type Error = String;
    async fn prepare(&self, change: &Change<AppConfig>) -> Result<(), String> {
        match change.current.visitors {
            0..=1000 => Ok(()),
            visitors => Err(format!(
                "{visitors} connections, and the server grants 1000"
            )),
        }
    }
    fn commit(&self, (): ()) {}
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let config = cli::Command::augment_args(clap::Command::new("config"));
    let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue);
    let parser = clap::Command::new("command_line")
        .arg(demo)
        .subcommand(config);
    let matches = parser.get_matches();
    if let Some(("config", matches)) = matches.subcommand() {
        return Ok(cli::Command::from_arg_matches(matches)?.execute::<AppConfig>());
    }
    // A service of your own does not bring its file with it.
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;
    fs::write("app.yaml", "visitors: 200\npassword: correct-horse\n")?;
    serve(matches.get_flag("demo"), folder.path())?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn serve(demo: bool, folder: &Path) -> Result<(), Box<dyn Error>> {
    AppConfig::builder().party(Database).start().await?;
    if demo {
        tokio::task::spawn_blocking(|| demo::run().map_err(|error| error.to_string())).await??;
    } else {
        println!("serving; in another terminal:");
        println!("  cd {}", folder.display());
        println!(
            "  {} config show --origins",
            std::env::current_exe()?.display()
        );
        tokio::signal::ctrl_c().await?;
    }
    AppConfig::capacitor().stop().await;
    Ok(())
}
