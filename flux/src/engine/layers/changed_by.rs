//! Which layer made the change that a rule on changes refuses: not always the highest one that sets the value. Of a map that layers
//! set together one layer changed its entries, and a value can change because a layer no longer contains it.

use super::{Layers, resolve::Beside};
use crate::problem::{Flaw, Seg, What};

/// The changes that are refused, and the layers that made them.
#[derive(Default)]
pub(super) struct Changes {
    /// The newest content of these layers was refused with the others; without it, these paths are not.
    without: Vec<(usize, Vec<Vec<Seg>>)>,
}

impl Changes {
    /// The layer that changed what the problem is about; the highest one where several did.
    pub(super) fn made_by(&self, problem: &Flaw) -> Option<usize> {
        is_change(problem).then_some(())?;
        let mut layers = self.without.iter().rev();
        let (layer, _) = layers.find(|(_, paths)| !paths.contains(&problem.path))?;
        Some(*layer)
    }
}

fn is_change(problem: &Flaw) -> bool {
    matches!(problem.what, What::Rule { change: true, .. })
}

impl Layers {
    /// Builds the configuration again without the newest content of each layer in turn, where a rule on changes refuses any of
    /// `problems`.
    pub(super) fn changes(
        &mut self,
        problems: &[Flaw],
        chosen: &[bool],
        beside: &Beside<'_>,
    ) -> Changes {
        if !problems.iter().any(is_change) {
            return Changes::default();
        }
        let changed: Vec<usize> = (0..chosen.len()).filter(|at| chosen[*at]).collect();
        let mut without = Vec::with_capacity(changed.len());
        for layer in changed {
            let mut others = chosen.to_vec();
            others[layer] = false;
            let refused = self.build(&others, beside).err().unwrap_or_default();
            let paths = refused.into_iter().filter(is_change).map(|one| one.path);
            without.push((layer, paths.collect()));
        }
        Changes { without }
    }
}
