//! When an open page gets an event: as soon as it takes one, with all that changed since the last. Nothing is queued: a slow
//! listener costs one event and one picture, and skips what came and went in between.

use super::{hub::Hub, listeners::Released, picture::Picture};
use bytes::Bytes;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// A stream ends after this time, and the browser connects anew: a server that shuts down waits for no page for longer.
const LONGEST_STREAM: Duration = Duration::from_secs(15);
/// Something is sent at least so often, so that both sides notice a connection that is gone.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the browser waits until it connects anew, in milliseconds.
const RECONNECT: u32 = 250;

/// How much longer it keeps its place, for one that is a little late.
const LATE: Duration = Duration::from_secs(5);

/// One connection.
pub(super) struct EventStream(Arc<StreamState>);

/// What comes next; none at the end.
struct StreamState(Mutex<Option<NextEvent>>);

type NextEvent = Pin<Box<dyn Future<Output = Option<(Bytes, PageListener)>> + Send>>;

/// The place of a listener, free again once it is dropped.
struct Ticket {
    hub: Arc<Hub>,
    number: u64,
}

/// What a connection was given.
struct PageListener {
    ticket: Ticket,
    /// The name of the picture that its browser shows, where it has one.
    shown: Option<String>,
    seen: Option<Arc<Picture>>,
    /// Whether it is shown what may be done.
    is_controlled: bool,
    until: Instant,
}

impl EventStream {
    /// A listener whose browser shows the picture of this name; none where `most` listen already.
    pub(super) fn new(
        hub: &Arc<Hub>,
        most: usize,
        shown: Option<String>,
        is_controlled: bool,
    ) -> Option<Self> {
        let until = Instant::now() + LONGEST_STREAM;
        let state = Arc::new(StreamState(Mutex::new(None)));
        let released: Arc<dyn Released> = Arc::clone(&state) as _;
        let number = (hub.listeners).take(most, until + LATE, Arc::downgrade(&released))?;
        let listener = PageListener {
            ticket: Ticket {
                hub: Arc::clone(hub),
                number,
            },
            shown,
            seen: None,
            is_controlled,
            until,
        };
        *state.next() = Some(Box::pin(listener.first()));
        Some(EventStream(state))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.0.next();
        let Some(next) = &mut *state else {
            return Poll::Ready(None);
        };
        let event = ready!(next.as_mut().poll(cx));
        let (event, listener) = match event {
            Some((event, listener)) => (Some(event), Some(listener)),
            None => (None, None),
        };
        *state = listener.map(|listener| Box::pin(listener.next()) as NextEvent);
        Poll::Ready(event)
    }
}

impl StreamState {
    fn next(&self) -> MutexGuard<'_, Option<NextEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Released for StreamState {
    /// One that is asked for its next event just now finds its end by itself.
    fn release(&self) {
        let next = self.0.try_lock().ok().and_then(|mut next| next.take());
        drop(next);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.hub.listeners.give_back(self.number);
    }
}

impl PageListener {
    /// What the browser lacks, at once.
    async fn first(mut self) -> Option<(Bytes, PageListener)> {
        let picture = self.ticket.hub.picture(false).await?;
        let name = name(&self.ticket, &picture);
        let is_shown = self.shown.take().is_some_and(|shown| shown == name);
        let mut event = format!("retry: {RECONNECT}\n");
        match is_shown {
            true => event.push_str("event: beat\ndata:\n\n"),
            false => event.push_str(&self.event(&picture)),
        }
        self.seen = Some(picture);
        Some((event.into(), self))
    }

    /// What changes next, or a heartbeat.
    async fn next(mut self) -> Option<(Bytes, PageListener)> {
        let beat = Instant::now() + HEARTBEAT;
        loop {
            sleep_until(self.ticket.hub.next_look()).await;
            // Before anything else, so that steady changes do not prolong the stream.
            let now = Instant::now();
            if now >= self.until {
                return None;
            }
            let hub = &self.ticket.hub;
            let status = hub.subject.status();
            let is_seen = |seen: &Arc<Picture>| Arc::ptr_eq(&seen.status, &status);
            if !self.seen.as_ref().is_some_and(is_seen) {
                let picture = hub.picture(true).await?;
                let number = self.seen.as_ref().map(|seen| seen.number);
                let event = (number != Some(picture.number)).then(|| self.event(&picture));
                self.seen = Some(picture);
                if let Some(event) = event {
                    return Some((event.into(), self));
                }
            }
            if now >= beat {
                return Some((Bytes::from_static(b"event: beat\ndata:\n\n"), self));
            }
        }
    }

    fn event(&self, picture: &Picture) -> String {
        let changes = picture.changes_since(self.seen.as_deref(), self.is_controlled);
        // JSON has no line breaks outside of its texts, and those are escaped.
        format!(
            "event: picture\nid: {}\ndata: {changes}\n\n",
            name(&self.ticket, picture)
        )
    }
}

fn name(ticket: &Ticket, picture: &Picture) -> String {
    picture_name(&ticket.hub.process, picture)
}

/// The name of a picture, by which a browser resumes.
pub(super) fn picture_name(process: &str, picture: &Picture) -> String {
    format!("{process}-{}", picture.number)
}
