//! Which directory entries decide what a path leads to: links, mounted folders, `..data`.

use std::{
    collections::{BTreeSet, VecDeque},
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

/// The link by which a whole mounted object is replaced.
pub(super) const DATA: &str = "..data";
/// How many links Linux follows before it gives up.
const MAX_LINKS: usize = 40;

/// A place whose changes have events. The directory exists and is written without links.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EventSpot {
    pub(super) dir: PathBuf,
    pub(super) part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    /// The entry of this name.
    Name(OsString),
    /// Every entry, whatever its name.
    All,
    /// What `dir` names itself, which may be a file.
    Itself,
}

impl EventSpot {
    pub(super) fn entry(dir: impl Into<PathBuf>, name: impl Into<OsString>) -> Self {
        EventSpot {
            dir: dir.into(),
            part: Part::Name(name.into()),
        }
    }
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkChain {
    /// Every entry whose change can change it: each symbolic link on the way, and at the end the file itself or the first
    /// entry that is missing.
    pub(super) spots: BTreeSet<EventSpot>,
    /// The last of these entries, without links.
    pub(super) end: PathBuf,
    /// It was not followed to its end, which may hang.
    pub(super) hangs: bool,
}

impl LinkChain {
    /// Whether what happens at `spot` can matter.
    pub(super) fn has(&self, spot: &EventSpot) -> bool {
        match spot.part {
            Part::Name(_) => self.spots.contains(spot),
            Part::All | Part::Itself => self.spots.iter().any(|mine| mine.dir == spot.dir),
        }
    }
}

/// Follows `path`, which is absolute.
pub(super) fn resolve(path: &Path) -> LinkChain {
    follow(path, |_| false)
}

/// Follows `path`, which is absolute, up to the first entry that is not to be looked at.
pub(super) fn follow(path: &Path, hangs: impl Fn(&Path) -> bool) -> LinkChain {
    let mut way = LinkChain::default();
    let LinkChain { spots, end, .. } = &mut way;
    let mut rest: VecDeque<PathBuf> = parts(path).collect();
    let mut real = PathBuf::new();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        let name = match part.components().next() {
            Some(Component::Normal(name)) => name.to_owned(),
            Some(Component::ParentDir) => {
                real.pop();
                continue;
            }
            Some(Component::RootDir | Component::Prefix(_)) => {
                real.push(part);
                continue;
            }
            Some(Component::CurDir) | None => continue,
        };
        let entry = real.join(&name);
        if hangs(&entry) {
            way.hangs = true;
            break;
        }
        let kind = fs::symlink_metadata(&entry).map(|found| found.file_type());
        let spot = EventSpot::entry(&real, name);
        match kind {
            Ok(kind) if kind.is_symlink() => {
                spots.insert(spot);
                links += 1;
                let Ok(target) = fs::read_link(&entry) else {
                    break;
                };
                if links > MAX_LINKS {
                    break;
                }
                for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
            }
            Ok(kind) if kind.is_dir() && !rest.is_empty() => real = entry,
            _ => {
                spots.insert(spot);
                *end = entry;
                break;
            }
        }
    }
    way
}

/// The components, each as a path of its own. Pushing an absolute one replaces what was there.
fn parts(path: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    path.components()
        .map(|part| PathBuf::from(part.as_os_str()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn spots(root: &Path, path: &str) -> Vec<String> {
        let way = resolve(&root.join(path));
        let mut found: Vec<String> = way
            .spots
            .into_iter()
            .map(|spot| {
                let Part::Name(name) = spot.part else {
                    panic!("no entry");
                };
                let whole = spot.dir.join(name);
                whole
                    .strip_prefix(root)
                    .expect("inside the root")
                    .display()
                    .to_string()
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn every_link_and_the_file_or_what_is_missing() {
        let temp = tempfile::tempdir().unwrap();
        let root = &temp.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir(root.join("v1")).unwrap();
        fs::write(root.join("v1/f"), "").unwrap();
        fs::write(root.join("a/b/f"), "").unwrap();
        symlink("v1", root.join("..data")).unwrap();
        symlink("..data/f", root.join("f")).unwrap();
        symlink(root.join("a"), root.join("abs")).unwrap();
        symlink("../../f", root.join("a/b/up")).unwrap();
        symlink("round", root.join("round")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        for (path, expected) in [
            ("a/b/f", vec!["a/b/f"]),
            ("a/./b/../b/f", vec!["a/b/f"]),
            ("f", vec!["..data", "f", "v1/f"]),
            ("abs/b/f", vec!["a/b/f", "abs"]),
            ("abs/b/up", vec!["..data", "a/b/up", "abs", "f", "v1/f"]),
            ("a/none", vec!["a/none"]),
            ("a/none/deep/f", vec!["a/none"]),
            ("dangling", vec!["dangling", "nowhere"]),
            ("round", vec!["round"]),
            ("a/b/f/under-a-file", vec!["a/b/f"]),
            ("a/b", vec!["a/b"]),
        ] {
            assert_eq!(spots(root, path), expected, "{path}");
        }
    }
}
