//! Which types may be keys of maps of sections, and how a key is read: texts, numbers, enums, addresses, whatever can be decoded
//! from a text.

use super::serde_methods::{deserializer_methods, visitor_methods};
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, Unexpected, Visitor,
        value::{Error as TextError, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use std::{any::Any, borrow::Cow, cell::Cell, fmt, marker::PhantomData};

/// What can be a key of a map of sections.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a map of sections",
    note = "a key can be decoded (`serde::Deserialize`), printed (`Debug`), compared and cloned"
)]
pub trait MapKey: DeserializeOwned + Clone + Eq + fmt::Debug + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<K: DeserializeOwned + Clone + Eq + fmt::Debug + Send + Sync + 'static> MapKey for K {}

/// Decodes a key.
pub(super) struct AsKey<K>(pub(super) PhantomData<K>);

impl<'de, K: MapKey> DeserializeSeed<'de> for AsKey<K> {
    type Value = K;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<K, D::Error> {
        K::deserialize(KeyText(d))
    }
}

/// The key with this text.
pub(super) fn decode<K: MapKey>(text: &str) -> Result<K, TextError> {
    let d: StrDeserializer<'_, TextError> = text.into_deserializer();
    K::deserialize(KeyText(d))
}

/// The key with this text, if it is one.
pub(super) fn parse<K: MapKey>(text: &str) -> Option<K> {
    decode(text).ok()
}

/// Whether this text is a way to write the key.
pub(super) fn is<K: MapKey>(key: &K, text: &str) -> bool {
    match (key as &dyn Any).downcast_ref::<String>() {
        Some(key) => key == text,
        None => parse::<K>(text).is_some_and(|other| other == *key),
    }
}

/// The key as a document has it. A type can be decoded from a text, but not always written as one: so texts that are likely are
/// decoded, and the first that is this key is it.
pub(crate) fn text<K: MapKey>(key: &K) -> Cow<'_, str> {
    if let Some(text) = (key as &dyn Any).downcast_ref::<String>() {
        return Cow::Borrowed(text);
    }
    let printed = format!("{key:?}");
    let inside = printed
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    let unquoted = |text: &str| unescaped(text).unwrap_or_else(|| text.to_owned());
    let mut likely = vec![unquoted(&printed)];
    likely.extend(inside.map(unquoted));
    likely.extend(words::<K>().iter().map(|word| (*word).to_owned()));
    let found = likely.into_iter().find(|text| is(key, text));
    Cow::Owned(found.unwrap_or(printed))
}

/// The content of a text that `Debug` printed in quotes.
fn unescaped(printed: &str) -> Option<String> {
    let quote = printed.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = printed.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut text = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                'u' => {
                    let rest = chars.as_str();
                    let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
                    chars = after.chars();
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                }
                other => other,
            }),
            other => text.push(other),
        }
    }
    Some(text)
}

/// The names that a type of words is decoded from.
fn words<K: MapKey>() -> &'static [&'static str] {
    let found = Cell::new(&[] as &[&str]);
    let _: Result<K, TextError> = K::deserialize(Words(&found));
    found.get()
}

struct Words<'c>(&'c Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Words<'_> {
    type Error = TextError;
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TextError> {
        Err(TextError::custom("no words"))
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, TextError> {
        self.0.set(variants);
        Err(TextError::custom("the words are known"))
    }
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A decoder of a key. A number or a bool is read from the key's text, quoted or not: the formats disagree about that.
struct KeyText<D>(D);

/// How a text becomes what the type asks for.
#[derive(Clone, Copy)]
enum KeyForm {
    Bool,
    Unsigned,
    Signed,
    Float,
}

macro_rules! as_written {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* visitor)
        }
    };
}

macro_rules! parsed {
    ($($method:ident: $form:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_str(Parsed(visitor, KeyForm::$form))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for KeyText<D> {
    type Error = D::Error;

    deserializer_methods! {
        as_written: any texts unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }

    parsed! {
        deserialize_bool: Bool;
        deserialize_i8: Signed;
        deserialize_i16: Signed;
        deserialize_i32: Signed;
        deserialize_i64: Signed;
        deserialize_i128: Signed;
        deserialize_u8: Unsigned;
        deserialize_u16: Unsigned;
        deserialize_u32: Unsigned;
        deserialize_u64: Unsigned;
        deserialize_u128: Unsigned;
        deserialize_f32: Float;
        deserialize_f64: Float;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Hands the number in a text to the visitor.
struct Parsed<V>(V, KeyForm);

macro_rules! handed_on {
    ($method:ident: $type:ty) => {
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Parsed<V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        let wrong = |visitor: &V| E::invalid_value(Unexpected::Str(text), visitor);
        match self.1 {
            KeyForm::Bool => match text.parse() {
                Ok(value) => self.0.visit_bool(value),
                Err(_) => Err(wrong(&self.0)),
            },
            KeyForm::Float => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => self.0.visit_f64(value),
                _ => Err(wrong(&self.0)),
            },
            KeyForm::Unsigned => match (text.parse(), text.parse()) {
                (Ok(value), _) => self.0.visit_u64(value),
                (_, Ok(value)) => self.0.visit_u128(value),
                _ => Err(wrong(&self.0)),
            },
            KeyForm::Signed => match (text.parse(), text.parse()) {
                (Ok(value), _) => self.0.visit_i64(value),
                (_, Ok(value)) => self.0.visit_i128(value),
                _ => Err(wrong(&self.0)),
            },
        }
    }
    visitor_methods! { handed_on: bool numbers }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::net::{IpAddr, SocketAddr};

    #[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        One,
        TwoWords,
    }

    #[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
    struct Port(u16);

    #[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
    struct Name(String);

    fn written<K: MapKey>(key: &K) -> String {
        let text = text(key).into_owned();
        assert_eq!(parse::<K>(&text).as_ref(), Some(key), "{text}");
        text
    }

    #[test]
    fn a_key_is_written_as_a_document_has_it() {
        assert_eq!(written(&String::from("a.b")), "a.b");
        assert_eq!(written(&-5_i8), "-5");
        assert_eq!(written(&u128::MAX), u128::MAX.to_string());
        assert_eq!(written(&true), "true");
        assert_eq!(written(&'x'), "x");
        assert_eq!(written(&'\''), "'");
        assert_eq!(written(&Word::One), "one");
        assert_eq!(written(&Word::TwoWords), "two-words");
        assert_eq!(written(&Port(80)), "80");
        assert_eq!(written(&Name("a (b)".to_owned())), "a (b)");
        assert_eq!(written(&IpAddr::from([10, 0, 0, 1])), "10.0.0.1");
        assert_eq!(written(&SocketAddr::from(([0; 16], 80))), "[::]:80");
        assert!(parse::<u8>("256").is_none() && parse::<u8>("a").is_none());
        assert!(parse::<Word>("three").is_none());
    }

    proptest! {
        #[test]
        fn any_text_inside_a_type_of_its_own_is_written_as_it_is(name in ".*", number: i128) {
            prop_assert_eq!(written(&Name(name.clone())), name);
            prop_assert_eq!(written(&number), number.to_string());
        }
    }
}
