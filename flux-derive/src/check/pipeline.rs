//! The steps of the pipeline: each must be able to do something, and to end.

use super::container::{duration, feature_off};
use crate::{
    attr::{StepAttr, StepKind, example},
    errors::{Errors, listed},
    model::Step,
    types::Number,
};
use quote::ToTokens;
use std::time::Duration;
use syn::{Expr, Ident, LitStr};

/// The steps in the order written; a faulty one is left out.
pub(super) fn steps(written: &[StepAttr], errors: &mut Errors) -> Vec<Step> {
    let steps = written.iter().filter_map(|one| step(one, errors));
    steps.collect()
}

fn step(written: &StepAttr, errors: &mut Errors) -> Option<Step> {
    let key = &written.key;
    match &written.kind {
        StepKind::Retry {
            attempts,
            base,
            max,
        } => {
            needs_pipeline(key, errors);
            let given = [attempts.is_set(), base.is_set(), max.is_set()];
            missing(written, &["attempts", "base", "max"], &given, errors);
            let zero = "with no attempt nothing is ever applied; write how often it is tried in all, as in `attempts = 3`";
            let attempts = attempts.get().and_then(|n| at_least_one(n, zero, errors));
            let zero = "without a pause a retry hits what has just failed; write one such as `base = \"100ms\"`";
            let base = base.get().and_then(|text| some_time(text, zero, errors));
            let longest = max.get();
            let max = duration(longest, errors);
            if let (Some(base), Some(max), Some(at)) = (base, max, longest)
                && max < base
            {
                let base = flux_syntax::format_duration(base);
                errors.at(at, format!("the longest pause is shorter than the first, {base}; write `max = \"{base}\"` or more"));
            }
            Some(Step::Retry {
                attempts: attempts?,
                base: base?,
                max: max?,
            })
        }
        StepKind::Timeout(text) => {
            needs_pipeline(key, errors);
            let zero = "a limit of no time refuses every update; write one such as `timeout = \"5s\"`, or remove `timeout`";
            some_time(text, zero, errors).map(Step::Timeout)
        }
        StepKind::CircuitBreaker { failures, recovery } => {
            let given = [failures.is_set(), recovery.is_set()];
            missing(written, &["failures", "recovery"], &given, errors);
            let zero = "a circuit breaker opens after a failure; write how many it takes, as in `failures = 5`";
            let failures = failures.get().and_then(|n| at_least_one(n, zero, errors));
            let zero = "a circuit breaker that recovers at once is never open; write a time such as `recovery = \"30s\"`";
            let recovery = recovery
                .get()
                .and_then(|text| some_time(text, zero, errors));
            Some(Step::CircuitBreaker {
                failures: failures?,
                recovery: recovery?,
            })
        }
        StepKind::RateLimit { per_second, burst } => {
            let given = [per_second.is_set(), burst.is_set()];
            missing(written, &["per_second", "burst"], &given, errors);
            let per_second = per_second.get().and_then(|expr| rate(expr, errors));
            let zero = "a bucket that holds nothing lets nothing through; write how many updates may come at once, as in `burst = 20`";
            let burst = burst.get().and_then(|n| at_least_one(n, zero, errors));
            Some(Step::RateLimit {
                per_second: per_second?,
                burst: burst?,
            })
        }
        StepKind::Mutate { when, with } => {
            let given = [when.is_set(), with.is_set()];
            missing(written, &["when", "with"], &given, errors);
            Some(Step::Mutate {
                when: when.get()?.clone(),
                with: with.get()?.clone(),
            })
        }
        StepKind::Call(path) => Some(Step::Call {
            method: key.to_string(),
            path: path.clone(),
        }),
    }
}

fn needs_pipeline(key: &Ident, errors: &mut Errors) {
    if cfg!(not(feature = "pipeline")) {
        let what = format!("the options `retry` and `timeout` (here `{key}`)");
        errors.at(key, feature_off(&what, "pipeline"));
    }
}

/// Says what is left out, unless something in the brackets is wrong already: it may be the same thing, misspelt.
fn missing(written: &StepAttr, words: &[&str], given: &[bool], errors: &mut Errors) {
    let left_out: Vec<&str> = (words.iter().zip(given))
        .filter(|(_, given)| !**given)
        .map(|(word, _)| *word)
        .collect();
    if left_out.is_empty() || written.faulty {
        return;
    }
    let key = &written.key;
    let example = example(&key.to_string());
    errors.at(
        key,
        format!("`{key}` lacks {}; write `{example}`", listed(&left_out)),
    );
}

/// A time that is not zero.
pub(super) fn some_time(text: &LitStr, zero: &str, errors: &mut Errors) -> Option<Duration> {
    let time = duration(Some(text), errors)?;
    if time.is_zero() {
        errors.at(text, zero);
        return None;
    }
    Some(time)
}

/// A whole number that is not zero.
pub(super) fn at_least_one(expr: &Expr, zero: &str, errors: &mut Errors) -> Option<u32> {
    if Number::of(expr) == Some(Number::Int(0)) {
        errors.at(expr, zero);
        return None;
    }
    whole(expr, 1, errors)
}

/// A whole number of 32 bits.
pub(super) fn whole(expr: &Expr, least: u32, errors: &mut Errors) -> Option<u32> {
    let Some(Number::Int(number)) = Number::of(expr) else {
        let written = expr.to_token_stream();
        errors.at(
            expr,
            format!(
                "`{written}` is no whole number; write it in digits, so that it can be checked here"
            ),
        );
        return None;
    };
    let fitting = u32::try_from(number).ok();
    if fitting.is_none() {
        errors.at(
            expr,
            format!(
                "{number} is out of bounds; write a number from {least} to {}",
                u32::MAX
            ),
        );
    }
    fitting
}

fn rate(expr: &Expr, errors: &mut Errors) -> Option<f64> {
    let rate = match Number::of(expr) {
        Some(number) => number.float(),
        None => {
            let written = expr.to_token_stream();
            errors.at(
                expr,
                format!(
                    "`{written}` is no number; write it in digits, so that it can be checked here"
                ),
            );
            return None;
        }
    };
    if rate > 0.0 && rate.is_finite() {
        return Some(rate);
    }
    errors.at(
        expr,
        "a rate is above zero; for one update in ten seconds write `per_second = 0.1`",
    );
    None
}
