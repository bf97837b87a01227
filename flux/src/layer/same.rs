//! Whether two values that are not equal count as no change all the same: a float that is no number is not equal to itself.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasher, Hash},
    rc::Rc,
    sync::Arc,
};

/// Floats, and what holds them: lists, maps, tuples and pointers. Of a struct of the program only its own `PartialEq` is known.
pub trait Floats {
    /// Whether both are equal where what is no number equals itself.
    fn same(&self, other: &Self) -> bool;
}

macro_rules! floats {
    ($($ty:ty)*) => {$(
        impl Floats for $ty {
            fn same(&self, other: &Self) -> bool {
                self == other || (self.is_nan() && other.is_nan())
            }
        }
    )*};
}

floats! { f32 f64 }

/// What floats are found beside, in a tuple or as an item of a map.
macro_rules! others {
    ($($ty:ty)*) => {$(
        impl Floats for $ty {
            fn same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

others! {
    bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize str String std::time::Duration std::path::PathBuf
    std::net::IpAddr std::net::Ipv4Addr std::net::Ipv6Addr std::net::SocketAddr std::net::SocketAddrV4 std::net::SocketAddrV6
    std::ffi::OsString std::time::SystemTime
    std::num::NonZeroU8 std::num::NonZeroU16 std::num::NonZeroU32 std::num::NonZeroU64 std::num::NonZeroUsize
}

macro_rules! tuples {
    ($(($($name:ident $index:tt)+))*) => {$(
        impl<$($name: Floats),+> Floats for ($($name,)+) {
            fn same(&self, other: &Self) -> bool {
                $(self.$index.same(&other.$index))&&+
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}

impl<T: Floats> Floats for Option<T> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(a), Some(b)) => a.same(b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}

impl<T: Floats> Floats for [T] {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.same(b))
    }
}

impl<T: Floats, const N: usize> Floats for [T; N] {
    fn same(&self, other: &Self) -> bool {
        self.as_slice().same(other.as_slice())
    }
}

impl<T: Floats> Floats for Vec<T> {
    fn same(&self, other: &Self) -> bool {
        self.as_slice().same(other.as_slice())
    }
}

impl<T: Floats> Floats for VecDeque<T> {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.same(b))
    }
}

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Floats + ?Sized> Floats for $pointer<T> {
            fn same(&self, other: &Self) -> bool {
                (**self).same(&**other)
            }
        }
    )*};
}

pointers! { Box Rc Arc }

impl<T: Floats + ToOwned + ?Sized> Floats for Cow<'_, T> {
    fn same(&self, other: &Self) -> bool {
        (**self).same(&**other)
    }
}

impl<K: PartialEq, V: Floats> Floats for BTreeMap<K, V> {
    fn same(&self, other: &Self) -> bool {
        let mut pairs = self.iter().zip(other);
        self.len() == other.len() && pairs.all(|((k, a), (l, b))| k == l && a.same(b))
    }
}

impl<K: Eq + Hash, V: Floats, S: BuildHasher> Floats for HashMap<K, V, S> {
    fn same(&self, other: &Self) -> bool {
        let same = |(key, a): (&K, &V)| other.get(key).is_some_and(|b| a.same(b));
        self.len() == other.len() && self.iter().all(same)
    }
}

/// The order counts as little as for its `PartialEq`.
#[cfg(feature = "indexmap")]
impl<K: Eq + Hash, V: Floats, S: BuildHasher> Floats for indexmap::IndexMap<K, V, S> {
    fn same(&self, other: &Self) -> bool {
        let same = |(key, a): (&K, &V)| other.get(key).is_some_and(|b| a.same(b));
        self.len() == other.len() && self.iter().all(same)
    }
}

/// Two values that are not equal, for generated code: `(&Unequal(a, b)).differ()` asks `Floats` where the type has it.
#[derive(Debug)]
pub struct Unequal<'a, T: ?Sized>(pub &'a T, pub &'a T);

/// Chosen for types that are floats or hold them.
pub trait OfFloats {
    /// Whether the values differ.
    fn differ(&self) -> bool;
}

impl<T: Floats + ?Sized> OfFloats for Unequal<'_, T> {
    fn differ(&self) -> bool {
        !self.0.same(self.1)
    }
}

/// Chosen for every other type.
pub trait OfOthers {
    /// Whether the values differ.
    fn differ(&self) -> bool;
}

impl<T: ?Sized> OfOthers for &Unequal<'_, T> {
    fn differ(&self) -> bool {
        true
    }
}

#[cfg(test)]
#[allow(
    clippy::needless_borrow,
    reason = "the borrow chooses the trait, as in generated code"
)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_the_same_as_itself_wherever_it_is() {
        let nan = f64::NAN;
        assert!(!(&Unequal(&nan, &nan)).differ());
        assert!(!(&Unequal(&Some(nan), &Some(nan))).differ());
        assert!(!(&Unequal(&vec![1.0, nan], &vec![1.0, nan])).differ());
        assert!(!(&Unequal(&[f32::NAN], &[f32::NAN])).differ());
        let map = |value: f64| BTreeMap::from([("a", value)]);
        assert!(!(&Unequal(&map(nan), &map(nan))).differ());
        let map = |value: f64| HashMap::from([("a", value)]);
        assert!(!(&Unequal(&map(nan), &map(nan))).differ());
        #[cfg(feature = "indexmap")]
        {
            let map = |value: f64| indexmap::IndexMap::from([("a", value), ("b", 1.0)]);
            assert!(!(&Unequal(&map(nan), &map(nan))).differ());
            assert!((&Unequal(&map(nan), &map(1.0))).differ());
        }
        assert!(!(&Unequal(&Arc::new(nan), &Arc::new(nan))).differ());
        assert!(!(&Unequal(&Rc::<[f64]>::from([nan]), &Rc::<[f64]>::from([nan]))).differ());
        let beside = |text: &str| (Arc::<str>::from(text), std::num::NonZeroU8::MIN, nan);
        assert!(!(&Unequal(&beside("a"), &beside("a"))).differ());
        assert!((&Unequal(&beside("a"), &beside("b"))).differ());
        let pair = |text: &str| vec![(text.to_owned(), nan, Some((1_u8, [nan])))];
        assert!(!(&Unequal(&pair("a"), &pair("a"))).differ());
        assert!((&Unequal(&pair("a"), &pair("b"))).differ());
        assert!((&Unequal(&vec![1.0, nan], &vec![2.0, nan])).differ());
        assert!((&Unequal(&vec![nan], &vec![nan, nan])).differ());
        assert!((&Unequal(&nan, &1.0)).differ());
        assert!((&Unequal(&Some(nan), &None)).differ());
        assert!((&Unequal("a", "b")).differ());
    }
}
