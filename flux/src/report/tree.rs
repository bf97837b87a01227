//! A generic tree of a document.

use crate::layer::path::What;
use std::fmt::Display;

/// A decoder's message as a problem.
pub(crate) fn what_of(error: &dyn Display) -> What {
    What::Message(error.to_string())
}
