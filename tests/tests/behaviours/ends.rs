//! Programs whose runtime ends without a stop, with content on trial: what is found of it on the disk, and what is told.

use crate::kit::Ear;
use flux::{Capacitor, Flux, Secrets, Source};
use std::{fs, path::Path, time::Duration};

#[derive(Debug, Flux)]
struct Ended {
    n: u32,
    #[flux(secret)]
    pin: String,
}

fn capacitor(folder: &Path) -> Capacitor<Ended> {
    Capacitor::<Ended>::builder()
        .source(Source::file(folder.join("app.yaml").to_str().unwrap()))
        .debounce(Duration::from_millis(1))
        .last_known_good(folder.join("last.json").to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .build()
        .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// A folder with the file of a first configuration.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.yaml"), "n: 1\npin: sesame4711").unwrap();
    runtime().block_on(async {
        let app = capacitor(folder.path());
        app.start().await.unwrap();
        let kept = folder.path().join("last.json");
        crate::until("it is kept", || kept.exists()).await;
        app.stop().await;
    });
    folder
}

#[test]
fn a_program_that_ends_since_its_start_is_refused_leaves_no_trial_behind() {
    let folder = folder();
    // The file has no pin, so that it cannot serve.
    fs::write(folder.path().join("app.yaml"), "n: none").unwrap();
    for _ in 0..20 {
        let error = runtime().block_on(async { capacitor(folder.path()).start().await });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("n: expected u32"), "{error}");
        let record = fs::read_to_string(folder.path().join("last.json.trial"));
        assert!(record.is_err(), "{record:?}");
    }
}

#[test]
fn a_program_that_ends_without_a_stop_during_a_trial_is_told_to_stop() {
    let folder = folder();
    fs::write(folder.path().join("app.yaml"), "n: 2\npin: sesame4711").unwrap();
    let (ear, _guard) = Ear::listen();
    let app = capacitor(folder.path());
    runtime().block_on(async { app.start().await.unwrap() });
    let told = ear.text();
    let warning = "the program ends without a stop while `n`, `pin` is on trial, which counts as a death of the process";
    assert!(
        told.contains("the program ends without a stop while `n`"),
        "{warning}: {told}"
    );
    assert!(folder.path().join("last.json.trial").exists());
    let app = capacitor(folder.path());
    runtime().block_on(async {
        app.start().await.unwrap();
        app.stop().await;
    });
    assert!(!ear.text().contains("without a stop"), "it was stopped");
}
