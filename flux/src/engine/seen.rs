//! Which configurations code of the program has seen, so that its texts may quote their secrets.

use super::{generations::Generations, proposal::Proposal, schema::Schema, value::AnySnapshot};
use crate::report::secrets::BuiltSecrets;

/// The secrets of so many configurations before the current one are known, where they are kept.
const EARLIER: usize = 4;

/// Configurations that code of the program has seen: what readers see, and what may come.
#[derive(Default)]
pub(super) struct SeenConfigurations<'a>(pub(super) Vec<SeenConfiguration<'a>>);

/// A configuration, and what the layers made of it before the pipeline where that is known.
pub(super) struct SeenConfiguration<'a> {
    pub(super) snapshot: &'a AnySnapshot,
    pub(super) before_pipeline: Option<&'a AnySnapshot>,
}

impl<'a> SeenConfigurations<'a> {
    /// Those of an engine: what readers see, what is proposed, and what is kept of before.
    pub(super) fn of(
        current: Option<SeenConfiguration<'a>>,
        proposal: Option<&'a Proposal>,
        generations: &'a Generations,
    ) -> Self {
        let proposed = proposal.map(|proposal| SeenConfiguration {
            snapshot: &proposal.before_pipeline,
            before_pipeline: None,
        });
        let served = current.as_ref().map(|current| current.snapshot);
        let is_current = |one: &AnySnapshot| served.is_some_and(|current| current.is(one));
        let earlier = (generations.newest()).filter(|kept| !is_current(&kept.snapshot));
        let kept = earlier.take(EARLIER).map(|kept| SeenConfiguration {
            snapshot: &kept.snapshot,
            before_pipeline: Some(&kept.before_pipeline),
        });
        SeenConfigurations(current.into_iter().chain(proposed).chain(kept).collect())
    }
}

impl SeenConfigurations<'_> {
    pub(super) fn secrets(&self, schema: &'static Schema) -> Vec<BuiltSecrets> {
        let mut all = Vec::new();
        for one in &self.0 {
            let made = one.before_pipeline.filter(|made| !made.is(one.snapshot));
            all.extend(made.map(|made| schema.built_secrets(made, false)));
            all.push(schema.built_secrets(one.snapshot, made.is_some()));
        }
        all
    }
}
