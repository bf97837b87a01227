//! A document on a web server, asked for again and again.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use flux_syntax::{Remote, Scheme};
use hyper::{
    StatusCode,
    header::{AUTHORIZATION, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH},
};

use super::{
    Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, DEADLINE, checked, document,
        http::{Answer, Http, SERVERS, refused},
    },
};

/// How often the document is asked for.
const POLL: Duration = Duration::from_secs(30);

/// Watches a document on a web server by asking for it again and again; one that has not changed is not sent again where the
/// server gives it an `ETag` or a `Last-Modified`.
///
/// The URI is that of the document; what concerns Flux stands behind `#`, which is never sent:
/// `https://config.example.com/app.json#poll=1m`. A password is `https://user:${PASSWORD}@host/..`, a token `#token=${TOKEN}`.
///
/// ```
/// use flux::{Source, source::Https};
/// use std::time::Duration;
///
/// let source = Source::watcher(Https::new("config.example.com", "/app.json").poll(Duration::from_secs(60)));
/// ```
#[derive(Clone)]
pub struct Https {
    place: Remote<String>,
}

remote::options_of_a_server!(Https);

impl Https {
    /// The document at `path` (with its query) on the server at `host`, over TLS.
    pub fn new(host: impl Into<String>, path: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Https).secure().host(host).piece(path))
    }

    /// The same without TLS.
    pub fn plain(host: impl Into<String>, path: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Https).host(host).piece(path))
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Https { place }
    }

    /// The token, sent as `Authorization: Bearer`.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.set("token", token)
    }

    /// How often the document is asked for; 30 seconds by default.
    #[must_use]
    pub fn poll(self, every: Duration) -> Self {
        self.set("poll", flux_syntax::format_duration(every))
    }

    fn every(&self) -> Duration {
        self.place.duration("poll").unwrap_or(POLL)
    }

    fn authorization(&self) -> Option<(HeaderName, String)> {
        let place = &self.place;
        let value = match (place.get("token"), &place.user, &place.password) {
            (Some(token), _, _) => format!("Bearer {token}"),
            (None, None, None) => return None,
            (None, user, password) => {
                let pair = format!(
                    "{}:{}",
                    user.as_deref().unwrap_or_default(),
                    password.as_deref().unwrap_or_default()
                );
                format!("Basic {}", BASE64_STANDARD.encode(pair))
            }
        };
        Some((AUTHORIZATION, value))
    }
}

/// What the server said of the version that was read last.
#[derive(Default)]
struct Known {
    tag: Option<String>,
    modified: Option<String>,
}

impl Known {
    fn of(answer: &Answer) -> Self {
        Known {
            tag: answer.header("etag").map(str::to_owned),
            modified: answer.header("last-modified").map(str::to_owned),
        }
    }
    fn conditions(&self) -> impl Iterator<Item = (HeaderName, String)> + use<> {
        let tag = self.tag.clone().map(|tag| (IF_NONE_MATCH, tag));
        let modified = self.modified.clone().filter(|_| self.tag.is_none());
        tag.into_iter()
            .chain(modified.map(|at| (IF_MODIFIED_SINCE, at)))
    }
}

impl Watcher for Https {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE.max(self.every() * 2 + ANSWER))
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.every())
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        let connect = async { Http::new(&self.place) };
        let http = SERVERS
            .lease(self.place.server(), observer.was_live(), connect)
            .await?;
        let mut again = observer.resync();
        let mut known = Known::default();
        loop {
            let headers = self.authorization().into_iter().chain(known.conditions());
            let path = self.place.at(0);
            let answer = http.get(&self.place, path, headers, ANSWER).await?;
            match answer.status {
                StatusCode::OK => {
                    known = Known::of(&answer);
                    let revision = known.tag.clone().or_else(|| known.modified.clone());
                    observer.observe(document(&self.place, &answer.body, revision));
                }
                StatusCode::NOT_MODIFIED => observer.live(),
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    known = Known::default();
                    observer.observe(Observation::Absent);
                }
                _ => return Err(refused(&self.place, &answer)),
            }
            again.due().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let https = Https::new("h", "/a?token=hunter2").credentials("bob", "hunter2");
        assert!(!https.origin().contains("hunter2"));
        let https = Https::new("h", "/a")
            .token("hunter2")
            .credentials("bob", "hunter2");
        assert!(!format!("{https:?}").contains("hunter2"));
    }
}
