//! After the fact: who wants to know is told, latest wins, and nobody is waited for.

use super::Change;
use crate::{Config, Report, Snapshot};
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::watch;

/// What a capacitor last told; every part with the number of the telling, so that their order is known.
pub(crate) struct Told<C> {
    number: u64,
    applied: Option<(u64, Arc<Snapshot<C>>)>,
    refused: Option<(u64, Report)>,
    ended: bool,
}

impl<C> Told<C> {
    pub(crate) fn new(current: Option<Arc<Snapshot<C>>>) -> Self {
        Told {
            number: 0,
            applied: current.map(|snapshot| (0, snapshot)),
            refused: None,
            ended: false,
        }
    }
    /// Answers whether that is news.
    pub(crate) fn applied(&mut self, snapshot: Arc<Snapshot<C>>) -> bool {
        let known = self.applied.as_ref();
        if known.is_some_and(|(_, known)| Arc::ptr_eq(known, &snapshot)) {
            return false;
        }
        self.number += 1;
        self.applied = Some((self.number, snapshot));
        true
    }
    pub(crate) fn refused(&mut self, report: Report) {
        self.number += 1;
        self.refused = Some((self.number, report));
    }
    pub(crate) fn ended(&mut self, ended: bool) {
        self.ended = ended;
    }
}

type Receiver<C> = watch::Receiver<Told<C>>;

/// Something that happened to a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<C> {
    /// Readers see a new configuration.
    Applied(Change<C>),
    /// A change was refused; the report says why.
    Refused(Report),
}

/// Every change and every refusal, the latest of each: what came and went while nobody asked is skipped. From
/// [`Capacitor::events`](crate::Capacitor::events). Works in `tokio::select!`, and is a `Stream`.
pub struct Events<C> {
    /// The receiver, or its wait for the next telling.
    state: Waiting<C>,
    seen: Option<Arc<Snapshot<C>>>,
    seen_refusal: u64,
}

enum Waiting<C> {
    Here(Option<Receiver<C>>),
    Until(Pin<Box<dyn Future<Output = Option<Receiver<C>>> + Send>>),
}

impl<C: Config> Events<C> {
    pub(crate) fn new(mut receiver: Receiver<C>) -> Self {
        let (seen, seen_refusal) = {
            let told = receiver.borrow_and_update();
            let refusal = told.refused.as_ref().map_or(0, |(number, _)| *number);
            let seen = told
                .applied
                .as_ref()
                .map(|(_, snapshot)| Arc::clone(snapshot));
            (seen, refusal)
        };
        Events {
            state: Waiting::Here(Some(receiver)),
            seen,
            seen_refusal,
        }
    }

    /// The next event; none once the capacitor has stopped. May be dropped at any await without losing anything.
    pub async fn next(&mut self) -> Option<Event<C>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<C>>> {
        loop {
            match &mut self.state {
                Waiting::Until(wait) => {
                    let receiver = ready!(wait.as_mut().poll(cx));
                    self.state = Waiting::Here(receiver);
                }
                Waiting::Here(None) => return Poll::Ready(None),
                Waiting::Here(slot) => {
                    let Some(mut receiver) = slot.take() else {
                        return Poll::Ready(None);
                    };
                    let (event, ended) = {
                        let told = receiver.borrow_and_update();
                        let event = news(&told, &mut self.seen, &mut self.seen_refusal);
                        (event, told.ended)
                    };
                    if event.is_some() {
                        *slot = Some(receiver);
                        return Poll::Ready(event);
                    }
                    if ended {
                        *slot = Some(receiver);
                        return Poll::Ready(None);
                    }
                    self.state = Waiting::Until(Box::pin(async move {
                        receiver.changed().await.ok().map(|()| receiver)
                    }));
                }
            }
        }
    }
}

/// The oldest thing told that was not seen yet.
fn news<C>(
    told: &Told<C>,
    seen: &mut Option<Arc<Snapshot<C>>>,
    seen_refusal: &mut u64,
) -> Option<Event<C>> {
    let applied = told
        .applied
        .as_ref()
        .filter(|(_, now)| !seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, now)));
    let refused = told
        .refused
        .as_ref()
        .filter(|(number, _)| number > seen_refusal);
    match (applied, refused) {
        (Some((at, _)), Some((number, report))) if number < at => {
            *seen_refusal = *number;
            Some(Event::Refused(report.clone()))
        }
        (Some((_, snapshot)), _) => Some(Event::Applied(Change {
            previous: seen.replace(Arc::clone(snapshot)),
            current: Arc::clone(snapshot),
        })),
        (None, Some((number, report))) => {
            *seen_refusal = *number;
            Some(Event::Refused(report.clone()))
        }
        (None, None) => None,
    }
}

impl<C: Config> Stream for Events<C> {
    type Item = Event<C>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<C>>> {
        self.poll(cx)
    }
}

impl<C> fmt::Debug for Events<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// Every change, the latest: a slow subscriber skips what came and went in between, and its [`Change`] goes from what it saw
/// last to what is current. The capacitor never waits for it. From [`Capacitor::subscribe`](crate::Capacitor::subscribe). Works in
/// `tokio::select!`, and is a `Stream`.
#[derive(Debug)]
pub struct Subscription<C>(Events<C>);

impl<C: Config> Subscription<C> {
    pub(crate) fn new(events: Events<C>) -> Self {
        Subscription(events)
    }

    /// The next change; none once the capacitor has stopped. May be dropped at any await without losing anything.
    pub async fn changed(&mut self) -> Option<Change<C>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change<C>>> {
        loop {
            match ready!(self.0.poll(cx)) {
                Some(Event::Applied(change)) => return Poll::Ready(Some(change)),
                Some(_) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<C: Config> Stream for Subscription<C> {
    type Item = Change<C>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change<C>>> {
        self.poll(cx)
    }
}

/// One part of the configuration: wakes only when that part has changed. From [`Capacitor::watch`](crate::Capacitor::watch).
pub struct Projection<C, T: ?Sized, F> {
    subscription: Subscription<C>,
    part: F,
    current: Option<Arc<Snapshot<C>>>,
    compared: std::marker::PhantomData<fn(&T)>,
}

impl<C, T, F> Projection<C, T, F>
where
    C: Config,
    T: PartialEq + ?Sized,
    F: Fn(&C) -> &T,
{
    pub(crate) fn new(subscription: Subscription<C>, part: F) -> Self {
        let current = subscription.0.seen.clone();
        Projection {
            subscription,
            part,
            current,
            compared: std::marker::PhantomData,
        }
    }

    /// The part as it was last seen; none before the first configuration.
    pub fn get(&self) -> Option<&T> {
        self.current
            .as_deref()
            .map(|snapshot| (self.part)(snapshot))
    }

    /// Waits until the part is another one; none once the capacitor has stopped. May be dropped at any await.
    pub async fn changed(&mut self) -> Option<&T> {
        loop {
            let change = self.subscription.changed().await?;
            let old = self.current.replace(change.current);
            let same =
                old.is_some_and(|old| self.get().is_some_and(|new| (self.part)(&old) == new));
            if !same {
                return self.get();
            }
        }
    }
}

impl<C, T: ?Sized, F> fmt::Debug for Projection<C, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection").finish_non_exhaustive()
    }
}
