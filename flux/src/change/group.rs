//! That several config types change together: when all members are ready to swap, and when none of them does.

use crate::engine::AnySnapshot;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Holds capacitors of several config types together: while the newest content of one of them is refused, none of them takes
/// anything new up; once all are good again, all of them swap. Members join with [`Builder::group`](crate::Builder::group);
/// clones are the same group.
///
/// A change of one member alone waits for no other member; one that comes while another member is at work waits for it, so that what is
/// written together is taken up together. Start the members at the same time (`tokio::try_join!`) to hold the first configurations
/// together as well. A callback without a timeout holds up the whole group for as long as it takes. A way back, by
/// [`Capacitor::rollback`](crate::Capacitor::rollback) or after a failed probation, is each member's own and waits for no other; the
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
    state: MemberState,
    waker: Option<Waker>,
    verdict: Option<GroupVerdict>,
}

/// The state of a member.
enum MemberState {
    /// Everything of it is applied.
    Idle,
    /// It has news and no outcome yet.
    Busy,
    /// It is ready to swap.
    Ready(Swap),
    /// Its newest content is refused.
    Refused,
    /// It was ready, but another one is refused.
    Vetoed,
}

/// Lets a member's readers see its new configuration, and answers with the one before. It runs under the group's lock, so that all
/// members swap at once: no code of the program may be in it. Parties commit and roll back in the member's own task.
pub(crate) type Swap = Box<dyn FnOnce() -> Option<AnySnapshot> + Send>;

/// What a decision leaves to be done once the lock is released: dropping old configurations is code of the program, and a waker
/// may run anything.
#[derive(Default)]
struct Afterwards {
    wakers: Vec<Waker>,
    old: Vec<AnySnapshot>,
    swaps: Vec<Swap>,
}

impl Afterwards {
    fn run(self) {
        self.wakers.into_iter().for_each(Waker::wake);
    }
}

/// What the group answers to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GroupVerdict {
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
            state: MemberState::Busy,
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
    fn settle(&mut self, after: &mut Afterwards) {
        let members = &mut self.members;
        if members
            .iter()
            .any(|one| matches!(one.state, MemberState::Busy))
        {
            return;
        }
        let refused = members
            .iter()
            .filter(|one| matches!(one.state, MemberState::Refused));
        let refused: Vec<String> = refused.map(|one| one.name.clone()).collect();
        if !refused.is_empty() {
            for one in members {
                if matches!(one.state, MemberState::Ready(_)) {
                    one.enter(MemberState::Vetoed, after);
                    one.answer(GroupVerdict::Vetoed(refused.clone()), after);
                }
            }
            return;
        }
        if members
            .iter()
            .any(|one| matches!(one.state, MemberState::Vetoed))
        {
            for one in members {
                if matches!(one.state, MemberState::Vetoed) {
                    one.state = MemberState::Busy;
                    one.answer(GroupVerdict::Again, after);
                }
            }
            return;
        }
        for one in members {
            if matches!(one.state, MemberState::Ready(_))
                && let MemberState::Ready(swap) =
                    std::mem::replace(&mut one.state, MemberState::Idle)
            {
                after.old.extend(swap());
                one.answer(GroupVerdict::Swapped, after);
            }
        }
    }
}

impl One {
    fn enter(&mut self, state: MemberState, after: &mut Afterwards) {
        if let MemberState::Ready(swap) = std::mem::replace(&mut self.state, state) {
            after.swaps.push(swap);
        }
    }

    fn answer(&mut self, verdict: GroupVerdict, after: &mut Afterwards) {
        self.verdict = Some(verdict);
        after.wakers.extend(self.waker.take());
    }
}

/// A capacitor's place in its group; it leaves when this is dropped.
pub(crate) struct Member {
    group: Group,
    id: u64,
}

impl Member {
    fn enter(&self, state: MemberState) -> Option<GroupVerdict> {
        let mut after = Afterwards::default();
        let unread = {
            let mut members = self.group.lock();
            let one = members.members.iter_mut().find(|one| one.id == self.id)?;
            one.enter(state, &mut after);
            let unread = one.verdict.take();
            members.settle(&mut after);
            unread
        };
        after.run();
        unread
    }

    /// It has news. What it had proposed is withdrawn, unless the answer is that it was swapped already.
    pub(crate) fn busy(&self) -> Option<GroupVerdict> {
        self.enter(MemberState::Busy)
    }

    /// Its update is over and everything of it is applied.
    pub(crate) fn idle(&self) {
        self.enter(MemberState::Idle);
    }

    /// Its newest content is refused.
    pub(crate) fn refused(&self) {
        self.enter(MemberState::Refused);
    }

    /// It is ready to swap; [`poll`](Member::poll) gives the verdict.
    pub(crate) fn ready(&self, swap: Swap) {
        self.enter(MemberState::Ready(swap));
    }

    /// The group's verdict.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<GroupVerdict> {
        // A waker may run anything when it is cloned or dropped, so neither happens under the lock.
        let mut waker = Some(cx.waker().clone());
        let mut members = self.group.lock();
        let one = members.members.iter_mut().find(|one| one.id == self.id);
        let verdict = one.and_then(|one| {
            if one.verdict.is_none() {
                std::mem::swap(&mut one.waker, &mut waker);
            }
            one.verdict.take()
        });
        drop(members);
        drop(waker);
        verdict.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut after = Afterwards::default();
        let gone = {
            let mut members = self.group.lock();
            let at = members.members.iter().position(|one| one.id == self.id);
            let mut gone = at.map(|at| members.members.remove(at));
            if let Some(one) = &mut gone {
                one.enter(MemberState::Idle, &mut after);
            }
            members.settle(&mut after);
            gone
        };
        // Its waker goes after the lock.
        drop(gone);
        after.run();
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never waits: it may be printed from anywhere.
        let Ok(members) = self.0.try_lock() else {
            return f.debug_struct("Group").finish_non_exhaustive();
        };
        let names: Vec<_> = members.members.iter().map(|one| &one.name).collect();
        f.debug_struct("Group").field("members", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    /// Counts the drops at which the group could be used.
    struct Uses {
        group: Group,
        free: Arc<AtomicUsize>,
    }

    impl Wake for Uses {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Uses {
        fn drop(&mut self) {
            let free = self.group.0.try_lock().is_ok();
            self.free.fetch_add(usize::from(free), Ordering::SeqCst);
        }
    }

    #[test]
    fn a_waker_that_is_replaced_may_use_its_group() {
        let (group, free) = (Group::new(), Arc::new(AtomicUsize::new(0)));
        let member = group.join("One");
        for polled in 0..3 {
            let (group, free) = (group.clone(), Arc::clone(&free));
            let waker = Waker::from(Arc::new(Uses {
                group,
                free: Arc::clone(&free),
            }));
            assert!(member.poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            assert_eq!(free.load(Ordering::SeqCst), polled);
        }
        member.idle();
        drop(member);
        assert_eq!(free.load(Ordering::SeqCst), 3);
    }
}
