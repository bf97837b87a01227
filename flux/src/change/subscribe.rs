//! Which notices a subscriber, `watch`, `follow` and `Events` get after a change: the newest one, and a slow subscriber is never
//! waited for.

use super::Change;
use crate::{Config, Report, Snapshot, engine::AnySnapshot};
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::watch;

/// The newest notices of a capacitor, each with a number, so that their order is known.
pub(crate) struct LastNotices {
    number: u64,
    applied: Option<(u64, AnySnapshot)>,
    refused: Option<(u64, Report)>,
    ended: bool,
}

impl LastNotices {
    pub(crate) fn new(current: Option<AnySnapshot>) -> Self {
        LastNotices {
            number: 0,
            applied: current.map(|snapshot| (0, snapshot)),
            refused: None,
            ended: false,
        }
    }
    /// Answers whether that is news. The notice before it goes to `before`, because its drop is code of the program.
    pub(crate) fn applied(
        &mut self,
        snapshot: &AnySnapshot,
        before: &mut Option<AnySnapshot>,
    ) -> bool {
        let known = self.applied.as_ref();
        if known.is_some_and(|(_, known)| known.is(snapshot)) {
            return false;
        }
        self.number += 1;
        let last = self.applied.replace((self.number, snapshot.clone()));
        *before = last.map(|(_, snapshot)| snapshot);
        true
    }
    pub(crate) fn refused(&mut self, report: Report) {
        self.number += 1;
        self.refused = Some((self.number, report));
    }
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
    pub(crate) fn ended(&mut self, ended: bool) {
        self.ended = ended;
    }
}

type Receiver = watch::Receiver<LastNotices>;

/// Something that happened to a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<C> {
    /// Readers see a new configuration.
    Applied(Change<C>),
    /// A change was refused, for the reasons in the report.
    Refused(Report),
}

/// Every change and every refusal, the latest of each: what came and went between two calls is skipped. From
/// [`Capacitor::events`](crate::Capacitor::events). Works in `tokio::select!`, and is a `Stream`.
pub struct Events<C> {
    /// The receiver, or its wait for the next notice.
    state: Waiting,
    seen: LastSeen,
    config: PhantomData<fn() -> C>,
}

/// What a subscriber was given last.
#[derive(Default)]
struct LastSeen {
    applied: Option<AnySnapshot>,
    refusal: u64,
}

enum Waiting {
    Here(Option<Receiver>),
    Until(Pin<Box<dyn Future<Output = Option<Receiver>> + Send>>),
}

impl<C: Config> Events<C> {
    pub(crate) fn new(mut receiver: Receiver) -> Self {
        let seen = {
            let notices = receiver.borrow_and_update();
            LastSeen {
                refusal: notices.refused.as_ref().map_or(0, |(number, _)| *number),
                applied: notices
                    .applied
                    .as_ref()
                    .map(|(_, snapshot)| snapshot.clone()),
            }
        };
        Events {
            state: Waiting::Here(Some(receiver)),
            seen,
            config: PhantomData,
        }
    }

    /// The next event; none once the capacitor has stopped. May be dropped at any await without losing anything.
    pub async fn next(&mut self) -> Option<Event<C>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<C>>> {
        let news = ready!(self.state.poll(&mut self.seen, cx));
        Poll::Ready(news.map(|news| match news {
            Notice::Refused(report) => Event::Refused(report),
            Notice::Applied { previous, current } => Event::Applied(Change {
                previous: previous.map(|snapshot| snapshot.typed()),
                current: current.typed(),
            }),
        }))
    }
}

/// An event without the type of its configurations.
enum Notice {
    Applied {
        previous: Option<AnySnapshot>,
        current: AnySnapshot,
    },
    Refused(Report),
}

impl Waiting {
    fn poll(&mut self, seen: &mut LastSeen, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        loop {
            match self {
                Waiting::Until(wait) => {
                    let receiver = ready!(wait.as_mut().poll(cx));
                    *self = Waiting::Here(receiver);
                }
                Waiting::Here(None) => return Poll::Ready(None),
                Waiting::Here(slot) => {
                    let Some(mut receiver) = slot.take() else {
                        return Poll::Ready(None);
                    };
                    let (news, ended) = {
                        let notices = receiver.borrow_and_update();
                        (seen.next(&notices), notices.ended)
                    };
                    if news.is_some() || ended {
                        *slot = Some(receiver);
                        return Poll::Ready(news);
                    }
                    *self = Waiting::Until(Box::pin(async move {
                        receiver.changed().await.ok().map(|()| receiver)
                    }));
                }
            }
        }
    }
}

impl LastSeen {
    /// The oldest notice that was not seen yet.
    fn next(&mut self, notices: &LastNotices) -> Option<Notice> {
        let seen = self.applied.as_ref();
        let applied = notices
            .applied
            .as_ref()
            .filter(|(_, now)| !seen.is_some_and(|seen| seen.is(now)));
        let refused = notices
            .refused
            .as_ref()
            .filter(|(number, _)| *number > self.refusal);
        match (applied, refused) {
            (Some((at, _)), Some((number, report))) if number < at => {
                self.refusal = *number;
                Some(Notice::Refused(report.clone()))
            }
            (Some((_, current)), _) => Some(Notice::Applied {
                previous: self.applied.replace(current.clone()),
                current: current.clone(),
            }),
            (None, Some((number, report))) => {
                self.refusal = *number;
                Some(Notice::Refused(report.clone()))
            }
            (None, None) => None,
        }
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
            .field("seen", &self.seen.applied)
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
    /// The next call yields what is current.
    current_first: bool,
    compared: std::marker::PhantomData<fn(&T)>,
}

impl<C, T, F> Projection<C, T, F>
where
    C: Config,
    T: PartialEq + ?Sized,
    F: Fn(&C) -> &T,
{
    pub(crate) fn new(subscription: Subscription<C>, part: F) -> Self {
        let current = subscription.0.seen.applied.as_ref();
        let current = current.map(|snapshot| snapshot.typed());
        Projection {
            subscription,
            part,
            current,
            current_first: false,
            compared: std::marker::PhantomData,
        }
    }

    pub(crate) fn current_first(mut self) -> Self {
        self.current_first = true;
        self
    }

    /// The part as it was last seen; none before the first configuration.
    pub fn get(&self) -> Option<&T> {
        self.current
            .as_deref()
            .map(|snapshot| (self.part)(snapshot))
    }

    /// Waits until the part is another one, and yields it; the first call of one from [`follow`](crate::Capacitor::follow) yields the
    /// current one. None once the capacitor has stopped. May be dropped at any await.
    pub async fn changed(&mut self) -> Option<&T> {
        if std::mem::take(&mut self.current_first) && self.current.is_some() {
            return self.get();
        }
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
