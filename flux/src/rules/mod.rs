//! The rules that field attributes declare, and the traits of the types that they fit. A type of your own implements the trait.

pub(crate) mod change_rules;
pub(crate) mod value;

pub use change_rules::{Amount, Percent};
pub use value::Length;
