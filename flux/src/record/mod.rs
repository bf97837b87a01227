//! What the sources delivered, as a log without secrets that a test can play again.

mod document;
mod hook;
mod judge;
mod line;
mod paths;
mod placeholder;
mod redact;
mod replay;

pub use crate::record::replay::{Recording, RecordingError, Replay};

use crate::record::line::{Line, LineKind};
use crate::{Builder, Config, State};
use std::{
    fmt,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// More than this is not kept in memory.
const MOST: usize = 64 << 20;

/// Writes down what the sources of a capacitor deliver, when it is taken up, and what came of it: one JSON object a line, secrets
/// replaced. From [`Builder::record`]; [`Recording`] plays it again.
///
/// Secrets (`#[flux(secret)]`, and all that may be one: what is below a secret or under a key that no field has) are replaced
/// by placeholders: the same for the same secret, made with a random key that is not kept. A placeholder keeps of the secret's
/// shape only what its validity needs: nothing, or its length, or which kind of character is where. A secret bool always
/// reads `false`. Where a type has secrets, documents are printed anew, so that no comment is kept, and one that cannot be parsed
/// is replaced as a whole. Where a replay cannot come out the same because of that, the log has a note. The messages
/// of [`SourceError`](crate::source::SourceError)s are kept as they are.
///
/// Redaction runs the type's rules again, on the capacitor's task, and a writer is written to there.
///
/// ```
/// use flux::{Flux, testing::Recorder};
///
/// #[derive(Flux)]
/// #[flux(optional_source = "file:app.yaml")]
/// struct AppConfig {
///     #[flux(default = 8080)]
///     port: u16,
///     #[flux(secret)]
///     password: Option<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recorder = Recorder::in_memory();
/// AppConfig::builder().record(&recorder).start().await?;
/// // Later, on a debug page or at the end of an incident:
/// let log = recorder.lines();
/// # assert!(log.contains("AppConfig"));
/// # AppConfig::capacitor().stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Sink>>);

enum Sink {
    Memory {
        text: String,
        full: bool,
    },
    /// None once it failed.
    Writer(Option<Box<dyn Write + Send>>),
    /// What a replay comes to.
    Outcomes(Vec<Outcome>),
}

/// What an update came to, without any value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The state after it.
    pub state: State,
    /// How many configurations were applied since the start.
    pub generation: u64,
    /// Where it was refused, sorted.
    pub refused: Vec<Refused>,
}

/// Where something was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Refused {
    /// The layer's origin; empty where it is of no layer.
    pub layer: String,
    /// The path, such as `pool.size`; cut at a secret. Empty for a document as a whole.
    pub path: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, generation {}", self.state, self.generation)?;
        for (at, one) in self.refused.iter().enumerate() {
            f.write_str(if at == 0 { ", refused: " } else { ", " })?;
            match one.path.as_str() {
                "" => write!(f, "{}", one.layer)?,
                path => write!(f, "{path} ({})", one.layer)?,
            }
        }
        Ok(())
    }
}

impl Recorder {
    /// Keeps the log in memory, up to 64 MiB; then its last line marks it as cut.
    pub fn in_memory() -> Self {
        Self::of(Sink::Memory {
            text: String::new(),
            full: false,
        })
    }

    /// Writes each line to `writer` as it comes. The first error ends the recording, and is reported as a `tracing` warning.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::of(Sink::Writer(Some(Box::new(writer))))
    }

    /// The log so far: JSON lines. Empty for a recorder with a writer.
    pub fn lines(&self) -> String {
        match &*self.sink() {
            Sink::Memory { text, .. } => text.clone(),
            _ => String::new(),
        }
    }

    fn of(sink: Sink) -> Self {
        Recorder(Arc::new(Mutex::new(sink)))
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: &Line) {
        match &mut *self.sink() {
            Sink::Memory { full: true, .. } => {}
            Sink::Memory { text, full } => {
                let mut printed = line.print();
                if text.len() + printed.len() > MOST {
                    *full = true;
                    let what = LineKind::Cut;
                    printed = Line { at: line.at, what }.print();
                }
                text.push_str(&printed);
                text.push('\n');
            }
            Sink::Writer(slot) => {
                let Some(writer) = slot else { return };
                let printed = line.print() + "\n";
                if let Err(error) = writer
                    .write_all(printed.as_bytes())
                    .and_then(|()| writer.flush())
                {
                    tracing::warn!(target: "flux", %error, "the recording of what sources deliver ends: it cannot be written");
                    *slot = None;
                }
            }
            Sink::Outcomes(outcomes) => {
                if let LineKind::Outcome(outcome) = &line.what {
                    outcomes.push(outcome.clone());
                }
            }
        }
    }

    fn wants_documents(&self) -> bool {
        !matches!(*self.sink(), Sink::Outcomes(_))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl<C: Config> Builder<C> {
    /// Records what the sources deliver, and what comes of it. Every start is a recording of its own, one after the other.
    #[must_use]
    pub fn record(mut self, recorder: &Recorder) -> Self {
        self.spec.options.recorder = Some(Box::new(hook::RecorderOfStarts::new(recorder)));
        self
    }
}
