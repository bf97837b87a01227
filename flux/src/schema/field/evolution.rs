//! What an earlier version of the program called a key, and which keys a later one will no longer read; how that is worded.

use super::Field;
use crate::problem::What;

/// What a field was called, and whether it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evolution {
    was: &'static [&'static str],
    deprecated: Option<&'static str>,
    since: Option<&'static str>,
    removed: Option<&'static str>,
    is_removed: bool,
}

impl Evolution {
    pub(super) const NONE: Evolution = Evolution {
        was: &[],
        deprecated: None,
        since: None,
        removed: None,
        is_removed: false,
    };
}

impl Field {
    /// Other keys that mean the same field, without [those of earlier versions](Field::was).
    pub const fn aliases(&self) -> &'static [&'static str] {
        let (own, _) = (self.aliases).split_at(self.aliases.len() - self.evolution.was.len());
        own
    }
    /// Keys that the field had in earlier versions of the program.
    pub const fn was(&self) -> &'static [&'static str] {
        self.evolution.was
    }
    /// What to do instead of setting the field, where it is deprecated.
    pub const fn deprecated(&self) -> Option<&'static str> {
        self.evolution.deprecated
    }
    /// The version since which the field is deprecated, or has its key.
    pub const fn since(&self) -> Option<&'static str> {
        self.evolution.since
    }
    /// The version that does not read the field, where it is deprecated, nor the keys of earlier versions.
    pub const fn removed(&self) -> Option<&'static str> {
        self.evolution.removed
    }
    /// Whether the crate of the struct has reached that version.
    pub const fn is_removed(&self) -> bool {
        self.evolution.is_removed
    }
    /// Whether it is read although it should not be set any more.
    pub(crate) fn is_old(&self, key: &str) -> bool {
        self.evolution.was.contains(&key)
    }
}

/// The builder of generated code.
#[doc(hidden)]
impl Field {
    /// Sets [`Field::was`], which are the last of the aliases.
    #[must_use]
    pub const fn with_was(mut self, was: &'static [&'static str]) -> Self {
        self.evolution.was = was;
        self
    }
    /// Sets [`Field::deprecated`].
    #[must_use]
    pub const fn with_deprecated(mut self, instead: &'static str) -> Self {
        self.evolution.deprecated = Some(instead);
        self
    }
    /// Sets [`Field::since`].
    #[must_use]
    pub const fn with_since(mut self, version: &'static str) -> Self {
        self.evolution.since = Some(version);
        self
    }
    /// Sets [`Field::removed`], and whether that version is reached.
    #[must_use]
    pub const fn with_removed(mut self, version: &'static str, is_reached: bool) -> Self {
        self.evolution.removed = Some(version);
        self.evolution.is_removed = is_reached;
        self
    }
}

/// A key that should be written otherwise, or not at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outdated {
    field: &'static Field,
    /// None where the field goes.
    old: Option<&'static str>,
}

impl Outdated {
    /// What is to be said of the key of a field.
    pub(crate) fn of_key(field: &'static Field, key: &str) -> Option<Self> {
        let old = field.was().iter().find(|was| **was == key).copied();
        Self::of(field, old)
    }

    /// Whether the key is an earlier name of a field that stays.
    pub(crate) fn is_name(&self) -> bool {
        self.old.is_some()
    }

    /// Of two in one name, the one that is refused, else the first.
    pub(crate) fn severer(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let is_removed = |one: &Self| one.field.is_removed();
        match (first, second) {
            (Some(first), Some(second)) if !is_removed(&first) && is_removed(&second) => {
                Some(second)
            }
            (first, second) => first.or(second),
        }
    }

    fn of(field: &'static Field, old: Option<&'static str>) -> Option<Self> {
        match (field.deprecated(), old) {
            // Of a field that goes, another name is no help.
            (Some(_), _) => Some(Outdated { field, old: None }),
            (None, Some(_)) => Some(Outdated { field, old }),
            (None, None) => None,
        }
    }

    /// What is wrong with a key of a document.
    pub(crate) fn of_document(self) -> What {
        let old = self.old.map(|old| format!("`{old}`"));
        self.what("", old.as_deref().unwrap_or_default(), self.field.name())
    }

    /// What is wrong with something that has a name of its own, as `this variable`; `now` is its name since.
    pub(crate) fn of_named(self, this: &str, now: &str) -> What {
        self.what(&format!("{this} "), this, now)
    }

    fn what(self, subject: &str, old: &str, now: &str) -> What {
        let field = self.field;
        let since = field.since().map(|since| format!(" since version {since}"));
        let since = since.as_deref();
        let removed = field.removed().unwrap_or_default();
        let (text, to) = match (self.old, field.deprecated(), field.is_removed()) {
            (Some(_), _, true) => {
                let text = format!("{subject}is not read since version {removed}; write `{now}`");
                (text, Some(now))
            }
            (Some(_), _, false) => {
                let since = since.unwrap_or(" now");
                let until = match field.removed() {
                    Some(removed) => format!(": version {removed} will not read {old}"),
                    None => String::new(),
                };
                let text = format!("{subject}is called `{now}`{since}; write that{until}");
                (text, Some(now))
            }
            (None, instead, true) => {
                let instead = instead.unwrap_or_default();
                let text = format!("is not read since version {removed}; remove it: {instead}");
                (text, None)
            }
            (None, instead, false) => {
                let instead = instead.unwrap_or_default();
                let until = match field.removed() {
                    Some(removed) => format!("; version {removed} will not read it"),
                    None => String::new(),
                };
                let since = since.unwrap_or_default();
                (format!("is deprecated{since}: {instead}{until}"), None)
            }
        };
        What::Outdated {
            text,
            to: to.map(str::to_owned),
            is_removed: field.is_removed(),
        }
    }
}

/// That a field is deprecated, and how long it is read; none of another one.
pub(crate) fn deprecation(field: &'static Field) -> Option<String> {
    field.deprecated()?;
    let outdated = Outdated { field, old: None };
    let what = outdated.of_document();
    what.text()?.strip_prefix("is ").map(str::to_owned)
}
