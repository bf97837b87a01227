//! For which layer each document of a check or a plan is, by name, file or number, and which layers are left out.

use super::{InputDocument, InputError, InputTarget, Inputs};
use std::path::{Path, PathBuf};

/// A layer by which documents are found.
pub(in crate::inspect) struct LayerName {
    pub(in crate::inspect) origin: String,
    pub(in crate::inspect) file: Option<PathBuf>,
    pub(in crate::inspect) has_document: bool,
}

/// The layer that a name means.
pub(in crate::inspect) fn find_layer(
    layers: &[LayerName],
    name: &str,
) -> Result<usize, InputError> {
    let found = |is: &dyn Fn(&LayerName) -> bool| -> Vec<usize> {
        let layers = layers.iter().enumerate();
        let layers = layers.filter(|(_, layer)| is(layer));
        layers.map(|(number, _)| number).collect()
    };
    let plain = name.strip_prefix("file:").unwrap_or(name);
    let is_file = |layer: &LayerName| {
        let own = layer.file.as_ref().and_then(|file| file.file_name());
        own.is_some_and(|own| own == plain)
    };
    let all = [
        found(&|layer| layer.origin == name),
        found(&|layer| layer.origin == plain && layer.file.is_some()),
        found(&is_file),
        numbered(layers, name).into_iter().collect(),
    ];
    let number = name.parse().ok().filter(|number| *number < layers.len());
    match (all.iter().find(|found| !found.is_empty()), number) {
        (Some(found), _) => match found[..] {
            [one] => Ok(one),
            _ => Err(several(layers, name, found)),
        },
        (None, Some(number)) => Ok(number),
        (None, None) => Err(no_layer(layers, name)),
    }
}

/// The second layer of an origin as `origin#2`.
fn numbered(layers: &[LayerName], name: &str) -> Option<usize> {
    let (origin, count) = name.rsplit_once('#')?;
    let before = count.parse::<usize>().ok()?.checked_sub(1)?;
    let layers = layers.iter().enumerate();
    let mut same = layers.filter(|(_, layer)| layer.origin == origin);
    same.nth(before).map(|(number, _)| number)
}

/// The layer that reads a file.
pub(in crate::inspect) fn find_file(
    layers: &[LayerName],
    path: &Path,
) -> Result<usize, InputError> {
    let name = path.display().to_string();
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let is_same = |layer: &LayerName| {
        let own = layer.file.as_deref().and_then(absolute);
        own.is_some() && own == absolute(path)
    };
    if let Some(number) = layers.iter().position(is_same) {
        return Ok(number);
    }
    if let Some(name) = path.file_name().and_then(|name| name.to_str())
        && let Ok(number) = find_layer(layers, name)
        && layers[number].file.is_some()
    {
        return Ok(number);
    }
    let documents = layers.iter().enumerate();
    let documents = documents.filter(|(_, layer)| layer.has_document);
    let documents: Vec<usize> = documents.map(|(number, _)| number).collect();
    match documents[..] {
        [one] => Ok(one),
        [] => Err(no_layer(layers, &name)),
        _ => Err(several(layers, &name, &documents)),
    }
}

fn no_layer(layers: &[LayerName], name: &str) -> InputError {
    InputError::NoLayer {
        name: name.to_owned(),
        known: layers.iter().map(|layer| layer.origin.clone()).collect(),
    }
}

fn several(layers: &[LayerName], name: &str, found: &[usize]) -> InputError {
    let names = found.iter().map(|number| layers[*number].origin.clone());
    InputError::Several {
        name: name.to_owned(),
        layers: names.collect(),
    }
}

/// Which document is for which layer. `layers` has the new ones too, in the order in which they are given.
pub(in crate::inspect) fn by_layer<'i>(
    inputs: &'i Inputs,
    layers: &[LayerName],
    new: &[usize],
) -> Result<Vec<Option<&'i InputDocument>>, InputError> {
    let mut all: Vec<Option<&InputDocument>> = layers.iter().map(|_| None).collect();
    let mut new = new.iter();
    for document in &inputs.documents {
        let number = match &document.target {
            InputTarget::Layer(name) => find_layer(layers, name)?,
            InputTarget::File(path) => match find_file(layers, path) {
                Ok(number) => number,
                // Whichever layer was meant, a file that is not there is not judged.
                Err(error) => return Err(document.read().err().unwrap_or(error)),
            },
            #[cfg(feature = "cli")]
            InputTarget::Number(number) => *number,
            InputTarget::New(..) => match new.next() {
                Some(number) => *number,
                None => {
                    return Err(InputError::NotRunning {
                        what: "a document in a layer of its own",
                    });
                }
            },
        };
        let origin = || layers[number].origin.clone();
        if !layers[number].has_document {
            return Err(InputError::NoDocument { origin: origin() });
        }
        if all[number].replace(document).is_some() {
            return Err(InputError::Twice { origin: origin() });
        }
    }
    Ok(all)
}

/// Whether each layer is left out.
pub(in crate::inspect) fn left_out(
    inputs: &Inputs,
    layers: &[LayerName],
    documents: &[Option<&InputDocument>],
) -> Result<Vec<bool>, InputError> {
    let given = documents.iter().map(Option::is_some);
    let mut all: Vec<bool> = given
        .map(|is_given| inputs.only_given && !is_given)
        .collect();
    for name in &inputs.without {
        let number = find_layer(layers, name)?;
        if documents[number].is_some() {
            let origin = layers[number].origin.clone();
            return Err(InputError::GivenAndLeftOut { origin });
        }
        all[number] = true;
    }
    Ok(all)
}
