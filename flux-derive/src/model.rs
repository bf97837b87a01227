//! The checked struct: everything that the emitting code needs, in a form in which nothing can be wrong any more.

use crate::types::{Shape, shape};
use flux_syntax::{Format, Remote, Template};
use proc_macro2::Span;
use std::time::Duration;
use syn::{Expr, Ident, LitStr, Path, RangeLimits, Type, Visibility};

/// A config struct.
pub(crate) struct Model<'a> {
    pub(crate) vis: &'a Visibility,
    pub(crate) ident: &'a Ident,
    pub(crate) crates: Crates<'a>,
    pub(crate) docs: String,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) validate: Option<&'a Path>,
    /// Keys that no field has refuse the document.
    pub(crate) strict: bool,
    pub(crate) root: Option<Root<'a>>,
}

/// The crates that generated code names; none for the usual paths.
#[derive(Clone, Copy, Default)]
pub(crate) struct Crates<'a> {
    pub(crate) flux: Option<&'a Path>,
    pub(crate) serde: Option<&'a Path>,
}

/// What a struct with sources has beyond a section.
pub(crate) struct Root<'a> {
    pub(crate) sources: Vec<Source>,
    pub(crate) debounce: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) startup_timeout: Option<Duration>,
    pub(crate) resync: Option<Duration>,
    /// The variant of `flux::Unknown`.
    pub(crate) unknown: Option<&'static str>,
    pub(crate) name: Option<String>,
    pub(crate) history: Option<usize>,
    pub(crate) generations: Option<usize>,
    pub(crate) probation: Option<Duration>,
    pub(crate) health_check: Option<&'a Path>,
    pub(crate) on_stop: Option<&'a Path>,
    /// The variant of `flux::capacitor::Signal`.
    pub(crate) reload_on: Option<&'static str>,
    pub(crate) admin: Option<Template>,
    pub(crate) last_known_good: Option<LastKnownGood>,
    /// In the order written.
    pub(crate) pipeline: Vec<Step<'a>>,
}

/// Where the last good configuration is kept.
pub(crate) struct LastKnownGood {
    pub(crate) path: Template,
    /// The variant of `flux::Secrets`.
    pub(crate) secrets: &'static str,
    /// After how many deaths content is quarantined; none where changes are on trial only with a probation.
    pub(crate) tries: Option<u32>,
}

/// A step of the pipeline.
pub(crate) enum Step<'a> {
    Retry {
        attempts: u32,
        base: Duration,
        max: Duration,
    },
    Timeout(Duration),
    CircuitBreaker {
        failures: u32,
        recovery: Duration,
    },
    RateLimit {
        per_second: f64,
        burst: u32,
    },
    Mutate {
        when: &'a Path,
        with: &'a Path,
    },
    /// A method of the builder with the user's function.
    Call {
        method: &'static str,
        path: &'a Path,
    },
}

/// One layer's source.
pub(crate) struct Source {
    pub(crate) overrides: bool,
    pub(crate) place: SourcePlace,
    pub(crate) optional: bool,
    pub(crate) format: Option<Format>,
    pub(crate) wait: Option<Duration>,
}

/// Where a layer comes from.
pub(crate) enum SourcePlace {
    File(Template),
    /// A file, and the folders that it is looked for in.
    Search(Template, Vec<Template>),
    Env(Template),
    Dotenv(Template),
    Args,
    Remote(Remote),
    /// A URI that comes whole from the environment.
    Uri(Template),
}

/// A field.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    /// The key in documents.
    pub(crate) key: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) evolution: Evolution,
    pub(crate) docs: String,
    pub(crate) env: Option<String>,
    /// The argument's whole name.
    pub(crate) argument: Option<String>,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind<'a>,
    pub(crate) default: Option<Default<'a>>,
    pub(crate) rules: Vec<Rule<'a>>,
    /// How many `Option`s are around the value that rules look at.
    pub(crate) options: usize,
    pub(crate) transition: Transition,
    pub(crate) secret: bool,
    pub(crate) opaque: bool,
    /// How the report on a refused change prints the value.
    pub(crate) shown: Shown,
    /// The name of the accessor.
    pub(crate) hot: Option<Ident>,
}

/// What a field was called in earlier versions of the program, and whether it goes.
pub(crate) struct Evolution {
    pub(crate) was: Vec<String>,
    /// What to do instead.
    pub(crate) deprecated: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) removed: Option<Removal>,
}

/// The version that no longer reads it.
pub(crate) struct Removal {
    pub(crate) version: String,
    pub(crate) is_reached: bool,
}

/// What is behind a field.
pub(crate) enum Kind<'a> {
    Leaf {
        /// The field's own decoding function.
        decode: Option<Decode<'a>>,
        /// None where the type decides.
        merge: Option<Merge<'a>>,
        /// A type that derives `Flux` is meant as a single value.
        value: bool,
        /// See [`Field::is_known`].
        known: bool,
    },
    Section {
        merge: Option<Merge<'a>>,
    },
    /// A section whose keys are beside the struct's own, or a map of sections that takes the keys that no field has.
    Flat,
    /// A map of values that takes the keys that no field has.
    Rest {
        /// A value type that derives `Flux` is meant as a single value.
        value: bool,
    },
    /// Not in any layer: always the default.
    Skipped,
}

/// serde's `deserialize_with = path`, and `with = path`; or `bytes`.
#[derive(Clone, Copy)]
pub(crate) enum Decode<'a> {
    Function(&'a Path),
    Module(&'a Path),
    Bytes,
}

/// How a layer is laid over the one below.
pub(crate) enum Merge<'a> {
    /// A function of `flux::__private::merge`.
    Call(&'static str),
    By(&'a Path),
}

/// The value of a field that no layer sets.
pub(crate) struct Default<'a> {
    pub(crate) source: DefaultSource<'a>,
    /// Where it is written.
    pub(crate) span: Span,
}

/// Where a default comes from.
pub(crate) enum DefaultSource<'a> {
    Value(Value<'a>, &'a Expr),
    Function(&'a Path),
    /// The type's `Default`.
    Type,
    /// The same field of the struct's default: of the function's result, or of `Default::default()`.
    Struct(Option<&'a Path>),
}

/// A value of a known type, written as a literal that fits, or as an expression that the compiler checks.
pub(crate) enum Value<'a> {
    Written(&'a Expr),
    /// An integer as a literal of a float type.
    Float(i128),
    Duration(Duration),
    /// Converted with `Into`.
    Into(&'a LitStr),
    /// Converted where the type can be, or else read as a variable is.
    Text(&'a Type, &'a LitStr),
    /// An address that was parsed here.
    Address(&'a Type, &'a LitStr),
    Some(Box<Value<'a>>),
    Array(Vec<Value<'a>>),
    /// A collection made of an array.
    Collection(&'a Type, Vec<Value<'a>>),
}

impl Value<'_> {
    /// Whether a part of it is read from a text at run time.
    pub(crate) fn has_text(&self) -> bool {
        match self {
            Value::Text(..) => true,
            Value::Some(inner) => inner.has_text(),
            Value::Array(items) | Value::Collection(_, items) => items.iter().any(Value::has_text),
            _ => false,
        }
    }
}

/// A rule that a value must keep.
pub(crate) struct Rule<'a> {
    pub(crate) check: Check<'a>,
    pub(crate) message: Option<String>,
}

/// What a rule requires.
pub(crate) enum Check<'a> {
    Range(Bounds<'a>),
    Length(Bounds<'a>),
    NonEmpty,
    Pattern(String),
    OneOf {
        items: Vec<Value<'a>>,
        /// The items are constants of this type.
        of: Option<&'a Type>,
        written: Vec<&'a Expr>,
    },
    Email,
    Url,
    Ip,
    Each {
        rules: Vec<Rule<'a>>,
        /// How many `Option`s are around an item.
        options: usize,
    },
    Custom(&'a Path),
}

/// A range whose bounds have the value's type.
pub(crate) struct Bounds<'a> {
    pub(crate) start: Option<Bound<'a>>,
    pub(crate) limits: &'a RangeLimits,
    pub(crate) end: Option<Bound<'a>>,
}

/// A bound, and how it was written.
pub(crate) struct Bound<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) written: &'a Expr,
}

/// How a value may change.
#[derive(Clone, Copy, Default)]
pub(crate) struct Transition {
    pub(crate) immutable: bool,
    pub(crate) restart: bool,
    pub(crate) monotonic: bool,
    /// In ten thousandths of a percent.
    pub(crate) max_change: Option<u64>,
}

/// How a report prints a value.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    Hidden,
    Plain,
    Inside,
}

impl Field<'_> {
    /// Has an index of its own in the layer.
    pub(crate) fn is_keyed(&self) -> bool {
        matches!(self.kind, Kind::Leaf { .. } | Kind::Section { .. })
    }
    /// Is in the layer.
    pub(crate) fn is_layered(&self) -> bool {
        !matches!(self.kind, Kind::Skipped)
    }
    /// Stands for a section, or for a list or map of them.
    pub(crate) fn is_nested(&self) -> bool {
        matches!(self.kind, Kind::Section { .. } | Kind::Flat)
    }
    /// Its type is one of the standard library's scalars by its name, or a list or map of them. Nothing depends on that but how much
    /// is compiled: such a type can be compared, holds no secret and is no section.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.kind, Kind::Leaf { known: true, .. })
    }
    /// Null under a key of it may take an entry of the layers below away: it may be a map, which is merged by key.
    pub(crate) fn may_take_away(&self) -> bool {
        let merged = matches!(
            self.kind,
            Kind::Leaf {
                decode: None,
                merge: None | Some(Merge::Call("by_key")),
                ..
            }
        );
        merged && may_be_a_map(shape(self.ty))
    }
    /// The name under which problems are recorded: what is flattened adds no step to the path.
    pub(crate) fn step(&self) -> &str {
        match self.kind {
            Kind::Flat | Kind::Rest { .. } => "",
            _ => &self.key,
        }
    }
}

fn may_be_a_map(own: Shape<'_>) -> bool {
    match own {
        Shape::Option(inner) => may_be_a_map(shape(inner)),
        own => matches!(own, Shape::Map(..) | Shape::Other),
    }
}

impl Model<'_> {
    /// Whether a field of it may take entries of the layers below away.
    pub(crate) fn may_take_away(&self) -> bool {
        self.keyed().any(Field::may_take_away)
    }
    /// Whether a field of it had another name.
    pub(crate) fn has_old_names(&self) -> bool {
        self.keyed().any(|field| !field.evolution.was.is_empty())
    }
    /// The fields with an index in the layer, in its order.
    pub(crate) fn keyed(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| field.is_keyed())
    }
    /// The fields of the layer.
    pub(crate) fn layered(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| field.is_layered())
    }
    /// What is flattened.
    pub(crate) fn flat(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields
            .iter()
            .filter(|field| matches!(field.kind, Kind::Flat | Kind::Rest { .. }))
    }
}
