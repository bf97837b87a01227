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
