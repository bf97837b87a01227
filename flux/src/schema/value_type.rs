//! What the field table has of a field's type: what it reads, found by its own `Deserialize`, and how it merges.

use super::MergeRule;

/// What is known of a field by its type. `Config::types` has one for each of `Config::fields`; it is apart from those, so that nothing
/// of it is compiled where nobody asks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TypeFacts {
    /// What a leaf reads; of a section its [`Kind`](super::Kind) contains more.
    pub value_type: ValueType,
    /// How layers' values meet where nothing else is declared.
    pub merge: MergeRule,
    /// Whether null turns a section off: it is behind an `Option`. Of a leaf, [`value_type`](TypeFacts::value_type) contains it.
    pub is_optional: bool,
    /// The types of a section's fields. A function, so that a recursive type has an end.
    pub fields: Option<fn() -> Vec<TypeFacts>>,
    /// What makes the schema that a leaf's type has of itself.
    #[cfg(feature = "schemars")]
    pub schema: Option<LeafSchema>,
}

/// Makes the schema of a type that implements `JsonSchema`.
#[cfg(feature = "schemars")]
pub type LeafSchema = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;

impl TypeFacts {
    /// Those of which nothing is known.
    pub(crate) fn unknown() -> Self {
        TypeFacts::leaf(ValueType::Any, MergeRule::Replace)
    }

    /// Those of a leaf.
    pub(crate) fn leaf(value_type: ValueType, merge: MergeRule) -> Self {
        TypeFacts {
            value_type,
            merge,
            is_optional: false,
            fields: None,
            #[cfg(feature = "schemars")]
            schema: None,
        }
    }

    /// Those of a section, or of a list or map of sections.
    pub(crate) fn section(
        merge: MergeRule,
        is_optional: bool,
        fields: fn() -> Vec<TypeFacts>,
    ) -> Self {
        TypeFacts {
            value_type: ValueType::Any,
            merge,
            is_optional,
            fields: Some(fields),
            #[cfg(feature = "schemars")]
            schema: None,
        }
    }
}

/// The form of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// Anything.
    Any,
    /// `true` or `false`.
    Bool,
    /// A whole number of so many bits.
    Integer {
        /// The width.
        bits: u32,
        /// Whether it may be negative.
        signed: bool,
    },
    /// A number.
    Float,
    /// Text.
    Text,
    /// A single character.
    Char,
    /// Bytes.
    Bytes,
    /// A duration, written as `30s`.
    Duration,
    /// A number of bytes, written as `10MB` or as an integer.
    ByteSize,
    /// Null.
    Null,
    /// A value or null.
    Optional(Box<ValueType>),
    /// A list; of so many items, where the number is fixed.
    List {
        /// The type of the items; in a tuple, of the first one.
        items: Box<ValueType>,
        /// The number of items.
        len: Option<usize>,
    },
    /// A map.
    Map {
        /// The type of the keys.
        keys: Box<ValueType>,
        /// The type of the values.
        values: Box<ValueType>,
    },
    /// A struct with these keys.
    Struct(&'static [&'static str]),
    /// One of these words, which may carry a value.
    Enum(&'static [&'static str]),
}
