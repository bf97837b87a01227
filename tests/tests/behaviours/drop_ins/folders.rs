//! Folders as programs and systems make them: links, objects of Kubernetes, names of any kind, more than fits.

use super::{DropInApp, DropInFolder, built, files, source};
use flux::{Format, State};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

/// A folder as the kubelet makes it: files are links through `..data` to a folder that is replaced as a whole.
fn swap(folder: &Path, version: &str, files: &[(&str, &str)]) {
    fs::create_dir(folder.join(version)).unwrap();
    for (name, text) in files {
        fs::write(folder.join(version).join(name), text).unwrap();
    }
    symlink(version, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    for (name, _) in files {
        if fs::symlink_metadata(folder.join(name)).is_err() {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn an_object_of_kubernetes_is_replaced_as_a_whole() {
    let folder = DropInFolder::new();
    swap(
        &folder.path,
        "..1",
        &[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: one")],
    );
    let capacitor = folder.started::<DropInApp>().await;
    assert_eq!((capacitor.get().n, &*capacitor.get().name), (1, "one"));
    swap(
        &folder.path,
        "..2",
        &[("10-a.yaml", "n: 2"), ("20-b.yaml", "name: two")],
    );
    crate::until("the second version", || capacitor.get().n == 2).await;
    assert_eq!(capacitor.get().name, "two");
    // One broken file of it refuses all of it.
    swap(
        &folder.path,
        "..3",
        &[("10-a.yaml", "n: 3"), ("20-b.yaml", "name: [")],
    );
    crate::until("the refusal", || capacitor.state() == State::Degraded).await;
    assert_eq!((capacitor.get().n, &*capacitor.get().name), (2, "two"));
    swap(
        &folder.path,
        "..4",
        &[
            ("10-a.yaml", "n: 4"),
            ("20-b.yaml", "name: four"),
            ("30-c.yaml", "labels: {c: c}"),
        ],
    );
    crate::until("the third file", || capacitor.get().labels.len() == 1).await;
    assert_eq!((capacitor.get().n, &*capacitor.get().name), (4, "four"));
}

#[tokio::test]
async fn links_are_followed_and_watched() {
    let folder = DropInFolder::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("real");
    fs::write(&real, "n: 1").unwrap();
    symlink(&real, folder.file("10-a.yaml")).unwrap();
    let capacitor = folder.started::<DropInApp>().await;
    assert_eq!(capacitor.get().n, 1);
    fs::write(&real, "n: 2").unwrap();
    crate::until("what the link leads to", || capacitor.get().n == 2).await;
    // A link that leads to nothing, as systemd masks a drop-in.
    fs::remove_file(&real).unwrap();
    crate::until("the default", || capacitor.get().n == 0).await;
    symlink("/dev/null", folder.file("20-b.yaml")).unwrap();
    crate::until("the refusal", || capacitor.state() == State::Degraded).await;
    let report = capacitor.last_error().unwrap().to_string();
    assert!(report.contains("20-b.yaml is a device"), "{report}");
}

#[tokio::test]
async fn a_folder_that_is_a_link_may_lead_elsewhere() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().canonicalize().unwrap();
    for (name, text) in [("one", "n: 1"), ("two", "n: 2")] {
        fs::create_dir(root.join(name)).unwrap();
        fs::write(root.join(name).join("10-a.yaml"), text).unwrap();
    }
    symlink("one", root.join("conf.d")).unwrap();
    let capacitor = built::<DropInApp>(source(&format!("{}/conf.d/*.yaml", root.display())));
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
    symlink("two", root.join("aside")).unwrap();
    fs::rename(root.join("aside"), root.join("conf.d")).unwrap();
    crate::until("the other folder", || capacitor.get().n == 2).await;
}

#[tokio::test]
async fn each_file_has_the_format_of_its_name_where_the_pattern_leaves_it_open() {
    let folder = DropInFolder::of(&[
        ("10-a.yaml", "n: 1\nname: yaml"),
        ("20-b.toml", "n = 2\nlabels = {b = \"toml\"}"),
        ("30-c.json", r#"{"n": 3}"#),
    ]);
    let capacitor = built::<DropInApp>(source(&folder.pattern("*")));
    capacitor.start().await.unwrap();
    let app = capacitor.get();
    assert_eq!((app.n, &*app.name, &*app.labels["b"]), (3, "yaml", "toml"));
    folder.put("README", "# what this folder is for");
    crate::until("the refusal", || capacitor.state() == State::Degraded).await;
    let report = capacitor.last_error().unwrap().to_string();
    assert!(
        report.contains("has no format") && report.contains(&folder.origin("README")),
        "{report}"
    );
    let named = source(&folder.pattern("*E")).format(Format::Toml);
    let capacitor = built::<DropInApp>(named);
    capacitor.start().await.unwrap();
}

#[tokio::test]
async fn a_name_of_any_characters_is_shown_with_them_escaped() {
    let folder = DropInFolder::of(&[("10-é\u{1b}[2J.yaml", "n: many")]);
    let capacitor = built::<DropInApp>(folder.source());
    let refused = capacitor.start().await.unwrap_err().to_string();
    assert!(refused.contains("10-é\\u{1b}[2J.yaml:1:4"), "{refused}");
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"20-\xff.yaml");
    fs::write(folder.path.join(name), "n: 2").unwrap();
    folder.remove("10-é\u{1b}[2J.yaml");
    let has = |words: &str| {
        let report = capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains(words))
    };
    crate::until("a refusal of the name", || has("a name that is not UTF-8")).await;
}

#[tokio::test]
async fn a_file_that_may_not_be_read_refuses_the_start_by_its_name() {
    // Root may read everything.
    if fs::read("/etc/shadow").is_ok() {
        return;
    }
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "n: 2")]);
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(folder.file("20-b.yaml"), closed).unwrap();
    let capacitor = built::<DropInApp>(folder.source());
    let refused = capacitor.start().await.unwrap_err().to_string();
    assert!(refused.contains(&folder.origin("20-b.yaml")), "{refused}");
}

#[tokio::test]
async fn more_files_than_the_limit_are_refused() {
    let folder = DropInFolder::new();
    for number in 0..4097 {
        fs::write(folder.file(&format!("{number:05}.yaml")), "{}").unwrap();
    }
    let capacitor = built::<DropInApp>(folder.source());
    let refused = capacitor.start().await.unwrap_err().to_string();
    assert!(
        refused.contains("names more than the limit of 4096 files"),
        "{refused}"
    );
    folder.remove("00000.yaml");
    folder.put("00001.yaml", "n: 5");
    crate::until("no more than the limit", || {
        capacitor.state() == State::Healthy && capacitor.get().n == 5
    })
    .await;
    assert_eq!(files(&capacitor).len(), 4096);
}

#[tokio::test]
async fn files_that_are_large_together_are_refused() {
    let folder = DropInFolder::new();
    for number in 0..5 {
        let file = fs::File::create(folder.file(&format!("{number}.yaml"))).unwrap();
        file.set_len(15 << 20).unwrap();
    }
    let capacitor = built::<DropInApp>(folder.source());
    let refused = capacitor.start().await.unwrap_err().to_string();
    assert!(
        refused.contains("hold more than the limit of 64 MiB together"),
        "{refused}"
    );
    let file = fs::File::create(folder.file("large.yaml")).unwrap();
    file.set_len(17 << 20).unwrap();
    for number in 0..5 {
        folder.remove(&format!("{number}.yaml"));
    }
    let has = |words: &str| {
        let report = capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains(words))
    };
    crate::until("a refusal of one file", || has("large.yaml")).await;
}

#[tokio::test]
async fn files_beyond_the_limit_stay_refused_until_there_are_no_more_of_them() {
    let folder = DropInFolder::new();
    for number in 0..4096 {
        fs::write(folder.file(&format!("{number:05}.yaml")), "{}").unwrap();
    }
    let capacitor = built::<DropInApp>(folder.source());
    capacitor.start().await.unwrap();
    // Links that lead to nothing have names as well.
    for number in 0..3 {
        symlink("nowhere", folder.file(&format!("a{number}.yaml"))).unwrap();
    }
    folder.put("b.yaml", "n: 7");
    let is_refused = || {
        let report = capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains("names more than the limit"))
    };
    crate::until("the refusal", is_refused).await;
    assert_eq!(capacitor.get().n, 0);
    folder.remove("00000.yaml");
    folder.remove("00001.yaml");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert!(
        is_refused() && capacitor.get().n == 0,
        "{:?}",
        capacitor.last_error()
    );
    folder.remove("a0.yaml");
    folder.remove("a1.yaml");
    crate::until("no more than the limit", || {
        capacitor.state() == State::Healthy && capacitor.get().n == 7
    })
    .await;
}
