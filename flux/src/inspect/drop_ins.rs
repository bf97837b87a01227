//! The layers of a source of several files where documents are judged: those of the files that are there, and of such as are given.

use super::inputs::{InputTarget, Inputs};
use crate::{
    engine::{Renumbered, ServedLayer, Status},
    runtime::Plan,
    source::{
        declare::{OfflineContent, OfflineLayer},
        drop_ins::{DropInLayers, MOST_FILES},
    },
};
use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc};

/// The layer as it is declared, and behind it those of its files, where it is a source of several.
pub(super) fn with_files(mut layer: OfflineLayer, inputs: &Inputs) -> Vec<OfflineLayer> {
    let OfflineContent::Files(layers, _) = &layer.content else {
        return vec![layer];
    };
    let layers = Arc::clone(layers);
    let there = match files_in(&layers) {
        Ok(there) => there,
        Err(problem) => {
            layer.content = OfflineContent::Broken(problem);
            return vec![layer];
        }
    };
    let given = given_files(&layers, inputs, &|file| there.contains(file));
    of_files(layer, &layers, there.into_iter().chain(given).collect())
}

/// The layer of a source, and behind it those of these files.
pub(super) fn of_files(
    mut layer: OfflineLayer,
    layers: &Arc<DropInLayers>,
    files: BTreeSet<String>,
) -> Vec<OfflineLayer> {
    layer.content = OfflineContent::Files(Arc::clone(layers), !files.is_empty());
    let file = |name: String| OfflineLayer {
        origin: layers.origin(&name),
        declared: layers.origin(&name),
        decoder: layers.decoder(&name),
        optional: true,
        content: OfflineContent::File(layers.folder().join(&name)),
        searched: Vec::new(),
    };
    let files: Vec<OfflineLayer> = files.into_iter().map(file).collect();
    std::iter::once(layer).chain(files).collect()
}

/// The files of the source that are there now.
fn files_in(layers: &DropInLayers) -> Result<BTreeSet<String>, String> {
    let folder = layers.folder();
    let cannot = |error: io::Error| format!("{} cannot be read: {error}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(cannot(error)),
    };
    let mut files = BTreeSet::new();
    for entry in entries {
        let path = entry.map_err(cannot)?.path();
        if let Some(file) = layers.file_at(&path)
            && !path.is_dir()
        {
            files.insert(file.to_owned());
        }
        if files.len() > MOST_FILES {
            let folder = folder.display();
            return Err(format!(
                "{folder} has more than the limit of {MOST_FILES} files"
            ));
        }
    }
    Ok(files)
}

/// The files that documents are given for and that are not there: by the names of their layers, or by a file that could be one of them.
fn given_files(
    layers: &DropInLayers,
    inputs: &Inputs,
    is_there: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let given = inputs.documents.iter().filter_map(|document| {
        let file = match &document.target {
            InputTarget::Layer(name) => {
                let name = name.strip_prefix("file:").unwrap_or(name);
                layers.file_called(name)
            }
            InputTarget::File(path) => file_like(layers, path),
            _ => None,
        };
        file.filter(|file| !is_there(file)).map(str::to_owned)
    });
    given.collect()
}

/// The name of a file that is of the source's folder, or of one of the same name somewhere else.
fn file_like<'p>(layers: &DropInLayers, path: &'p Path) -> Option<&'p str> {
    let folder = path.parent().and_then(Path::file_name);
    let is_like = folder.is_some() && folder == layers.folder().file_name();
    let named = || {
        let name = path.file_name()?.to_str()?;
        layers.pattern().fits(name).then_some(name)
    };
    layers.file_at(path).or_else(|| named().filter(|_| is_like))
}

/// What runs, with the layers of files that documents are given for and that contain nothing yet; none where there are none.
pub(super) fn with_given(plan: &Plan, status: &Status, inputs: &Inputs) -> Option<Status> {
    let layers = &status.served.layers;
    let mut new = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let Some(files) = plan
            .drop_ins(layer.source)
            .filter(|_| layer.drop_in.is_none())
        else {
            continue;
        };
        let is_known = |file: &str| {
            let mut own = layers.iter().filter(|one| one.source == layer.source);
            own.any(|one| one.drop_in.as_deref() == Some(file))
        };
        let given = given_files(files, inputs, &is_known);
        let given: BTreeSet<String> = given.into_iter().collect();
        new.extend(
            given
                .into_iter()
                .map(|file| (number, Arc::clone(files), file)),
        );
    }
    (!new.is_empty()).then(|| extended(status, &new))
}

/// What runs, with new layers that contain nothing: behind the layers of these sources, each for this file. A file that comes before
/// others of its source is behind the last of those before it.
fn extended(status: &Status, new: &[(usize, Arc<DropInLayers>, String)]) -> Status {
    let layers = &status.served.layers;
    let place = |(number, _, file): &(usize, Arc<DropInLayers>, String)| {
        let behind = layers.iter().skip(number + 1);
        let before = |one: &&ServedLayer| one.drop_in.as_deref().is_some_and(|own| own < &**file);
        number + behind.take_while(before).count()
    };
    let places: Vec<usize> = new.iter().map(place).collect();
    let numbers = Renumbered::behind(&places, layers.len());
    let (mut all, mut statuses) = (Vec::new(), Vec::new());
    for (number, layer) in layers.iter().enumerate() {
        all.push(layer.clone());
        statuses.extend(status.layers.get(number).cloned());
        let own = new.iter().zip(&places).filter(|(_, at)| **at == number);
        for ((source, files, file), _) in own {
            let origin: Arc<str> = files.origin(file).into();
            all.push(ServedLayer {
                origin: Arc::clone(&origin),
                decoder: files.decoder(file),
                prefix: None,
                source: layers[*source].source,
                drop_in: Some(file.as_str().into()),
            });
            statuses.extend(
                status
                    .layers
                    .get(*source)
                    .map(|one| one.of_new_file(origin)),
            );
        }
    }
    let mut extended = status.clone();
    extended.layers = statuses;
    for problem in &mut extended.warnings {
        problem.layer = problem.layer.and_then(|layer| numbers.now(layer));
    }
    if let Some(report) = &mut extended.error {
        report.renumber(|layer| numbers.now(layer));
    }
    extended.served = status.served.renumbered(&numbers, all);
    extended
}
