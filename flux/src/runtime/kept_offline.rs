//! Reads the last known good configuration for a program that only looks at it: nothing is claimed, written or served.

use super::{
    last_known_good::{KeepOnDisk, KeptDefaults, KeptFile},
    spec::Spec,
};
use crate::{codec::Decoder, source::declare};

/// What the file contains.
pub(crate) struct KeptConfiguration {
    /// What messages call it.
    pub(crate) name: String,
    file: KeptFile,
}

impl KeptConfiguration {
    /// Of the program with this declaration; none where it keeps nothing, or nothing was written yet.
    pub(crate) fn read(spec: &Spec) -> Result<Option<Self>, String> {
        let Some((path, secrets)) = &spec.last_known_good else {
            return Ok(None);
        };
        let path = declare::expand(path, &Default::default())?;
        let keep = KeepOnDisk::new(path, *secrets, None)?;
        let Some(file) = keep.read(spec.options.schema.name)? else {
            return Ok(None);
        };
        let name = file.name(keep.shown());
        Ok(Some(KeptConfiguration { name, file }))
    }

    /// What a layer contained, without its secrets, and the decoder for it; none where it contained nothing. The error is a sentence.
    /// With `also_trees` also what only this decoder reads.
    pub(crate) fn document(
        &self,
        key: &str,
        also_trees: bool,
    ) -> Result<Option<(Decoder, Vec<u8>)>, String> {
        self.file.document(key, also_trees)
    }

    /// The layers that contained anything.
    pub(crate) fn with_content(&self) -> Vec<&str> {
        self.file.with_content()
    }

    /// The defaults of the program that wrote it, where it has them.
    pub(crate) fn into_defaults(self) -> Option<KeptDefaults> {
        self.file.defaults
    }
}
