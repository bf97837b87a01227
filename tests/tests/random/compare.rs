//! One type, read by serde alone and by Flux. Values are compared as `Debug` prints them.

use crate::kept::{self, Kept, KeptLayer};
use flux::{Capacitor, Config, Error, Format, Source, source::Channel};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// The value, or why it is refused.
pub(crate) type Read = Result<String, String>;

/// A document in its format.
pub(crate) type PrintedLayer = (Format, String);

/// A variable and its text.
pub(crate) type SetVariable = (String, String);

/// How a root is read.
pub(crate) struct Root {
    pub(crate) name: &'static str,
    pub(crate) serde_alone: fn(Format, &str) -> Read,
    /// The documents, lowest first, and the variables above them.
    pub(crate) flux: fn(&[PrintedLayer], &[SetVariable]) -> Read,
    /// The paths of the problems of one document, and their lines; none where it is accepted.
    pub(crate) refusals: fn(Format, &str) -> Vec<PathAndLine>,
    /// The layers, lowest first, and the variables above them; and what is left of them once every layer is lost.
    pub(crate) kept: fn(&[KeptLayer], &[SetVariable]) -> Kept,
}

/// Where a problem is.
pub(crate) type PathAndLine = (String, Option<usize>);

pub(crate) const fn root<C: Config + DeserializeOwned + Debug>(name: &'static str) -> Root {
    Root {
        name,
        serde_alone: serde_alone::<C>,
        flux: through_flux::<C>,
        refusals: refusals::<C>,
        kept: kept::twice::<C>,
    }
}

fn serde_alone<C: DeserializeOwned + Debug>(format: Format, text: &str) -> Read {
    let read: Result<C, String> = match format {
        Format::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        Format::Yaml => serde_yaml::from_str(text).map_err(|error| error.to_string()),
        Format::Toml => toml::from_str(text).map_err(|error| error.to_string()),
    };
    read.map(|value| format!("{value:?}"))
}

fn through_flux<C: Config + Debug>(documents: &[PrintedLayer], variables: &[SetVariable]) -> Read {
    let started = async {
        let mut builder = Capacitor::<C>::builder().manual();
        for (format, text) in documents {
            let (sender, channel) = Channel::latest("document");
            sender
                .try_send(text.as_bytes())
                .map_err(|error| error.to_string())?;
            builder = builder.source(Source::watcher(channel).format(*format));
        }
        if !variables.is_empty() {
            builder = builder.override_with(Source::env("APP_").variables(variables.to_vec()));
        }
        let capacitor = builder.build().map_err(|error: Error| error.to_string())?;
        capacitor.start().await.map_err(|error| error.to_string())?;
        Ok(format!("{:?}", **capacitor.snapshot()))
    };
    RUNTIME.with(|runtime| runtime.block_on(started))
}

fn refusals<C: Config>(format: Format, text: &str) -> Vec<PathAndLine> {
    let started = async {
        let (sender, channel) = Channel::latest("document");
        sender.try_send(text.as_bytes()).expect("it has room");
        let source = Source::watcher(channel).format(format);
        let capacitor = Capacitor::<C>::builder().manual().source(source).build();
        let capacitor = capacitor.expect("a declaration");
        let report = match capacitor.start().await {
            Ok(()) => return Vec::new(),
            Err(Error::Refused(report)) => report,
            Err(other) => panic!("{other}"),
        };
        let problems = report.problems().iter();
        let places = problems.map(|one| (one.path.to_string(), one.line));
        places.collect()
    };
    RUNTIME.with(|runtime| runtime.block_on(started))
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
}
