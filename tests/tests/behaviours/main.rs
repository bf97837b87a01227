//! The behaviours of Flux, one file a topic. One binary, since each links everything.

mod answers;
mod arguments;
mod broken_files;
mod capacitor;
mod declared;
mod deep;
mod display;
mod documents;
mod dotenv;
mod drop_ins;
mod empty_entries;
mod ends;
mod environment;
mod environment_advice;
mod environment_names;
mod every_problem;
mod files;
mod folders;
mod former_keys;
mod generations;
mod given_texts;
mod groups;
mod hooks;
mod interleavings;
mod item_rules;
mod kept_by_another_struct;
mod kept_for_rules;
mod kit;
mod last_known_good;
mod layering;
mod layers;
mod lifecycle;
mod limits;
mod load;
mod metrics;
mod model;
mod no_oracle;
mod numbers;
mod original;
mod outages;
mod own_code;
mod parsed_arguments;
mod parties;
mod pipeline;
mod probation;
mod problems;
mod providers;
mod reads;
mod reload;
mod reports;
mod runtimes;
mod secret_defaults;
mod secrets;
mod serde_attributes;
mod signals;
mod soak;
mod stand_ins;
mod starts;
mod status;
mod subscriptions;
mod surface;
mod testing;
mod transitions;
mod twice;
mod types;
mod values;
mod values_documents;
mod values_entries;
mod values_environment;
mod values_refused;
mod values_testing;
mod variable_files;
mod withheld_events;
mod withheld_texts;

use flux::{
    Builder, Capacitor, Config, Error, Format, Report, Snapshot, Source,
    source::{Channel, ChannelSender},
};
use std::sync::Arc;

/// A capacitor in manual mode over one channel that speaks YAML.
fn by_hand<C: Config>(
    adjust: impl FnOnce(Builder<C>) -> Builder<C>,
) -> (Capacitor<C>, ChannelSender) {
    let (sender, channel) = flux::source::Channel::buffered("channel", 16);
    let builder = Capacitor::<C>::builder()
        .manual()
        .source(Source::watcher(channel).format(flux::Format::Yaml));
    (adjust(builder).build().expect("layers that work"), sender)
}

/// Waits for a condition that comes true by itself.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never came true: {what}");
}

/// Starts a capacitor over one document, called `app`.
async fn start<C: Config>(
    format: Format,
    document: impl AsRef<[u8]>,
) -> (Capacitor<C>, Option<Error>) {
    let (sender, channel) = Channel::buffered("app", 4);
    sender.send(document.as_ref()).await.expect("a receiver");
    let source = Source::watcher(channel).format(format);
    let capacitor = Capacitor::<C>::builder()
        .manual()
        .source(source)
        .build()
        .expect("layers that work");
    let error = capacitor.start().await.err();
    (capacitor, error)
}

/// What is said of a document that is refused.
async fn refusal<C: Config>(format: Format, document: impl AsRef<[u8]>) -> Report {
    match start::<C>(format, document).await.1.expect("a refusal") {
        Error::Refused(report) => report,
        other => panic!("{other}"),
    }
}

/// The configuration in a document.
async fn applied<C: Config>(format: Format, document: impl AsRef<[u8]>) -> Arc<Snapshot<C>> {
    let (capacitor, error) = start::<C>(format, document).await;
    if let Some(error) = error {
        panic!("{error}");
    }
    capacitor.snapshot()
}
