//! What a running program notes beside its answers: that there is, or may be, something newer than what runs.

use crate::{
    engine::{LayerStatus, Status},
    problem::escaped,
    source::Health,
};

/// Why what runs is not, or may not be, the newest that there is.
pub(super) fn standing_notes(status: &Status) -> Vec<String> {
    let is_stale = |layer: &&LayerStatus| matches!(layer.health, Health::Stale { .. });
    let stale = status.layers.iter().filter(is_stale).map(|layer| {
        let layer = layer.to_string();
        let layer = escaped(&layer);
        format!("{layer}; what it holds now is not known, and this is about what was read before")
    });
    let pinned = status.pinned.then(|| {
        let generation = status.generation;
        format!("pinned at generation {generation}: what is newer waits until it is unpinned")
    });
    let refused = status.layers.iter().filter(|layer| layer.refused);
    let names: Vec<_> = refused.map(|layer| escaped(&layer.origin)).collect();
    let refused = (!names.is_empty()).then(|| {
        format!(
            "the newest content of {} is refused, and this is about what runs, with the lines of before; `status` has the reason",
            names.join(", ")
        )
    });
    stale.chain(pinned).chain(refused).collect()
}
