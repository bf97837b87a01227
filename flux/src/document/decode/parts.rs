//! Which parts of a list or map are decoded where not all are, and what a target takes a list for.

#[derive(Debug, Clone)]
pub(crate) enum ChosenPart {
    /// The parts with these numbers.
    Only(Vec<usize>),
    /// Those from this number on.
    From(usize),
    /// All but these, in ascending order. In the place of an item of a list there is a good one.
    Without(Vec<usize>),
}

/// What a target takes a list for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    /// So many items as there are, of one type.
    Any,
    /// An array or a tuple: it knows how many items there are, and may know what each of them is.
    Tuple,
    /// A struct or a variant, or the target takes anything.
    Other,
}

impl ListKind {
    pub(super) fn is_fixed(self) -> bool {
        self != ListKind::Any
    }

    pub(super) fn is_alike(self) -> bool {
        self != ListKind::Other
    }
}

/// The parts of a list or map that are still to be decoded.
pub(super) struct Rest<'d> {
    pub(super) next: usize,
    pub(super) end: usize,
    pub(super) only: Option<&'d [usize]>,
    /// These are left out, in ascending order.
    pub(super) without: &'d [usize],
}

impl<'d> Rest<'d> {
    pub(super) fn new(part: Option<&'d ChosenPart>, end: usize) -> Self {
        match part {
            None => Rest {
                next: 0,
                end,
                only: None,
                without: &[],
            },
            Some(ChosenPart::From(next)) => Rest {
                next: *next,
                end,
                only: None,
                without: &[],
            },
            Some(ChosenPart::Without(without)) => Rest {
                next: 0,
                end,
                only: None,
                without,
            },
            Some(ChosenPart::Only(only)) => Rest {
                next: 0,
                end: only.len(),
                only: Some(only),
                without: &[],
            },
        }
    }

    /// The number of the next item, and of the one that is decoded there: in the place of an item that is left out, the first good
    /// one, so that the others keep their numbers, and a list of so many items is one.
    pub(super) fn take_item(&mut self) -> Option<(usize, usize)> {
        if self.without.is_empty() {
            return self.take().map(|index| (index, index));
        }
        let is_out = |index: &usize| self.without.binary_search(index).is_ok();
        let index = self.next;
        let from = match is_out(&index) {
            true => (0..self.end).find(|index| !is_out(index)),
            false => Some(index),
        };
        self.next = from.map_or(self.end, |_| index + 1);
        Some((index, from?)).filter(|_| index < self.end)
    }

    pub(super) fn take(&mut self) -> Option<usize> {
        while self.without.binary_search(&self.next).is_ok() {
            self.next += 1;
        }
        let next = (self.next < self.end).then_some(self.next)?;
        self.next += 1;
        match self.only {
            Some(only) => only.get(next).copied(),
            None => Some(next),
        }
    }

    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.next)
    }
}
