//! The layers of a source of several files where documents are judged: those of the files that are there, and of such as are given.

use super::inputs::{InputTarget, Inputs};
use crate::{
    engine::{LayerState, Now, Renumbered, ServedLayer, Status},
    runtime::Plan,
    source::{
        Observation, SourceError,
        declare::{OfflineContent, OfflineLayer},
        drop_ins::{DropInLayers, name_of, refusal_of_size},
    },
};
use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc};

/// The layer as it is declared, and behind it those of its files, where it is a source of several.
pub(super) fn with_files(mut layer: OfflineLayer, inputs: &Inputs) -> Vec<OfflineLayer> {
    let OfflineContent::Files(layers, _) = &layer.content else {
        return vec![layer];
    };
    let layers = Arc::clone(layers);
    let there = match files_in(&layers, &layer.origin) {
        Ok(there) => there,
        Err(Unlisted::Unreadable(problem)) => {
            layer.content = OfflineContent::Broken(problem);
            return vec![layer];
        }
        Err(Unlisted::Refused(error)) => {
            // As a start reports it: nothing but names of the folder is in the words.
            layer.content = OfflineContent::Files(layers, Err(error.of_its_layer()));
            return vec![layer];
        }
    };
    let origins: BTreeSet<String> = there.iter().map(|file| layers.origin(file)).collect();
    let is_known = |file: &str, name: &str| there.contains(file) || origins.contains(name);
    let given = given_files(&layers, inputs, &is_known);
    of_files(layer, &layers, there.into_iter().chain(given).collect())
}

/// The layer of a source, and behind it those of these files.
pub(super) fn of_files(
    mut layer: OfflineLayer,
    layers: &Arc<DropInLayers>,
    files: BTreeSet<String>,
) -> Vec<OfflineLayer> {
    layer.content = OfflineContent::Files(Arc::clone(layers), Ok(!files.is_empty()));
    let file = |name: String| OfflineLayer {
        origin: layers.origin(&name),
        declared: layers.declared(&name),
        decoder: layers.decoder(&name),
        optional: true,
        content: OfflineContent::File(layers.folder().join(&name)),
        drop_in: Some(name.into()),
        searched: Vec::new(),
    };
    let files: Vec<OfflineLayer> = files.into_iter().map(file).collect();
    std::iter::once(layer).chain(files).collect()
}

/// Why it is not known which files there are.
enum Unlisted {
    /// Whoever judges may read less than the program.
    Unreadable(String),
    /// A start would refuse them all.
    Refused(SourceError),
}

impl From<SourceError> for Unlisted {
    fn from(error: SourceError) -> Self {
        Unlisted::Refused(error)
    }
}

/// The files of the source that a start would read now; `shown` is what the source is called.
fn files_in(layers: &DropInLayers, shown: &str) -> Result<BTreeSet<String>, Unlisted> {
    let folder = layers.folder();
    let cannot = |error: io::Error| {
        let problem = format!("{} cannot be read: {error}", folder.display());
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let advice = "run this as the user of the program, or give documents";
                Unlisted::Unreadable(format!("{problem}; {advice}"))
            }
            _ => Unlisted::Refused(SourceError::configuration(problem)),
        }
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(cannot(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let (name, path) = entry
            .map(|one| (one.file_name(), one.path()))
            .map_err(cannot)?;
        if layers.pattern().fits(&name.to_string_lossy()) && !path.is_dir() {
            names.push((name, path));
        }
        if let Some(error) = refusal_of_size(shown, names.len(), 0) {
            return Err(error.into());
        }
    }
    let mut files = BTreeSet::new();
    for (name, path) in names {
        // A link that leads to nothing is no file.
        if fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            continue;
        }
        let declared = layers.declared(&name.to_string_lossy());
        files.insert(name_of(&name, &declared)?.to_owned());
    }
    Ok(files)
}

/// The own layers of sources whose files are more than a start would read.
pub(super) fn refuse_what_is_too_large(states: &mut [LayerState], now: Now) {
    let mut sizes: Vec<(usize, usize, usize)> = Vec::new();
    for (number, state) in states.iter().enumerate() {
        match (sizes.last_mut(), &state.drop_ins, &state.drop_in) {
            (_, Some(_), _) => sizes.push((number, 0, 0)),
            (Some((_, files, bytes)), None, Some(_)) => {
                *files += 1;
                *bytes += state.size();
            }
            _ => {}
        }
    }
    for (number, files, bytes) in sizes {
        if let Some(error) = refusal_of_size(&states[number].origin, files, bytes) {
            states[number].observe(Observation::Unreadable(error.of_its_layer()), now);
        }
    }
}

/// The files that documents are given for and that are not there: by the names of their layers, or by a file that could be one of them.
fn given_files(
    layers: &DropInLayers,
    inputs: &Inputs,
    is_known: &dyn Fn(&str, &str) -> bool,
) -> Vec<String> {
    let given = inputs.documents.iter().filter_map(|document| {
        let (file, name) = match &document.target {
            InputTarget::Layer(name) => {
                let name = name.strip_prefix("file:").unwrap_or(name);
                (layers.file_called(name)?, name)
            }
            InputTarget::File(path) => (file_like(layers, path)?, ""),
            _ => return None,
        };
        (!is_known(file, name)).then(|| file.to_owned())
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
        let is_known = |file: &str, name: &str| {
            let mut own = layers.iter().filter(|one| one.source == layer.source);
            own.any(|one| one.drop_in.as_deref() == Some(file) || *one.origin == *name)
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
                is_folder: false,
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
