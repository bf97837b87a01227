//! Finds the node, and with it the line and column, to which a path leads in a document.

use super::model::{Document, NodeContent, NodeId};
use crate::problem::Seg;
use std::{cell::RefCell, collections::HashMap};

/// Finds nodes by their paths. Each map that a path leads through is indexed once, so that many paths take one pass together.
pub(crate) struct Finder<'d, 't> {
    document: &'d Document<'t>,
    maps: RefCell<HashMap<NodeId, HashMap<&'d str, NodeId>>>,
}

impl<'d, 't> Finder<'d, 't> {
    pub(crate) fn new(document: &'d Document<'t>) -> Self {
        Finder {
            document,
            maps: RefCell::default(),
        }
    }

    /// The value at a path; of a key that occurs twice, the first.
    pub(crate) fn find(&self, path: &[Seg]) -> Option<NodeId> {
        self.find_below(self.document.root(), path)
    }

    /// The value at a path below a node.
    pub(crate) fn find_below(&self, mut id: NodeId, path: &[Seg]) -> Option<NodeId> {
        for seg in path {
            id = self.step(id, seg)?;
        }
        Some(id)
    }

    /// Line and column of the value at a path; of the document as a whole there is none.
    pub(crate) fn place(&self, path: &[Seg]) -> Option<(usize, usize)> {
        let id = self.find(path).filter(|_| !path.is_empty())?;
        Some(self.document.start(id))
    }

    fn step(&self, id: NodeId, seg: &Seg) -> Option<NodeId> {
        let id = self.document.resolved(id);
        match (&self.document.node(id).content, seg) {
            (NodeContent::List(items), Seg::Index(index)) => items.get(*index).copied(),
            (NodeContent::Map(_), Seg::Key(key)) => self.entry(id, key),
            // Variables may set items by their numbers.
            (NodeContent::Map(_), Seg::Index(index)) => self.entry(id, &index.to_string()),
            _ => None,
        }
    }

    fn entry(&self, map: NodeId, key: &str) -> Option<NodeId> {
        let mut maps = self.maps.borrow_mut();
        let map = maps.entry(map).or_insert_with(|| self.index(map));
        map.get(key).copied()
    }

    fn index(&self, id: NodeId) -> HashMap<&'d str, NodeId> {
        let document = self.document;
        // From the last to the first, so that the first is kept.
        let entries = document.entries(id).iter().rev();
        entries
            .map(|entry| (document.key(entry.key), entry.value))
            .collect()
    }
}
