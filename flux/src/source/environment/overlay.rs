//! What results where a variable sets one entry or item, and another one the whole map or list.

use super::step::{PathStep, path_of};
use crate::{
    document::{raw, tree::Tree},
    problem::Seg,
};
use std::collections::HashMap;

/// Why a text could not be put where it belongs: the place, and a sentence.
pub(in crate::source) type Misplaced = (Vec<Seg>, String);

/// One tree of the texts of variables or arguments.
///
/// Entries of one map come one after the other where paths come in their order: the keys of the maps on the way to the last one are
/// kept in tables, so that a map of many entries is not searched for each of them.
pub(in crate::source) struct Overlay<'t> {
    tree: &'t mut Tree,
    last: Vec<PathStep>,
    /// Of the map at so many steps of `last`, where each key is.
    tables: Vec<KeyTable>,
}

/// Where each key of a map is.
#[derive(Default)]
struct KeyTable {
    places: HashMap<String, usize>,
    /// How many entries of the map are in it.
    looked: usize,
}

impl<'t> Overlay<'t> {
    pub(in crate::source) fn new(tree: &'t mut Tree) -> Self {
        Overlay {
            tree,
            last: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// Puts a value at the end of the steps. Items of a list that has no variable of its own are kept in a map, by their numbers.
    pub(in crate::source) fn put(
        &mut self,
        steps: &[PathStep],
        value: Tree,
    ) -> Result<(), Misplaced> {
        let same = self
            .last
            .iter()
            .zip(steps)
            .take_while(|(a, b)| a.is_same(b));
        let same = same.count();
        // What is replaced has other keys.
        self.tables.truncate((same + 1).min(steps.len()));
        self.last.clear();
        self.last.extend_from_slice(steps);
        let mut at = &mut *self.tree;
        for (done, step) in steps.iter().enumerate() {
            if self.tables.len() <= done {
                self.tables.push(KeyTable::default());
            }
            let table = &mut self.tables[done];
            at = match step {
                PathStep::Item(index) => item(at, *index, &steps[..done], table)?,
                _ => entry(at, step, table).map_err(|why| (path_of(&steps[..done]), why))?,
            };
        }
        *at = value;
        Ok(())
    }
}

fn entry<'t>(
    tree: &'t mut Tree,
    step: &PathStep,
    table: &mut KeyTable,
) -> Result<&'t mut Tree, String> {
    match tree {
        Tree::Null => *tree = Tree::Map(Vec::new()),
        Tree::Raw(text) => *tree = raw::map(text).map_err(|error| error.to_string())?,
        _ => {}
    }
    let Tree::Map(entries) = tree else {
        return Err("is no map, and an entry of it is set".to_owned());
    };
    let key = match step {
        // It has few names, and each is looked for.
        PathStep::Field(field) => {
            let known = entries.iter().position(|(key, _)| field.is(key));
            let known = known.unwrap_or_else(|| {
                entries.push((field.name.to_owned(), Tree::Null));
                entries.len() - 1
            });
            return Ok(&mut entries[known].1);
        }
        PathStep::Entry(key) => key.clone(),
        PathStep::Item(index) => index.to_string(),
    };
    for (place, (key, _)) in entries.iter().enumerate().skip(table.looked) {
        table.places.entry(key.clone()).or_insert(place);
    }
    let place = *table.places.entry(key).or_insert_with_key(|key| {
        entries.push((key.clone(), Tree::Null));
        entries.len() - 1
    });
    table.looked = entries.len();
    Ok(&mut entries[place].1)
}

fn item<'t>(
    tree: &'t mut Tree,
    index: usize,
    list: &[PathStep],
    table: &mut KeyTable,
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
        Tree::Map(_) => entry(tree, &PathStep::Item(index), table).map_err(wrong),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step() -> impl Strategy<Value = PathStep> {
        prop_oneof![
            (0_usize..4).prop_map(PathStep::Item),
            "[a-c]".prop_map(PathStep::Entry),
        ]
    }

    /// A text that is a map, one that is a list, one that names a key twice, and one that is neither.
    fn value() -> impl Strategy<Value = Tree> {
        let texts = [
            r#"{"a": {"b": 1}, "c": 2}"#,
            "[1, [2, 3]]",
            r#"{"a": 1, "a": 2, "b": 3}"#,
            "7",
        ];
        proptest::sample::select(texts.to_vec()).prop_map(|text| Tree::Raw(text.to_owned()))
    }

    proptest! {
        /// In any order, what is known of the maps on the way is what they contain.
        #[test]
        fn many_values_are_laid_as_one_after_the_other(
            values in prop::collection::vec((prop::collection::vec(step(), 1..4), value()), 0..24),
            in_order in any::<bool>(),
        ) {
            let mut values = values;
            if in_order {
                values.sort_by_cached_key(|(steps, _)| path_of(steps));
            }
            let (mut one_by_one, mut together) = (Tree::Null, Tree::Null);
            let mut overlay = Overlay::new(&mut together);
            for (steps, value) in values {
                let alone = Overlay::new(&mut one_by_one).put(&steps, value.clone());
                prop_assert_eq!(overlay.put(&steps, value), alone);
            }
            prop_assert_eq!(format!("{together:?}"), format!("{one_by_one:?}"));
        }
    }
}
