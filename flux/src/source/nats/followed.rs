//! The messages of a key of NATS while they are followed, and that the server forgets the consumer afterwards.

use async_nats::{
    Client,
    jetstream::{self, consumer::push::Ordered, stream},
};

use super::connection::DELETE;
use crate::source::remote::ANSWER;

/// The messages of a key, for as long as they are listened to.
pub(super) struct Followed {
    pub(super) messages: Ordered,
    /// Whether the next message is the one that was there when it began, which has not come yet.
    pub(super) is_read: bool,
    pub(super) key: FollowedKey,
    pub(super) _end: Unfollow,
}

/// What the leader of the stream is asked about.
pub(super) struct FollowedKey {
    pub(super) subject: String,
    /// The server that has the consumer.
    pub(super) server: Option<String>,
}

/// Whether nothing happened in a stream between two answers about it: no two histories have their last message in the same nanosecond.
pub(super) fn is_unchanged(before: &stream::Info, now: &stream::Info) -> bool {
    let (was, is) = (&before.state, &now.state);
    before.created == now.created
        && was.last_timestamp == is.last_timestamp
        && was.last_sequence == is.last_sequence
        && was.first_sequence == is.first_sequence
        && was.messages == is.messages
}

/// Takes the consumer from the server when it is dropped. Where the right to do so is missing, the server does it by itself, half a
/// minute later.
pub(super) struct Unfollow {
    pub(super) client: Client,
    pub(super) stream: String,
    pub(super) consumer: String,
}

impl Drop for Unfollow {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let subject = format!("{DELETE}.{}.{}", self.stream, self.consumer);
        let client = self.client.clone();
        runtime.spawn(async move {
            // Without an answer nobody waits for one that does not come.
            if client.publish(subject, Vec::new().into()).await.is_ok() {
                let _ = tokio::time::timeout(ANSWER, client.flush()).await;
            }
        });
    }
}

/// Whether a message means that the key is gone: deleted, purged, expired.
pub(super) fn is_deletion(message: &jetstream::Message) -> bool {
    let Some(headers) = &message.headers else {
        return false;
    };
    let said = headers.get("KV-Operation").map(|said| said.as_str());
    matches!(said, Some("DEL" | "PURGE")) || headers.get("Nats-Marker-Reason").is_some()
}
