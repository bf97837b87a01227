//! An optional source that is not heard of within `wait`: when it counts as absent, and when what was known of it goes on to serve.

use crate::kit::{pass, settle};
use flux::{
    Capacitor, Flux, Format, Secrets, Source, State,
    source::SourceError,
    testing::{Script, ScriptHandle},
};
use std::{fs, path::Path, time::Duration};

#[derive(Debug, Flux)]
struct Sum {
    n: u32,
    #[flux(default = 0)]
    m: u32,
}

/// A capacitor over a document and a store that may be missing for two seconds.
fn over(base: Script, store: Script, kept: Option<&Path>) -> (Capacitor<Sum>, ScriptHandle) {
    let handle = store.handle();
    let mut builder = Capacitor::<Sum>::builder()
        .debounce(Duration::ZERO)
        .source(Source::watcher(base).format(Format::Yaml))
        .source(
            Source::watcher(store)
                .format(Format::Yaml)
                .optional()
                .wait(Duration::from_secs(2)),
        );
    if let Some(kept) = kept {
        builder = builder.last_known_good(kept.to_str().unwrap(), Secrets::Omit);
    }
    (builder.build().unwrap(), handle)
}

fn base(text: &str) -> Script {
    Script::new("base").value(text)
}

async fn ran_once(kept: &Path, store: Script) {
    let (capacitor, _) = over(base("n: 1"), store, Some(kept));
    capacitor.start().await.unwrap();
    settle().await;
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_an_optional_source_serves_when_it_is_not_heard_of_in_time_and_stays_kept()
{
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    ran_once(&kept, Script::new("store").value("m: 5")).await;
    let before = fs::read_to_string(&kept).unwrap();

    let (capacitor, store) = over(base("n: 2"), Script::new("store"), Some(&kept));
    capacitor.start().await.unwrap();
    pass(30.0).await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (2, 5));
    assert_eq!(capacitor.state(), State::Degraded);
    let status = capacitor.status().to_string();
    assert!(status.contains("has not answered yet"), "{status}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), before);

    // Once it is heard of, what it answers is the truth, also that it holds nothing.
    store.absent();
    settle().await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (2, 0));
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test(start_paused = true)]
async fn an_optional_source_of_which_nothing_is_kept_counts_as_absent_until_it_is_heard_of() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    ran_once(&kept, Script::new("store").absent()).await;
    for kept in [None, Some(folder.path().join("none.json")), Some(kept)] {
        let (capacitor, store) = over(base("n: 2"), Script::new("store"), kept.as_deref());
        capacitor.start().await.unwrap();
        settle().await;
        assert_eq!((capacitor.get().n, capacitor.get().m), (2, 0));
        assert_eq!(capacitor.state(), State::Healthy);
        store.value("m: 6");
        settle().await;
        assert_eq!((capacitor.get().m, capacitor.state()), (6, State::Healthy));
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_it_goes_on_to_serve_where_another_source_was_found_down_before_its_time_was_over()
 {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    ran_once(&kept, Script::new("store").value("m: 5")).await;
    let down = SourceError::transient("connection refused");
    let base = Script::new("base").error(down);
    let (capacitor, store) = over(base, Script::new("store"), Some(&kept));
    capacitor.start().await.unwrap();
    pass(30.0).await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (1, 5));
    assert_eq!(capacitor.state(), State::Degraded);
    store.value("m: 7");
    settle().await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (1, 7));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_heard_of_in_time_hurries_no_other_source_to_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    ran_once(&kept, Script::new("store").value("m: 5")).await;
    let slow = Script::new("base").after(Duration::from_millis(2500));
    let (capacitor, _store) = over(slow.value("n: 3"), Script::new("store"), Some(&kept));
    capacitor.start().await.unwrap();
    assert_eq!((capacitor.get().n, capacitor.get().m), (3, 5));
}
