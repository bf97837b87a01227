//! Watches one key of Consul's key-value store, by blocking queries.

use std::time::Duration;

use flux_syntax::{Remote, Scheme};
use hyper::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderName},
};
use tokio::time::{Instant, sleep_until};

use super::{
    AsOf, Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER,
        anew::{BRIEF, IDLE, Watches},
        checked, document,
        http::{Http, SERVERS, refused},
    },
};

/// How long a query may wait for a change. With what the server adds it is less than a minute, after which proxies end what is quiet.
const WAIT: Duration = Duration::from_secs(45);
/// A busy key is asked for this often at most.
const SPACING: Duration = Duration::from_millis(20);

/// Watches one key of Consul's key-value store.
///
/// The URI is `consul://host:8500/KEY?dc=DC`. A token comes from `token=${NAME}`, else from `CONSUL_HTTP_TOKEN`; it needs
/// `key "KEY" { policy = "read" }`.
///
/// ```
/// use flux::{Source, source::Consul};
///
/// let source = Source::watcher(Consul::new("127.0.0.1:8500", "app/config"));
/// ```
#[derive(Clone)]
pub struct Consul {
    place: Remote<String>,
}

remote::options_of_a_server!(Consul);

impl Consul {
    /// The key on the server at `host`, such as `127.0.0.1:8500`.
    pub fn new(host: impl Into<String>, key: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Consul).host(host).piece(key))
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Consul { place }
    }

    /// The datacenter; the server's own by default.
    #[must_use]
    pub fn datacenter(self, name: impl Into<String>) -> Self {
        self.set("dc", name)
    }

    /// The token; that of `CONSUL_HTTP_TOKEN` by default.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.set("token", token)
    }

    /// How long one query waits for a change; 45 seconds by default. Silence is noticed after that time.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        self.set("wait", flux_syntax::format_duration(wait))
    }

    fn patience(&self) -> Duration {
        let wait = self.place.duration("wait").unwrap_or(WAIT);
        wait.clamp(Duration::from_secs(1), Duration::from_secs(600))
    }

    /// For how long an answer may be under way: the server spreads its answers over a sixteenth of the wait.
    fn limit(&self) -> Duration {
        self.patience() + self.patience() / 16 + ANSWER
    }

    /// The place with the token that the environment holds, where none is named.
    fn with_token(&self) -> Self {
        let mut consul = self.clone();
        if consul.place.get("token").is_none() {
            let usual = std::env::var("CONSUL_HTTP_TOKEN");
            if let Some(token) = usual.ok().filter(|token| !token.is_empty()) {
                consul = consul.set("token", token);
            }
        }
        consul
            .place
            .options
            .retain(|(name, value)| *name != "token" || !value.is_empty());
        consul
    }

    /// The question for what comes after `index`. Consistent: by default a new leader answers before it has read its own log, from an
    /// empty store, and one that is not the leader any more goes on for half a second.
    fn question(&self, index: u64) -> String {
        let place = &self.place;
        let mut path = format!("/v1/kv/{}?raw&consistent", escaped(place.at(0)));
        if index > 0 {
            path += &format!("&index={index}&wait={}ms", self.patience().as_millis());
        }
        if let Some(dc) = place.get("dc") {
            path += &format!("&dc={}", escaped(dc));
        }
        path
    }

    /// Asks for what comes after `index`.
    async fn ask(&self, http: &Http, index: u64) -> Result<ConsulAnswer, SourceError> {
        let place = &self.place;
        let token = place.get("token").cloned();
        let token = token.map(|token| (HeaderName::from_static("x-consul-token"), token));
        // A cache on the way asks the server itself.
        let headers = token
            .into_iter()
            .chain([(CACHE_CONTROL, "no-cache".to_owned())]);
        let answer = http
            .get(place, &self.question(index), headers, self.limit())
            .await?;
        let age = answer.age();
        if age > self.limit() {
            return Err(SourceError::transient(format!(
                "{}: a cache on the way answers in the server's place, and what it has is {} s old (`Age`); let it ask the server",
                place.origin(),
                age.as_secs()
            )));
        }
        if answer.header("x-consul-knownleader") == Some("false") {
            return Err(SourceError::transient(format!(
                "{}: the server knows no leader, so that nobody confirms what it answers (`X-Consul-KnownLeader: false`)",
                place.origin()
            )));
        }
        let next = answer
            .header("x-consul-index")
            .and_then(|index| index.parse().ok());
        let answered = |observation, next| ConsulAnswer {
            observation,
            next,
            age,
        };
        match (answer.status, next) {
            (StatusCode::OK, Some(next)) => {
                let revision = Some(u64::to_string(&next));
                Ok(answered(document(place, &answer.body, revision), next))
            }
            (StatusCode::NOT_FOUND, Some(next)) => Ok(answered(Observation::Absent, next)),
            (StatusCode::OK | StatusCode::NOT_FOUND, None) => {
                let (origin, status) = (place.origin(), answer.status);
                Err(SourceError::transient(format!(
                    "{origin}: the answer ({status}) has no `X-Consul-Index`, so it is not one of Consul's; is there a proxy in between?"
                )))
            }
            _ => Err(refused(place, &answer)),
        }
    }
}

/// What the server answered.
struct ConsulAnswer {
    observation: Observation,
    /// The index to ask for next.
    next: u64,
    /// For how long a cache on the way has had it.
    age: Duration,
}

/// A key as part of a path: slashes stay.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

impl Watcher for Consul {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.limit() + ANSWER)
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        self.with_token().session(observer).await
    }
}

impl Consul {
    async fn session(&self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        let connect = Http::new(&self.place);
        let http = SERVERS
            .lease(&self.place, observer.was_live(), connect)
            .await?;
        let mut index = 0;
        let mut watches = Watches::default();
        let mut before = None;
        loop {
            let asked = Instant::now();
            let ConsulAnswer {
                observation,
                next,
                age,
            } = self.ask(&http, index).await?;
            let now = match &observation {
                Observation::Value(content) => Some(content.bytes.clone()),
                _ => None,
            };
            // A cache on the way may answer at once, and the index of a key that is absent is that of all others.
            let is_change = index == 0 || before.as_ref() != Some(&now);
            let was_of_use = is_change || asked.elapsed() >= BRIEF;
            before = Some(now);
            // It may be as old as its question, also where the server seems to have held it: it answers early now and then without a
            // change, and the answer may have been under way, or this process stopped, since.
            observer.as_of(AsOf { asked, age }).observe(observation);
            index = follows(index, next, asked.elapsed());
            let pause = match watches.pause(was_of_use, IDLE, fastrand::f64()) {
                _ if was_of_use => SPACING,
                pause => pause,
            };
            sleep_until(asked + pause).await;
        }
    }
}

/// The index to ask for after an answer with `next`, which shows the key as it was so long `ago`. Zero is answered at once: where the
/// index went backwards, since the server was made anew, and where the answer may be old, as after a wait, which the next one confirms.
fn follows(index: u64, next: u64, ago: Duration) -> u64 {
    match next.max(1) {
        next if next < index || ago > ANSWER => 0,
        next => next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{mailbox::Mailbox, remote::fake};
    use std::{
        io::Write,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::SeqCst},
            mpsc::channel,
        },
        time::SystemTime,
    };

    /// Answers of Consul's, of which the second one, with the index of the first, is sent at once and read two waits later. How far the
    /// key is proven then, after that second question.
    async fn proven_by_an_answer_that_was_read_late() -> Duration {
        let (count, (noted, notes)) = (AtomicUsize::new(0), channel());
        let address = fake::web(move |_, client| {
            if count.fetch_add(1, SeqCst) > 1 {
                // The connection stays open, without an answer.
                return;
            }
            noted.send(SystemTime::now()).unwrap();
            if count.load(SeqCst) == 2 {
                std::thread::sleep(Duration::from_secs(2));
            }
            client
                .write_all(&fake::found("X-Consul-Index: 5\r\n", "{}"))
                .unwrap();
        });
        let mailbox = Mailbox::new(1);
        let (observer, proven) = (mailbox.observer(0), mailbox.proven(0));
        let consul = Consul::new(address.to_string(), "app").wait(Duration::from_secs(1));
        let session = tokio::spawn(async move { consul.session(&observer).await });
        let both = async {
            while mailbox.take().iter().all(|report| report.received < 2) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let both = tokio::time::timeout(Duration::from_secs(60), both);
        both.await.expect("two answers");
        let (_, second) = (notes.recv().unwrap(), notes.recv().unwrap());
        session.abort();
        let proven = proven.at().unwrap();
        proven.duration_since(second).unwrap_or_default()
    }

    #[tokio::test]
    async fn an_answer_counts_from_its_question_however_long_it_was_under_way() {
        let proven = proven_by_an_answer_that_was_read_late().await;
        assert!(proven < Duration::from_millis(500), "{proven:?}");
    }

    /// As of a cache on the way, and of a key that is absent, whose index is that of all others.
    #[tokio::test]
    async fn a_server_that_answers_at_once_without_a_change_is_asked_less_and_less() {
        for is_there in [true, false] {
            let count = Arc::new(AtomicUsize::new(0));
            let asked = Arc::clone(&count);
            let address = fake::web(move |_, client| {
                let index = asked.fetch_add(1, SeqCst) + 1;
                let answer = match is_there {
                    true => fake::found("X-Consul-Index: 5\r\n", "{}"),
                    false => {
                        let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n";
                        format!("{head}X-Consul-Index: {index}\r\n\r\n").into_bytes()
                    }
                };
                client.write_all(&answer).unwrap();
            });
            let mailbox = Mailbox::new(1);
            let observer = mailbox.observer(0);
            let consul = Consul::new(address.to_string(), "app");
            let session = tokio::spawn(async move { consul.session(&observer).await });
            tokio::time::sleep(Duration::from_secs(3)).await;
            session.abort();
            // 150 where each pause is the shortest that it may be.
            let asked = count.load(SeqCst);
            assert!((3..=14).contains(&asked), "{is_there}: {asked}");
        }
    }

    /// As of a cache that does not ask the server, and of a server that is asked without a leader.
    #[tokio::test]
    async fn what_nobody_vouches_for_is_no_answer() {
        for (header, words) in [
            ("Age: 3600", "3600 s old"),
            ("X-Consul-KnownLeader: false", "knows no leader"),
        ] {
            let headers = format!("X-Consul-Index: 5\r\n{header}\r\n");
            let address = fake::web(move |_, client| {
                client.write_all(&fake::found(&headers, "{}")).unwrap();
            });
            let mailbox = Mailbox::new(1);
            let observer = mailbox.observer(0);
            let consul = Consul::new(address.to_string(), "app");
            let error = consul.session(&observer).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn an_answer_that_may_be_old_is_confirmed_at_once() {
        let (soon, late) = (Duration::from_secs(5), Duration::from_secs(6));
        assert_eq!(follows(5, 7, soon), 7);
        assert_eq!(follows(5, 7, late), 0);
        assert_eq!(follows(5, 5, late), 0, "after a wait");
        assert_eq!(follows(5, 4, soon), 0, "made anew");
        assert_eq!(follows(0, 0, soon), 1, "zero would not wait");
    }

    #[test]
    fn keys_are_escaped_and_slashes_stay() {
        assert_eq!(escaped("app/my key?ü"), "app/my%20key%3F%C3%BC");
    }

    #[test]
    fn each_question_is_for_what_a_majority_confirms() {
        let consul = Consul::new("h", "app").datacenter("dc 2");
        for (index, waits) in [(0, ""), (7, "&index=7&wait=45000ms")] {
            let path = format!("/v1/kv/app?raw&consistent{waits}&dc=dc%202");
            assert_eq!(consul.question(index), path);
        }
    }

    #[test]
    fn silence_is_noticed_after_the_wait_and_the_servers_sixteenth() {
        let consul = Consul::new("h", "k").wait(Duration::from_secs(16));
        assert_eq!(consul.limit(), Duration::from_secs(22));
        assert!(consul.deadline() > Some(consul.limit()));
    }

    #[test]
    fn a_proxy_that_ends_what_is_quiet_for_a_minute_does_not_notice() {
        let consul = Consul::new("h", "k");
        let longest = consul.patience() + consul.patience() / 16;
        assert!(longest < Duration::from_secs(50), "{longest:?}");
    }

    #[test]
    fn a_token_is_not_shown() {
        let consul = Consul::new("h", "k").token("hunter2");
        assert!(!format!("{consul:?}{}", consul.origin()).contains("hunter2"));
    }
}
