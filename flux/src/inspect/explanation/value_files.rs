//! What is to be known of the files that variables name: where a value came from, when, and whether a restart would read another one.

use super::Explanation;
use crate::{
    engine::{LayerContent, Served, Status},
    source::ValueFile,
};

/// The files that values of what readers see were read from, each with the number of its layer.
fn all(served: &Served) -> impl Iterator<Item = (usize, &ValueFile)> {
    let contents = served.contents.iter().enumerate();
    contents.flat_map(|(layer, content)| {
        let files = match content {
            LayerContent::Given(given) => &given.files[..],
            _ => &[],
        };
        files.iter().map(move |file| (layer, file))
    })
}

/// What holds of the files of what readers see, which are looked at where a restart would read them.
pub(crate) fn changed_files(status: &Status) -> Vec<String> {
    let files = all(&status.served);
    files.filter_map(|(_, file)| file.changed()).collect()
}

impl Explanation {
    /// Adds the file that one of its settings was read from.
    pub(in crate::inspect) fn note_files(&mut self, status: &Status) {
        for (layer, file) in all(&status.served) {
            let is_set = || self.settings.iter().any(|one| one.layer == layer);
            let is_here = self.path.steps().starts_with(&file.path);
            if is_here && is_set() {
                self.notes.push(file.described());
            }
        }
    }
}
