//! Reads the body of a request up to a bound, and has the bodies of answers.

use super::events::EventStream;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// The body of an answer of a [`Page`](super::Page): a text, or the stream of events.
pub struct PageBody(BodyContent);

enum BodyContent {
    Text(Option<Bytes>),
    Events(Box<EventStream>),
}

impl PageBody {
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        PageBody(BodyContent::Text(
            Some(text).filter(|text| !text.is_empty()),
        ))
    }

    pub(super) fn events(events: EventStream) -> Self {
        PageBody(BodyContent::Events(Box::new(events)))
    }

    /// Its text; none of a stream.
    pub(super) fn into_text(self) -> Option<Bytes> {
        match self.0 {
            BodyContent::Text(text) => Some(text.unwrap_or_default()),
            BodyContent::Events(_) => None,
        }
    }

    /// What is known of its length.
    pub(super) fn len(&self) -> Option<usize> {
        match &self.0 {
            BodyContent::Text(text) => Some(text.as_ref().map_or(0, Bytes::len)),
            BodyContent::Events(_) => None,
        }
    }
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            BodyContent::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            BodyContent::Events(events) => events
                .poll(cx)
                .map(|event| event.map(|event| Ok(Frame::data(event)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, BodyContent::Text(None))
    }

    fn size_hint(&self) -> SizeHint {
        self.len()
            .map_or_else(SizeHint::default, |len| SizeHint::with_exact(len as u64))
    }
}

impl fmt::Debug for PageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageBody")
            .field("len", &self.len())
            .finish()
    }
}

/// The text of a form; none where it has more than `most` bytes, is cut off, or is no text.
pub(super) async fn form<B: Body>(body: B, most: usize) -> Option<String> {
    let mut body = std::pin::pin!(body);
    let mut text = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(mut data) = frame.ok()?.into_data() else {
            continue;
        };
        if text.len() + data.remaining() > most {
            return None;
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            text.extend_from_slice(chunk);
            let read = chunk.len();
            data.advance(read);
        }
    }
    String::from_utf8(text).ok()
}
