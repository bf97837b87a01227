//! One row of the field table: a field's names, variable, argument, default, and whether it is secret.

mod evolution;

pub(crate) use evolution::{Outdated, deprecation};

use super::{ChangeRule, Constraint, DefaultValue, MergeRule};
use crate::problem::caught;
use evolution::Evolution;

/// One field of a config struct, as the derive describes it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Field {
    pub(crate) name: &'static str,
    /// With the names of earlier versions, which are the last.
    pub(crate) aliases: &'static [&'static str],
    evolution: Evolution,
    pub(crate) env: &'static str,
    pub(crate) env_exact: Option<&'static str>,
    /// The segment of the field's name in Rust, where none of its keys has it.
    pub(crate) env_in_rust: Option<&'static str>,
    pub(crate) kind: Kind,
    /// The section's keys are beside this struct's own.
    pub(crate) flatten: bool,
    /// Keys beside this one that no field has refuse the document.
    pub(crate) strict: bool,
    declared_secret: bool,
    meant: bool,
    byte_size: bool,
    required: bool,
    hot: Option<&'static str>,
    type_name: &'static str,
    docs: &'static str,
    default: Option<DefaultValue>,
    constraints: &'static [Constraint],
    changes: &'static [ChangeRule],
    merge: Option<MergeRule>,
    argument: Option<&'static str>,
    short: Option<char>,
    /// Panics where the default is a text that the type cannot read.
    check_default: Option<fn()>,
    /// The full name of a leaf's type; a function, since it is no constant.
    full_name: fn() -> &'static str,
    /// Whether a leaf's type merges by key, where it is not known by its name.
    merges_by_key: fn() -> bool,
}

/// What is behind a key. The tables of sections are functions, so that a recursive type is no endless constant.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind {
    /// A value decoded as a whole.
    Leaf,
    /// A map with the fields of another config struct.
    Section(fn() -> &'static [Field]),
    /// A list of what its items are: sections, or lists or maps of such.
    List(&'static Kind),
    /// A map by name of what its values are: sections, or lists or maps of such.
    Map(&'static Kind),
}

impl Kind {
    /// The fields of the sections behind the key.
    pub fn table(self) -> Option<&'static [Field]> {
        match self {
            Kind::Leaf => None,
            Kind::Section(inner) => Some(inner()),
            Kind::List(item) | Kind::Map(item) => item.table(),
        }
    }
}

impl Field {
    /// The key in documents.
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// Whether `key` names this field.
    pub fn is(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }
    /// The segment of the environment variable's name: `POOL` in `APP_POOL_MAX_SIZE`.
    pub const fn variable_segment(&self) -> &'static str {
        self.env
    }
    /// A complete variable name that replaces prefix and segments.
    pub const fn variable(&self) -> Option<&'static str> {
        self.env_exact
    }
    /// The segment of the argument's name: `max-size` in `--pool.max-size`.
    pub fn argument_segment(&self) -> String {
        self.env.to_lowercase().replace('_', "-")
    }
    /// A complete argument name, without its hyphens, that replaces the segments.
    pub const fn argument(&self) -> Option<&'static str> {
        self.argument
    }
    /// The letter of the short argument: `p` for `-p`.
    pub const fn short(&self) -> Option<char> {
        self.short
    }
    /// What is behind the key.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
    /// Whether the section's keys are beside this struct's own.
    pub const fn is_flattened(&self) -> bool {
        self.flatten
    }
    /// Whether the value is never printed: it is marked `secret`, or its type is one of `secrecy` or `zeroize`.
    pub fn is_secret(&self) -> bool {
        self.declared_secret || names_secret((self.full_name)())
    }
    /// Whether it is a value of a type that is neither made of sections nor known by its name: a struct of the program, which may hold
    /// secrets that no table has.
    pub(crate) fn is_of_the_program(&self) -> bool {
        matches!(self.kind, Kind::Leaf) && !self.is_secret() && !(self.full_name)().is_empty()
    }
    /// Whether it is declared what becomes of the whole value: it is replaced, or merged by a rule of its own.
    pub(crate) const fn is_meant_as_a_whole(&self) -> bool {
        self.meant || self.merge.is_some()
    }
    /// Whether a map in the place of the leaf is laid over that of a layer below entry by entry. What is around a map, as a newtype, is
    /// one value.
    pub(crate) fn lays_entries(&self) -> bool {
        match self.merge {
            Some(MergeRule::Custom(_)) => true,
            _ => (self.merges_by_key)(),
        }
    }
    /// Whether it is a number of bytes, or holds some, which are written as `10MB` or `64KiB` too.
    pub const fn is_byte_size(&self) -> bool {
        self.byte_size
    }
    /// Whether a layer must have it.
    pub const fn is_required(&self) -> bool {
        self.required
    }
    /// The name of the accessor of a hot field.
    pub const fn accessor(&self) -> Option<&'static str> {
        self.hot
    }
    /// The Rust type, as written.
    pub const fn type_name(&self) -> &'static str {
        self.type_name
    }
    /// The field's doc comment.
    pub const fn docs(&self) -> &'static str {
        self.docs
    }
    /// The default.
    pub const fn default(&self) -> Option<DefaultValue> {
        self.default
    }
    /// The default as a document may contain it; none of an expression, unless its value is known by the type.
    pub(crate) fn literal_default(&self) -> Option<&'static str> {
        let default = self.default?;
        if default.is_literal {
            return Some(default.text);
        }
        if default.text != OF_THE_TYPE {
            return None;
        }
        match self.type_name {
            "bool" => Some("false"),
            "f32" | "f64" => Some("0.0"),
            name if INTEGERS.contains(&name) => Some("0"),
            _ => None,
        }
    }
    /// Whether the type reads the default, where that is a text which it reads at run time; else why not.
    pub(crate) fn try_default(&self) -> Result<(), String> {
        match self.check_default {
            Some(check) => caught(check),
            None => Ok(()),
        }
    }
    /// Whether the default is made by code of the program.
    pub(crate) fn has_made_default(&self) -> bool {
        let is_made = |default: DefaultValue| !default.is_literal && default.text != OF_THE_TYPE;
        self.default.is_some_and(is_made)
    }
    /// The default for people: a value, or an expression that has a meaning outside the code.
    pub(crate) fn printed_default(&self) -> Option<&'static str> {
        let expression = || self.default.map(|default| default.text);
        let literal = self.literal_default();
        literal.or_else(|| expression().filter(|text| !text.starts_with("Default::default")))
    }
    /// The rules on the value.
    pub const fn constraints(&self) -> &'static [Constraint] {
        self.constraints
    }
    /// The rules from the running value to the next.
    pub const fn changes(&self) -> &'static [ChangeRule] {
        self.changes
    }
    /// How an upper layer's value is laid over a lower one's, where that is declared; else the type decides, see
    /// [`TypeFacts::merge`](super::TypeFacts).
    pub const fn merge(&self) -> Option<MergeRule> {
        self.merge
    }
    /// Whether a rule decides what the running value may change to.
    pub(crate) fn is_guarded(&self) -> bool {
        self.changes.iter().any(|rule| *rule != ChangeRule::Restart)
    }
    /// Whether a change waits for a restart of the program.
    pub(crate) fn waits_for_restart(&self) -> bool {
        self.changes.contains(&ChangeRule::Restart)
    }
}

/// The default of a field that is marked `default` alone.
const OF_THE_TYPE: &str = "Default::default()";

const INTEGERS: [&str; 12] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
];

/// Whether the full name of a type contains one of those that hold a secret. `secrecy` and `zeroize` are no dependencies of Flux.
pub(crate) fn names_secret(full_name: &str) -> bool {
    [
        "secrecy::SecretBox<",
        "secrecy::Secret<",
        "zeroize::Zeroizing<",
    ]
    .iter()
    .any(|name| full_name.contains(name))
}

fn no_name() -> &'static str {
    ""
}

fn known_by_name() -> bool {
    true
}

/// The builder of generated code.
#[doc(hidden)]
impl Field {
    /// A leaf with this key and environment segment.
    pub const fn new(name: &'static str, env: &'static str) -> Self {
        Field {
            name,
            aliases: &[],
            evolution: Evolution::NONE,
            env,
            env_exact: None,
            env_in_rust: None,
            kind: Kind::Leaf,
            flatten: false,
            strict: false,
            declared_secret: false,
            meant: false,
            byte_size: false,
            required: false,
            hot: None,
            type_name: "",
            docs: "",
            default: None,
            constraints: &[],
            changes: &[],
            merge: None,
            argument: None,
            short: None,
            check_default: None,
            full_name: no_name,
            merges_by_key: known_by_name,
        }
    }
    /// Sets [`Field::kind`].
    #[must_use]
    pub const fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
    /// Sets the type as written.
    #[must_use]
    pub const fn with_type(mut self, name: &'static str) -> Self {
        self.type_name = name;
        self
    }
    /// Sets the type of a leaf.
    #[must_use]
    pub const fn of<T>(mut self) -> Self {
        self.full_name = std::any::type_name::<T>;
        self
    }
    /// Sets whether the type of a leaf merges by key.
    #[must_use]
    pub const fn with_entries(mut self, merges_by_key: fn() -> bool) -> Self {
        self.merges_by_key = merges_by_key;
        self
    }
    /// Sets [`Field::aliases`], and behind them [`Field::was`].
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
    /// Sets [`Field::variable`].
    #[must_use]
    pub const fn with_variable(mut self, name: &'static str) -> Self {
        self.env_exact = Some(name);
        self
    }
    /// Sets the segment of the field's name in Rust, which no variable has.
    #[must_use]
    pub const fn with_segment_in_rust(mut self, segment: &'static str) -> Self {
        self.env_in_rust = Some(segment);
        self
    }
    /// Sets [`Field::argument`].
    #[must_use]
    pub const fn with_argument(mut self, name: &'static str) -> Self {
        self.argument = Some(name);
        self
    }
    /// Sets [`Field::short`].
    #[must_use]
    pub const fn with_short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }
    /// Marks the value as one that is meant to be replaced as a whole.
    #[must_use]
    pub const fn with_meant(mut self) -> Self {
        self.meant = true;
        self
    }
    /// Marks the value as secret.
    #[must_use]
    pub const fn with_secret(mut self) -> Self {
        self.declared_secret = true;
        self
    }
    /// Sets [`Field::is_byte_size`].
    #[must_use]
    pub const fn with_byte_size(mut self) -> Self {
        self.byte_size = true;
        self
    }
    /// Sets [`Field::is_required`].
    #[must_use]
    pub const fn with_required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }
    /// Sets [`Field::accessor`].
    #[must_use]
    pub const fn with_accessor(mut self, name: &'static str) -> Self {
        self.hot = Some(name);
        self
    }
    /// Marks the section as flattened.
    #[must_use]
    pub const fn with_flatten(mut self) -> Self {
        self.flatten = true;
        self
    }
    /// Refuses keys beside this one that no field has.
    #[must_use]
    pub const fn with_strict(mut self) -> Self {
        self.strict = true;
        self
    }
    /// Sets [`Field::docs`].
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }
    /// Sets [`Field::default`].
    #[must_use]
    pub const fn with_default(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }
    /// Sets what panics where the default is a text that the type cannot read.
    #[must_use]
    pub const fn with_checked_default(mut self, check: fn()) -> Self {
        self.check_default = Some(check);
        self
    }
    /// Sets [`Field::constraints`].
    #[must_use]
    pub const fn with_constraints(mut self, constraints: &'static [Constraint]) -> Self {
        self.constraints = constraints;
        self
    }
    /// Sets [`Field::changes`].
    #[must_use]
    pub const fn with_changes(mut self, changes: &'static [ChangeRule]) -> Self {
        self.changes = changes;
        self
    }
    /// Sets [`Field::merge`].
    #[must_use]
    pub const fn with_merge(mut self, merge: MergeRule) -> Self {
        self.merge = Some(merge);
        self
    }
}
