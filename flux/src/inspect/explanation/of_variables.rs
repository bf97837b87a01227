//! What is to be known of variables beside their values: the file that one names, when it was read, and whether a restart would read
//! another value; that one is set and empty.

use super::Explanation;
use crate::{
    engine::{GivenContent, LayerContent, Served, Status},
    problem::escaped,
    source::{ValueFile, VariablePath},
};
use std::cell::OnceCell;

/// What readers see of layers that are read once, each with its number.
fn given(served: &Served) -> impl Iterator<Item = (usize, &GivenContent)> {
    let contents = served.contents.iter().enumerate();
    contents.filter_map(|(layer, content)| match content {
        LayerContent::Given(given) => Some((layer, &**given)),
        _ => None,
    })
}

/// The files that values of what readers see were read from, each with the number of its layer.
fn all(served: &Served) -> impl Iterator<Item = (usize, &ValueFile)> {
    given(served).flat_map(|(layer, given)| given.files.iter().map(move |file| (layer, file)))
}

/// What holds of the files of what readers see, which are looked at where a restart would read them.
pub(crate) fn changed_files(status: &Status) -> Vec<String> {
    let files = all(&status.served);
    files.filter_map(|(_, file)| file.changed()).collect()
}

/// Notes on settings that variables set, or that one sets to nothing. Each file is read once.
pub(in crate::inspect) struct VariableNotes<'s> {
    files: Vec<(usize, &'s ValueFile, OnceCell<String>)>,
    /// Which variable of which path is empty.
    empty: Vec<&'s VariablePath>,
}

impl<'s> VariableNotes<'s> {
    pub(in crate::inspect) fn of(status: &'s Status) -> Self {
        let files = all(&status.served).map(|(layer, file)| (layer, file, OnceCell::new()));
        VariableNotes {
            files: files.collect(),
            empty: given(&status.served)
                .flat_map(|(_, given)| &given.empty)
                .collect(),
        }
    }

    /// Adds those of its settings.
    pub(in crate::inspect) fn note(&self, one: &mut Explanation) {
        for (layer, file, described) in &self.files {
            let is_set = one.settings.iter().any(|set| set.layer == *layer);
            if is_set && one.path.steps().starts_with(&file.path) {
                let described = described.get_or_init(|| file.described());
                one.notes.push(described.clone());
            }
        }
        for (path, variable) in &self.empty {
            if one.path.steps() == path {
                let variable = escaped(variable);
                one.notes.push(format!(
                    "{variable} is set and empty, which counts as not set"
                ));
            }
        }
    }
}
