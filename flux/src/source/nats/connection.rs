//! To which source a refusal of the NATS server belongs: one connection, shared.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::{Client, Event, ServerError};
use flux_syntax::Remote;
use tokio::sync::watch;

use crate::source::{
    SourceError,
    remote::{lost, shared::Connection, without_secrets},
};

/// Where a consumer is taken away.
pub(super) const DELETE: &str = "$JS.API.CONSUMER.DELETE";

/// A connection, and what the server reported of it.
pub(super) struct NatsLink {
    pub(super) client: Client,
    pub(super) told: Arc<NatsReport>,
    /// Changes with what was reported.
    pub(super) events: watch::Sender<()>,
    /// Where the server is; nowhere that is known if it is the program's own client.
    pub(super) address: Option<String>,
}

#[derive(Default)]
pub(super) struct NatsReport(Mutex<NatsState>);

#[derive(Default)]
struct NatsState {
    lost: bool,
    /// What the server refused. The connection is then of no use to whom it was refused: rights are those of its beginning.
    refusals: Vec<String>,
}

/// How many refusals are kept of one connection.
const REFUSALS: usize = 64;

impl NatsReport {
    fn news(&self) -> std::sync::MutexGuard<'_, NatsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it matters to who uses the connection.
    pub(super) fn note(&self, event: &Event) -> bool {
        let mut news = self.news();
        match event {
            Event::Disconnected | Event::Closed => news.lost = true,
            Event::ServerError(ServerError::AuthorizationViolation) => {
                let refusal = "the server refuses the credentials".to_owned();
                news.refusals.push(refusal);
            }
            Event::ServerError(ServerError::Other(said))
                if said.to_ascii_lowercase().contains("permissions violation")
                    // It goes by itself, too.
                    && !said.contains(DELETE)
                    && news.refusals.len() < REFUSALS =>
            {
                news.refusals.push(said.clone());
            }
            _ => return false,
        }
        true
    }

    /// What was refused to the source of `bucket`; what was refused to others on the same connection is theirs.
    fn refusal(&self, bucket: &str) -> Option<String> {
        let news = self.news();
        let found = news.refusals.iter().find(|said| concerns(said, bucket));
        found.cloned()
    }
}

/// Whether a refusal concerns the source of `bucket`: its subject has the bucket's name in it, or nobody's.
fn concerns(refusal: &str, bucket: &str) -> bool {
    let subject = refusal.split(['"', '\'']).nth(1).unwrap_or_default();
    let mut buckets = subject
        .split('.')
        .filter_map(|word| word.strip_prefix("KV_"))
        .peekable();
    buckets.peek().is_none() || buckets.any(|named| named == bucket)
}

impl NatsLink {
    pub(super) fn of(client: Client) -> Self {
        NatsLink {
            client,
            told: Arc::default(),
            events: watch::channel(()).0,
            address: None,
        }
    }

    /// What the server refused to the source of this bucket.
    pub(super) fn refusal(&self, place: &Remote<String>) -> Result<(), SourceError> {
        match self.told.refusal(place.at(0)) {
            None => Ok(()),
            Some(refusal) => {
                let refusal = without_secrets(place, &refusal);
                let origin = place.origin();
                Err(SourceError::permission(format!("{origin}: {refusal}")))
            }
        }
    }

    /// Neither lost nor refused.
    pub(super) fn is_well(&self, place: &Remote<String>) -> Result<(), SourceError> {
        self.refusal(place)?;
        match self.told.news().lost {
            true => Err(lost(place)),
            false => Ok(()),
        }
    }
}

impl Connection for NatsLink {
    fn is_open(&self) -> bool {
        let news = self.told.news();
        !news.lost && news.refusals.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_concerns_the_bucket_that_it_names() {
        let told = NatsReport::default();
        let refuse = |said: &str| {
            let error = ServerError::Other(said.to_owned());
            assert!(told.note(&Event::ServerError(error)));
        };
        refuse("Permissions Violation for Publish to \"$JS.API.STREAM.INFO.KV_private\"");
        assert!(told.refusal("private").is_some());
        assert!(told.refusal("public").is_none() && told.refusal("privat").is_none());
        refuse("Permissions Violation for Subscription to \"_INBOX.abc.*\"");
        assert!(told.refusal("public").is_some());
    }
}
