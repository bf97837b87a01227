//! A session with one server of ZooKeeper: how it begins, and what it is asked. It ends with its connection.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, oneshot, watch},
};

use super::{
    connection::{AnswerTo, Ask, Duplex, NodeChange, run},
    frames::{Frame, Frames},
    jute::{self, Malformed, NodeStat},
    refusal::Unanswered,
};
use crate::source::remote::{DEADLINE, MAX_SIZE, shared::Connection};

/// A session lasts so long without its client; the server may shorten it.
pub(super) const SESSION: Duration = Duration::from_secs(10);
/// The shortest session that is kept alive as often as it needs.
const SHORTEST: Duration = Duration::from_millis(300);
/// The longest answer: the largest document, and what is known of its node.
const LONGEST: usize = MAX_SIZE + 1024;
/// The longest answer until a session is granted.
const LONGEST_AT_FIRST: usize = 1024;
/// So many questions wait to be sent; a further one waits for room.
const QUESTIONS: usize = 64;

/// A session that may be shared; the last one to go ends it.
pub(super) struct ZooKeeperSession {
    asks: mpsc::Sender<Ask>,
    ended: watch::Receiver<Option<String>>,
}

impl Connection for ZooKeeperSession {
    fn is_open(&self) -> bool {
        !self.asks.is_closed()
    }
}

impl ZooKeeperSession {
    /// Begins a session on a connection, with the `digest` of a user where there is one.
    pub(super) async fn begin(
        mut stream: Box<dyn Duplex>,
        digest: Option<String>,
    ) -> Result<Self, Unanswered> {
        let mut frames = Frames::new(LONGEST_AT_FIRST);
        let record = asked(&mut stream, &mut frames, &jute::begin(SESSION)).await?;
        let granted = jute::granted(record).map_err(unusable)?;
        if granted.id == 0 || granted.timeout.is_zero() {
            return Err(Unanswered::Ended("the server refuses it".to_owned()));
        }
        if let Some(digest) = digest {
            let record = asked(&mut stream, &mut frames, &jute::digest(&digest)).await?;
            let (header, _) = jute::header(record).map_err(unusable)?;
            match (header.xid, header.error) {
                (jute::AUTHENTICATED, 0) => {}
                (jute::AUTHENTICATED, code) => return Err(Unanswered::Refused(code)),
                _ => return Err(unusable(Malformed("an answer to what was not asked"))),
            }
        }
        frames.allow(LONGEST);
        // Whatever a server grants: it is not to be asked without a pause, and a silent one is to be noticed.
        let granted = granted.timeout.clamp(SHORTEST, DEADLINE);
        let (asks, asked) = mpsc::channel(QUESTIONS);
        let (reason, ended) = watch::channel(None);
        tokio::spawn(run(stream, frames, granted, asked, reason));
        Ok(ZooKeeperSession { asks, ended })
    }

    /// The node's data with a watch for its change; none where there is no node, and then without a watch.
    pub(super) async fn data(
        &self,
        path: &str,
    ) -> Result<Option<(Vec<u8>, NodeStat, NodeChange)>, Unanswered> {
        self.ask(|answer| Ask::Data(path.to_owned(), answer)).await
    }

    /// Whether the node is there, with a watch for its change or its creation.
    pub(super) async fn watch(
        &self,
        path: &str,
    ) -> Result<(Option<NodeStat>, NodeChange), Unanswered> {
        self.ask(|answer| Ask::Watch(path.to_owned(), answer)).await
    }

    /// Whether the node is there.
    pub(super) async fn stat(&self, path: &str) -> Result<Option<NodeStat>, Unanswered> {
        self.ask(|answer| Ask::Stat(path.to_owned(), answer)).await
    }

    /// Waits until the server has all that the leader had.
    pub(super) async fn sync(&self, path: &str) -> Result<(), Unanswered> {
        self.ask(|answer| Ask::Sync(path.to_owned(), answer)).await
    }

    async fn ask<T>(&self, question: impl FnOnce(AnswerTo<T>) -> Ask) -> Result<T, Unanswered> {
        let (answers, answer) = oneshot::channel();
        // Where the session is over, the question is dropped, and with it the sender of its answer.
        let _ = self.asks.send(question(answers)).await;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.ended().await),
        }
    }

    /// Waits until the session is over, and returns why.
    pub(super) async fn ended(&self) -> Unanswered {
        let mut ended = self.ended.clone();
        let reason = ended.wait_for(Option::is_some).await;
        let reason = reason.ok().and_then(|reason| reason.clone());
        // Without a reason it ended with its runtime.
        Unanswered::Ended(reason.unwrap_or_else(|| "the program ends".to_owned()))
    }
}

/// Asks what comes before everything else, and waits for its answer.
async fn asked<'a>(
    stream: &mut Box<dyn Duplex>,
    frames: &'a mut Frames,
    record: &[u8],
) -> Result<&'a [u8], Unanswered> {
    let ended = |error: std::io::Error| Unanswered::Ended(error.to_string());
    stream.write_all(record).await.map_err(ended)?;
    stream.flush().await.map_err(ended)?;
    match frames.next(stream).await.map_err(ended)? {
        Frame::Whole(record) => Ok(record),
        Frame::TooLong(_, length) => Err(Unanswered::Ended(format!(
            "the server announces an answer of {length} bytes, which is not how ZooKeeper begins"
        ))),
    }
}

fn unusable(Malformed(what): Malformed) -> Unanswered {
    Unanswered::Ended(format!("the server has sent {what}"))
}
