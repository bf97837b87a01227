//! What `immutable`, `max_change`, `monotonic` and `restart` refuse or hold back: rules from one value to the next. The first value
//! after a start has nothing before it, and keeps them all.
//!
//! A section in a list is compared with the one at the same index, a section in a map with the one under the same key; a section
//! that was not there before may be anything.

#[cfg(test)]
mod tests;

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
