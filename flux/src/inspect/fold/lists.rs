//! Which layers make a list of sections, and of what its items are made.

use super::{Fold, Here};
use crate::{document::NodeContent, problem::Seg, schema::MergeRule};

impl<'a> Fold<'a> {
    /// Which layers' lists count, and which are replaced by a higher one.
    pub(super) fn lists(
        &self,
        heres: &[Here<'a>],
        merge: Option<MergeRule>,
    ) -> (Vec<Here<'a>>, Vec<Here<'a>>) {
        if merge.is_some_and(|rule| rule != MergeRule::Replace) {
            return (heres.to_vec(), Vec::new());
        }
        let from = heres.iter().rposition(|here| self.is_whole(*here));
        let (unused, used) = heres.split_at(from.unwrap_or(0));
        (used.to_vec(), unused.to_vec())
    }

    /// Whether a layer has the list as a whole, and not single items of it.
    fn is_whole(&self, here: Here<'_>) -> bool {
        let document = self.views[here.layer].document.as_ref();
        let both = document.zip(here.node);
        both.is_none_or(|(document, id)| !matches!(document.node(id).content, NodeContent::Map(_)))
    }

    /// The items of a list, with what each layer has of them.
    pub(super) fn list_items(
        &self,
        heres: &[Here<'a>],
        merge: Option<MergeRule>,
    ) -> Vec<Vec<Here<'a>>> {
        let mut all: Vec<Vec<Here<'a>>> = Vec::new();
        for here in heres {
            let own = self.own_items(*here);
            match merge {
                Some(MergeRule::Append | MergeRule::Union) => {
                    all.extend(own.into_iter().map(|(_, item)| vec![item]));
                }
                Some(MergeRule::Prepend) => {
                    let own: Vec<_> = own.into_iter().map(|(_, item)| vec![item]).collect();
                    all.splice(0..0, own);
                }
                _ => {
                    for (index, item) in own {
                        match all.get_mut(index) {
                            Some(known) => known.push(item),
                            None => all.push(vec![item]),
                        }
                    }
                }
            }
        }
        all
    }

    /// The items that a layer has, by their numbers.
    fn own_items(&self, here: Here<'a>) -> Vec<(usize, Here<'a>)> {
        let document = self.views[here.layer].document.as_ref();
        let Some((document, id)) = document.zip(here.node) else {
            return Vec::new();
        };
        let mut numbers: Vec<usize> = match &document.node(id).content {
            NodeContent::List(items) => (0..items.len()).collect(),
            _ => {
                let entries = document.entries(id).iter();
                let number = |key| document.key(key).parse().ok();
                entries.filter_map(|entry| number(entry.key)).collect()
            }
        };
        numbers.sort_unstable();
        let item = |number| Some((number, self.child(here, &Seg::Index(number), &[])?));
        numbers.into_iter().filter_map(item).collect()
    }
}
