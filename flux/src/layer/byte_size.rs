//! Which numbers of bytes a field of sizes reads: `10MB`, `64KiB`, and plain integers.

use super::unique_keys::{counted, strict};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected, Visitor},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fmt,
    hash::{BuildHasher, Hash},
    marker::PhantomData,
    num,
    sync::Arc,
};

/// What is expected of a number of bytes; the tracer of types knows its visitor by that.
pub(super) const BYTE_SIZE: &str = "a size such as `10MB` or `64KiB`, or a number of bytes";

/// Integers that are numbers of bytes, and what holds them: what `#[flux(bytes)]` fits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of bytes",
    label = "not an integer",
    note = "`bytes` fits integers, `NonZero` ones too, and an option, a pointer, a list, a set or a map of them"
)]
pub trait ByteSize: Sized {
    /// Decodes it.
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error>;
}

/// Decodes a field of bytes.
#[inline]
pub fn read_bytes<'de, T: ByteSize, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    T::read(d)
}

/// Lets a holder's own `Deserialize` read sizes.
struct SizeOf<T>(T);

impl<'de, T: ByteSize> Deserialize<'de> for SizeOf<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::read(d).map(SizeOf)
    }
}

/// An integer, with its bounds for the sentence.
struct WholeBytes<T> {
    name: &'static str,
    least: i128,
    most: u128,
    integer: PhantomData<fn() -> T>,
}

impl<T: TryFrom<u128> + TryFrom<i128>> WholeBytes<T> {
    fn large<E: Error>(&self, written: &dyn fmt::Display, number: u128) -> Result<T, E> {
        T::try_from(number).map_err(|_| {
            let (name, most) = (self.name, self.most);
            E::custom(format_args!(
                "{written} is too large: `{name}` holds at most {most} bytes"
            ))
        })
    }

    fn small<E: Error>(&self, number: i128) -> Result<T, E> {
        match u128::try_from(number) {
            Ok(number) => self.large(&number, number),
            Err(_) => T::try_from(number).map_err(|_| {
                let (name, least) = (self.name, self.least);
                E::custom(format_args!(
                    "{number} is too small: `{name}` holds at least {least} bytes"
                ))
            }),
        }
    }
}

impl<T: TryFrom<u128> + TryFrom<i128>> Visitor<'_> for WholeBytes<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BYTE_SIZE)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.small(number.into())
    }
    fn visit_i128<E: Error>(self, number: i128) -> Result<T, E> {
        self.small(number)
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.large(&number, number.into())
    }
    fn visit_u128<E: Error>(self, number: u128) -> Result<T, E> {
        self.large(&number, number)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        // Beyond what a unit can make, and below zero, only plain numbers are.
        if let Ok(number) = text.trim().parse::<i128>() {
            return self.small(number);
        }
        if let Ok(number) = text.trim().parse::<u128>() {
            return self.large(&number, number);
        }
        match flux_syntax::parse_bytes(text) {
            Ok(bytes) => self.large(&format_args!("`{}`", text.trim()), bytes),
            Err(error) => Err(E::custom(error)),
        }
    }
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl ByteSize for $type {
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any(WholeBytes {
                    name: stringify!($type),
                    least: i128::try_from($type::MIN).unwrap_or(i128::MIN),
                    most: u128::try_from($type::MAX).unwrap_or(u128::MAX),
                    integer: PhantomData,
                })
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }

macro_rules! not_zero {
    ($($type:ident: $integer:ident;)*) => {$(
        impl ByteSize for num::$type {
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let not_zero = || D::Error::invalid_value(Unexpected::Unsigned(0), &"a size that is not zero");
                num::$type::new($integer::read(d)?).ok_or_else(not_zero)
            }
        }
    )*};
}

not_zero! {
    NonZeroU8: u8;
    NonZeroU16: u16;
    NonZeroU32: u32;
    NonZeroU64: u64;
    NonZeroU128: u128;
    NonZeroUsize: usize;
    NonZeroI8: i8;
    NonZeroI16: i16;
    NonZeroI32: i32;
    NonZeroI64: i64;
    NonZeroI128: i128;
    NonZeroIsize: isize;
}

impl<T: ByteSize> ByteSize for Option<T> {
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Option::<SizeOf<T>>::deserialize(d)?.map(|size| size.0))
    }
}

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: ByteSize> ByteSize for $pointer<T> {
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                T::read(d).map($pointer::new)
            }
        }
    )*};
}

pointers! { Box Arc }

macro_rules! lists {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<$($generic)*> ByteSize for $type {
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let items: Vec<SizeOf<T>> = strict(d)?;
                Ok(items.into_iter().map(|size| size.0).collect())
            }
        }
    )*};
}

lists! {
    [T: ByteSize] Vec<T>;
    [T: ByteSize] VecDeque<T>;
    [T: ByteSize + Ord] BTreeSet<T>;
    [T: ByteSize + Eq + Hash, S: BuildHasher + Default] HashSet<T, S>;
}

impl<T: ByteSize, const N: usize> ByteSize for [T; N] {
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let items: Vec<SizeOf<T>> = strict(d)?;
        let count = items.len();
        let items: Vec<T> = items.into_iter().map(|size| size.0).collect();
        let expected = format!("a list of {N} sizes");
        let wrong = |_| D::Error::invalid_length(count, &expected.as_str());
        items.try_into().map_err(wrong)
    }
}

macro_rules! maps {
    ($([$($generic:tt)*] $type:ty, $read:ty;)*) => {$(
        impl<K: DeserializeOwned + $($generic)*> ByteSize for $type {
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let entries: $read = counted(d)?;
                Ok(entries.into_iter().map(|(key, size)| (key, size.0)).collect())
            }
        }
    )*};
}

maps! {
    [Ord, T: ByteSize] BTreeMap<K, T>, BTreeMap<K, SizeOf<T>>;
    [Eq + Hash, T: ByteSize, S: BuildHasher + Default] HashMap<K, T, S>, HashMap<K, SizeOf<T>>;
}

#[cfg(feature = "indexmap")]
impl<K, T, S> ByteSize for indexmap::IndexMap<K, T, S>
where
    K: DeserializeOwned + Eq + Hash,
    T: ByteSize,
    S: BuildHasher + Default,
{
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let entries: indexmap::IndexMap<K, SizeOf<T>> = counted(d)?;
        Ok(entries
            .into_iter()
            .map(|(key, size)| (key, size.0))
            .collect())
    }
}
