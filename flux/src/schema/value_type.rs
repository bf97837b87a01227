//! What a leaf's type reads, found by its own `Deserialize`.

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
