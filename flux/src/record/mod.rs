//! Records what the sources deliver, without secrets, as a log that a test can play again.

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
use crate::{
    Builder, Config, State,
    engine::discard,
    problem::{caught, printed},
};
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
/// by placeholders: the same for the same secret within one layer and one start, made with a random key of each layer that is not
/// kept. A placeholder keeps of the secret's shape only what its validity needs: nothing, or its length, or which kind of character
/// is where. A number has nine digits, or four, and as many as the secret only where it would be judged otherwise, or where a value
/// is missing, so that rules could not be asked. A secret bool always reads `false`. Where a type has secrets, documents are printed
/// anew, so that no comment is kept, and one that cannot be parsed is replaced as a whole. Where a replay cannot come out the same
/// because of that, the log has a note. It has none of whether a secret of one layer is that of another, which is not recorded: where
/// one comes in the place of the other, and they are the same, a replay has a change that there was not. A message of a
/// [`SourceError`](crate::source::SourceError) is replaced where it quotes a secret.
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
    Memory(LogText),
    Writer(Output),
    /// What a replay comes to.
    Outcomes(Vec<Outcome>),
}

/// The program's writer. It is code of the program, so it never runs under the lock of the sink.
enum Output {
    Free(Box<dyn Write + Send>),
    /// A thread has it, and writes these lines next.
    Busy(LogText),
    /// It failed, or was too slow.
    Ended,
}

/// Printed lines, up to [`MOST`] bytes.
#[derive(Default)]
struct LogText {
    lines: String,
    full: bool,
}

impl LogText {
    fn push(&mut self, line: &Line) {
        if self.full {
            return;
        }
        let mut printed = line.print();
        if self.lines.len() + printed.len() > MOST {
            self.full = true;
            let what = LineKind::Cut;
            printed = Line { at: line.at, what }.print();
        }
        self.lines.push_str(&printed);
        self.lines.push('\n');
    }
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
        Self::of(Sink::Memory(LogText::default()))
    }

    /// Writes each line to `writer` as it comes; lines that come while it is at work follow in order. An error or a panic of it ends
    /// the recording, as do more than 64 MiB that wait for it, and is reported as a `tracing` warning.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::of(Sink::Writer(Output::Free(Box::new(writer))))
    }

    /// The log so far: JSON lines. Empty for a recorder with a writer.
    pub fn lines(&self) -> String {
        match &*self.sink() {
            Sink::Memory(text) => text.lines.clone(),
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
        let writer = match &mut *self.sink() {
            Sink::Memory(text) => return text.push(line),
            Sink::Writer(Output::Busy(text)) => return text.push(line),
            Sink::Writer(Output::Ended) => return,
            Sink::Writer(output) => {
                let mut first = LogText::default();
                first.push(line);
                std::mem::replace(output, Output::Busy(first))
            }
            Sink::Outcomes(outcomes) => {
                if let LineKind::Outcome(outcome) = &line.what {
                    outcomes.push(outcome.clone());
                }
                return;
            }
        };
        if let Output::Free(writer) = writer {
            self.write_out(writer);
        }
    }

    /// Writes what waits for the writer, in order, until nothing does. No lock is held while the writer runs.
    fn write_out(&self, mut writer: Box<dyn Write + Send>) {
        loop {
            let text = match &mut *self.sink() {
                Sink::Writer(Output::Busy(text)) if !text.lines.is_empty() => std::mem::take(text),
                sink => {
                    *sink = Sink::Writer(Output::Free(writer));
                    return;
                }
            };
            let written = caught(|| {
                writer
                    .write_all(text.lines.as_bytes())
                    .and_then(|()| writer.flush())
            });
            let problem = match written {
                Ok(Ok(())) if text.full => format!("its writer is {} MiB behind", MOST >> 20),
                Ok(Ok(())) => continue,
                Ok(Err(error)) => printed(&error),
                Err(panic) => format!("its writer panicked: {panic}"),
            };
            *self.sink() = Sink::Writer(Output::Ended);
            tracing::warn!(target: "flux", error = %problem, "the recording of what sources deliver ends: it cannot be written");
            discard(writer);
            return;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{OnceLock, mpsc},
        time::Duration,
    };

    /// Reads the recorder that it writes for, and writes a line into it.
    struct Reentrant {
        recorder: Arc<OnceLock<Recorder>>,
        written: mpsc::Sender<String>,
    }

    impl Write for Reentrant {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if let Some(recorder) = self.recorder.get() {
                assert_eq!(recorder.lines(), "");
                if text.contains("update") {
                    recorder.write(&line(LineKind::Pin(true)));
                    recorder.write(&line(LineKind::Pin(false)));
                }
            }
            self.written.send(text).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn line(what: LineKind) -> Line {
        let at = Duration::ZERO;
        Line { at, what }
    }

    #[test]
    fn a_writer_may_use_its_recorder_and_lines_keep_their_order() {
        let (written, received) = mpsc::channel();
        let slot = Arc::new(OnceLock::new());
        let recorder = Recorder::to_writer(Reentrant {
            recorder: Arc::clone(&slot),
            written,
        });
        let _ = slot.set(recorder.clone());
        std::thread::spawn(move || {
            recorder.write(&line(LineKind::Update));
            recorder.write(&line(LineKind::Rollback(None)));
        });
        let mut all = String::new();
        let expected = [
            LineKind::Update,
            LineKind::Pin(true),
            LineKind::Pin(false),
            LineKind::Rollback(None),
        ];
        let expected: String = expected.map(|what| line(what).print() + "\n").concat();
        while all.len() < expected.len() {
            all += &received.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        assert_eq!(all, expected);
    }

    #[test]
    fn a_writer_that_panics_ends_the_recording_and_nothing_else() {
        struct Panics;
        impl Write for Panics {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                panic!("no disk")
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let recorder = Recorder::to_writer(Panics);
        recorder.write(&line(LineKind::Update));
        recorder.write(&line(LineKind::Update));
        assert!(matches!(*recorder.sink(), Sink::Writer(Output::Ended)));
    }
}
