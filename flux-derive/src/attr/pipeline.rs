//! The options that declare the pipeline. Their order is kept: the first one is the innermost.

use super::{Once, brackets, function, text, unknown, value};
use crate::errors::Errors;
use syn::{Expr, Ident, LitStr, Path, parse::ParseStream};

/// The options that may be given more than once.
const REPEATED: [&str; 6] = ["transform", "apply", "effect", "mutate", "enrich", "filter"];

/// One step as written.
pub(crate) struct StepAttr {
    pub(crate) key: Ident,
    pub(crate) kind: StepKind,
    /// Something in its brackets is wrong already.
    pub(crate) faulty: bool,
}

/// What a step does.
pub(crate) enum StepKind {
    Retry {
        attempts: Once<Expr>,
        base: Once<LitStr>,
        max: Once<LitStr>,
    },
    Timeout(LitStr),
    CircuitBreaker {
        failures: Once<Expr>,
        recovery: Once<LitStr>,
    },
    RateLimit {
        per_second: Once<Expr>,
        burst: Once<Expr>,
    },
    Mutate {
        when: Once<Path>,
        with: Once<Path>,
    },
    /// A function of the user's own for the builder's method of the option's name.
    Call(Path),
}

/// How each bracket is written.
pub(crate) fn example(option: &str) -> &'static str {
    match option {
        "retry" => "retry(attempts = 3, base = \"100ms\", max = \"10s\")",
        "circuit_breaker" => "circuit_breaker(failures = 5, recovery = \"30s\")",
        "rate_limit" => "rate_limit(per_second = 10, burst = 20)",
        _ => "mutate(when = path::to::condition, with = path::to::function)",
    }
}

/// The steps in the order written.
#[derive(Default)]
pub(crate) struct Pipeline(pub(crate) Vec<StepAttr>);

impl Pipeline {
    /// Parses the option if it is a step.
    pub(super) fn option(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<bool> {
        let before = errors.count();
        let name = key.to_string();
        let kind = match name.as_str() {
            "retry" => retry(key, input, errors)?,
            "timeout" => StepKind::Timeout(text(key, input, "\"5s\"")?),
            "circuit_breaker" => circuit_breaker(key, input, errors)?,
            "rate_limit" => rate_limit(key, input, errors)?,
            "mutate" => mutate(key, input, errors)?,
            "fallback" | "error_handler" | "filter" | "transform" | "apply" | "effect"
            | "enrich" | "on_apply" => StepKind::Call(function(key, input)?),
            _ => return Ok(false),
        };
        let faulty = errors.count() > before;
        if !REPEATED.contains(&name.as_str()) && self.0.iter().any(|step| step.key == *key) {
            errors.at(key, format!("`{key}` is given twice; keep one"));
        } else {
            let key = key.clone();
            self.0.push(StepAttr { key, kind, faulty });
        }
        Ok(true)
    }
}

fn retry(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<StepKind> {
    let (mut attempts, mut base, mut max) = <(Once<_>, Once<_>, Once<_>)>::default();
    brackets(
        key,
        input,
        example("retry"),
        errors,
        |word, input, errors| {
            match word.to_string().as_str() {
                "attempts" => attempts.set(word, value(word, input, "3")?, errors),
                "base" => base.set(word, text(word, input, "\"100ms\"")?, errors),
                "max" => max.set(word, text(word, input, "\"10s\"")?, errors),
                _ => return Err(stranger(word, key, &["attempts", "base", "max"])),
            }
            Ok(())
        },
    )?;
    Ok(StepKind::Retry {
        attempts,
        base,
        max,
    })
}

fn circuit_breaker(
    key: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<StepKind> {
    let (mut failures, mut recovery) = <(Once<_>, Once<_>)>::default();
    let example = example("circuit_breaker");
    brackets(key, input, example, errors, |word, input, errors| {
        match word.to_string().as_str() {
            "failures" => failures.set(word, value(word, input, "5")?, errors),
            "recovery" => recovery.set(word, text(word, input, "\"30s\"")?, errors),
            _ => return Err(stranger(word, key, &["failures", "recovery"])),
        }
        Ok(())
    })?;
    Ok(StepKind::CircuitBreaker { failures, recovery })
}

fn rate_limit(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<StepKind> {
    let (mut per_second, mut burst) = <(Once<_>, Once<_>)>::default();
    let example = example("rate_limit");
    brackets(key, input, example, errors, |word, input, errors| {
        match word.to_string().as_str() {
            "per_second" => per_second.set(word, value(word, input, "10")?, errors),
            "burst" => burst.set(word, value(word, input, "20")?, errors),
            _ => return Err(stranger(word, key, &["per_second", "burst"])),
        }
        Ok(())
    })?;
    Ok(StepKind::RateLimit { per_second, burst })
}

fn mutate(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<StepKind> {
    let (mut when, mut with) = <(Once<_>, Once<_>)>::default();
    brackets(
        key,
        input,
        example("mutate"),
        errors,
        |word, input, errors| {
            match word.to_string().as_str() {
                "when" => when.set(word, function(word, input)?, errors),
                "with" => with.set(word, function(word, input)?, errors),
                _ => return Err(stranger(word, key, &["when", "with"])),
            }
            Ok(())
        },
    )?;
    Ok(StepKind::Mutate { when, with })
}

fn stranger(word: &Ident, owner: &Ident, known: &[&str]) -> syn::Error {
    let owner = format!("`{owner}`");
    unknown(word, &owner, known, &super::container::KNOWN, "the struct")
}
