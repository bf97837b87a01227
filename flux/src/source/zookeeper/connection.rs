//! The one task of a connection to ZooKeeper: it sends questions, gives each its answer, fires watches, and keeps the session alive.

use std::{
    collections::{HashMap, VecDeque},
    io,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{
        mpsc,
        oneshot::{self, Receiver, Sender},
        watch,
    },
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    frames::{Frame, Frames},
    jute::{self, AnswerHeader, Malformed, NodeStat},
    refusal::{NO_NODE, Unanswered},
};
use crate::source::remote::DEADLINE;

/// How long the end of a session that nobody uses any more may take.
const CLOSING: Duration = Duration::from_secs(1);
/// While so many bytes wait to be sent, no further question is taken up.
const UNSENT: usize = 64 << 10;

/// What a connection is to a server, secured or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where an answer goes.
pub(super) type AnswerTo<T> = Sender<Result<T, Unanswered>>;

/// Fires once the node has changed, or ends with the session.
pub(super) type NodeChange = Receiver<()>;

/// A question about the node at a path.
pub(super) enum Ask {
    /// Its data, with a watch where there is one.
    Data(String, AnswerTo<Option<(Vec<u8>, NodeStat, NodeChange)>>),
    /// Whether it is there, with a watch in both cases.
    Watch(String, AnswerTo<(Option<NodeStat>, NodeChange)>),
    /// Whether it is there.
    Stat(String, AnswerTo<Option<NodeStat>>),
    /// That the server has all that the leader had.
    Sync(String, AnswerTo<()>),
}

impl Ask {
    fn record(&self, xid: i32) -> Vec<u8> {
        match self {
            Ask::Data(path, _) => jute::get_data_and_watch(xid, path),
            Ask::Watch(path, _) => jute::exists(xid, path, true),
            Ask::Stat(path, _) => jute::exists(xid, path, false),
            Ask::Sync(path, _) => jute::sync(xid, path),
        }
    }

    /// Nobody may wait for it any more.
    fn fail(self, error: Unanswered) {
        match self {
            Ask::Data(_, answer) => drop(answer.send(Err(error))),
            Ask::Watch(_, answer) => drop(answer.send(Err(error))),
            Ask::Stat(_, answer) => drop(answer.send(Err(error))),
            Ask::Sync(_, answer) => drop(answer.send(Err(error))),
        }
    }
}

/// A question that was sent.
struct SentQuestion {
    xid: i32,
    ask: Ask,
    at: Instant,
}

/// Runs until the connection is lost or nobody holds the other end of `asks`; the reason is left in `ended`.
pub(super) async fn run(
    stream: Box<dyn Duplex>,
    frames: Frames,
    granted: Duration,
    mut asks: mpsc::Receiver<Ask>,
    ended: watch::Sender<Option<String>>,
) {
    let (reader, writer) = tokio::io::split(stream);
    let mut unsent = Unsent {
        writer,
        bytes: Vec::new(),
        sent: 0,
        is_flushed: true,
    };
    let mut dialogue = Dialogue::default();
    let reason = dialogue
        .kept_up(reader, frames, granted, &mut asks, &mut unsent)
        .await;
    asks.close();
    ended.send_replace(Some(reason));
}

/// The questions that are not answered yet, and the watches, by node.
#[derive(Default)]
struct Dialogue {
    newest: i32,
    questions: VecDeque<SentQuestion>,
    /// By path. A watch of the server's is for one event, whoever set it and however often.
    watches: HashMap<String, Vec<Sender<()>>>,
}

impl Dialogue {
    /// Returns why it is over.
    async fn kept_up(
        &mut self,
        mut reader: ReadHalf<Box<dyn Duplex>>,
        mut frames: Frames,
        granted: Duration,
        asks: &mut mpsc::Receiver<Ask>,
        unsent: &mut Unsent,
    ) -> String {
        let silence = granted * 2 / 3;
        let mut beat = interval(granted / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.reset();
        loop {
            let silent_at = frames.last_read + silence;
            let is_due = unsent.is_due();
            let has_room = unsent.bytes.len() < UNSENT;
            // What has arrived is read before the clock is asked: the process may have been stopped.
            tokio::select! {
                biased;
                frame = frames.next(&mut reader) => {
                    let done = match frame {
                        Ok(frame) => self.received(frame),
                        Err(error) => return error.to_string(),
                    };
                    if let Err(reason) = done {
                        return reason;
                    }
                }
                sent = unsent.send(), if is_due => {
                    if let Err(error) = sent {
                        return error.to_string();
                    }
                }
                () = sleep_until(silent_at) => {
                    return format!("nothing has come from the server for {silence:?}");
                }
                _ = beat.tick() => {
                    let oldest = self.questions.front();
                    if oldest.is_some_and(|oldest| oldest.at.elapsed() > DEADLINE) {
                        return format!("a question has had no answer for {DEADLINE:?}");
                    }
                    unsent.bytes.extend(jute::ping());
                }
                ask = asks.recv(), if has_room => match ask {
                    Some(ask) => {
                        let xid = self.number();
                        unsent.bytes.extend(ask.record(xid));
                        let at = Instant::now();
                        self.questions.push_back(SentQuestion { xid, ask, at });
                    }
                    None => {
                        unsent.bytes.extend(jute::close(self.number()));
                        let _ = timeout(CLOSING, close(unsent, &mut reader)).await;
                        return "nobody uses it".to_owned();
                    }
                }
            }
        }
    }

    /// Numbers are positive: the others have a meaning.
    fn number(&mut self) -> i32 {
        self.newest = self.newest.checked_add(1).unwrap_or(1);
        self.newest
    }

    fn received(&mut self, frame: Frame<'_>) -> Result<(), String> {
        let malformed = |Malformed(what)| format!("the server has sent {what}");
        match frame {
            Frame::Whole(record) => {
                let (header, rest) = jute::header(record).map_err(malformed)?;
                match header.xid {
                    jute::PING => Ok(()),
                    jute::EVENT => self.happened(rest).map_err(malformed),
                    _ => {
                        let ask = self.asked(header)?;
                        self.answered(ask, header, rest).map_err(malformed)
                    }
                }
            }
            Frame::TooLong(record, length) => {
                let (header, _) = jute::header(record).map_err(malformed)?;
                self.asked(header)?.fail(Unanswered::TooLong(length));
                Ok(())
            }
        }
    }

    /// The question that is answered. The answers come in the order of the questions.
    fn asked(&mut self, header: AnswerHeader) -> Result<Ask, String> {
        let oldest = self.questions.pop_front();
        let oldest = oldest.filter(|oldest| oldest.xid == header.xid);
        let oldest = oldest.ok_or("the server has sent an answer to what was not asked")?;
        Ok(oldest.ask)
    }

    fn answered(&mut self, ask: Ask, header: AnswerHeader, rest: &[u8]) -> Result<(), Malformed> {
        let there = match (header.error, &ask) {
            (0, _) => true,
            (NO_NODE, Ask::Data(..) | Ask::Watch(..) | Ask::Stat(..)) => false,
            (code, _) => {
                ask.fail(Unanswered::Refused(code));
                return Ok(());
            }
        };
        let stat = || there.then(|| jute::stat(rest)).transpose();
        // Whoever has asked may not wait any more.
        match ask {
            Ask::Data(path, answer) if there => {
                let (data, stat) = jute::data(rest)?;
                let _ = answer.send(Ok(Some((data.to_vec(), stat, self.watch(path)))));
            }
            // Without a node this question sets no watch.
            Ask::Data(_, answer) => drop(answer.send(Ok(None))),
            Ask::Watch(path, answer) => {
                let _ = answer.send(Ok((stat()?, self.watch(path))));
            }
            Ask::Stat(_, answer) => drop(answer.send(Ok(stat()?))),
            Ask::Sync(_, answer) => drop(answer.send(Ok(()))),
        }
        Ok(())
    }

    fn watch(&mut self, path: String) -> NodeChange {
        self.watches.retain(|_, waiting| {
            waiting.retain(|one| !one.is_closed());
            !waiting.is_empty()
        });
        let (fires, fired) = oneshot::channel();
        self.watches.entry(path).or_default().push(fires);
        fired
    }

    fn happened(&mut self, rest: &[u8]) -> Result<(), Malformed> {
        let event = jute::event(rest)?;
        if event.is_of_a_node() {
            for waiting in self.watches.remove(event.path).into_iter().flatten() {
                let _ = waiting.send(());
            }
        }
        Ok(())
    }
}

/// What is to be sent. A server that reads slowly keeps nobody from reading what it sends.
struct Unsent {
    writer: WriteHalf<Box<dyn Duplex>>,
    bytes: Vec<u8>,
    sent: usize,
    is_flushed: bool,
}

impl Unsent {
    fn is_due(&self) -> bool {
        !self.bytes.is_empty() || !self.is_flushed
    }

    /// Sends some of it. Nothing is sent twice where the future is dropped before it is ready.
    async fn send(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            self.writer.flush().await?;
            self.is_flushed = true;
            return Ok(());
        }
        let written = self.writer.write(&self.bytes[self.sent..]).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.is_flushed = false;
        self.sent += written;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
        Ok(())
    }
}

/// Sends what is left, at its end that the session is over, so that the server need not wait for its time-out, and closes the connection.
async fn close(unsent: &mut Unsent, reader: &mut ReadHalf<Box<dyn Duplex>>) -> io::Result<()> {
    while unsent.is_due() {
        unsent.send().await?;
    }
    unsent.writer.shutdown().await?;
    while reader.read(&mut [0; 256]).await? > 0 {}
    Ok(())
}
