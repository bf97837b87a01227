//! The way to an API server: the kubeconfig or the service account, and how long the server asks to be left alone.

use std::{
    error::Error,
    fmt::Display,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use flux_syntax::Remote;
use kube::{
    Client, Config,
    client::{AuthError, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{runtime::Handle, time::Instant};
use tower_layer::layer_fn;
use tower_service::Service;

use crate::source::{
    SourceError,
    error::may_pass,
    off_the_worker::read_for,
    remote::{ANSWER, DEADLINE, retry_after::pause, tls::name_cryptography, without_secrets},
};

/// More is not heeded of what a server asks for, as by [`SourceError::after`].
const LONGEST: Duration = Duration::from_secs(300);

/// A client, and until when its server asked to be left alone.
pub(super) struct Cluster {
    pub(super) client: Client,
    alone: LeftAlone,
}

impl Cluster {
    /// By a client of the program's own, which heeds the server as it was configured.
    pub(super) fn of(client: Client) -> Self {
        Cluster {
            client,
            alone: LeftAlone::default(),
        }
    }

    /// By the kubeconfig that `place` names, the usual one, or the service account; an answer may be under way for `patience`.
    pub(super) async fn connect(
        place: &Remote<String>,
        patience: Duration,
    ) -> Result<Self, SourceError> {
        name_cryptography();
        let of = place.clone();
        // The files are read where they are needed, and so are programs run that a kubeconfig names.
        let runtime = Handle::current();
        let connect = move || runtime.block_on(Self::connect_here(&of, patience));
        read_for(place, DEADLINE, connect).await
    }

    async fn connect_here(place: &Remote<String>, patience: Duration) -> Result<Self, SourceError> {
        let wrong = |error: &dyn Display| {
            let (origin, error) = (place.origin(), without_secrets(place, &error.to_string()));
            format!("{origin}: no access to a cluster: {error}")
        };
        let unread = |error: &(dyn Error + 'static)| {
            let text = match of_a_program(error) {
                Some(words) => wrong(&words),
                None => wrong(&error),
            };
            match is_passing(error) {
                true => SourceError::transient(text),
                false => SourceError::configuration(text),
            }
        };
        let options = KubeConfigOptions {
            context: place.get("context").cloned(),
            ..KubeConfigOptions::default()
        };
        let config = match (place.get("kubeconfig"), &options.context) {
            (Some(path), _) => {
                let file = Kubeconfig::read_from(path).map_err(|error| unread(&error))?;
                let config = Config::from_custom_kubeconfig(file, &options).await;
                config.map_err(|error| unread(&error))?
            }
            (None, Some(_)) => Config::from_kubeconfig(&options)
                .await
                .map_err(|error| unread(&error))?,
            (None, None) => Config::infer().await.map_err(|error| unread(&error))?,
        };
        let mut config = without_proxy(config, |name| std::env::var(name).ok())
            .map_err(|error| SourceError::configuration(wrong(&error)))?;
        config.connect_timeout = Some(ANSWER);
        config.read_timeout = Some(patience + ANSWER);
        // It would sleep inside a question for as long as the server says, and the reason would be lost.
        config.default_retry = false;
        let alone = LeftAlone::default();
        let noted = alone.clone();
        let heeding = layer_fn(move |inner| Heeding {
            inner,
            alone: noted.clone(),
        });
        let builder = ClientBuilder::try_from(config).map_err(|error| unread(&error))?;
        Ok(Cluster {
            client: builder.with_layer(&heeding).build(),
            alone,
        })
    }

    /// The error of a server that is overloaded or away, with the pause that it asked for.
    pub(super) fn heeded(&self, error: SourceError) -> SourceError {
        match self.alone.pause() {
            Some(pause) => error.after(pause),
            None => error,
        }
    }
}

/// An error and its causes.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| Error::source(*error))
}

/// Whether a file could not be read for a reason that may pass.
fn is_passing(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.downcast_ref().is_some_and(may_pass))
}

/// What is shown where a program that the kubeconfig names for credentials is what failed. kube's own words have its output and its
/// variables in them, and so the credentials.
pub(super) fn of_a_program(error: &(dyn Error + 'static)) -> Option<String> {
    const NAMED: &str = "the program that the kubeconfig names for credentials";
    causes(error).find_map(|cause| match cause.downcast_ref::<AuthError>()? {
        AuthError::AuthExecRun { out, .. } => Some(format!("{NAMED} has failed ({})", out.status)),
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            Some(format!("{NAMED} has printed what are none"))
        }
        _ => None,
    })
}

/// The proxy that a variable names is passed over, as all sources do: kube takes it for every cluster, whatever `NO_PROXY` says. One
/// that the kubeconfig names is not used either, and its URL may hold a password.
fn without_proxy(
    mut config: Config,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Config, &'static str> {
    if let Some(proxy) = config.proxy_url.take() {
        let named = ["HTTPS_PROXY", "https_proxy"]
            .into_iter()
            .filter_map(variable);
        let mut named = named.filter_map(|url| url.parse::<http::Uri>().ok());
        if !named.any(|named| named == proxy) {
            return Err("the kubeconfig names a proxy (`proxy-url`), and proxies are not used");
        }
    }
    Ok(config)
}

/// Until when the server asked to be left alone. kube's errors do not have the header that shows it.
#[derive(Clone, Default)]
struct LeftAlone(Arc<Mutex<Option<Instant>>>);

impl LeftAlone {
    fn note(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let mut alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *alone = (*alone).max(Some(until));
    }

    fn pause(&self) -> Option<Duration> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until?.checked_duration_since(Instant::now())
    }
}

/// Notes each `Retry-After`.
struct Heeding<S> {
    inner: S,
    alone: LeftAlone,
}

impl<S, Q, B> Service<Q> for Heeding<S>
where
    S: Service<Q, Response = http::Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, question: Q) -> Self::Future {
        let (answer, alone) = (self.inner.call(question), self.alone.clone());
        Box::pin(async move {
            let answer = answer.await?;
            let header = |name| answer.headers().get(name)?.to_str().ok();
            if let Some(after) = header("retry-after")
                && let Some(pause) = pause(after, header("date"))
            {
                alone.note(pause);
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Watcher, k8s::Kubernetes, mailbox::Mailbox, remote::fake};
    use std::{
        io::Write,
        net::SocketAddr,
        sync::atomic::{AtomicU32, Ordering::SeqCst},
    };

    #[test]
    fn a_proxy_that_a_variable_names_is_passed_over_and_another_refused() {
        const PROXY: &str = "http://bob:swordfish@proxy:3128";
        let named = |variable: Option<&str>| {
            let mut config = Config::new("https://cluster:6443".parse().unwrap());
            config.proxy_url = Some(PROXY.parse().unwrap());
            let variable = variable.map(str::to_owned);
            without_proxy(config, |name| {
                variable.clone().filter(|_| name == "https_proxy")
            })
        };
        assert!(named(Some(PROXY)).unwrap().proxy_url.is_none());
        for other in [None, Some("http://other:3128"), Some("no URL")] {
            let refused = named(other).unwrap_err();
            assert!(refused.contains("proxy-url") && !refused.contains("swordfish"));
        }
    }

    /// A source of the cluster at `address`, and the folder of its kubeconfig.
    fn source(address: SocketAddr) -> (Kubernetes, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = format!(
            "current-context: f\nclusters: [{{name: f, cluster: {{server: 'http://{address}'}}}}]\n\
             users: [{{name: f, user: {{}}}}]\ncontexts: [{{name: f, context: {{cluster: f, user: f}}}}]\n"
        );
        std::fs::write(&path, text).unwrap();
        let source = Kubernetes::config_map("default", "app", "key");
        (source.kubeconfig(path.display().to_string()), folder)
    }

    /// kube's own words repeat the command with its variables, and all that it has printed.
    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_program_for_credentials_prints_is_not_shown() {
        for (script, shown) in [
            (
                "echo swordfish; echo swordfish >&2; exit 3",
                "has failed (exit status: 3)",
            ),
            (
                "echo '{\"token\": \"swordfish\", \"kind\": 1, swordfish'",
                "has printed what are none",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config");
            let exec = format!(
                "{{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, {script:?}], \
                 env: [{{name: KEY, value: swordfish}}], interactiveMode: Never}}"
            );
            let text = format!(
                "current-context: f\nclusters: [{{name: f, cluster: {{server: 'http://127.0.0.1:1'}}}}]\n\
                 users: [{{name: f, user: {{exec: {exec}}}}}]\ncontexts: [{{name: f, context: {{cluster: f, user: f}}}}]\n"
            );
            std::fs::write(&path, text).unwrap();
            let source = Kubernetes::config_map("default", "app", "key");
            let mut source = source.kubeconfig(path.display().to_string());
            let observer = Mailbox::new(1).observer(0);
            let error = source.watch(&observer).await.unwrap_err().to_string();
            assert!(error.contains(shown), "{error}");
            assert!(!error.contains("swordfish"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_server_that_asks_to_be_left_alone_is_asked_once_and_shows_its_reason() {
        const WORDS: &str = r#"{"kind":"Status","message":"slow down","code":429,"details":{"retryAfterSeconds":20}}"#;
        for (head, body, reason) in [
            (
                "429 Too Many Requests\r\nRetry-After: 20",
                "slow down",
                "slow down",
            ),
            ("429 Too Many Requests", WORDS, "slow down"),
            ("503 Busy\r\nRetry-After: 20", "<html>", "answers 503"),
        ] {
            let asked = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&asked);
            let address = fake::web(move |_, client| {
                count.fetch_add(1, SeqCst);
                let length = body.len();
                let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}");
                client.write_all(answer.as_bytes()).unwrap();
            });
            let (mut source, _folder) = source(address);
            let observer = Mailbox::new(1).observer(0);
            let error = source.watch(&observer).await.unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            let pause = error.retry_after(0.0);
            assert!(pause > Duration::from_secs(10), "{head}: {pause:?}");
            assert_eq!(asked.load(SeqCst), 1, "{head}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_pause_that_was_asked_for_is_heeded_until_it_is_over() {
        let alone = LeftAlone::default();
        assert_eq!(alone.pause(), None);
        let second = Duration::from_secs(1);
        alone.note(second * 20);
        alone.note(second * 5);
        tokio::time::advance(second * 8).await;
        assert_eq!(alone.pause(), Some(second * 12));
        tokio::time::advance(second * 13).await;
        assert_eq!(alone.pause(), None);
        alone.note(Duration::MAX);
        tokio::time::advance(LONGEST + second).await;
        assert_eq!(alone.pause(), None, "more is not heeded");
    }
}
