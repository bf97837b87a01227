//! Watches one document of Firestore, or one field of it, by a listener. An open listener proves only that the connection is, so it
//! is begun anew every now and then, from where it was.

mod heard;
#[cfg(test)]
mod tests;
mod value;

use std::{future::ready, sync::Arc, time::Duration};

use flux_syntax::{Remote, Scheme};
use futures_util::{StreamExt, stream};
use gcp_auth::TokenProvider;
use googleapis_tonic_google_firestore_v1::google::firestore::v1::{
    Document, ListenRequest, ListenResponse, Target,
    firestore_client::FirestoreClient,
    listen_request,
    target::{DocumentsTarget, ResumeType, TargetType},
};
use tokio::{
    sync::oneshot,
    time::{Instant, interval},
};
use tonic::{
    Code, Request, Status, Streaming,
    metadata::MetadataValue,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use self::heard::{LastHeard, ListenEvent};
use super::{
    ErrorKind, Observation, Observer, SourceError, Watcher,
    remote::{
        self, ANSWER, BEAT, DEADLINE, MAX_SIZE, answered, checked, document,
        shared::{self, Connections, Lease},
        tls::{name_cryptography, words},
        without_secrets,
    },
};

static PROJECTS: Connections<shared::Client<Project>> = Connections::new();

/// How long a listener is believed.
const RELISTEN: Duration = Duration::from_secs(60);

const SCOPE: &[&str] = &["https://www.googleapis.com/auth/datastore"];

/// A connection and its credentials; none at the emulator.
struct Project {
    channel: Channel,
    who: Option<Arc<dyn TokenProvider>>,
}

/// Watches a Firestore document: one field that holds the document of the configuration, or all fields as JSON.
///
/// The URI is `firestore://PROJECT/COLLECTION/DOCUMENT?field=data`. The credentials are Google's application default credentials
/// and needs `datastore.entities.get` and `datastore.entities.list` (the role `roles/datastore.viewer`).
/// `FIRESTORE_EMULATOR_HOST` is honoured.
///
/// ```
/// use flux::{Source, source::Firestore};
///
/// let source = Source::watcher(Firestore::new("my-project", "config/app").field("data"));
/// ```
#[derive(Clone)]
pub struct Firestore {
    place: Remote<String>,
    /// What was seen last and how to go on from there.
    last: Option<LastHeard>,
}

remote::keeps_options!(Firestore);

impl Firestore {
    /// The document at `path`, such as `config/app`.
    pub fn new(project: impl Into<String>, path: impl Into<String>) -> Self {
        Self::at(Remote::new(Scheme::Firestore).piece(project).piece(path))
    }

    pub(super) fn at(place: Remote<String>) -> Self {
        Firestore { place, last: None }
    }

    /// The field that holds the configuration, as text, bytes or a map; the whole document as JSON without it.
    #[must_use]
    pub fn field(self, name: impl Into<String>) -> Self {
        self.set("field", name)
    }

    /// The database; `(default)` without it.
    #[must_use]
    pub fn database(self, name: impl Into<String>) -> Self {
        self.set("database", name)
    }

    /// The emulator at `host`, such as `127.0.0.1:8080`; that of `FIRESTORE_EMULATOR_HOST` without it, else Google's servers.
    #[must_use]
    pub fn emulator(self, host: impl Into<String>) -> Self {
        self.set("emulator", host)
    }

    /// An access token in place of the application default credentials.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.set("token", token)
    }

    fn database_path(&self) -> String {
        let database = self
            .place
            .get("database")
            .map_or("(default)", String::as_str);
        format!("projects/{}/databases/{database}", self.place.at(0))
    }

    async fn connect(&self) -> Result<Project, SourceError> {
        let origin = self.place.origin();
        let wrong = |error: &dyn std::fmt::Display| {
            let error = without_secrets(&self.place, &error.to_string());
            SourceError::configuration(format!("{origin}: {error}"))
        };
        let usual = || std::env::var("FIRESTORE_EMULATOR_HOST").ok();
        let emulator = self.place.get("emulator").cloned().or_else(usual);
        let emulator = emulator.filter(|host| !host.is_empty());
        let address = match &emulator {
            Some(host) => format!("http://{host}"),
            None => "https://firestore.googleapis.com".to_owned(),
        };
        let mut endpoint = Endpoint::from_shared(address)
            .map_err(|error| wrong(&error))?
            .connect_timeout(ANSWER)
            .http2_keep_alive_interval(BEAT)
            .keep_alive_timeout(ANSWER)
            .keep_alive_while_idle(true);
        let mut who = None;
        if emulator.is_none() {
            name_cryptography();
            endpoint = endpoint
                .tls_config(ClientTlsConfig::new().with_native_roots())
                .map_err(|error| wrong(&error))?;
        }
        if emulator.is_none() && self.place.get("token").is_none() {
            let found = gcp_auth::provider().await;
            who = Some(found.map_err(|error| {
                let error = without_secrets(&self.place, &error.to_string());
                SourceError::permission(format!(
                    "{origin}: no application default credentials: {error}"
                ))
            })?);
        }
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| self.lost(&words(&error)))?;
        Ok(Project { channel, who })
    }

    /// A listener from where the last one ended.
    async fn listen(&mut self, project: &Project) -> Result<Listener, SourceError> {
        let database = self.database_path();
        let target = Target {
            target_id: 1,
            target_type: Some(TargetType::Documents(DocumentsTarget {
                documents: vec![format!("{database}/documents/{}", self.place.at(1))],
            })),
            resume_type: (self.last.as_ref())
                .filter(|last| !last.token.is_empty())
                .map(|last| ResumeType::ResumeToken(last.token.clone())),
            ..Target::default()
        };
        let first = ListenRequest {
            database: database.clone(),
            target_change: Some(listen_request::TargetChange::AddTarget(target)),
            ..ListenRequest::default()
        };
        // The listener, and the connection with it, lasts for as long as the requests do not end.
        let (requests, end) = oneshot::channel::<ListenRequest>();
        let end = stream::once(end).filter_map(|next| ready(next.ok()));
        let mut request = Request::new(stream::iter([first]).chain(end));
        let bearer = match (self.place.get("token"), &project.who) {
            (Some(token), _) => token.clone(),
            (None, None) => "owner".to_owned(),
            (None, Some(who)) => match who.token(SCOPE).await {
                Ok(token) => token.as_str().to_owned(),
                Err(error) => return Err(self.lost(&error)),
            },
        };
        let metadata = request.metadata_mut();
        if let Ok(mut value) = MetadataValue::try_from(format!("Bearer {bearer}")) {
            value.set_sensitive(true);
            metadata.insert("authorization", value);
        }
        if let Ok(value) = MetadataValue::try_from(database) {
            metadata.insert("google-cloud-resource-prefix", value);
        }
        let mut client = FirestoreClient::new(project.channel.clone())
            .max_decoding_message_size(MAX_SIZE + (1 << 20));
        let answer = answered(&self.place, client.listen(request)).await?;
        let answer = answer.map_err(|status| self.refused(&status))?;
        self.goes_on();
        Ok(Listener {
            events: answer.into_inner(),
            _requests: requests,
        })
    }

    fn observed(&self, found: &Option<Document>) -> Observation {
        let Some(found) = found else {
            return Observation::Absent;
        };
        let revision =
            (found.update_time.as_ref()).map(|at| format!("{}.{:09}", at.seconds, at.nanos));
        let content = match self.place.get("field") {
            None => value::json_of(&found.fields).map(|json| Some(json.into_bytes())),
            Some(name) => match found.fields.get(name) {
                Some(field) => value::content_of(name, field),
                None => Ok(None),
            },
        };
        match content {
            Ok(Some(content)) => document(&self.place, content, revision),
            Ok(None) => Observation::Absent,
            Err(error) => Observation::Unreadable(SourceError::configuration(format!(
                "{}: {error}",
                self.place.origin()
            ))),
        }
    }

    fn refused(&self, status: &Status) -> SourceError {
        let said = without_secrets(&self.place, status.message());
        let text = format!("{}: {said}", self.place.origin());
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => SourceError::permission(text),
            Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition => {
                SourceError::configuration(text)
            }
            _ => SourceError::transient(text),
        }
    }

    fn lost(&self, why: &dyn std::fmt::Display) -> SourceError {
        let why = without_secrets(&self.place, &why.to_string());
        SourceError::transient(format!("{}: {why}", self.place.origin()))
    }
}

/// A listener, which ends at the server with its drop.
struct Listener {
    events: Streaming<ListenResponse>,
    _requests: oneshot::Sender<ListenRequest>,
}

impl Watcher for Firestore {
    fn origin(&self) -> String {
        self.place.origin()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }

    fn resync(&self) -> Option<Duration> {
        Some(self.place.duration("resync").unwrap_or(RELISTEN))
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        checked(&self.place)?;
        observer.is_read_every(RELISTEN, ANSWER);
        let connect = async { self.connect().await.map(shared::Client::new) };
        let project: Lease<shared::Client<Project>> = PROJECTS
            .lease(&self.place, observer.was_live(), connect)
            .await?;
        let ended = self.follow(&project, observer).await;
        if let Err(error) = &ended
            && error.kind() == ErrorKind::Permission
        {
            // The next session reads the credentials again, also while another source holds the project.
            project.give_up();
        }
        ended
    }
}

impl Firestore {
    /// Listens until the first error.
    async fn follow(&mut self, project: &Project, observer: &Observer) -> Result<(), SourceError> {
        let mut again = observer.resync();
        let mut reader = observer.as_of(Instant::now());
        let mut listener = match self.listen(project).await {
            Ok(listener) => listener,
            Err(error) => {
                // The place to go on from may be what is wrong.
                self.last = None;
                return Err(error);
            }
        };
        let mut heard = ListenEvent::default();
        let mut beat = interval(BEAT / 2);
        loop {
            let event = tokio::select! {
                event = listener.events.message() => event,
                // Not before it has answered, however long that takes.
                () = again.due(), if heard.current => {
                    reader = observer.as_of(Instant::now());
                    listener = self.listen(project).await?;
                    heard = ListenEvent::default();
                    continue;
                }
                // A dead connection is found by the pings of the protocol and ends the events.
                _ = beat.tick() => {
                    if heard.current {
                        observer.connected();
                    }
                    continue;
                }
            };
            let event = match event {
                Ok(Some(event)) => event.response_type,
                Ok(None) => return Err(self.lost(&"the listener ended")),
                Err(status) => {
                    if !heard.current {
                        self.last = None;
                    }
                    return Err(self.refused(&status));
                }
            };
            if let Some(event) = event {
                self.heard(event, &mut heard, &reader)?;
            }
        }
    }
}
