//! What is suggested for an argument that no field has.

use super::names::{HELP, KnownArgument, SET, plain};
use crate::{
    document::AskedForm,
    problem::{Dotted, Seg},
    source::environment::step::path_of,
};
use flux_syntax::nearest;

/// What is reported of it.
pub(super) struct Suggestion {
    pub(super) text: String,
    /// The path that was meant.
    pub(super) path: Vec<Seg>,
    /// The name that was meant, as it is typed.
    pub(super) name: Option<String>,
}

/// For a name without the hyphens of a long argument; a short one keeps its own.
pub(super) fn suggestion(known: &[KnownArgument], name: &str) -> Suggestion {
    let name = plain(name);
    let told = |why: String, path: Vec<Seg>, name: Option<String>| Suggestion {
        text: format!("this argument is not known{why}"),
        path,
        name,
    };
    let lists = "; `--help` lists the arguments".to_owned();
    if name.starts_with('-') {
        return told(lists, Vec::new(), None);
    }
    let all = || {
        let names = known.iter().flat_map(|one| &one.names);
        names.map(String::as_str)
    };
    let of = |name: &str| {
        let mut all = known.iter();
        let one = all.find(|one| one.names.iter().any(|own| own == name));
        one.map_or(Vec::new(), |one| path_of(&one.steps))
    };
    let meant = |near: &str, path: Vec<Seg>| {
        let near = format!("--{near}");
        told(format!(", did you mean `{near}`?"), path, Some(near))
    };
    // An entry or an item of what has an argument of its own.
    let inside = known.iter().find(|one| {
        matches!(one.form, Some(AskedForm::Map | AskedForm::List))
            && one.names.iter().any(|own| {
                let rest = name.strip_prefix(&plain(own));
                rest.is_some_and(|rest| rest.starts_with(['.', '[']))
            })
    });
    if let Some(one) = inside {
        let path = path_of(&one.steps);
        let (what, step) = match one.form {
            Some(AskedForm::List) => ("an item", "[0]"),
            _ => ("an entry", ".KEY"),
        };
        let why = format!(": {what} is set by `--{SET} {}{step}=VALUE`", Dotted(&path));
        return told(why, path, None);
    }
    let section = format!("{name}.");
    if let Some(field) = all().find(|own| own.starts_with(&section)) {
        let why = format!(
            ": `{name}` is a section, and each of its fields has an argument, as `--{field}`"
        );
        return told(why, Vec::new(), None);
    }
    let mut in_rust = known.iter().filter(|one| one.is_in_rust(&name));
    if let (Some(one), None) = (in_rust.next(), in_rust.next()) {
        return meant(&one.names[0], path_of(&one.steps));
    }
    // Hyphens in the place of the dots, or the last part alone.
    let joined = name.replace('.', "-");
    let last = format!(".{name}");
    let mut same = all().filter(|own| own.replace('.', "-") == joined);
    let mut ends = all().filter(|own| own.ends_with(&last));
    let only = match (same.next(), ends.next(), ends.next()) {
        (Some(same), ..) => Some(same),
        (None, Some(end), None) => Some(end),
        _ => None,
    };
    if let Some(near) = only.or_else(|| nearest(&name, all())) {
        return meant(near, of(near));
    }
    let negated = name.strip_prefix("no-");
    let switches = known.iter().filter(|one| one.is_switch());
    let switches = switches.flat_map(|one| &one.names).map(String::as_str);
    if let Some(near) = negated.and_then(|name| nearest(name, switches)) {
        return meant(&format!("no-{near}"), of(near));
    }
    if let Some(one) = negated.and_then(|name| {
        let mut all = known.iter();
        all.find(|one| one.names.iter().any(|own| plain(own) == name))
    }) {
        let why = format!(": `{}` is no switch, and has a value", one.typed());
        return told(why, path_of(&one.steps), None);
    }
    match nearest(&name, [HELP, SET]) {
        Some(near) => meant(near, Vec::new()),
        None => told(lists, Vec::new(), None),
    }
}
