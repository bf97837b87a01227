//! A service with the commands and the arguments of its configuration in its own parser: `command_line config check new.yaml`,
//! `command_line --visitors 300`, and while it runs `config plan`, `show`, `explain` and `watch` about the process that runs.
//!
//! `cargo run --example command_line` serves until Ctrl-C, and prints what to try; `-- --demo` tries it, and ends. `EXAMPLE_FOLDER` is its folder.

mod demo;

use clap::{CommandFactory as _, Parser, Subcommand};
use flux::{
    Flux,
    change::{Change, Party},
    cli,
};
use std::{error::Error, fs, path::Path, process::ExitCode};

/// Settings of a service.
#[derive(Flux)]
#[flux(source = "file:app.yaml", override = "env:APP_", override = "args")]
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

/// A service with a configuration.
#[derive(Parser)]
// An argument of the service beside `config` would have no effect.
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    /// Tries the commands, and ends.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    config: cli::Arguments<AppConfig>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Config(cli::Command),
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
    // Of the service and of its commands, so that these find its files and its socket.
    let given = std::env::var_os("EXAMPLE_FOLDER");
    if let Some(folder) = &given {
        fs::create_dir_all(folder)?;
        std::env::set_current_dir(folder)?;
    }
    let line = CommandLine::parse();
    if let Some(Command::Config(command)) = line.command {
        let command = command.in_parser(CommandLine::command());
        return Ok(command.execute::<AppConfig>());
    }
    // A service of your own does not bring its file with it.
    let own = tempfile::tempdir()?;
    if line.demo || given.is_none() {
        std::env::set_current_dir(own.path())?;
    }
    if !Path::new("app.yaml").exists() {
        fs::write("app.yaml", "visitors: 200\npassword: correct-horse\n")?;
    }
    serve(line.demo, line.config, &std::env::current_dir()?)?;
    Ok(ExitCode::SUCCESS)
}

#[tokio::main]
async fn serve(
    demo: bool,
    arguments: cli::Arguments<AppConfig>,
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let builder = AppConfig::builder().parsed_arguments(arguments);
    builder.party(Database).start().await?;
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
