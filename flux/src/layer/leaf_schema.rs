//! Whether the type of a value has a schema of its own, by `JsonSchema`.

use super::leaf::TypeProbe;
use crate::schema::LeafSchema;
use schemars::JsonSchema;

/// Types that implement `JsonSchema`.
pub trait DescribesItself<T> {
    /// What makes the type's own schema.
    fn schema(self) -> Option<LeafSchema>;
}

impl<T: JsonSchema> DescribesItself<T> for TypeProbe<T> {
    fn schema(self) -> Option<LeafSchema> {
        Some(|generator| generator.subschema_for::<T>())
    }
}

/// Everything else has none.
pub trait IsTracedAlone<T> {
    /// What makes the type's own schema.
    fn schema(self) -> Option<LeafSchema>;
}

impl<T> IsTracedAlone<T> for &TypeProbe<T> {
    fn schema(self) -> Option<LeafSchema> {
        None
    }
}
