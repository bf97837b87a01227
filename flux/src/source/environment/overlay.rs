//! What results where a variable sets one entry or item, and another one the whole map or list.

use super::step::{PathStep, path_of};
use crate::{
    document::{raw, tree::Tree},
    problem::Seg,
};

/// Why a text could not be put where it belongs: the place, and a sentence.
pub(in crate::source) type Misplaced = (Vec<Seg>, String);

/// Puts a value at the end of the steps. Items of a list that has no variable of its own are kept in a map, by their numbers.
pub(in crate::source) fn put(
    tree: &mut Tree,
    steps: &[PathStep],
    value: Tree,
) -> Result<(), Misplaced> {
    let mut at = tree;
    for (done, step) in steps.iter().enumerate() {
        at = match step {
            PathStep::Item(index) => item(at, *index, &steps[..done])?,
            _ => entry(at, step).map_err(|why| (path_of(&steps[..done]), why))?,
        };
    }
    *at = value;
    Ok(())
}

fn entry<'t>(tree: &'t mut Tree, step: &PathStep) -> Result<&'t mut Tree, String> {
    match tree {
        Tree::Null => *tree = Tree::Map(Vec::new()),
        Tree::Raw(text) => *tree = raw::map(text).map_err(|error| error.to_string())?,
        _ => {}
    }
    let Tree::Map(entries) = tree else {
        return Err("is no map, and an entry of it is set".to_owned());
    };
    let at = entries.iter().position(|(key, _)| step.is(key));
    let at = at.unwrap_or_else(|| {
        let key = match step {
            PathStep::Field(field) => field.name.to_owned(),
            PathStep::Entry(key) => key.clone(),
            PathStep::Item(index) => index.to_string(),
        };
        entries.push((key, Tree::Null));
        entries.len() - 1
    });
    Ok(&mut entries[at].1)
}

fn item<'t>(
    tree: &'t mut Tree,
    index: usize,
    list: &[PathStep],
) -> Result<&'t mut Tree, Misplaced> {
    let wrong = |why: String| (path_of(list), why);
    let no_list = || wrong("is no list, and an item of it is set".to_owned());
    match tree {
        Tree::Null => *tree = Tree::Map(Vec::new()),
        Tree::Raw(text) => match raw::list(text).map_err(|error| wrong(error.to_string()))? {
            Tree::Map(_) => return Err(no_list()),
            read => *tree = read,
        },
        _ => {}
    }
    match tree {
        Tree::Seq(items) => {
            let length = items.len();
            if index > length {
                return Err(no_such_item(list, index, length));
            }
            if index == length {
                items.push(Tree::Null);
            }
            Ok(&mut items[index])
        }
        Tree::Map(_) => entry(tree, &PathStep::Entry(index.to_string())).map_err(wrong),
        _ => Err(no_list()),
    }
}

fn no_such_item(list: &[PathStep], index: usize, length: usize) -> Misplaced {
    let mut path = path_of(list);
    path.push(Seg::Index(index));
    (path, crate::layer::sublayer::no_such_item(length))
}

/// The items of a list of values, which are all of it.
pub(in crate::source) fn close_list(tree: &mut Tree, steps: &[PathStep]) -> Result<(), Misplaced> {
    let mut at = tree;
    for step in steps {
        let next = match at {
            Tree::Map(entries) => entries.iter_mut().find(|(key, _)| match step {
                PathStep::Item(index) => *key == index.to_string(),
                _ => step.is(key),
            }),
            Tree::Seq(items) => match step {
                PathStep::Item(index) => {
                    let Some(item) = items.get_mut(*index) else {
                        return Ok(());
                    };
                    at = item;
                    continue;
                }
                _ => None,
            },
            _ => None,
        };
        let Some((_, next)) = next else {
            return Ok(());
        };
        at = next;
    }
    let Tree::Map(entries) = at else {
        return Ok(());
    };
    entries.sort_by_key(|(key, _)| key.parse::<usize>().unwrap_or(usize::MAX));
    let mut numbered = entries.iter().enumerate();
    let gap = numbered.find(|(expected, (key, _))| *key != expected.to_string());
    let gap = gap.map(|(expected, (key, _))| (key.parse().unwrap_or(usize::MAX), expected));
    // What is behind a gap is no item; the others are read all the same.
    let length = gap.map_or(entries.len(), |(_, length)| length);
    let items = entries.drain(..).take(length).map(|(_, item)| item);
    *at = Tree::Seq(items.collect());
    match gap {
        Some((index, length)) => Err(no_such_item(steps, index, length)),
        None => Ok(()),
    }
}
