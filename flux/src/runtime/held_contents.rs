//! Which content a start would not apply, since processes died with it: what the record of trials on disk says of it to
//! those who judge documents.

use super::{disk, last_known_good::KeepOnDisk, spec::Spec, trial_file};
use crate::{
    codec::{self, Decoder},
    engine::{self, Fingerprint, LayerState, Schema, TrialRecord},
    schema::Field,
    source::declare,
};
use std::time::SystemTime;

/// Content in quarantine.
#[derive(Clone)]
pub(crate) struct HeldContents {
    record: TrialRecord,
}

impl HeldContents {
    /// Of the program with this declaration; none where nothing is in quarantine, or its record cannot be read, which a start reports.
    pub(crate) fn of(spec: &Spec) -> Option<Self> {
        let (path, secrets) = spec.last_known_good.as_ref()?;
        if spec.trial.is_none() && spec.options.probation.is_none() {
            return None;
        }
        let path = declare::expand(path, &Default::default()).ok()?;
        let keep = KeepOnDisk::new(path, *secrets, None).ok()?;
        HeldContents::read(&keep, spec.options.schema.name)
    }

    /// Of a program that keeps its configuration there.
    pub(super) fn read(keep: &KeepOnDisk, config: &str) -> Option<Self> {
        let path = trial_file::beside(keep.path());
        let bytes = disk::read(&path, trial_file::LARGEST_OF_FOLDERS).ok()??;
        let record = trial_file::parse(config, &bytes)?.record;
        record.in_quarantine().next()?;
        // Beside another last known good file a start does not use it.
        let kept = keep.read(config).ok().flatten();
        let is_used = kept
            .and_then(|kept| kept.key)
            .is_none_or(|key| key == record.key);
        is_used.then_some(HeldContents { record })
    }

    /// Why each of these layers would not be given the document that it is about to take up, or has.
    pub(crate) fn each(&self, schema: &Schema, states: &[LayerState]) -> Vec<Option<String>> {
        let why = |(state, key): (&LayerState, String)| {
            let document = state.document_to_take()?;
            self.why((schema.fields)(), &key, state.decoder.as_ref()?, &document)
        };
        let keys = engine::keys_of(states).into_iter();
        states.iter().zip(keys).map(why).collect()
    }

    fn why(
        &self,
        fields: &'static [Field],
        key: &str,
        decoder: &Decoder,
        document: &[u8],
    ) -> Option<String> {
        let now = SystemTime::now();
        let held = || {
            let held = self.record.in_quarantine();
            held.filter(|one| one.layer == key && one.until > now)
        };
        held().next()?;
        let by_bytes = Fingerprint::of(self.record.key, Some(document));
        let by_values = codec::values(fields, decoder, document)
            .map(|values| Fingerprint::of_values(self.record.key, &values));
        let is = |print: Fingerprint| print == by_bytes || Some(print) == by_values;
        let found = held().find(|one| is(one.fingerprint))?;
        Some(found.sentence())
    }
}
