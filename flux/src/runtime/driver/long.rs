//! Which work is done where it holds up no other task, because it grows with the documents.

use super::Driver;
use crate::engine::LayerState;
use std::task::Context;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// From this size on, what layers contain is worked on where that holds up no other task.
const LARGE: usize = 256 << 10;

impl Driver {
    /// Whether what the layers contain is large, also where little of it is new: an override is judged with all that is below it.
    pub(super) fn is_long(&mut self) -> bool {
        let states = self.engine.layers().states.iter();
        let size: usize = states.map(LayerState::size).sum();
        self.is_large = size >= LARGE && self.may_block();
        self.is_large
    }

    /// The same where what is new is compared with what readers see, so that both are read.
    pub(super) fn is_long_to_compare(&self) -> bool {
        let states = self.engine.layers().states.iter();
        let size: usize = states.map(LayerState::size_to_compare).sum();
        size >= LARGE && self.may_block()
    }

    /// Does what takes long where the layers were large at the last update.
    pub(super) fn long<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        match self.is_large {
            true => self.away(work),
            false => work(self),
        }
    }

    /// Does what other tasks must not wait for on a thread that the runtime does without meanwhile.
    pub(super) fn away<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.was_away = true;
        block_in_place(|| work(self))
    }

    /// Whether to go on in a turn of its own, on a thread of the runtime, since this one has not been its thread meanwhile. The runtime
    /// does not wait for such a thread when it shuts down, and its timers panic when they are polled after that.
    pub(super) fn comes_back(&mut self, cx: &Context<'_>) -> bool {
        let was_away = std::mem::take(&mut self.was_away);
        if was_away {
            cx.waker().wake_by_ref();
        }
        was_away
    }

    /// Passes on what the engine has decided. A recorder takes the secrets out of whole documents.
    pub(super) fn notify(&mut self) {
        match self.plan.options.recorder.is_some() {
            true => self.long(|driver| driver.listeners.notify(&mut driver.engine)),
            false => self.listeners.notify(&mut self.engine),
        }
    }

    /// Reports that an update is over, likewise.
    pub(super) fn notify_settled(&mut self) {
        match self.plan.options.recorder.is_some() {
            true => self.long(|driver| driver.listeners.settled(&driver.engine)),
            false => self.listeners.settled(&self.engine),
        }
    }

    /// Whether other threads can run the worker's tasks meanwhile. A runtime with one thread has none, and in manual mode the
    /// program's own task may forbid it.
    pub(super) fn may_block(&self) -> bool {
        !self.plan.options.manual && {
            let runtime = Handle::try_current();
            runtime.is_ok_and(|one| one.runtime_flavor() == RuntimeFlavor::MultiThread)
        }
    }
}

#[cfg(all(test, feature = "derive", feature = "json"))]
mod tests {
    use crate::{
        Capacitor, Format, Source,
        source::{Channel, ChannelSender, Health, SourceError},
    };
    use flux_derive::Flux;
    use serde::Deserialize;
    use std::{
        sync::{
            Mutex,
            mpsc::{Receiver, Sender, channel},
        },
        time::Duration,
    };

    /// Asks another task, and waits for its answer on the thread of the driver.
    struct Interrupting {
        ask: tokio::sync::mpsc::UnboundedSender<()>,
        answers: Receiver<()>,
    }

    static ASKING: Mutex<Option<Interrupting>> = Mutex::new(None);
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    /// Whether another task of the only worker goes on meanwhile; asked once.
    static OUTCOMES: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    fn ask() {
        let question = ASKING.lock().expect("no panic").take();
        if let Some(question) = question {
            question.ask.send(()).expect("a task");
            let answer = question.answers.recv_timeout(Duration::from_secs(10));
            OUTCOMES.lock().expect("no panic").push(answer.is_ok());
        }
    }

    /// From now on, the program's code asks.
    fn begin_asking() {
        let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel();
        let (answer, answers): (Sender<()>, _) = channel();
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                // Whoever asked may have given up.
                let _ = answer.send(());
            }
        });
        *ASKING.lock().expect("no panic") = Some(Interrupting { ask, answers });
    }

    async fn outcome() -> bool {
        for _ in 0..6_000 {
            if let Some(outcome) = OUTCOMES.lock().expect("no panic").pop() {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody asked");
    }

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct Pin(String);

    impl AsRef<str> for Pin {
        fn as_ref(&self) -> &str {
            ask();
            &self.0
        }
    }

    #[derive(Debug, Clone, Flux)]
    #[flux(crate = crate, validate = asks)]
    struct Wide {
        #[flux(default = 1, range = 1..=9)]
        n: u32,
        #[flux(default)]
        texts: Vec<String>,
        #[flux(secret)]
        pin: Pin,
    }

    fn asks(_: &Wide) -> Result<(), String> {
        ask();
        Ok(())
    }

    /// A large layer and a small one above it.
    async fn started() -> (Capacitor<Wide>, ChannelSender, ChannelSender) {
        let (lower, below) = Channel::buffered("large", 4);
        let (upper, above) = Channel::buffered("small", 4);
        let capacitor = Capacitor::<Wide>::builder()
            .clear_sources()
            .source(Source::watcher(below).format(Format::Json))
            .source(Source::watcher(above).format(Format::Json))
            .debounce(Duration::ZERO)
            .build()
            .expect("two layers");
        let texts = vec!["\"a text\""; 40_000].join(",");
        let large = format!("{{\"pin\": \"12345678\", \"texts\": [{texts}]}}");
        lower
            .send(large.into_bytes())
            .await
            .expect("a watched channel");
        upper
            .send(&b"{\"n\": 2}"[..])
            .await
            .expect("a watched channel");
        capacitor.start().await.expect("a start");
        (capacitor, lower, upper)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_while_a_small_override_is_judged_above_a_large_layer() {
        let _alone = ALONE.lock().await;
        let (capacitor, _lower, upper) = started().await;
        for override_ in [&b"{\"n\": 3}"[..], b"{\"n\": 77}"] {
            begin_asking();
            upper.send(override_).await.expect("a watched channel");
            assert!(outcome().await, "held up by {override_:?}");
        }
        drop(capacitor);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_while_an_error_of_a_source_is_searched_for_secrets() {
        let _alone = ALONE.lock().await;
        let (capacitor, lower, _upper) = started().await;
        begin_asking();
        lower
            .fail(SourceError::transient("no answer"))
            .await
            .expect("a watched channel");
        assert!(outcome().await);
        // Asked while the words of the error were searched, before they were shown.
        let stale = || matches!(capacitor.status().layers[0].health, Health::Stale { .. });
        for _ in 0..6_000 {
            if stale() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is never stale");
    }
}
