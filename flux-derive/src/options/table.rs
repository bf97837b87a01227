//! The table of all options, one row each: name, owner, form, example, meaning. To add an option: a row here with its [`Key`], what
//! it must satisfy in `check`, and what follows in `expand`.

use super::{
    Form, Key, Owner,
    Owner::{Field, Rule, SerdeField, SerdeStruct, Struct},
    Spec,
};

const fn row(key: Key, name: &'static str, owner: Owner, form: Form) -> Spec {
    Spec::new(key, name, owner, form)
}

const FUNCTION: &str = "path::to::function";

/// A step of the pipeline that calls a function of the user's.
const fn call(key: Key, name: &'static str, doc: &'static str) -> Spec {
    row(key, name, Struct, Form::Function)
        .example(FUNCTION)
        .doc(doc)
        .step()
}

#[rustfmt::skip]
pub(crate) static TABLE: &[Spec] = &[
    row(Key::Source, "source", Struct, Form::Literal(Owner::Source)).example("\"file:app.yaml\"").repeatable()
        .doc("a layer; later ones win. Long form: `source(\"URI\", optional, format = \"toml\", wait = \"5s\")`"),
    row(Key::OptionalSource, "optional_source", Struct, Form::Literal(Owner::Source)).example("\"file:local.yaml\"").repeatable()
        .doc("a layer that may be missing"),
    row(Key::Override, "override", Struct, Form::Literal(Owner::Source)).example("\"env:APP_\"").repeatable()
        .doc("a layer above every source"),
    row(Key::OptionalOverride, "optional_override", Struct, Form::Literal(Owner::Source)).example("\"file:override.yaml\"").repeatable()
        .doc("a layer above every source that may be missing"),
    row(Key::Debounce, "debounce", Struct, Form::Text).example("\"100ms\"").needs_source()
        .doc("how long the sources must be quiet before a change is applied"),
    row(Key::MaxWait, "max_wait", Struct, Form::Text).example("\"2s\"").needs_source()
        .doc("the longest time that a steady writer can delay a change"),
    row(Key::StartupTimeout, "startup_timeout", Struct, Form::Text).example("\"10s\"").needs_source()
        .doc("how long `start` waits"),
    row(Key::Resync, "resync", Struct, Form::Text).example("\"5m\"").needs_source()
        .doc("how often sources are read again although they reported no change"),
    row(Key::Unknown, "unknown", Struct, Form::Text).example("\"warn\"").needs_source()
        .doc("what happens to keys that no field has: `\"warn\"`, `\"deny\"` or `\"ignore\"`"),
    row(Key::Name, "name", Struct, Form::Text).example("\"..\"").needs_source()
        .doc("the name in events, metrics and the status"),
    row(Key::ValidateStruct, "validate", Struct, Form::Function).example(FUNCTION)
        .doc("rules across fields: `fn(&Self) -> Result<(), impl Display>`"),
    row(Key::History, "history", Struct, Form::Expr).example("10").needs_source()
        .doc("how many refusals the status keeps"),
    row(Key::Generations, "generations", Struct, Form::Expr).example("5").needs_source()
        .doc("how many earlier configurations are kept for a rollback"),
    row(Key::Probation, "probation", Struct, Form::Text).example("\"30s\"").needs_source()
        .doc("how long a change may be taken back"),
    row(Key::HealthCheck, "health_check", Struct, Form::Function).example(FUNCTION).needs_source()
        .doc("is called during a probation"),
    row(Key::OnStop, "on_stop", Struct, Form::Function).example(FUNCTION).needs_source()
        .doc("is called once with the final state"),
    row(Key::ReloadOn, "reload_on", Struct, Form::Text).example("\"SIGHUP\"").needs_source()
        .doc("a signal at which every source is read again: `\"SIGHUP\"`, `\"SIGUSR1\"` or `\"SIGUSR2\"` (feature `signal`)"),
    row(Key::Admin, "admin", Struct, Form::Text).example("\"unix:/run/app.sock\"").needs_source()
        .doc("a socket at which the running program answers its own command line (`config plan`, `show`, `explain`, `silent`, `blame`, `status`, `diff`, `watch`) and takes the order `config trust`, with mode 0600; `${NAME}` in it is read from the environment (feature `cli`, on Unix)"),
    row(Key::LastKnownGood, "last_known_good", Struct, Form::Literal(Owner::LastKnownGood)).example("\"/var/lib/app/config.json\"").needs_source()
        .doc("a file that serves a start while the sources are down, or contain what cannot be decoded, breaks a rule or is refused by the program. It contains no secrets. Long form: `last_known_good(\"PATH\", secrets = \"refuse\", trial = true, tries = 2)`: a change with which the process dies twice is not applied a third time"),
    row(Key::Retry, "retry", Struct, Form::Brackets(Owner::Retry)).example("retry(attempts = 3, base = \"100ms\", max = \"10s\")").step()
        .doc("the tries in all, the first one included, 3 unless written; the ceilings of the first pause, 100 ms, and of the longest, 10 s (feature `pipeline`)"),
    row(Key::Timeout, "timeout", Struct, Form::Text).example("\"5s\"").step()
        .doc("a limit for the stages and the callback (feature `pipeline`)"),
    row(Key::CircuitBreaker, "circuit_breaker", Struct, Form::Brackets(Owner::CircuitBreaker)).example("circuit_breaker(failures = 5, recovery = \"30s\")").step()
        .doc("refuses at once for a time after so many failures"),
    row(Key::RateLimit, "rate_limit", Struct, Form::Brackets(Owner::RateLimit)).example("rate_limit(per_second = 10, burst = 20)").step()
        .doc("how many updates may pass"),
    call(Key::Fallback, "fallback", "is called for a value where everything before it failed"),
    call(Key::ErrorHandler, "error_handler", "is called with every failure"),
    call(Key::Filter, "filter", "the steps before it run only for changes that it accepts; others are applied without them").repeatable(),
    call(Key::Transform, "transform", "a stage that replaces the value").repeatable(),
    call(Key::Apply, "apply", "a stage that replaces the value or refuses it").repeatable(),
    call(Key::Effect, "effect", "a stage that looks at the value, or refuses it").repeatable(),
    row(Key::Mutate, "mutate", Struct, Form::Brackets(Owner::Mutate)).example("mutate(when = path::to::condition, with = path::to::function)").step().repeatable()
        .doc("a stage that replaces the value on a condition"),
    call(Key::Enrich, "enrich", "a stage whose failure is reported and changes nothing").repeatable(),
    call(Key::OnApply, "on_apply", "the callback that receives the previous and the next value before readers see it, and may refuse it"),
    row(Key::Crate, "crate", Struct, Form::Function).example("path::to::flux")
        .doc("where Flux is, if it is renamed or re-exported"),

    row(Key::Optional, "optional", Owner::Source, Form::Flag),
    row(Key::Format, "format", Owner::Source, Form::Text).example("\"yaml\""),
    row(Key::Wait, "wait", Owner::Source, Form::Text).example("\"5s\""),
    row(Key::Secrets, "secrets", Owner::LastKnownGood, Form::Text).example("\"omit\""),
    row(Key::Trial, "trial", Owner::LastKnownGood, Form::Expr).example("true"),
    row(Key::Tries, "tries", Owner::LastKnownGood, Form::Expr).example("2"),
    row(Key::Attempts, "attempts", Owner::Retry, Form::Expr).example("3"),
    row(Key::Base, "base", Owner::Retry, Form::Text).example("\"100ms\""),
    row(Key::Max, "max", Owner::Retry, Form::Text).example("\"10s\""),
    row(Key::Failures, "failures", Owner::CircuitBreaker, Form::Expr).example("5"),
    row(Key::Recovery, "recovery", Owner::CircuitBreaker, Form::Text).example("\"30s\""),
    row(Key::PerSecond, "per_second", Owner::RateLimit, Form::Expr).example("10"),
    row(Key::Burst, "burst", Owner::RateLimit, Form::Expr).example("20"),
    row(Key::When, "when", Owner::Mutate, Form::Function).example(FUNCTION),
    row(Key::With, "with", Owner::Mutate, Form::Function).example(FUNCTION),

    row(Key::Default, "default", Field, Form::FlagOrExpr).example("..")
        .doc("the value where no layer has one; alone, the type's `Default`. A text is read as in a document where the type is none (`\"30s\"`, `\"::1\"`); on an `Option<T>` it is a `T`. Without it a field is required, and an `Option` is `None`"),
    row(Key::Nested, "nested", Field, Form::Flag)
        .doc("a section: a struct that derives `Flux`, also in an `Option`, a `Box`, an `Arc`, a list, an array or a map, and in any of these inside another. Where no layer has a section, its fields' own defaults count; an `Option` is `None`, and a list, an array or a map needs a `default`"),
    row(Key::Value, "value", Field, Form::Flag)
        .doc("a type that derives `Flux` is read as a single value here, and not as a section"),
    row(Key::Merge, "merge", Field, Form::TextOrFunction).example("\"append\"")
        .doc("how an upper layer's value is laid over a lower one's: `\"replace\"`, `\"append\"`, `\"prepend\"`, `\"union\"`, `\"by_key\"` or a function `fn(&mut T, &T)`. Without it maps merge by key, sections field by field, and everything else is replaced"),
    row(Key::Secret, "secret", Field, Form::Flag)
        .doc("its value is never printed: not in errors, snippets, logs or the status (of another layer's value that quotes it: `flux::guide::security`). `SecretString`, `SecretBox` and `Zeroizing` are secret by themselves, also in an `Option`, a list or a map. A struct that is read as one value is not looked into: where it holds one, mark the field `secret`"),
    row(Key::Was, "was", Field, Form::Text).example("\"old_key\"").repeatable()
        .doc("the key that the field, or the section, had in an earlier version of the program: it is still read, in every layer, with a warning that names the place and the key since"),
    row(Key::Deprecated, "deprecated", Field, Form::Text).example("\"use `pool.max_size`\"")
        .doc("setting the field is a warning that says this. It needs a `default`, or is an `Option` or a section; the template leaves it out"),
    row(Key::Since, "since", Field, Form::Text).example("\"2.0\"")
        .doc("the version of the program in which the field got its key, or since which it is deprecated, for the warning"),
    row(Key::Removed, "removed", Field, Form::Text).example("\"3.0\"")
        .doc("the version of the program that no longer reads the key of `was`, or the field that is `deprecated`: from that version of the crate on, which has the struct, the warning is an error"),
    row(Key::Env, "env", Field, Form::Text).example("\"NAME\"")
        .doc("this variable, without prefix"),
    row(Key::Arg, "arg", Field, Form::Text).example("\"listen\"")
        .doc("this argument, without the path: `--listen`. Only with it can an argument set a secret"),
    row(Key::Short, "short", Field, Form::Expr).example("'p'")
        .doc("a short argument beside the long one: `-p`"),
    row(Key::Hot, "hot", Field, Form::FlagOrText).example("\"accessor_name\"")
        .doc("a scalar with an accessor on the type that costs one atomic load"),
    row(Key::Opaque, "opaque", Field, Form::Flag)
        .doc("a type without `PartialEq`: counts as changed whenever the content of any layer changes, if only by a comment"),
    row(Key::Bytes, "bytes", Field, Form::Flag)
        .doc("an integer, or an `Option`, a list, a set or a map of them, is a number of bytes: `10MB`, `64KiB`, `1.5GiB` or `512`, also as text in `default`, `range` and `one_of`"),
    row(Key::Immutable, "immutable", Field, Form::Flag)
        .doc("a change is refused while the program runs. On a section: of any of its fields that can be compared"),
    row(Key::Restart, "restart", Field, Form::Flag)
        .doc("a change waits for a restart while the rest of it applies; the status lists it under `pending_restart`. A section must be `Clone`"),
    row(Key::MaxChange, "max_change", Field, Form::Text).example("\"50%\"")
        .doc("numbers and durations: how much of the previous value a change may be, up or down. From zero, from `None` and to `None` every change is allowed"),
    row(Key::Monotonic, "monotonic", Field, Form::Flag)
        .doc("the value may not decrease; `None` is below every `Some`"),

    row(Key::Range, "range", Rule, Form::Range).example("1..=100")
        .doc("numbers, and durations (`range = \"1s\"..=\"1h\"`)"),
    row(Key::Length, "length", Rule, Form::Range).example("1..=64")
        .doc("characters of a text, items of a collection"),
    row(Key::NonEmpty, "non_empty", Rule, Form::Flag)
        .doc("at least one character or item"),
    row(Key::Pattern, "pattern", Rule, Form::Text).example("\"^[a-z]+$\"")
        .doc("a regular expression that a text must match (feature `rules`)"),
    row(Key::OneOf, "one_of", Rule, Form::List).example("[\"a\", \"b\"]")
        .doc("the values that are allowed"),
    row(Key::Email, "email", Rule, Form::Flag)
        .doc("a text that is an address of e-mail (feature `rules`)"),
    row(Key::Url, "url", Rule, Form::Flag)
        .doc("a text that is a URL (feature `rules`)"),
    row(Key::Ip, "ip", Rule, Form::Flag)
        .doc("a text that is an IP address"),
    row(Key::Each, "each", Rule, Form::Rules).example("each(non_empty)")
        .doc("rules for every item"),
    row(Key::Validate, "validate", Rule, Form::Function).example(FUNCTION)
        .doc("your own rule: `fn(&T) -> Result<(), impl Display>`"),
    row(Key::Message, "message", Rule, Form::Text).example("\"..\"")
        .doc("the sentence in place of the rule's own"),

    row(Key::SerdeRenameAll, "rename_all", SerdeStruct, Form::Half).example("\"..\""),
    row(Key::SerdeStructDefault, "default", SerdeStruct, Form::FlagOrFunction).example(FUNCTION),
    row(Key::SerdeDenyUnknownFields, "deny_unknown_fields", SerdeStruct, Form::Flag),
    row(Key::SerdeOther, "rename", SerdeStruct, Form::Ignored),
    row(Key::SerdeCrate, "crate", SerdeStruct, Form::Function).example("path::to::serde"),
    row(Key::SerdeOther, "rename_all_fields", SerdeStruct, Form::Ignored),
    row(Key::SerdeOther, "bound", SerdeStruct, Form::Ignored),
    row(Key::SerdeOther, "expecting", SerdeStruct, Form::Ignored),
    row(Key::SerdeOther, "into", SerdeStruct, Form::Ignored),
    row(Key::SerdeOther, "tag", SerdeStruct, Form::Refused(ALTERNATIVE)),
    row(Key::SerdeOther, "untagged", SerdeStruct, Form::Refused(ALTERNATIVE)),
    row(Key::SerdeOther, "content", SerdeStruct, Form::Refused(ALTERNATIVE)),
    row(Key::SerdeOther, "from", SerdeStruct, Form::Refused(CONVERTED)),
    row(Key::SerdeOther, "try_from", SerdeStruct, Form::Refused(CONVERTED)),
    row(Key::SerdeOther, "transparent", SerdeStruct, Form::Refused("a config needs keys: use the inner type as the field, with its rules as `#[flux(..)]` options")),
    row(Key::SerdeOther, "remote", SerdeStruct, Form::Refused("derive `Flux` on a struct of your own, and convert where you read it")),
    row(Key::SerdeOther, "variant_identifier", SerdeStruct, Form::Refused(ENUM)),
    row(Key::SerdeOther, "field_identifier", SerdeStruct, Form::Refused(ENUM)),

    row(Key::SerdeRename, "rename", SerdeField, Form::Half).example("\"..\""),
    row(Key::SerdeAlias, "alias", SerdeField, Form::Text).example("\"..\"").repeatable(),
    row(Key::SerdeWith, "with", SerdeField, Form::Function).example("path::to::module"),
    row(Key::SerdeDeserializeWith, "deserialize_with", SerdeField, Form::Function).example(FUNCTION),
    row(Key::SerdeDefault, "default", SerdeField, Form::FlagOrFunction).example(FUNCTION),
    row(Key::SerdeSkip, "skip", SerdeField, Form::Flag),
    row(Key::SerdeSkip, "skip_deserializing", SerdeField, Form::Flag),
    row(Key::SerdeFlatten, "flatten", SerdeField, Form::Flag),
    row(Key::SerdeOther, "serialize_with", SerdeField, Form::Ignored),
    row(Key::SerdeOther, "skip_serializing", SerdeField, Form::Ignored),
    row(Key::SerdeOther, "skip_serializing_if", SerdeField, Form::Ignored),
    row(Key::SerdeOther, "getter", SerdeField, Form::Ignored),
    row(Key::SerdeOther, "bound", SerdeField, Form::Ignored),
    row(Key::SerdeOther, "borrow", SerdeField, Form::Ignored),
];

const ALTERNATIVE: &str = "an alternative cannot be filled layer by layer: make it an enum of its own with `#[derive(Deserialize)]` and put it in a field";
const CONVERTED: &str = "layers are decoded field by field: derive `Flux` on the struct it is made from, and convert where you read it; for checks use `#[flux(validate = path)]`";
const ENUM: &str = "these are for enums; a config is a struct";
