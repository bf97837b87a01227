//! A field's rules, bounds, default and merging as data, for reports, templates and the JSON Schema.

/// A rule on a field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Constraint {
    /// What it requires.
    pub kind: ConstraintKind,
    /// The sentence in place of the rule's own.
    pub message: Option<&'static str>,
}

#[doc(hidden)]
impl Constraint {
    /// A rule with its own sentence.
    pub const fn new(kind: ConstraintKind) -> Self {
        Constraint {
            kind,
            message: None,
        }
    }

    /// Sets [`Constraint::message`].
    #[must_use]
    pub const fn message(mut self, message: &'static str) -> Self {
        self.message = Some(message);
        self
    }
}

/// What a rule requires. Values are as written: `8080`, `1s`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// The value is in a range.
    Range(Bound, Bound),
    /// The number of characters or items is in a range.
    Length(Bound, Bound),
    /// There is a character or an item.
    NonEmpty,
    /// A regular expression matches.
    Pattern(&'static str),
    /// The value is one of these.
    OneOf(&'static [&'static str]),
    /// An address of e-mail.
    Email,
    /// A URL.
    Url,
    /// An IP address.
    Ip,
    /// Each item satisfies these.
    Each(&'static [Constraint]),
    /// A function of the program, by its path.
    Custom(&'static str),
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// No limit.
    None,
    /// The limit belongs to the range.
    Included(&'static str),
    /// The limit does not belong to the range.
    Excluded(&'static str),
}

/// A rule from the running value to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeRule {
    /// A change is refused.
    Immutable,
    /// A change waits for a restart of the program.
    Restart,
    /// A change is limited to this percentage, in ten thousandths of a percent.
    MaxChange(u64),
    /// The value may not decrease.
    Monotonic,
}

/// The default of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultValue {
    /// The expression as written, a text without its quotes.
    pub text: &'static str,
    /// Whether `text` is the value itself, as a document may contain it, and not an expression.
    pub is_literal: bool,
    /// The source file of its definition.
    pub file: &'static str,
    /// The line in that file.
    pub line: u32,
}

#[doc(hidden)]
impl DefaultValue {
    /// An expression.
    pub const fn new(text: &'static str, file: &'static str, line: u32) -> Self {
        DefaultValue {
            text,
            is_literal: false,
            file,
            line,
        }
    }

    /// Sets [`DefaultValue::is_literal`].
    #[must_use]
    pub const fn literal(mut self) -> Self {
        self.is_literal = true;
        self
    }
}

/// How an upper layer's value is laid over a lower one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeRule {
    /// The upper value is taken.
    Replace,
    /// The upper items follow the lower ones.
    Append,
    /// The upper items precede the lower ones.
    Prepend,
    /// The upper items are added where they are not there yet.
    Union,
    /// Entry by entry, and section by section.
    ByKey,
    /// A function of the program, by its path.
    Custom(&'static str),
}
