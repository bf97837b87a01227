//! That all parties prepare and then commit, or those that had prepared roll back after a veto.

use super::Change;
use crate::{
    Snapshot, observe,
    pipeline::{Answer, BoxError, Request, RequestOwner, guarded},
    problem::caught,
    report::outgoing::SafeText,
};
use std::{borrow::Cow, fmt, future::Future, marker::PhantomData, sync::Arc};

/// A subsystem that takes part in every change: it prepares, and may veto by failing to; then either commits or rolls back what
/// it prepared. Registered with [`Builder::party`](crate::Builder::party).
///
/// All parties prepare, in the order in which they were registered; then readers see the new configuration; then all parties
/// commit. Where one fails to prepare, those that had prepared roll back in reverse order, and the configuration stays as it was.
/// A preparation that is cut off by a timeout is dropped where it is; what it holds by then is released by its own drop.
///
/// ```
/// use flux::{Flux, change::{Change, Party}};
/// use std::sync::Mutex;
///
/// #[derive(Flux)]
/// struct AppConfig { workers: usize }
///
/// struct Pool { workers: Mutex<Vec<String>> }
///
/// impl Party<AppConfig> for Pool {
///     type Prepared = Vec<String>;
///     type Error = std::io::Error;
///     async fn prepare(&self, change: &Change<AppConfig>) -> Result<Vec<String>, std::io::Error> {
///         // Whatever can fail is done here: connect, allocate, bind.
///         Ok((0..change.current.workers).map(|n| format!("worker {n}")).collect())
///     }
///     fn commit(&self, prepared: Vec<String>) {
///         *self.workers.lock().unwrap() = prepared;
///     }
/// }
/// ```
pub trait Party<C>: Send + Sync + 'static {
    /// What preparing yields: everything that committing needs.
    type Prepared: Send + 'static;
    /// Why it cannot prepare.
    type Error: Into<BoxError>;

    /// What reports call it; the type's name by default.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        full.rsplit("::").next().unwrap_or(full).to_owned()
    }

    /// Makes ready for the change without taking it up, or vetoes it with an error. Called again for every retry.
    fn prepare(
        &self,
        change: &Change<C>,
    ) -> impl Future<Output = Result<Self::Prepared, Self::Error>> + Send;

    /// Takes the change up. It cannot fail any more, and must be quick: the next party and every subscriber wait for it.
    fn commit(&self, prepared: Self::Prepared);

    /// Releases what was prepared. It must be quick, too; by default the preparation is dropped.
    fn rollback(&self, prepared: Self::Prepared) {
        drop(prepared);
    }
}

/// Who refused a change, and why. Its `Display` quotes no secret; [`Veto::error`] is what the program gave.
pub struct Veto {
    by: String,
    why: SafeText,
    error: BoxError,
}

impl Veto {
    pub(crate) fn new(by: impl Into<String>, why: SafeText, error: BoxError) -> Self {
        let by = by.into();
        Veto { by, why, error }
    }
    /// The error as the program gave it.
    pub fn error(&self) -> &BoxError {
        &self.error
    }
}

impl fmt::Display for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused it: {}", self.by, self.why)
    }
}

impl fmt::Debug for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Veto")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Veto {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

/// What is left to be done of a preparation; nothing for most callbacks.
type Preparing = Answer<Option<Box<dyn Pending>>>;

/// A [`Party`] of any type.
pub(crate) trait AnyParty<C>: Send + Sync {
    /// What reports call it.
    fn called(&self) -> Cow<'static, str>;
    fn prepare(self: Arc<Self>, change: Change<C>) -> Preparing;
    /// Whether what it prepares can be rolled back.
    fn has_rollback(&self) -> bool;
}

/// A party with all three of its parts.
pub(crate) struct Whole<P>(pub(crate) P);

impl<C: Send + Sync + 'static, P: Party<C>> AnyParty<C> for Whole<P> {
    fn called(&self) -> Cow<'static, str> {
        format!("`{}`", self.0.name()).into()
    }
    fn prepare(self: Arc<Self>, change: Change<C>) -> Preparing {
        Box::pin(async move {
            let prepared = self.0.prepare(&change).await.map_err(Into::into)?;
            let pending: Box<dyn Pending> = Box::new(PreparedBy {
                party: self,
                prepared,
                config: PhantomData,
            });
            Ok(Some(pending))
        })
    }
    fn has_rollback(&self) -> bool {
        true
    }
}

/// What one party has prepared.
pub(crate) trait Pending: Send {
    fn commit(self: Box<Self>);
    fn rollback(self: Box<Self>);
}

struct PreparedBy<C, P: Party<C>> {
    party: Arc<Whole<P>>,
    prepared: P::Prepared,
    config: PhantomData<fn(C)>,
}

impl<C: 'static, P: Party<C>> Pending for PreparedBy<C, P> {
    fn commit(self: Box<Self>) {
        self.party.0.commit(self.prepared);
    }
    fn rollback(self: Box<Self>) {
        self.party.0.rollback(self.prepared);
    }
}

/// The plain apply callback: a party that has nothing to commit.
pub(crate) struct Callback<F>(pub(crate) F);

impl<C, F, O, E> AnyParty<C> for Callback<F>
where
    C: Send + Sync + 'static,
    F: Fn(Option<Arc<Snapshot<C>>>, Arc<Snapshot<C>>) -> O + Send + Sync + 'static,
    O: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn called(&self) -> Cow<'static, str> {
        "the apply callback".into()
    }
    fn prepare(self: Arc<Self>, change: Change<C>) -> Preparing {
        let answer = (self.0)(change.previous, change.current);
        Box::pin(async move { answer.await.map(|()| None).map_err(Into::into) })
    }
    fn has_rollback(&self) -> bool {
        false
    }
}

/// What all parties have prepared for one change. Dropped, it rolls them back in reverse order: so every preparation that
/// succeeded is either committed or rolled back, whatever happens to the update.
#[derive(Default)]
pub(crate) struct Transaction {
    prepared: Vec<(Cow<'static, str>, Box<dyn Pending>)>,
    /// Whose update it is, for events, and what they must not quote.
    owner: Option<Arc<RequestOwner>>,
}

impl Transaction {
    /// Asks one more party to prepare.
    pub(crate) async fn join<C: Send + Sync + 'static>(
        &mut self,
        party: &Arc<dyn AnyParty<C>>,
        request: &Request<C>,
    ) -> Result<(), BoxError> {
        let change = Change {
            previous: request.previous.clone(),
            current: Arc::clone(&request.current),
        };
        let party = Arc::clone(party);
        let name = party.called();
        let prepared = guarded(move || party.prepare(change), "it").await;
        match prepared {
            Ok(None) => Ok(()),
            Ok(Some(pending)) => {
                self.prepared.push((name, pending));
                self.owner = Some(request.owner());
                Ok(())
            }
            Err(error) => {
                let why = request.safe(&error);
                Err(Veto::new(name, why, error).into())
            }
        }
    }

    /// All parties take the change up, in the order in which they prepared.
    pub(crate) fn commit(mut self) {
        for (name, pending) in std::mem::take(&mut self.prepared) {
            self.survive(&name, "commit", || pending.commit());
        }
    }

    /// Runs a party's code that must not fail; a panic is reported and the others go on.
    fn survive(&self, name: &str, what: &str, go: impl FnOnce()) {
        if let Err(panic) = caught(go) {
            // It is known since the first party has prepared something.
            let Some(owner) = &self.owner else {
                return;
            };
            let hook = format!("{what} of {name}");
            observe::panicked(owner.name(), &hook, &owner.safe(&panic));
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        while let Some((name, pending)) = self.prepared.pop() {
            self.survive(&name, "rollback", || pending.rollback());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_veto_prints_its_reason_as_it_may_be_shown_alone() {
        let why = SafeText::own("the reason is not shown");
        let veto = Veto::new("pool", why, "cannot log in with hunter2".into());
        for text in [veto.to_string(), format!("{veto:?}"), format!("{veto:#?}")] {
            assert!(text.contains("pool") && !text.contains("hunter2"), "{text}");
        }
        assert_eq!(veto.error().to_string(), "cannot log in with hunter2");
    }
}
