//! Collects the broken rules and missing values of a configuration with their paths; how many are kept, and the rest counted.

use super::{Flaw, MOST_PATH_BYTES, Seg, What};
use std::borrow::Cow;

/// The path in the struct that the generated code is at, and what it found wrong so far.
#[derive(Debug, Default)]
pub struct Cx {
    path: Vec<Seg>,
    problems: Vec<Flaw>,
    /// How many more there are.
    more: usize,
    /// How many bytes of keys were copied into paths.
    copied: usize,
    /// Only the rules of the items of these lists and maps are asked.
    items_of: Option<Box<ItemsOf>>,
}

/// The paths of lists and maps of which some parts could not be read.
#[derive(Debug)]
pub(crate) struct ItemsOf(pub(crate) Vec<Vec<Seg>>);

/// More problems than this are counted, and not kept.
pub(crate) const MOST_PROBLEMS: usize = 500;

impl Cx {
    /// Only the rules of the items of these lists and maps are asked: the values around them are not what they would be.
    pub(crate) fn of_items(items_of: ItemsOf) -> Self {
        Cx {
            items_of: Some(Box::new(items_of)),
            ..Cx::default()
        }
    }

    /// Whether the program's own rule on the field `name` of the current section, or on an item, is to be asked.
    #[inline]
    pub(crate) fn asks(&self, name: &str) -> bool {
        match &self.items_of {
            None => true,
            Some(all) => self.is_inside(&all.0, name),
        }
    }

    #[cold]
    fn is_inside(&self, all: &[Vec<Seg>], name: &str) -> bool {
        // The key of a map's entry is not known while its rules are asked.
        let same = |(here, of): (&Seg, &Seg)| here == of || *here == Seg::Key("".into());
        let steps = self.path.len() + usize::from(!name.is_empty());
        let is_of = |of: &Vec<Seg>| steps > of.len() && self.path.iter().zip(of).all(same);
        all.iter().any(is_of)
    }

    /// Whether a rule on a whole struct is to be asked.
    #[inline]
    pub(crate) fn asks_structs(&self) -> bool {
        self.items_of.is_none()
    }

    /// Everything found so far. An item of a set has no place in it.
    pub(crate) fn into_item_problems(self) -> Vec<Flaw> {
        self.problems
    }

    /// Everything found so far.
    pub(crate) fn into_problems(mut self) -> Vec<Flaw> {
        if self.more > 0 {
            self.problems.push(Flaw {
                path: Vec::new(),
                what: What::More(self.more),
            });
        }
        self.problems
    }

    /// Whether the next problem is counted only: nothing need be reported of it.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// Counts a problem that is not kept.
    #[cold]
    pub(crate) fn count_more(&mut self) {
        self.more += 1;
    }

    /// How many problems are known so far.
    #[inline]
    pub(crate) fn known(&self) -> usize {
        self.problems.len()
    }

    /// Records a problem at the field `name` of the current section; an empty name is the section itself.
    #[cold]
    #[inline(never)]
    pub(crate) fn problem(&mut self, name: &'static str, what: What) {
        if self.is_full() {
            return self.count_more();
        }
        let mut path = self.path.clone();
        if !name.is_empty() {
            path.push(Seg::Key(name.into()));
        }
        if self.items_of.is_none() {
            path.retain(|seg| !seg.is_set_item());
        }
        self.problems.push(Flaw { path, what });
    }

    /// Records a problem this far below the current section.
    #[cold]
    pub(crate) fn problem_below(&mut self, below: Vec<Seg>, what: What) {
        match what {
            What::More(more) => {
                self.more += more;
                return;
            }
            _ if self.is_full() => return self.count_more(),
            _ => {}
        }
        let path = [self.path.as_slice(), &below].concat();
        self.problems.push(Flaw { path, what });
    }

    /// Runs `go` one step further down.
    #[inline]
    pub(crate) fn within<T>(&mut self, seg: Seg, go: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(seg);
        let result = go(self);
        self.path.pop();
        result
    }

    /// Runs `go` under a map's key, which is copied only if something is wrong there.
    pub(crate) fn under<T>(&mut self, key: &str, go: impl FnOnce(&mut Self) -> T) -> T {
        self.in_map(|cx| {
            let known = cx.problems.len();
            let result = go(cx);
            cx.name(known, || Cow::Borrowed(key));
            result
        })
    }

    /// Runs `go` over the entries of a map. What goes wrong in one of them gets its key afterwards, from [`name`](Cx::name).
    #[inline]
    pub(crate) fn in_map<T>(&mut self, go: impl FnOnce(&mut Self) -> T) -> T {
        self.within(Seg::Key(Cow::Borrowed("")), go)
    }

    /// Names the entry in which all problems but the first `known` are.
    #[inline]
    pub(crate) fn name<'k>(&mut self, known: usize, key: impl FnOnce() -> Cow<'k, str>) {
        if self.problems.len() > known {
            self.name_anew(known, &key());
        }
    }

    /// Of an entry whose paths would have more copies of its key than there is room for, one problem is kept, and the others are
    /// counted.
    #[cold]
    fn name_anew(&mut self, known: usize, key: &str) {
        let depth = self.path.len() - 1;
        let room = MOST_PATH_BYTES.saturating_sub(self.copied) / key.len().max(1);
        let kept = (self.problems.len() - known).min(room.max(1));
        self.more += self.problems.len() - known - kept;
        self.problems.truncate(known + kept);
        self.copied += kept * key.len();
        for problem in &mut self.problems[known..] {
            problem.path[depth] = Seg::Key(Cow::Owned(key.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_problems_than_a_report_has_room_for_are_counted() {
        let mut cx = Cx::default();
        for _ in 0..MOST_PROBLEMS + 7 {
            cx.problem("port", What::Missing);
        }
        cx.problem_below(Vec::new(), What::More(3));
        let problems = cx.into_problems();
        assert_eq!(problems.len(), MOST_PROBLEMS + 1);
        assert_eq!(problems[MOST_PROBLEMS].what, What::More(10));
    }

    #[test]
    fn problems_below_a_long_key_are_counted_once_their_paths_fill_a_mebibyte() {
        let mut cx = Cx::default();
        for key in ["k".repeat(MOST_PATH_BYTES / 4), "short".to_owned()] {
            cx.under(&key, |cx| {
                for index in 0..100 {
                    cx.within(Seg::Index(index), |cx| cx.problem("max", What::Missing));
                }
            });
        }
        let problems = cx.into_problems();
        let keys = problems.iter().filter_map(|problem| problem.path.first());
        let is_short = |key: &&Seg| **key == Seg::Key("short".into());
        assert_eq!(keys.clone().filter(|key| !is_short(key)).count(), 4);
        assert_eq!(keys.filter(is_short).count(), 1);
        assert_eq!(problems[5].what, What::More(195));
    }
}
