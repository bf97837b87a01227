//! Which settings differ between two configurations that were judged.

use super::Checked;
use crate::inspect::planned::PlannedChange;

impl Checked {
    /// What would change if `other` were applied in the place of this one. Rules on changes are not asked, and secrets are not
    /// compared.
    pub fn changes_to(&self, other: &Checked) -> Vec<PlannedChange> {
        let old = (self.answers(), &self.status);
        PlannedChange::between(old, (other.answers(), &other.status))
    }
}
