//! The behaviours of Flux, one file a topic. One binary, since each links everything.

mod capacitor;
mod environment;
mod files;
mod layers;
mod model;
mod reads;
mod reports;
mod signals;
mod testing;

use flux::{Builder, Capacitor, Config, Source, source::ChannelSender};

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
    for _ in 0..4_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never came true: {what}");
}
