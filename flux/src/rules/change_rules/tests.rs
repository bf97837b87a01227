//! What a change may and may not do.

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
    let kept =
        |new: Option<u8>, old: Option<u8>| fine(|cx| monotonic(cx, "n", &new, &old, shown_inside));
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
