//! One applied configuration with its number and time.

use std::{fmt, ops::Deref, time::SystemTime};

/// One applied configuration. Derefs to the config struct.
pub struct Snapshot<C> {
    pub(super) value: C,
    pub(super) generation: u64,
    applied: SystemTime,
}

impl<C> Snapshot<C> {
    /// One that was made just now.
    pub(crate) fn new(value: C, generation: u64) -> Self {
        Snapshot::made(value, generation, SystemTime::now())
    }
    pub(crate) fn made(value: C, generation: u64, applied: SystemTime) -> Self {
        Snapshot {
            value,
            generation,
            applied,
        }
    }
    pub(crate) fn into_value(this: Self) -> C {
        this.value
    }
    /// How many configurations were applied up to this one, itself included. The first is 1.
    pub fn generation(this: &Self) -> u64 {
        this.generation
    }
    /// When it was applied.
    pub fn applied(this: &Self) -> SystemTime {
        this.applied
    }
}

impl<C> Deref for Snapshot<C> {
    type Target = C;
    #[inline]
    fn deref(&self) -> &C {
        &self.value
    }
}

impl<C> fmt::Debug for Snapshot<C> {
    /// Without the value, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
