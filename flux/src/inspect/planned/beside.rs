//! What a plan has of the layers that nothing is given for: what of them is refused or cannot be read now, and notes.

use super::Planning;
use crate::{
    Report,
    engine::LayerContent,
    inspect::{
        explanation::changed_files,
        inputs::{InputError, LayerName, read_file},
    },
    problem::{Dotted, Seg, escaped},
    source::Health,
};
use std::path::PathBuf;

/// What is about no place in a file: what was not looked at, or what a party answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placeless {
    /// What it is about, for formats that have a word for that.
    pub(crate) about: &'static str,
    pub(crate) text: String,
}

impl Placeless {
    pub(crate) fn of_party(text: String) -> Self {
        let about = "party";
        Placeless { about, text }
    }

    pub(crate) fn of_layer(text: String) -> Self {
        let about = "layer";
        Placeless { about, text }
    }
}

impl Planning<'_> {
    /// Why newest content of layers that are not given is refused.
    pub(super) fn standing(&self, given: &[usize]) -> Option<Report> {
        let mut layers = self.status.layers.iter().enumerate();
        let is_refused = layers.any(|(number, layer)| layer.refused && !given.contains(&number));
        let report = self.status.error.as_ref().filter(|_| is_refused)?;
        Some(report.without_layers(given))
    }

    /// Why these layers, whose content readers see is from the disk, cannot be compared with.
    pub(super) fn unknown(&self, layers: Vec<String>) -> InputError {
        let is_held = |origin: &String| {
            let mut held = self.status.quarantined.iter();
            let mut known = self.status.layers.iter();
            let is_refused = known.any(|one| one.refused && *one.origin == **origin);
            is_refused && held.any(|one| one.origin == *origin)
        };
        match layers.iter().all(is_held) {
            true => InputError::Quarantined { layers },
            false => InputError::Unknown { layers },
        }
    }

    /// The layers that are left out, and contain something in what runs.
    pub(super) fn left_out(&self, names: &[LayerName], left_out: &[bool]) -> Vec<String> {
        let contents = self.status.served.contents.iter();
        let layers = names.iter().zip(left_out).zip(contents);
        let named = layers.filter_map(|((name, is_left_out), content)| {
            let is_silent = matches!(content, LayerContent::Silent(_));
            (*is_left_out && !is_silent).then(|| escaped(&name.origin))
        });
        let named = named.map(|origin| {
            format!("left out: {origin}; what it sets in what runs is not in this, and may hide it")
        });
        named.collect()
    }

    /// That the file of a layer does not contain what was read of it last, and that this is not taken up yet.
    pub(super) fn settling(
        &self,
        names: &[LayerName],
        files: &[Option<PathBuf>],
        given: &[usize],
    ) -> Option<Placeless> {
        let served = &self.status.served.contents;
        let is_settling = |number: usize| {
            let is_refused = self.status.layers.get(number).is_none_or(|one| one.refused);
            let content = match served.get(number) {
                Some(content @ (LayerContent::Silent(_) | LayerContent::Document(..))) => content,
                _ => return false,
            };
            let Some(file) = files[number].as_ref().filter(|_| !is_refused) else {
                return false;
            };
            // What cannot be read is in the health of the layer.
            let now = read_file(file);
            now.is_ok_and(|now| now.as_deref() != content.bytes().as_deref())
        };
        let mut layers = names.iter().enumerate();
        let (_, name) =
            layers.find(|(number, _)| !given.contains(number) && is_settling(*number))?;
        Some(Placeless::of_layer(format!(
            "{}: its file has changed, and the program has not taken that up; ask again when it has, or give that file too",
            escaped(&name.origin)
        )))
    }

    /// `waits` is what would wait for a restart then; none where that is not known.
    pub(super) fn notes(&self, given: &[usize], waits: Option<&[Vec<Seg>]>) -> Vec<String> {
        let mut notes = Vec::new();
        for (number, layer) in self.status.layers.iter().enumerate() {
            if let Health::Stale { error, .. } = &layer.health
                && !given.contains(&number)
            {
                let origin = escaped(&layer.origin);
                notes.push(format!(
                    "{origin}: it cannot be read now, and counts as it was read last: {error}"
                ));
            }
        }
        if self.status.pinned {
            let generation = self.status.generation;
            notes.push(format!(
                "the configuration is pinned at generation {generation}: what is newer waits until it is unpinned"
            ));
        }
        let waits: Option<Vec<String>> =
            waits.map(|paths| paths.iter().map(|path| Dotted(path).to_string()).collect());
        let goes_on = |path: &&String| waits.as_ref().is_none_or(|waits| waits.contains(*path));
        let pending = self.status.pending_restart.iter();
        let (go_on, end): (Vec<&String>, Vec<&String>) = pending.partition(goes_on);
        for (paths, words) in [
            (go_on, "waits for a restart already"),
            (end, "would not wait for a restart any more"),
        ] {
            let paths: Vec<&str> = paths.into_iter().map(String::as_str).collect();
            if !paths.is_empty() {
                notes.push(format!("{words}: {}", paths.join(", ")));
            }
        }
        notes.extend(changed_files(self.status));
        if self.status.served.staged.is_some() {
            notes.push(
                "a stage of the program changes what the layers make, and was not asked".to_owned(),
            );
        }
        notes
    }
}
