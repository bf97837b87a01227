//! Whether two paths name the same file, whatever links lead there, so that no file has two owners.

#[cfg(all(test, unix))]
mod tests;

use std::{
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
};

/// How many links a path may have; beyond that it leads nowhere.
const MOST_LINKS: usize = 40;

/// What is written for the file at `path`: a link in its place is replaced, those of its folders are followed.
pub(super) fn written(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => entry(&LinkedPath::of(folder).end, name),
        _ => LinkedPath::of(path).end,
    }
}

/// Where a path leads.
pub(super) struct LinkedPath {
    /// What it leads to, which need not be there. No link is in it.
    pub(super) end: PathBuf,
    /// The links on the way: whoever replaces one of them changes what is read.
    pub(super) links: Vec<PathBuf>,
}

impl LinkedPath {
    /// Follows links also where they lead to what is not there yet, since it may come.
    pub(super) fn of(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut found = LinkedPath {
            end: PathBuf::new(),
            links: Vec::new(),
        };
        let mut left = parts(&path);
        while let Some(part) = left.pop() {
            match part.components().next() {
                Some(Component::Normal(name)) => {
                    let place = entry(&found.end, name);
                    match fs::read_link(&place) {
                        Ok(target) if found.links.len() < MOST_LINKS => {
                            found.links.push(place);
                            left.append(&mut parts(&target));
                        }
                        _ => found.end = place,
                    }
                }
                Some(Component::ParentDir) => {
                    found.end.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => found.end.push(part),
                Some(Component::CurDir) | None => {}
            }
        }
        found
    }

    /// Whether the file at `written` is what is read here, or takes the place of a link or a folder on the way.
    pub(super) fn leads_over(&self, written: &Path) -> bool {
        self.end.starts_with(written) || self.links.iter().any(|link| link == written)
    }
}

/// The components, the last one first, each as a path of its own: an absolute one replaces what was before it.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components();
    parts.rev().map(|part| part.as_os_str().into()).collect()
}

/// An entry of a folder, as every path to it has it: where letters of either case name one entry, in small ones.
fn entry(folder: &Path, name: &OsStr) -> PathBuf {
    let as_written = folder.join(name);
    match name.to_str().map(str::to_lowercase) {
        Some(small) if small.as_str() != name && has_one_case(folder) => folder.join(small),
        _ => as_written,
    }
}

/// Whether letters of either case name one entry in this folder: its own name in other letters leads to it.
fn has_one_case(folder: &Path) -> bool {
    let existing = folder.ancestors().find(|one| one.exists());
    let named = existing.and_then(|one| one.ancestors().find(|one| has_letters(one)));
    let Some(named) = named else {
        return false;
    };
    let Some(name) = named.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    let mut other = name.to_uppercase();
    if other == name {
        other = name.to_lowercase();
    }
    let other = named.with_file_name(other);
    // On most systems there is no such entry.
    other.symlink_metadata().is_ok_and(|one| !one.is_symlink())
        && other.canonicalize().ok() == named.canonicalize().ok()
}

fn has_letters(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.to_uppercase() != name.to_lowercase())
}
