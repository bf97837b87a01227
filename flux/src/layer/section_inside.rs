//! Whether a field's type holds a section, by itself or in something: such a field is not read as a single value by mistake.

use super::{Config, leaf::TypeProbe};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    marker::PhantomData,
    rc::Rc,
    sync::Arc,
};

/// A config struct, alone or inside of something. `M` is where it is, so that each type has one implementation at most.
pub trait Holds<M> {}
/// The type itself.
#[derive(Debug)]
pub struct Itself;
/// In a list, a map or behind a pointer.
#[derive(Debug)]
pub struct Inside<M>(PhantomData<M>);
/// In a tuple, at this index.
#[derive(Debug)]
pub struct At<M, const INDEX: usize>(PhantomData<M>);

impl<C: Config> Holds<Itself> for C {}

macro_rules! holds {
    ($([$($generic:tt)*] $type:ty;)*) => {
        $(impl<T: Holds<M>, M $($generic)*> Holds<Inside<M>> for $type {})*
    };
}

holds! {
    [] Option<T>;
    [] Vec<T>;
    [] VecDeque<T>;
    [] [T];
    [] BTreeSet<T>;
    [, S] HashSet<T, S>;
    [, const N: usize] [T; N];
    [, K] BTreeMap<K, T>;
    [, K, S] HashMap<K, T, S>;
}

#[cfg(feature = "indexmap")]
holds! {
    [, K, S] indexmap::IndexMap<K, T, S>;
}

macro_rules! pointers_hold {
    ($($pointer:ident)*) => {
        $(impl<T: Holds<M> + ?Sized, M> Holds<Inside<M>> for $pointer<T> {})*
    };
}

pointers_hold! { Box Rc Arc }

macro_rules! tuples_hold {
    ($($index:literal $item:ident: $($name:ident)+;)*) => {
        $(impl<$($name,)+ M> Holds<At<M, $index>> for ($($name,)+)
        where
            $item: Holds<M>,
        {})*
    };
}

tuples_hold! {
    0 A: A;
    0 A: A B; 1 B: A B;
    0 A: A B C; 1 B: A B C; 2 C: A B C;
    0 A: A B C D; 1 B: A B C D; 2 C: A B C D; 3 D: A B C D;
}

/// The answer for a type that holds a section.
#[derive(Debug)]
pub struct Sectioned<T>(PhantomData<T>);
/// The answer for every other type.
#[derive(Debug)]
pub struct Single<T>(PhantomData<T>);

/// A type that holds a section.
pub trait SectionInside<T, M> {
    /// The answer.
    fn section(self) -> Sectioned<T>;
}

impl<T: Holds<M>, M> SectionInside<T, M> for TypeProbe<T> {
    fn section(self) -> Sectioned<T> {
        Sectioned(PhantomData)
    }
}

/// A type that holds none.
pub trait NoSection<T> {
    /// The answer.
    fn section(self) -> Single<T>;
}

impl<T> NoSection<T> for &TypeProbe<T> {
    fn section(self) -> Single<T> {
        Single(PhantomData)
    }
}

/// What a leaf's type must be.
#[diagnostic::on_unimplemented(
    message = "`{T}` is a section, and this field would read it as a single value",
    label = "add `#[flux(nested)]` to this field",
    note = "as a single value it would be replaced as a whole, without its own rules, defaults, variables and unknown keys",
    note = "if that is meant, write `#[flux(value)]`"
)]
pub trait IsSingle<T> {}

impl<T> IsSingle<T> for Single<T> {}

/// Compiles only for the answer `Single`.
pub fn single<T, A: IsSingle<T>>(_: A) {}

#[cfg(all(test, feature = "derive"))]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct HeldSection {
        n: u8,
    }

    fn holds<T: Holds<M> + ?Sized, M>() {}

    #[test]
    fn a_section_is_found_wherever_it_is() {
        holds::<HeldSection, _>();
        holds::<Option<Box<HeldSection>>, _>();
        holds::<Rc<[HeldSection]>, _>();
        holds::<Arc<Vec<HeldSection>>, _>();
        holds::<VecDeque<[HeldSection; 2]>, _>();
        holds::<HashMap<String, BTreeMap<u8, HeldSection>>, _>();
        holds::<(u8, HeldSection, String), _>();
        holds::<Vec<(HeldSection, u8)>, _>();
        #[cfg(feature = "indexmap")]
        holds::<indexmap::IndexMap<String, HeldSection>, _>();
    }
}
