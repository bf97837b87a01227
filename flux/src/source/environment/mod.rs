//! The process environment as a layer: which variables are read, whether an empty one counts, what two variables of one value mean;
//! values are read by the target's type.
//!
//! A name that no field has may be that of an entry of a map or of an item of a list (`readings`); such texts are laid over what
//! the variable of the whole map or list contains (`overlay`). How a key is spelt is known from the layers below (`known`).

mod asked;
mod asked_before;
mod behind_section;
mod beside_prefix;
mod elsewhere;
mod entry_files;
mod file_names;
pub(super) mod files;
mod in_rust;
mod inside;
mod key_walk;
mod known;
mod misspelt;
mod names;
mod outdated;
pub(in crate::source) mod overlay;
mod reading;
mod readings;
mod respelt;
mod rust_names;
mod single_value;
mod spelt_section;
pub(in crate::source) mod step;
mod suspect;
mod unread;

pub(crate) use elsewhere::ReadElsewhere;
pub(crate) use known::{TextTree, keys_of};
pub(crate) use names::{Variable, check_names, file_name_of, name_of, names_with_files, variables};
pub(crate) use outdated::outdated_keys;
#[cfg(feature = "figment")]
pub(crate) use unread::UnreadKey;
pub(crate) use unread::unread_keys;

use crate::{
    codec::Unknown,
    problem::{Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::{self, Field},
    source::{DecodeTree, Given, KnownKeys, ReadAgain, VariablePaths},
};
use asked_before::AskedBefore;
use flux_syntax::Naming;
use names::UnreadName;
use readings::{KeysByName, NameReader, Reading, ambiguous, choose};
use rust_names::NameInRust;
use std::{
    cell::{OnceCell, RefCell},
    collections::{HashMap, HashSet},
    ffi::OsString,
    rc::Rc,
    sync::{Arc, OnceLock},
};
use step::{PathStep, path_of};
use suspect::SuspectVariable;

/// Where variables are looked up, and which ones are read elsewhere.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    from: LookUp,
    /// Which ones the capacitor reads besides this layer: they are not misspelt.
    pub(in crate::source) elsewhere: Arc<ReadElsewhere>,
    /// What the files contain that some of them name, where these were read already.
    files: Option<Arc<files::FileValues>>,
}

/// In the process, or in what was given instead.
#[derive(Clone, Default)]
enum LookUp {
    #[default]
    Process,
    Given(Arc<HashMap<String, OsString>>),
}

impl Variables {
    pub(crate) fn given(known: HashMap<String, OsString>) -> Self {
        Variables {
            from: LookUp::Given(Arc::new(known)),
            elsewhere: Arc::default(),
            files: None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        match &self.from {
            LookUp::Process => std::env::var_os(name),
            LookUp::Given(known) => known.get(name).cloned(),
        }
    }

    /// These variables, whatever the process sets later.
    fn as_now(&self) -> Variables {
        let from = match &self.from {
            LookUp::Process => {
                let named =
                    |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
                LookUp::Given(Arc::new(std::env::vars_os().filter_map(named).collect()))
            }
            LookUp::Given(known) => LookUp::Given(Arc::clone(known)),
        };
        Variables {
            from,
            elsewhere: Arc::clone(&self.elsewhere),
            files: self.files.clone(),
        }
    }

    /// The names of all that are set, in order; without those that are set to nothing, unless that is a value.
    fn names(&self, with_empty: bool) -> Vec<String> {
        let name = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok();
            name.filter(|_| with_empty || !value.is_empty())
        };
        let mut names: Vec<String> = match &self.from {
            LookUp::Process => std::env::vars_os().filter_map(name).collect(),
            LookUp::Given(known) => {
                let known = known.iter();
                let known = known.filter(|(_, value)| with_empty || !value.is_empty());
                known.map(|(name, _)| name.clone()).collect()
            }
        };
        names.sort_unstable();
        names
    }
}

/// Reads the environment once, as if no other layer had any key; and a way to read it again with theirs, where it matters.
pub(crate) fn layer<L: 'static>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &str,
    variables: &Variables,
    unknown: Unknown,
) -> Given<L> {
    match files::read(fields, prefix, variables) {
        None => layer_of(fields, decode, prefix, variables, unknown),
        Some(values) => {
            let given = layer_of(fields, decode, prefix, &values.variables, unknown);
            let mut given = values.named(given);
            // Files are read at start alone, like all that variables contain.
            given.again = given.again.map(|again| {
                let again = move |known: KnownKeys<'_>| values.named(again(known));
                Box::new(again) as ReadAgain<L>
            });
            given
        }
    }
}

/// Reads the environment as it is.
fn layer_of<L: 'static>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &str,
    variables: &Variables,
    unknown: Unknown,
) -> Given<L> {
    let Some(environment) = Environment::new(fields, decode, prefix, variables) else {
        return Given {
            read: Err(Vec::new()),
            partial: None,
            secrets: Vec::new(),
            warnings: Vec::new(),
            arguments: None,
            prefix: Some(prefix.to_owned()),
            tree: None,
            again: None,
            empty: Vec::new(),
            files: Vec::new(),
        };
    };
    let suspects = OnceLock::new();
    let mut given = environment.layer(unknown, &suspects, &|_| Vec::new());
    if environment.has_entries() {
        // The environment is read at start alone; what can change is what is below it.
        let (prefix, variables) = (prefix.to_owned(), variables.as_now());
        given.again = Some(Box::new(move |known| {
            match Environment::new(fields, decode, &prefix, &variables) {
                Some(environment) => environment.layer(unknown, &suspects, known),
                None => layer_of(fields, decode, &prefix, &variables, unknown),
            }
        }));
    }
    given
}

/// One environment, and the type that reads it.
pub(crate) struct Environment<'a, L> {
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefix: &'a str,
    naming: Naming<'a>,
    variables: &'a Variables,
    /// The variables that are known by the field table alone.
    fixed: Vec<Variable>,
    /// The same for sections, and every name in Rust, once a variable is found that nobody reads.
    sections: OnceCell<Vec<Variable>>,
    in_rust: OnceCell<Vec<NameInRust>>,
    /// The names that fields with a variable of their own would have.
    unread: OnceCell<Vec<UnreadName>>,
    asked: AskedBefore,
    /// What names can mean that are no field's own, where nothing is known of the layers below. One name is asked for many times.
    alone: RefCell<HashMap<String, Rc<NameReadings>>>,
    /// Those that are empty, and count as not set, as they are found.
    empty: RefCell<VariablePaths>,
}

/// What variables contain.
pub(crate) struct ReadVariables<L> {
    pub(crate) given: Given<L>,
    /// What is in them under keys that no field has, with whether its section refuses such keys.
    pub(in crate::source) unread: Vec<(Entry, bool)>,
    /// Names and keys of earlier versions.
    pub(in crate::source) outdated: Vec<Entry>,
}

/// A variable of an entry or an item, and what it means.
struct EntryVariable {
    name: String,
    steps: Vec<PathStep>,
    /// A key with the separator at one of its ends that no layer below has: probably a separator too many.
    odd_key: Option<String>,
    /// No layer below has the entry.
    is_new: bool,
}

impl<'a, L> Environment<'a, L> {
    /// The variables with `prefix`, which may have the options of [`Naming`]. With options that are none, nothing is read:
    /// [`check_names`] refuses them.
    pub(crate) fn new(
        fields: &'static [Field],
        decode: DecodeTree<L>,
        prefix: &'a str,
        variables: &'a Variables,
    ) -> Option<Self> {
        Some(Environment {
            fields,
            decode,
            prefix,
            naming: Naming::parse(prefix).ok()?,
            variables,
            fixed: names::variables(fields, prefix),
            sections: OnceCell::new(),
            in_rust: OnceCell::new(),
            unread: OnceCell::new(),
            alone: RefCell::default(),
            asked: AskedBefore::default(),
            empty: RefCell::default(),
        })
    }

    /// Reads the environment. An empty variable is as one that is not set; every wrong one is reported. So is one that looks like
    /// a misspelt one of the table: as a warning, or as a problem where unknown keys are refused.
    ///
    /// What looks so does not depend on other layers, and is found once.
    pub(crate) fn layer(
        &self,
        unknown: Unknown,
        suspects: &OnceLock<Vec<SuspectVariable>>,
        known: KnownKeys<'_>,
    ) -> Given<L> {
        let ReadVariables {
            mut given,
            unread,
            outdated,
        } = self.read(known);
        let denies = |is_strict: bool| unknown == Unknown::Deny || is_strict;
        let suspects = match unknown {
            Unknown::Ignore => Vec::new(),
            _ => suspects.get_or_init(|| self.misspelt()).clone(),
        };
        let suspects = suspects.into_iter();
        let suspects = suspects.map(|one| (one.entry, one.is_strict, one.is_uncertain));
        let unread = unread.into_iter();
        let unread = unread.map(|(entry, is_strict)| (entry, is_strict, false));
        let (mut refused, mut warnings) = (Vec::new(), Vec::new());
        let has_secrets = schema::any_secret(self.fields);
        for (entry, is_strict, is_uncertain) in suspects.chain(unread) {
            // A misspelt name may be meant to be that of a secret.
            let path = entry.path();
            let may_be = has_secrets && (path.is_empty() || schema::is_secret(self.fields, path));
            let value = entry.variable.as_deref().filter(|_| may_be);
            let value = value.and_then(|name| self.variables.get(name));
            given
                .secrets
                .extend(value.map(|value| value.to_string_lossy().into_owned()));
            match (denies(is_strict) && !is_uncertain, unknown) {
                (true, _) => refused.push(entry),
                (false, Unknown::Ignore) => {}
                (false, _) => warnings.push(entry),
            }
        }
        for entry in outdated {
            match entry.is_removed() {
                true => refused.push(entry),
                false => warnings.push(entry),
            }
        }
        if !refused.is_empty() {
            let mut all = match given.read {
                Ok(read) => {
                    given.partial = Some(read);
                    Vec::new()
                }
                Err(all) => all,
            };
            all.append(&mut refused);
            given.read = Err(all);
        }
        given.warnings = warnings;
        given
    }

    /// The names of sections, which have no variable as a whole.
    fn sections(&self) -> &[Variable] {
        let all = || names::sections(self.fields, self.prefix);
        self.sections.get_or_init(all)
    }

    /// Every name of a field or a section that is its name in Rust, or that is below one.
    fn names_in_rust(&self) -> &[NameInRust] {
        let all = || rust_names::names_in_rust(self.fields, self.prefix);
        self.in_rust.get_or_init(all)
    }

    /// The names that fields with a variable of their own would have without it.
    fn unread_names(&self) -> &[UnreadName] {
        let all = || names::unread_names(self.fields, self.prefix);
        self.unread.get_or_init(all)
    }

    /// What a name can mean that is no field's own, where nothing is known of the layers below.
    fn readings_alone(&self, name: &str) -> Rc<NameReadings> {
        if let Some(known) = self.alone.borrow().get(name) {
            return Rc::clone(known);
        }
        let read = Rc::new(self.readings(name, &KeysByName::none()));
        let mut alone = self.alone.borrow_mut();
        alone.insert(name.to_owned(), Rc::clone(&read));
        read
    }

    /// What a name can mean that is no field's own.
    fn readings<'r>(&'r self, name: &'r str, known: &'r KeysByName<'r>) -> NameReadings {
        let value = self.variables.get(name).unwrap_or_default();
        let form = |steps: &[PathStep]| self.form(steps);
        let mut reader = NameReader {
            name,
            is_braced: value.to_string_lossy().trim_start().starts_with('{'),
            separator: self.naming.separator,
            known,
            form: &form,
            found: Vec::new(),
            reached: Vec::new(),
        };
        reader.read(self.fields, self.naming.prefix);
        NameReadings {
            found: reader.found,
            reached: reader.reached,
        }
    }

    /// The names of variables that no field has and that may mean something all the same.
    fn others(&self, with_empty: bool) -> Vec<String> {
        let prefix = self.naming.prefix;
        let begins = |name: &str, begin: &str| !begin.is_empty() && name.starts_with(begin);
        let fixed = || self.fixed.iter().map(|fixed| fixed.name.as_str());
        let own: Vec<&str> = fixed().filter(|fixed| !begins(fixed, prefix)).collect();
        let fixed: HashSet<&str> = fixed().collect();
        let mut names = self.variables.names(with_empty);
        names.retain(|name| {
            !fixed.contains(name.as_str())
                && (begins(name, prefix) || own.iter().any(|own| begins(name, own)))
        });
        names
    }

    /// The variables that are set and mean entries of maps and items of lists, those that come first in a document before others;
    /// and those whose meaning is not clear.
    fn entries(&self, known: KnownKeys<'_>) -> (Vec<EntryVariable>, Vec<Entry>) {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        let known = KeysByName::new(known);
        for name in self.others(self.naming.empty_is_value) {
            let readings = self.readings(&name, &known).found;
            match choose(&readings) {
                Ok(None) => {}
                Ok(Some(reading)) => {
                    let odd_key = reading.odd_key(self.naming.separator);
                    let odd_key = odd_key.map(str::to_owned);
                    let steps = reading.steps.clone();
                    entries.push(EntryVariable {
                        name,
                        steps,
                        odd_key,
                        is_new: reading.is_new,
                    });
                }
                Err(paths) => {
                    let what = What::plain(ProblemKind::InvalidValue, ambiguous(&name, &paths));
                    let path = common(&paths);
                    let mut entry = Entry::new("environment", Flaw { path, what });
                    entry.variable = Some(name);
                    problems.push(entry);
                }
            }
        }
        entries.sort_by_cached_key(|entry| path_of(&entry.steps));
        (entries, problems)
    }

    /// Every variable that is set and read, whatever the layers below contain.
    #[cfg(feature = "testing")]
    pub(crate) fn set(&self) -> Vec<Variable> {
        let fixed = self
            .fixed
            .iter()
            .filter(|one| self.variables.get(&one.name).is_some());
        let mut set: Vec<_> = fixed.cloned().collect();
        for name in self.others(true) {
            let found = &self.readings_alone(&name).found;
            // With more than one meaning, a secret one counts.
            let secret =
                |reading: &&Reading| schema::is_secret(self.fields, &path_of(&reading.steps));
            let one = found.iter().find(secret).or(found.first());
            if let Some(Reading { steps, .. }) = one {
                let path = path_of(steps);
                let is_old = false;
                set.push(Variable { name, path, is_old });
            }
        }
        set
    }

    /// Whether a variable means an entry of a map, whose key is spelt as in the layers below.
    pub(crate) fn has_entries(&self) -> bool {
        let (entries, problems) = self.entries(&|_| Vec::new());
        let mut steps = entries.iter().flat_map(|entry| &entry.steps);
        !problems.is_empty() || steps.any(|step| matches!(step, PathStep::Entry(_)))
    }
}

/// What a name can mean, and the maps and lists whose names begin it.
struct NameReadings {
    found: Vec<Reading>,
    reached: Vec<readings::ReachedName>,
}

/// What all paths begin with.
fn common(paths: &[Vec<Seg>]) -> Vec<Seg> {
    let Some((first, rest)) = paths.split_first() else {
        return Vec::new();
    };
    let end = (0..first.len()).find(|at| rest.iter().any(|path| path.get(*at) != first.get(*at)));
    first[..end.unwrap_or(first.len())].to_vec()
}

fn entry(problem: Flaw, set: &VariablePaths) -> Entry {
    let variable = variable_of(set, &problem.path);
    let mut entry = Entry::new("environment", problem);
    entry.variable = variable;
    entry
}

/// The variable that set the value at `path`, or what contains it; or else one that set something in it.
pub(crate) fn variable_of<N: Clone>(set: &[(Vec<Seg>, N)], path: &[Seg]) -> Option<N> {
    let around = set.iter().filter(|(known, _)| path.starts_with(known));
    let around = around.max_by_key(|(known, _)| known.len());
    match around {
        Some((_, name)) => Some(name.clone()),
        None => variable_in(set, path),
    }
}

/// A variable that set the value at `path`, or something in it.
fn variable_in<N: Clone>(set: &[(Vec<Seg>, N)], path: &[Seg]) -> Option<N> {
    let (_, name) = set.iter().find(|(known, _)| known.starts_with(path))?;
    Some(name.clone())
}
