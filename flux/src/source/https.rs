//! Watches a document on a web server: how often it is asked for, and when an answer is new.

mod known;
mod newest;
mod page;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use base64::{Engine, prelude::BASE64_STANDARD};
use flux_syntax::{Remote, Scheme};
use hyper::{
    StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CACHE_CONTROL, HeaderName},
};

use self::{
    known::Known,
    newest::{Newest, OlderBy},
    page::is_page,
};
use super::{
    AsOf, Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, checked, document,
        http::{Http, HttpAnswer, SERVERS, refused},
        retry_after::date,
        secrets::quoted,
    },
};

/// How often the document is asked for.
const POLL: Duration = Duration::from_secs(30);
/// It is asked for this often at most.
const OFTEN: Duration = Duration::from_millis(100);

/// Watches a document on a web server by asking for it again and again; one that has not changed is not sent again where the
/// server gives it an `ETag`.
///
/// The URI is that of the document; what concerns Flux is behind `#`, which is never sent:
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
    newest: Newest,
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
        Https {
            place,
            newest: Newest::default(),
        }
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
        let every = self.place.duration("poll").unwrap_or(POLL);
        every.max(OFTEN)
    }

    /// An answer was held back.
    fn held_back(&self, by: OlderBy, answer: &HttpAnswer, age: Duration) -> SourceError {
        let dated = answer
            .header("last-modified")
            .filter(|_| by == OlderBy::Date);
        let older = match dated {
            // Whatever a server or a proxy has put around the date.
            Some(dated) => quoted(&self.place, dated.as_bytes()),
            None => format!("`Age: {}`", age.as_secs()),
        };
        SourceError::transient(format!(
            "{}: the answer is older ({older}) than the document that was seen before; it is taken if the next ones are too",
            self.place.origin(),
        ))
    }

    /// A cache on the way gave an answer that is older than the bound of staleness.
    fn old(&self, age: Duration) -> SourceError {
        SourceError::transient(format!(
            "{}: a cache on the way answers in the server's place, and what it has is {} s old (`Age`); let it ask the server, or \
             raise `poll` above that",
            self.place.origin(),
            age.as_secs()
        ))
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

impl Watcher for Https {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.every())
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        // Every question has its limit, and a pause between two of them is no silence, however long it is.
        observer.is_read_every(self.every(), ANSWER);
        let bound = observer.period(self.every());
        let bound = bound.saturating_add(bound / 10).saturating_add(ANSWER);
        let connect = Http::new(&self.place);
        let http = SERVERS
            .lease(&self.place, observer.was_live(), connect)
            .await?;
        let mut again = observer.resync();
        let mut known = Known::default();
        // What was reported of this session's answers last; nothing of a document is its absence.
        let mut reported: Option<Option<Bytes>> = None;
        loop {
            let condition = known.condition();
            let conditional = condition.is_some();
            // A cache on the way asks the server itself, which alone knows whether the document still holds.
            let fresh = (CACHE_CONTROL, "no-cache".to_owned());
            let headers = self.authorization().into_iter().chain(condition);
            let headers = headers.chain([fresh]);
            let path = self.place.at(0);
            let asked = Instant::now();
            let answer = http.get(&self.place, path, headers, ANSWER).await?;
            let age = answer.age();
            // A cache that answers by itself shows the document as it was when the server was asked.
            let of = AsOf { asked, age };
            let reader = observer.as_of(of);
            let old = (age > bound).then(|| self.old(age));
            match answer.status {
                StatusCode::OK if is_page(answer.header("content-type"), &answer.body) => {
                    return Err(SourceError::transient(format!(
                        "{}: the answer is a page of HTML, and no document; a proxy, a login or a page of errors may answer in the server's place",
                        self.place.origin()
                    )));
                }
                StatusCode::OK => {
                    let now = known.next(&answer);
                    let modified = now.modified.as_deref().and_then(date);
                    match self.newest.take(modified, of, &answer.body) {
                        Ok(()) => {
                            known = now;
                            let revision = known.tag.clone().or_else(|| known.modified.clone());
                            let body = Some(answer.body);
                            if old.is_none() || reported.as_ref() != Some(&body) {
                                let bytes = body.as_deref().unwrap_or_default();
                                reader.observe(document(&self.place, bytes, revision));
                            }
                            reported = Some(body);
                        }
                        Err(by) => observer.failing(self.held_back(by, &answer, age)),
                    }
                }
                StatusCode::NOT_MODIFIED if conditional && !known.is_confirmed_by(&answer) => {
                    // It is asked for as a whole.
                    known = Known::default();
                    sleep_until(asked + OFTEN).await;
                    continue;
                }
                StatusCode::NOT_MODIFIED if conditional => {
                    self.newest.still_holds(of);
                    if old.is_none() {
                        reader.live();
                    }
                }
                StatusCode::NOT_MODIFIED => {
                    return Err(SourceError::transient(format!(
                        "{}: the server answers `304 Not Modified` to a question without a condition; a cache before it may be broken",
                        self.place.origin()
                    )));
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => match self.newest.go(of) {
                    Ok(()) => {
                        known = Known::default();
                        if old.is_none() || reported != Some(None) {
                            reader.observe(Observation::Absent);
                        }
                        reported = Some(None);
                    }
                    Err(by) => observer.failing(self.held_back(by, &answer, age)),
                },
                _ => return Err(refused(&self.place, &answer)),
            }
            if let Some(old) = old {
                observer.failing(old);
            }
            again.due().await;
            // Whatever asks: the `resync` of the struct, or the program.
            sleep_until(asked + OFTEN).await;
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
        assert!(!format!("{https:?}").contains("hunter2"));
        let https = Https::new("h", "/a")
            .token("hunter2")
            .credentials("bob", "hunter2");
        assert!(!format!("{https:?}").contains("hunter2"));
    }

    /// An answer of the server, and then those of a cache that has had it for an hour.
    #[tokio::test]
    async fn what_a_cache_has_had_for_longer_than_the_bound_is_not_live() {
        use crate::source::{Health, mailbox::Mailbox, remote::fake};
        use std::{
            io::Write,
            sync::{Arc, OnceLock},
        };
        for (status, body) in [
            ("304 Not Modified", ""),
            ("200 OK", "{}"),
            ("200 OK", "{ }"),
        ] {
            let asked = Arc::new(OnceLock::new());
            let first = Arc::clone(&asked);
            let address = fake::web(move |_, client| {
                let answer = match first.set(std::time::Instant::now()) {
                    Ok(()) => fake::found("ETag: \"1\"\r\nAge: 1\r\n", "{}"),
                    Err(_) => {
                        let length = body.len();
                        let head = format!(
                            "HTTP/1.1 {status}\r\nAge: 3600\r\nContent-Length: {length}\r\n\r\n"
                        );
                        [head.as_bytes(), body.as_bytes()].concat()
                    }
                };
                client.write_all(&answer).unwrap();
            });
            let mailbox = Mailbox::new(1);
            let observer = mailbox.observer(0).with_resync(Some(OFTEN));
            let proven = mailbox.proven(0);
            let mut https = Https::plain(address.to_string(), "/app.json").poll(OFTEN);
            let session = tokio::spawn(async move { https.watch(&observer).await });
            let stale = async {
                loop {
                    let mut reports = mailbox.take().into_iter();
                    let report = reports.find(|report| report.has_error());
                    if let Some(Some(Health::Stale { error, .. })) =
                        report.map(|report| report.health)
                    {
                        return error;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let error = tokio::time::timeout(Duration::from_secs(60), stale)
                .await
                .unwrap();
            assert!(error.to_string().contains("Age"), "{status}: {error}");
            // Of the first answer alone, which is a second older than it was read.
            let asked = asked.get().expect("a question").elapsed();
            let proven = proven.at().expect("the first answer");
            let ago = proven.elapsed().unwrap_or_default();
            // The system's clock may be set a little meanwhile.
            let late = Duration::from_millis(600);
            assert!(ago + late >= asked + Duration::from_secs(1), "{ago:?}");
            session.abort();
        }
    }

    /// A proxy may put what it was asked with into any header; what is around a date is none of it.
    #[test]
    fn the_date_of_an_answer_that_is_held_back_has_no_secret_around_it() {
        let https = Https::new("h", "/a").credentials("bob", "swordfish");
        let mut headers = hyper::HeaderMap::new();
        let dated = "swordfish, 06 Nov 1994 08:49:37 GMT swordfish";
        assert!(date(dated).is_some());
        headers.insert("last-modified", dated.parse().unwrap());
        let answer = HttpAnswer {
            status: StatusCode::OK,
            headers,
            body: Bytes::new(),
        };
        let error = https.held_back(OlderBy::Date, &answer, Duration::ZERO);
        let text = error.to_string();
        assert!(
            text.contains("(***, 06 Nov 1994") && !text.contains("swordfish"),
            "{text}"
        );
    }

    #[test]
    fn it_is_not_asked_for_without_pause() {
        let https = Https::new("h", "/a").poll(Duration::ZERO);
        assert_eq!(https.every(), OFTEN);
    }

    /// A `resync` of the struct takes the place of `poll`, and may be longer than any number of those.
    #[test]
    fn a_pause_between_two_questions_is_no_silence() {
        let https = Https::new("h", "/a").poll(Duration::from_secs(1));
        assert_eq!(Watcher::deadline(&https), None);
    }
}
