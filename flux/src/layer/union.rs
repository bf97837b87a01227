//! How `union` finds which items of a list are new without a comparison of each with each; from how many on it refuses.

use super::leaf::TypeProbe;
use std::{
    collections::{BTreeMap, HashSet},
    hash::Hash,
};

/// So many comparisons cost less than a set of the items.
const FEW: usize = 64;
/// More comparisons than this are not made on the way of an update.
const MOST: usize = 10_000_000;

fn comparisons<T>(below: &[T], top: &[T]) -> usize {
    (below.len() + top.len()).saturating_mul(top.len())
}

/// Adds the items of `top` that are new: each is asked about once.
fn add<'t, T: Clone>(top: &'t [T], is_new: impl FnMut(&&'t T) -> bool) -> Vec<T> {
    top.iter().filter(is_new).cloned().collect()
}

/// Refuses so many comparisons, unless a panic would end the process: there it takes as long as it takes.
fn check(comparisons: usize, below: usize, top: usize) {
    if comparisons > MOST && cfg!(panic = "unwind") {
        // Without the program's hook, which is for mistakes of the program.
        std::panic::resume_unwind(Box::new(format!(
            "`merge = \"union\"` would compare each of {top} items with each of {below}, which are too many; contain fewer, or derive \
             `Eq` and `Hash`, or `Ord`, for the items' type"
        )));
    }
}

/// Compares each item with each.
///
/// # Panics
/// If those are too many, with a sentence for people.
pub(super) fn one_by_one<T: PartialEq + Clone>(below: &mut Vec<T>, top: &[T]) {
    check(comparisons(below, top), below.len(), top.len());
    for item in top {
        if !below.contains(item) {
            below.push(item.clone());
        }
    }
}

fn by_hash<T: Eq + Hash + Clone>(below: &mut Vec<T>, top: &[T]) {
    if comparisons(below, top) <= FEW {
        return one_by_one(below, top);
    }
    let mut known: HashSet<&T> = below.iter().collect();
    let new = add(top, |item| known.insert(item));
    below.extend(new);
}

fn by_order<T: Ord + Clone>(below: &mut Vec<T>, top: &[T]) {
    if comparisons(below, top) <= FEW {
        return one_by_one(below, top);
    }
    // An order that compares a part of the items alone, such as a priority, makes no two of them one.
    let mut known: BTreeMap<&T, Vec<&T>> = BTreeMap::new();
    for item in below.iter() {
        known.entry(item).or_default().push(item);
    }
    let mut compared = 0;
    let new = add(top, |item| {
        let alike = known.entry(item).or_default();
        compared += alike.len();
        check(compared, below.len(), top.len());
        let is_new = !alike.contains(item);
        if is_new {
            alike.push(item);
        }
        is_new
    });
    below.extend(new);
}

/// As `==` has it: both zeros are one, and what is no number equals nothing.
fn floats<T: Copy + Into<f64>>(below: &mut Vec<T>, top: &[T]) {
    let bits = |item: &T| (Into::<f64>::into(*item) + 0.0).to_bits();
    let mut known: HashSet<u64> = below.iter().map(bits).collect();
    let new = add(top, |item| {
        known.insert(bits(item)) || Into::<f64>::into(**item).is_nan()
    });
    below.extend(new);
}

fn in_option<T: Clone>(
    below: &mut Option<Vec<T>>,
    top: &Option<Vec<T>>,
    unite: fn(&mut Vec<T>, &[T]),
) {
    match (below, top) {
        (Some(below), Some(top)) => unite(below, top),
        (below, top) => below.clone_from(top),
    }
}

macro_rules! ways {
    ($($(#[$docs:meta])* $way:ident, [$($generic:tt)*] $item:ty, [$($reference:tt)*] $unite:ident;)*) => {$(
        $(#[$docs])*
        pub trait $way<T> {
            /// How an upper layer's items are added, where that needs no comparison of each with each.
            fn unite(self) -> Option<fn(&mut T, &T)>;
        }

        impl<$($generic)*> $way<Vec<$item>> for $($reference)* TypeProbe<Vec<$item>> {
            #[inline]
            fn unite(self) -> Option<fn(&mut Vec<$item>, &Vec<$item>)> {
                Some(|below, top| $unite(below, top))
            }
        }

        impl<$($generic)*> $way<Option<Vec<$item>>> for $($reference)* TypeProbe<Option<Vec<$item>>> {
            #[inline]
            fn unite(self) -> Option<fn(&mut Option<Vec<$item>>, &Option<Vec<$item>>)> {
                Some(|below, top| in_option(below, top, $unite))
            }
        }
    )*};
}

ways! {
    /// Lists of what can be hashed.
    UnitesByHash, [T: Eq + Hash + Clone] T, [] by_hash;
    /// Lists of what has an order.
    UnitesByOrder, [T: Ord + Clone] T, [&] by_order;
    /// Lists of floats.
    UnitesF64, [] f64, [] floats;
    /// Lists of short floats.
    UnitesF32, [] f32, [] floats;
}

/// Everything else: sets, which unite themselves, and lists of what can only be compared.
pub trait UnitesItself<T> {
    /// None.
    fn unite(self) -> Option<fn(&mut T, &T)>;
}

impl<T> UnitesItself<T> for &mut TypeProbe<T> {
    #[inline]
    fn unite(self) -> Option<fn(&mut T, &T)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{super::merge, *};
    use proptest::prelude::*;
    use std::{cmp::Ordering, collections::BTreeSet};

    /// Neither hashed nor ordered.
    #[derive(Debug, Clone, PartialEq)]
    struct Compared(u8);

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct Ordered(u8);

    /// In the order of its rank alone, whatever its name is.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Ranked(u8, u8);

    impl Ord for Ranked {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Ranked {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    macro_rules! united {
        ($ty:ty, $below:expr, $top:expr) => {{
            let mut below: Option<$ty> = Some($below);
            merge::union(&mut below, &Some($top), TypeProbe::<$ty>::new().unite());
            below.unwrap()
        }};
    }

    #[test]
    fn a_list_is_united_by_what_its_items_have() {
        assert!(TypeProbe::<Vec<String>>::new().unite().is_some());
        assert!(TypeProbe::<Option<Vec<Ordered>>>::new().unite().is_some());
        assert!(TypeProbe::<Vec<f32>>::new().unite().is_some());
        assert!(TypeProbe::<Vec<Compared>>::new().unite().is_none());
        assert!(TypeProbe::<BTreeSet<u8>>::new().unite().is_none());
    }

    proptest! {
        #[test]
        fn every_way_unites_as_a_comparison_of_each_with_each(
            below in proptest::collection::vec(0_u8..40, 0..60),
            top in proptest::collection::vec(0_u8..40, 0..60),
        ) {
            fn items<T>(numbers: &[u8], make: fn(u8) -> T) -> Vec<T> {
                numbers.iter().copied().map(make).collect()
            }
            let mut expected = below.clone();
            one_by_one(&mut expected, &top);
            let float = |item: u8| match item {
                0 => -0.0,
                1 => 0.0,
                2 => f64::NAN,
                item => f64::from(item),
            };
            let mut floats = items(&below, float);
            one_by_one(&mut floats, &items(&top, float));
            let bits = |floats: Vec<f64>| floats.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let hashed = united!(Vec<u8>, below.clone(), top.clone());
            prop_assert_eq!(&hashed, &expected);
            let ordered = united!(Vec<Ordered>, items(&below, Ordered), items(&top, Ordered));
            prop_assert_eq!(ordered, items(&expected, Ordered));
            let rank = |item| Ranked(item % 3, item);
            let ranked = united!(Vec<Ranked>, items(&below, rank), items(&top, rank));
            prop_assert_eq!(ranked, items(&expected, rank));
            let compared = united!(Vec<Compared>, items(&below, Compared), items(&top, Compared));
            prop_assert_eq!(compared, items(&expected, Compared));
            let optional = united!(Option<Vec<u8>>, Some(below.clone()), Some(top.clone()));
            prop_assert_eq!(optional, Some(expected));
            let united = united!(Vec<f64>, items(&below, float), items(&top, float));
            prop_assert_eq!(bits(united), bits(floats));
        }
    }

    #[test]
    fn a_hundred_thousand_texts_are_united_with_as_many() {
        let text = |i: usize| format!("text{i}");
        let united = united!(
            Vec<String>,
            (0..100_000).map(text).collect(),
            (50_000..150_000).map(text).collect()
        );
        assert_eq!(
            (united.len(), united[149_999].as_str()),
            (150_000, "text149999")
        );
    }

    #[test]
    fn many_items_with_an_order_are_united_without_a_comparison_of_each_with_each() {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        struct OrderedNumber(u32);
        let numbers = |from: u32| (from..from + 20_000).map(OrderedNumber).collect();
        let united = united!(Vec<OrderedNumber>, numbers(0), numbers(10_000));
        assert_eq!((united.len(), united[29_999].0), (30_000, 29_999));
    }

    #[test]
    fn what_can_only_be_compared_is_refused_where_the_comparisons_are_too_many() {
        let many = vec![Compared(1); 10_000];
        let union = || united!(Vec<Compared>, many.clone(), many.clone());
        let why = crate::problem::caught(union).unwrap_err();
        assert!(why.contains("10000 items"), "{why}");
    }
}
