//! Folders made at random with paths written at random, against what really happens: whoever would be written over is refused, and
//! nobody else is.

#![allow(clippy::unwrap_used)] // In helpers too.

use crate::runtime::{
    claim::Claim,
    last_known_good::{KeepOnDisk, Secrets},
    trial_file,
};
use fastrand::Rng;
use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

/// So many folders.
const ROUNDS: usize = 1500;

const FOLDERS: [&str; 3] = ["a", "b", "a/c"];
const NAMES: [&str; 8] = ["f", "F", "g", "f.trial", "l", "m", ".f", "f."];

/// A folder with folders, files, links that lead somewhere or nowhere, and second names of files.
fn made(rng: &mut Rng) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for one in FOLDERS {
        if rng.u8(..4) > 0 {
            fs::create_dir_all(root.join(one)).unwrap();
        }
    }
    for number in 0..rng.usize(2..10) {
        // What cannot be made is not there: its folder is missing, or its name is taken.
        let at = root.join(place(rng)).join(rng.choice(NAMES).unwrap());
        match rng.u8(..5) {
            0 | 1 => {
                if !at.exists() {
                    let _ = fs::write(&at, format!("file {number}"));
                }
            }
            2 => {
                let target = root.join(place(rng)).join(rng.choice(NAMES).unwrap());
                let _ = fs::hard_link(target, &at);
            }
            3 => {
                // To a file, and from where it is.
                let steps = "../".repeat(rng.usize(..3));
                let target = format!("{steps}{}", path_text(rng));
                let _ = symlink(target, &at);
            }
            _ => {
                let _ = symlink(root.join(path_text(rng)), &at);
            }
        }
    }
    folder
}

fn place(rng: &mut Rng) -> &'static str {
    ["", "a", "b", "a/c"][rng.usize(..4)]
}

/// A path from the root of the folder, written oddly.
fn path_text(rng: &mut Rng) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for _ in 0..rng.usize(..4) {
        let odd = [".", "", "a", "b", "a/..", "b/./", "a/c", "a/c/..", "l", "m"];
        parts.push(rng.choice(odd).unwrap());
    }
    parts.push(rng.choice(NAMES).unwrap());
    parts.join("/")
}

/// The path as a declaration has it: absolute, or from the current folder.
fn declared(root: &Path, rng: &mut Rng) -> PathBuf {
    // Not joined: that would take an absolute part for the whole.
    let text = format!("{}/{}", root.display(), path_text(rng));
    match rng.u8(..4) {
        0 => {
            let depth = std::env::current_dir().unwrap().components().count() - 1;
            PathBuf::from(format!("{}{text}", "../".repeat(depth)))
        }
        1 => PathBuf::from(format!("/.{text}")),
        _ => PathBuf::from(text),
    }
}

/// Every file below the folder has a text of its own, so that what is read shows which one it is.
fn content(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

fn identity(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.ino())
}

/// What a source reads there: a file, or those of a folder.
fn readings(path: &Path) -> Vec<Vec<u8>> {
    let in_folder = fs::read_dir(path).into_iter().flatten().flatten();
    let mut all: Vec<_> = in_folder
        .filter_map(|entry| content(&entry.path()))
        .collect();
    all.extend(content(path));
    all.sort();
    all
}

fn keep(path: &Path) -> Option<KeepOnDisk> {
    let rules = Some(crate::engine::TrialRules {
        tries: 2,
        lasts: std::time::Duration::from_secs(1),
        has_folders: false,
    });
    KeepOnDisk::new(path.to_str().unwrap().to_owned(), Secrets::Omit, rules).ok()
}

/// Writes both files as a capacitor does, by a file beside that takes their place; answers whether that was possible.
fn written(path: &Path, text: &str) -> bool {
    let replace = |path: &Path, text: String| {
        let beside = path.with_file_name("beside.new");
        let written = fs::write(&beside, text);
        let placed = written.and_then(|()| fs::rename(&beside, path));
        let _ = fs::remove_file(beside);
        placed.is_ok()
    };
    let kept = replace(path, format!("{text} kept"));
    replace(&trial_file::beside(path), format!("{text} record")) && kept
}

/// Whether a path leads through something that is no folder.
fn is_broken(path: &Path) -> bool {
    let no_folder = std::io::ErrorKind::NotADirectory;
    fs::metadata(path).is_err_and(|error| error.kind() == no_folder)
}

fn rounds(mut round: impl FnMut(&mut Rng, &str) -> bool) {
    let given = std::env::var("FLUX_PLACES_SEED").ok();
    let given = given.and_then(|seed| seed.parse().ok());
    let seeds = match given {
        Some(seed) => vec![seed],
        None => std::iter::repeat_with(|| fastrand::u64(..))
            .take(ROUNDS)
            .collect(),
    };
    let hits = seeds.iter().filter(|seed| {
        let told = format!("FLUX_PLACES_SEED={seed}");
        round(&mut Rng::with_seed(**seed), &told)
    });
    let hits = hits.count();
    assert!(given.is_some() || hits > ROUNDS / 500, "{hits} refused");
}

#[test]
fn a_source_whose_file_would_be_written_over_is_refused_by_whatever_path_and_no_other_is() {
    rounds(|rng, seed| {
        let folder = made(rng);
        let (source, kept) = (declared(folder.path(), rng), declared(folder.path(), rng));
        let source = std::path::absolute(source).unwrap();
        let keep = keep(&kept).unwrap();
        let refused = keep.beside_sources([&*source].into_iter()).is_err();
        let own = [kept.clone(), trial_file::beside(&kept)];
        // Which file it is at the start is known to the reader of the last known good configuration as well.
        let shared = own.iter().any(|one| {
            identity(one).is_some_and(|id| identity(&source) == Some(id))
                || source.is_dir() && one.parent().map(identity) == Some(identity(&source))
                || fs::canonicalize(one)
                    .is_ok_and(|one| one.parent() == fs::canonicalize(&source).ok().as_deref())
        });
        let before = (readings(&source), is_broken(&source));
        let done = written(&kept, "new");
        let hit = (readings(&source), is_broken(&source)) != before;
        let told = format!("{seed}: {} and {}", source.display(), kept.display());
        assert!(refused || !hit, "written over: {told}");
        // What is not there may be the same once its folders are.
        let is_there = source.exists();
        assert!(
            !refused || hit || shared || !done || !is_there,
            "not the same: {told}"
        );
        refused
    });
}

#[test]
fn two_last_known_good_files_that_would_replace_one_another_are_refused_by_whatever_path_and_no_others_are()
 {
    rounds(|rng, seed| {
        let folder = made(rng);
        let (one, two) = (declared(folder.path(), rng), declared(folder.path(), rng));
        let places = [&one, &two].map(|path| keep(path).unwrap().places());
        let claim = Claim::now(&places[0], "One").unwrap();
        let refused = Claim::now(&places[1], "Two").is_err();
        drop(claim);
        let made = written(&one, "one");
        let of_one = || [content(&one), content(&trial_file::beside(&one))];
        let before = of_one();
        let done = written(&two, "two") && made;
        let hit = of_one() != before;
        let told = format!("{seed}: {} and {}", one.display(), two.display());
        assert!(refused || !hit, "written over: {told}");
        assert!(!refused || hit || !done, "not the same: {told}");
        refused
    });
}
