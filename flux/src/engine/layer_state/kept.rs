//! What is kept on disk in the place of a layer: that it serves, that it cannot, and whether it does.

use super::LayerState;
#[cfg(feature = "json")]
use crate::{
    engine::{content::KeptDocument, decoded::DecodedContent, value::AnyLayer},
    problem::{Flaw, ProblemKind, Seg, What},
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
    /// Where the layer had secrets, which are not kept.
    pub(crate) secrets: Vec<Vec<Seg>>,
}

/// Why what is kept on disk serves in the place of a layer; none where the layer's refusal is the reason.
#[cfg(feature = "json")]
pub(crate) struct FillReason {
    pub(crate) why: Option<What>,
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

    /// Whether its source has answered, and no update has taken that up yet.
    #[cfg(feature = "json")]
    pub(crate) fn has_newer(&self) -> bool {
        self.pending.is_some()
    }

    /// Where it had secrets that are not kept.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn kept_secrets(&self) -> &[Vec<Seg>] {
        &self.kept_secrets
    }

    /// What is kept of the layer on disk serves in its place.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn fill(
        &mut self,
        mut kept: KeptContent,
        reason: FillReason,
        file: &str,
    ) {
        self.kept_in = Some(file.to_owned());
        self.kept_secrets = std::mem::take(&mut kept.secrets);
        match (reason.why, &mut self.refusal) {
            (Some(why), refusal) => {
                let entry = Entry::new(&self.origin, Flaw::whole(why));
                *refusal = Some(vec![entry.kept(reason.kept)]);
            }
            (None, Some(entries)) if !entries.is_empty() => {
                let first = entries.remove(0);
                entries.insert(0, first.kept(reason.kept));
            }
            (None, _) => {}
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
