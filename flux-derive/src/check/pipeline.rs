//! Which `retry`, `timeout`, `circuit_breaker`, `rate_limit` and other steps of the pipeline do not compile because they could do
//! nothing or never end.

use super::literals::{at_least_one, duration, feature_off, some_time};
use crate::{
    attr::{Given, Options, Written},
    errors::{Errors, listed},
    model::Step,
    options::{Key, Owner},
    types::Number,
};
use quote::ToTokens;
use std::time::Duration;
use syn::{Expr, Ident};

/// The steps in the order written; a faulty one is left out.
pub(super) fn steps<'a>(options: &'a Options, errors: &mut Errors) -> Vec<Step<'a>> {
    let steps = options.steps().filter_map(|one| step(one, errors));
    steps.collect()
}

fn step<'a>(given: &'a Given, errors: &mut Errors) -> Option<Step<'a>> {
    let key = &given.key;
    if matches!(given.spec.key, Key::Retry | Key::Timeout) {
        needs_pipeline(key, errors);
    }
    match (&given.value, given.spec.key) {
        (Written::Inside(_, options), step) => {
            if step != Key::Retry {
                missing(given, options, errors);
            }
            match step {
                Key::Retry => retry(options, errors),
                Key::CircuitBreaker => circuit_breaker(options, errors),
                Key::RateLimit => rate_limit(options, errors),
                _ => Some(Step::Mutate {
                    when: options.function(Key::When)?,
                    with: options.function(Key::With)?,
                }),
            }
        }
        (Written::Text(text), _) => {
            let zero = "a limit of no time refuses every update; write one such as `timeout = \"5s\"`, or remove `timeout`";
            some_time(text, zero, errors).map(Step::Timeout)
        }
        (Written::Function(path), _) => Some(Step::Call {
            method: given.spec.name,
            path,
        }),
        _ => None,
    }
}

/// What of a retry is not written: those of `flux::pipeline::Retry`, and a pause that fits the other one.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

fn retry<'a>(options: &Options, errors: &mut Errors) -> Option<Step<'a>> {
    let zero = "with no attempt nothing is ever applied; write how often it is tried in all, as in `attempts = 3`";
    let attempts = match options.is_set(Key::Attempts) {
        true => options
            .expr(Key::Attempts)
            .and_then(|n| at_least_one(n, zero, errors)),
        false => Some(ATTEMPTS),
    };
    let zero =
        "without a pause a retry hits what has just failed; write one such as `base = \"100ms\"`";
    let written = options
        .text(Key::Base)
        .and_then(|text| some_time(text, zero, errors));
    let longest = options.text(Key::Max);
    let max = match options.is_set(Key::Max) {
        true => duration(longest, errors),
        false => Some(LONGEST_PAUSE.max(written.unwrap_or_default())),
    };
    let base = match options.is_set(Key::Base) {
        true => written,
        false => Some(FIRST_PAUSE.min(max.unwrap_or(FIRST_PAUSE))),
    };
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

fn circuit_breaker<'a>(options: &Options, errors: &mut Errors) -> Option<Step<'a>> {
    let zero =
        "a circuit breaker opens after a failure; write how many it takes, as in `failures = 5`";
    let failures = options
        .expr(Key::Failures)
        .and_then(|n| at_least_one(n, zero, errors));
    let zero = "a circuit breaker that recovers at once is never open; write a time such as `recovery = \"30s\"`";
    let recovery = options
        .text(Key::Recovery)
        .and_then(|text| some_time(text, zero, errors));
    Some(Step::CircuitBreaker {
        failures: failures?,
        recovery: recovery?,
    })
}

fn rate_limit<'a>(options: &Options, errors: &mut Errors) -> Option<Step<'a>> {
    let per_second = options
        .expr(Key::PerSecond)
        .and_then(|expr| rate(expr, errors));
    let zero = "a bucket that holds nothing lets nothing through; write how many updates may come at once, as in `burst = 20`";
    let burst = options
        .expr(Key::Burst)
        .and_then(|n| at_least_one(n, zero, errors));
    Some(Step::RateLimit {
        per_second: per_second?,
        burst: burst?,
    })
}

fn needs_pipeline(key: &Ident, errors: &mut Errors) {
    if cfg!(not(feature = "pipeline")) {
        let what = format!("the options `retry` and `timeout` (here `{key}`)");
        errors.at(key, feature_off(&what, "pipeline"));
    }
}

/// Names what is left out, unless something in the brackets is wrong already: it may be the same thing, misspelt.
fn missing(given: &Given, options: &Options, errors: &mut Errors) {
    let owner = match given.spec.form {
        crate::options::Form::Brackets(owner) => owner,
        _ => Owner::Struct,
    };
    let left_out: Vec<&str> = owner
        .options()
        .filter(|spec| !options.is_set(spec.key))
        .map(|spec| spec.name)
        .collect();
    if left_out.is_empty() || options.faulty {
        return;
    }
    let key = &given.key;
    let (left_out, example) = (listed(&left_out), given.spec.example);
    errors.at(key, format!("`{key}` lacks {left_out}; write `{example}`"));
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
