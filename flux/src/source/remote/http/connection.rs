//! Whether a server has ended a quiet connection: each connection remembers whether it has brought an answer.

use std::{
    error::Error,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use hyper::{
    Uri,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

/// Whether a connection has brought an answer. It is the connection's own, and ends with it.
#[derive(Clone, Default)]
pub(super) struct HasAnswered(Arc<AtomicBool>);

impl HasAnswered {
    /// Notes that an answer has come.
    pub(super) fn note<B>(answer: &hyper::Response<B>) {
        if let Some(served) = answer.extensions().get::<HasAnswered>() {
            served.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether a connection ended without an answer that had brought one before: a server may end one that is quiet at any time.
pub(super) fn was_quiet(error: &hyper_util::client::legacy::Error) -> bool {
    let mut known = hyper::http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut known);
    }
    let served = known.get::<HasAnswered>();
    served.is_some_and(|served| served.0.load(Ordering::Relaxed)) && was_hung_up(error)
}

/// Whether a connection ended without an answer.
fn was_hung_up(error: &hyper_util::client::legacy::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let mut cause = error.source();
    while let Some(error) = cause {
        let hyper = error.downcast_ref::<hyper::Error>();
        let io = error.downcast_ref::<io::Error>();
        if hyper.is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
            || io.is_some_and(|error| {
                matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
            })
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Makes the connections, and gives each its [`HasAnswered`].
#[derive(Clone)]
pub(super) struct Connector(pub(super) HttpsConnector<HttpConnector>);

impl Service<Uri> for Connector {
    type Response = HttpStream;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<HttpStream, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.0.call(server);
        Box::pin(async move {
            Ok(HttpStream {
                stream: connecting.await?,
                answered: HasAnswered::default(),
            })
        })
    }
}

/// A connection.
pub(super) struct HttpStream {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    answered: HasAnswered,
}

impl HttpStream {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut MaybeHttpsStream<TokioIo<TcpStream>>> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Connection for HttpStream {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.answered.clone())
    }
}

impl Read for HttpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, into)
    }
}

impl Write for HttpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, bytes)
    }
}
