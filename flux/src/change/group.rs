//! Several config types that change together: all of them swap or none does.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Holds capacitors of several config types together: while the newest content of one of them is refused, none of them takes
/// anything new up; once all are good again, all of them swap. Members join with [`Builder::group`](crate::Builder::group);
/// clones are the same group.
///
/// A change of one member alone waits for nobody; one that comes while another member is at work waits for it, so that what is
/// written together is taken up together. Start the members at the same time (`tokio::try_join!`) to hold the first configurations
/// together as well. A callback without a timeout holds up the whole group for as long as it takes. A way back, by
/// [`Capacitor::rollback`](crate::Capacitor::rollback) or after a failed probation, is each member's own and waits for nobody; the
/// others take nothing new up until that member has content that it can take up.
///
/// ```
/// use flux::change::Group;
/// # #[derive(flux::Flux)] struct Routes { #[flux(default)] table: Vec<String> }
/// # #[derive(flux::Flux)] struct Limits { #[flux(default = 10)] rate: u32 }
/// let group = Group::new();
/// let routes = flux::Capacitor::<Routes>::builder().group(&group);
/// let limits = flux::Capacitor::<Limits>::builder().group(&group);
/// ```
#[derive(Clone, Default)]
pub struct Group(Arc<Mutex<Members>>);

#[derive(Default)]
struct Members {
    next: u64,
    members: Vec<One>,
}

struct One {
    id: u64,
    name: String,
    stand: Stand,
    waker: Option<Waker>,
    verdict: Option<Verdict>,
}

/// Where a member stands.
enum Stand {
    /// Everything of it is applied.
    Idle,
    /// It has news and no outcome yet.
    Busy,
    /// It is ready to swap.
    Ready(Contribution),
    /// Its newest content is refused.
    Refused,
    /// It was ready, but another one is refused.
    Vetoed,
}

/// How a member swaps, and what it does after all have.
pub(crate) struct Contribution {
    pub(crate) swap: Box<dyn FnOnce() + Send>,
    pub(crate) commit: Box<dyn FnOnce() + Send>,
}

/// What the group says to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has swapped.
    Swapped,
    /// These members are refused, so nobody swaps.
    Vetoed(Vec<String>),
    /// The members that were refused are good again: propose once more.
    Again,
}

impl Group {
    /// A group without members.
    pub fn new() -> Self {
        Group::default()
    }

    /// A new member, busy with its first configuration.
    pub(crate) fn join(&self, name: &str) -> Member {
        let mut members = self.lock();
        let id = members.next;
        members.next += 1;
        members.members.push(One {
            id,
            name: name.to_owned(),
            stand: Stand::Busy,
            waker: None,
            verdict: None,
        });
        Member {
            group: self.clone(),
            id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    /// Decides what can be decided now.
    fn settle(&mut self) {
        if self
            .members
            .iter()
            .any(|one| matches!(one.stand, Stand::Busy))
        {
            return;
        }
        let refused: Vec<String> = self
            .members
            .iter()
            .filter(|one| matches!(one.stand, Stand::Refused))
            .map(|one| one.name.clone())
            .collect();
        if !refused.is_empty() {
            for one in &mut self.members {
                if matches!(one.stand, Stand::Ready(_)) {
                    // Dropping the contribution rolls its parties back.
                    one.stand = Stand::Vetoed;
                    one.tell(Verdict::Vetoed(refused.clone()));
                }
            }
            return;
        }
        if self
            .members
            .iter()
            .any(|one| matches!(one.stand, Stand::Vetoed))
        {
            for one in &mut self.members {
                if matches!(one.stand, Stand::Vetoed) {
                    one.stand = Stand::Busy;
                    one.tell(Verdict::Again);
                }
            }
            return;
        }
        let mut commits = Vec::new();
        for one in &mut self.members {
            if matches!(one.stand, Stand::Ready(_))
                && let Stand::Ready(ready) = std::mem::replace(&mut one.stand, Stand::Idle)
            {
                (ready.swap)();
                commits.push(ready.commit);
                one.tell(Verdict::Swapped);
            }
        }
        for commit in commits {
            commit();
        }
    }
}

impl One {
    fn tell(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A capacitor's place in its group; it leaves when this is dropped.
pub(crate) struct Member {
    group: Group,
    id: u64,
}

impl Member {
    fn enter(&self, stand: Stand) -> Option<Verdict> {
        let mut members = self.group.lock();
        let one = members.members.iter_mut().find(|one| one.id == self.id)?;
        one.stand = stand;
        let unread = one.verdict.take();
        members.settle();
        unread
    }

    /// It has news. What it had proposed is withdrawn, unless the answer says that it was swapped already.
    pub(crate) fn busy(&self) -> Option<Verdict> {
        self.enter(Stand::Busy)
    }

    /// Its update is over and everything of it is applied.
    pub(crate) fn idle(&self) {
        self.enter(Stand::Idle);
    }

    /// Its newest content is refused.
    pub(crate) fn refused(&self) {
        self.enter(Stand::Refused);
    }

    /// It is ready to swap; [`poll`](Member::poll) gives the verdict.
    pub(crate) fn ready(&self, contribution: Contribution) {
        self.enter(Stand::Ready(contribution));
    }

    /// The group's verdict.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Verdict> {
        let mut members = self.group.lock();
        let Some(one) = members.members.iter_mut().find(|one| one.id == self.id) else {
            return Poll::Pending;
        };
        match one.verdict.take() {
            Some(verdict) => Poll::Ready(verdict),
            None => {
                one.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.group.lock();
        members.members.retain(|one| one.id != self.id);
        members.settle();
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parties commit and roll back under the lock, and may print what they like.
        let Ok(members) = self.0.try_lock() else {
            return f.debug_struct("Group").finish_non_exhaustive();
        };
        let names: Vec<_> = members.members.iter().map(|one| &one.name).collect();
        f.debug_struct("Group").field("members", &names).finish()
    }
}
