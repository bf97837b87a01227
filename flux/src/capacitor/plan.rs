//! What a capacitor is started from, any number of times.

use super::{builder::OnStop, core::Reducer, driver::Boxed, probation::HealthCheck, slot::Slot};
use crate::{
    change::{AnyParty, Group},
    codec::Unknown,
    layer::Config,
    pipeline::{AddLayer, Apply, Next, Stage},
    source::{
        declare::{Input, Opened},
        environment,
        mailbox::Inbox,
        supervisor::supervise,
    },
};
use std::{sync::Arc, time::Duration};
#[cfg(feature = "figment")]
use {
    super::commit::whole_entry,
    crate::{problem::panic_text, source::Given},
    std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::PoisonError,
    },
};

/// Everything a capacitor needs to be started, any number of times.
pub(crate) struct Plan<C: Config> {
    pub(crate) name: String,
    pub(crate) layers: Vec<Opened>,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) startup_timeout: Option<Duration>,
    pub(crate) unknown: Unknown,
    pub(crate) history: usize,
    pub(crate) manual: bool,
    pub(crate) generations: usize,
    pub(crate) reducer: Option<Reducer<C>>,
    pub(crate) stages: Arc<[Stage<C>]>,
    pub(crate) parties: Arc<[Arc<dyn AnyParty<C>>]>,
    pub(crate) pipeline: Vec<AddLayer<C>>,
    pub(crate) group: Option<Group>,
    pub(crate) tape: super::tape::Tape<C>,
    pub(crate) probation: Option<Duration>,
    pub(crate) health_check: Option<HealthCheck<C>>,
    #[cfg(feature = "json")]
    pub(crate) last_known_good: Option<super::last_known_good::Keep>,
    pub(crate) on_stop: Option<OnStop>,
}

impl<C: Config> Plan<C> {
    /// The pipeline, anew for each start: the layers around the stages and parties.
    pub(super) fn service(&self) -> Next<C> {
        let innermost = Next::new(Apply {
            stages: Arc::clone(&self.stages),
            parties: Arc::clone(&self.parties),
        });
        self.pipeline.iter().fold(innermost, |next, add| add(next))
    }

    /// The layers: what is read now, and what is watched.
    pub(super) fn layers(&self, inbox: &Arc<Inbox>) -> (Vec<Slot<C::Layer>>, Vec<Option<Boxed>>) {
        let mut slots = Vec::with_capacity(self.layers.len());
        let mut watchers = Vec::new();
        for (i, opened) in self.layers.iter().enumerate() {
            let mut slot = Slot::new(
                opened.origin.clone(),
                opened.decoder.clone(),
                opened.optional,
            );
            slot.file.clone_from(&opened.file);
            match &opened.input {
                Input::Watched(watcher) => {
                    let (watcher, observer) = (Arc::clone(watcher), inbox.observer(i));
                    watchers.push(Some(Box::pin(async move {
                        let mut watcher = watcher.lock().await;
                        supervise(&mut **watcher, &observer).await;
                    }) as Boxed));
                }
                Input::Environment(prefix, variables) => {
                    slot.give(environment::layer::<C>(prefix, &|name| variables.get(name)));
                }
                #[cfg(feature = "figment")]
                Input::Provider(provider) => slot.give(read::<C>(provider, &opened.origin)),
            }
            slots.push(slot);
        }
        (slots, watchers)
    }
}

#[cfg(feature = "figment")]
type Provider = std::sync::Mutex<Box<dyn figment::Provider + Send>>;

/// Reads a provider; its panic is a refusal.
#[cfg(feature = "figment")]
fn read<C: Config>(provider: &Provider, origin: &str) -> Given<C::Layer> {
    let provider = provider.lock().unwrap_or_else(PoisonError::into_inner);
    let read = catch_unwind(AssertUnwindSafe(|| {
        crate::source::figment::layer_of::<C>(&**provider)
    }));
    read.unwrap_or_else(|panic| {
        let text = format!("reading it panicked: {}", panic_text(&*panic));
        Given {
            read: Err(vec![whole_entry(origin, text)]),
            secrets: Vec::new(),
        }
    })
}
