//! The configuration at the command line: `config check`, `show`, `explain`, `silent`, `blame`, `status`, `diff`, `plan`, `schema`,
//! `template`, `reference`, `variables`, `watch`, `trust`, `completions`.
//!
//! [`Command`] is mounted in a clap parser of the program; [`run`] is for programs without one. Both run the service's own binary, so
//! that the verdicts are those of the service.
//!
//! ```
//! use flux::{Flux, cli};
//!
//! #[derive(Flux)]
//! #[flux(source = "file:app.yaml", override = "env:APP_")]
//! struct AppConfig {
//!     #[flux(default = 8080, range = 1..=65535)]
//!     port: u16,
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     if let Some(code) = cli::run::<AppConfig>() {
//!         return code;                    // `app config ..`
//!     }
//!     // The program begins here.
//!     std::process::ExitCode::SUCCESS
//! }
//! ```
//!
//! | command | does |
//! |---|---|
//! | `check [FILE]..` | judges documents as a start would: [`Builder::check`](crate::Builder::check) |
//! | `show` | prints the configuration of the running process, or what a start would apply where none can be asked; without its secrets |
//! | `explain [PATH]` | prints which layer sets a value, or all of them |
//! | `silent` | prints the settings without effect: what a higher layer hides, what repeats a lower one or the default, keys that no field has |
//! | `blame PATH` | prints which generations changed a value, by which layer, and the refusals about it; of the process that runs alone, which remembers it |
//! | `status` | prints the state, the generation with its age and fingerprint, every layer's health, warnings, and what is refused; of the process that runs alone |
//! | `diff [FILE]..` | what these documents would change in what ran last, where that is kept on disk, or else in what a start would apply; offline |
//! | `plan [FILE]..` | the same with every source as it is now, servers too, and with the rules on changes |
//! | `watch` | prints every change, refusal and loss of a source as it happens; with `--format json` a line for each |
//! | `trust` | ends trials and quarantines of content that the process died with: [`Capacitor::trust`](crate::Capacitor::trust) of the process that runs, or, where none does, on the record beside the last known good file |
//! | `completions SHELL` | completions of the program, with the arguments of the configuration where they are a layer; a program with a parser of its own gives it to [`Command::in_parser`] |
//! | `schema`, `template`, `reference`, `variables` | the texts of [`Describe`](crate::inspect::Describe) |
//!
//! Lines for people have colours where the stream is a terminal that shows them; `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` count as
//! elsewhere. Where the standard output is a terminal, `explain` cuts long values at its width, and the help is wrapped; other lines are broken by
//! the terminal.
//!
//! The exit code is 0 for what is good, 1 for what is refused, and 2 where it could not be looked at; of `trust` 0 where something was
//! ended, and 1 where there was nothing to end; of `status` 0 where the process is healthy, and 1 where it is degraded or has nothing applied; of `silent`, `explain` and `blame` 0 where there is an answer, whatever it is. `--format github` annotates a pull
//! request, `--format sarif` is for code scanning, `--format json` for programs. Both annotate verdicts: `watch`, `silent` and `blame` have none,
//! and refuse them.

mod admin;
mod answering;
mod arguments;
mod command;
mod events;
mod live;
mod output;
mod paint;
mod watch;

pub use arguments::{ConfigArguments as Arguments, args};
pub use command::ConfigCommand as Command;

use crate::Root;
use std::process::ExitCode;

/// Runs `PROGRAM config ..`, where that is what the process was called with; none where it was called with anything else, and nothing
/// has been done. What cannot be parsed ends the process, as clap does, with exit code 2.
#[must_use = "with a code the process was called for `config`, and the program must end with it"]
pub fn run<C: Root>() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    words.next()?;
    if words.next()? != "config" {
        return None;
    }
    let name = format!("{} config", command::program());
    let parser = clap::Command::new("config").bin_name(name);
    let parser = <Command as clap::Args>::augment_args(parser.no_binary_name(true));
    let matches = parser.get_matches_from(words);
    match <Command as clap::FromArgMatches>::from_arg_matches(&matches) {
        Ok(command) => Some(command.in_parser(command::parser::<C>()).execute::<C>()),
        Err(error) => error.exit(),
    }
}
