//! Where the last known good file is, beside what sources read; and whether it can be read.

mod alone;
mod kept_defaults;
mod kept_file;
mod kept_snapshot;
mod layout;

#[cfg(feature = "cli")]
pub(crate) use kept_defaults::{KeptDefault, KeptDefaults};
pub(crate) use kept_file::KeptFile;
pub(super) use kept_file::NO_ENTRIES;
pub(super) use kept_snapshot::KeptSnapshot;

use super::{
    disk,
    file_place::{self, LinkedPath},
    trial_file,
};
use crate::{
    codec::{self, Decoder},
    engine::TrialRules,
};
use flux_syntax::Format;
use kept_file::parse;
use std::path::{Path, PathBuf};

/// More than this is neither written nor read.
const LARGEST: u64 = 64 << 20;

/// What is done with secrets when a last known good configuration is written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrets {
    /// They are left out; a start from the file needs them from another layer, such as the environment.
    Omit,
    /// A configuration whose documents hold secrets is not written at all.
    Refuse,
}

/// Where it is kept, and how.
#[derive(Debug, Clone)]
pub(crate) struct KeepOnDisk {
    /// From the root: the program may change its folder while it runs.
    path: PathBuf,
    /// As it is declared.
    shown: String,
    pub(crate) secrets: Secrets,
    /// Changes are on trial, also across the death of the process.
    pub(crate) trials: Option<TrialRules>,
}

/// The entries of a folder that are links: a folder that a source reads may lead to files elsewhere. None of what is no folder.
fn entries(folder: &Path) -> impl Iterator<Item = LinkedPath> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.map(|entry| LinkedPath::of(&entry.path()))
}

impl KeepOnDisk {
    /// A relative path is taken from the current folder of this moment. Refuses one that names no file.
    pub(super) fn new(
        declared: String,
        secrets: Secrets,
        trials: Option<TrialRules>,
    ) -> Result<Self, String> {
        let path = Path::new(&declared);
        if path.file_name().is_none() || declared.ends_with(std::path::is_separator) {
            return Err(format!(
                "the last known good configuration needs the path of a file, such as /var/lib/app/last.json, and `{declared}` names none"
            ));
        }
        Ok(KeepOnDisk {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            shown: declared,
            secrets,
            trials,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as it is declared, for a report.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The files that are written.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        let record = self
            .trials
            .is_some()
            .then(|| trial_file::beside(&self.path));
        let paths = std::iter::once(&self.path).chain(&record);
        paths.map(|path| file_place::written(path)).collect()
    }

    /// Refuses a file that a source reads: it would be written over.
    pub(super) fn beside_sources<'p>(
        &self,
        sources: impl Iterator<Item = &'p Path>,
    ) -> Result<(), String> {
        self.beside(sources, "", "")
    }

    /// The same; with the words behind the name of either that say whose it is.
    pub(super) fn beside<'p>(
        &self,
        sources: impl Iterator<Item = &'p Path>,
        of_keep: &str,
        of_source: &str,
    ) -> Result<(), String> {
        let mut sources = sources.peekable();
        if sources.peek().is_none() {
            return Ok(());
        }
        let record = trial_file::beside(&self.path);
        let shown_record = record.display().to_string();
        let own = [
            ("the last known good configuration", &self.path, &self.shown),
            ("the record of trials", &record, &shown_record),
        ];
        // What is written, and what is read at a start.
        let own = own.map(|(what, path, shown)| {
            (
                what,
                shown,
                file_place::written(path),
                LinkedPath::of(path).end,
            )
        });
        for source in sources {
            let read = LinkedPath::of(source);
            let is_read =
                |file: &Path| file == read.end || file.parent() == Some(read.end.as_path());
            let source = source.display();
            for (what, shown, written, found) in &own {
                if is_read(written)
                    || read.leads_over(written)
                    || entries(&read.end).any(|entry| entry.leads_over(written))
                {
                    return Err(format!(
                        "{what}{of_keep} would be written to {}, which the source {source}{of_source} reads; give it a file of its own, in another folder",
                        written.display()
                    ));
                }
                if is_read(found) {
                    return Err(format!(
                        "{what}{of_keep} would be read from {} (by the link {shown}), which the source {source}{of_source} reads; give it a file of its own",
                        found.display()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Reads the file of the config type `config`; none where there is none.
    pub(crate) fn read(&self, config: &str) -> Result<Option<KeptFile>, String> {
        let cannot = |why: String| format!("the last known good configuration: {why}");
        let Some(bytes) = disk::read(&self.path, LARGEST).map_err(cannot)? else {
            return Ok(None);
        };
        let parsed = std::str::from_utf8(&bytes).ok().and_then(|text| {
            let root = codec::tree(&Decoder::from(Format::Json), text).ok()?;
            parse(&root, config)
        });
        match parsed {
            Some(file) => Ok(Some(file)),
            None => Err(format!(
                "{}: is not a last known good configuration of {config}; it is not used",
                self.shown
            )),
        }
    }
}

/// Another process that lives and wrote this file last; an unreadable one is nobody's.
pub(super) fn other_writer(path: &Path) -> Option<u32> {
    let bytes = disk::read(path, LARGEST).ok()??;
    let root: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let process = trial_file::process(root.get("process")?)?;
    process.is_another_that_lives().then_some(process.id)
}

#[cfg(test)]
mod tests;
