//! How one layer's field is laid over the field below it: replace, append, prepend, union, by key, a function of the program.

use super::{
    Leaf,
    finish::Nested,
    sublayer::{BoxedLayer, List, Sublayer},
    union,
};
use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    hash::{BuildHasher, Hash},
    marker::PhantomData,
    ops::Index,
    sync::Arc,
};

/// `replace`: the upper layer's value, where it has one.
#[inline]
pub fn replace<T: Clone>(below: &mut Option<T>, top: &Option<T>) {
    if let Some(value) = top {
        *below = Some(value.clone());
    }
}

/// A list that can be extended at both ends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no order to append to",
    note = "`merge = \"append\"` and `\"prepend\"` need a `Vec` or a `VecDeque`, or an `Option` of one"
)]
pub trait Sequence: Clone {
    /// Puts the items of `top` behind the own ones.
    fn append(&mut self, top: &Self);
    /// Puts the items of `top` before the own ones.
    fn prepend(&mut self, top: &Self);
}

impl<T: Clone> Sequence for Vec<T> {
    fn append(&mut self, top: &Self) {
        self.extend_from_slice(top);
    }
    fn prepend(&mut self, top: &Self) {
        self.splice(0..0, top.iter().cloned());
    }
}

impl<T: Clone> Sequence for VecDeque<T> {
    fn append(&mut self, top: &Self) {
        self.extend(top.iter().cloned());
    }
    fn prepend(&mut self, top: &Self) {
        for item in top.iter().rev() {
            self.push_front(item.clone());
        }
    }
}

/// Single items that a layer sets are items of its own list.
impl<L: Sublayer> Sequence for List<L> {
    fn append(&mut self, top: &Self) {
        self.close();
        let mut top = top.clone();
        top.close();
        self.items.append(&mut top.items);
        self.beyond = self.beyond.or(top.beyond);
    }
    fn prepend(&mut self, top: &Self) {
        self.close();
        let mut top = top.clone();
        top.close();
        self.items.prepend(&top.items);
        self.beyond = self.beyond.or(top.beyond);
    }
}

impl<T: Sequence> Sequence for BoxedLayer<T> {
    fn append(&mut self, top: &Self) {
        self.0.append(&top.0);
    }
    fn prepend(&mut self, top: &Self) {
        self.0.prepend(&top.0);
    }
}

impl<T: Sequence> Sequence for Option<T> {
    fn append(&mut self, top: &Self) {
        match (self, top) {
            (Some(below), Some(top)) => below.append(top),
            (below, top) => *below = top.clone(),
        }
    }
    fn prepend(&mut self, top: &Self) {
        match (self, top) {
            (Some(below), Some(top)) => below.prepend(top),
            (below, top) => *below = top.clone(),
        }
    }
}

/// A collection in which an item counts once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged as a set",
    note = "`merge = \"union\"` needs a `BTreeSet`, a `HashSet` or a `Vec` of comparable items, or an `Option` of one"
)]
pub trait Union: Clone {
    /// Adds the items of `top` that are not there yet.
    fn union(&mut self, top: &Self);
}

impl<T: Ord + Clone> Union for BTreeSet<T> {
    fn union(&mut self, top: &Self) {
        self.extend(top.iter().cloned());
    }
}

impl<T: Eq + Hash + Clone, S: BuildHasher + Clone> Union for HashSet<T, S> {
    fn union(&mut self, top: &Self) {
        self.extend(top.iter().cloned());
    }
}

impl<T: PartialEq + Clone> Union for Vec<T> {
    fn union(&mut self, top: &Self) {
        union::one_by_one(self, top);
    }
}

impl<T: Union> Union for Option<T> {
    fn union(&mut self, top: &Self) {
        match (self, top) {
            (Some(below), Some(top)) => below.union(top),
            (below, top) => *below = top.clone(),
        }
    }
}

/// A map whose entries are merged one by one. `M` is where the map is, so that each type has one implementation at most.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no keys to merge by",
    note = "`merge = \"by_key\"` needs a map such as `BTreeMap` or `HashMap`, or an `Option`, a `Box` or an `Arc` of one"
)]
pub trait ByKey<M>: Clone {
    /// Lays the entries of `top` over the own ones.
    fn by_key(&mut self, top: &Self);
}

/// The map itself.
#[derive(Debug)]
pub struct AsMap;
/// Behind an `Option` or a pointer.
#[derive(Debug)]
pub struct Within<M>(PhantomData<M>);

/// What behaves as a map, also one of another crate: its items are pairs, it can be extended by them, and indexed by a key.
#[diagnostic::do_not_recommend]
impl<T, K, V> ByKey<AsMap> for T
where
    T: Clone + IntoIterator<Item = (K, V)> + Extend<(K, V)> + for<'a> Index<&'a K, Output = V>,
{
    fn by_key(&mut self, top: &Self) {
        self.extend(top.clone());
    }
}

impl<T: ByKey<M>, M> ByKey<Within<M>> for Option<T> {
    fn by_key(&mut self, top: &Self) {
        match (self, top) {
            (Some(below), Some(top)) => below.by_key(top),
            (below, top) => *below = top.clone(),
        }
    }
}

impl<T: ByKey<M>, M> ByKey<Within<M>> for Box<T> {
    fn by_key(&mut self, top: &Self) {
        T::by_key(self, top);
    }
}

impl<T: ByKey<M>, M> ByKey<Within<M>> for Arc<T> {
    fn by_key(&mut self, top: &Self) {
        Arc::make_mut(self).by_key(top);
    }
}

macro_rules! folds {
    ($($(#[$doc:meta])* $name:ident: $bound:ident $(<$m:ident>)?;)*) => {$(
        $(#[$doc])*
        pub fn $name<T: $bound $(<$m>, $m)?>(below: &mut Option<T>, top: &Option<T>) {
            match (below, top) {
                (_, None) => {}
                (Some(below), Some(top)) => below.$name(top),
                (below, Some(top)) => *below = Some(top.clone()),
            }
        }
    )*};
}

folds! {
    /// `append`: the upper layer's items after the lower ones.
    append: Sequence;
    /// `prepend`: the upper layer's items before the lower ones.
    prepend: Sequence;
    /// `by_key`: the upper layer's entries over the lower ones.
    by_key: ByKey<M>;
}

/// `union`: the upper layer's items that are not there yet, added in the given way where there is one.
pub fn union<T: Union>(below: &mut Option<T>, top: &Option<T>, unite: Option<fn(&mut T, &T)>) {
    by(below, top, unite.unwrap_or(T::union));
}

/// A merge function of the user's: `fn(below: &mut T, top: &T)`, called where both layers have a value.
pub fn by<T: Clone>(below: &mut Option<T>, top: &Option<T>, merge: fn(&mut T, &T)) {
    match (below, top) {
        (_, None) => {}
        (Some(below), Some(top)) => merge(below, top),
        (below, Some(top)) => *below = Some(top.clone()),
    }
}

/// A leaf, as its type decides.
#[inline]
pub fn leaf<L: Leaf>(below: &mut Option<L::Out>, top: &Option<L::Out>)
where
    L::Out: Clone,
{
    match L::merge() {
        None => replace(below, top),
        Some(merge) => by(below, top, merge),
    }
}

/// Whether a leaf's type merges by key.
#[must_use]
pub fn by_key_of<L: Leaf>() -> bool {
    L::merge().is_some()
}

/// A section, field by field.
pub fn nested<N: Nested>(below: &mut Option<N::Layer>, top: &Option<N::Layer>) {
    match (below, top) {
        (_, None) => {}
        (Some(below), Some(top)) => below.lay_over(top),
        (below, Some(top)) => *below = Some(top.clone()),
    }
}
