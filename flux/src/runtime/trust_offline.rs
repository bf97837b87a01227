//! A person ends what the record of trials holds back, where no process of the program runs.

use super::{
    claim::Claim,
    disk,
    last_known_good::{KeepOnDisk, other_writer},
    spec::Spec,
    trial_file,
};
use crate::{engine::Trusted, problem::escaped, source::declare};

/// Changes the record of the program with this declaration; the next start begins with it. Nothing is there to trust where the program
/// keeps no last known good configuration, or no record is on disk.
///
/// # Errors
/// A sentence: the record cannot be read or written, or a process that runs would write over it.
pub(crate) fn trust_offline(spec: &Spec) -> Result<Trusted, String> {
    let Some((path, secrets)) = &spec.last_known_good else {
        return Ok(Trusted::default());
    };
    let path = declare::expand(path, &Default::default())?;
    let keep = KeepOnDisk::new(path, *secrets, None)?;
    let path = trial_file::beside(keep.path());
    let shown = escaped(&path.display().to_string()).into_owned();
    let config = spec.options.schema.name;
    let ask = "let it answer with `admin = \"unix:PATH\"`, or stop it first";
    let _claim = Claim::of(&keep.places(), "config trust").map_err(|other| {
        format!("{shown}: the capacitor `{other}` of this process writes it, and nothing was changed; call its `trust()`")
    })?;
    let Some(bytes) = disk::read(&path, trial_file::LARGEST)? else {
        return Ok(Trusted::default());
    };
    let Some(mut file) = trial_file::parse(config, &bytes) else {
        return Err(format!(
            "{shown}: is no record of trials of {config}, and nothing was changed; a start does not use it"
        ));
    };
    let writer = (file.process.is_another_that_lives()).then_some(file.process.id);
    if let Some(id) = writer.or_else(|| other_writer(keep.path())) {
        return Err(format!(
            "{shown}: belongs to the process {id}, which runs and would write over it; nothing was changed: {ask}"
        ));
    }
    let trusted = file.record.trust();
    if trusted.is_nothing() {
        return Ok(trusted);
    }
    let disk = disk::here();
    let changed = match trial_file::written(config, &file.record, &file.process) {
        Some(content) => disk::replace(&*disk, &path, &content),
        None => disk::remove(&*disk, &path),
    };
    match changed {
        Ok(()) => Ok(trusted),
        Err(error) => Err(format!(
            "{shown}: cannot be changed: {error}; run this as the user of the program"
        )),
    }
}
