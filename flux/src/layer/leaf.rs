//! How a value that is decoded as a whole is read, merged, compared and required, by its type. How, and how two layers' values
//! meet, is decided by the field's type and not by the way it is written: [`TypeProbe`] has a method for each question, and the
//! most special implementation that fits the type answers it. So an alias, a `Box` or a map of another crate behaves as the type
//! behind it.

use super::{
    Leaf,
    decode::{fill, is_caught},
    merge::ByKey,
    unique_keys::{CountedMap, careful, counted, strict},
};
use crate::problem::{Cx, What};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed},
};
use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    hash::{BuildHasher, Hash},
    marker::PhantomData,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    path::PathBuf,
    sync::Arc,
};

/// Fills an empty slot in its place, so that a value is moved once. Generated code hands it to the map by itself: a function in
/// between would be compiled for each type of leaf and each format.
pub struct LeafSeed<'s, L: Leaf>(pub &'s mut Option<L::Out>);

impl<L: Leaf> std::fmt::Debug for LeafSeed<'_, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeafSeed").finish_non_exhaustive()
    }
}

impl<'de, L: Leaf> DeserializeSeed<'de> for LeafSeed<'_, L> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match L::decode(d) {
            Ok(value) => fill(self.0, Some(value)),
            // The problem was collected.
            Err(error) if is_caught(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Fills an empty slot with a simple value. It knows nothing of the config type, so that a debug build takes it from this crate. An
/// optimised build has one for each config type instead, which is inlined there.
#[derive(Debug)]
pub struct SimpleSeed<'s, T>(&'s mut Option<T>);

impl<'de, T: Simple> DeserializeSeed<'de> for SimpleSeed<'_, T> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match T::read(d) {
            Ok(value) => fill(self.0, Some(value)),
            // The problem was collected.
            Err(error) if is_caught(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Where the answers about a type come from: `TypeProbe::<T>::new().read(d)`. The methods are those of the traits in [`probe`].
#[derive(Debug)]
pub struct TypeProbe<T>(PhantomData<fn() -> T>);

impl<T> TypeProbe<T> {
    /// The only value.
    #[inline]
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        TypeProbe(PhantomData)
    }
}

impl<U> TypeProbe<Option<U>> {
    /// Whether a value is needed: an `Option` under any name is `None` where no layer has one.
    pub const REQUIRED: bool = false;

    /// The value, or `None`.
    #[inline]
    pub fn need(_: &mut Cx, _: &'static str, value: Option<Option<U>>) -> Option<Option<U>> {
        Some(value.flatten())
    }
}

/// An `Option` behind a pointer is one as well, as to serde.
macro_rules! pointers_to_options {
    ($($pointer:ident)*) => {$(
        impl<U> TypeProbe<$pointer<Option<U>>> {
            /// Whether a value is needed.
            pub const REQUIRED: bool = false;

            /// The value, or `None` behind the pointer.
            #[inline]
            pub fn need(_: &mut Cx, _: &'static str, value: Option<$pointer<Option<U>>>) -> Option<$pointer<Option<U>>> {
                Some(value.unwrap_or_default())
            }
        }
    )*};
}
pointers_to_options!(Arc Box);

/// The questions, for generated code to import without a name. Method lookup tries `TypeProbe<T>` first, then `&TypeProbe<T>`, then `&mut TypeProbe<T>`.
pub mod probe {
    #[cfg(feature = "schemars")]
    pub use super::super::leaf_schema::{DescribesItself as _, IsTracedAlone as _};
    pub use super::super::secret_texts::{
        SecretsOfOption as _, SecretsOfParts as _, SecretsOfPrinted as _, SecretsOfText as _,
        SecretsUnreadable as _,
    };
    pub use super::super::section_inside::{NoSection as _, SectionInside as _};
    pub use super::super::taken::{ReadsEntries as _, ReadsNoEntries as _};
    pub use super::super::union::{
        UnitesByHash as _, UnitesByOrder as _, UnitesF32 as _, UnitesF64 as _, UnitesItself as _,
    };
    pub use super::{
        MergesByKey as _, ReadsCarefully as _, ReadsCounted as _, ReadsSimply as _, Replaces as _,
        Required as _, SeedsByLeaf as _, SeedsSimply as _,
    };
}

/// The answer for everything that is no `Option`.
pub trait Required<T> {
    /// Whether a value is needed.
    const REQUIRED: bool = true;
    /// The value, or a problem.
    #[inline]
    fn need(cx: &mut Cx, name: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            cx.problem(name, What::Missing);
        }
        value
    }
}

impl<T> Required<T> for TypeProbe<T> {}

/// A type that holds neither a map, nor a duration, nor an `f32`, and so is decoded without looking at its parts.
pub trait Simple: DeserializeOwned {
    /// Decodes it; null is an error in every format where it is one in JSON.
    #[inline]
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::deserialize(d)
    }
}

macro_rules! simple {
    ($($type:ty)*) => { $(impl Simple for $type {})* };
}

simple! {
    bool char f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize
    String Box<str> PathBuf IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6
}

impl<T: Simple> Simple for Option<T> {}
impl<T: Simple> Simple for Box<T> {
    #[inline]
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::read(d).map(Box::new)
    }
}

macro_rules! simple_lists {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        /// A YAML list with nothing after its key is not an empty list.
        impl<$($generic)*> Simple for $type {
            #[inline]
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                strict(d)
            }
        }
    )*};
}

simple_lists! {
    [T: Simple] Vec<T>;
    [T: Simple] VecDeque<T>;
    [T: Simple + Ord] BTreeSet<T>;
    [T: Simple + Eq + Hash, S: BuildHasher + Default] HashSet<T, S>;
}

/// What is simple is read as it is.
pub trait ReadsSimply<T> {
    /// Decodes a value.
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error>;
}

impl<T: Simple> ReadsSimply<T> for TypeProbe<T> {
    #[inline]
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        T::read(d)
    }
}

/// What is simple is put into its slot by its type alone.
pub trait SeedsSimply<T> {
    /// What fills the slot.
    fn seed<L>(self, slot: &mut Option<T>) -> SimpleSeed<'_, T>;
}

#[cfg(debug_assertions)]
impl<T: Simple> SeedsSimply<T> for TypeProbe<T> {
    #[inline]
    fn seed<L>(self, slot: &mut Option<T>) -> SimpleSeed<'_, T> {
        SimpleSeed(slot)
    }
}

/// Everything else is put there as its leaf reads it.
pub trait SeedsByLeaf<T> {
    /// What fills the slot.
    fn seed<L: Leaf<Out = T>>(self, slot: &mut Option<T>) -> LeafSeed<'_, L>;
}

impl<T> SeedsByLeaf<T> for &TypeProbe<T> {
    #[inline]
    fn seed<L: Leaf<Out = T>>(self, slot: &mut Option<T>) -> LeafSeed<'_, L> {
        LeafSeed(slot)
    }
}

/// In a map whose entries can be counted, a key that occurs twice is found by counting.
pub trait ReadsCounted<T> {
    /// Decodes a value.
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error>;
}

impl<T: DeserializeOwned + CountedMap> ReadsCounted<T> for &TypeProbe<T> {
    #[inline]
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        counted(d)
    }
}

/// Everything else is watched while it is read: for keys that occur twice, and for durations.
pub trait ReadsCarefully<T> {
    /// Decodes a value.
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>;
}

impl<T> ReadsCarefully<T> for &mut TypeProbe<T> {
    #[inline]
    fn read<'de, D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de>,
    {
        careful(d)
    }
}

/// Maps, alone or behind an `Option`, a `Box` or an `Arc`, merge by key.
pub trait MergesByKey<T, M> {
    /// How an upper layer's value is laid over a lower one's.
    fn merge(self) -> Option<fn(&mut T, &T)>;
}

impl<T: ByKey<M>, M> MergesByKey<T, M> for TypeProbe<T> {
    #[inline]
    fn merge(self) -> Option<fn(&mut T, &T)> {
        Some(T::by_key)
    }
}

/// Everything else is replaced.
pub trait Replaces<T> {
    /// How an upper layer's value is laid over a lower one's.
    fn merge(self) -> Option<fn(&mut T, &T)>;
}

impl<T> Replaces<T> for &TypeProbe<T> {
    #[inline]
    fn merge(self) -> Option<fn(&mut T, &T)> {
        None
    }
}

/// A leaf's type that can be compared with the value before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared, so it is not known whether a change changes it",
    label = "not `PartialEq`",
    note = "derive `PartialEq` on it, or write `#[flux(opaque)]` on the field: it then counts as changed whenever the content of any layer changes",
    note = "a struct whose fields are settings of their own, with defaults and variables, derives `Flux`, and the field is `#[flux(nested)]`",
    note = "a type that holds a secret is `#[flux(secret, opaque)]`"
)]
pub trait Comparable {
    /// Whether the value is another one.
    fn differs(&self, old: &Self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: PartialEq> Comparable for T {
    #[inline]
    fn differs(&self, old: &Self) -> bool {
        self != old
    }
}

/// Whether a leaf's value is another one.
#[inline]
pub fn differ<T: Comparable>(new: &T, old: &T) -> bool {
    new.differs(old)
}
