//! Which `max_wait`, `history`, `generations`, `probation`, `tries` and `last_known_good` do not compile, alone or beside each
//! other.

use super::literals::{at_least_one, duration, feature_off, part_of, some_time, whole};
use crate::{
    attr::{Options, Written},
    errors::{Errors, did_you_mean},
    model::LastKnownGood,
    options::Key,
    types::Number,
};
use flux_syntax::{Template, format_duration};
use std::time::Duration;
use syn::{Expr, ExprLit, Lit};

/// How many deaths the library takes where nothing is written.
const TRIES: u32 = 2;

/// The builder's own debounce.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// A wait that ends before the debounce would make it mean nothing.
pub(super) fn max_wait(
    options: &Options,
    debounce: Option<Duration>,
    errors: &mut Errors,
) -> Option<Duration> {
    let text = options.text(Key::MaxWait)?;
    let wait = duration(Some(text), errors)?;
    // A debounce that cannot be read is reported already.
    let debounce = match (debounce, options.is_set(Key::Debounce)) {
        (None, true) => Duration::ZERO,
        (debounce, _) => debounce.unwrap_or(DEBOUNCE),
    };
    if wait < debounce {
        let window = format_duration(debounce);
        errors.at(
            text,
            format!("the longest wait is shorter than the debounce of {window}; write `max_wait = \"{window}\"` or more, or a shorter `debounce`"),
        );
    }
    Some(wait)
}

pub(super) fn history(options: &Options, errors: &mut Errors) -> Option<usize> {
    let zero =
        "a history of 0 remembers nothing, as without it; remove `history`, or write 1 or more";
    let size = at_least_one(options.expr(Key::History)?, zero, errors)?;
    Some(size as usize)
}

pub(super) fn generations(options: &Options, errors: &mut Errors) -> Option<usize> {
    let earlier = whole(options.expr(Key::Generations)?, 0, errors)?;
    Some(earlier as usize)
}

/// A probation needs time, and something to go back to; the health check needs a probation.
pub(super) fn probation(options: &Options, errors: &mut Errors) -> Option<Duration> {
    if let (Some(key), false) = (
        options.key(Key::HealthCheck),
        options.is_set(Key::Probation),
    ) {
        errors.at(
            key,
            "`health_check` is asked during a probation, and there is none; add `probation = \"30s\"`",
        );
    }
    let text = options.text(Key::Probation)?;
    if let Some(number) = options.expr(Key::Generations)
        && Number::of(number) == Some(Number::Int(0))
    {
        errors.at(
            number,
            "a probation goes back to the configuration before, and 0 generations keep none; write 1 or more, or remove `generations`",
        );
    }
    let zero = "a probation of no time takes nothing back; write one such as `probation = \"30s\"`, or remove `probation`";
    some_time(text, zero, errors)
}

/// After how many deaths of the process content is quarantined; none where nothing is written of it.
fn tries(options: &Options, probation: bool, errors: &mut Errors) -> Option<u32> {
    let mut trial = None;
    if let Some(written) = options.expr(Key::Trial) {
        trial = match written {
            Expr::Lit(ExprLit {
                lit: Lit::Bool(on), ..
            }) => Some(on.value),
            _ => None,
        };
        match trial {
            Some(true) => {}
            Some(false) => errors.at(
                written,
                "without a probation changes are on trial only with `trial = true`, and with one always; remove `trial`",
            ),
            None => errors.at(written, "`trial` is `true`, or not written"),
        }
    }
    let Some(written) = options.expr(Key::Tries) else {
        return trial.filter(|on| *on).map(|_| TRIES);
    };
    if !options.is_set(Key::Trial) && !probation {
        errors.at(
            written,
            "`tries` counts the deaths of the process while a change is on trial, and none is; add `trial = true`, or a `probation`",
        );
    }
    let zero = "with no try, content would be in quarantine before it was ever applied; write 1 or more, or remove `tries`";
    at_least_one(written, zero, errors)
}

pub(super) fn last_known_good(options: &Options, errors: &mut Errors) -> Option<LastKnownGood> {
    let given = options.get(Key::LastKnownGood)?;
    let probation = options.is_set(Key::Probation);
    let Written::Inside(Some(path), options) = &given.value else {
        return None;
    };
    let tries = tries(options, probation, errors);
    if cfg!(not(feature = "json")) {
        errors.at(
            &given.key,
            feature_off("files of the last known good configuration", "json"),
        );
    }
    let secrets = match options.text(Key::Secrets) {
        None => "Omit",
        Some(text) => match text.value().as_str() {
            "omit" => "Omit",
            "refuse" => "Refuse",
            other => {
                let near = did_you_mean(other, &["omit", "refuse"]);
                errors.at(
                    text,
                    format!("`secrets` is `\"omit\"` (they are left out) or `\"refuse\"` (nothing is written), not `{other}`{near}"),
                );
                "Omit"
            }
        },
    };
    let written = path.value();
    if written.is_empty() {
        errors.at(
            path,
            "this names no file; write its path, as in `last_known_good = \"/var/lib/app/config.json\"`",
        );
    }
    if let Some(rest) = written.strip_prefix("file:") {
        errors.at(
            path,
            format!("this is a path and no URI; write `\"{rest}\"`"),
        );
    }
    match Template::parse(&written) {
        Ok(path) => Some(LastKnownGood {
            path,
            secrets,
            tries,
        }),
        Err(error) => {
            let place = part_of(path, error.span);
            errors.push(syn::Error::new(place, error.message));
            None
        }
    }
}
