//! What a capacitor tells its recorder.

use crate::record::{
    Outcome, Recorder, Refused,
    document::Encoding,
    line::{Heard, Layer, LayerKind, Line, Start, Told, What},
    paths,
    redact::Redactor,
};
use crate::{
    Config, Report, State,
    capacitor::Command,
    codec::Decoder,
    source::{
        Content, Health, Observation,
        declare::{Input, Opened},
        environment::Variables,
        mailbox::News,
    },
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What a capacitor tells its recorder, where it has one.
pub(crate) struct Tape<C: Config> {
    recorder: Option<Recorder>,
    reel: Mutex<Option<Reel<C>>>,
}

/// One start. What is heard waits until it is taken up: the rules that placeholders must keep see all layers together.
struct Reel<C: Config> {
    recorder: Recorder,
    began: Instant,
    generation: u64,
    redactor: Redactor<C>,
    layers: Vec<Recorded>,
    started: bool,
    waiting: Vec<(Duration, Waiting)>,
}

enum Waiting {
    Line(What),
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
    last: Option<Arc<[u8]>>,
    printed: String,
}

enum RecordedInput {
    Watched,
    Environment(String, Variables),
    #[cfg(feature = "figment")]
    Given(Result<crate::codec::Tree, String>),
}

impl<C: Config> Default for Tape<C> {
    fn default() -> Self {
        Tape {
            recorder: None,
            reel: Mutex::new(None),
        }
    }
}

impl<C: Config> Tape<C> {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Tape {
            recorder: Some(recorder.clone()),
            reel: Mutex::new(None),
        }
    }

    /// A start, over these layers, while readers see this generation.
    pub(crate) fn begin(&self, layers: &[Opened], generation: u64) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let reel = Reel {
            recorder: recorder.clone(),
            began: Instant::now(),
            generation,
            redactor: Redactor::new(layers.len()),
            layers: layers.iter().map(Recorded::new).collect(),
            started: false,
            waiting: Vec::new(),
        };
        *self.reel.lock().unwrap_or_else(PoisonError::into_inner) = Some(reel);
    }

    /// News of a source.
    pub(crate) fn heard(&self, news: &News) {
        self.with(|reel| {
            let layer = news.layer;
            let health = match &news.health {
                // Who observes something is live with it.
                Some(Health::Live) if news.observation.is_some() => None,
                Some(Health::Live) => Some(Told::Live),
                Some(Health::Stale { error, .. }) => Some(Told::Stale(error.clone())),
                Some(Health::Closed) => Some(Told::Closed),
                Some(Health::Starting) | None => None,
            };
            let health = health.map(|health| Waiting::Line(What::Health { layer, health }));
            let heard = news.observation.as_ref();
            let heard = heard.map(|seen| reel.observed(layer, seen, news.received));
            // The slot keeps the newest of each, not their order. An observation makes live, so what else is told came after it.
            let at = reel.began.elapsed();
            reel.waiting
                .extend([heard, health].into_iter().flatten().map(|one| (at, one)));
        });
    }

    /// What was heard is taken up.
    pub(crate) fn update(&self) {
        self.with(|reel| reel.write(What::Update));
    }

    /// The program gives an order.
    pub(crate) fn command(&self, command: &Command) {
        self.with(|reel| match command {
            Command::Pin(pinned, _) => reel.write(What::Pin(*pinned)),
            Command::Rollback { to, .. } => reel.write(What::Rollback(*to)),
            // Told where it has an effect.
            Command::Unhealthy { .. } => {}
        });
    }

    /// A configuration on probation is taken back.
    pub(crate) fn unhealthy(&self, reason: &str) {
        self.with(|reel| reel.write(What::Unhealthy(reason.to_owned())));
    }

    /// What an update came to.
    pub(crate) fn outcome(&self, state: State, generation: u64, error: Option<&Report>) {
        self.with(|reel| {
            let problems = error.map_or(&[][..], Report::problems);
            let mut refused: Vec<_> = (problems.iter())
                .map(|problem| Refused {
                    layer: problem.origin.clone(),
                    path: paths::cut(C::fields(), &paths::steps(&problem.path)),
                })
                .collect();
            refused.sort();
            refused.dedup();
            reel.write(What::Outcome(Outcome {
                state,
                generation: generation.saturating_sub(reel.generation),
                refused,
            }));
        });
    }

    /// It ends; what was not taken up is told too.
    pub(crate) fn end(&self) {
        self.with(Reel::flush);
    }

    fn with(&self, tell: impl FnOnce(&mut Reel<C>)) {
        if self.recorder.is_none() {
            return;
        }
        let mut reel = self.reel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reel) = &mut *reel {
            tell(reel);
        }
    }
}

impl<C: Config> Reel<C> {
    /// Writes what was waiting, and then this.
    fn write(&mut self, what: What) {
        self.flush();
        let at = self.began.elapsed();
        self.recorder.write(&Line { at, what });
    }

    fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.recorder.wants_documents() {
            for (_, one) in &waiting {
                if let Waiting::Document { layer, content, .. } = one
                    && let Some(decoder) = &self.layers[*layer].decoder
                {
                    self.redactor.expect(*layer, decoder, &content.bytes);
                }
            }
        }
        if !std::mem::replace(&mut self.started, true) {
            let redactor = &mut self.redactor;
            let layers = self.layers.iter().enumerate();
            let what = What::Start(Start {
                config: C::NAME.to_owned(),
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
                Waiting::Line(what) => what,
                Waiting::Document {
                    layer,
                    content,
                    received,
                } => What::Heard {
                    layer,
                    heard: self.document(layer, content),
                    received,
                },
            };
            self.recorder.write(&Line { at, what });
        }
    }

    fn observed(&mut self, layer: usize, observation: &Observation, received: u64) -> Waiting {
        let recorded = &mut self.layers[layer];
        let heard = match observation {
            Observation::Value(content) if recorded.last.as_ref() == Some(&content.bytes) => {
                Heard::Same
            }
            Observation::Value(content) => {
                recorded.last = Some(Arc::clone(&content.bytes));
                return Waiting::Document {
                    layer,
                    content: content.clone(),
                    received,
                };
            }
            Observation::Absent => Heard::Absent,
            Observation::Unreadable(error) => Heard::Unreadable(error.clone()),
        };
        if heard != Heard::Same {
            recorded.last = None;
        }
        Waiting::Line(What::Heard {
            layer,
            heard,
            received,
        })
    }

    fn document(&mut self, layer: usize, content: Content) -> Heard {
        let recorded = &mut self.layers[layer];
        let decoder = recorded.decoder.as_ref();
        let Some(decoder) = decoder.filter(|_| self.recorder.wants_documents()) else {
            return Heard::Absent;
        };
        let redacted = self.redactor.document(layer, decoder, &content.bytes);
        let mut text = redacted.text;
        // Other bytes are news, also where only a comment was another one.
        if text == recorded.printed {
            text.push('\n');
        }
        recorded.printed.clone_from(&text);
        Heard::Value {
            text,
            revision: content.revision,
            note: redacted.note,
        }
    }
}

impl Recorded {
    fn new(opened: &Opened) -> Self {
        let input = match &opened.input {
            Input::Watched(_) => RecordedInput::Watched,
            Input::Environment(prefix, variables) => {
                RecordedInput::Environment(prefix.clone(), variables.clone())
            }
            #[cfg(feature = "figment")]
            Input::Provider(provider) => {
                let provider = provider.lock().unwrap_or_else(PoisonError::into_inner);
                RecordedInput::Given(crate::source::figment::tree(&**provider))
            }
        };
        Recorded {
            origin: opened.origin.clone(),
            optional: opened.optional,
            decoder: opened.decoder.clone(),
            input,
            last: None,
            printed: String::new(),
        }
    }

    fn declared<C: Config>(&self, redactor: &mut Redactor<C>, at: usize) -> Layer {
        let (kind, note) = match &self.input {
            RecordedInput::Watched => {
                let encoding = self.decoder.as_ref().map_or(Encoding::Json, Encoding::of);
                (LayerKind::Watched(encoding), None)
            }
            RecordedInput::Environment(prefix, variables) => {
                let redacted = redactor.environment(at, prefix, &|name| variables.get(name));
                let kind = LayerKind::Environment {
                    prefix: prefix.clone(),
                    variables: redacted.variables,
                };
                (kind, redacted.note)
            }
            #[cfg(feature = "figment")]
            RecordedInput::Given(Ok(tree)) => {
                let printed =
                    crate::record::document::Doc::from(tree.clone()).print(Encoding::Tree);
                let decoder = Decoder::Custom(Arc::new(crate::record::document::TreeCodec));
                let redacted = redactor.document(at, &decoder, printed.as_bytes());
                (LayerKind::Given(Ok(redacted.text)), redacted.note)
            }
            #[cfg(feature = "figment")]
            RecordedInput::Given(Err(error)) => (LayerKind::Given(Err(error.clone())), None),
        };
        Layer {
            origin: self.origin.clone(),
            optional: self.optional,
            kind,
            note,
        }
    }
}
