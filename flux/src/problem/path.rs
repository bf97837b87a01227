//! Where in a config something is.

use std::{borrow::Cow, fmt};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seg {
    /// A key of a section or of a map.
    Key(Cow<'static, str>),
    /// A position in a list, from 0.
    Index(usize),
}

/// A path printed as `pool.hosts[2].name`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dotted<'a>(pub &'a [Seg]);

impl fmt::Display for Dotted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, seg) in self.0.iter().enumerate() {
            match seg {
                Seg::Key(key) if i == 0 => write!(f, "{key}")?,
                Seg::Key(key) => write!(f, ".{key}")?,
                Seg::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
