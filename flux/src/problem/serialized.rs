//! How answers are serialized: their fields under names that stay.

/// Implements `Serialize` for a struct: each field under its name. `own` is what the values call the struct.
macro_rules! serialized {
    ($type:ident, $own:ident => { $($name:ident: $value:expr),* $(,)? }) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;
                let $own = self;
                let names = [$(stringify!($name)),*];
                let mut one = serializer.serialize_struct(stringify!($type), names.len())?;
                $(one.serialize_field(stringify!($name), &$value)?;)*
                one.end()
            }
        }
    };
}

pub(crate) use serialized;
