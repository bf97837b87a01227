//! The limits of time and size that sources on servers share, and how a lost or silent server is worded.

#[cfg(any(
    feature = "consul",
    feature = "etcd",
    feature = "k8s",
    feature = "zookeeper"
))]
#[cfg_attr(
    not(all(feature = "etcd", feature = "k8s")),
    allow(dead_code, reason = "each source uses a part of it")
)]
pub(crate) mod anew;
#[cfg(all(test, any(feature = "_http", feature = "k8s")))]
pub(crate) mod fake;
#[cfg(feature = "_http")]
pub(crate) mod http;
#[cfg(any(feature = "etcd", feature = "nats", feature = "zookeeper"))]
#[cfg_attr(
    not(all(feature = "etcd", feature = "nats", feature = "zookeeper")),
    allow(dead_code, reason = "each source uses a part of it")
)]
pub(crate) mod members;
#[cfg(all(test, feature = "_remote"))]
mod repeated;
#[cfg(any(feature = "_http", feature = "k8s"))]
pub(crate) mod retry_after;
#[cfg(feature = "_remote")]
pub(crate) mod secrets;
#[cfg(feature = "_remote")]
#[cfg_attr(
    not(all(feature = "etcd", feature = "nats", feature = "redis")),
    allow(dead_code, reason = "each source uses a part of it")
)]
pub(crate) mod shared;
#[cfg(feature = "_remote")]
#[cfg_attr(
    not(all(feature = "etcd", feature = "nats", feature = "redis")),
    allow(dead_code, reason = "each source uses a part of it")
)]
pub(crate) mod tls;

#[cfg(feature = "_remote")]
pub(crate) use common::*;

#[cfg(feature = "_remote")]
#[cfg_attr(
    not(all(feature = "etcd", feature = "nats", feature = "redis")),
    allow(dead_code, reason = "each source uses a part of it")
)]
mod common {
    use crate::source::{Content, Observation, SourceError};
    use flux_syntax::Remote;
    use std::time::Duration;
    use tokio::time::Instant;

    /// A larger document is refused.
    pub(crate) const MAX_SIZE: usize = 16 << 20;
    /// How often a source is read again although its server reported no change.
    pub(crate) const RESYNC: Duration = Duration::from_secs(300);
    /// How long a server may take to answer.
    pub(crate) const ANSWER: Duration = Duration::from_secs(5);
    /// How often a quiet connection is asked whether it is still there.
    pub(crate) const BEAT: Duration = Duration::from_secs(10);
    /// How long a session may show no sign of life.
    pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

    /// What a document of the server's is for the capacitor.
    pub(crate) fn document(
        place: &Remote<String>,
        bytes: impl AsRef<[u8]>,
        revision: Option<String>,
    ) -> Observation {
        let bytes = bytes.as_ref();
        if bytes.len() > MAX_SIZE {
            return Observation::Unreadable(SourceError::configuration(format!(
                "{} holds {} bytes, more than the limit of 16 MiB",
                place.origin(),
                bytes.len()
            )));
        }
        Observation::Value(Content {
            bytes: bytes.into(),
            revision: revision.map(|revision| without_secrets(place, &revision)),
        })
    }

    pub(crate) use super::secrets::without_secrets;

    /// What takes no longer than `limit`. An answer that is read later is none, although it is there: where the process was stopped in
    /// between, it is as old as its question, and the source may hold something else since.
    pub(crate) async fn in_time<T>(limit: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let begin = Instant::now();
        let answer = tokio::time::timeout(limit, answer).await.ok()?;
        (begin.elapsed() <= limit).then_some(answer)
    }

    /// The server's answer, or that there was none in time.
    pub(crate) async fn answered<T>(
        place: &Remote<String>,
        answer: impl Future<Output = T>,
    ) -> Result<T, SourceError> {
        let answer = in_time(ANSWER, answer).await;
        answer.ok_or_else(|| unanswered(place))
    }

    /// The server did not answer in time.
    pub(crate) fn unanswered(place: &Remote<String>) -> SourceError {
        SourceError::transient(format!("{}: no answer within {ANSWER:?}", place.origin()))
    }

    /// The connection ended, or what was to come on it did.
    pub(crate) fn lost(place: &Remote<String>) -> SourceError {
        SourceError::transient(format!("{}: the connection was lost", place.origin()))
    }

    /// Whether the declaration can work.
    pub(crate) fn checked(place: &Remote<String>) -> Result<(), SourceError> {
        place
            .check()
            .map_err(|error| SourceError::configuration(format!("{}: {error}", place.origin())))
    }

    /// hyper's own sentence, and that of others, reports only that something failed; the cause has the reason.
    #[cfg(any(feature = "_http", feature = "k8s"))]
    pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
        let mut cause = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        cause.to_string()
    }

    /// How every source on a server keeps its options and shows itself.
    macro_rules! keeps_options {
        ($Source:ident) => {
            impl $Source {
                fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
                    self.place.options.retain(|(known, _)| *known != name);
                    self.place.options.push((name, value.into()));
                    self
                }
            }

            impl std::fmt::Debug for $Source {
                /// Without credentials.
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_tuple(stringify!($Source))
                        .field(&self.place)
                        .finish()
                }
            }
        };
    }
    pub(crate) use keeps_options;

    /// The options of a source on a server that is named by its address, for its builder.
    #[cfg(any(
        feature = "_http",
        feature = "etcd",
        feature = "nats",
        feature = "redis",
        feature = "zookeeper"
    ))]
    macro_rules! options_of_a_server {
        ($Source:ident) => {
            $crate::source::remote::keeps_options!($Source);

            impl $Source {
                /// The user's name and password.
                #[must_use]
                pub fn credentials(
                    mut self,
                    user: impl Into<String>,
                    password: impl Into<String>,
                ) -> Self {
                    self.place.user = Some(user.into()).filter(|user| !user.is_empty());
                    self.place.password = Some(password.into());
                    self
                }

                /// Secures the connection; the system decides who is trusted, unless [`ca`](Self::ca) does.
                #[must_use]
                pub fn tls(self) -> Self {
                    self.set("tls", "true")
                }

                /// Secures the connection and trusts whom the certificates in this PEM file vouch for, nobody else.
                #[must_use]
                pub fn ca(self, path: impl Into<String>) -> Self {
                    self.set("ca", path)
                }

                /// Secures the connection and identifies the client: a certificate and its key, each a PEM file.
                #[must_use]
                pub fn client_certificate(
                    self,
                    certificate: impl Into<String>,
                    key: impl Into<String>,
                ) -> Self {
                    self.set("cert", certificate).set("cert_key", key)
                }

                /// How often the source is read again although no change was reported; 5 minutes by default.
                #[must_use]
                pub fn resync(self, every: std::time::Duration) -> Self {
                    self.set("resync", flux_syntax::format_duration(every))
                }
            }
        };
    }
    #[cfg(any(
        feature = "_http",
        feature = "etcd",
        feature = "nats",
        feature = "redis",
        feature = "zookeeper"
    ))]
    pub(crate) use options_of_a_server;
}

#[cfg(all(test, feature = "_remote"))]
mod tests {
    use super::in_time;
    use std::time::Duration;

    /// A server may make its tag of anything.
    #[test]
    fn a_revision_that_a_server_has_made_of_a_secret_is_not_shown() {
        use flux_syntax::{Remote, Scheme};
        let place = Remote::new(Scheme::Https).host("h").password("swordfish");
        let revision = Some("\"v7-swordfish\"".to_owned());
        match super::document(&place, b"{}", revision) {
            crate::source::Observation::Value(content) => {
                assert_eq!(content.revision.as_deref(), Some("\"v7-***\""));
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_read_after_its_time_is_none_although_it_is_there() {
        let limit = Duration::from_secs(5);
        for (pause, expected) in [(4, Some(1)), (5, Some(1)), (6, None)] {
            let (answer, asked) = tokio::sync::oneshot::channel();
            let waiting = tokio::spawn(in_time(limit, async { asked.await.unwrap() }));
            tokio::task::yield_now().await;
            answer.send(1).unwrap();
            // Nothing runs meanwhile, as where the process is stopped.
            tokio::time::advance(Duration::from_secs(pause)).await;
            assert_eq!(waiting.await.unwrap(), expected, "{pause}");
        }
    }
}
