//! One type, read by serde alone and by Flux. Values are compared as `Debug` prints them.

use crate::kept::{self, Kept, KeptLayer};
use flux::{
    Builder, Capacitor, Config, Error, Format, Source, Unknown, report::Problem, source::Channel,
};
use serde::de::DeserializeOwned;
use std::{fmt::Debug, fs, path::Path};

/// The value, or why it is refused.
pub(crate) type Read = Result<String, String>;

/// A document in its format.
pub(crate) type PrintedLayer = (Format, String);

/// A variable and its text.
pub(crate) type SetVariable = (String, String);

const PREFIX: &str = "APP_";

/// What is reported of layers, and of variables with this prefix above them.
type ReportOf = fn(&[PrintedLayer], (&str, &[SetVariable]), Unknown) -> Reported;

/// How a root is read.
pub(crate) struct Root {
    pub(crate) name: &'static str,
    pub(crate) serde_alone: fn(Format, &str) -> Read,
    /// The documents, lowest first, and the variables above them.
    pub(crate) flux: fn(&[PrintedLayer], &[SetVariable]) -> Read,
    /// The paths of the problems of one document, and their lines; none where it is accepted.
    pub(crate) refusals: fn(Format, &str) -> Vec<PathAndLine>,
    /// The same as `flux`, with the prefix of the variables, and all that is reported.
    pub(crate) reported: ReportOf,
    /// The same documents as optional layers, and as the files of a folder; of both, all that is reported.
    pub(crate) in_a_folder: fn(&[PrintedLayer], &Path) -> [Reported; 2],
    /// The layers, lowest first, and the variables above them; and what is left of them once every layer is lost.
    pub(crate) kept: fn(&[KeptLayer], &[SetVariable]) -> Kept,
}

/// What a start brings.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// None where it is refused.
    pub(crate) value: Option<String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// Where a problem is.
pub(crate) type PathAndLine = (String, Option<usize>);

pub(crate) const fn root<C: Config + DeserializeOwned + Debug>(name: &'static str) -> Root {
    Root {
        name,
        serde_alone: serde_alone::<C>,
        flux: through_flux::<C>,
        refusals: refusals::<C>,
        reported: reported::<C>,
        in_a_folder: in_a_folder::<C>,
        kept: kept::twice::<C>,
    }
}

fn serde_alone<C: DeserializeOwned + Debug>(format: Format, text: &str) -> Read {
    let read: Result<C, String> = match format {
        Format::Json | Format::Jsonc | Format::Json5 => {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
        Format::Yaml => serde_yaml::from_str(text).map_err(|error| error.to_string()),
        Format::Toml => toml::from_str(text).map_err(|error| error.to_string()),
    };
    read.map(|value| format!("{value:?}"))
}

pub(crate) fn through_flux<C: Config + Debug>(
    documents: &[PrintedLayer],
    variables: &[SetVariable],
) -> Read {
    let started = start::<C>(documents, (PREFIX, variables), Unknown::Warn);
    let started = started.map_err(|error| error.to_string());
    started.map(|capacitor| format!("{:?}", **capacitor.snapshot()))
}

fn start<C: Config>(
    documents: &[PrintedLayer],
    (prefix, variables): (&str, &[SetVariable]),
    unknown: Unknown,
) -> Result<Capacitor<C>, Error> {
    let mut builder = Capacitor::<C>::builder().manual().unknown(unknown);
    for (format, text) in documents {
        let (sender, channel) = Channel::latest("document");
        sender.try_send(text.as_bytes()).expect("it has room");
        builder = builder.source(Source::watcher(channel).format(*format));
    }
    if !variables.is_empty() {
        builder = builder.override_with(Source::env(prefix).variables(variables.to_vec()));
    }
    run(builder)
}

fn run<C: Config>(builder: Builder<C>) -> Result<Capacitor<C>, Error> {
    let capacitor = builder.build()?;
    RUNTIME.with(|runtime| runtime.block_on(capacitor.start()))?;
    Ok(capacitor)
}

fn in_a_folder<C: Config + Debug>(documents: &[PrintedLayer], folder: &Path) -> [Reported; 2] {
    fs::create_dir_all(folder).expect("a folder");
    let mut declared = Capacitor::<C>::builder().manual();
    for (number, (format, text)) in documents.iter().enumerate() {
        let path = folder.join(format!("{number}.{format}"));
        fs::write(&path, text).expect("a file");
        let (sender, channel) = Channel::latest(path.display().to_string());
        sender.try_send(text.as_bytes()).expect("it has room");
        declared = declared.source(Source::watcher(channel).format(*format).optional());
    }
    let pattern = folder.join("*").display().to_string();
    let files = Capacitor::<C>::builder().manual();
    let files = files.source(Source::file(pattern).optional());
    let both = [run(declared), run(files)].map(report_of);
    fs::remove_dir_all(folder).expect("it is there");
    both
}

fn reported<C: Config + Debug>(
    documents: &[PrintedLayer],
    variables: (&str, &[SetVariable]),
    unknown: Unknown,
) -> Reported {
    report_of(start::<C>(documents, variables, unknown))
}

fn report_of<C: Config + Debug>(started: Result<Capacitor<C>, Error>) -> Reported {
    match started {
        Ok(capacitor) => Reported {
            value: Some(format!("{:?}", **capacitor.snapshot())),
            warnings: capacitor.status().warnings.clone(),
            ..Reported::default()
        },
        Err(Error::Refused(report)) => Reported {
            problems: report.problems().to_vec(),
            ..Reported::default()
        },
        Err(other) => panic!("{other}"),
    }
}

fn refusals<C: Config + Debug>(format: Format, text: &str) -> Vec<PathAndLine> {
    let found = reported::<C>(&[(format, text.to_owned())], (PREFIX, &[]), Unknown::Warn);
    let problems = found.problems.iter();
    let places = problems.map(|one| (one.path.to_string(), one.line));
    places.collect()
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
}
