//! The errors of building, starting and driving a capacitor, with their sentences and the program's exit.

use crate::{Report, report::outgoing::SafeText};
use std::{fmt, io::Write as _, time::Duration};

/// Why a capacitor could not be built, started or driven. `Debug` prints the same sentences as `Display`, so that a
/// `main` that returns it shows them.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first configuration is refused. Watching goes on: the capacitor is `Empty` and turns `Healthy` with a good one.
    #[error("{0}")]
    Refused(Report),
    /// A declaration that cannot work: no layers, two fields with one variable, a URI that does not parse, ...
    #[error("{name}: {problem}")]
    Declaration {
        /// The capacitor.
        name: String,
        /// What is wrong and how to fix it.
        problem: String,
    },
    /// The arguments ask for the help (`--help`, `-h`), which this is. Nothing was started.
    #[error("{0}")]
    Help(String),
    /// It is running already.
    #[error(
        "{name}: already started; call `stop().await` on its capacitor before starting it again"
    )]
    AlreadyStarted {
        /// The capacitor.
        name: String,
    },
    /// Not every layer gave its first value in time. Everything is released; `start` may be called again.
    #[error(
        "{name}: no configuration within {after:?}; {}{}",
        still_waiting(waiting),
        cannot_serve(unfit.as_deref())
    )]
    StartupTimeout {
        /// The capacitor.
        name: String,
        /// The limit.
        after: Duration,
        /// The layers that were silent. None where the pipeline, or the group, had not answered yet.
        waiting: Vec<String>,
        /// What of the last known good file cannot serve in their place.
        unfit: Option<String>,
    },
    /// It was stopped, also before its first outcome, or not started yet.
    #[error("{name}: it is not running; it was stopped, or not started yet")]
    Stopped {
        /// The capacitor.
        name: String,
    },
    /// The generation to roll back to is not kept, or there is no earlier good one.
    #[error("{name}: {}; {}", nothing_to_go_back_to(*wanted), kept_generations(kept))]
    NoSuchGeneration {
        /// The capacitor.
        name: String,
        /// The number that was asked for.
        wanted: Option<u64>,
        /// The numbers that are kept.
        kept: Vec<u64>,
    },
    /// After a reload: sources that could not be read again. What they held before stays applied, with what the others hold now.
    #[error(
        "{name}: not every source could be read again: {}; what was read of them before stays, and they are taken up as soon as they can be read",
        sources.join(", ")
    )]
    Unread {
        /// The capacitor.
        name: String,
        /// The sources, each with its reason.
        sources: Vec<String>,
    },
    /// A call that waits for the capacitor, from code that the capacitor waits for: a stage, a callback, a party or a tower layer.
    #[error(
        "{name}: called from inside its own pipeline, where it would wait for itself; spawn a task for it, or do it after the update"
    )]
    Inside {
        /// The capacitor.
        name: String,
    },
    /// `start` needs a Tokio runtime.
    #[error(
        "{name}: `start()` needs a Tokio runtime; call it inside one, or use `start_blocking()`"
    )]
    NoRuntime {
        /// The capacitor.
        name: String,
    },
    /// `start` needs a Tokio runtime with timers.
    #[error(
        "{name}: `start()` needs timers, and this Tokio runtime has none; build it with `enable_all()`, or use `start_blocking()`"
    )]
    NoTimers {
        /// The capacitor.
        name: String,
    },
    /// It was started by the process of which this one is a fork; its threads and its connections are there.
    #[error(
        "{name}: it was started before this process was forked, and what watches its sources is in the other process; start it after the fork, or build another capacitor here"
    )]
    Forked {
        /// The capacitor.
        name: String,
    },
    /// `process` drives a capacitor in manual mode only.
    #[error("{name}: `process()` needs manual mode (`builder().manual()`) and a started capacitor")]
    NotManual {
        /// The capacitor.
        name: String,
    },
}

impl Error {
    /// Ends the process as a command-line program does: the help is printed to the standard output, with exit code 0; anything
    /// else to the standard error, with code 1 for a refused configuration and 2 where none could be looked at. No destructors run.
    ///
    /// ```no_run
    /// # #[derive(flux::Flux)] #[flux(override = "args")] struct AppConfig { port: u16 }
    /// # async fn start() {
    /// AppConfig::start().await.unwrap_or_else(|error| error.exit());
    /// # }
    /// ```
    pub fn exit(&self) -> ! {
        // Whoever closed the pipe does not read why.
        let (code, _) = match self {
            Error::Help(text) => (0, writeln!(std::io::stdout(), "{text}")),
            Error::Refused(report) => (1, writeln!(std::io::stderr(), "{report}")),
            other => (2, writeln!(std::io::stderr(), "{other}")),
        };
        std::process::exit(code)
    }
}

fn nothing_to_go_back_to(wanted: Option<u64>) -> String {
    match wanted {
        Some(number) => format!("generation {number} cannot be gone back to"),
        None => "there is no good generation before this one to go back to".to_owned(),
    }
}

/// Those that are kept, for people.
fn kept_generations(kept: &[u64]) -> String {
    let numbers: Vec<String> = kept.iter().map(u64::to_string).collect();
    match &numbers[..] {
        [] => "none is kept".to_owned(),
        [one] => format!("only generation {one} is kept, which is the current one"),
        [before @ .., last] => format!("kept are the generations {} and {last}", before.join(", ")),
    }
}

fn cannot_serve(unfit: Option<&str>) -> String {
    unfit.map_or_else(String::new, |why| {
        format!("; what is kept on disk does not serve: {why}")
    })
}

fn still_waiting(layers: &[String]) -> String {
    match layers {
        [] => {
            "every layer has answered, but a callback or the rest of its group has not".to_owned()
        }
        layers => format!("still waiting for {}", layers.join(", ")),
    }
}

impl Error {
    /// As an event has it. What sources reported took the way out when their health changed.
    pub(super) fn safe(&self) -> SafeText {
        match self {
            Error::Refused(report) => SafeText::report(report),
            error => SafeText::own(&error.to_string()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
