//! A capacitor over one document, driven step by step.

use flux::{
    Builder, Capacitor, Config, Error, Format, Source,
    source::{Channel, ChannelSender},
};

pub struct ByHand<C: Config> {
    pub capacitor: Capacitor<C>,
    pub document: ChannelSender,
}

/// A capacitor over `app.yaml` with `document` in it; its first outcome is in its status.
pub async fn started<C: Config>(
    document: &str,
    adjust: impl FnOnce(Builder<C>) -> Builder<C>,
) -> ByHand<C> {
    let (sender, channel) = Channel::latest("app.yaml");
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<C>::builder().manual().source(source);
    let capacitor = adjust(builder).build().expect("layers that work");
    let by_hand = ByHand {
        capacitor,
        document: sender,
    };
    by_hand.say(document.as_bytes());
    // The outcome is asked for with `report`.
    let _ = by_hand.capacitor.start().await;
    by_hand
}

impl<C: Config> ByHand<C> {
    fn say(&self, document: &[u8]) {
        self.document.try_send(document).expect("somebody watches");
    }

    pub async fn edit(&self, document: &str) {
        self.edit_bytes(document.as_bytes()).await;
    }

    pub async fn edit_bytes(&self, document: &[u8]) {
        self.say(document);
        self.capacitor.process().await.expect("it is by hand");
    }

    /// What is refused.
    pub fn report(&self) -> String {
        report(&self.capacitor)
    }
}

pub fn report<C: Config>(capacitor: &Capacitor<C>) -> String {
    let report = capacitor.last_error().expect("something is refused");
    report.to_string()
}

pub fn error<T>(outcome: Result<T, Error>) -> String {
    outcome.err().expect("it fails").to_string()
}
