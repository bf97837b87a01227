//! Programs with secrets in every kind of place, and all that can be asked of them, searched.

use crate::{
    deep::{PANICS, QUOTED, QUOTING, around},
    given,
    layout::printed,
    orders::orders,
    outputs::{Outputs, written},
    places::{LOST, Markers, broken, mistaken},
};
use aho_corasick::AhoCorasick;
use clap::{Args, FromArgMatches};
use flux::{
    Capacitor, Format, Root, Secrets, Source,
    cli::Command as ConfigCommand,
    inspect::{Describe, Inputs},
    source::{Channel, Observation, Observer, SourceError, Watcher},
    testing::{Recorder, Recording},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, time::Duration};

/// A config type of the search: it has secrets in many places, and its code can quote them.
pub(crate) trait Secretive: Root + Clone {
    /// The paths that are asked about: fields, and what a document may have beside them.
    const PATHS: &'static [&'static str];
    /// A good document with a secret wherever there may be one. Some rule looks at the port.
    fn good(markers: &mut Markers, port: u16) -> Value;
    /// A variable, and a text that fits its field or does not.
    fn variable(markers: &mut Markers) -> (String, String);
    fn port(&self) -> u16;
    /// Every secret, in one sentence.
    fn quoted(&self) -> String;
    /// The secret that a stage puts in.
    fn filled(&mut self) -> &mut String;
}

pub(crate) const FORMATS: [(Format, &str); 5] = [
    (Format::Json, "json"),
    (Format::Jsonc, "jsonc"),
    (Format::Json5, "json5"),
    (Format::Yaml, "yaml"),
    (Format::Toml, "toml"),
];

/// Whether a document is good.
#[derive(Clone, Copy)]
pub(crate) enum Chance {
    Good,
    Mostly,
    Seldom,
    Bad,
}

/// A document, good or with one mistake, or with two.
pub(crate) fn document<C: Secretive>(
    markers: &mut Markers,
    format: Format,
    chance: Chance,
) -> String {
    document_and_password::<C>(markers, format, chance).0
}

/// The same, with the secret that stays in its place whatever the mistake is.
fn document_and_password<C: Secretive>(
    markers: &mut Markers,
    format: Format,
    chance: Chance,
) -> (String, String) {
    let is_good = match chance {
        Chance::Good => true,
        Chance::Mostly => !markers.one_in(4),
        Chance::Seldom => markers.one_in(4),
        Chance::Bad => false,
    };
    let port = match markers.below(5) {
        0 => QUOTED,
        1 => PANICS,
        2 => 81,
        _ => 80,
    };
    let mut value = C::good(markers, if is_good { 80 } else { port });
    let twin = value["password"].as_str().unwrap_or_default().to_owned();
    let mistakes = if is_good { 0 } else { markers.below(3) };
    for _ in 0..mistakes {
        value = mistaken(markers, value);
    }
    let text = printed(&value, format, markers);
    let mut text = text.unwrap_or_else(|| format!("password = {twin:?}\n"));
    if format == Format::Yaml {
        while let Some((before, behind)) = text.split_once(LOST) {
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric());
            let (name, rest) = behind.split_at(end.unwrap_or(behind.len()));
            let (before, rest) = match before.strip_suffix('"') {
                Some(before) => (before, rest.strip_prefix('"').unwrap_or(rest)),
                None => (before, rest),
            };
            text = format!("{before}{{{name}}}{rest}");
        }
    }
    let text = match !is_good && markers.one_in(3) {
        true => broken(markers, text, &twin),
        false => text,
    };
    markers.documents.push(text.clone());
    (text, twin)
}

/// A source that quotes a secret of another layer when it cannot be read, and once more when it is lost.
struct Quotes(Option<String>);

impl Watcher for Quotes {
    fn origin(&self) -> String {
        "quotes".to_owned()
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        observer.absent();
        if let Some(quoted) = self.0.take() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let error = SourceError::transient(format!("cannot log in: {quoted}"));
            observer.observe(Observation::Unreadable(error.clone()));
            tokio::time::sleep(Duration::from_millis(200)).await;
            observer.absent();
            observer.failing(error.clone());
            tokio::time::sleep(Duration::from_millis(200)).await;
            return Err(error);
        }
        std::future::pending().await
    }
}

/// The status and the report, and of what can be asked beside them a part: all of it is most of a program's time.
pub(crate) fn answers<C: Secretive>(
    outputs: &Outputs,
    capacitor: &Capacitor<C>,
    plans: impl IntoIterator<Item = Inputs>,
    markers: &mut Markers,
) {
    outputs.debugged(&capacitor.status());
    outputs.text(&capacitor.status().to_string());
    outputs.data(&*capacitor.status());
    outputs.debugged(capacitor);
    if let Some(report) = capacitor.last_error() {
        outputs.text(&report.to_string());
        outputs.debugged(&report);
        outputs.data(&report);
    }
    let is_asked = |markers: &mut Markers| markers.one_in(3);
    for path in C::PATHS.iter().copied() {
        if !is_asked(markers) {
            continue;
        }
        match capacitor.explain(path) {
            Ok(explanation) => {
                outputs.text(&explanation.to_string());
                outputs.debugged(&explanation);
                outputs.data(&explanation);
            }
            Err(error) => outputs.text(&error.to_string()),
        }
        match capacitor.blame(path) {
            Ok(blame) => {
                outputs.text(&blame.to_string());
                outputs.data(&blame);
            }
            Err(error) => outputs.text(&error.to_string()),
        }
    }
    if is_asked(markers) {
        for one in capacitor.explain_all().iter().flatten() {
            outputs.text(&one.to_string());
            outputs.data(one);
        }
        for one in capacitor.silent().iter().flatten() {
            outputs.text(&one.to_string());
            outputs.data(one);
        }
        for fingerprint in [capacitor.fingerprint(), capacitor.fingerprint_with("key")] {
            outputs.debugged(&fingerprint);
        }
    }
    if is_asked(markers)
        && let Ok(effective) = capacitor.effective()
    {
        let with_origins = effective.clone().with_origins();
        for (format, _) in FORMATS {
            outputs.text(&effective.print(format));
            outputs.text(&with_origins.print(format));
        }
    }
    for inputs in plans {
        if !is_asked(markers) {
            continue;
        }
        match capacitor.plan(&inputs) {
            Ok(plan) => {
                outputs.text(&plan.to_string());
                outputs.debugged(&plan);
                outputs.data(&plan);
            }
            Err(error) => outputs.text(&error.to_string()),
        }
    }
}

/// What a document would change in either layer.
pub(crate) fn plans(text: &str) -> [Inputs; 2] {
    [
        Inputs::new().layer("upper", text),
        Inputs::new().layer("lower", text).partial(),
    ]
}

/// Variables in every form, good ones and others; each is set once.
fn variables<C: Secretive>(markers: &mut Markers) -> Vec<(String, String)> {
    let mut all = vec![("APP_PASSWORD".to_owned(), markers.text())];
    for _ in 0..markers.below(5) {
        all.push(C::variable(markers));
    }
    let mut names = BTreeSet::new();
    all.retain(|(name, _)| names.insert(name.clone()));
    all
}

/// What is printed of the type alone.
fn descriptions<C: Secretive>(outputs: &Outputs) {
    outputs.data(&C::schema());
    outputs.data(&C::layer_schema());
    for (format, _) in FORMATS {
        outputs.text(&C::template(format));
    }
    outputs.text(&C::reference("APP_"));
    outputs.text(&C::variables("APP_"));
}

/// The command line over a document that is good and one that may not be.
fn commands<C: Secretive>(outputs: &Outputs, folder: &Path, markers: &mut Markers) {
    let (format, extension) = FORMATS[markers.below(FORMATS.len())];
    let files = [("good", Chance::Good), ("next", Chance::Bad)].map(|(name, chance)| {
        let path = folder.join(name).join(format!("never-there.{extension}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, document::<C>(markers, format, chance)).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let [good, next] = &files;
    let all: [&[&str]; 11] = [
        &["check", next],
        &["check", next, "--partial", "--only-given"],
        &["show", "--file", good, "--origins"],
        &["show", "--file", good, "--as", "toml"],
        &["show", "--file", next, "--as", "json"],
        &["explain", "--file", good],
        &["explain", "vault", "--file", next],
        &["diff", next],
        &["plan", next],
        &["template", "--as", "toml"],
        &["reference"],
    ];
    let output = ["human", "json", "github", "sarif"][markers.below(4)];
    for arguments in all {
        // The others have no annotations.
        let output = match arguments[0] {
            "check" | "diff" | "plan" => output,
            "template" | "reference" => "human",
            _ if output == "json" => "json",
            _ => "human",
        };
        let words = ["config"].into_iter().chain(arguments.iter().copied());
        let command = ConfigCommand::augment_args(clap::Command::new("config"));
        let matches = command.try_get_matches_from(words.chain(["--offline", "--format", output]));
        let command = ConfigCommand::from_arg_matches(&matches.unwrap()).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        command.write::<C>(&mut out, &mut err).unwrap();
        outputs.text(&String::from_utf8_lossy(&out));
        outputs.text(&String::from_utf8_lossy(&err));
    }
}

/// URIs with what a server asks for, good ones and others; none of them is connected to. The prefix of `env:` is a name, and is shown.
fn uris<C: Secretive>(outputs: &Outputs, markers: &mut Markers) {
    let (user, secret, token) = (markers.name(), markers.name(), markers.name());
    let scheme = [
        "redis",
        "rediss",
        "etcd",
        "nats",
        "consul",
        "k8s",
        "zookeeper",
        "firestore",
        "https",
        "http",
        "rdis",
        "dir",
    ][markers.below(12)];
    let uri = match markers.below(8) {
        6 => format!("{scheme}://bob:${{SECRET}}/app.json?db=${{SECRET}}"),
        0 => format!("{scheme}://{user}:{secret}@127.0.0.1:1/app.json?token={token}"),
        1 => format!("{scheme}://{user}:{secret}/app.json"),
        2 => format!("{scheme}://{user}:{secret}@127.0.0.1:x/app.json"),
        3 => format!("{scheme}://127.0.0.1:1/app.json?pasword={secret}&token={token}"),
        4 => format!("{scheme}:{user}:{secret}@127.0.0.1/app.json?db={token}"),
        5 => format!("{scheme}://{user}:{secret}@[::1/app.json?tls={token}"),
        _ => "redis://bob:${SECRET}@127.0.0.1/app.json?db=${SECRET}".to_owned(),
    };
    let source = Source::uri(uri.as_str()).variables([("SECRET", &*secret)]);
    outputs.debugged(&source);
    let builder = Capacitor::<C>::builder()
        .clear_sources()
        .source(source.optional());
    match builder.build() {
        Ok(capacitor) => {
            outputs.debugged(&capacitor);
            outputs.data(&*capacitor.status());
        }
        Err(error) => {
            outputs.text(&error.to_string());
            outputs.debugged(&error);
        }
    }
}

/// A program's life; how many documents it had.
async fn live<C: Secretive>(markers: &mut Markers, outputs: &Outputs) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json").to_str().unwrap().to_owned();
    let (format, _) = FORMATS[markers.below(FORMATS.len())];
    let (lower, below) = Channel::buffered("lower", 8);
    let (upper, above) = Channel::buffered("upper", 8);
    let (fails, encoding) = (QUOTING[markers.below(QUOTING.len())], markers.below(6));
    let filled = markers.name();
    // What is written in an encoding is searched for as that, too.
    for encoding in 1..6 {
        markers.runs.push(written(&filled, encoding).to_lowercase());
    }
    let recorder = Recorder::in_memory();
    let base = || {
        let (fails, filled) = (fails, filled.clone());
        around(
            Capacitor::<C>::builder().clear_sources(),
            fails,
            encoding,
            filled,
        )
        .generations(3)
        .history(3)
        .probation(Duration::from_secs(60))
        .last_known_good(kept.clone(), Secrets::Omit)
    };
    let (first, quoted) = document_and_password::<C>(markers, format, Chance::Mostly);
    let second = document::<C>(markers, format, Chance::Mostly);
    // Nobody knows a secret of which the document was cut off after less than a piece.
    let quoted = match first.contains(&quoted) {
        true => written(&quoted, encoding),
        false => String::new(),
    };
    if encoding > 0 && !quoted.is_empty() {
        markers.runs.push(quoted.to_lowercase());
    }
    let mut builder = base()
        .source(Source::watcher(below).format(format))
        .source(Source::watcher(above).format(format))
        .source(
            Source::watcher(Quotes(Some(quoted)))
                .format(format)
                .optional(),
        );
    if markers.one_in(2) {
        let variables = variables::<C>(markers);
        builder = builder.override_with(Source::env("APP_").variables(variables));
    }
    let socket = folder.path().join("app.sock");
    let capacitor = builder
        .record(&recorder)
        .admin(format!("unix:{}", socket.display()))
        .build()
        .unwrap();
    let page = flux::page::Page::new(&capacitor).allow(flux::page::Control);
    lower.send(first.as_bytes()).await.unwrap();
    upper.send(second.as_bytes()).await.unwrap();
    outputs.error(&capacitor.start().await.err());
    let mut documents = 2;
    for sender in [&upper, &lower, &upper, &upper] {
        let text = document::<C>(markers, format, Chance::Seldom);
        sender.send(text.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        answers(outputs, &capacitor, plans(&text), markers);
        documents += 1;
    }
    outputs.page(&page).await;
    let text = document::<C>(markers, format, Chance::Seldom);
    orders(outputs, &capacitor, &page, &socket, &text).await;
    documents += 1;
    outputs.text(&fs::read_to_string(format!("{kept}.trial")).unwrap_or_default());
    capacitor.report_unhealthy(format!("unhealthy: {}", written(&filled, encoding)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    answers(outputs, &capacitor, plans("{}"), markers);
    capacitor.stop().await;
    for file in [&kept, &format!("{kept}.trial")] {
        outputs.text(&fs::read_to_string(file).unwrap_or_default());
    }
    let log = recorder.lines();
    outputs.text(&log);
    for recording in Recording::all(&log).unwrap() {
        outputs.debugged(&recording);
        outputs.debugged(&recording.notes());
        match recording
            .replay(base().last_known_good(format!("{kept}.replayed"), Secrets::Omit))
            .await
        {
            Ok(replay) => outputs.debugged(&(replay.outcomes(), replay.difference())),
            Err(error) => outputs.text(&error.to_string()),
        }
    }
    // A start while all sources are down.
    let (_lower, below) = Channel::buffered("lower", 8);
    let (_upper, above) = Channel::buffered("upper", 8);
    let again = base()
        .source(
            Source::watcher(below)
                .format(format)
                .wait(Duration::from_secs(1)),
        )
        .source(
            Source::watcher(above)
                .format(format)
                .wait(Duration::from_secs(1)),
        )
        .startup_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    outputs.error(&again.start().await.err());
    answers(outputs, &again, plans("{}"), markers);
    again.stop().await;
    uris::<C>(outputs, markers);
    if markers.one_in(4) {
        commands::<C>(outputs, folder.path(), markers);
        documents += 2;
    }
    documents + given::files::<C>(outputs, folder.path(), markers).await + {
        given::arguments::<C>(outputs, markers).await;
        given::provider::<C>(outputs, markers).await;
        2
    }
}

/// Runs the program of this seed; how many documents it had.
pub(crate) fn run<C: Secretive>(seed: u64) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let mut markers = Markers::new(seed);
    let (outputs, guard) = Outputs::collect();
    descriptions::<C>(&outputs);
    let documents = runtime.block_on(live::<C>(&mut markers, &outputs));
    drop(guard);
    let texts = outputs.take();
    assert!(texts.len() > 20, "seed {seed}: nothing was printed");
    markers.runs.sort_unstable();
    markers.runs.dedup();
    let search = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(&markers.runs)
        .unwrap();
    for text in &texts {
        if let Some(found) = search.find(text) {
            let (at, run) = (found.start(), &markers.runs[found.pattern().as_usize()]);
            let from = text[..at]
                .rfind('\n')
                .map_or(0, |line| text[..line].rfind('\n').unwrap_or(0));
            let until = text[at..].find('\n').map_or(text.len(), |end| at + end);
            let begin: String = text.chars().take(3_000).collect();
            let documents = markers.documents.iter();
            let documents = documents.filter(|one| one.to_lowercase().contains(run));
            panic!(
                "{} with seed {seed}: {run} in\n{}\nof\n{begin}\nwhich was in\n{}",
                std::any::type_name::<C>(),
                &text[from..until],
                documents.cloned().collect::<Vec<_>>().join("\n"),
            );
        }
    }
    documents
}
