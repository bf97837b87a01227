//! The rules from one value to the next that field attributes declare: what may not change, not by so much or not downwards, and
//! what waits for a restart. The first value after a start has nothing before it, and keeps them all.
//!
//! A section in a list is compared with the one at the same index, a section in a map with the one under the same key; a section
//! that was not there before may be anything.

use crate::{
    layer::finish::{self, Nested},
    problem::{Cx, Diff, Seg, What},
};
use std::{cmp::Ordering, fmt, fmt::Debug, num, time::Duration};

/// How a report prints a value: [`shown`], [`shown_inside`] or [`hidden`].
pub type Show<T> = fn(&T) -> Option<String>;

/// The value as `Debug` prints it.
pub fn shown<T: Debug>(value: &T) -> Option<String> {
    Some(format!("{value:?}"))
}

/// The value inside an `Option`.
pub fn shown_inside<T: Debug>(value: &Option<T>) -> Option<String> {
    match value {
        Some(value) => shown(value),
        None => Some("nothing".to_owned()),
    }
}

/// Nothing: for secrets and for types that may have no `Debug`.
pub fn hidden<T>(_: &T) -> Option<String> {
    None
}

#[cold]
#[inline(never)]
fn broken<T>(cx: &mut Cx, name: &'static str, must: String, new: &T, old: &T, show: Show<T>) {
    let found = show(new)
        .zip(show(old))
        .map(|(new, old)| format!("{new} after {old}"));
    let change = true;
    cx.problem(
        name,
        What::Rule {
            change,
            must,
            found,
        },
    );
}

const IMMUTABLE: &str = "cannot change without a restart of the program";

/// Whether a value changed. One that does not even equal itself, such as a float that is no number, has not.
#[allow(
    clippy::eq_op,
    reason = "only a float that is no number differs from itself"
)]
fn differs<T: PartialEq>(new: &T, old: &T) -> bool {
    new != old && (new == new || old == old)
}

/// `immutable`
#[inline]
pub fn immutable<T: PartialEq>(cx: &mut Cx, name: &'static str, new: &T, old: &T, show: Show<T>) {
    if differs(new, old) {
        broken(cx, name, IMMUTABLE.to_owned(), new, old, show);
    }
}

/// `immutable` on a section, list or map of sections: each field that differs is a problem of its own. Opaque fields are not
/// compared.
pub fn immutable_section<N: Nested>(cx: &mut Cx, name: &'static str, new: &N, old: &N) {
    let mut diff = Diff::default();
    finish::diff(&mut diff, name, new, old);
    for path in diff.into_changed() {
        let must = IMMUTABLE.to_owned();
        let (change, found) = (true, None);
        cx.problem_below(
            path,
            What::Rule {
                change,
                must,
                found,
            },
        );
    }
}

/// `monotonic`: the value may not decrease. `None` is below every `Some`; a float may not become one that is no number.
#[inline]
pub fn monotonic<T: PartialOrd>(cx: &mut Cx, name: &'static str, new: &T, old: &T, show: Show<T>) {
    let decreased = match new.partial_cmp(old) {
        Some(order) => order == Ordering::Less,
        None => old.partial_cmp(old).is_some(),
    };
    if decreased {
        broken(cx, name, "may not decrease".to_owned(), new, old, show);
    }
}

/// A percentage, as the limit of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    ten_thousandths: u64,
}

impl Percent {
    /// So many ten thousandths of a percent: 500,000 is 50%.
    pub const fn new(ten_thousandths: u64) -> Self {
        Percent { ten_thousandths }
    }

    /// 50% is 0.5.
    fn share(self) -> f64 {
        self.ten_thousandths as f64 / 1_000_000.0
    }

    /// Whether `change` is more than this of `old`; of nothing, no change is too much.
    fn exceeded(self, change: u128, old: u128) -> bool {
        if old == 0 {
            return false;
        }
        let limit = old.checked_mul(u128::from(self.ten_thousandths));
        match (change.checked_mul(1_000_000), limit) {
            (Some(change), Some(limit)) => change > limit,
            // Only numbers of more than a hundred bits come here.
            _ => change as f64 > old as f64 * self.share(),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.ten_thousandths / 10_000, self.ten_thousandths % 10_000);
        match rest {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}

/// What `max_change` limits: numbers and durations, and an `Option` of them. A type of your own asks what it is made of:
///
/// ```
/// use flux::rules::{Amount, Percent};
///
/// struct Bytes(u64);
///
/// impl Amount for Bytes {
///     fn exceeds(&self, old: &Self, limit: Percent) -> bool {
///         self.0.exceeds(&old.0, limit)
///     }
/// }
///
/// let half = Percent::new(500_000);
/// assert!(!Bytes(150).exceeds(&Bytes(100), half));
/// assert!(Bytes(151).exceeds(&Bytes(100), half));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no amount, so its change has no size",
    note = "`max_change` fits numbers and durations, and types that implement `flux::rules::Amount`"
)]
pub trait Amount {
    /// Whether the change from `old` is more than `limit` of it, up or down. From zero, and from a float that is infinite or no
    /// number, every change is allowed: it has no share of it.
    fn exceeds(&self, old: &Self, limit: Percent) -> bool;
}

macro_rules! integers {
    ($old:ident => $amount:expr; $($type:ty)*) => {$(
        impl Amount for $type {
            fn exceeds(&self, $old: &Self, limit: Percent) -> bool {
                limit.exceeded(self.abs_diff(*$old) as u128, $amount as u128)
            }
        }
    )*};
}

integers!(old => *old; u8 u16 u32 u64 u128 usize);
integers!(old => old.unsigned_abs(); i8 i16 i32 i64 i128 isize);

macro_rules! not_zero {
    ($($type:ident)*) => {$(
        impl Amount for num::$type {
            fn exceeds(&self, old: &Self, limit: Percent) -> bool {
                self.get().exceeds(&old.get(), limit)
            }
        }
    )*};
}

not_zero!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize);
not_zero!(NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize);

macro_rules! floats {
    ($($type:ident)*) => {$(
        impl Amount for $type {
            fn exceeds(&self, old: &Self, limit: Percent) -> bool {
                let (new, old) = (f64::from(*self), f64::from(*old));
                if old == 0.0 || !old.is_finite() {
                    return false;
                }
                if !new.is_finite() {
                    return true;
                }
                // A quarter of each, so that neither the difference nor the sum of the largest numbers overflows.
                let (new, old) = (new / 4.0, old / 4.0);
                // A written 1.1 is not quite 1.1: what two numbers may be off by is no change.
                let slack = 2.0 * f64::from($type::EPSILON) * (new.abs() + old.abs());
                (new - old).abs() > old.abs() * limit.share() + slack
            }
        }
    )*};
}

floats!(f32 f64);

impl Amount for Duration {
    fn exceeds(&self, old: &Self, limit: Percent) -> bool {
        limit.exceeded(self.abs_diff(*old).as_nanos(), old.as_nanos())
    }
}

/// What was not there before, or is not there any more, has no size to compare.
impl<T: Amount> Amount for Option<T> {
    fn exceeds(&self, old: &Self, limit: Percent) -> bool {
        self.as_ref()
            .zip(old.as_ref())
            .is_some_and(|(new, old)| new.exceeds(old, limit))
    }
}

/// `max_change = "50%"`
#[inline]
pub fn max_change<T: Amount>(
    cx: &mut Cx,
    name: &'static str,
    new: &T,
    old: &T,
    limit: Percent,
    show: Show<T>,
) {
    if new.exceeds(old, limit) {
        let must = format!("may change by at most {limit} at a time");
        broken(cx, name, must, new, old, show);
    }
}

/// A section, list or map of sections.
#[inline]
pub fn nested<N: Nested>(cx: &mut Cx, name: &'static str, new: &N, old: &N) {
    if name.is_empty() {
        return new.transition(old, cx);
    }
    cx.within(Seg::Key(name.into()), |cx| new.transition(old, cx));
}

/// `restart`: keeps the running value, and records where.
#[inline]
pub fn defer<T: PartialEq + Clone>(
    deferred: &mut Diff,
    name: &'static str,
    new: &mut T,
    running: &T,
) {
    if differs(new, running) {
        deferred.leaf(name, true);
        new.clone_from(running);
    }
}

/// What `restart` can keep as a whole: a section that is `Clone`, and an `Option`, list or map of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied, so `restart` cannot keep its running value",
    label = "not `Clone`",
    note = "derive `Clone` on the section's struct, or put `restart` on its fields"
)]
pub trait Keep: Nested + Clone {}

#[diagnostic::do_not_recommend]
impl<N: Nested + Clone> Keep for N {}

/// `restart` on a section, list or map of sections: it is kept as a whole, opaque fields too; the fields that differ are recorded.
pub fn defer_section<N: Keep>(deferred: &mut Diff, name: &'static str, new: &mut N, running: &N) {
    finish::diff(deferred, name, new, running);
    new.clone_from(running);
}

/// A section, list or map of sections, with fields of its own that may wait for a restart.
#[inline]
pub fn defer_nested<N: Nested>(deferred: &mut Diff, name: &'static str, new: &mut N, running: &N) {
    if name.is_empty() {
        return new.defer(running, deferred);
    }
    deferred.within(
        || Seg::Key(name.into()),
        |deferred| new.defer(running, deferred),
    );
}

#[cfg(test)]
mod tests {
    use crate::problem::Flaw;
    use crate::rules::change_rules::*;
    use proptest::prelude::*;

    fn problems(check: impl FnOnce(&mut Cx)) -> Vec<Flaw> {
        let mut cx = Cx::default();
        check(&mut cx);
        cx.into_problems()
    }

    fn fine(check: impl FnOnce(&mut Cx)) -> bool {
        problems(check).is_empty()
    }

    const HALF: Percent = Percent::new(500_000);

    #[test]
    fn a_change_of_the_immutable_is_refused_with_both_values() {
        let found = problems(|cx| immutable(cx, "port", &9090, &8080, shown));
        let rule = |found: Option<&str>| Flaw {
            path: vec![Seg::Key("port".into())],
            what: What::Rule {
                change: true,
                must: "cannot change without a restart of the program".to_owned(),
                found: found.map(str::to_owned),
            },
        };
        assert_eq!(found, [rule(Some("9090 after 8080"))]);
        let found = problems(|cx| immutable(cx, "port", &None, &Some(5), shown_inside));
        assert_eq!(found, [rule(Some("nothing after 5"))]);
        let found = problems(|cx| immutable(cx, "port", &"a", &"b", hidden));
        assert_eq!(found, [rule(None)]);
        assert!(fine(|cx| immutable(cx, "port", &1, &1, shown)));
    }

    #[test]
    fn a_float_that_is_no_number_and_stays_so_has_not_changed() {
        assert!(fine(|cx| immutable(cx, "x", &f64::NAN, &f64::NAN, shown)));
        assert!(!fine(|cx| immutable(cx, "x", &f64::NAN, &1.0, shown)));
        assert!(!fine(|cx| immutable(cx, "x", &1.0, &f64::NAN, shown)));
    }

    #[test]
    fn the_monotonic_may_stay_and_rise_and_appear_but_not_fall_or_vanish() {
        let kept = |new: Option<u8>, old: Option<u8>| {
            fine(|cx| monotonic(cx, "n", &new, &old, shown_inside))
        };
        assert!(kept(Some(2), Some(2)) && kept(Some(3), Some(2)));
        assert!(kept(Some(0), None) && kept(None, None));
        assert!(!kept(Some(1), Some(2)) && !kept(None, Some(0)));
        let kept = |new: f64, old: f64| fine(|cx| monotonic(cx, "n", &new, &old, shown));
        assert!(kept(1.5, 1.0) && !kept(0.5, 1.0));
        assert!(!kept(f64::NAN, 1.0), "no number is not more");
        assert!(kept(1.0, f64::NAN), "and there is a way out of it");
        let seconds = Duration::from_secs;
        assert!(fine(|cx| monotonic(
            cx,
            "n",
            &seconds(2),
            &seconds(1),
            shown
        )));
        assert!(!fine(|cx| monotonic(cx, "n", &false, &true, shown)));
    }

    #[test]
    fn a_change_up_or_down_is_measured_against_the_previous_value() {
        for (new, old, allowed) in [
            (150, 100, true),
            (151, 100, false),
            (50, 100, true),
            (49, 100, false),
            (100, 100, true),
            (1, 0, true),
            (i32::MAX, 0, true),
            (-150, -100, true),
            (-151, -100, false),
            (100, -100, false),
            (i32::MIN, i32::MAX, false),
            (0, 1, false),
        ] {
            assert_eq!(!new.exceeds(&old, HALF), allowed, "{new} after {old}");
        }
        assert!(
            !0_u8.exceeds(&1, Percent::new(1_000_000)),
            "to zero is 100%"
        );
        assert!(!250_u8.exceeds(&100, Percent::new(1_500_000)));
        assert!(251_u8.exceeds(&100, Percent::new(1_500_000)));
        assert!(
            u128::MAX.exceeds(&(u128::MAX / 2), HALF),
            "with more bits than can be multiplied"
        );
        assert!(!u128::MAX.exceeds(&(u128::MAX - 1), HALF));
        let port = |port| num::NonZeroU16::new(port).expect("not zero");
        assert!(port(4).exceeds(&port(2), HALF));
    }

    #[test]
    fn a_float_may_be_off_by_what_its_decimals_are_off_by() {
        let tenth = Percent::new(100_000);
        for (new, old) in [(1.1, 1.0), (0.11, 0.1), (0.33, 0.3), (110.0, 100.0)] {
            assert!(!f64::exceeds(&new, &old, tenth), "{new} after {old}");
            assert!(
                !(new as f32).exceeds(&(old as f32), tenth),
                "{new} after {old}"
            );
            assert!((new * 1.001).exceeds(&old, tenth), "{new} after {old}");
        }
        assert!(f64::INFINITY.exceeds(&1.0, tenth) && f64::NAN.exceeds(&1.0, tenth));
        assert!(!1.0.exceeds(&f64::NAN, tenth) && !1.0.exceeds(&f64::INFINITY, tenth));
        assert!(!1.0.exceeds(&0.0, tenth) && !1.0.exceeds(&-0.0, tenth));
    }

    #[test]
    fn a_change_between_the_largest_floats_is_measured_without_overflow() {
        assert!((-1.797e308).exceeds(&1.797e308, Percent::new(1_000_000)));
        assert!(!(-1.797e308).exceeds(&1.797e308, Percent::new(2_000_000)));
        assert!(f64::MAX.exceeds(&f64::MIN, Percent::new(500_000)));
        assert!(f32::MAX.exceeds(&f32::MIN, Percent::new(500_000)));
    }

    #[test]
    fn durations_and_options_have_amounts_too() {
        let ms = Duration::from_millis;
        assert!(!ms(1500).exceeds(&ms(1000), HALF) && ms(1501).exceeds(&ms(1000), HALF));
        assert!(!Duration::MAX.exceeds(&Duration::ZERO, HALF));
        assert!(Duration::MAX.exceeds(&ms(1), HALF));
        assert!(!Some(9).exceeds(&None, HALF) && !None.exceeds(&Some(9), HALF));
        assert!(Some(9).exceeds(&Some(1), HALF));
    }

    #[test]
    fn too_large_a_change_says_its_limit_and_both_values() {
        let found = problems(|cx| {
            let limit = Percent::new(125_000);
            max_change(cx, "pool", &Some(300), &Some(100), limit, shown_inside);
        });
        let what = What::Rule {
            change: true,
            must: "may change by at most 12.5% at a time".to_owned(),
            found: Some("300 after 100".to_owned()),
        };
        let path = vec![Seg::Key("pool".into())];
        assert_eq!(found, [Flaw { path, what }]);
    }

    #[test]
    fn what_needs_a_restart_keeps_its_running_value() {
        let (mut deferred, mut new) = (Diff::default(), "new".to_owned());
        defer(&mut deferred, "same", &mut new, &"new".to_owned());
        defer(&mut deferred, "name", &mut new, &"running".to_owned());
        assert_eq!(new, "running");
        assert_eq!(deferred.into_changed(), [[Seg::Key("name".into())]]);
    }

    #[test]
    fn a_percentage_prints_as_it_is_written() {
        for (ten_thousandths, text) in [
            (500_000, "50%"),
            (125_000, "12.5%"),
            (1, "0.0001%"),
            (10_200, "1.02%"),
            (10_000_000, "1000%"),
        ] {
            assert_eq!(Percent::new(ten_thousandths).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn integers_are_judged_exactly(new: u64, old in 1_u64.., limit in 1_u64..5_000_000) {
            let limit = Percent::new(limit);
            // The most that is allowed, rounded down, and one more.
            let most = u128::from(old) * u128::from(limit.ten_thousandths) / 1_000_000;
            let change = u128::from(new.abs_diff(old));
            prop_assert_eq!(new.exceeds(&old, limit), change > most);
            if let Ok(edge) = u64::try_from(u128::from(old) + most) {
                prop_assert!(!edge.exceeds(&old, limit));
                prop_assert!(edge == u64::MAX || (edge + 1).exceeds(&old, limit));
            }
        }

        #[test]
        fn exactly_what_differs_by_order_is_refused_or_kept(new: i32, old: i32) {
            prop_assert_eq!(fine(|cx| monotonic(cx, "n", &new, &old, shown)), new >= old);
            prop_assert_eq!(fine(|cx| immutable(cx, "n", &new, &old, shown)), new == old);
        }
    }
}
