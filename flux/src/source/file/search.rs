//! Tests a file that is looked for in several folders: which of them counts, what the layer is called, and that none is lost.

use crate::{Capacitor, Source, State};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct SearchApp {
    #[flux(default = 0, range = 0..=1_000_000)]
    n: u32,
}

struct Folders {
    _temp: tempfile::TempDir,
    all: Vec<PathBuf>,
}

impl Folders {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let all = ["a", "b", "c"].map(|name| root.join(name)).to_vec();
        Folders { _temp: temp, all }
    }

    fn file(&self, folder: usize) -> PathBuf {
        self.all[folder].join("app.yaml")
    }

    /// Written beside the file, and renamed into its place.
    fn put(&self, folder: usize, text: &str) {
        fs::create_dir_all(&self.all[folder]).unwrap();
        let aside = self.all[folder].join("aside");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, self.file(folder)).unwrap();
    }

    fn source(&self) -> Source {
        let folders = self.all.iter().map(|folder| folder.to_str().unwrap());
        Source::search("app.yaml", folders)
            .settle(Duration::from_millis(30))
            .resync(Duration::from_secs(3600))
    }

    fn capacitor(&self) -> Capacitor<SearchApp> {
        let builder = Capacitor::<SearchApp>::builder().source(self.source());
        builder.debounce(Duration::ZERO).build().unwrap()
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..4_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within 20 s: {what}");
}

fn origin(capacitor: &Capacitor<SearchApp>) -> PathBuf {
    PathBuf::from(&*capacitor.status().layers[0].origin)
}

fn explained(capacitor: &Capacitor<SearchApp>) -> String {
    capacitor.explain("n").unwrap().to_string()
}

fn shown(path: &Path) -> String {
    format!("{}:1:4", path.display())
}

#[tokio::test]
async fn the_best_folder_counts_and_one_that_vanishes_gives_way_to_the_next() {
    let folders = Folders::new();
    folders.put(2, "n: 3");
    let capacitor = folders.capacitor();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 3);
    assert_eq!(origin(&capacitor), folders.file(2));
    assert!(explained(&capacitor).contains(&shown(&folders.file(2))));

    // Its folder is not there yet.
    folders.put(0, "n: 1");
    until("the better one", || capacitor.get().n == 1).await;
    assert_eq!(origin(&capacitor), folders.file(0));
    assert!(explained(&capacitor).contains(&shown(&folders.file(0))));

    folders.put(1, "n: 2");
    folders.put(2, "n: 4");
    fs::remove_file(folders.file(0)).unwrap();
    until("the next one", || capacitor.get().n == 2).await;
    fs::remove_dir_all(&folders.all[1]).unwrap();
    until("the last one", || capacitor.get().n == 4).await;
    assert_eq!(origin(&capacitor), folders.file(2));
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn a_better_file_that_is_refused_is_named_and_what_serves_keeps_its_name() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let capacitor = folders.capacitor();
    capacitor.start().await.unwrap();
    folders.put(0, "n: x");
    until("the refusal", || capacitor.state() == State::Degraded).await;
    let report = capacitor.status().error.clone().unwrap().to_string();
    assert!(report.contains(&shown(&folders.file(0))), "{report}");
    assert!(explained(&capacitor).contains(&shown(&folders.file(1))));
    assert_eq!(capacitor.get().n, 2);
    fs::remove_file(folders.file(0)).unwrap();
    until("the next one", || capacitor.state() == State::Healthy).await;
    assert_eq!(origin(&capacitor), folders.file(1));
}

#[tokio::test]
async fn the_same_document_at_a_better_place_is_no_update_and_is_called_by_it() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let capacitor = folders.capacitor();
    capacitor.start().await.unwrap();
    let generation = capacitor.status().generation;
    folders.put(0, "n: 2");
    until("the place", || origin(&capacitor) == folders.file(0)).await;
    assert!(explained(&capacitor).contains(&shown(&folders.file(0))));
    assert_eq!(capacitor.status().generation, generation);
}

#[tokio::test]
async fn what_serves_again_after_a_way_back_is_called_by_the_place_where_it_was_found() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let capacitor = folders.capacitor();
    capacitor.start().await.unwrap();
    folders.put(0, "\nn: 1");
    until("the better one", || capacitor.get().n == 1).await;
    capacitor.rollback(None).await.unwrap();
    assert_eq!(capacitor.get().n, 2);
    assert!(explained(&capacitor).contains(&shown(&folders.file(1))));
    capacitor.rollback(2).await.unwrap();
    let expected = format!("{}:2:4", folders.file(0).display());
    assert!(explained(&capacitor).contains(&expected));
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn a_recording_is_replayed_to_the_same_refusals_wherever_the_file_was_found() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let recorder = crate::record::Recorder::in_memory();
    let builder = Capacitor::<SearchApp>::builder().source(folders.source());
    let capacitor = builder.debounce(Duration::ZERO).record(&recorder);
    let capacitor = capacitor.build().unwrap();
    capacitor.start().await.unwrap();
    folders.put(0, "n: x");
    until("the refusal", || capacitor.state() == State::Degraded).await;
    capacitor.stop().await;
    let recording: crate::record::Recording = recorder.lines().parse().unwrap();
    let replay = recording
        .replay(Capacitor::<SearchApp>::builder())
        .await
        .unwrap();
    assert_eq!(replay.difference(), None, "{}", recorder.lines());
    assert!(!recorder.lines().contains(folders.all[0].to_str().unwrap()));
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn what_is_kept_on_disk_is_found_again_wherever_the_file_is() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let kept = folders.all[0].with_file_name("kept.json");
    let builder = || {
        let builder = Capacitor::<SearchApp>::builder().source(folders.source());
        builder.last_known_good(kept.to_str().unwrap(), crate::Secrets::Omit)
    };
    let capacitor = builder().build().unwrap();
    capacitor.start().await.unwrap();
    until("the file", || kept.exists()).await;
    capacitor.stop().await;
    folders.put(0, "n: 1");
    let inputs = crate::inspect::Inputs::new();
    let good = builder().last_good(&inputs).unwrap().unwrap();
    let changes = good.changes_to(&builder().check(inputs).unwrap());
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(changes.len(), 1);
    assert!(changes[0].contains("2 -> 1"), "{changes:?}");
}

#[tokio::test]
async fn a_layer_with_a_name_keeps_it_wherever_its_file_is_found() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    let builder = Capacitor::<SearchApp>::builder().source(folders.source().named("base"));
    let capacitor = builder.debounce(Duration::ZERO).build().unwrap();
    capacitor.start().await.unwrap();
    folders.put(0, "n: 1");
    until("the better one", || capacitor.get().n == 1).await;
    assert_eq!(origin(&capacitor), Path::new("base"));
    assert!(explained(&capacitor).contains("base:1:4"));
}

#[tokio::test]
async fn a_plan_reads_the_file_that_a_start_would_find() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    for source in [folders.source(), folders.source().named("base")] {
        let builder = Capacitor::<SearchApp>::builder().source(source).manual();
        let capacitor = builder.build().unwrap();
        capacitor.start().await.unwrap();
        let notes = || {
            let plan = capacitor.plan(&crate::inspect::Inputs::new());
            plan.unwrap().notes
        };
        assert_eq!(notes(), [""; 0]);
        folders.put(0, "n: 1");
        assert!(notes()[0].contains("its file has changed"), "{:?}", notes());
        fs::remove_file(folders.file(0)).unwrap();
    }
}

#[derive(Debug, Default, Clone, PartialEq, serde::Deserialize)]
#[serde(default)]
#[allow(dead_code, reason = "no test reads it")]
struct PoolOfSearch {
    min: u32,
    max: u32,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct WithPool {
    #[flux(default, range = 0..=9)]
    n: u32,
    #[flux(default)]
    pool: PoolOfSearch,
}

#[tokio::test]
async fn a_warning_names_the_file_that_serves_while_a_better_one_is_refused() {
    let folders = Folders::new();
    folders.put(1, "pool: {min: 1, max: 2}");
    let local = folders.all[0].with_file_name("local.yaml");
    fs::write(&local, "pool: {min: 3}").unwrap();
    let builder = Capacitor::<WithPool>::builder().source(folders.source());
    let builder = builder.source(Source::file(local.to_str().unwrap()));
    let capacitor = builder.debounce(Duration::ZERO).build().unwrap();
    capacitor.start().await.unwrap();
    let warning = || capacitor.status().warnings[0].to_string();
    let expected = format!("{}, line 1, so that `max`", folders.file(1).display());
    assert!(warning().contains(&expected), "{}", warning());
    folders.put(0, "\nn: x");
    until("the refusal", || capacitor.state() == State::Degraded).await;
    assert!(warning().contains(&expected), "{}", warning());
}

#[tokio::test]
async fn nothing_found_lists_where_was_looked() {
    let folders = Folders::new();
    let capacitor = folders.capacitor();
    let error = capacitor.start().await.unwrap_err().to_string();
    let places: Vec<String> = (0..3)
        .map(|folder| folders.file(folder).display().to_string())
        .collect();
    let expected = format!(
        "is in none of the places where it is looked for: {}",
        places.join(", ")
    );
    assert!(error.contains(&expected), "{error}");
    assert!(
        error.contains("--> app.yaml\n") || error.ends_with("--> app.yaml"),
        "{error}"
    );
    folders.put(1, "n: 5");
    until("the first one", || capacitor.state() == State::Healthy).await;
    assert_eq!(capacitor.get().n, 5);
}

#[test]
fn a_load_takes_the_first_that_exists() {
    let folders = Folders::new();
    folders.put(1, "n: 2");
    folders.put(2, "n: 3");
    let builder = Capacitor::<SearchApp>::builder().source(folders.source());
    assert_eq!(builder.load().unwrap().n, 2);
}

/// Files and folders come, change and go in any order; at the end what is applied is the first file that exists.
#[tokio::test]
async fn after_random_operations_the_first_file_that_exists_is_applied() {
    let given = std::env::var("FLUX_FILE_SEED").ok();
    let seed = given.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let folders = Folders::new();
    folders.put(2, "n: 0");
    let capacitor = folders.capacitor();
    capacitor.start().await.unwrap();
    let mut number = 0;
    for round in 0..40 {
        for _ in 0..random.usize(1..8) {
            number += 1;
            let text = format!("n: {number}");
            let folder = random.usize(0..3);
            let away = folders.all[folder].with_extension("away");
            // Some of it has nothing to work on.
            match random.u8(0..6) {
                0 | 1 => folders.put(folder, &text),
                2 => drop(fs::write(folders.file(folder), &text)),
                3 => drop(fs::remove_file(folders.file(folder))),
                4 => drop(fs::remove_dir_all(&folders.all[folder])),
                _ => {
                    let _ = fs::rename(&folders.all[folder], &away);
                    let _ = match random.bool() {
                        true => fs::rename(&away, &folders.all[folder]),
                        false => fs::remove_dir_all(&away),
                    };
                }
            }
            if random.u8(0..4) == 0 {
                tokio::time::sleep(Duration::from_millis(random.u64(0..50))).await;
            }
        }
        let first = (0..3).find(|folder| folders.file(*folder).exists());
        let Some(first) = first else {
            // What was applied last is kept until there is one again.
            continue;
        };
        let text = fs::read_to_string(folders.file(first)).unwrap();
        let what = format!("FLUX_FILE_SEED={seed}, round {round}: {text} of {first}");
        until(&what, || {
            let is_applied = text == format!("n: {}", capacitor.get().n);
            is_applied && origin(&capacitor) == folders.file(first)
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_odd_in_the_name_of_a_folder_is_escaped_where_the_layer_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("a\u{1b}[2J\nb");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("app.yaml"), "n: 1").unwrap();
    let source = Source::search("app.yaml", [folder.to_str().unwrap()]);
    let builder = Capacitor::<SearchApp>::builder().source(source);
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    let origin = capacitor.status().layers[0].origin.to_string();
    assert!(origin.ends_with("a\\u{1b}[2J\\nb/app.yaml"), "{origin}");
}
