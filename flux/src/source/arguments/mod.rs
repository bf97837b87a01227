//! The command line as a layer: how arguments become one tree that is read as variables are, and what of it is refused. What may be
//! repeated, a list or a map, is joined.

mod command_line;
mod described;
mod help;
mod names;
mod slips;
mod suggest;

#[cfg(feature = "cli")]
pub(crate) use described::{ArgumentForm, DescribedArgument, described};
pub(crate) use help::help;
#[cfg(feature = "cli")]
pub(crate) use names::SET;
pub(crate) use names::{check_names, name_of, names_by_path};

use crate::{
    document::{AskedForm, items_by_number, raw, tree::Tree},
    problem::{Flaw, ProblemKind, Seg, What},
    report::{ARGUMENTS, ArgumentPlace, Entry},
    schema::{Field, Kind},
    source::{
        ArgumentPaths, DecodeTree, Given,
        environment::{
            outdated_keys,
            overlay::{self, Overlay},
            step::{PathStep, path_of},
            unread_keys, variable_of,
        },
    },
};
use command_line::{CommandLine, TypedValue};
use std::{borrow::Cow, ffi::OsString, sync::Arc};

/// Where arguments come from: the process, or what was given instead.
#[derive(Clone, Default)]
pub(crate) enum Arguments {
    #[default]
    Process,
    Given(Arc<[OsString]>),
    /// What the program's own parser found, each with its value in one word.
    #[cfg(feature = "cli")]
    Parsed(Arc<[OsString]>),
}

impl Arguments {
    /// The words behind the program's name.
    fn words(&self) -> Cow<'_, [OsString]> {
        match self {
            Arguments::Process => std::env::args_os().skip(1).collect(),
            Arguments::Given(words) => Cow::Borrowed(words),
            #[cfg(feature = "cli")]
            Arguments::Parsed(words) => Cow::Borrowed(words),
        }
    }

    /// Whether the words are a command line, so that their places mean something.
    fn have_places(&self) -> bool {
        match self {
            Arguments::Process | Arguments::Given(_) => true,
            #[cfg(feature = "cli")]
            Arguments::Parsed(_) => false,
        }
    }

    /// The program's name, where it is known.
    fn program(&self) -> Option<String> {
        let Arguments::Process = self else {
            return None;
        };
        let path = std::env::args_os().next()?;
        let name = std::path::Path::new(&path).file_stem()?;
        Some(name.to_string_lossy().into_owned())
    }
}

/// Whether the arguments ask for the help, whatever else is wrong with them.
pub(crate) fn ask_for_help<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    arguments: &Arguments,
) -> bool {
    let words = arguments.words();
    // Nothing is read where nothing can ask.
    let may_ask = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    words.iter().any(may_ask)
        && CommandLine::read(
            fields,
            decode,
            &names::known(fields, decode),
            arguments,
            &words,
        )
        .asks_for_help
}

/// Reads the arguments. Every wrong one is reported.
pub(crate) fn layer<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    arguments: &Arguments,
) -> Given<L> {
    let words = arguments.words();
    let known = names::known(fields, decode);
    let line = CommandLine::read(fields, decode, &known, arguments, &words);
    let mut read = ReadArguments {
        root: Tree::Map(Vec::new()),
        set: Vec::new(),
        refused: Vec::new(),
        wrong: line.wrong,
    };
    read.lay(line.values);
    let (layer, flaws) = items_by_number(|| decode(&read.root, false));
    let unread = unread_keys(fields, &read.root, false).into_iter();
    let unread = unread.map(|unread| unread.flaw);
    for flaw in flaws.into_iter().chain(unread) {
        if !read.refused.contains(&flaw.path) {
            let argument = variable_of(&read.set, &flaw.path);
            read.wrong
                .push(Entry::new(ARGUMENTS, flaw).argument(argument));
        }
    }
    let inside = outdated_keys(fields, &read.root).into_iter();
    let inside = inside.map(|flaw| {
        let argument = variable_of(&read.set, &flaw.path);
        Entry::new(ARGUMENTS, flaw).argument(argument)
    });
    let outdated: Vec<Entry> = line.outdated.into_iter().chain(inside).collect();
    let ReadArguments {
        root,
        set,
        mut wrong,
        ..
    } = read;
    let (removed, warnings): (Vec<_>, Vec<_>) = outdated.into_iter().partition(Entry::is_removed);
    wrong.extend(removed);
    let layer = layer.map(|layer| (layer, Vec::new()));
    let (read, partial) = match layer {
        Some(layer) if wrong.is_empty() => (Ok(layer), None),
        partial => (Err(wrong), partial),
    };
    Given {
        read,
        partial,
        secrets: line.secrets,
        warnings,
        arguments: Some(set),
        prefix: None,
        tree: Some(root),
        again: None,
        empty: Vec::new(),
        files: Vec::new(),
    }
}

/// What the arguments set, for a recording.
#[cfg(feature = "testing")]
pub(crate) fn tree<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    arguments: &Arguments,
) -> Result<Tree, String> {
    let given = layer(fields, decode, arguments);
    match (given.read, given.tree) {
        // Items that are set one by one have no place in a document.
        (Ok(_), Some(tree)) if decode(&tree, false).1.is_empty() => Ok(tree),
        (Ok(_), _) => Err("arguments that set items of lists one by one are not recorded".into()),
        (Err(wrong), _) => Err(format!("{} arguments cannot be read", wrong.len())),
    }
}

/// Arguments as one tree.
struct ReadArguments {
    root: Tree,
    /// Which argument set which path.
    set: ArgumentPaths,
    /// What is wrong at these paths is reported already.
    refused: Vec<Vec<Seg>>,
    wrong: Vec<Entry>,
}

/// Everything that was typed for one path.
struct SamePath {
    path: Vec<Seg>,
    values: Vec<TypedValue>,
}

impl ReadArguments {
    /// Lays the values in one tree, wholes before what is in them.
    fn lay(&mut self, values: Vec<TypedValue>) {
        let mut groups: Vec<SamePath> = Vec::new();
        for value in values {
            let path = path_of(&value.steps);
            match groups.iter_mut().find(|group| group.path == path) {
                Some(group) => group.values.push(value),
                None => groups.push(SamePath {
                    path,
                    values: vec![value],
                }),
            }
        }
        groups.sort_by(|one, other| one.path.cmp(&other.path));
        let mut lists: Vec<Vec<PathStep>> = Vec::new();
        let mut root = std::mem::take(&mut self.root);
        let mut overlay = Overlay::new(&mut root);
        for SamePath { path, values } in groups {
            let Some(first) = values.first() else {
                continue;
            };
            let (steps, place) = (first.steps.clone(), first.place.clone());
            self.set.push((path.clone(), place.clone()));
            let tree = match values.len() {
                1 => values.into_iter().next().map(|one| Tree::Raw(one.text)),
                _ => self.joined(&path, values),
            };
            let Some(tree) = tree else { continue };
            if let Err((path, why)) = overlay.put(&steps, tree) {
                self.refuse(place, path, why);
                continue;
            }
            for (at, pair) in steps.windows(2).enumerate() {
                if let [PathStep::Field(field), PathStep::Item(_)] = pair
                    && matches!(field.kind, Kind::Leaf)
                {
                    lists.push(steps[..=at].to_vec());
                }
            }
        }
        self.root = root;
        for list in lists {
            if let Err((path, why)) = overlay::close_list(&mut self.root, &list) {
                let place = variable_of(&self.set, &path);
                self.refused.push(path_of(&list));
                self.refused.push(path.clone());
                self.wrong
                    .push(wrong(place, path, ProblemKind::InvalidValue, why));
            }
        }
    }

    /// The items of a list, or the entries of a map, that was typed in several arguments.
    fn joined(&mut self, path: &[Seg], values: Vec<TypedValue>) -> Option<Tree> {
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        let mut before: Option<ArgumentPlace> = None;
        let mut form = None;
        for value in values {
            form = value.form;
            let (text, place) = (value.text, value.place);
            let read = match form {
                Some(AskedForm::List) => raw::list(&text),
                Some(AskedForm::Map) => raw::map(&text),
                Some(AskedForm::Bool) | None => {
                    let Some(before) = &before else {
                        before = Some(place);
                        continue;
                    };
                    let at = before.position.map(|at| format!(" at position {at}"));
                    let text = format!(
                        "is set twice, by {}{} as well; remove one",
                        before.name,
                        at.unwrap_or_default()
                    );
                    let kind = ProblemKind::DuplicateKey;
                    self.wrong
                        .push(wrong(Some(place), path.to_vec(), kind, text));
                    continue;
                }
            };
            match (form, read) {
                (_, Err(unreadable)) => self.refuse(place, path.to_vec(), unreadable.to_string()),
                (Some(AskedForm::List), Ok(mut tree)) => {
                    let start = items.len();
                    match &mut tree {
                        Tree::Seq(more) => items.append(more),
                        _ => items.push(tree),
                    }
                    for index in start..items.len() {
                        let mut path = path.to_vec();
                        path.push(Seg::Index(index));
                        self.set.push((path, place.clone()));
                    }
                }
                (_, Ok(mut tree)) => match &mut tree {
                    Tree::Map(more) => {
                        for (key, entry) in more.drain(..) {
                            let mut path = path.to_vec();
                            path.push(Seg::Key(key.clone().into()));
                            self.set.push((path, place.clone()));
                            entries.push((key, entry));
                        }
                    }
                    _ => self.refuse(place, path.to_vec(), "is no map".to_owned()),
                },
            }
        }
        match form {
            Some(AskedForm::List) => Some(Tree::Seq(items)),
            Some(AskedForm::Map) => Some(Tree::Map(entries)),
            _ => None,
        }
    }

    fn refuse(&mut self, place: ArgumentPlace, path: Vec<Seg>, why: String) {
        self.refused.push(path.clone());
        self.wrong
            .push(wrong(Some(place), path, ProblemKind::InvalidValue, why));
    }
}

fn wrong(place: Option<ArgumentPlace>, path: Vec<Seg>, kind: ProblemKind, text: String) -> Entry {
    let what = What::plain(kind, text);
    Entry::new(ARGUMENTS, Flaw { path, what }).argument(place)
}
