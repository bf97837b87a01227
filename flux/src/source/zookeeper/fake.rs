//! A server of ZooKeeper for unit tests, whose answers the test writes.

#![allow(clippy::unwrap_used)] // In helpers too.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream},
};

use super::{
    jute::{self, EVENT, PING},
    refusal::Unanswered,
    session::{SESSION, ZooKeeperSession},
};

/// The kinds of questions.
pub(super) const EXISTS: i32 = 3;
pub(super) const GET_DATA: i32 = 4;
pub(super) const SYNC: i32 = 9;
pub(super) const CLOSE: i32 = -11;

/// The server's end of a connection.
pub(super) struct FakeZooKeeper<S = DuplexStream>(pub(super) S);

/// One question: its number, its kind, and what follows.
#[derive(Debug)]
pub(super) struct FakeQuestion {
    pub(super) xid: i32,
    pub(super) kind: i32,
    pub(super) rest: Vec<u8>,
}

impl FakeQuestion {
    pub(super) fn path(&self) -> String {
        let length = i32::from_be_bytes(self.rest[..4].try_into().unwrap()) as usize;
        String::from_utf8(self.rest[4..4 + length].to_vec()).unwrap()
    }
}

/// A record behind its length.
pub(super) fn framed(record: &[u8]) -> Vec<u8> {
    let length = u32::try_from(record.len()).unwrap().to_be_bytes();
    [&length, record].concat()
}

pub(super) fn granted(timeout: i32, id: i64) -> Vec<u8> {
    let mut out = 0_i32.to_be_bytes().to_vec();
    out.extend(timeout.to_be_bytes());
    out.extend(id.to_be_bytes());
    out.extend([0, 0, 0, 16]);
    out.extend([0; 17]);
    framed(&out)
}

pub(super) fn answer(xid: i32, error: i32, rest: &[u8]) -> Vec<u8> {
    let mut out = xid.to_be_bytes().to_vec();
    out.extend(1_i64.to_be_bytes());
    out.extend(error.to_be_bytes());
    out.extend(rest);
    framed(&out)
}

/// What is known of a node that was written by this change.
pub(super) fn stat(zxid: i64, length: i32) -> Vec<u8> {
    let mut out = 1_i64.to_be_bytes().to_vec();
    out.extend(zxid.to_be_bytes());
    out.extend([0; 8 + 8 + 4 + 4 + 4 + 8]);
    out.extend(length.to_be_bytes());
    out.extend([0; 4 + 8]);
    out
}

pub(super) fn data(bytes: &[u8], zxid: i64) -> Vec<u8> {
    let length = i32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes, &stat(zxid, length)].concat()
}

pub(super) fn event(kind: i32, path: &str) -> Vec<u8> {
    let mut out = kind.to_be_bytes().to_vec();
    out.extend(3_i32.to_be_bytes());
    out.extend(u32::try_from(path.len()).unwrap().to_be_bytes());
    out.extend(path.as_bytes());
    answer(EVENT, 0, &out)
}

impl<S: AsyncReadExt + AsyncWriteExt + Unpin> FakeZooKeeper<S> {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next record; none where the client has hung up.
    pub(super) async fn record(&mut self) -> Option<Vec<u8>> {
        let length = self.0.read_u32().await.ok()?;
        let mut record = vec![0; length as usize];
        self.0.read_exact(&mut record).await.ok()?;
        Some(record)
    }

    /// The next question; signs of life are answered.
    pub(super) async fn question(&mut self) -> Option<FakeQuestion> {
        loop {
            let record = self.record().await?;
            let number = |at: usize| i32::from_be_bytes(record[at..at + 4].try_into().unwrap());
            match number(0) {
                PING => self.send(&answer(PING, 0, &[])).await,
                xid => {
                    return Some(FakeQuestion {
                        xid,
                        kind: number(4),
                        rest: record[8..].to_vec(),
                    });
                }
            }
        }
    }

    /// Grants a session of ten seconds.
    pub(super) async fn grant(&mut self) {
        self.record().await.unwrap();
        self.send(&granted(10_000, 7)).await;
    }

    /// Answers every question about a node with these bytes, until the client hangs up.
    pub(super) async fn serve(&mut self, bytes: &[u8]) {
        while let Some(question) = self.question().await {
            let rest = match question.kind {
                GET_DATA => data(bytes, 5),
                EXISTS => stat(5, i32::try_from(bytes.len()).unwrap()),
                _ => Vec::new(),
            };
            self.send(&answer(question.xid, 0, &rest)).await;
        }
    }
}

/// Both ends of a connection on which a session has begun.
pub(super) async fn session() -> (ZooKeeperSession, FakeZooKeeper) {
    let (client, server) = tokio::io::duplex(4096);
    let mut server = FakeZooKeeper(server);
    let (session, ()) = tokio::join!(
        ZooKeeperSession::begin(Box::new(client), None),
        server.grant()
    );
    (session.unwrap(), server)
}

/// What a client makes of a server that sends these bytes instead of granting a session.
pub(super) async fn begun_with(bytes: &[u8]) -> Unanswered {
    let (client, server) = tokio::io::duplex(64 << 10);
    let mut server = FakeZooKeeper(server);
    let begin = ZooKeeperSession::begin(Box::new(client), None);
    let refuses = async {
        assert_eq!(server.record().await.unwrap(), jute::begin(SESSION)[4..]);
        server.send(bytes).await;
        drop(server);
    };
    match tokio::join!(begin, refuses).0 {
        Ok(_) => panic!("a session"),
        Err(error) => error,
    }
}

/// A server on a port; `serve` has each of its connections.
pub(super) async fn listening<F>(
    serve: impl Fn(FakeZooKeeper<TcpStream>) -> F + Send + 'static,
) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(FakeZooKeeper(client)));
        }
    });
    address
}
