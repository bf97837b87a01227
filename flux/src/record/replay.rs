//! Plays a recording again, and reports where the outcomes differ.

use crate::record::{
    Outcome, Recorder, Sink,
    document::{Encoding, TreeCodec},
    line::{
        Line, LineKind, RecordedHealth, RecordedLayer, RecordedLayerKind, RecordedObservation,
        Start,
    },
    redact::not_unicode,
};
use crate::{
    Builder, Capacitor, Config, Error, Source,
    codec::Decoder,
    report::outgoing::SafeText,
    schema::Field,
    source::{
        drop_ins::DropInLayers,
        script::{Script, ScriptHandle},
    },
};
use flux_syntax::{Part, Template};
use std::{fmt, ops::Deref, str::FromStr, sync::Arc};
use tokio::time::{Instant, sleep_until};

/// One start of a capacitor as a [`Recorder`] wrote it down.
///
/// ```
/// use flux::{Flux, testing::{Recorder, Recording, harness}};
///
/// #[derive(Flux)]
/// #[flux(source = "file:app.yaml")]
/// struct AppConfig {
///     #[flux(range = 1..=65535)]
///     port: u16,
///     #[flux(secret, non_empty)]
///     password: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In production (here on the bench):
/// let recorder = Recorder::in_memory();
/// let app = harness::<AppConfig>()
///     .with(|builder| builder.record(&recorder))
///     .document("app.yaml", "port: 80\npassword: hunter2")
///     .start()
///     .await;
/// assert!(app.set("app.yaml", "port: 0\npassword: hunter3").await.is_err());
/// let log = recorder.lines();
/// assert!(!log.contains("hunter"));
///
/// // In a unit test, from a file of the repository:
/// let recording: Recording = log.parse()?;
/// let replay = recording.replay(AppConfig::builder()).await?;
/// replay.assert_same();
/// assert_eq!(replay.get().port, 80);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Recording {
    start: Start,
    lines: Vec<Line>,
}

/// Why a log cannot be read or played again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordingError(String);

impl RecordingError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        // A log may have anything in it.
        RecordingError(SafeText::own(&text.into()).into())
    }
}

impl FromStr for Recording {
    type Err = RecordingError;
    /// The last start in the log; [`Recording::all`] gives every one.
    fn from_str(log: &str) -> Result<Self, RecordingError> {
        let last = Recording::all(log)?.pop();
        last.ok_or_else(|| RecordingError::new("there is no start in the log"))
    }
}

impl Recording {
    /// Every start in a log.
    ///
    /// # Errors
    /// Where a line is not one of a recording, with its number.
    pub fn all(log: &str) -> Result<Vec<Recording>, RecordingError> {
        let mut all: Vec<Recording> = Vec::new();
        let lines = log.lines().enumerate();
        for (number, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            let wrong = |error: &dyn fmt::Display| {
                RecordingError::new(format!("line {}: {error}", number + 1))
            };
            let line = Line::parse(text).map_err(|error| wrong(&error))?;
            match (line.what, all.last_mut()) {
                (LineKind::Start(start), _) => all.push(Recording {
                    start,
                    lines: Vec::new(),
                }),
                (_, None) => return Err(wrong(&"a recording begins with a start")),
                (what, Some(recording)) => {
                    if let LineKind::Observed { layer, .. } | LineKind::Health { layer, .. } = &what
                        && *layer >= recording.start.layers.len()
                    {
                        return Err(wrong(&format_args!("there is no layer {layer}")));
                    }
                    recording.lines.push(Line { at: line.at, what });
                }
            }
        }
        Ok(all)
    }

    /// What the updates came to, in their order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |line: &Line| match &line.what {
            LineKind::Outcome(outcome) => Some(outcome.clone()),
            _ => None,
        };
        self.lines.iter().filter_map(outcome).collect()
    }

    /// What the recorder noted: where redaction changed more than secrets.
    pub fn notes(&self) -> Vec<String> {
        let layers = &self.start.layers;
        let declared = layers.iter().filter_map(|layer| {
            let note = layer.note.as_ref()?;
            Some(format!("{}: {note}", layer.origin))
        });
        let observed = self.lines.iter().filter_map(|line| match &line.what {
            LineKind::Observed {
                layer,
                observed:
                    RecordedObservation::Value {
                        note: Some(note), ..
                    },
                ..
            } => Some(format!(
                "{} after {:?}: {note}",
                layers[*layer].origin, line.at
            )),
            LineKind::Cut => Some(format!("the recording is cut after {:?}", line.at)),
            _ => None,
        });
        declared.chain(observed).collect()
    }

    /// Plays it: the layers are the recorded ones, all else is the builder's. In manual mode and without waiting, so that it
    /// is over at once and always comes out the same; a callback that refused in production does so again only where the builder
    /// has one that does.
    ///
    /// # Errors
    /// Where the recording is of another type, or begins with what was kept on disk (see
    /// [`Builder::last_known_good`](crate::Builder::last_known_good)), which it does not hold.
    pub async fn replay<C: Config>(
        &self,
        builder: Builder<C>,
    ) -> Result<Replay<C>, RecordingError> {
        self.play(builder, false).await
    }

    /// [`replay`](Recording::replay) with the recorded pauses, for what depends on them: probation, breakers, rate limits. Use it under
    /// a paused clock.
    ///
    /// # Errors
    /// As [`replay`](Recording::replay).
    pub async fn replay_in_time<C: Config>(
        &self,
        builder: Builder<C>,
    ) -> Result<Replay<C>, RecordingError> {
        self.play(builder, true).await
    }

    async fn play<C: Config>(
        &self,
        builder: Builder<C>,
        in_time: bool,
    ) -> Result<Replay<C>, RecordingError> {
        let failed = |error: &dyn fmt::Display| RecordingError::new(error.to_string());
        if self.start.config != C::NAME {
            return Err(RecordingError::new(format!(
                "is a recording of {}, not of {}",
                self.start.config,
                C::NAME
            )));
        }
        let recorder = Recorder::of(Sink::Outcomes(Vec::new()));
        let mut builder = builder.clear_sources().manual().record(&recorder);
        let mut scripts = Vec::new();
        for layer in &self.start.layers {
            let (source, script) = source_of(layer, C::fields());
            builder = builder.source(source);
            scripts.push(script);
        }
        let capacitor = builder.build().map_err(|error| failed(&error))?;
        let mut observed: Vec<bool> = scripts.iter().map(Option::is_none).collect();
        for (layer, observed) in self.start.layers.iter().zip(&mut observed) {
            *observed |= matches!(layer.kind, RecordedLayerKind::Given(_));
        }
        let began = Instant::now();
        let mut started = false;
        for line in &self.lines {
            if in_time {
                sleep_until(began + line.at).await;
            }
            match &line.what {
                LineKind::Observed {
                    layer,
                    observed: what,
                    ..
                } => {
                    observed[*layer] = true;
                    if let Some(script) = &scripts[*layer] {
                        deliver(script, what);
                    }
                }
                LineKind::Health { layer, health } => {
                    if let Some(script) = &scripts[*layer] {
                        match health {
                            RecordedHealth::Live => script.live(),
                            RecordedHealth::Stale(error) => script.failing(error.clone()),
                            RecordedHealth::Closed => script.closed(),
                        }
                    }
                }
                LineKind::Update if !started => {
                    if let Some(silent) = observed.iter().position(|observed| !observed) {
                        return Err(RecordingError::new(format!(
                            "the recorded start did not wait for {}: it was served from what is kept on disk, which is not recorded",
                            self.start.layers[silent].origin
                        )));
                    }
                    started = true;
                    match capacitor.start().await {
                        Ok(()) | Err(Error::Refused(_)) => {}
                        Err(error) => return Err(failed(&error)),
                    }
                }
                LineKind::Update => {
                    capacitor.process().await.map_err(|error| failed(&error))?;
                }
                // An order that is refused here shows in the outcomes.
                LineKind::Pin(true) => drop(capacitor.pin().await),
                LineKind::Pin(false) => drop(capacitor.unpin().await),
                LineKind::Rollback(to) => drop(capacitor.rollback(*to).await),
                LineKind::Unhealthy(reason) => {
                    capacitor.report_unhealthy(reason.clone());
                    capacitor.step().await;
                }
                LineKind::Start(_) | LineKind::Outcome(_) | LineKind::Cut => {}
            }
        }
        let outcomes = match &mut *recorder.sink() {
            Sink::Outcomes(outcomes) => std::mem::take(outcomes),
            _ => Vec::new(),
        };
        Ok(Replay {
            capacitor,
            outcomes,
            recorded: self.outcomes(),
        })
    }
}

fn source_of(layer: &RecordedLayer, fields: &'static [Field]) -> (Source, Option<ScriptHandle>) {
    let script = Script::new(&layer.origin);
    let handle = script.handle();
    let tree = |script| Source::watcher(script).codec(TreeCodec);
    let (source, handle) = match &layer.kind {
        RecordedLayerKind::Watched(encoding) => {
            let mut source = Source::watcher(script);
            source.format = decoder_of(*encoding, fields);
            (source, handle)
        }
        RecordedLayerKind::Files { pattern, encoding } => {
            let decoder = encoding.and_then(|encoding| decoder_of(encoding, fields));
            let mut source = Source::watcher(script);
            // What it cannot be is refused where its files are observed.
            let layers = DropInLayers::of(pattern, decoder).ok().flatten();
            source.drop_ins = layers.map(Arc::new);
            (source, handle)
        }
        RecordedLayerKind::Given(given) => {
            match given {
                Ok(text) => handle.value(text.as_str()),
                Err(error) => handle.unreadable(crate::source::SourceError::transient(error)),
            }
            (tree(script), handle)
        }
        RecordedLayerKind::Environment {
            prefix,
            variables,
            refused,
        } => {
            let known = variables.iter().filter_map(|(name, value)| {
                let value = value
                    .as_ref()
                    .map_or_else(not_unicode, |text| Some(text.into()));
                Some((name.clone(), value?))
            });
            let template = Template::new(vec![Part::Text(prefix.clone())]);
            let mut source = Source::env(template).variables(known);
            let variables = std::mem::take(&mut source.variables);
            source.variables = variables.with_recorded_files(fields, prefix, refused);
            return (source, None);
        }
    };
    match layer.optional {
        true => (source.optional(), Some(handle)),
        false => (source, Some(handle)),
    }
}

fn decoder_of(encoding: Encoding, fields: &'static [Field]) -> Option<Decoder> {
    match encoding.format() {
        Some(format) => Some(Decoder::from(format)),
        None => encoding.tree_decoder(fields),
    }
}

fn deliver(script: &ScriptHandle, observed: &RecordedObservation) {
    match observed {
        RecordedObservation::Value {
            text,
            revision: Some(revision),
            ..
        } => script.revision(text.as_str(), revision),
        RecordedObservation::Value { text, .. } => script.value(text.as_str()),
        RecordedObservation::Same => {}
        RecordedObservation::Absent => script.absent(),
        RecordedObservation::Unreadable(error) => script.unreadable(error.clone()),
    }
}

/// A recording that was played again. Derefs to the [`Capacitor`], which holds the last configuration.
pub struct Replay<C: Config> {
    capacitor: Capacitor<C>,
    outcomes: Vec<Outcome>,
    recorded: Vec<Outcome>,
}

impl<C: Config> Replay<C> {
    /// What the updates came to this time.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The first update that came to something else than in production; none where all came to the same.
    pub fn difference(&self) -> Option<String> {
        let longest = self.outcomes.len().max(self.recorded.len());
        let at = (0..longest).find(|at| self.outcomes.get(*at) != self.recorded.get(*at))?;
        let told = |outcomes: &[Outcome]| {
            let outcome = outcomes.get(at);
            outcome.map_or("nothing".to_owned(), Outcome::to_string)
        };
        Some(format!(
            "update {} came to something else:\n  recorded: {}\n  replayed: {}",
            at + 1,
            told(&self.recorded),
            told(&self.outcomes)
        ))
    }

    /// Fails the test where an update came to something else than in production.
    ///
    /// # Panics
    /// With what came out differently.
    #[track_caller]
    pub fn assert_same(&self) {
        if let Some(difference) = self.difference() {
            panic!("{}: {difference}", C::NAME);
        }
    }
}

impl<C: Config> Deref for Replay<C> {
    type Target = Capacitor<C>;
    fn deref(&self) -> &Capacitor<C> {
        &self.capacitor
    }
}

impl<C: Config> fmt::Debug for Replay<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("capacitor", &self.capacitor)
            .field("outcomes", &self.outcomes)
            .finish_non_exhaustive()
    }
}
