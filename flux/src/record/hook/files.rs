//! What is recorded of a source of several files: the document that holds them all, with the secrets of each left out as those of a layer
//! of its own.

use super::RecordedStart;
use crate::{
    record::line::RecordedObservation,
    source::{
        Content,
        drop_ins::{DropInLayers, files_of, written},
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// What was recorded last of one file.
pub(super) struct RecordedFile {
    bytes: Arc<[u8]>,
    printed: String,
    note: Option<String>,
}

/// The files of a source.
pub(super) struct FilesOfSource {
    pub(super) layers: Arc<DropInLayers>,
    known: BTreeMap<String, RecordedFile>,
}

impl FilesOfSource {
    pub(super) fn of(layers: &Arc<DropInLayers>) -> Self {
        FilesOfSource {
            layers: Arc::clone(layers),
            known: BTreeMap::new(),
        }
    }
}

impl RecordedStart {
    /// By which number the redactor knows a layer, or the layer of a file of it.
    pub(super) fn slot(&mut self, layer: usize, file: Option<&str>) -> usize {
        let slot = (layer, file.map(str::to_owned));
        match self.slots.binary_search(&slot) {
            Ok(at) => at,
            Err(at) => {
                self.slots.insert(at, slot);
                self.redactor.insert(at);
                at
            }
        }
    }

    /// Documents that will be redacted later.
    pub(super) fn expect_files(&mut self, layer: usize, layers: &DropInLayers, bytes: &[u8]) {
        for (name, bytes) in files_of(bytes).unwrap_or_default() {
            if let Some(decoder) = layers.decoder(name) {
                let slot = self.slot(layer, Some(name));
                self.redactor.expect(slot, &decoder, bytes);
            }
        }
    }

    /// What is recorded of the files.
    pub(super) fn files(&mut self, layer: usize, content: &Content) -> RecordedObservation {
        let Some(files) = files_of(&content.bytes) else {
            return RecordedObservation::Value {
                text: "no files".to_owned(),
                revision: content.revision.clone(),
                note: None,
            };
        };
        let names: HashSet<&str> = files.iter().map(|(name, _)| *name).collect();
        let gone: Vec<String> = match &self.layers[layer].files {
            None => Vec::new(),
            Some(known) => {
                let known = known.known.keys();
                let gone = known.filter(|name| !names.contains(&***name));
                gone.cloned().collect()
            }
        };
        for name in gone {
            let slot = self.slot(layer, Some(&name));
            self.redactor.silent(slot);
            if let Some(known) = &mut self.layers[layer].files {
                known.known.remove(&name);
            }
        }
        for (name, bytes) in &files {
            self.file(layer, name, bytes);
        }
        let known = self.layers[layer].files.iter();
        let known = || known.clone().flat_map(|files| &files.known);
        let document = written(known().map(|(name, file)| (&**name, file.printed.as_bytes())));
        let notes = known().filter_map(|(name, file)| Some((name, file.note.as_ref()?)));
        let notes: Vec<String> = notes
            .map(|(name, note)| format!("{name}: {note}"))
            .collect();
        RecordedObservation::Value {
            text: String::from_utf8_lossy(&document).into_owned(),
            revision: content.revision.clone(),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    fn file(&mut self, layer: usize, name: &str, bytes: &[u8]) {
        let slot = self.slot(layer, Some(name));
        let Some(files) = &mut self.layers[layer].files else {
            return;
        };
        let known = files.known.get(name);
        if known.is_some_and(|known| *known.bytes == *bytes) {
            return;
        }
        let bytes: Arc<[u8]> = bytes.into();
        let (mut printed, note) = match files.layers.decoder(name) {
            Some(decoder) => {
                let redacted = self.redactor.document(slot, &decoder, &bytes);
                (redacted.text, redacted.note)
            }
            // It is refused, whatever it contains.
            None => (String::new(), None),
        };
        // Other bytes are news, also where only a comment was another one.
        if known.is_some_and(|known| known.printed == printed) {
            printed.push('\n');
        }
        let file = RecordedFile {
            bytes,
            printed,
            note,
        };
        files.known.insert(name.to_owned(), file);
    }
}
