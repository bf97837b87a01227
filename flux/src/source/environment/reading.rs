//! What the variables that are set contain: one tree of their texts, decoded.

use super::{
    EntryVariable, Environment, ReadVariables, Variable, entry,
    known::TextTree,
    overlay::{self, Overlay},
    step::{PathStep, path_of},
    unread_keys, variable_in, variable_of,
};
use crate::{
    document::{items_by_number, tree::Tree},
    problem::{Fix, Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::{self, Kind},
    source::{Given, KnownKeys, VariablePaths},
};
use std::collections::HashMap;

impl<L> Environment<'_, L> {
    /// Reads the variables.
    pub(crate) fn read(&self, known: KnownKeys<'_>) -> ReadVariables<L> {
        let mut root = Tree::Map(Vec::new());
        let mut set: VariablePaths = Vec::new();
        let mut places = HashMap::new();
        let mut problems = Vec::new();
        let mut secrets = Vec::new();
        for Variable { name, path, .. } in &self.fixed {
            let (set, places) = (&mut set, &mut places);
            let text = self.text(name, path, set, places, &mut secrets, &mut problems);
            let Some(text) = text else {
                continue;
            };
            insert(&mut root, path, text);
        }
        let whole = TextTree::new(&root);
        let known = |path: &[Seg]| {
            let mut keys = known(path);
            keys.extend(whole.keys(self.fields, path));
            keys
        };
        let (entries, mut unclear) = self.entries(&known);
        let mut misplaced: Vec<(overlay::Misplaced, String)> = Vec::new();
        let mut laid = Overlay::new(&mut root);
        let mut lists: Vec<&[PathStep]> = Vec::new();
        for EntryVariable { name, steps, .. } in &entries {
            let path = path_of(steps);
            let (set, places) = (&mut set, &mut places);
            let text = self.text(name, &path, set, places, &mut secrets, &mut problems);
            let Some(text) = text else {
                continue;
            };
            if let Err(wrong) = laid.put(steps, Tree::Raw(text)) {
                misplaced.push((wrong, name.clone()));
                continue;
            }
            for (at, pair) in steps.windows(2).enumerate() {
                if let [PathStep::Field(field), PathStep::Item(_)] = pair
                    && matches!(field.kind, Kind::Leaf)
                {
                    lists.push(&steps[..=at]);
                }
            }
        }
        // Of a list with a gap the text behind the gap is wrong, and the list is not looked at as a whole.
        let mut instead = Vec::new();
        for list in lists {
            if let Err(wrong) = overlay::close_list(&mut root, list) {
                let name = variable_in(&set, &wrong.0).unwrap_or_default();
                misplaced.push((wrong, name));
                instead.push(path_of(list));
            }
        }
        let (layer, more) = items_by_number(|| (self.decode)(&root, false));
        let more: Vec<Flaw> = more.into_iter().collect();
        // What is wrong with the text of the whole is no mistake of an entry, and is reported once.
        misplaced.retain_mut(|((path, why), name)| {
            let mut there = more.iter().filter(|flaw| flaw.path == *path).peekable();
            if there.peek().is_some() {
                *name = variable_of(&set, path).unwrap_or_default();
            }
            let is_told = there.any(|flaw| flaw.what.text() == Some(why));
            if !is_told {
                instead.push(path.clone());
            }
            !is_told
        });
        problems.extend(
            more.into_iter()
                .filter(|flaw| !instead.contains(&flaw.path)),
        );
        let mut refused = Vec::new();
        for ((path, why), name) in misplaced {
            if refused.contains(&path) {
                continue;
            }
            refused.push(path.clone());
            let what = What::plain(ProblemKind::InvalidValue, why);
            let mut entry = Entry::new("environment", Flaw { path, what });
            entry.variable = Some(name);
            unclear.push(entry);
        }
        let unread = unread_keys(self.fields, &root, false).into_iter();
        let unread = unread.map(|unread| (entry(unread.flaw, &set), unread.is_strict));
        let odd = entries
            .iter()
            .filter_map(|one| self.odd(one).or_else(|| self.file_of_entry(one)));
        let unread = unread.chain(odd.map(|entry| (entry, false))).collect();
        let outdated = self.outdated(&root, &set);
        let is_good = problems.is_empty() && unclear.is_empty();
        let problems = problems.into_iter().map(|problem| {
            let problem = self.of_entry(problem, &entries);
            entry(problem, &set)
        });
        let entries: Vec<Entry> = unclear.into_iter().chain(problems).collect();
        let layer = layer.map(|layer| (layer, set));
        let (read, partial) = match layer {
            Some(layer) if is_good => (Ok(layer), None),
            partial => (Err(entries), partial),
        };
        let given = Given {
            read,
            partial,
            secrets,
            warnings: Vec::new(),
            arguments: None,
            prefix: Some(self.prefix.to_owned()),
            tree: Some(root),
            again: None,
            empty: self.empty.take(),
            files: Vec::new(),
        };
        ReadVariables {
            given,
            unread,
            outdated,
        }
    }

    /// The problem of a text, with what is probably meant by the name of its variable: the part of an entry that is a single value.
    fn of_entry(&self, mut problem: Flaw, entries: &[EntryVariable]) -> Flaw {
        let text = problem.what.text();
        let text = text.filter(|text| text.starts_with("cannot be read as a map"));
        let mut named = entries.iter();
        let named = named.find(|one| path_of(&one.steps) == problem.path);
        if let (Some(text), Some(one)) = (text, named)
            && let Some(why) = self.part_of_entry(&one.name)
        {
            let text = format!("{text}{}", why.replacen(": ", "; ", 1));
            problem.what = What::plain(problem.what.kind(), text);
        }
        problem
    }

    /// What is reported of a name with more separators than it needs.
    fn odd(&self, variable: &EntryVariable) -> Option<Entry> {
        let (name, key) = (&variable.name, variable.odd_key.as_ref()?);
        let (prefix, separator) = (self.naming.prefix, self.naming.separator);
        let (begin, rest) = name.split_at_checked(prefix.len())?;
        let parts = rest.split(separator).filter(|part| !part.is_empty());
        let meant = format!("{begin}{}", parts.collect::<Vec<_>>().join(separator));
        let text = format!(
            "{name} sets an entry with the key `{key}`, since one `{separator}` joins the parts of a name; did you mean `{meant}`? \
             `?separator=__` behind the prefix joins them by two"
        );
        let what = What::plain(ProblemKind::UnknownKey, text);
        let path = path_of(&variable.steps);
        let fix = Some(Fix::Rename { to: meant });
        let mut entry = Entry::new("environment", Flaw { path, what }).fix(fix);
        entry.variable = Some(name.clone());
        Some(entry)
    }

    /// The text of a variable that is set, unless it cannot be one or another name of the same value was read before. `places` has
    /// where each path is in `set`.
    fn text(
        &self,
        name: &str,
        path: &[Seg],
        set: &mut VariablePaths,
        places: &mut HashMap<Vec<Seg>, usize>,
        secrets: &mut Vec<String>,
        problems: &mut Vec<Flaw>,
    ) -> Option<String> {
        let value = self.variables.get(name)?;
        if value.is_empty() && !self.naming.empty_is_value {
            self.empty
                .borrow_mut()
                .push((path.to_vec(), name.to_owned()));
            return None;
        }
        let flaw = |kind, text: String| Flaw {
            path: path.to_vec(),
            what: What::plain(kind, text),
        };
        if schema::is_secret(self.fields, path) {
            secrets.push(value.to_string_lossy().into_owned());
        }
        if let Some((_, other)) = places.get(path).and_then(|place| set.get(*place)) {
            if self.variables.get(other).as_ref() != Some(&value) {
                problems.push(flaw(
                    ProblemKind::DuplicateKey,
                    format!("is set by both {other} and {name}, with different values; unset one"),
                ));
            }
            return None;
        }
        places.insert(path.to_vec(), set.len());
        set.push((path.to_vec(), name.to_owned()));
        let text = value.into_string();
        if text.is_err() {
            let text = "is not valid Unicode".to_owned();
            problems.push(flaw(ProblemKind::InvalidValue, text));
        }
        text.ok()
    }
}

fn insert(tree: &mut Tree, path: &[Seg], text: String) {
    let mut at = tree;
    for seg in path {
        let (Seg::Key(key), Tree::Map(entries)) = (seg, at) else {
            return;
        };
        let known = entries.iter().position(|(known, _)| known == key);
        let known = known.unwrap_or_else(|| {
            entries.push((key.to_string(), Tree::Map(Vec::new())));
            entries.len() - 1
        });
        at = &mut entries[known].1;
    }
    *at = Tree::Raw(text);
}
