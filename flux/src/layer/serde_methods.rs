//! The signatures of serde's methods in one place, for decoders that wrap another one.

/// Calls `$make!` with the signature of each of these methods of a `Deserializer`: `deserialize_tuple(len: usize)`.
macro_rules! deserializer_methods {
    ($make:ident: $($kind:ident)*) => { $( deserializer_methods! { @ $kind $make } )* };
    (@ integers $make:ident) => {
        deserializer_methods! { $make: i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 }
    };
    (@ texts $make:ident) => {
        deserializer_methods! { $make: char str string bytes byte_buf }
    };
    (@ any $make:ident) => { $make! { deserialize_any() } };
    (@ bool $make:ident) => { $make! { deserialize_bool() } };
    (@ i8 $make:ident) => { $make! { deserialize_i8() } };
    (@ i16 $make:ident) => { $make! { deserialize_i16() } };
    (@ i32 $make:ident) => { $make! { deserialize_i32() } };
    (@ i64 $make:ident) => { $make! { deserialize_i64() } };
    (@ i128 $make:ident) => { $make! { deserialize_i128() } };
    (@ u8 $make:ident) => { $make! { deserialize_u8() } };
    (@ u16 $make:ident) => { $make! { deserialize_u16() } };
    (@ u32 $make:ident) => { $make! { deserialize_u32() } };
    (@ u64 $make:ident) => { $make! { deserialize_u64() } };
    (@ u128 $make:ident) => { $make! { deserialize_u128() } };
    (@ f32 $make:ident) => { $make! { deserialize_f32() } };
    (@ f64 $make:ident) => { $make! { deserialize_f64() } };
    (@ char $make:ident) => { $make! { deserialize_char() } };
    (@ str $make:ident) => { $make! { deserialize_str() } };
    (@ string $make:ident) => { $make! { deserialize_string() } };
    (@ bytes $make:ident) => { $make! { deserialize_bytes() } };
    (@ byte_buf $make:ident) => { $make! { deserialize_byte_buf() } };
    (@ option $make:ident) => { $make! { deserialize_option() } };
    (@ unit $make:ident) => { $make! { deserialize_unit() } };
    (@ unit_struct $make:ident) => { $make! { deserialize_unit_struct(name: &'static str) } };
    (@ newtype_struct $make:ident) => { $make! { deserialize_newtype_struct(name: &'static str) } };
    (@ seq $make:ident) => { $make! { deserialize_seq() } };
    (@ tuple $make:ident) => { $make! { deserialize_tuple(len: usize) } };
    (@ tuple_struct $make:ident) => {
        $make! { deserialize_tuple_struct(name: &'static str, len: usize) }
    };
    (@ map $make:ident) => { $make! { deserialize_map() } };
    (@ struct $make:ident) => {
        $make! { deserialize_struct(name: &'static str, fields: &'static [&'static str]) }
    };
    (@ enum $make:ident) => {
        $make! { deserialize_enum(name: &'static str, variants: &'static [&'static str]) }
    };
    (@ identifier $make:ident) => { $make! { deserialize_identifier() } };
    (@ ignored_any $make:ident) => { $make! { deserialize_ignored_any() } };
}

/// Calls `$make!` with each of these methods of a `Visitor` and what it takes: `visit_bool: bool`.
macro_rules! visitor_methods {
    ($make:ident: $($kind:ident)*) => { $( visitor_methods! { @ $kind $make } )* };
    (@ numbers $make:ident) => { visitor_methods! { $make: i64 i128 u64 u128 f64 } };
    (@ texts $make:ident) => { visitor_methods! { $make: char str borrowed_str string } };
    (@ byte_texts $make:ident) => { visitor_methods! { $make: bytes borrowed_bytes byte_buf } };
    (@ bool $make:ident) => { $make! { visit_bool: bool } };
    (@ i64 $make:ident) => { $make! { visit_i64: i64 } };
    (@ i128 $make:ident) => { $make! { visit_i128: i128 } };
    (@ u64 $make:ident) => { $make! { visit_u64: u64 } };
    (@ u128 $make:ident) => { $make! { visit_u128: u128 } };
    (@ f32 $make:ident) => { $make! { visit_f32: f32 } };
    (@ f64 $make:ident) => { $make! { visit_f64: f64 } };
    (@ char $make:ident) => { $make! { visit_char: char } };
    (@ str $make:ident) => { $make! { visit_str: &str } };
    (@ borrowed_str $make:ident) => { $make! { visit_borrowed_str: &'de str } };
    (@ string $make:ident) => { $make! { visit_string: String } };
    (@ bytes $make:ident) => { $make! { visit_bytes: &[u8] } };
    (@ borrowed_bytes $make:ident) => { $make! { visit_borrowed_bytes: &'de [u8] } };
    (@ byte_buf $make:ident) => { $make! { visit_byte_buf: Vec<u8> } };
}

pub(crate) use {deserializer_methods, visitor_methods};
