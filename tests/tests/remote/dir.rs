//! A mounted directory, as Kubernetes mounts ConfigMaps and Secrets.

use crate::watched::Watched;
use flux::{Source, State};
use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

/// Mounts version `n` in the place of the last one: a new folder, and one link that is swapped.
fn mount(place: &Path, n: u64) {
    let folder = place.join(format!("..v{n}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("n"), format!("{n}\n")).unwrap();
    fs::write(folder.join("pad"), format!("of {n}")).unwrap();
    symlink(format!("..v{n}"), place.join("..new")).unwrap();
    fs::rename(place.join("..new"), place.join("..data")).unwrap();
    let _ = fs::remove_dir_all(place.join(format!("..v{}", n.wrapping_sub(1))));
    for name in ["n", "pad"] {
        if !place.join(name).is_symlink() {
            symlink(format!("..data/{name}"), place.join(name)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_of_the_mount_is_one_change() {
    let place = tempfile::tempdir().unwrap();
    mount(place.path(), 1);
    let watched = Watched::started(Source::dir(place.path())).await;
    for n in 2..=20 {
        mount(place.path(), n);
        watched.sees(n).await;
        assert_eq!(watched.capacitor.get().pad, format!("of {n}"), "no mix");
    }
    watched.has_applied(&(1..=20).collect::<Vec<_>>());
    watched.was_never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_many_swaps_wins() {
    let place = tempfile::tempdir().unwrap();
    mount(place.path(), 1);
    let watched = Watched::started(Source::dir(place.path())).await;
    for n in 2..=500 {
        mount(place.path(), n);
    }
    watched.sees(500).await;
    let applied = watched.applied();
    assert!(applied.is_sorted_by(|a, b| a < b), "{applied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_goes_and_comes_back_is_seen() {
    let place = tempfile::tempdir().unwrap();
    let mounted = place.path().join("secrets");
    let uri = format!("dir:{}", mounted.display());
    let watched = Watched::new(Source::uri(uri));
    let refused = watched.capacitor.start().await.expect_err("nothing there");
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    fs::create_dir(&mounted).unwrap();
    mount(&mounted, 1);
    watched.sees(1).await;
    fs::remove_dir_all(&mounted).unwrap();
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    assert_eq!(watched.capacitor.get().n, 1, "the last one is kept");
    fs::create_dir(&mounted).unwrap();
    mount(&mounted, 2);
    watched.sees(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_new_in_a_plain_directory_is_seen() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("n"), "1").unwrap();
    // No poll comes to the rescue of a missed event.
    let dir = flux::source::Dir::new(place.path()).resync(Duration::from_secs(3600));
    let source = Source::watcher(dir).codec(flux::source::Dir::codec());
    let watched = Watched::started(source).await;
    assert_eq!(watched.capacitor.get().pad, "");
    fs::write(place.path().join("pad"), "new").unwrap();
    let found = || watched.capacitor.get().pad == "new";
    watched.until("found", found).await;
}
