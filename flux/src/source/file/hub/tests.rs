//! Watches that are lost, and folders that are found again.

use super::*;
use std::{fs, time::Duration};

/// One of two makes a lost watch anew; what happened before that is not known to the other one.
#[test]
fn a_watch_that_another_one_makes_anew_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap();
    let spots = BTreeSet::from([EventSpot::entry(&dir, "f")]);
    let mut both = [FileSubscription::new(), FileSubscription::new()];
    for one in &mut both {
        one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
        assert!(one.holds());
    }
    lock(&ROUTES).lose(&dir);
    let [one, other] = &mut both;
    assert!(!one.holds() && !other.holds());
    one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
    assert!(one.holds());
    assert!(!other.holds(), "it has not looked since");
    other.arm(spots, Wait::Forever).unwrap().unwrap();
    assert!(one.holds() && other.holds());
}

/// Nothing watches the folder in which it was replaced: the only event is that of the old watch, which the first one takes back.
#[tokio::test]
async fn who_finds_another_folder_wakes_the_others_that_watch_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap().join("dir");
    let spots = BTreeSet::from([EventSpot::entry(&dir, "f")]);
    fs::create_dir(&dir).unwrap();
    let mut one = FileSubscription::new();
    let mut other = FileSubscription::new();
    for each in [&mut one, &mut other] {
        each.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
    }
    {
        // The thread that delivers events is held up.
        let mut control = control(Wait::Forever).unwrap();
        control.dirs.get_mut(&dir).unwrap().identity = Some(Some(((0, 0), None)));
    }
    one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
    assert!(!other.holds());
    let touches = tokio::time::timeout(Duration::from_secs(60), other.touched()).await;
    assert!(!touches.unwrap().spots.is_empty());
    other.arm(spots, Wait::Forever).unwrap().unwrap();
    assert!(one.holds() && other.holds());
}

/// As where its rights are given back: a file behind it may be read again.
#[cfg(unix)]
#[tokio::test]
async fn what_is_in_a_folder_is_read_again_when_the_rights_of_the_folder_change() {
    use crate::source::file::{
        Dir, File,
        tests::{NEVER, TestFolder, WatchedPath},
    };
    use std::{fs, os::unix::fs::PermissionsExt, time::Duration};
    let place = TestFolder::new().await;
    let path = place.write("watched/f", "before");
    fs::create_dir(place.at("elsewhere")).unwrap();
    fs::hard_link(&path, place.at("elsewhere/f")).unwrap();
    let folder = WatchedPath::of(Dir::new(place.at("watched")).resync(NEVER));
    let mut both = [WatchedPath::of(File::new(&path).resync(NEVER)), folder];
    for watched in &mut both {
        watched
            .until("before", |watched| watched.seen.len() == 1)
            .await;
    }
    // A write by the other name has no event here.
    fs::write(place.at("elsewhere/f"), "after").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for watched in &mut both {
        watched.take();
        assert_eq!(watched.seen.len(), 1, "{:?}", watched.seen);
    }
    fs::set_permissions(place.at("watched"), fs::Permissions::from_mode(0o750)).unwrap();
    for watched in &mut both {
        watched
            .until("after", |watched| watched.seen.len() == 2)
            .await;
    }
}
