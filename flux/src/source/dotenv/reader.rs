//! What a file of variables means to a config type: what is set, what refuses the file, and what is not read and was perhaps meant.

use super::assignments::assignments;
use crate::{
    codec::variables::{Refuses, VariableFlaw, VariableText, VariablesRead},
    document::{Lines, tree::Tree},
    problem::{Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::Field,
    source::{
        DecodeTree,
        environment::{Environment, ReadVariables, Variables, name_of},
    },
};
use flux_syntax::Naming;
use std::{
    collections::{HashMap, hash_map},
    ffi::OsString,
    ops::Range,
};

/// How files of variables are read for one config type.
pub(super) struct VariablesFile<L> {
    fields: fn() -> &'static [Field],
    decode: DecodeTree<L>,
    /// The prefix of the names, with the options of [`Naming`].
    naming: String,
}

impl<L> VariablesFile<L> {
    pub(super) fn new(
        fields: fn() -> &'static [Field],
        decode: DecodeTree<L>,
        naming: String,
    ) -> Self {
        VariablesFile {
            fields,
            decode,
            naming,
        }
    }

    /// That nothing of a text is read although it contains variables: those that fields have are empty, or else they probably have
    /// another prefix.
    fn reads_nothing(&self, has_empty: bool) -> VariableFlaw {
        let prefix = Naming::parse(&self.naming).map_or("", |naming| naming.prefix);
        let text = match prefix {
            _ if has_empty => "no variable in it is set: one that is empty is as one that is not set, but with `empty=value`".to_owned(),
            "" => "no variable in it is read, since no field has one of the names".to_owned(),
            prefix => format!(
                "no variable in it is read: the names begin with `{prefix}`; name the prefix of the file, as in `dotenv:.env?prefix=APP_`, or none, `?prefix=`"
            ),
        };
        VariableFlaw {
            flaw: Flaw::whole(What::plain(ProblemKind::UnknownKey, text)),
            at: None,
            refuses: Refuses::Never,
        }
    }
}

impl<L: 'static> VariableText for VariablesFile<L> {
    fn fields(&self) -> &'static [Field] {
        (self.fields)()
    }

    fn name_of(&self, path: &[Seg]) -> Option<String> {
        name_of(self.fields(), &self.naming, path)
    }

    fn read(&self, text: &str) -> VariablesRead {
        let fields = self.fields();
        let found = assignments(text);
        let mut problems: Vec<VariableFlaw> = Vec::new();
        for place in &found.unreadable {
            let what = What::plain(ProblemKind::Syntax, NO_ASSIGNMENT);
            problems.push(refusing(Flaw::whole(what), Some(place.start)));
        }
        let mut places: HashMap<String, Range<usize>> = HashMap::new();
        let mut values: HashMap<String, OsString> = HashMap::new();
        let mut again: Vec<(String, usize)> = Vec::new();
        for one in found.all {
            match places.entry(one.name) {
                hash_map::Entry::Occupied(known) => {
                    again.push((known.key().clone(), one.place.start))
                }
                hash_map::Entry::Vacant(free) => {
                    values.insert(free.key().clone(), one.value.into());
                    free.insert(one.place);
                }
            }
        }
        let has_variables = !values.is_empty();
        let variables = Variables::given(values);
        let environment = Environment::new(fields, self.decode, &self.naming, &variables);
        let Some(environment) = environment else {
            // Its names were checked where it was declared.
            return VariablesRead {
                tree: Tree::Null,
                set: Vec::new(),
                problems,
                unread: Vec::new(),
                is_followed: false,
                has_places: true,
            };
        };
        let ReadVariables {
            given,
            unread,
            outdated,
        } = environment.read(&|_| Vec::new());
        let (entries, layer) = match given.read {
            Ok(layer) => (Vec::new(), Some(layer)),
            Err(entries) => (entries, given.partial),
        };
        let is_set_known = layer.is_some();
        let names = layer.map(|(_, set)| set).unwrap_or_default();
        let mut paths = HashMap::new();
        for (path, name) in &names {
            paths.entry(name.as_str()).or_insert(path);
        }
        let lines = Lines::of(text);
        for (name, at) in again {
            let Some(path) = paths.get(name.as_str()) else {
                continue;
            };
            let first = places
                .get(&name)
                .map_or(0, |place| lines.place(text, place.start).0);
            let text = format!("{name} is set in line {first} already; remove one");
            let what = What::plain(ProblemKind::DuplicateKey, text);
            let path = path.to_vec();
            problems.push(refusing(Flaw { path, what }, Some(at)));
        }
        let mut is_followed = problems.is_empty() && is_set_known;
        for entry in entries {
            let name = entry.variable.clone();
            is_followed &= name.is_none_or(|name| paths.contains_key(name.as_str()));
            let at = begin(&places, &entry);
            problems.push(refusing(entry.into_flaw(), at));
        }
        let terms = |is_strict: bool| match is_strict {
            true => Refuses::Always,
            false => Refuses::AsUnknown,
        };
        let suspects = environment.misspelt().into_iter();
        let suspects = suspects.map(|one| match one.is_uncertain {
            true => (one.entry, Refuses::Never),
            false => (one.entry, terms(one.is_strict)),
        });
        let unread = unread.into_iter();
        let unread = unread.map(|(entry, is_strict)| (entry, terms(is_strict)));
        let outdated = outdated.into_iter().map(|entry| match entry.is_removed() {
            true => (entry, Refuses::Always),
            false => (entry, Refuses::Warns),
        });
        let all = suspects.chain(unread).chain(outdated);
        let unread = all.map(|(entry, refuses)| VariableFlaw {
            at: begin(&places, &entry),
            flaw: named(entry),
            refuses,
        });
        let mut unread: Vec<VariableFlaw> = unread.collect();
        if has_variables && names.is_empty() && problems.is_empty() && unread.is_empty() {
            // What a field has is set, unless it is empty.
            let has_empty = places
                .keys()
                .any(|name| environment.path_read(name).is_some());
            unread.push(self.reads_nothing(has_empty));
        }
        let set = names.into_iter().filter_map(|(path, name)| {
            let place = places.get(&name)?.clone();
            Some((path, place))
        });
        VariablesRead {
            // Without assignments it is no configuration without values, but none.
            tree: given.tree.filter(|_| has_variables).unwrap_or_default(),
            set: set.collect(),
            problems,
            unread,
            is_followed,
            has_places: true,
        }
    }
}

/// The line itself may be secret.
const NO_ASSIGNMENT: &str = "is no assignment; write NAME=value, and a value with blanks, `#`, `$` or quotes in single quotes";

fn refusing(flaw: Flaw, at: Option<usize>) -> VariableFlaw {
    VariableFlaw {
        flaw,
        at,
        refuses: Refuses::Always,
    }
}

/// The flaw with the name of its variable: the line may be one that is not shown.
fn named(entry: Entry) -> Flaw {
    let name = entry.variable.clone();
    let mut flaw = entry.into_flaw();
    if let (What::Told { text, .. } | What::Outdated { text, .. }, Some(name)) =
        (&mut flaw.what, name)
        && let Some(rest) = text.strip_prefix("this variable")
    {
        *text = format!("{name}{rest}");
    }
    flaw
}

/// Where the assignment begins that a problem is about.
fn begin(places: &HashMap<String, Range<usize>>, entry: &Entry) -> Option<usize> {
    let place = places.get(entry.variable.as_ref()?)?;
    Some(place.start)
}
