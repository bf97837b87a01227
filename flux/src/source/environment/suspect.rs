//! A variable that is not read, though it looks as if it was meant to be.

use crate::{problem::Seg, report::Entry};

/// A variable that looks as if it was meant to be read.
#[derive(Clone)]
pub(crate) struct SuspectVariable {
    pub(crate) entry: Entry,
    /// The section that it would be in refuses keys that no field has.
    pub(in crate::source) is_strict: bool,
    /// It may belong to somebody else, and is never refused.
    pub(in crate::source) is_uncertain: bool,
}

/// What a name was probably meant for: the path, what is behind "is not read", and whether that is not certain.
pub(super) type Meant = (Vec<Seg>, String, bool);
