//! Pairs of programs that differ in the secrets of one layer alone. Another layer guesses at them, and is right in one of both: all that
//! leaves Flux must be the same.

use crate::{
    deep::Deep,
    generate::ROOTS,
    guesses::Guesser,
    made::PAIRS,
    outputs::Outputs,
    places::Markers,
    search::{Chance, FORMATS, Secretive, answers, document},
    steady::steady,
};
use flux::{
    Builder, Capacitor, Format, Secrets, Source,
    figment::{Profile, providers::Serialized},
    inspect::Inputs,
    source::{Channel, ChannelSender},
    testing::{Recorder, Recording},
};
use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a layer is read from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Document,
    Variables,
    Dotenv,
    Folder,
    DropIns,
    Provider,
    Arguments,
}

const KINDS: [Kind; 10] = [
    Kind::Document,
    Kind::Document,
    Kind::Document,
    Kind::Document,
    Kind::Variables,
    Kind::Dotenv,
    Kind::Folder,
    Kind::DropIns,
    Kind::Provider,
    Kind::Arguments,
];

/// One layer of a program, and what it has at first.
struct Layer {
    kind: Kind,
    format: Format,
    name: &'static str,
    /// A file or a folder.
    path: PathBuf,
    sender: Option<ChannelSender>,
}

/// What a layer can contain, whatever it is read from.
enum Content {
    Text(String),
    Variables(Vec<(String, String)>),
    Files(Vec<(String, Vec<u8>)>),
    Value(serde_json::Value),
    Words(Vec<String>),
}

impl Layer {
    fn new(kind: Kind, format: Format, name: &'static str, folder: &Path) -> Self {
        Layer {
            kind,
            format,
            name,
            path: folder.join(name),
            sender: None,
        }
    }

    fn prefix(&self) -> String {
        format!("{}_", self.name.to_uppercase())
    }

    fn is_document(&self) -> bool {
        self.kind == Kind::Document
    }

    async fn put(&self, content: Content) {
        match content {
            Content::Text(text) => {
                if let Some(sender) = &self.sender {
                    sender.send(text.as_bytes()).await.unwrap();
                }
            }
            Content::Variables(variables) if self.kind == Kind::Dotenv => {
                fs::write(&self.path, dotenv(&variables)).unwrap();
            }
            Content::Files(files) => {
                let _ = fs::remove_dir_all(&self.path);
                fs::create_dir_all(&self.path).unwrap();
                for (name, bytes) in files {
                    fs::write(self.path.join(name), bytes).unwrap();
                }
            }
            Content::Variables(_) | Content::Value(_) | Content::Words(_) => {}
        }
    }

    /// The source, with its first content.
    async fn source(&mut self, content: Content) -> Source {
        let path = self.path.to_str().unwrap().to_owned();
        match (self.kind, content) {
            (Kind::Variables, Content::Variables(variables)) => {
                Source::env(self.prefix()).variables(variables)
            }
            (Kind::Provider, Content::Value(value)) => {
                Source::provider(Serialized::from(value, Profile::Default))
            }
            (Kind::Arguments, Content::Words(words)) => Source::args().arguments(words),
            (kind, content) => {
                let source = match kind {
                    Kind::Dotenv => Source::dotenv(format!("{path}?prefix={}", self.prefix())),
                    Kind::Folder => Source::dir(path),
                    Kind::DropIns => Source::file(format!("{path}/*.yaml")),
                    _ => {
                        let (sender, channel) = Channel::buffered(self.name, 8);
                        self.sender = Some(sender);
                        Source::watcher(channel).format(self.format)
                    }
                };
                self.put(content).await;
                source
            }
        }
    }
}

fn dotenv(variables: &[(String, String)]) -> String {
    let lines = variables.iter().map(|(name, value)| match value {
        value if value.contains('\'') => format!("{name}={value}\n"),
        value => format!("{name}='{value}'\n"),
    });
    lines.collect()
}

/// What the layer with the secrets has next.
fn secret_content<C: Secretive>(layer: &Layer, markers: &mut Markers, chance: Chance) -> Content {
    match layer.kind {
        Kind::Document => Content::Text(document::<C>(markers, layer.format, chance)),
        Kind::Variables | Kind::Dotenv => {
            let mut all = vec![(format!("{}PASSWORD", layer.prefix()), markers.text())];
            for _ in 0..1 + markers.below(6) {
                let (name, value) = C::variable(markers);
                all.push((name.replacen("APP_", &layer.prefix(), 1), value));
            }
            all.sort();
            all.dedup_by(|one, other| one.0 == other.0);
            Content::Variables(all)
        }
        Kind::Folder => {
            let value = C::good(markers, 80);
            let entries = value.as_object().into_iter().flatten();
            let entries = entries.filter(|(name, _)| !name.contains('/'));
            let files = entries.map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), text.into_bytes())
            });
            Content::Files(files.collect())
        }
        Kind::DropIns => {
            let chances = [("10.yaml", Chance::Good), ("20.yaml", chance)];
            let files = chances.map(|(name, chance)| {
                let text = document::<C>(markers, Format::Yaml, chance);
                (name.to_owned(), text.into_bytes())
            });
            Content::Files(files.into())
        }
        Kind::Provider => Content::Value(C::good(markers, 80)),
        Kind::Arguments => unreachable!("they have no secrets"),
    }
}

fn guessed_content<C: Secretive>(layer: &Layer, guesser: &mut Guesser) -> Content {
    match layer.kind {
        Kind::Document => Content::Text(guesser.document::<C>(layer.format)),
        Kind::Variables | Kind::Dotenv => {
            Content::Variables(guesser.variables::<C>(&layer.prefix()))
        }
        Kind::Folder => Content::Files(guesser.files::<C>()),
        Kind::DropIns => Content::Files(guesser.drop_ins::<C>()),
        Kind::Arguments => Content::Words(guesser.words()),
        Kind::Provider => Content::Value(guesser.good::<C>()),
    }
}

/// What a pair is made of.
#[derive(Clone, Copy)]
struct Pair {
    seed: u64,
    /// In this one of both every guess is wrong.
    are_others: bool,
    /// The other layer is above, and sets all secrets to what they are in one of both: this pair may differ.
    may_differ: bool,
}

/// The life of one of both programs: all that leaves Flux.
async fn told_of<C: Secretive>(pair: Pair) -> (BTreeSet<String>, String) {
    let (outputs, guard) = Outputs::collect();
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Markers::new(pair.seed.wrapping_add(1 << 40));
    let mut kinds = [0, 1].map(|_| KINDS[chance.below(KINDS.len())]);
    if kinds[0] == Kind::Arguments {
        // Everybody on the machine can read them: they have no secrets.
        kinds[0] = Kind::Document;
    }
    let mut formats = [0, 1].map(|_| FORMATS[chance.below(FORMATS.len())].0);
    if pair.may_differ {
        // What the other layer is to have is written as that is.
        (kinds[0], kinds[1], formats[1]) = (Kind::Document, Kind::Document, formats[0]);
    }
    let is_above = pair.may_differ || kinds[1] == Kind::Arguments || chance.one_in(3);
    let mut secret = Layer::new(kinds[0], formats[0], "own", folder.path());
    let mut other = Layer::new(kinds[1], formats[1], "low", folder.path());

    // The secrets as they are where the guesses are right, of all three contents that the layer has.
    let contents = |are_others: bool| {
        let mut markers = Markers::new(pair.seed);
        markers.are_others = are_others;
        let contents = [Chance::Mostly, Chance::Seldom, Chance::Mostly]
            .map(|chance| secret_content::<C>(&secret, &mut markers, chance));
        (contents, markers)
    };
    let ([right, ..], made) = contents(false);
    let mut right = pair.may_differ.then_some(right);
    let ([first, second, third], own) = contents(pair.are_others);
    let stays = pair.may_differ || chance.one_in(2);
    let mut guesser = Guesser {
        markers: Markers::new(pair.seed.wrapping_add(1 << 41)),
        guesses: made.secrets,
        is_above,
        is_whole: stays,
    };
    let guessed = guessed_content::<C>(&other, &mut guesser);
    let story = written_down(&own.documents, &guessed);

    let recorder = Recorder::in_memory();
    let kept = folder.path().join("kept.json").to_str().unwrap().to_owned();
    let base = || {
        Capacitor::<C>::builder()
            .clear_sources()
            .debounce(Duration::ZERO)
            .generations(4)
            .history(6)
            .startup_timeout(Duration::from_secs(5))
            .last_known_good(kept.clone(), Secrets::Omit)
    };
    let sources = (
        secret.source(first).await,
        other.source(guessed).await.optional(),
    );
    let capacitor = stacked(base(), sources, is_above).record(&recorder).build();
    let capacitor = match capacitor {
        Ok(capacitor) => capacitor,
        Err(error) => {
            outputs.error(&Some(error));
            drop(guard);
            return (steadied(&outputs, folder.path()), story);
        }
    };
    let page = flux::page::Page::new(&capacitor);
    outputs.error(&capacitor.start().await.err());
    let mut asked = Markers::new(pair.seed.wrapping_add(1 << 42));
    for content in [Some(second), None, Some(third), None] {
        match content {
            Some(_) if stays => {}
            Some(content) => secret.put(content).await,
            None => {
                let guessed = right.take();
                let guessed = guessed.unwrap_or_else(|| guessed_content::<C>(&other, &mut guesser));
                other.put(guessed).await;
            }
        }
        if !(secret.is_document() && other.is_document()) {
            outputs.error(&capacitor.reload().await.err());
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let plans = match other.is_document() {
            true => vec![Inputs::new().layer("low", guesser.document::<C>(other.format))],
            false => Vec::new(),
        };
        answers(&outputs, &capacitor, plans, &mut asked);
    }
    outputs.page(&page).await;
    outputs.error(&capacitor.rollback(None).await.err());
    answers(&outputs, &capacitor, Vec::new(), &mut asked);
    outputs.error(&capacitor.reload().await.err());
    answers(&outputs, &capacitor, Vec::new(), &mut asked);
    capacitor.stop().await;
    outputs.text(&fs::read_to_string(&kept).unwrap_or_default());
    let lines = recorder.lines();
    outputs.text(&lines);
    for recording in Recording::all(&lines).unwrap() {
        outputs.debugged(&recording.notes());
    }

    // A start while the layer with the secrets is down.
    let (_sender, channel) = Channel::buffered("own", 1);
    let down = Source::watcher(channel).format(secret.format);
    let again = other
        .source(guessed_content::<C>(&other, &mut guesser))
        .await;
    let again = stacked(
        base(),
        (down.wait(Duration::from_secs(1)), again.optional()),
        is_above,
    );
    if let Ok(again) = again.build() {
        outputs.error(&again.start().await.err());
        answers(&outputs, &again, Vec::new(), &mut asked);
        again.stop().await;
    }
    drop(guard);
    (steadied(&outputs, folder.path()), story)
}

/// Both layers, of which the second is above the first where guesses come from above.
fn stacked<C: Secretive>(
    builder: Builder<C>,
    (secret, other): (Source, Source),
    is_above: bool,
) -> Builder<C> {
    match is_above {
        true => builder.source(secret).source(other),
        false => builder.source(other).source(secret),
    }
}

fn steadied(outputs: &Outputs, folder: &Path) -> BTreeSet<String> {
    let folder = folder.to_str().unwrap();
    let texts = outputs.take();
    texts.iter().map(|text| steady(text, folder)).collect()
}

/// What a failure says of the contents.
fn written_down(documents: &[String], guessed: &Content) -> String {
    let mut story = documents.join("\n");
    let _ = match guessed {
        Content::Text(text) => write!(story, "\nguessed:\n{text}"),
        Content::Variables(variables) => write!(story, "\nguessed:\n{variables:#?}"),
        Content::Value(value) => write!(story, "\nguessed:\n{value:#}"),
        Content::Words(words) => write!(story, "\nguessed:\n{words:#?}"),
        Content::Files(files) => files.iter().try_for_each(|(name, bytes)| {
            write!(
                story,
                "\nguessed file {name:?}: {}",
                String::from_utf8_lossy(bytes)
            )
        }),
    };
    story
}

fn told<C: Secretive>(pair: Pair) -> (BTreeSet<String>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(told_of::<C>(pair))
}

/// How many characters both begin with.
fn same(one: &str, other: &str) -> usize {
    let both = one.chars().zip(other.chars());
    both.take_while(|(one, other)| one == other).count()
}

/// Of the texts that only one side has, those two that begin alike for longest.
fn nearest<'t>(these: &'t BTreeSet<String>, those: &'t BTreeSet<String>) -> (&'t str, &'t str) {
    let alone = |these: &'t BTreeSet<String>, those: &'t BTreeSet<String>| {
        let mut all: Vec<_> = these.difference(those).map(String::as_str).collect();
        // Where only the other side has a text.
        all.push("");
        all
    };
    let pairs = alone(these, those).into_iter().flat_map(|one| {
        alone(those, these)
            .into_iter()
            .map(move |other| (one, other))
    });
    pairs
        .max_by_key(|(one, other)| (same(one, other), one.len().max(other.len())))
        .unwrap_or_default()
}

/// What one of both says and the other one does not, if there is anything; how many texts there were.
pub(crate) fn difference<C: Secretive>(seed: u64, may_differ: bool) -> (Option<String>, usize) {
    let pair = |are_others| Pair {
        seed,
        are_others,
        may_differ,
    };
    let (mut right, story) = told::<C>(pair(false));
    let (mut wrong, _) = told::<C>(pair(true));
    let count = right.len();
    // Files are noticed by threads in their own time, which no clock of a test stops: some events come in one run and not in the next.
    let (mut all_right, mut all_wrong) = (right.clone(), wrong.clone());
    for more in 0.. {
        let alone = right.difference(&all_wrong);
        if alone.chain(wrong.difference(&all_right)).next().is_none() {
            return (None, count);
        }
        if more == 3 {
            break;
        }
        let (again, _) = told::<C>(pair(false));
        right.retain(|text| again.contains(text));
        all_right.extend(again);
        let (again, _) = told::<C>(pair(true));
        wrong.retain(|text| again.contains(text));
        all_wrong.extend(again);
    }
    let (one, other) = nearest(&right, &wrong);
    let same = same(one, other);
    let piece = |text: &str| {
        let text = text.chars().skip(same.saturating_sub(200));
        text.take(800).collect::<String>()
    };
    let told = format!(
        "with the right guess:\n..{}\nwith wrong ones:\n..{}",
        piece(one),
        piece(other)
    );
    (
        Some(format!("seed {seed}: {told}\nThe layers had\n{story}")),
        count,
    )
}

/// The function above for one of the types.
pub(crate) type Difference = fn(u64, bool) -> (Option<String>, usize);

/// The seed decides the type.
fn difference_of_any(seed: u64, may_differ: bool) -> (Option<String>, usize) {
    let pair: Difference = match seed % 3 {
        0 => difference::<Deep>,
        _ => PAIRS[seed as usize / 3 % PAIRS.len()],
    };
    pair(seed, may_differ)
}

/// `FLUX_MARKERS_SEED` and `FLUX_MARKERS` are those of the other searches.
#[test]
fn whether_a_guess_at_a_secret_of_another_layer_is_right_is_told_by_nothing() {
    crate::silent();
    let pair = |seed| {
        let (difference, count) = difference_of_any(seed, false);
        if let Some(difference) = difference {
            // The hook is silent, and a failure must not be.
            let _ = std::panic::take_hook();
            panic!("{difference}");
        }
        count
    };
    crate::search(pair, 3 * ROOTS as u64);
}

#[test]
fn the_search_for_right_guesses_sees_one_where_the_guide_says_that_it_is_seen() {
    crate::silent();
    let all = 0..120;
    let seen = all.filter(|seed| difference_of_any(*seed, true).0.is_some());
    assert_eq!(
        seen.take(3).count(),
        3,
        "guesses from above change something"
    );
}
