//! Files come, change and go while the program runs.

use super::{DropInApp, DropInFolder, built, files};
use flux::{Capacitor, State, source::Health};
use std::{fs, time::Duration};

async fn sees(capacitor: &Capacitor<DropInApp>, n: u32) {
    crate::until(&format!("n is {n}"), || capacitor.get().n == n).await;
}

#[tokio::test]
async fn a_later_name_overrides_an_earlier_one_byte_by_byte() {
    let folder = DropInFolder::of(&[
        ("20-b.yaml", "n: 20\nname: b"),
        ("10-a.yaml", "n: 10\nlabels: {a: a, z: a}"),
        ("9.yaml", "n: 9\nlabels: {z: nine}"),
        ("B.yaml", "pool: {size: 7}"),
    ]);
    let capacitor = folder.started::<DropInApp>().await;
    let app = capacitor.get();
    assert_eq!((app.n, &*app.name), (9, "b"));
    assert_eq!((app.pool.size, app.pool.idle), (7, 2));
    assert_eq!((&*app.labels["a"], &*app.labels["z"]), ("a", "nine"));
    assert_eq!(
        files(&capacitor),
        ["10-a.yaml", "20-b.yaml", "9.yaml", "B.yaml"]
    );
}

#[tokio::test]
async fn files_come_change_and_go() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
    let capacitor = folder.started::<DropInApp>().await;
    sees(&capacitor, 1).await;
    folder.put("30-c.yaml", "n: 3");
    sees(&capacitor, 3).await;
    folder.put("20-b.yaml", "{n: 2, name: b}");
    crate::until("the name of the second", || capacitor.get().name == "b").await;
    assert_eq!(capacitor.get().n, 3);
    folder.put("30-c.yaml", "n: 4");
    sees(&capacitor, 4).await;
    folder.remove("30-c.yaml");
    sees(&capacitor, 2).await;
    fs::rename(folder.file("20-b.yaml"), folder.file("05-b.yaml")).unwrap();
    sees(&capacitor, 1).await;
    assert_eq!(capacitor.get().name, "b");
    folder.remove("05-b.yaml");
    folder.remove("10-a.yaml");
    sees(&capacitor, 0).await;
    assert_eq!(files(&capacitor), Vec::<String>::new());
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn what_does_not_fit_the_pattern_is_not_read() {
    let folder = DropInFolder::of(&[
        ("10-a.yaml", "n: 1"),
        (".20-hidden.yaml", "n: 2"),
        ("30-c.yaml~", "n: 3"),
        ("40-d.yaml.bak", "n: 4"),
        ("50-e.yml", "n: 5"),
        ("README", "not for Flux"),
    ]);
    fs::create_dir(folder.file("60-folder.yaml")).unwrap();
    fs::write(folder.file("60-folder.yaml").join("f.yaml"), "n: 6").unwrap();
    let capacitor = folder.started::<DropInApp>().await;
    assert_eq!(capacitor.get().n, 1);
    folder.put("70-g.swp", "n: 7");
    folder.put("80-h.yaml", "n: 8");
    sees(&capacitor, 8).await;
    assert_eq!(files(&capacitor), ["10-a.yaml", "80-h.yaml"]);
}

#[tokio::test]
async fn a_folder_that_is_made_later_is_seen() {
    let folder = DropInFolder::absent();
    let capacitor = folder.started::<DropInApp>().await;
    assert_eq!(capacitor.get().n, 0);
    fs::create_dir(&folder.path).unwrap();
    folder.put("10-a.yaml", "n: 1");
    sees(&capacitor, 1).await;
    fs::remove_dir_all(&folder.path).unwrap();
    sees(&capacitor, 0).await;
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn an_optional_folder_without_files_does_not_delay_the_start() {
    for folder in [DropInFolder::new(), DropInFolder::absent()] {
        let began = std::time::Instant::now();
        let source = flux::Source::file(folder.pattern("*.yaml")).optional();
        let capacitor = built::<DropInApp>(source);
        capacitor.start().await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(900));
        assert_eq!(capacitor.get().n, 0);
    }
}

#[tokio::test]
async fn a_required_source_needs_a_file() {
    for (folder, words) in [
        (
            DropInFolder::new(),
            "names no file that exists, and this layer is required",
        ),
        (
            DropInFolder::absent(),
            "names no file, since its folder does not exist, and this layer is required",
        ),
    ] {
        let capacitor = built::<DropInApp>(folder.source());
        let refused = capacitor.start().await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
        assert!(refused.contains(&folder.pattern("*.yaml")), "{refused}");
        fs::create_dir_all(&folder.path).unwrap();
        folder.put("10-a.yaml", "n: 1");
        crate::until("the first file", || capacitor.state() == State::Healthy).await;
        assert_eq!(capacitor.get().n, 1);
        // The last one that goes takes nothing away, as a required file that goes.
        folder.remove("10-a.yaml");
        crate::until("the refusal", || capacitor.state() == State::Degraded).await;
        assert_eq!(capacitor.get().n, 1);
        folder.put("20-b.yaml", "n: 2");
        sees(&capacitor, 2).await;
        assert_eq!(capacitor.state(), State::Healthy);
    }
}

/// A file of comments alone is a usual drop-in, also where one file is required.
#[tokio::test]
async fn a_file_without_content_contributes_nothing() {
    let folder = DropInFolder::of(&[("10-a.yaml", "# n: 5\n"), ("20-b.yaml", "")]);
    let capacitor = built::<DropInApp>(folder.source());
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 0);
}

#[tokio::test]
async fn one_broken_file_refuses_the_whole_change_and_is_named() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
    let capacitor = folder.started::<DropInApp>().await;
    // Both at once, as far as an observer can see it.
    folder.put("20-b.yaml", "name: b\nn: [");
    crate::until("the refusal", || capacitor.state() == State::Degraded).await;
    folder.put("10-a.yaml", "n: 7");
    folder.put("30-c.yaml", "name: c");
    let report = || capacitor.last_error().unwrap().to_string();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let app = capacitor.get();
    assert_eq!((app.n, &*app.name), (1, "b"), "{}", report());
    assert!(
        report().contains(&format!("{}:3:1", folder.origin("20-b.yaml"))),
        "{}",
        report()
    );
    folder.put("20-b.yaml", "name: better");
    sees(&capacitor, 7).await;
    assert_eq!(capacitor.get().name, "c");
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn a_new_file_that_is_broken_does_not_hold_up_other_layers() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
    let (sender, channel) = flux::source::Channel::buffered("above", 4);
    let capacitor = Capacitor::<DropInApp>::builder()
        .source(folder.source())
        .override_with(flux::Source::watcher(channel).format(flux::Format::Yaml))
        .debounce(Duration::ZERO)
        .build()
        .unwrap();
    sender.send(&b"name: above"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    folder.put("20-b.yaml", "n: many");
    crate::until("the refusal", || capacitor.state() == State::Degraded).await;
    sender.send(&b"name: changed"[..]).await.unwrap();
    crate::until("the other layer", || capacitor.get().name == "changed").await;
    assert_eq!(capacitor.get().n, 1);
    folder.remove("20-b.yaml");
    crate::until("all well", || capacitor.state() == State::Healthy).await;
}

#[tokio::test]
async fn a_rule_that_files_break_together_names_the_one_that_decides() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "\nn: 5000")]);
    let capacitor = built::<DropInApp>(folder.source());
    let refused = capacitor.start().await.unwrap_err().to_string();
    let place = format!("{}:2:4", folder.origin("20-b.yaml"));
    assert!(refused.contains(&place), "{refused}");
}

#[tokio::test]
async fn a_generation_of_before_has_the_files_of_then() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("30-c.yaml", "name: c")]);
    let capacitor = folder.started::<DropInApp>().await;
    folder.put("20-b.yaml", "n: 2");
    sees(&capacitor, 2).await;
    folder.remove("10-a.yaml");
    folder.put("05-z.yaml", "labels: {a: b}");
    crate::until("the label", || capacitor.get().labels.contains_key("a")).await;
    let is_there = |name: &str| files(&capacitor).iter().any(|file| file == name);
    crate::until("no first file", || !is_there("10-a.yaml")).await;
    folder.put("20-b.yaml", "n: 3");
    sees(&capacitor, 3).await;
    capacitor.rollback(Some(1)).await.unwrap();
    let app = capacitor.get();
    assert_eq!((app.n, &*app.name, app.labels.len()), (1, "c", 0));
    let report = capacitor.last_error().unwrap();
    let mut taken_back: Vec<&str> = (report.problems().iter())
        .map(|problem| &*problem.origin)
        .collect();
    taken_back.sort_unstable();
    let files = ["05-z.yaml", "10-a.yaml", "20-b.yaml"].map(|name| folder.origin(name));
    assert_eq!(taken_back, files);
    // What is taken back is not tried again until it changes.
    folder.put("20-b.yaml", "n: 4");
    sees(&capacitor, 4).await;
}

#[tokio::test]
async fn names_that_come_and_go_do_not_add_up() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
    let capacitor = folder.started::<DropInApp>().await;
    for round in 0..40_u32 {
        let name = format!("20-{round}.yaml");
        folder.put(&name, &format!("n: {}", round + 2));
        sees(&capacitor, round + 2).await;
        folder.remove(&name);
        sees(&capacitor, 1).await;
    }
    let layers = capacitor.status().layers.len();
    assert!(layers < 15, "{layers} layers");
}

#[tokio::test]
async fn the_health_of_the_folder_is_that_of_its_files() {
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
    let capacitor = folder.started::<DropInApp>().await;
    crate::until("live", || {
        let status = capacitor.status();
        let mut layers = status.layers.iter();
        layers.all(|layer| matches!(layer.health, Health::Live))
    })
    .await;
    let status = capacitor.status();
    let origins: Vec<&str> = status.layers.iter().map(|layer| &*layer.origin).collect();
    assert_eq!(
        origins,
        [folder.pattern("*.yaml"), folder.origin("10-a.yaml")]
    );
}
