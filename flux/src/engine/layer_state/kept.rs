//! What is kept on disk in the place of a layer: that it serves, that it cannot, and whether it does.

use super::LayerState;
#[cfg(feature = "json")]
use crate::{
    engine::{content::KeptDocument, decoded::DecodedContent, value::AnyLayer},
    problem::{Flaw, ProblemKind, What},
    report::Entry,
};
#[cfg(feature = "json")]
use std::sync::Arc;

/// What is kept of a layer on disk.
#[cfg(feature = "json")]
pub(crate) struct KeptContent {
    /// None where the layer contained nothing.
    pub(crate) layer: Option<AnyLayer>,
    pub(crate) document: Option<Arc<KeptDocument>>,
}

/// Why what is kept on disk serves in the place of a layer.
#[cfg(feature = "json")]
pub(crate) struct FillReason {
    pub(crate) why: What,
    /// What reports call that which is kept, with its age.
    pub(crate) kept: String,
}

impl LayerState {
    /// The file that serves in its place; none where it is its own content that takes part, of which `candidate` is the newest.
    pub(in crate::engine) fn kept_in(&self, candidate: bool) -> Option<&str> {
        let file = self.kept_in.as_deref()?;
        let is_kept = !candidate && self.content().is_kept();
        is_kept.then_some(file)
    }

    /// What is kept of the layer on disk serves in its place; `why` where its refusal is no reason for that yet.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn fill(
        &mut self,
        kept: KeptContent,
        why: Option<FillReason>,
        file: &str,
    ) {
        self.kept_in = Some(file.to_owned());
        if let Some(FillReason { why, kept }) = why {
            let entry = Entry::new(&self.origin, Flaw::whole(why));
            self.refusal = Some(vec![entry.kept(kept)]);
        }
        self.accepted = Some(DecodedContent::kept(kept));
    }

    /// What is kept of the layer on disk cannot serve. Answers whether that is reported: where the layer is refused, and nothing
    /// comes in its place.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn cannot_fill(&mut self, why: String) -> bool {
        let Some(refusal) = &mut self.refusal else {
            return false;
        };
        let what = What::message(ProblemKind::Source, why);
        refusal.push(Entry::new(&self.origin, Flaw::whole(what)));
        true
    }
}
