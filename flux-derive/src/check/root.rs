//! Which options need a source on the struct; `reload_on`, `admin` and the handling of unknown keys of a struct that has some.

use super::{
    literals::{duration, feature_off, part_of},
    pipeline, safety,
    source::source,
};
use crate::{
    attr::{Given, Options, Written},
    errors::{Errors, did_you_mean},
    model::{Root, Source, SourcePlace},
    options::Key,
};
use flux_syntax::Template;
use syn::LitStr;

/// The sources and options; none for a section.
pub(super) fn root<'a>(
    options: &'a Options,
    is_root: bool,
    errors: &mut Errors,
) -> Option<Root<'a>> {
    if !is_root {
        section(options, errors);
    }
    let mut sources: Vec<Source> = Vec::new();
    let mut written = Vec::new();
    for given in options.sources() {
        let Some(one) = source(given, errors) else {
            continue;
        };
        let is_args = |one: &Source| matches!(one.place, SourcePlace::Args);
        if is_args(&one) && sources.iter().any(is_args) {
            errors.at(&given.key, "the arguments are a layer already; remove one");
        }
        if let Written::Inside(Some(uri), _) = &given.value {
            written.push((sources.len(), given, uri));
        }
        sources.push(one);
    }
    for (number, given, uri) in written {
        above_environment(number, (given, uri), &sources, errors);
    }
    let debounce = duration(options.text(Key::Debounce), errors);
    let root = Root {
        sources,
        debounce,
        max_wait: safety::max_wait(options, debounce, errors),
        startup_timeout: duration(options.text(Key::StartupTimeout), errors),
        resync: duration(options.text(Key::Resync), errors),
        unknown: unknown(options, errors),
        name: options.text(Key::Name).map(LitStr::value),
        history: safety::history(options, errors),
        generations: safety::generations(options, errors),
        probation: safety::probation(options, errors),
        health_check: options.function(Key::HealthCheck),
        on_stop: options.function(Key::OnStop),
        reload_on: reload_on(options, errors),
        admin: admin(options, errors),
        last_known_good: safety::last_known_good(options, errors),
        pipeline: pipeline::steps(options, errors),
    };
    is_root.then_some(root)
}

/// What is set in the environment is nearer to the process than a file. Layers that override come behind all others; one that is
/// declared so is meant to be above the environment, unless it is a file of variables.
fn above_environment(
    number: usize,
    (given, uri): (&Given, &LitStr),
    sources: &[Source],
    errors: &mut Errors,
) {
    let place = |number: usize| (sources[number].overrides, number);
    let env = (0..sources.len()).find(|other| {
        matches!(sources[*other].place, SourcePlace::Env(_)) && place(*other) < place(number)
    });
    let Some(SourcePlace::Env(prefix)) = env.map(|env| &sources[env].place) else {
        return;
    };
    let environment = match prefix.to_string() {
        prefix if prefix.is_empty() => "env".to_owned(),
        prefix => format!("env:{prefix}"),
    };
    let uri = uri.value();
    let text = match &sources[number].place {
        SourcePlace::Dotenv(file) => {
            let file = file.to_string();
            let (path, _) = file.split_once('?').unwrap_or((&file, ""));
            format!(
                "the file `{path}` would be above the environment, so that no variable could override it; write it before `{environment}`"
            )
        }
        // What a variable names may be another environment.
        SourcePlace::Env(_) | SourcePlace::Args | SourcePlace::Uri(_) => return,
        _ if sources[number].overrides => return,
        _ => {
            let key = match sources[number].optional {
                true => "optional_override",
                false => "override",
            };
            format!(
                "`{uri}` would be above the environment, so that no variable could override what it contains; write `override = \"{environment}\"`. If it is meant, write `{key} = \"{uri}\"` here"
            )
        }
    };
    errors.at(&given.key, text);
}

/// What belongs to the watching of sources has no meaning on a struct that has none.
fn section(options: &Options, errors: &mut Errors) {
    for given in options.all.iter().filter(|given| given.spec.needs_source) {
        let key = &given.key;
        errors.at(
            key,
            format!("a section has no `{key}`: it belongs to the struct with the sources; move it there, or give this struct a `source`"),
        );
    }
}

fn reload_on(options: &Options, errors: &mut Errors) -> Option<&'static str> {
    let text = options.text(Key::ReloadOn)?;
    if cfg!(not(feature = "signal")) {
        errors.at(text, feature_off("signals (`reload_on`)", "signal"));
    }
    match text.value().as_str() {
        "SIGHUP" => Some("Hangup"),
        "SIGUSR1" => Some("User1"),
        "SIGUSR2" => Some("User2"),
        other => {
            let near = did_you_mean(other, &["SIGHUP", "SIGUSR1", "SIGUSR2"]);
            errors.at(
                text,
                format!("`reload_on` is `\"SIGHUP\"`, `\"SIGUSR1\"` or `\"SIGUSR2\"`, not `{other}`{near}"),
            );
            None
        }
    }
}

fn admin(options: &Options, errors: &mut Errors) -> Option<Template> {
    let text = options.text(Key::Admin)?;
    if cfg!(not(feature = "cli")) {
        errors.at(text, feature_off("command lines (`admin`)", "cli"));
    }
    let written = text.value();
    let path = written.strip_prefix("unix:");
    if path.is_none_or(str::is_empty) {
        errors.at(
            text,
            format!("`admin` is the address of a Unix domain socket, as in `\"unix:/run/app.sock\"`, not `{written}`"),
        );
        return None;
    }
    match Template::parse(&written) {
        Ok(address) => Some(address),
        Err(error) => {
            let place = part_of(text, error.span);
            errors.push(syn::Error::new(place, error.message));
            None
        }
    }
}

fn unknown(options: &Options, errors: &mut Errors) -> Option<&'static str> {
    let Some(text) = options.text(Key::Unknown) else {
        return options
            .is_set(Key::SerdeDenyUnknownFields)
            .then_some("Deny");
    };
    match text.value().as_str() {
        "warn" => Some("Warn"),
        "deny" => Some("Deny"),
        "ignore" => Some("Ignore"),
        other => {
            let near = did_you_mean(other, &["warn", "deny", "ignore"]);
            errors.at(
                text,
                format!("`unknown` is `\"warn\"`, `\"deny\"` or `\"ignore\"`, not `{other}`{near}"),
            );
            None
        }
    }
}
