//! What stages, callbacks and parties get of an update, and what the pipeline returns.

use crate::{
    Config, Snapshot,
    change::Transaction,
    engine::Question,
    report::{
        outgoing::{SafeText, SecretBook},
        secrets::BuiltSecrets,
    },
};
use std::{fmt, sync::Arc};

/// What flows through the pipeline: the value that readers see and the one that they are to see.
pub struct Request<C> {
    /// What readers see now; none before the first.
    pub previous: Option<Arc<Snapshot<C>>>,
    /// What they are to see. A stage may replace it with [`with`](Request::with); what comes out is validated again.
    pub current: Arc<Snapshot<C>>,
    /// The documents it was built from, lowest layer first; none for a layer without a document.
    pub raw: Arc<[Option<Arc<[u8]>>]>,
    /// What was validated before the pipeline.
    proposed: Arc<Snapshot<C>>,
    /// It leads back to an earlier generation.
    back: bool,
    /// Whether rules from previous to next apply: not to the first value after a start.
    transition: bool,
    id: u64,
    owner: Arc<RequestOwner>,
}

/// Whose update a request is, for events, and what they must not quote.
pub(crate) struct RequestOwner {
    name: Arc<str>,
    secrets: SecretBook,
}

impl RequestOwner {
    /// A capacitor without secrets.
    pub(crate) fn new(name: Arc<str>) -> Self {
        let secrets = SecretBook::default();
        RequestOwner { name, secrets }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A text of the program as an event may have it.
    pub(crate) fn safe(&self, text: &dyn fmt::Display) -> SafeText {
        self.secrets.safe(text)
    }

    /// What is reported in the place of an error that quotes a secret; none of one that does not.
    pub(crate) fn withheld(&self, error: &dyn fmt::Display) -> Option<&'static str> {
        self.secrets.withheld(error)
    }
}

impl<C> Request<C> {
    /// The engine's question.
    pub(crate) fn of(question: Question, owner: &Arc<RequestOwner>) -> Self
    where
        C: Send + Sync + 'static,
    {
        let proposed = question.proposed.typed();
        // One for all updates of a type without secrets.
        let owner = match question.secrets.is_empty() {
            true => Arc::clone(owner),
            false => Arc::new(RequestOwner {
                name: Arc::clone(&owner.name),
                secrets: question.secrets,
            }),
        };
        Request {
            previous: question.previous.map(|snapshot| snapshot.typed()),
            current: Arc::clone(&proposed),
            raw: question.raw,
            proposed,
            back: question.back,
            transition: question.transition,
            id: question.update,
            owner,
        }
    }

    /// Replaces what readers are to see.
    #[must_use]
    pub fn with(mut self, value: C) -> Self {
        let generation = Snapshot::generation(&self.current);
        self.current = Arc::new(Snapshot::new(value, generation));
        self
    }

    /// The number of the update that this is a part of, the same in its `tracing` events. Retries share it.
    pub fn correlation_id(&self) -> u64 {
        self.id
    }

    /// The name of the capacitor whose update this is.
    pub fn capacitor(&self) -> &str {
        &self.owner.name
    }

    /// A text of the program as an event may have it.
    pub(crate) fn safe(&self, text: &dyn fmt::Display) -> SafeText {
        self.owner.safe(text)
    }

    /// What is reported in the place of a text that quotes a secret; none of one that does not.
    pub(super) fn withheld(&self, text: &dyn fmt::Display) -> Option<&'static str> {
        self.owner.withheld(text)
    }

    /// What a stage is given, where its secrets count.
    pub(super) fn given(&self) -> Option<Arc<Snapshot<C>>> {
        (!self.owner.secrets.is_empty()).then(|| Arc::clone(&self.current))
    }

    /// Notes the secrets of what a stage has put in the place of what it was `given`.
    pub(super) fn note(&self, given: Option<&Arc<Snapshot<C>>>)
    where
        C: Config,
    {
        if given.is_some_and(|given| !Arc::ptr_eq(given, &self.current)) {
            let made = Arc::clone(&self.current);
            let secrets = || BuiltSecrets::new(true, move |secrets| made.secrets(secrets));
            self.owner.secrets.note(secrets);
        }
    }

    pub(crate) fn owner(&self) -> Arc<RequestOwner> {
        Arc::clone(&self.owner)
    }

    pub(crate) fn owner_name(&self) -> Arc<str> {
        Arc::clone(&self.owner.name)
    }

    /// Whether a stage or a layer has replaced what was validated.
    pub(crate) fn is_replaced(&self) -> bool {
        !Arc::ptr_eq(&self.current, &self.proposed)
    }

    /// Whether it leads back to an earlier generation ([`Capacitor::rollback`](crate::Capacitor::rollback), or a probation that
    /// failed). That value has come out of the stages before, so they do not run on it again; layers and parties are asked.
    pub fn goes_back(&self) -> bool {
        self.back
    }

    pub(crate) fn has_transition(&self) -> bool {
        self.transition
    }
}

impl<C> Clone for Request<C> {
    fn clone(&self) -> Self {
        Request {
            previous: self.previous.clone(),
            current: Arc::clone(&self.current),
            raw: Arc::clone(&self.raw),
            proposed: Arc::clone(&self.proposed),
            back: self.back,
            transition: self.transition,
            id: self.id,
            owner: Arc::clone(&self.owner),
        }
    }
}

impl<C> fmt::Debug for Request<C> {
    /// Without the values, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("current", &self.current)
            .field("correlation_id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The pipeline's answer: the value that it lets through, and what the parties have prepared for it. Dropped instead of
/// returned, it rolls them back.
pub struct Applied<C> {
    pub(crate) request: Request<C>,
    pub(crate) transaction: Transaction,
    /// Whether the value was checked after its last replacement.
    pub(crate) checked: bool,
}

impl<C> Applied<C> {
    /// The request that is let through.
    pub fn request(&self) -> &Request<C> {
        &self.request
    }
}

/// Lets a request through without asking anybody.
impl<C> From<Request<C>> for Applied<C> {
    fn from(request: Request<C>) -> Self {
        Applied {
            request,
            transaction: Transaction::default(),
            checked: false,
        }
    }
}

impl<C> fmt::Debug for Applied<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applied")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
