//! The checked struct: everything that the emitting code needs, in a form in which nothing can be wrong any more.

use flux_syntax::{Format, Remote, Template};
use proc_macro2::TokenStream;
use std::time::Duration;
use syn::{Ident, Path, Type, Visibility};

/// A config struct.
pub(crate) struct Model<'a> {
    pub(crate) vis: &'a Visibility,
    pub(crate) ident: &'a Ident,
    /// `AppConfigLayer`
    pub(crate) layer: Ident,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) validate: Option<&'a Path>,
    /// Keys that no field has refuse the document.
    pub(crate) strict: bool,
    pub(crate) root: Option<Root>,
}

/// What a struct with sources has beyond a section.
pub(crate) struct Root {
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
    pub(crate) health_check: Option<Path>,
    pub(crate) on_stop: Option<Path>,
    pub(crate) last_known_good: Option<LastKnownGood>,
    /// In the order written.
    pub(crate) pipeline: Vec<Step>,
}

/// Where the last good configuration is kept.
pub(crate) struct LastKnownGood {
    pub(crate) path: Template,
    /// The variant of `flux::Secrets`.
    pub(crate) secrets: &'static str,
}

/// A step of the pipeline.
pub(crate) enum Step {
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
        when: Path,
        with: Path,
    },
    /// A method of the builder with the user's function.
    Call {
        method: String,
        path: Path,
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
    Env(Template),
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
    pub(crate) docs: String,
    pub(crate) env: Option<String>,
    pub(crate) kind: Kind<'a>,
    pub(crate) default: Option<Default>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) transition: Transition,
    pub(crate) secret: bool,
    pub(crate) opaque: bool,
    /// The name of the accessor.
    pub(crate) hot: Option<Ident>,
}

/// What stands behind a field.
pub(crate) enum Kind<'a> {
    Leaf {
        decode: Decode<'a>,
        merge: Merge<'a>,
    },
    Section {
        merge: Merge<'a>,
    },
    /// A section whose keys stand beside the struct's own.
    Flat,
    /// Not in any layer: always the default.
    Skipped,
}

/// How a leaf is decoded.
pub(crate) enum Decode<'a> {
    Plain,
    /// Null is an error and not an empty collection.
    Strict,
    /// `30s`
    Human,
    /// By a type of `flux::__private` that implements `With`: maps that refuse a key that stands there twice.
    Distinct(&'static str),
    With(&'a Path),
}

/// How a layer is laid over the one below.
pub(crate) enum Merge<'a> {
    /// A function of `flux::__private::merge`.
    Call(&'static str),
    Nested,
    By(&'a Path),
}

/// The value of a field that no layer sets.
pub(crate) struct Default {
    /// An expression of the field's type.
    pub(crate) code: TokenStream,
    /// As written, for the field table; none where silence means `None`.
    pub(crate) shown: Option<String>,
}

/// A rule that a value must keep.
pub(crate) struct Rule {
    pub(crate) check: Check,
    pub(crate) message: Option<String>,
}

/// What a rule asks. Ranges are whole expressions of the value's type.
pub(crate) enum Check {
    Range(TokenStream),
    Length(TokenStream),
    NonEmpty,
    Pattern(String),
    OneOf(TokenStream),
    Email,
    Url,
    Ip,
    Each {
        rules: Vec<Rule>,
        /// How many `Option`s stand around an item.
        options: usize,
    },
    Custom(Path),
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
    /// The name under which problems are recorded: a flattened section adds no step to the path.
    pub(crate) fn step(&self) -> &str {
        match self.kind {
            Kind::Flat => "",
            _ => &self.key,
        }
    }
}

impl Model<'_> {
    /// The fields with an index in the layer, in its order.
    pub(crate) fn keyed(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| field.is_keyed())
    }
    /// The fields of the layer.
    pub(crate) fn layered(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| field.is_layered())
    }
    /// The flattened sections.
    pub(crate) fn flat(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields
            .iter()
            .filter(|field| matches!(field.kind, Kind::Flat))
    }
}
