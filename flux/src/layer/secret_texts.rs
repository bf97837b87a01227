//! Which texts a secret of a built value may be printed as: defaults in code, conversions and stages make some that no layer
//! contains.
//!
//! They are asked for only before a text of the program's own code is printed. A secret field has no bound but that it can be decoded,
//! so that [`SecretProbe`] takes the first way that its type has: as a `str`, by `Serialize`, by `Display`.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::fmt::{self, Display};

/// What the secrets of a value are, as texts.
#[derive(Default)]
pub struct SecretTexts {
    texts: Vec<String>,
    has_unreadable: bool,
}

impl SecretTexts {
    /// The texts.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.texts
    }

    /// Whether there is a secret of a type that does not give its text to anybody without its own trait, such as `SecretString`, or
    /// gives something in its place, such as `***`.
    pub(crate) fn has_unreadable(&self) -> bool {
        self.has_unreadable
    }

    fn add(&mut self, text: &str) {
        if !text.is_empty() {
            self.has_unreadable |= !text.chars().any(char::is_alphanumeric);
            self.texts.push(text.to_owned());
        }
    }
}

impl fmt::Debug for SecretTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.texts.len())
    }
}

/// A secret, for generated code: `(&&&&&SecretProbe(&value)).texts(secrets)`.
pub struct SecretProbe<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> fmt::Debug for SecretProbe<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretProbe")
    }
}

macro_rules! ways {
    ($($(#[$docs:meta])* $way:ident, [$($bound:tt)*] $probe:ty, |$value:ident, $secrets:ident| $add:expr;)*) => {$(
        $(#[$docs])*
        pub trait $way {
            /// Adds the texts.
            fn texts(&self, secrets: &mut SecretTexts);
        }

        impl<T: $($bound)*> $way for $probe {
            fn texts(&self, $secrets: &mut SecretTexts) {
                let $value = self.0;
                $add
            }
        }
    )*};
}

ways! {
    /// Chosen for texts.
    SecretsOfText, [AsRef<str> + ?Sized] &&&&SecretProbe<'_, T>, |value, secrets| secrets.add(value.as_ref());
    /// Chosen for texts that may be absent.
    SecretsOfOption, [AsRef<str>] &&&SecretProbe<'_, Option<T>>, |value, secrets| {
        if let Some(text) = value {
            secrets.add(text.as_ref());
        }
    };
    /// Chosen for what has parts.
    SecretsOfParts, [Serialize + ?Sized] &&SecretProbe<'_, T>, |value, secrets| {
        if value.serialize(Collector(secrets)).is_err() {
            secrets.has_unreadable = true;
        }
    };
    /// Chosen for what is only printed.
    SecretsOfPrinted, [Display + ?Sized] &SecretProbe<'_, T>, |value, secrets| secrets.add(&value.to_string());
    /// Chosen for everything else.
    SecretsUnreadable, [?Sized] SecretProbe<'_, T>, |_value, secrets| secrets.has_unreadable = true;
}

/// Collects every scalar, but for `true` and `false`, which are in many a sentence, and for the keys of maps.
struct Collector<'s>(&'s mut SecretTexts);

impl<'s> Collector<'s> {
    fn printed(self, value: impl Display) -> Result<(), fmt::Error> {
        self.0.add(&value.to_string());
        Ok(())
    }

    /// A binary secret as the text that it is, if it is one.
    fn bytes(self, bytes: &[u8]) {
        self.0.add(&String::from_utf8_lossy(bytes));
    }

    fn parts(self) -> Result<CollectedParts<'s>, fmt::Error> {
        Ok(CollectedParts {
            secrets: self.0,
            bytes: Some(Vec::new()),
        })
    }
}

/// The parts of a list, a map or a struct.
struct CollectedParts<'s> {
    secrets: &'s mut SecretTexts,
    /// The parts, as long as all of them are bytes.
    bytes: Option<Vec<u8>>,
}

impl CollectedParts<'_> {
    fn part(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), fmt::Error> {
        let before = self.secrets.texts.len();
        value.serialize(Collector(self.secrets))?;
        let byte = match &self.secrets.texts[before..] {
            [one] => one.parse().ok(),
            _ => None,
        };
        match (&mut self.bytes, byte) {
            (Some(bytes), Some(byte)) => bytes.push(byte),
            (bytes, _) => *bytes = None,
        }
        Ok(())
    }

    /// Many numbers that could be bytes may be a text as well.
    fn close(self) -> Result<(), fmt::Error> {
        if let Some(bytes) = self.bytes.filter(|bytes| bytes.len() >= BINARY) {
            Collector(self.secrets).bytes(&bytes);
        }
        Ok(())
    }
}

/// A list of so many numbers that could be bytes is binary.
const BINARY: usize = 6;

macro_rules! scalars {
    ($($method:ident: $ty:ty;)*) => {$(
        fn $method(self, value: $ty) -> Result<(), fmt::Error> {
            self.printed(value)
        }
    )*};
}

impl<'s> Serializer for Collector<'s> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = CollectedParts<'s>;
    type SerializeTuple = CollectedParts<'s>;
    type SerializeTupleStruct = CollectedParts<'s>;
    type SerializeTupleVariant = CollectedParts<'s>;
    type SerializeMap = CollectedParts<'s>;
    type SerializeStruct = CollectedParts<'s>;
    type SerializeStructVariant = CollectedParts<'s>;

    scalars! {
        serialize_i8: i8; serialize_i16: i16; serialize_i32: i32; serialize_i64: i64; serialize_i128: i128;
        serialize_u8: u8; serialize_u16: u16; serialize_u32: u32; serialize_u64: u64; serialize_u128: u128;
        serialize_f32: f32; serialize_f64: f64; serialize_char: char; serialize_str: &str;
    }

    fn serialize_bool(self, _: bool) -> Result<(), fmt::Error> {
        Ok(())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), fmt::Error> {
        self.bytes(bytes);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), fmt::Error> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), fmt::Error> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), fmt::Error> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), fmt::Error> {
        self.printed(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_tuple(self, _: usize) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<CollectedParts<'s>, fmt::Error> {
        self.parts()
    }
}

macro_rules! items {
    ($($of:ident $method:ident)*) => {$(
        impl $of for CollectedParts<'_> {
            type Ok = ();
            type Error = fmt::Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
                self.part(value)
            }
            fn end(self) -> Result<(), fmt::Error> {
                self.close()
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($of:ident)*) => {$(
        impl $of for CollectedParts<'_> {
            type Ok = ();
            type Error = fmt::Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), fmt::Error> {
                self.part(value)
            }
            fn end(self) -> Result<(), fmt::Error> {
                self.close()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for CollectedParts<'_> {
    type Ok = ();
    type Error = fmt::Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), fmt::Error> {
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), fmt::Error> {
        self.part(value)
    }
    fn end(self) -> Result<(), fmt::Error> {
        self.close()
    }
}

#[cfg(test)]
#[allow(
    clippy::needless_borrow,
    reason = "the borrows choose the trait, as in generated code"
)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, sync::Arc};

    macro_rules! texts {
        ($value:expr) => {{
            let mut secrets = SecretTexts::default();
            (&&&&&SecretProbe(&$value)).texts(&mut secrets);
            (secrets.texts, secrets.has_unreadable)
        }};
    }

    /// It has nothing but that it can be printed.
    struct Printed(u16);

    impl Display for Printed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "pin {}", self.0)
        }
    }

    /// It prints something in its place.
    struct Masked;

    impl Display for Masked {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("***")
        }
    }

    /// It has nothing.
    struct NothingKnown;

    struct Failing;

    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not this one"))
        }
    }

    #[derive(Serialize)]
    enum Login {
        Anonymous,
        Token(String),
        User { name: String, pin: u16, asks: bool },
    }

    #[test]
    fn the_texts_of_a_secret_are_known_by_the_first_way_that_its_type_has() {
        let read = |texts: &[&str]| -> (Vec<String>, bool) {
            (texts.iter().map(|text| (*text).to_owned()).collect(), false)
        };
        assert_eq!(texts!(String::from("hunter2")), read(&["hunter2"]));
        assert_eq!(texts!("hunter2"), read(&["hunter2"]));
        assert_eq!(texts!(Arc::<str>::from("hunter2")), read(&["hunter2"]));
        assert_eq!(texts!(Some(String::from("hunter2"))), read(&["hunter2"]));
        assert_eq!(texts!(None::<String>), read(&[]));
        assert_eq!(texts!(String::new()), read(&[]));
        assert_eq!(texts!(1234_u16), read(&["1234"]));
        assert_eq!(texts!(1.5), read(&["1.5"]));
        assert_eq!(texts!(true), read(&[]));
        assert_eq!(texts!(vec!["a", "b"]), read(&["a", "b"]));
        assert_eq!(texts!(BTreeMap::from([("key", "one")])), read(&["one"]));
        assert_eq!(texts!(Some(vec![Some((1, "a"))])), read(&["1", "a"]));
        let binary = texts!(b"hunter2".to_vec());
        assert_eq!(binary.0.last().map(String::as_str), Some("hunter2"));
        assert_eq!(texts!(Printed(1234)), read(&["pin 1234"]));
        assert_eq!(texts!(Login::Anonymous), read(&["Anonymous"]));
        assert_eq!(texts!(Login::Token("a".to_owned())), read(&["a"]));
        let (name, pin, asks) = ("bob".to_owned(), 1234, true);
        let user = Login::User { name, pin, asks };
        assert_eq!(texts!(user), read(&["bob", "1234"]));
        assert_eq!(texts!(Masked), (vec!["***".to_owned()], true));
        assert_eq!(texts!(NothingKnown), (Vec::new(), true));
        assert_eq!(texts!(Some(NothingKnown)), (Vec::new(), true));
        assert_eq!(texts!(Failing), (Vec::new(), true));
    }
}
