//! For the tests: a config type of two numbers with a schema written by hand, without the derive and without any format.

#[cfg(feature = "json")]
use super::layer_state::KeptContent;
use super::{
    decide::{Engine, Settings},
    layer_state::LayerState,
    layers::Layers,
    now::Now,
    schema::{Built, Decoding, Schema},
    value::{AnyLayer, AnySnapshot},
};
#[cfg(feature = "json")]
use crate::source::drop_ins::{self, DropInLayers};
use crate::{
    codec::{self, Codec, Decoder, Tree, Unknown},
    handle::Snapshot,
    layer::{Parts, Presence},
    problem::{Flaw, Seg, What},
    schema::Field,
    source::{Content, Observation, UriSecrets},
};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// `n` is required and below 100; `m` is 0 by default, and must not fall by more than 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Small {
    pub(super) n: u32,
    pub(super) m: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct SmallLayer {
    n: Option<u32>,
    m: Option<u32>,
}

impl Parts for SmallLayer {
    fn part(&self, seg: &Seg) -> Presence<'_> {
        let set = match seg {
            Seg::Key(key) if key == "n" => self.n.is_some(),
            Seg::Key(key) if key == "m" => self.m.is_some(),
            _ => false,
        };
        if set {
            Presence::Value
        } else {
            Presence::Nothing
        }
    }
}

const FIELDS: &[Field] = &[Field::new("n", "N"), Field::new("m", "M")];

pub(super) static SMALL: Schema = Schema {
    name: "Small",
    fields: || FIELDS,
    decode,
    decode_tree: |_, _| (Some(AnyLayer::new(SmallLayer::default())), Vec::new()),
    empty: || AnyLayer::new(SmallLayer::default()),
    copy: |layer| AnyLayer::new(*layer.get::<SmallLayer>()),
    over: |below, top| {
        let (below, top) = (below.get_mut::<SmallLayer>(), top.get::<SmallLayer>());
        below.n = top.n.or(below.n);
        below.m = top.m.or(below.m);
    },
    parts: |layer| layer.get::<SmallLayer>(),
    build: |folded, running, stamp| {
        let value = finish(*folded.get::<SmallLayer>())?;
        let mut problems = broken(value);
        problems.extend(running.and_then(|running| falls(value, small(running))));
        match problems.is_empty() {
            true => Ok(Built {
                snapshot: AnySnapshot::new(Arc::new(Snapshot::made(
                    value,
                    stamp.generation,
                    stamp.applied,
                ))),
                pending_restart: Vec::new(),
            }),
            false => Err(problems),
        }
    },
    problems: |folded| match finish(*folded.get::<SmallLayer>()) {
        Ok(value) => (broken(value), true),
        Err(missing) => (missing, false),
    },
    check: |value, previous, cx| {
        let value = small(value);
        let falls = previous.and_then(|previous| falls(value, small(previous)));
        for problem in broken(value).into_iter().chain(falls) {
            cx.problem_below(problem.path, problem.what);
        }
    },
    differences: |new, old, _| {
        let (new, old) = (small(new), small(old));
        let differ = [("n", new.n != old.n), ("m", new.m != old.m)];
        let differ = differ.into_iter().filter(|(_, differ)| *differ);
        differ.map(|(key, _)| vec![Seg::Key(key.into())]).collect()
    },
    secrets: |_, _| {},
};

/// The value of a configuration.
pub(super) fn small(snapshot: &AnySnapshot) -> Small {
    **snapshot.get::<Small>()
}

fn finish(layer: SmallLayer) -> Result<Small, Vec<Flaw>> {
    match layer.n {
        None => Err(vec![at("n", What::Missing)]),
        Some(n) => Ok(Small {
            n,
            m: layer.m.unwrap_or_default(),
        }),
    }
}

fn broken(value: Small) -> Vec<Flaw> {
    assert!(value.n != 666, "out of cheese");
    let rule = What::Plain("must be below 100".to_owned());
    let broken = (value.n >= 100).then(|| at("n", rule));
    broken.into_iter().collect()
}

fn falls(value: Small, running: Small) -> Option<Flaw> {
    let rule = What::Plain("must not fall by more than 50".to_owned());
    (value.m + 50 < running.m).then(|| at("m", rule))
}

fn at(key: &'static str, what: What) -> Flaw {
    Flaw {
        path: vec![Seg::Key(key.into())],
        what,
    }
}

/// `n=1 m=2`; what follows `#` is a comment.
fn decode(_: &Decoder, bytes: &[u8], _: Unknown) -> Decoding {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let text = text.split('#').next().unwrap_or_default();
    let (mut layer, mut found, mut warnings) = (SmallLayer::default(), Vec::new(), Vec::new());
    for pair in text.split_whitespace() {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (key, value.parse()) {
            ("n", Ok(value)) => layer.n = Some(value),
            ("m", Ok(value)) => layer.m = Some(value),
            ("n" | "m", Err(_)) => found.push(codec::Found {
                problem: at("n", What::Plain("is not a number".to_owned())),
                at: None,
                is_warning: false,
            }),
            _ => warnings.push(codec::Found {
                problem: at("x", What::Unknown(None)),
                at: None,
                is_warning: false,
            }),
        }
    }
    match found.is_empty() {
        true => Ok(codec::Decoded {
            layer: AnyLayer::new(layer),
            warnings,
            emptied: Vec::new(),
            empty: text.trim().is_empty(),
        }),
        false => Err(codec::Failed {
            found,
            partial: Some(AnyLayer::new(layer)),
        }),
    }
}

/// The engine asks the schema, and never this.
struct Unused;

impl Codec for Unused {
    fn name(&self) -> &'static str {
        "small"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        Ok(Tree::Null)
    }
}

/// A layer that was kept on disk.
#[cfg(feature = "json")]
pub(super) fn kept(n: u32) -> KeptContent {
    kept_of(Some((Some(n), None)))
}

/// What was kept of a layer on disk; none where it contained nothing.
#[cfg(feature = "json")]
pub(super) fn kept_of(content: Option<(Option<u32>, Option<u32>)>) -> KeptContent {
    KeptContent {
        layer: content.map(|(n, m)| AnyLayer::new(SmallLayer { n, m })),
        document: None,
        secrets: Vec::new(),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        name: "small".into(),
        history: 8,
        generations: 3,
        debounce: Duration::from_millis(100),
        max_wait: Duration::from_secs(1),
        grouped: false,
        asks: true,
        probation: None,
        checks: false,
        fallback: None,
    }
}

/// An engine of a type without secrets, over one layer whose source is named by a URI with this password.
pub(super) fn engine_of_uri(password: &str, now: Now) -> Engine {
    let template = match flux_syntax::parse_uri("redis://bob:${P}@h/app.json") {
        Ok(flux_syntax::Uri::Remote(place)) => place,
        other => panic!("{other:?}"),
    };
    let place = template.expand(&|_| Some(password.to_owned()));
    let mut state = LayerState::new("h/app.json", Some(Decoder::Custom(Arc::new(Unused))), false);
    state.uri_secrets = place.ok().and_then(|place| UriSecrets::of(&place));
    let layers = Layers::new(&SMALL, vec![state], Unknown::Warn, None);
    Engine::new(settings(), layers, None, 0, now)
}

/// An engine over the required layer `lower`, and so many optional ones above it.
pub(super) fn engine(
    settings: Settings,
    upper: usize,
    current: Option<AnySnapshot>,
    highest: u64,
    now: Now,
) -> Engine {
    let decoder = || Some(Decoder::Custom(Arc::new(Unused)));
    let lower = LayerState::new("lower".to_owned(), decoder(), false);
    let upper = (0..upper).map(|_| LayerState::new("upper".to_owned(), decoder(), true));
    let states = std::iter::once(lower).chain(upper).collect();
    let layers = Layers::new(&SMALL, states, Unknown::Warn, None);
    Engine::new(settings, layers, current, highest, now)
}

/// An engine over the required layer `lower`, and above it one for each file of `d`.
#[cfg(feature = "json")]
pub(super) fn engine_of_folder(settings: Settings, now: Now) -> Engine {
    let decoder = Decoder::Custom(Arc::new(Unused));
    let lower = LayerState::new("lower", Some(decoder.clone()), false);
    let mut folder = LayerState::new("d/*", Some(decoder.clone()), true);
    let layers = DropInLayers::of("d/*", Some(decoder)).unwrap();
    (folder.drop_ins, folder.source) = (layers.map(Arc::new), 1);
    let layers = Layers::new(&SMALL, vec![lower, folder], Unknown::Warn, None);
    Engine::new(settings, layers, None, 0, now)
}

/// The files of such a folder.
#[cfg(feature = "json")]
pub(super) fn folder<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Observation {
    let files: Vec<_> = files.into_iter().collect();
    match files.is_empty() {
        true => Observation::Absent,
        false => {
            let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
            Observation::Value(Content::new(drop_ins::written(files)))
        }
    }
}

pub(super) fn document(text: &str) -> Observation {
    Observation::Value(Content {
        bytes: text.as_bytes().into(),
        revision: None,
    })
}

/// A clock that does not move until it is moved by hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    passed: Duration,
}

impl Clock {
    pub(super) fn new() -> Self {
        Clock {
            began: Instant::now(),
            passed: Duration::ZERO,
        }
    }
    pub(super) fn now(self) -> Now {
        Now {
            instant: self.began + self.passed,
            wall: SystemTime::UNIX_EPOCH + self.passed,
        }
    }
    pub(super) fn pass(&mut self, time: Duration) {
        self.passed += time;
    }
    /// To this moment, unless it is over.
    pub(super) fn pass_to(&mut self, at: Instant) {
        self.passed = self.passed.max(at.saturating_duration_since(self.began));
    }
}
