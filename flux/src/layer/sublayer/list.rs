//! The layer of a list of sections: a whole list, or single items by their numbers, laid over those of the list below.

use super::{Sublayer, not_null};
use crate::layer::{
    Presence,
    decode::{kept, take_numbered},
};
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, Error, Visitor},
};
use std::{collections::BTreeMap, fmt};

/// The layer of a list of something nested.
#[derive(Debug, Clone)]
pub struct List<L> {
    /// The list, where a layer has it as a whole.
    pub(crate) items: Vec<L>,
    /// Where a layer only has single items, by their numbers: they are laid over those of the list below.
    pub(crate) single: Option<BTreeMap<usize, L>>,
    /// The lowest number of a single item that is neither in the list below nor the next one.
    pub(crate) beyond: Option<Beyond>,
}

/// A single item that would leave others out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beyond {
    pub(crate) index: usize,
    /// How many items there are before it.
    pub(crate) length: usize,
}

impl<L> Default for List<L> {
    fn default() -> Self {
        List {
            items: Vec::new(),
            single: None,
            beyond: None,
        }
    }
}

impl<L: Sublayer> List<L> {
    /// Decodes the items; how many the document has, whether they are good or not.
    fn items<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<usize, D::Error> {
        d.deserialize_seq(self)
    }

    #[cold]
    fn lay_single(&mut self, single: &BTreeMap<usize, L>) {
        let Some(below) = &mut self.single else {
            return self.set(single);
        };
        for (index, item) in single {
            match below.get_mut(index) {
                Some(below) => below.lay_over(item),
                None => {
                    below.insert(*index, item.clone());
                }
            }
        }
    }

    fn set(&mut self, single: &BTreeMap<usize, L>) {
        for (index, item) in single {
            let length = self.items.len();
            match self.items.get_mut(*index) {
                Some(below) => below.lay_over(item),
                None if *index == length => self.items.push(item.clone()),
                None => {
                    let index = *index;
                    self.beyond.get_or_insert(Beyond { index, length });
                }
            }
        }
    }

    /// Single items with no list below are the list.
    pub(crate) fn close(&mut self) {
        if let Some(single) = self.single.take() {
            self.set(&single);
        }
    }
}

/// What is wrong with a single item that would leave others out.
#[cold]
pub(crate) fn no_such_item(length: usize) -> String {
    format!(
        "there is no such item: items are counted from 0 and there are {length}, so the next one is item {length}"
    )
}

impl<L: Sublayer> Sublayer for List<L> {
    const EXPECTED: &'static str = "a list of sections";
    fn null<E: Error>(_: &mut Option<Self>) -> Result<(), E> {
        Err(not_null::<Self, E>())
    }
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        self.items(d)?;
        Ok(())
    }
    fn lay_over(&mut self, top: &Self) {
        match &top.single {
            None => self.clone_from(top),
            Some(single) => self.lay_single(single),
        }
    }
    fn presence(&self) -> Presence<'_> {
        Presence::Parts(self)
    }
}

impl<'de, L: Sublayer> Visitor<'de> for &mut List<L> {
    type Value = usize;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(List::<L>::EXPECTED)
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while items.next_element_seed(Item(&mut self.items))?.is_some() {
            count += 1;
        }
        Ok(count)
    }
    /// Single items, as variables set them.
    fn visit_map<A: de::MapAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        if !take_numbered() {
            return Err(A::Error::invalid_type(de::Unexpected::Map, &self));
        }
        let single = self.single.get_or_insert_with(BTreeMap::new);
        while let Some(index) = items.next_key::<usize>()? {
            let mut item = Vec::with_capacity(1);
            items.next_value_seed(Item(&mut item))?;
            if let Some(item) = item.pop() {
                single.insert(index, item);
            }
        }
        Ok(single.len())
    }
}

/// An item whose problem does not hide the next one's.
struct Item<'a, L>(&'a mut Vec<L>);

impl<'de, L: Sublayer> DeserializeSeed<'de> for Item<'_, L> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        let at = self.0.len();
        self.0.push(L::default());
        // Where the problem was collected, the item keeps its place, so that the next ones keep theirs.
        kept(self.0[at].put_item(d))?;
        Ok(())
    }
}

/// The layer of a list of so many.
#[derive(Debug, Clone)]
pub struct Array<L, const N: usize>(pub List<L>);

impl<L, const N: usize> Default for Array<L, N> {
    fn default() -> Self {
        Array(List::default())
    }
}

impl<L: Sublayer, const N: usize> Sublayer for Array<L, N> {
    const EXPECTED: &'static str = List::<L>::EXPECTED;
    fn null<E: Error>(_: &mut Option<Self>) -> Result<(), E> {
        Err(not_null::<Self, E>())
    }
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        match self.0.items(d)? {
            count if count == N || self.0.single.is_some() => Ok(()),
            count => {
                let plural = if N == 1 { "" } else { "s" };
                let expected = format!("a list of {N} section{plural}");
                Err(D::Error::invalid_length(count, &expected.as_str()))
            }
        }
    }
    fn lay_over(&mut self, top: &Self) {
        self.0.lay_over(&top.0);
    }
    fn presence(&self) -> Presence<'_> {
        Presence::Parts(&self.0)
    }
}
