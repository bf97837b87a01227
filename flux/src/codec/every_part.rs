//! The bad parts of what is decoded as a whole.

use crate::{
    document::{ChosenPart, tree::TreeError},
    problem::collect_errors::{AllCaught, Caught, MOST},
};
use std::{collections::HashMap, hash::Hash};

/// What is decoded as a whole fails at its first bad part. The rest of it is decoded again, without the parts that are known to be
/// good or bad, until nothing new is found. `container` is the list or map in which a path is after so many steps.
pub(super) fn every_part<K: Hash + Eq>(
    container: impl Fn(&Caught, usize) -> K,
    mut decode: impl FnMut(&HashMap<K, ChosenPart>) -> (Result<(), TreeError>, AllCaught),
) -> (Result<(), TreeError>, AllCaught) {
    let (result, mut all) = decode(&HashMap::new());
    let mut begin = 0;
    while begin < all.caught.len() && all.caught.len() < MOST {
        let parts = rest(&container, &all.caught[begin..]);
        if parts.is_empty() {
            break;
        }
        begin = all.caught.len();
        let (_, again) = decode(&parts);
        for caught in again.caught {
            if caught.steps.is_empty() {
                continue;
            }
            // A list without its bad items may be wrong because it is without them.
            let itself = container(&caught, caught.steps.len());
            let known = |other: &Caught| other.problem.path == caught.problem.path;
            if !parts.contains_key(&itself) && !all.caught.iter().any(known) {
                all.caught.push(caught);
            }
        }
    }
    (result, all)
}

/// What follows the parts that failed.
fn rest<K: Hash + Eq>(
    container: impl Fn(&Caught, usize) -> K,
    failed: &[Caught],
) -> HashMap<K, ChosenPart> {
    let mut parts = HashMap::new();
    for caught in failed {
        let Caught { steps, leaf, .. } = caught;
        // A list whose items have types of their own fails as a whole.
        let fixed = steps.iter().skip(*leaf).position(|step| step.fixed);
        let end = fixed.map_or(steps.len(), |fixed| leaf + fixed);
        if end <= *leaf {
            continue;
        }
        for (depth, step) in steps[..end].iter().enumerate() {
            let from = match depth {
                depth if depth + 1 == end => ChosenPart::From(step.index + 1),
                depth if depth >= *leaf => ChosenPart::From(step.index),
                _ => ChosenPart::Only(vec![step.index]),
            };
            let container = container(caught, depth);
            match (parts.get_mut(&container), from) {
                (Some(ChosenPart::Only(known)), ChosenPart::Only(more)) => {
                    if !known.contains(&more[0]) {
                        known.extend(more);
                    }
                }
                (_, from) => drop(parts.insert(container, from)),
            }
        }
    }
    for part in parts.values_mut() {
        if let ChosenPart::Only(only) = part {
            only.sort_unstable();
        }
    }
    parts
}
