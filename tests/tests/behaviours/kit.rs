//! What the topics have in common: one small config, a capacitor over a channel, parties and subscribers that remember.

use flux::{
    Builder, Capacitor, Flux, Format, Source,
    change::{Change, Party},
    source::{Channel, ChannelSender},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// A number with a rule, and a text.
#[derive(Flux, Debug, Clone, PartialEq)]
pub(crate) struct App {
    #[flux(default = 0, range = 0..=99)]
    pub(crate) n: u32,
    #[flux(default = "-")]
    pub(crate) text: String,
}

/// `App` with this number.
pub(crate) fn app(n: u32) -> App {
    let text = "-".to_owned();
    App { n, text }
}

/// A builder over one channel that speaks YAML, without a debounce.
pub(crate) fn over_a_channel<C: flux::Config>() -> (Builder<C>, ChannelSender) {
    let (sender, channel) = Channel::buffered("channel", 64);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<C>::builder()
        .debounce(Duration::ZERO)
        .source(source);
    (builder, sender)
}

/// A running capacitor whose first configuration is `n: 1`.
pub(crate) async fn running(
    adjust: impl FnOnce(Builder<App>) -> Builder<App>,
) -> (Capacitor<App>, ChannelSender) {
    let (builder, sender) = over_a_channel();
    let capacitor = adjust(builder).build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.expect("`n: 1` is good");
    (capacitor, sender)
}

/// The source now holds this number.
pub(crate) async fn say(sender: &ChannelSender, n: u32) {
    write(sender, &format!("n: {n}")).await;
}

/// The source now holds this document.
pub(crate) async fn write(sender: &ChannelSender, document: &str) {
    sender.send(document.as_bytes()).await.unwrap();
}

/// Lets everything happen that happens at once.
pub(crate) async fn settle() {
    pass(0.002).await;
}

/// Lets so many seconds pass on the paused clock.
pub(crate) async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// What happened, in order. Clones share it.
#[derive(Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Log(Arc::clone(&self.0))
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Log(Arc::default())
    }
}

impl<T> Log<T> {
    pub(crate) fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }
    /// Everything since the last call.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Log<String> {
    pub(crate) fn say(&self, entry: impl Into<String>) {
        self.push(entry.into());
    }
}

/// Whole seconds since it was made, on the paused clock.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Clock(Instant::now())
    }
    pub(crate) fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }
}

/// Counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    /// The number before.
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A party that tells everything that is asked of it, and vetoes where it is told to.
pub(crate) struct Teller {
    pub(crate) name: &'static str,
    pub(crate) log: Log<String>,
    pub(crate) vetoes: fn(&App) -> bool,
    /// How long it prepares.
    pub(crate) takes: Duration,
}

impl Teller {
    pub(crate) fn new(name: &'static str, log: &Log<String>) -> Self {
        Teller {
            name,
            log: log.clone(),
            vetoes: |_| false,
            takes: Duration::ZERO,
        }
    }
    pub(crate) fn vetoing(self, vetoes: fn(&App) -> bool) -> Self {
        Teller { vetoes, ..self }
    }
    pub(crate) fn slow(self, seconds: u64) -> Self {
        let takes = Duration::from_secs(seconds);
        Teller { takes, ..self }
    }
}

impl Party<App> for Teller {
    type Prepared = u32;
    type Error = String;

    fn name(&self) -> String {
        self.name.to_owned()
    }
    async fn prepare(&self, change: &Change<App>) -> Result<u32, String> {
        let n = change.current.n;
        tokio::time::sleep(self.takes).await;
        if (self.vetoes)(&change.current) {
            self.log.say(format!("{} vetoes {n}", self.name));
            return Err(format!("not {n}"));
        }
        self.log.say(format!("{} prepares {n}", self.name));
        Ok(n)
    }
    fn commit(&self, n: u32) {
        self.log.say(format!("{} commits {n}", self.name));
    }
    fn rollback(&self, n: u32) {
        self.log.say(format!("{} rolls back {n}", self.name));
    }
}

/// One `tracing` event of Flux.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) message: String,
    pub(crate) level: tracing::Level,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The field `update` of the span around it.
    pub(crate) update: Option<String>,
    /// So many spans of Flux are around it.
    pub(crate) spans: usize,
}

/// Remembers Flux's events on this thread.
#[derive(Clone, Default)]
pub(crate) struct Ear {
    told: Log<Told>,
    spans: Arc<Mutex<Spans>>,
}

#[derive(Default)]
struct Spans {
    known: Vec<Option<String>>,
    entered: Vec<usize>,
}

impl Ear {
    /// Listens on this thread while the guard is held.
    pub(crate) fn listen() -> (Ear, tracing::subscriber::DefaultGuard) {
        flux_tests::dispatchers::keep_two::<Ear>();
        let ear = Ear::default();
        let guard = tracing::subscriber::set_default(ear.clone());
        (ear, guard)
    }
    /// Everything since the last call.
    pub(crate) fn take(&self) -> Vec<Told> {
        self.told.take()
    }
    /// The field `update` of every span that was made.
    pub(crate) fn updates(&self) -> Vec<String> {
        let spans = self.spans.lock().unwrap();
        spans.known.iter().flatten().cloned().collect()
    }
    /// Every message since the last call, with its fields.
    pub(crate) fn text(&self) -> String {
        let lines = self.take().into_iter().map(|told| format!("{told:?}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "flux"
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut spans = self.spans.lock().unwrap();
        spans.known.push(fields.0.remove("update"));
        span::Id::from_u64(spans.known.len() as u64)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let spans = self.spans.lock().unwrap();
        let update = (spans.entered.last()).and_then(|id| spans.known[id - 1].clone());
        let fields = fields.0;
        self.told.push(Told {
            message,
            level: *event.metadata().level(),
            fields,
            update,
            spans: spans.entered.len(),
        });
    }
    fn enter(&self, id: &span::Id) {
        let id = id.into_u64() as usize;
        self.spans.lock().unwrap().entered.push(id);
    }
    fn exit(&self, _: &span::Id) {
        self.spans.lock().unwrap().entered.pop();
    }
}

/// In manual mode; its first configuration is `n: 1`.
pub(crate) async fn by_hand_app() -> (Capacitor<App>, ChannelSender) {
    let (capacitor, sender) = crate::by_hand::<App>(|builder| builder);
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    (capacitor, sender)
}

/// Runs the test of this name once more in a process of its own, where no other test opens files or takes memory. Answers whether
/// this is that process.
pub(crate) fn alone(test: &str) -> bool {
    const ALONE: &str = "FLUX_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new(own)
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("1 passed"), "{test}: {told}{said}");
    println!("{told}");
    false
}
