//! What a field's argument is called, and that a name which means two fields is refused.

use crate::{
    document::{AskedForm, asked_form, tree::Tree},
    problem::{Dotted, Seg, What},
    schema::{self, Descent, Field, Kind, MAX_DEPTH, Outdated},
    source::{
        DecodeTree,
        environment::step::{PathStep, alone, path_of},
    },
};
use flux_syntax::env_segment;
use std::collections::HashMap;

/// What every program with arguments has beside those of its fields.
pub(super) const HELP: &str = "help";
pub(super) const HELP_SHORT: char = 'h';
pub(crate) const SET: &str = "set";

/// One argument that a config type reads.
#[derive(Debug)]
pub(super) struct KnownArgument {
    /// Without hyphens in front; the one that the help shows first.
    pub(super) names: Vec<String>,
    /// Those with a key of an earlier version in them.
    pub(super) old: Vec<String>,
    pub(super) short: Option<char>,
    pub(super) steps: Vec<PathStep>,
    pub(super) field: &'static Field,
    /// It is a switch, a list or a map.
    pub(super) form: Option<AskedForm>,
}

impl KnownArgument {
    pub(super) fn is_switch(&self) -> bool {
        self.form == Some(AskedForm::Bool)
    }

    /// Whether the name, without hyphens in front, is made of the names that the fields on the way have in Rust, where serde renames
    /// them, or of those that would be read if the field had no argument of its own.
    pub(super) fn is_in_rust(&self, name: &str) -> bool {
        let mut parts = name.split('.');
        let is_segment = |step: &PathStep| {
            let (PathStep::Field(field), Some(part)) = (step, parts.next()) else {
                return false;
            };
            let in_rust = field.env_in_rust.map(plain);
            let mut aliases = field.aliases.iter();
            in_rust.is_some_and(|segment| segment == part)
                || field.argument_segment() == part
                || aliases.any(|alias| plain(&env_segment(alias)) == part)
        };
        self.steps.iter().all(is_segment) && parts.next().is_none()
    }

    /// The names, also of earlier versions.
    pub(super) fn every_name(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(&self.old)
    }

    /// What is reported of a name of an earlier version; none of another one. `negation` is in front of a name that is negated.
    pub(super) fn outdated(&self, name: &str, negation: &str) -> Option<What> {
        self.old.iter().find(|old| plain(old) == name)?;
        let fields = self.steps.iter().filter_map(|step| match step {
            PathStep::Field(field) => Some(*field),
            _ => None,
        });
        let parts = name.split('.');
        let named = fields.zip(parts).filter_map(|(field, part)| {
            let is_part = |was: &&&str| plain(&env_segment(was)) == part;
            let was = field.was().iter().find(is_part)?;
            Outdated::of_key(field, was).filter(Outdated::is_name)
        });
        let named = named.fold(None, |known, one| Outdated::severer(known, Some(one)))?;
        let now = format!("--{negation}{}", self.names[0]);
        Some(named.of_named("this argument", &now))
    }

    /// The name that the help shows, as it is typed.
    pub(super) fn typed(&self) -> String {
        format!("--{}", self.names[0])
    }
}

/// A name as it is looked up: `maxSize` is not written in arguments, but `max_size` may be.
pub(super) fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// What the value at the end of the steps is read as.
pub(super) fn form_of<L>(
    kind: Kind,
    steps: &[PathStep],
    decode: DecodeTree<L>,
) -> Option<AskedForm> {
    match kind {
        Kind::Leaf => asked_form(|| {
            decode(&alone(steps, Tree::Raw(String::new())), false);
        }),
        Kind::List(_) => Some(AskedForm::List),
        Kind::Map(_) => Some(AskedForm::Map),
        Kind::Section(_) => None,
    }
}

/// Every argument of the table, but those of entries and items, which `--set` sets.
pub(super) fn known<L>(fields: &'static [Field], decode: DecodeTree<L>) -> Vec<KnownArgument> {
    let mut all = Vec::new();
    collect(
        fields,
        &[Named::default()],
        &[],
        &Descent::at(fields, MAX_DEPTH),
        &mut |one| {
            all.push(one);
        },
    );
    for one in &mut all {
        one.form = form_of(one.field.kind, &one.steps, decode);
    }
    all
}

/// The name of an argument, or what names begin with.
#[derive(Clone, Default)]
struct Named {
    text: String,
    /// A key of an earlier version is in it.
    is_old: bool,
}

fn collect(
    fields: &'static [Field],
    prefixes: &[Named],
    steps: &[PathStep],
    at: &Descent<'_>,
    found: &mut dyn FnMut(KnownArgument),
) {
    for field in fields {
        match field.kind {
            Kind::Section(inner) if field.flatten => {
                if let Some(at) = at.enter(inner()) {
                    collect(inner(), prefixes, steps, &at, found);
                }
                continue;
            }
            // A flattened map has no name of its own.
            _ if field.flatten => continue,
            _ => {}
        }
        let mut names = names_of(field, prefixes);
        let mut steps = steps.to_vec();
        steps.push(PathStep::Field(field));
        match field.kind {
            Kind::Section(inner) => {
                if let Some(at) = at.enter(inner()) {
                    for name in &mut names {
                        name.text.push('.');
                    }
                    collect(inner(), &names, &steps, &at, found);
                }
            }
            Kind::Leaf | Kind::List(_) | Kind::Map(_) => {
                let (old, names): (Vec<_>, Vec<_>) =
                    names.into_iter().partition(|name| name.is_old);
                let texts = |names: Vec<Named>| names.into_iter().map(|name| name.text).collect();
                found(KnownArgument {
                    names: texts(names),
                    old: texts(old),
                    short: field.short(),
                    steps,
                    field,
                    form: None,
                });
            }
        }
    }
}

/// Those without a key of an earlier version come first.
fn names_of(field: &Field, prefixes: &[Named]) -> Vec<Named> {
    if let Some(exact) = field.argument() {
        let (text, is_old) = (exact.to_owned(), false);
        return vec![Named { text, is_old }];
    }
    let aliases = field.aliases.iter();
    let aliases = aliases.map(|alias| (plain(&env_segment(alias)), field.is_old(alias)));
    let mut names: Vec<Named> = Vec::new();
    for (segment, is_old) in std::iter::once((field.argument_segment(), false)).chain(aliases) {
        for prefix in prefixes {
            let text = format!("{}{segment}", prefix.text);
            let is_old = is_old || prefix.is_old;
            match names.iter_mut().find(|known| known.text == text) {
                Some(known) => known.is_old &= is_old,
                None => names.push(Named { text, is_old }),
            }
        }
    }
    names
}

/// Whether an argument may set the field. Others on the machine read the arguments of a process.
pub(super) fn may_be_typed(field: &Field) -> bool {
    !field.is_secret() || field.argument().is_some()
}

/// The argument of each field that is in no list and no map, as it is typed; none for a secret that has none.
pub(crate) fn names_by_path(
    fields: &'static [Field],
) -> impl Iterator<Item = (Vec<Seg>, Option<String>)> {
    let mut all = Vec::new();
    collect(
        fields,
        &[Named::default()],
        &[],
        &Descent::at(fields, MAX_DEPTH),
        &mut |one| {
            let name = may_be_typed(one.field).then(|| one.typed());
            all.push((path_of(&one.steps), name));
        },
    );
    all.into_iter()
}

/// The argument that sets the value at `path`, as it is typed; none for a secret that has none.
pub(crate) fn name_of(fields: &'static [Field], path: &[Seg]) -> Option<String> {
    let known = names_by_path(fields).find(|(known, _)| known == path);
    let is_inside = known.is_none() && !path.is_empty() && !schema::is_secret(fields, path);
    let name = known.and_then(|(_, name)| name);
    name.or_else(|| is_inside.then(|| format!("--{SET} {}=..", Dotted(path))))
}

/// Two fields that one argument would set are refused, and names that mean something else already.
pub(crate) fn check_names<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
) -> Result<(), String> {
    let mut taken: HashMap<String, String> = HashMap::new();
    let own = |name: &str, does: &str| (name.to_owned(), format!("what {does}"));
    taken.extend([
        own("--help", "prints the help"),
        own("-h", "prints the help"),
        own("--set", "sets the value at any path"),
    ]);
    for one in known(fields, decode) {
        let place = format!("`{}`", Dotted(&path_of(&one.steps)));
        let negated = |name: &String| format!("--no-{}", plain(name));
        let negated = one.every_name().filter(|_| one.is_switch()).map(negated);
        let long = one.every_name().map(|name| format!("--{}", plain(name)));
        let short = one.short.map(|letter| format!("-{letter}"));
        for name in long.chain(negated).chain(short) {
            if let Some(other) = taken.insert(name.clone(), place.clone())
                && other != place
            {
                return Err(format!(
                    "the argument {name} would mean both {other} and {place}; give the field an argument of its own: `#[flux(arg = \"..\")]`, `#[flux(short = '.')]`"
                ));
            }
        }
    }
    Ok(())
}
