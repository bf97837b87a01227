//! A key-value server in memory that can misbehave, a right watcher of it, and broken ones.

use flux::{
    source::{Content, Observation, Observer, SourceError, Watcher},
    testing::conformance::{Cannot, Fault, Subject},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep, timeout},
};

/// What the server tells those who watch.
#[derive(Clone, Debug)]
enum Event {
    Changed(u64, Option<Vec<u8>>),
    End,
    Failed(SourceError),
}

type Document = Option<Vec<u8>>;

#[derive(Default)]
struct State {
    revision: u64,
    document: Document,
    before: (u64, Document),
    watching: Vec<UnboundedSender<Event>>,
    failing: Option<SourceError>,
    misses: bool,
    silent: bool,
    requests: u64,
}

/// One key on a server.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<State>>);

impl Server {
    /// A read, with the revision.
    pub(super) fn get(&self) -> Result<(u64, Document), SourceError> {
        let mut state = self.0.lock().unwrap();
        state.requests += 1;
        match &state.failing {
            Some(error) => Err(error.clone()),
            None => Ok((state.revision, state.document.clone())),
        }
    }

    /// The same, of a server that may not answer.
    async fn read(&self) -> Result<(u64, Document), SourceError> {
        let silent = self.0.lock().unwrap().silent;
        match silent {
            true => std::future::pending().await,
            false => self.get(),
        }
    }

    fn subscribe(&self) -> UnboundedReceiver<Event> {
        let (sender, receiver) = unbounded_channel();
        self.0.lock().unwrap().watching.push(sender);
        receiver
    }

    fn put(&self, document: Document) {
        let mut state = self.0.lock().unwrap();
        state.before = (state.revision, state.document.clone());
        state.revision += 1;
        state.document = document;
        if !std::mem::take(&mut state.misses) && !state.silent && state.failing.is_none() {
            let event = Event::Changed(state.revision, state.document.clone());
            announce(&mut state, &event);
        }
    }

    fn fail(&self, error: SourceError) {
        let mut state = self.0.lock().unwrap();
        announce(&mut state, &Event::Failed(error.clone()));
        state.failing = Some(error);
        state.watching.clear();
    }
}

fn announce(state: &mut State, event: &Event) {
    state.watching.retain(|one| one.send(event.clone()).is_ok());
}

/// How a watcher can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A change soon after another one is passed over.
    LosesTheLast,
    /// What is announced is believed, whatever its revision.
    TakesOlder,
    /// After an end or an error it waits for ever.
    StopsSilently,
    /// A lost connection is the end of the source.
    EndsForGood,
    /// It connects again and again without a pause.
    BusyLoop,
    /// A task of each session goes on for ever.
    LeavesATask,
    /// What it needs is moved into its first session.
    ForgetsWhenDropped,
    /// A large document is delivered in two pieces.
    HalfDocuments,
    /// Bytes are made text.
    LossyText,
    /// Before whatever is announced it says that there is nothing.
    Flickers,
    /// It begins to listen only after it has read.
    ListensLate,
    /// What is deleted stays as it was.
    IgnoresDeletions,
    /// Every error passes for one that may pass.
    HidesRefusals,
    /// There is no resync.
    NeverLooksAgain,
    /// What it reads is dropped where its number is not newer than what the session has seen.
    OrdersReads,
    /// What it reads is dropped where its number is not newer than what any session has seen.
    OrdersSessions,
    /// It is live as long as its own clock goes.
    LiveByATimer,
    /// It is live for some time beyond its deadline, and not for ever.
    LivePastItsDeadline,
    /// The value at the start is not read.
    ChangesOnly,
    /// Its name is the URI as it was written.
    TellsThePassword,
}

pub(super) struct OfServer {
    server: Option<Server>,
    flaw: Option<Flaw>,
    /// What a flawed one remembers of its sessions.
    newest: u64,
}

impl OfServer {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn deliver(&self, observer: &Observer, revision: u64, document: Document) {
        let Some(mut bytes) = document else {
            if !self.is(Flaw::IgnoresDeletions) {
                observer.absent();
            }
            return;
        };
        if self.is(Flaw::Flickers) {
            observer.absent();
        }
        if self.is(Flaw::LossyText) {
            bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
        }
        if self.is(Flaw::HalfDocuments) && bytes.len() > 1_000 {
            observer.value(&bytes[..1_000]);
        }
        observer.observe(Observation::Value(
            Content::new(bytes).revision(revision.to_string()),
        ));
    }

    async fn session(&mut self, server: &Server, observer: &Observer) -> Result<(), SourceError> {
        let mut events = server.subscribe();
        if self.is(Flaw::LeavesATask) {
            let server = server.clone();
            tokio::spawn(async move {
                let _server = server;
                std::future::pending::<()>().await;
            });
        }
        let (mut known, document) = server.read().await?;
        if self.is(Flaw::ListensLate) {
            sleep(Duration::from_millis(1)).await;
            events = server.subscribe();
        }
        let is_old = self.is(Flaw::OrdersSessions) && known <= self.newest && self.newest > 0;
        if !self.is(Flaw::ChangesOnly) && !is_old {
            self.deliver(observer, known, document);
        }
        self.newest = self.newest.max(known);
        let mut delivered = Instant::now();
        loop {
            let resync = match self.is(Flaw::NeverLooksAgain) {
                true => Duration::from_secs(86_400),
                false => Duration::from_secs(10),
            };
            let (revision, document, is_read) = match timeout(resync, events.recv()).await {
                Ok(Some(Event::Changed(revision, document))) => (revision, document, false),
                Ok(Some(Event::End) | None) => return Ok(()),
                Ok(Some(Event::Failed(error))) => return Err(error),
                Err(_)
                    if self.is(Flaw::LiveByATimer)
                        || self.is(Flaw::LivePastItsDeadline)
                            && delivered.elapsed() < Duration::from_secs(45) =>
                {
                    observer.live();
                    continue;
                }
                Err(_) => {
                    let (revision, document) = server.read().await?;
                    observer.live();
                    (revision, document, true)
                }
            };
            // A read is the truth; only an announcement may be late.
            let ordered = !is_read || self.is(Flaw::OrdersReads) || self.is(Flaw::OrdersSessions);
            let is_old = match ordered {
                true => revision <= known,
                false => revision == known,
            };
            if is_old && !self.is(Flaw::TakesOlder) && !self.is(Flaw::Flickers) {
                continue;
            }
            self.newest = self.newest.max(revision);
            let soon = delivered.elapsed() < Duration::from_millis(50);
            if self.is(Flaw::LosesTheLast) && soon {
                known = revision;
                continue;
            }
            known = revision;
            delivered = Instant::now();
            self.deliver(observer, revision, document);
        }
    }
}

impl Watcher for OfServer {
    fn origin(&self) -> String {
        match self.is(Flaw::TellsThePassword) {
            true => "server://me:hunter2@localhost/key".to_owned(),
            false => "server".to_owned(),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let never = self.is(Flaw::NeverLooksAgain) || self.is(Flaw::LiveByATimer);
        (!never && !self.is(Flaw::OrdersReads)).then_some(Duration::from_secs(30))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let server = match self.is(Flaw::ForgetsWhenDropped) {
            true => self.server.take(),
            false => self.server.clone(),
        };
        let Some(server) = server else {
            return std::future::pending().await;
        };
        loop {
            let end = self.session(&server, observer).await;
            match (self.flaw, end) {
                (Some(Flaw::StopsSilently), _) => return std::future::pending().await,
                (Some(Flaw::EndsForGood), Err(error)) => {
                    return Err(SourceError::closed(error.to_string()));
                }
                (Some(Flaw::HidesRefusals), Err(error)) => {
                    return Err(SourceError::transient(error.to_string()));
                }
                (Some(Flaw::BusyLoop), _) => sleep(Duration::from_millis(1)).await,
                (_, end) => return end,
            }
        }
    }
}

/// The server as a subject.
pub(super) struct Remote {
    server: Server,
    flaw: Option<Flaw>,
}

impl Remote {
    pub(super) fn new(flaw: Option<Flaw>) -> Self {
        Remote::over(Server::default(), flaw)
    }

    pub(super) fn over(server: Server, flaw: Option<Flaw>) -> Self {
        Remote { server, flaw }
    }
}

impl Subject for Remote {
    type Watcher = OfServer;
    fn watcher(&mut self) -> OfServer {
        OfServer {
            server: Some(self.server.clone()),
            flaw: self.flaw,
            newest: 0,
        }
    }
    async fn write(&mut self, document: Vec<u8>) -> Result<(), Cannot> {
        self.server.put(Some(document));
        Ok(())
    }
    async fn delete(&mut self) -> Result<(), Cannot> {
        self.server.put(None);
        Ok(())
    }
    async fn read(&mut self) -> Option<Vec<u8>> {
        self.server.0.lock().unwrap().document.clone()
    }
    async fn inject(&mut self, fault: Fault) -> Result<(), Cannot> {
        match fault {
            Fault::Lost => self
                .server
                .fail(SourceError::transient("connection refused")),
            Fault::Denied => self.server.fail(SourceError::permission("access denied")),
            Fault::Misconfigured => self
                .server
                .fail(SourceError::configuration("no such database")),
            Fault::Missed => self.server.0.lock().unwrap().misses = true,
            Fault::Silent => self.server.0.lock().unwrap().silent = true,
            Fault::Restored => {
                let mut state = self.server.0.lock().unwrap();
                (state.revision, state.document) = state.before.clone();
            }
            Fault::End | Fault::Duplicate | Fault::Older => {
                let mut state = self.server.0.lock().unwrap();
                let event = match fault {
                    Fault::End => Event::End,
                    Fault::Older => Event::Changed(state.before.0, state.before.1.clone()),
                    _ => Event::Changed(state.revision, state.document.clone()),
                };
                announce(&mut state, &event);
            }
            other => return Err(Cannot::because(format!("unknown: {other}"))),
        }
        Ok(())
    }
    async fn heal(&mut self) {
        let mut state = self.server.0.lock().unwrap();
        state.failing = None;
        state.misses = false;
        state.silent = false;
    }
    fn requests(&self) -> Option<u64> {
        Some(self.server.0.lock().unwrap().requests)
    }
}
