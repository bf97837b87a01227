//! What a layer is called that is looked for in several places: the place where its content was found.

use super::LayerState;
use crate::engine::content::FoundPlace;
use std::sync::Arc;

impl LayerState {
    /// The document that it was observed to hold, or else the one that readers see.
    #[cfg(feature = "json")]
    pub(crate) fn document_to_take(&self) -> Option<std::sync::Arc<[u8]>> {
        let observed = self.document().cloned();
        observed.or_else(|| self.content().bytes())
    }

    /// What comes next was found in this one of its places.
    #[cold]
    pub(in crate::engine) fn found_in(&mut self, place: Arc<str>) {
        self.origin = place;
    }

    /// Where the newest content was found.
    pub(super) fn newest_place(&self) -> FoundPlace {
        let found = (!self.searched.is_empty()).then(|| Arc::clone(&self.origin));
        FoundPlace(found)
    }

    /// What reports call what was taken up (`candidate`), or what readers see.
    pub(in crate::engine) fn origin_of(&self, candidate: bool) -> &Arc<str> {
        let content = match candidate {
            true => &self.candidate,
            false => &self.accepted,
        };
        let found = content
            .as_ref()
            .and_then(|content| content.found.0.as_ref());
        found.unwrap_or(&self.origin)
    }

    /// What reports call the newest content that could be decoded; what is newer may be refused in a better place.
    pub(in crate::engine) fn newest_origin(&self) -> &Arc<str> {
        self.origin_of(self.candidate.is_some())
    }

    /// The same document was found in another place: that is no update.
    #[cold]
    pub(super) fn moved(&mut self) {
        let (newest, found) = (self.document().cloned(), self.newest_place());
        let contents = [&mut self.candidate, &mut self.accepted];
        for content in contents.into_iter().flatten() {
            if newest.is_some() && content.bytes == newest {
                content.found = found.clone();
            }
        }
    }
}
