//! Changes: code that takes part in them, and code that is notified of them; which paths of a change are reported.
//!
//! Before the swap a [`Party`] may veto a change, and a [`Group`] holds several config types together. After the swap a
//! [`Subscription`] yields every change and a [`Projection`] those of its own part; [`Events`] has refusals too.

mod group;
mod party;
mod subscribe;

pub use group::Group;
pub use party::{Party, Veto};
pub use subscribe::{Event, Events, Projection, Subscription};

pub(crate) use group::{GroupVerdict, Member};
pub(crate) use party::{AnyParty, Callback, Transaction, Whole};
pub(crate) use subscribe::LastNotices;

use crate::{Config, Snapshot, layer, problem::Dotted};
use std::{fmt, sync::Arc};

/// From one configuration to the next.
#[non_exhaustive]
pub struct Change<C> {
    /// The one before; none for the first.
    pub previous: Option<Arc<Snapshot<C>>>,
    /// The one after.
    pub current: Arc<Snapshot<C>>,
}

impl<C: Config> Change<C> {
    /// The paths in which the two differ, such as `pool.max_size`: all fields of the struct for the first. Never values. Costs a
    /// comparison of every field. A field that cannot be compared (`opaque`) always counts as changed.
    pub fn paths(&self) -> Vec<String> {
        match &self.previous {
            Some(previous) => changed_paths::<C>(&self.current, previous),
            None => C::fields()
                .iter()
                .map(|field| field.name.to_owned())
                .collect(),
        }
    }

    /// Whether anything at `path` or below it differs: `change.touches("pool")`.
    pub fn touches(&self, path: &str) -> bool {
        self.paths().iter().any(|changed| {
            let longer = |long: &str, short: &str| {
                long.strip_prefix(short)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            longer(changed, path) || longer(path, changed)
        })
    }
}

/// The dotted paths in which two values differ.
pub(crate) fn changed_paths<C: Config>(new: &C, old: &C) -> Vec<String> {
    layer::differences(new, old, true)
        .iter()
        .map(|path| Dotted(path).text())
        .collect()
}

impl<C> Clone for Change<C> {
    fn clone(&self) -> Self {
        Change {
            previous: self.previous.clone(),
            current: Arc::clone(&self.current),
        }
    }
}

impl<C> fmt::Debug for Change<C> {
    /// Without the values, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("previous", &self.previous)
            .field("current", &self.current)
            .finish()
    }
}
