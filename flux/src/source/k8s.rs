//! Watches one key of a ConfigMap or a Secret of Kubernetes, by a list and a watch from its resource version. After each watch it
//! is listed again: a watch from a version that a restored store has not reached is quiet.

mod access;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt::Debug, pin::pin, time::Duration};

use flux_syntax::{Remote, Scheme};
use futures_util::TryStreamExt;
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{
    Api, Client, Resource,
    api::{ListParams, WatchEvent, WatchParams},
    core::Status,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until};

use self::access::Cluster;
use super::{
    Observation, Observer, Resync, SourceError, Watcher,
    backoff::CAP,
    remote::{
        self, ANSWER, RESYNC,
        anew::{BRIEF, SPACING, Watches},
        answered, checked, document, innermost,
        shared::{self, Connections, Lease},
        tls::expired,
        without_secrets,
    },
};

/// How long one watch lasts at the server.
const WAIT: Duration = Duration::from_secs(120);

/// The version is older than what the server remembers.
const FORGOTTEN: u16 = 410;

/// Their connections are made anew by themselves.
static CLUSTERS: Connections<shared::Client<Cluster>> = Connections::new();

/// Watches one key of a Kubernetes ConfigMap or Secret.
///
/// The URI is `k8s://NAMESPACE/configmap/NAME/KEY` or `k8s://NAMESPACE/secret/NAME/KEY`. The credentials come from the kubeconfig
/// (`KUBECONFIG`, `~/.kube/config`, or `kubeconfig=PATH` and `context=NAME`), else by the service account of the pod. It needs the
/// verbs `list` and `watch` on the object:
///
/// ```yaml
/// apiVersion: rbac.authorization.k8s.io/v1
/// kind: Role
/// metadata: { name: read-app-config }
/// rules:
///   - apiGroups: [""]
///     resources: ["configmaps"]
///     resourceNames: ["app"]
///     verbs: ["list", "watch"]
/// ```
///
/// ```
/// use flux::{Source, source::Kubernetes};
///
/// let source = Source::watcher(Kubernetes::config_map("default", "app", "app.yaml")).format(flux::Format::Yaml);
/// ```
#[derive(Clone)]
pub struct Kubernetes {
    place: Remote<String>,
    client: Option<Client>,
}

remote::keeps_options!(Kubernetes);

impl Kubernetes {
    /// A key of a ConfigMap, in `data` or `binaryData`.
    pub fn config_map(
        namespace: impl Into<String>,
        name: impl Into<String>,
        key: impl Into<String>,
    ) -> Self {
        Self::object(namespace.into(), "configmap", name.into(), key.into())
    }

    /// A key of a Secret, decoded.
    pub fn secret(
        namespace: impl Into<String>,
        name: impl Into<String>,
        key: impl Into<String>,
    ) -> Self {
        Self::object(namespace.into(), "secret", name.into(), key.into())
    }

    fn object(namespace: String, kind: &str, name: String, key: String) -> Self {
        let place = Remote::new(Scheme::K8s).piece(namespace).piece(kind);
        Self::at(place.piece(name).piece(key))
    }

    /// By a client of your own.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// The context of the kubeconfig; its current one by default.
    #[must_use]
    pub fn context(self, name: impl Into<String>) -> Self {
        self.set("context", name)
    }

    /// The kubeconfig file.
    #[must_use]
    pub fn kubeconfig(self, path: impl Into<String>) -> Self {
        self.set("kubeconfig", path)
    }

    /// How long one watch lasts before the next one begins; 2 minutes by default. Silence is noticed after that time.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        self.set("wait", flux_syntax::format_duration(wait))
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Kubernetes {
            place,
            client: None,
        }
    }

    fn patience(&self) -> Duration {
        let wait = self.place.duration("wait").unwrap_or(WAIT);
        wait.clamp(Duration::from_secs(1), Duration::from_secs(3600))
    }

    /// Lists and watches until something is wrong.
    async fn follow<K: Keyed>(
        &self,
        cluster: &Cluster,
        observer: &Observer,
    ) -> Result<(), SourceError> {
        let (namespace, name) = (self.place.at(0), self.place.at(2));
        let api: Api<K> = Api::namespaced(cluster.client.clone(), namespace);
        let only = format!("metadata.name={name}");
        let mut resync = observer.resync();
        let mut watches = Watches::default();
        loop {
            let begin = Instant::now();
            let params = ListParams::default().fields(&only);
            let list = answered(&self.place, api.list(&params)).await?;
            let list = list.map_err(|error| self.classified(cluster, error))?;
            let version = list.metadata.resource_version.unwrap_or_default();
            // What the watch reports counts from here too: it proves no more than that the list was asked for.
            let observer = observer.as_of(begin);
            // A proxy may have lost the selector on the way.
            let is_it = |object: &&K| object.meta().name.as_deref() == Some(name);
            observer.observe(self.document_of(list.items.iter().find(is_it)));
            let watched = self.follow_from(cluster, &api, &version, &observer, &mut resync);
            let longest = CAP.min(self.patience());
            let pause = watches.pause(watched.await?, longest, fastrand::f64());
            sleep_until(begin + SPACING).await;
            tokio::select! {
                () = sleep_until(begin + pause) => {}
                () = resync.due() => {}
            }
        }
    }

    /// Watches from a version until the watch ends, or it is time to list again. Whether the watch was of use: it was open, and not
    /// refused with a version that the server has just given.
    async fn follow_from<K: Keyed>(
        &self,
        cluster: &Cluster,
        api: &Api<K>,
        version: &str,
        observer: &Observer,
        resync: &mut Resync,
    ) -> Result<bool, SourceError> {
        let name = self.place.at(2);
        let begin = Instant::now();
        let mut is_heard = false;
        let params = WatchParams::default()
            .fields(&format!("metadata.name={name}"))
            .timeout(self.patience().as_secs().try_into().unwrap_or(120));
        let events = match api.watch(&params, version).await {
            Err(kube::Error::Api(status)) if status.code == FORGOTTEN => return Ok(false),
            events => events.map_err(|error| self.classified(cluster, error))?,
        };
        let mut events = pin!(events);
        loop {
            let event = tokio::select! {
                event = events.try_next() => event.map_err(|error| self.classified(cluster, error))?,
                () = resync.due() => return Ok(true),
            };
            match event {
                // The server ends every watch after a while.
                None => return Ok(begin.elapsed() >= BRIEF),
                Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    if object.meta().name.as_deref() == Some(name) {
                        observer.observe(self.document_of(Some(&object)));
                    }
                }
                Some(WatchEvent::Deleted(object)) => {
                    if object.meta().name.as_deref() == Some(name) {
                        observer.observe(Observation::Absent);
                    }
                }
                Some(WatchEvent::Bookmark(_)) => observer.live(),
                Some(WatchEvent::Error(status)) if status.code == FORGOTTEN => {
                    return Ok(is_heard && begin.elapsed() >= BRIEF);
                }
                Some(WatchEvent::Error(status)) => return Err(self.refused(cluster, &status)),
            }
            is_heard = true;
        }
    }

    fn document_of<K: Keyed>(&self, object: Option<&K>) -> Observation {
        let Some(object) = object else {
            return Observation::Absent;
        };
        match object.content(self.place.at(3)) {
            Some(bytes) => document(&self.place, bytes, object.meta().resource_version.clone()),
            None => Observation::Absent,
        }
    }

    fn classified(&self, cluster: &Cluster, error: kube::Error) -> SourceError {
        match error {
            kube::Error::Api(status) => self.refused(cluster, &status),
            error => {
                let origin = self.place.origin();
                let why = access::of_a_program(&error).or_else(|| expired(&error));
                let why = why.unwrap_or_else(|| innermost(&error));
                let why = without_secrets(&self.place, &why);
                SourceError::transient(format!("{origin}: {why}"))
            }
        }
    }

    fn refused(&self, cluster: &Cluster, status: &Status) -> SourceError {
        let said = without_secrets(&self.place, &status.message);
        let (origin, code) = (self.place.origin(), status.code);
        // The words of a proxy are a page.
        let text = match said.is_empty() || said.starts_with('<') {
            true => format!("{origin}: the server answers {code}"),
            false => format!("{origin}: {said}"),
        };
        match code {
            401 | 403 => SourceError::permission(text),
            FORGOTTEN => SourceError::transient(text),
            429 | 500.. => {
                let asked = status.details.as_ref();
                let asked = asked.map_or(0, |details| details.retry_after_seconds);
                let error = SourceError::transient(text);
                cluster.heeded(error.after(Duration::from_secs(asked.into())))
            }
            _ => SourceError::configuration(text),
        }
    }
}

/// An object that has keys.
trait Keyed:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    fn content(&self, key: &str) -> Option<Vec<u8>>;
}

fn binary(data: &Option<BTreeMap<String, ByteString>>, key: &str) -> Option<Vec<u8>> {
    data.as_ref()?.get(key).map(|bytes| bytes.0.clone())
}

impl Keyed for ConfigMap {
    fn content(&self, key: &str) -> Option<Vec<u8>> {
        let text = self.data.as_ref().and_then(|data| data.get(key));
        text.map(|text| text.clone().into_bytes())
            .or_else(|| binary(&self.binary_data, key))
    }
}

impl Keyed for Secret {
    fn content(&self, key: &str) -> Option<Vec<u8>> {
        binary(&self.data, key)
    }
}

impl Watcher for Kubernetes {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        // The list, the watch, and the next list; a connection for it, too.
        Some(self.patience() + ANSWER * 3)
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.place.duration("resync").unwrap_or(RESYNC))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        let cluster = match &self.client {
            Some(client) => Lease::own(shared::Client::new(Cluster::of(client.clone()))),
            None => {
                let connect = async {
                    let cluster = Cluster::connect(&self.place, self.patience());
                    cluster.await.map(shared::Client::new)
                };
                CLUSTERS
                    .lease(&self.place, observer.was_live(), connect)
                    .await?
            }
        };
        let ended = match self.place.at(1) {
            "secret" => self.follow::<Secret>(&cluster, observer).await,
            _ => self.follow::<ConfigMap>(&cluster, observer).await,
        };
        // The next session reads the kubeconfig and its files again, also while another source holds the client.
        cluster.give_up();
        ended
    }
}
