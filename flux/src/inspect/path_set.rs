//! Whether a path overlaps one of a set of paths.

use crate::problem::Seg;
use std::collections::HashSet;

/// Paths. What is asked costs the length of the path, however many there are.
#[derive(Default)]
pub(super) struct PathSet {
    paths: HashSet<Vec<Seg>>,
    /// What each of them is below.
    above: HashSet<Vec<Seg>>,
}

impl PathSet {
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether one of them is the path, is below it, or contains it.
    pub(super) fn overlaps(&self, path: &[Seg]) -> bool {
        let is_in = || (0..=path.len()).any(|end| self.paths.contains(&path[..end]));
        !self.paths.is_empty() && (self.above.contains(path) || is_in())
    }
}

impl<P: Into<Vec<Seg>>> FromIterator<P> for PathSet {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        let mut set = PathSet::default();
        for path in paths {
            let path = path.into();
            for end in 0..path.len() {
                if !set.above.contains(&path[..end]) {
                    set.above.insert(path[..end].to_vec());
                }
            }
            set.paths.insert(path);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> impl Strategy<Value = Vec<Seg>> {
        let step = prop_oneof![
            (0_usize..3).prop_map(Seg::Index),
            "[ab]".prop_map(|key| Seg::Key(key.into()))
        ];
        prop::collection::vec(step, 0..4)
    }

    proptest! {
        #[test]
        fn it_overlaps_what_one_of_the_paths_overlaps(
            paths in prop::collection::vec(path(), 0..5),
            asked in path(),
        ) {
            let one = |known: &Vec<Seg>| known.starts_with(&asked) || asked.starts_with(known);
            let any = paths.iter().any(one);
            prop_assert_eq!(paths.into_iter().collect::<PathSet>().overlaps(&asked), any);
        }
    }
}
