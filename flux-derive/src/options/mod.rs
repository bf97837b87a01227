//! Every option, once: its name, where it belongs, how its value is written, an example, and what it means. Parsing,
//! suggestions, `options.md` and the README's tables follow this table.

#[cfg(test)]
mod page;
mod table;

pub(crate) use table::TABLE;

/// An option, whatever its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    // Of the struct.
    Source,
    OptionalSource,
    Override,
    OptionalOverride,
    Debounce,
    MaxWait,
    StartupTimeout,
    Resync,
    Unknown,
    Name,
    ValidateStruct,
    Transform,
    Apply,
    Effect,
    Mutate,
    Enrich,
    OnApply,
    Retry,
    Timeout,
    CircuitBreaker,
    RateLimit,
    Fallback,
    ErrorHandler,
    Filter,
    Probation,
    HealthCheck,
    History,
    Generations,
    ReloadOn,
    LastKnownGood,
    OnStop,
    Admin,
    Crate,
    // In the brackets of another option.
    Optional,
    Format,
    Wait,
    Secrets,
    Trial,
    Tries,
    Attempts,
    Base,
    Max,
    Failures,
    Recovery,
    PerSecond,
    Burst,
    When,
    With,
    // Of a field.
    Default,
    Nested,
    Value,
    Merge,
    Secret,
    Was,
    Deprecated,
    Since,
    Removed,
    Env,
    Arg,
    Short,
    Hot,
    Opaque,
    Bytes,
    Immutable,
    Restart,
    MaxChange,
    Monotonic,
    // Rules: of a field, or of its items.
    Range,
    Length,
    NonEmpty,
    Pattern,
    OneOf,
    Email,
    Url,
    Ip,
    Each,
    Validate,
    Message,
    // serde's, on the struct.
    SerdeRenameAll,
    SerdeStructDefault,
    SerdeDenyUnknownFields,
    SerdeCrate,
    // serde's, on a field.
    SerdeRename,
    SerdeAlias,
    SerdeWith,
    SerdeDeserializeWith,
    SerdeDefault,
    SerdeSkip,
    SerdeFlatten,
    /// serde's, and without a meaning for Flux.
    SerdeOther,
}

/// Where an option is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Struct,
    Field,
    /// A rule is an option of a field, and of `each`.
    Rule,
    Source,
    LastKnownGood,
    Retry,
    CircuitBreaker,
    RateLimit,
    Mutate,
    SerdeStruct,
    SerdeField,
}

/// How an option's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `key`
    Flag,
    /// `key = ".."`
    Text,
    /// `key = expression`
    Expr,
    /// `key = path`; a text that holds a path is accepted too.
    Function,
    /// `key = 1..5`
    Range,
    /// `key = [..]`
    List,
    /// `key`, `key = expression`
    FlagOrExpr,
    /// `key`, `key = ".."`
    FlagOrText,
    /// `key`, `key = path`
    FlagOrFunction,
    /// `key = ".."`, `key = path`
    TextOrFunction,
    /// `key = ".."`, `key("..", options)`
    Literal(Owner),
    /// `key(options)`
    Brackets(Owner),
    /// `each(rules)`
    Rules,
    /// `key = ".."`, `key(serialize = "..", deserialize = "..")`; the second half counts.
    Half,
    /// Read over.
    Ignored,
    /// An error with this way out.
    Refused(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) key: Key,
    pub(crate) name: &'static str,
    pub(crate) owner: Owner,
    pub(crate) form: Form,
    /// What is behind `name =`, or the whole option where it has brackets.
    pub(crate) example: &'static str,
    /// What it means. None where the page describes it with its owner.
    pub(crate) doc: &'static str,
    pub(crate) repeatable: bool,
    pub(crate) needs_source: bool,
    /// A step of the pipeline: its place among the others counts.
    pub(crate) step: bool,
}

impl Spec {
    const fn new(key: Key, name: &'static str, owner: Owner, form: Form) -> Self {
        Spec {
            key,
            name,
            owner,
            form,
            example: "",
            doc: "",
            repeatable: false,
            needs_source: false,
            step: false,
        }
    }
    const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }
    const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
    const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }
    const fn needs_source(mut self) -> Self {
        self.needs_source = true;
        self
    }
    /// Every step belongs to the struct with the sources.
    const fn step(mut self) -> Self {
        self.step = true;
        self.needs_source()
    }
}

impl Owner {
    /// Whether an option of `other` may be written here.
    pub(crate) fn takes(self, other: Owner) -> bool {
        self == other || (self == Owner::Field && other == Owner::Rule)
    }

    /// Its options.
    pub(crate) fn options(self) -> impl Iterator<Item = &'static Spec> {
        TABLE.iter().filter(move |spec| self.takes(spec.owner))
    }

    /// The option with this name.
    pub(crate) fn find(self, name: &str) -> Option<&'static Spec> {
        self.options().find(|spec| spec.name == name)
    }

    /// In messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Owner::Struct => "a struct",
            Owner::Field => "a field",
            Owner::Rule => "`each`",
            Owner::Source => "a source",
            Owner::LastKnownGood => "`last_known_good`",
            Owner::Retry => "`retry`",
            Owner::CircuitBreaker => "`circuit_breaker`",
            Owner::RateLimit => "`rate_limit`",
            Owner::Mutate => "`mutate`",
            Owner::SerdeStruct => "serde on a struct",
            Owner::SerdeField => "serde on a field",
        }
    }

    /// Where an option of this name is written that is not one here: in the brackets of an option of the struct.
    pub(crate) fn around(name: &str, here: Owner) -> Option<String> {
        let outer = Owner::Struct.options().find_map(|spec| match spec.form {
            Form::Literal(owner) | Form::Brackets(owner) => {
                let is_meant = ![here, Owner::Source, Owner::Mutate].contains(&owner);
                owner
                    .find(name)
                    .filter(|_| is_meant)
                    .map(|inner| (spec, inner))
            }
            _ => None,
        });
        let (outer, inner) = outer?;
        let before = match outer.form {
            Form::Literal(_) => "\"..\", ",
            _ => "",
        };
        Some(format!(
            "{}({before}{name} = {})",
            outer.name, inner.example
        ))
    }

    /// Where an option may have been meant that is not one here, and its name in messages.
    pub(crate) fn elsewhere(self) -> Option<(Owner, &'static str)> {
        match self {
            Owner::Struct => Some((Owner::Field, "a field")),
            Owner::Rule => Some((Owner::Field, "the field")),
            Owner::SerdeStruct => None,
            Owner::SerdeField => Some((Owner::Field, "`#[flux(..)]`")),
            _ => Some((Owner::Struct, "the struct")),
        }
    }
}
