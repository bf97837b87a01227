//! The numbers of the layers where some have come or gone: what is kept by the old ones follows.

use super::content::LayerContent;
use std::sync::Arc;

/// How the numbers of the layers have changed.
pub(crate) struct Renumbered {
    /// Of each layer there is now, the number it had; none where it is new.
    before: Vec<Option<usize>>,
    /// Of each layer there was, its number now; none where it is gone.
    now: Vec<Option<usize>>,
}

impl Renumbered {
    /// Of so many layers, behind each of these numbers a new one more.
    pub(crate) fn behind(numbers: &[usize], count: usize) -> Self {
        let mut before = Vec::new();
        for number in 0..count {
            before.push(Some(number));
            let new = numbers.iter().filter(|behind| **behind == number);
            before.extend(new.map(|_| None));
        }
        Renumbered::of(before, count)
    }

    pub(super) fn of(before: Vec<Option<usize>>, count: usize) -> Self {
        let mut now = vec![None; count];
        for (number, before) in before.iter().enumerate() {
            if let Some(before) = before {
                now[*before] = Some(number);
            }
        }
        Renumbered { before, now }
    }

    /// The number of the layer that had this one.
    pub(crate) fn now(&self, before: usize) -> Option<usize> {
        self.now.get(before).copied().flatten()
    }

    /// The layers that are new.
    pub(super) fn new_ones(&self) -> impl Iterator<Item = usize> {
        let all = self.before.iter().enumerate();
        all.filter_map(|(number, before)| before.is_none().then_some(number))
    }

    /// One thing for each layer; `new` is that of a layer that is new.
    pub(crate) fn each<T: Clone>(&self, old: &[T], new: &T) -> Vec<T> {
        let one = |before: &Option<usize>| before.and_then(|before| old.get(before));
        let all = self.before.iter();
        all.map(|before| one(before).unwrap_or(new).clone())
            .collect()
    }

    /// What the layers contained; none where that is not known of any.
    pub(crate) fn contents(&self, old: &Arc<[LayerContent]>) -> Arc<[LayerContent]> {
        match old.is_empty() {
            true => Arc::clone(old),
            false => self.each(old, &LayerContent::Silent(None)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::content::KeptPart, *};

    #[test]
    fn what_is_known_by_a_number_follows_it() {
        let numbers = Renumbered::behind(&[0, 2, 2], 3);
        assert_eq!(
            numbers
                .each(&['a', 'b', 'c'], &'-')
                .iter()
                .collect::<String>(),
            "a-bc--"
        );
        let now = [0, 1, 2, 3].map(|number| numbers.now(number));
        assert_eq!(now, [Some(0), Some(2), Some(3), None]);
        assert_eq!(numbers.new_ones().collect::<Vec<_>>(), [1, 4, 5]);
        let gone = Renumbered::of(vec![Some(0), None, Some(2)], 3);
        assert_eq!(gone.now(1), None);
        assert_eq!(gone.each(&['a', 'b', 'c'], &'-'), ['a', '-', 'c']);
    }

    #[test]
    fn what_the_layers_contained_before_anything_is_known_stays_unknown() {
        let numbers = Renumbered::behind(&[0], 1);
        assert!(numbers.contents(&Arc::from([])).is_empty());
        let known = numbers.contents(&Arc::from([LayerContent::Kept(KeptPart::Nothing)]));
        assert_eq!(
            *known,
            [
                LayerContent::Kept(KeptPart::Nothing),
                LayerContent::Silent(None)
            ]
        );
    }
}
