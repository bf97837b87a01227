//! A source fed by the program itself: for tests, and for whatever already produces bytes; what is done when it is full or dropped.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Content, Observation, Observer, SourceError, Watcher};

/// Watches what a [`ChannelSender`] sends.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use flux::source::Channel;
///
/// let (sender, channel) = Channel::latest("settings");
/// sender.send(*b"port: 8080").await?;
/// # drop(channel);
/// # Ok::<(), flux::source::SourceError>(())
/// # });
/// ```
#[derive(Debug)]
pub struct Channel {
    name: String,
    receiver: ChannelReceiver,
}

/// Sends documents to a [`Channel`]. When all clones are gone the source is closed, after what was sent is delivered.
#[derive(Clone, Debug)]
pub struct ChannelSender {
    name: Arc<str>,
    sender: Sender,
}

#[derive(Clone, Debug)]
enum ChannelMessage {
    Observed(Observation),
    Failed(SourceError),
}

#[derive(Clone, Debug)]
enum Sender {
    Buffered(mpsc::Sender<ChannelMessage>),
    Latest(watch::Sender<Option<ChannelMessage>>),
}

#[derive(Debug)]
enum ChannelReceiver {
    Buffered(mpsc::Receiver<ChannelMessage>),
    Latest(watch::Receiver<Option<ChannelMessage>>),
}

impl Channel {
    /// A channel that keeps up to `capacity` messages in order (at least one); a sender waits for room.
    pub fn buffered(name: impl Into<String>, capacity: usize) -> (ChannelSender, Channel) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        Self::pair(
            name.into(),
            Sender::Buffered(sender),
            ChannelReceiver::Buffered(receiver),
        )
    }

    /// A channel that keeps only the latest message; a sender never waits.
    pub fn latest(name: impl Into<String>) -> (ChannelSender, Channel) {
        let (sender, receiver) = watch::channel(None);
        Self::pair(
            name.into(),
            Sender::Latest(sender),
            ChannelReceiver::Latest(receiver),
        )
    }

    fn pair(name: String, sender: Sender, receiver: ChannelReceiver) -> (ChannelSender, Channel) {
        let sender = ChannelSender {
            name: name.as_str().into(),
            sender,
        };
        (sender, Channel { name, receiver })
    }
}

impl Watcher for Channel {
    fn origin(&self) -> String {
        self.name.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        // The receiver stays in `self`: nothing is lost when a session is dropped between two messages.
        while let Some(message) = self.receiver.next().await {
            match message {
                ChannelMessage::Observed(observation) => observer.observe(observation),
                ChannelMessage::Failed(error) if error.kind() == super::ErrorKind::Closed => {
                    return Err(error);
                }
                ChannelMessage::Failed(error) => observer.failing(error),
            }
        }
        Err(SourceError::closed(format!(
            "{}: all senders are gone",
            self.name
        )))
    }
}

impl ChannelReceiver {
    /// The next message; `None` when there is none left and no sender.
    async fn next(&mut self) -> Option<ChannelMessage> {
        match self {
            ChannelReceiver::Buffered(receiver) => receiver.recv().await,
            ChannelReceiver::Latest(receiver) => {
                receiver.changed().await.ok()?;
                receiver.borrow_and_update().clone()
            }
        }
    }
}

impl ChannelSender {
    /// Sends a document. A buffered channel waits for room, a latest-wins one never waits.
    ///
    /// # Errors
    /// [`Closed`](super::ErrorKind::Closed) when the [`Channel`] is gone: no capacitor watches it any more.
    pub async fn send(&self, bytes: impl Into<Arc<[u8]>>) -> Result<(), SourceError> {
        self.pass(value(bytes)).await
    }

    /// Sends a document if there is room.
    ///
    /// # Errors
    /// [`Transient`](super::ErrorKind::Transient) when a buffered channel is full,
    /// [`Closed`](super::ErrorKind::Closed) when the [`Channel`] is gone.
    pub fn try_send(&self, bytes: impl Into<Arc<[u8]>>) -> Result<(), SourceError> {
        match &self.sender {
            Sender::Buffered(sender) => {
                sender.try_send(value(bytes)).map_err(|error| match error {
                    mpsc::error::TrySendError::Full(_) => {
                        SourceError::transient(format!("{}: the channel is full", self.name))
                    }
                    mpsc::error::TrySendError::Closed(_) => self.gone(),
                })
            }
            Sender::Latest(sender) => sender.send(Some(value(bytes))).map_err(|_| self.gone()),
        }
    }

    /// Says that there is no document (any more).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn absent(&self) -> Result<(), SourceError> {
        self.pass(ChannelMessage::Observed(Observation::Absent))
            .await
    }

    /// Reports trouble: the source is stale until the next document. An error of kind
    /// [`Closed`](super::ErrorKind::Closed) ends the source.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn fail(&self, error: SourceError) -> Result<(), SourceError> {
        self.pass(ChannelMessage::Failed(error)).await
    }

    async fn pass(&self, message: ChannelMessage) -> Result<(), SourceError> {
        match &self.sender {
            Sender::Buffered(sender) => sender.send(message).await.map_err(|_| self.gone()),
            Sender::Latest(sender) => sender.send(Some(message)).map_err(|_| self.gone()),
        }
    }

    fn gone(&self) -> SourceError {
        SourceError::closed(format!(
            "{}: nobody watches the channel any more",
            self.name
        ))
    }
}

fn value(bytes: impl Into<Arc<[u8]>>) -> ChannelMessage {
    ChannelMessage::Observed(Observation::Value(Content {
        bytes: bytes.into(),
        revision: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{
        ErrorKind, Health,
        mailbox::{Mailbox, SourceReport},
        supervisor::supervise,
    };

    fn text(news: &SourceReport) -> Option<String> {
        match &news.observation {
            Some(Observation::Value(content)) => {
                Some(String::from_utf8(content.bytes.to_vec()).unwrap())
            }
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_is_delivered_before_the_source_closes() {
        for (sender, mut channel) in [Channel::latest("c"), Channel::buffered("c", 4)] {
            sender.send(*b"one").await.unwrap();
            sender.send(*b"two").await.unwrap();
            drop(sender);
            let mailbox = Mailbox::new(1);
            supervise(&mut channel, &mailbox.observer(0)).await;
            let news = mailbox.take();
            assert_eq!(text(&news[0]).as_deref(), Some("two"));
            assert!(matches!(news[0].health, Some(Health::Closed)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_buffered_channel_delivers_every_message_in_order() {
        let (sender, mut channel) = Channel::buffered("c", 1);
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let feed = async {
            for n in 0..10 {
                sender.send(format!("{n}").into_bytes()).await.unwrap();
                mailbox.changed().await;
                assert_eq!(text(&mailbox.take()[0]), Some(n.to_string()));
            }
        };
        tokio::select! {
            _ = channel.watch(&observer) => panic!("a sender is left"),
            () = feed => {}
        }
    }

    #[tokio::test]
    async fn a_full_buffer_and_a_missing_channel_are_said() {
        let (sender, channel) = Channel::buffered("c", 1);
        sender.try_send(*b"1").unwrap();
        assert_eq!(
            sender.try_send(*b"2").unwrap_err().kind(),
            ErrorKind::Transient
        );
        drop(channel);
        assert_eq!(
            sender.try_send(*b"3").unwrap_err().kind(),
            ErrorKind::Closed
        );
        assert_eq!(
            sender.send(*b"3").await.unwrap_err().kind(),
            ErrorKind::Closed
        );

        let (sender, channel) = Channel::latest("c");
        sender.try_send(*b"1").unwrap();
        sender.try_send(*b"2").unwrap();
        drop(channel);
        assert_eq!(sender.absent().await.unwrap_err().kind(), ErrorKind::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_lost_when_a_session_is_dropped() {
        let (sender, mut channel) = Channel::buffered("c", 8);
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let pause = std::time::Duration::from_millis(1);
        for n in 0..8 {
            let _ = tokio::time::timeout(pause, channel.watch(&observer)).await;
            sender.send(format!("{n}").into_bytes()).await.unwrap();
        }
        let _ = tokio::time::timeout(pause, channel.watch(&observer)).await;
        let news = mailbox.take();
        assert_eq!(
            (text(&news[0]).as_deref(), news[0].received),
            (Some("7"), 8)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_stale_until_the_next_document() {
        let (sender, mut channel) = Channel::latest("c");
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let feed = async {
            sender.fail(SourceError::transient("cut")).await.unwrap();
            mailbox.changed().await;
            assert!(matches!(
                mailbox.take()[0].health,
                Some(Health::Stale { attempt: 1, .. })
            ));
            sender.send(*b"x").await.unwrap();
            mailbox.changed().await;
            assert!(matches!(mailbox.take()[0].health, Some(Health::Live)));
        };
        tokio::select! {
            _ = channel.watch(&observer) => panic!("a sender is left"),
            () = feed => {}
        }
        sender.fail(SourceError::closed("over")).await.unwrap();
        let error = channel.watch(&observer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}
