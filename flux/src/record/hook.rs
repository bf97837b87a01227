//! What a capacitor writes into its recording, and when: starts, contents, commands, outcomes.

mod files;
#[cfg(test)]
#[cfg(feature = "derive")]
mod tests;

use files::FilesOfSource;

use crate::record::{
    Outcome, Recorder, Refused,
    document::Encoding,
    line::{
        Line, LineKind, RecordedHealth, RecordedLayer, RecordedLayerKind, RecordedObservation,
        Start,
    },
    paths,
    redact::Redactor,
};
use crate::{
    Report,
    codec::Decoder,
    engine::{Engine, EngineEvent, Schema},
    runtime::{
        Command,
        recorder_hook::{LayersOfStart, RecorderHook},
    },
    source::{
        Content, Health, Observation, arguments,
        declare::{Input, Opened},
        environment::Variables,
        mailbox::SourceReport,
    },
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What a capacitor reports to its recorder, where it has one.
pub(super) struct RecorderOfStarts {
    recorder: Recorder,
    newest: Mutex<NewestStart>,
}

/// The start that is recorded. Redaction runs code of the program, so the start is taken out while it is used, and no lock is held.
#[derive(Default)]
struct NewestStart {
    /// How many there were; an older one is not put back.
    number: u64,
    start: Option<Box<RecordedStart>>,
}

/// A start that is in use; it is put back when this is dropped, also by a panic.
struct InUse<'h> {
    hook: &'h RecorderOfStarts,
    number: u64,
    start: Option<Box<RecordedStart>>,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let Some(start) = self.start.take() else {
            return;
        };
        let mut newest = self.hook.newest();
        let older = if newest.number == self.number {
            newest.start.replace(start)
        } else {
            Some(start)
        };
        drop(newest);
        drop(older);
    }
}

/// One start. What is observed waits until it is taken up: the rules that placeholders must keep see all layers together.
struct RecordedStart {
    recorder: Recorder,
    began: Instant,
    generation: u64,
    schema: &'static Schema,
    redactor: Redactor,
    /// Of each layer that the redactor knows, which one it is here, and of which of its files.
    slots: Vec<(usize, Option<String>)>,
    layers: Vec<Recorded>,
    started: bool,
    waiting: Vec<(Duration, Unwritten)>,
}

enum Unwritten {
    Line(LineKind),
    Document {
        layer: usize,
        content: Content,
        received: u64,
    },
}

/// One layer, and what it held last.
struct Recorded {
    origin: String,
    optional: bool,
    decoder: Option<Decoder>,
    input: RecordedInput,
    /// Its files, where it is a source of several.
    files: Option<FilesOfSource>,
    last: Option<Arc<[u8]>>,
    printed: String,
}

enum RecordedInput {
    Watched,
    Environment(String, Variables),
    Given(Result<crate::codec::Tree, String>),
}

/// In the place of why a provider could not be read.
#[cfg(feature = "figment")]
const NOT_GIVEN: &str = "cannot be read; the reason may quote a secret and is not recorded";

impl RecorderOfStarts {
    pub(super) fn new(recorder: &Recorder) -> Self {
        RecorderOfStarts {
            recorder: recorder.clone(),
            newest: Mutex::default(),
        }
    }

    fn newest(&self) -> MutexGuard<'_, NewestStart> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, use_it: impl FnOnce(&mut RecordedStart)) {
        let mut in_use = {
            let mut newest = self.newest();
            InUse {
                hook: self,
                number: newest.number,
                start: newest.start.take(),
            }
        };
        if let Some(start) = &mut in_use.start {
            use_it(start);
        }
    }
}

impl RecorderHook for RecorderOfStarts {
    fn begin(&self, schema: &'static Schema, layers: LayersOfStart<'_>, generation: u64) {
        let (layers, variables) = layers;
        // What a start has read of files is what is recorded.
        let read = |at: usize| {
            let mut all = variables.iter();
            all.find(|(layer, _)| *layer == at).map(|(_, read)| read)
        };
        let session = RecordedStart {
            recorder: self.recorder.clone(),
            began: Instant::now(),
            generation,
            schema,
            redactor: Redactor::new(schema, layers.len()),
            slots: (0..layers.len()).map(|layer| (layer, None)).collect(),
            layers: (layers.iter().enumerate())
                .map(|(at, opened)| Recorded::new(schema, opened, read(at)))
                .collect(),
            started: false,
            waiting: Vec::new(),
        };
        let before = {
            let mut newest = self.newest();
            newest.number += 1;
            newest.start.replace(Box::new(session))
        };
        drop(before);
    }

    fn received(&self, news: &SourceReport, engine: &Engine) {
        self.with(|session| {
            let layer = news.layer;
            let health = match &news.health {
                // Who observes something is live with it.
                Some(Health::Live) if news.observation.is_some() => None,
                Some(Health::Live) => Some(RecordedHealth::Live),
                Some(Health::Stale { error, .. }) => {
                    Some(RecordedHealth::Stale(engine.without_secrets(layer, error)))
                }
                Some(Health::Closed) => Some(RecordedHealth::Closed),
                Some(Health::Starting) | None => None,
            };
            let health = health.map(|health| Unwritten::Line(LineKind::Health { layer, health }));
            let observed = news.observation.as_ref();
            let observed = observed.map(|seen| match seen {
                Observation::Unreadable(error) => {
                    let safe = Observation::Unreadable(engine.without_secrets(layer, error));
                    session.observed(layer, &safe, news.received)
                }
                seen => session.observed(layer, seen, news.received),
            });
            // The slot keeps the newest of each, not their order. An observation makes live, so what else is reported came after it.
            let at = session.began.elapsed();
            session.waiting.extend(
                [observed, health]
                    .into_iter()
                    .flatten()
                    .map(|one| (at, one)),
            );
        });
    }

    fn event(&self, event: &EngineEvent) {
        match event {
            EngineEvent::TakenUp => self.with(|session| session.write(LineKind::Update)),
            EngineEvent::Unhealthy { reason } => {
                self.with(|session| session.write(LineKind::Unhealthy(reason.clone())));
            }
            _ => {}
        }
    }

    fn command(&self, command: &Command) {
        self.with(|session| match command {
            Command::Pin(pinned, _) => session.write(LineKind::Pin(*pinned)),
            Command::Rollback { to, .. } => session.write(LineKind::Rollback(*to)),
            // Recorded where they have an effect.
            Command::Unhealthy { .. } | Command::Reload(_) | Command::Trust(_) => {}
            // It changes nothing.
            Command::Rehearse(_) => {}
        });
    }

    fn settled(&self, engine: &Engine) {
        let (state, generation, error) = (engine.state(), engine.generation(), engine.error());
        let states = &engine.layers().states;
        self.with(|session| {
            let problems = error.map_or(&[][..], Report::problems);
            let mut refused: Vec<_> = (problems.iter())
                .map(|problem| Refused {
                    layer: match problem.layer.and_then(|layer| states.get(layer)) {
                        // A replay does not look for it.
                        Some(state) if !state.searched.is_empty() => state.declared.to_string(),
                        _ => problem.origin.clone(),
                    },
                    path: paths::cut((session.schema.fields)(), problem.path.steps()),
                })
                .collect();
            refused.sort();
            refused.dedup();
            session.write(LineKind::Outcome(Outcome {
                state,
                generation: generation.saturating_sub(session.generation),
                refused,
            }));
        });
    }

    fn end(&self) {
        self.with(RecordedStart::flush);
    }
}

impl RecordedStart {
    /// Writes what was waiting, and then this.
    fn write(&mut self, what: LineKind) {
        self.flush();
        let at = self.began.elapsed();
        self.recorder.write(&Line { at, what });
    }

    fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.recorder.wants_documents() {
            for (_, one) in &waiting {
                let Unwritten::Document { layer, content, .. } = one else {
                    continue;
                };
                let slot = self.slot(*layer, None);
                let recorded = &self.layers[*layer];
                if let Some(files) = &recorded.files {
                    let layers = Arc::clone(&files.layers);
                    self.expect_files(*layer, &layers, &content.bytes);
                } else if let Some(decoder) = &recorded.decoder {
                    self.redactor.expect(slot, decoder, &content.bytes);
                }
            }
        }
        if !std::mem::replace(&mut self.started, true) {
            let slots: Vec<usize> = (0..self.layers.len())
                .map(|layer| self.slot(layer, None))
                .collect();
            let redactor = &mut self.redactor;
            let layers = slots.into_iter().zip(&self.layers);
            let what = LineKind::Start(Start {
                config: self.schema.name.to_owned(),
                generation: self.generation,
                layers: layers
                    .map(|(at, layer)| layer.declared(redactor, at))
                    .collect(),
            });
            let at = Duration::ZERO;
            self.recorder.write(&Line { at, what });
        }
        for (at, one) in waiting {
            let what = match one {
                Unwritten::Line(what) => what,
                Unwritten::Document {
                    layer,
                    content,
                    received,
                } => LineKind::Observed {
                    layer,
                    observed: self.document(layer, content),
                    received,
                },
            };
            self.recorder.write(&Line { at, what });
        }
    }

    fn observed(&mut self, layer: usize, observation: &Observation, received: u64) -> Unwritten {
        let recorded = &mut self.layers[layer];
        let observed = match observation {
            Observation::Value(content) if recorded.last.as_ref() == Some(&content.bytes) => {
                RecordedObservation::Same
            }
            Observation::Value(content) => {
                recorded.last = Some(Arc::clone(&content.bytes));
                return Unwritten::Document {
                    layer,
                    content: content.clone(),
                    received,
                };
            }
            Observation::Absent => RecordedObservation::Absent,
            Observation::Unreadable(error) => RecordedObservation::Unreadable(error.clone()),
        };
        if observed != RecordedObservation::Same {
            recorded.last = None;
        }
        Unwritten::Line(LineKind::Observed {
            layer,
            observed,
            received,
        })
    }

    fn document(&mut self, layer: usize, content: Content) -> RecordedObservation {
        let slot = self.slot(layer, None);
        if self.layers[layer].files.is_some() && self.recorder.wants_documents() {
            return self.files(layer, &content);
        }
        let recorded = &mut self.layers[layer];
        let decoder = recorded.decoder.as_ref();
        let Some(decoder) = decoder.filter(|_| self.recorder.wants_documents()) else {
            return RecordedObservation::Absent;
        };
        let redacted = self.redactor.document(slot, decoder, &content.bytes);
        let mut text = redacted.text;
        // Other bytes are news, also where only a comment was another one.
        if text == recorded.printed {
            text.push('\n');
        }
        recorded.printed.clone_from(&text);
        RecordedObservation::Value {
            text,
            revision: content.revision,
            note: redacted.note,
        }
    }
}

impl Recorded {
    fn new(schema: &'static Schema, opened: &Opened, with_files: Option<&Variables>) -> Self {
        let input = match &opened.input {
            Input::Arguments(given) => {
                let fields = (schema.fields)();
                RecordedInput::Given(arguments::tree(fields, schema.decode_tree, given))
            }
            Input::Watched(_) => RecordedInput::Watched,
            Input::Environment(prefix, variables) => {
                let variables = with_files.unwrap_or(variables).clone();
                RecordedInput::Environment(prefix.clone(), variables)
            }
            #[cfg(feature = "figment")]
            Input::Provider(provider) => {
                let provider = provider.lock().unwrap_or_else(PoisonError::into_inner);
                let tree = crate::source::figment::tree(&**provider);
                // The error may quote anything of what nobody could read.
                let hides = crate::schema::any_secret((schema.fields)());
                let tree = tree.map_err(|error| match hides {
                    true => NOT_GIVEN.to_owned(),
                    false => error,
                });
                RecordedInput::Given(tree)
            }
        };
        Recorded {
            origin: opened.origin.clone(),
            optional: opened.optional,
            decoder: opened.decoder.clone(),
            input,
            files: opened.drop_ins.as_ref().map(FilesOfSource::of),
            last: None,
            printed: String::new(),
        }
    }

    fn declared(&self, redactor: &mut Redactor, at: usize) -> RecordedLayer {
        let (kind, note) = match &self.input {
            RecordedInput::Watched if self.files.is_some() => {
                let layers = self.files.as_ref().map(|files| &files.layers);
                let common = layers.and_then(|layers| layers.common_decoder());
                let kind = RecordedLayerKind::Files {
                    pattern: layers.map_or(String::new(), |layers| layers.named_pattern()),
                    encoding: common.map(Encoding::of),
                };
                (kind, None)
            }
            RecordedInput::Watched => {
                let encoding = self.decoder.as_ref().map_or(Encoding::Json, Encoding::of);
                (RecordedLayerKind::Watched(encoding), None)
            }
            RecordedInput::Environment(prefix, read) => {
                // What files contain is recorded as variables: where it is replayed there are no such files.
                let variables = read.with_values_of_files();
                let mut redacted = redactor.environment(at, prefix, variables);
                // A misspelt variable may refuse the start by its name alone; nothing is read from it.
                let suspects = redactor.misspelt(prefix, variables).into_iter();
                let names = suspects.filter_map(|suspect| suspect.variable);
                let set = names.map(|name| (name, Some("not read".to_owned())));
                redacted.variables.extend(set);
                let kind = RecordedLayerKind::Environment {
                    prefix: prefix.clone(),
                    variables: redacted.variables,
                    refused: read.refused_files(),
                };
                (kind, redacted.note)
            }
            RecordedInput::Given(Ok(tree)) => {
                let printed = crate::record::document::printed_tree(tree);
                let decoder = Decoder::Custom(Arc::new(crate::record::document::TreeCodec));
                let redacted = redactor.document(at, &decoder, printed.as_bytes());
                (RecordedLayerKind::Given(Ok(redacted.text)), redacted.note)
            }
            RecordedInput::Given(Err(error)) => {
                (RecordedLayerKind::Given(Err(error.clone())), None)
            }
        };
        RecordedLayer {
            origin: self.origin.clone(),
            optional: self.optional,
            kind,
            note,
        }
    }
}
