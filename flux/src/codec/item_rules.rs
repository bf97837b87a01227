//! That the rules of items and entries (`each`) are asked of a list or map of which some could not be read.

use super::partial_layer::FillLayer;
use crate::{
    document::{ChosenPart, Document, Finder, NodeId},
    problem::{
        Cx, Flaw, ItemsOf, ProblemKind, Seg, caught,
        collect_errors::{AllCaught, Caught, MOST, NodeStep},
    },
    schema::{self, Field},
};
use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

/// What is left out of a document so that the rest of its lists and maps can be read.
pub(super) struct LeftOut<K> {
    pub(super) parts: HashMap<K, ChosenPart>,
    /// By the paths without aliases.
    leaves: HashMap<Vec<Seg>, PartialLeaf>,
}

/// A list or map of which some parts cannot be read.
struct PartialLeaf {
    node: Option<NodeId>,
    /// The paths in it that are left out.
    out: Vec<Vec<Seg>>,
}

impl<K: Hash + Eq> LeftOut<K> {
    /// None where nothing can be left out, or where a report has no room for more. `container` is the list or map in which a path
    /// is after so many steps.
    pub(super) fn of(
        fields: &'static [Field],
        document: Option<&Document<'_>>,
        all: &AllCaught,
        container: impl Fn(&Caught, usize) -> K,
    ) -> Option<Self> {
        let mut out = LeftOut {
            parts: HashMap::new(),
            leaves: HashMap::new(),
        };
        if all.caught.len() >= MOST || all.more > 0 {
            return None;
        }
        for caught in &all.caught {
            let Caught { steps, leaf, .. } = caught;
            let path = &caught.problem.path;
            if steps.len() <= *leaf || path.len() != steps.len() {
                continue;
            }
            // A struct, or what may be one, is left out as a whole: without a part of it, it would be another one.
            let other = steps.iter().skip(*leaf).position(|step| !step.alike);
            let end = other.map_or(steps.len(), |other| leaf + other);
            let Some(last) = steps[..end].last().filter(|_| end > *leaf) else {
                continue;
            };
            let own = schema::with_own_names(fields, &path[..*leaf]);
            if !schema::has_item_rules(fields, &own) {
                continue;
            }
            let node = |step: &NodeStep| document.map(|document| document.id(step.node));
            let found = out.leaves.entry(own).or_insert_with(|| PartialLeaf {
                node: leaf.checked_sub(1).and_then(|at| node(&steps[at])),
                out: Vec::new(),
            });
            found.out.push(path[*leaf..end].to_vec());
            match out.parts.entry(container(caught, end - 1)) {
                Entry::Vacant(slot) => drop(slot.insert(ChosenPart::Without(vec![last.index]))),
                Entry::Occupied(mut slot) => {
                    if let ChosenPart::Without(known) = slot.get_mut()
                        && let Err(at) = known.binary_search(&last.index)
                    {
                        known.insert(at, last.index);
                    }
                }
            }
        }
        (!out.leaves.is_empty()).then_some(out)
    }

    /// Adds the broken rules of what was read without these parts.
    pub(super) fn ask(
        self,
        document: Option<&Document<'_>>,
        into: &mut dyn FillLayer,
        all: &mut AllCaught,
    ) {
        let mut cx = Cx::of_items(ItemsOf(self.leaves.keys().cloned().collect()));
        // What panics here panics where the value can be read.
        if caught(|| into.ask_rules(&mut cx)).is_err() {
            return;
        }
        let finder = document.map(Finder::new);
        for flaw in cx.into_item_problems() {
            if let Some(caught) = self.placed(flaw, finder.as_ref()) {
                all.caught.push(caught);
            }
        }
    }

    /// The problem with its place, where it is one of an item that could be read.
    fn placed(&self, mut flaw: Flaw, finder: Option<&Finder<'_, '_>>) -> Option<Caught> {
        if !matches!(flaw.what.kind(), ProblemKind::Rule | ProblemKind::Panic) {
            return None;
        }
        let path = std::mem::take(&mut flaw.path);
        let mut depths = (0..path.len()).rev();
        let (depth, leaf) =
            depths.find_map(|depth| Some((depth, self.leaves.get(&path[..depth])?)))?;
        let item = &path[depth..];
        // What contains a part that is left out is not what it would be with it.
        let is_out = |out: &Vec<Seg>| out.starts_with(item) || item.starts_with(out);
        if leaf.out.iter().any(is_out) {
            return None;
        }
        let shown: Vec<Seg> = (item.iter().filter(|seg| !seg.is_set_item()))
            .cloned()
            .collect();
        let mut steps = Vec::new();
        if let (Some(finder), Some(node)) = (finder, leaf.node) {
            // A key that is spelt otherwise in the document may be that of what is left out.
            let node = finder.find_below(node, &shown)?.number();
            steps.push(NodeStep {
                node,
                index: 0,
                fixed: false,
                alike: false,
            });
        }
        flaw.path = [&path[..depth], &shown].concat();
        Some(Caught {
            problem: flaw,
            steps,
            leaf: 0,
        })
    }
}
