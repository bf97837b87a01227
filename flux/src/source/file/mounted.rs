//! Tests mounts: one file, a folder at two places, an overlay, and a file system without events. Each in a mount namespace of its
//! own, where the machine allows that.

#![allow(clippy::unwrap_used)] // In helpers too.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    process::Command,
    time::Duration,
};

use tokio::time::sleep;

use super::{
    Dir, File,
    edges::{SETTLE, again, dir, is_child},
    tests::{SeenFile, TestFolder, WatchedPath},
};

const NAMESPACE: &str = "unshare --mount --propagation private";

#[tokio::test]
async fn a_file_that_is_mounted_by_itself_is_watched_and_reported_when_it_is_replaced() {
    let name = "source::file::mounted::a_file_that_is_mounted_by_itself_is_watched_and_reported_when_it_is_replaced";
    if !is_child(name) {
        again(name, NAMESPACE);
        return;
    }
    let place = TestFolder::new().await;
    let outside = place.write("outside/app", "1");
    let inside = place.write("inside/app", "");
    let mounted = Command::new("mount")
        .arg("--bind")
        .args([&outside, &inside])
        .status();
    assert!(mounted.unwrap().success());
    let mut file = WatchedPath::at(&inside);
    let mut folder = dir(&place.at("inside"));
    file.reads("1").await;
    folder.holds("app=1").await;
    // In place, as an editor of the host does that keeps the inode.
    for n in 2..5 {
        fs::write(&outside, n.to_string()).unwrap();
        file.reads(&n.to_string()).await;
        folder.holds(&format!("app={n}")).await;
    }
    let mut writer = fs::File::create(&outside).unwrap();
    writer.write_all(b"ha").unwrap();
    sleep(SETTLE / 2).await;
    writer.write_all(b"lf").unwrap();
    drop(writer);
    file.reads("half").await;
    assert!(
        !file.seen.contains(&SeenFile::Text("ha".to_owned())),
        "{:?}",
        file.seen
    );
    assert!(file.failing.is_none());

    place.replace("outside/app", "6");
    for watched in [&mut file, &mut folder] {
        watched
            .until("stale", |watched| watched.failing.is_some())
            .await;
        let text = watched.failing.clone().unwrap().to_string();
        assert!(
            text.contains("the file was replaced behind its mount"),
            "{text}"
        );
    }
    assert_eq!(file.seen.last(), Some(&SeenFile::Text("half".to_owned())));
    let unmounted = Command::new("umount").arg(&inside).status();
    assert!(unmounted.unwrap().success());
}

/// As `sed -i.bak`, an editor with backups, or a link made before leave it: the old file has another name.
#[tokio::test]
async fn a_file_that_is_mounted_by_itself_is_stale_when_it_is_replaced_and_kept_under_another_name()
{
    let name = "source::file::mounted::a_file_that_is_mounted_by_itself_is_stale_when_it_is_replaced_and_kept_under_another_name";
    if !is_child(name) {
        again(name, NAMESPACE);
        return;
    }
    let place = TestFolder::new().await;
    for how in ["moved away", "linked before"] {
        let outside = place.write("outside/app", "1");
        let inside = place.write("inside/app", "");
        let mounted = Command::new("mount")
            .arg("--bind")
            .args([&outside, &inside])
            .status();
        assert!(mounted.unwrap().success());
        let mut file = WatchedPath::at(&inside);
        file.reads("1").await;
        let kept = place.at(&format!("outside/{how}"));
        match how {
            "moved away" => {
                fs::rename(&outside, &kept).unwrap();
                place.write("outside/app", "2");
            }
            _ => {
                fs::hard_link(&outside, &kept).unwrap();
                place.replace("outside/app", "2");
            }
        }
        file.until("stale", |file| file.failing.is_some()).await;
        let text = file.failing.clone().unwrap().to_string();
        assert!(
            text.contains("the file was replaced behind its mount"),
            "{how}: {text}"
        );
        file.stop().await;
        let unmounted = Command::new("umount").arg(&inside).status();
        assert!(unmounted.unwrap().success());
    }
}

#[tokio::test]
async fn a_folder_that_is_mounted_twice_has_events_at_both_places() {
    let name = "source::file::mounted::a_folder_that_is_mounted_twice_has_events_at_both_places";
    if !is_child(name) {
        again(name, NAMESPACE);
        return;
    }
    let place = TestFolder::new().await;
    place.write("one/f", "1");
    fs::create_dir(place.at("two")).unwrap();
    let mounted = Command::new("mount")
        .arg("--bind")
        .args([place.at("one"), place.at("two")])
        .status();
    assert!(mounted.unwrap().success());
    let mut one = WatchedPath::at(&place.at("one/f"));
    one.reads("1").await;
    let mut two = WatchedPath::at(&place.at("two/f"));
    two.reads("1").await;
    for n in 2..10 {
        let folder = ["one", "two"][n % 2];
        place.replace(&format!("{folder}/f"), &n.to_string());
        one.reads(&n.to_string()).await;
        two.reads(&n.to_string()).await;
    }
    two.stop().await;
    place.replace("two/f", "the other one still has them");
    one.reads("the other one still has them").await;
    one.stop().await;
    let unmounted = Command::new("umount").arg(place.at("two")).status();
    assert!(unmounted.unwrap().success());
}

/// An overlay, as containers have it: `lower` below, `merged` on top. It goes with its namespace.
fn overlay(place: &TestFolder) {
    let layers = place.at("layers");
    fs::create_dir_all(&layers).unwrap();
    // An overlay cannot lie upon another one, which this machine's root may be.
    let memory = (Command::new("mount").args(["-t", "tmpfs", "tmpfs"]))
        .arg(&layers)
        .status();
    assert!(memory.unwrap().success());
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(layers.join(name)).unwrap();
    }
    place.write("layers/lower/f", "1");
    place.write("layers/lower/d/a", "1");
    place.write("layers/lower/d/b", "1");
    let options = ["lower", "upper", "work"].map(|name| {
        let path = layers.join(name);
        format!("{name}dir={}", path.display())
    });
    let mounted = (Command::new("mount").args(["-t", "overlay", "overlay", "-o"]))
        .arg(options.join(","))
        .arg(layers.join("merged"))
        .status();
    assert!(mounted.unwrap().success());
}

/// So that the place can be removed.
fn take_down(place: &TestFolder) {
    let layers = place.at("layers");
    let unmounted = (Command::new("umount").arg("--recursive"))
        .arg(&layers)
        .status();
    assert!(unmounted.unwrap().success());
}

#[tokio::test]
async fn an_overlay_is_followed_when_files_are_copied_up_replaced_and_hidden() {
    let name = "source::file::mounted::an_overlay_is_followed_when_files_are_copied_up_replaced_and_hidden";
    if !is_child(name) {
        again(name, NAMESPACE);
        return;
    }
    let place = TestFolder::new().await;
    overlay(&place);
    let path = place.at("layers/merged/f");
    let mut file = WatchedPath::at(&path);
    let mut folder = dir(&place.at("layers/merged/d"));
    file.reads("1").await;
    folder.holds("a=1 b=1").await;
    // The first write copies the file up: from then on it is another one.
    for n in 2..6 {
        fs::write(&path, n.to_string()).unwrap();
        file.reads(&n.to_string()).await;
        fs::write(place.at("layers/merged/d/a"), n.to_string()).unwrap();
        folder.holds(&format!("a={n} b=1")).await;
    }
    for n in 6..9 {
        place.replace("layers/merged/f", &n.to_string());
        file.reads(&n.to_string()).await;
        place.replace("layers/merged/d/b", &n.to_string());
        folder.holds(&format!("a=5 b={n}")).await;
    }
    // What is deleted hides what is below.
    for n in 9..11 {
        fs::remove_file(&path).unwrap();
        fs::remove_file(place.at("layers/merged/d/a")).unwrap();
        file.sees(SeenFile::Absent).await;
        folder.holds(&format!("b={}", n - 1)).await;
        fs::write(&path, n.to_string()).unwrap();
        file.reads(&n.to_string()).await;
        fs::write(place.at("layers/merged/d/b"), n.to_string()).unwrap();
        folder.holds(&format!("b={n}")).await;
        fs::write(place.at("layers/merged/d/a"), n.to_string()).unwrap();
        folder.holds(&format!("a={n} b={n}")).await;
    }
    // A folder that came from below is replaced by one of the same name.
    fs::remove_dir_all(place.at("layers/merged/d")).unwrap();
    place.write("layers/merged/d/a", "new");
    folder.holds("a=new").await;
    assert!(file.failing.is_none() && folder.failing.is_none());
    take_down(&place);
}

/// What is written to the lower layer of an overlay has no events above it.
#[tokio::test]
async fn a_file_system_without_events_is_read_again_in_time_and_never_half() {
    let name =
        "source::file::mounted::a_file_system_without_events_is_read_again_in_time_and_never_half";
    if !is_child(name) {
        again(name, NAMESPACE);
        return;
    }
    let place = TestFolder::new().await;
    overlay(&place);
    let tick = Duration::from_millis(50);
    let merged = place.at("layers/merged");
    let mut by_events = WatchedPath::at(&merged.join("f"));
    let mut file = WatchedPath::of(File::new(merged.join("f")).resync(tick).settle(3 * SETTLE));
    let mut folder = WatchedPath::of(Dir::new(merged.join("d")).resync(tick).settle(3 * SETTLE));
    for watched in [&mut by_events, &mut file] {
        watched.reads("1").await;
    }
    folder.holds("a=1 b=1").await;
    place.write("layers/lower/f", "2");
    by_events.stays().await;
    file.reads("2").await;
    for n in 3..6 {
        place.write("layers/lower/f", &n.to_string());
        place.write("layers/lower/d/a", &n.to_string());
        file.reads(&n.to_string()).await;
        folder.holds(&format!("a={n} b=1")).await;
    }
    let open = |name: &str| {
        let mut options = OpenOptions::new();
        let writer = options.write(true).truncate(true);
        writer.open(place.at(name)).unwrap()
    };
    let mut writers = [open("layers/lower/f"), open("layers/lower/d/a")];
    for _ in 0..8 {
        for writer in &mut writers {
            writer.write_all(b"part ").unwrap();
        }
        sleep(SETTLE / 3).await;
    }
    drop(writers);
    let whole = "part ".repeat(8);
    file.reads(&whole).await;
    folder.holds(&format!("a={whole} b=1")).await;
    assert_eq!(file.seen.len(), 6, "{:?}", file.seen);
    assert_eq!(folder.history().len(), 5, "{:?}", folder.history());
    take_down(&place);
}
