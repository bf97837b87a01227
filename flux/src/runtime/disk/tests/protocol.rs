//! A loss of power at any moment of a capacitor's life: from whatever is on the disk then, the next start serves something good, and
//! counts the death once at most.

use super::{AfterCall, Faulty, Medium};
use crate::{
    Capacitor, Format, Secrets, Source, State,
    runtime::{
        disk::on_disk,
        last_known_good::KeepOnDisk,
        trial_file::{self, TrialFile},
    },
    source::Channel,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct PowerApp {
    n: u32,
}

const CONFIG: &str = "PowerApp";
const LIMIT: Duration = Duration::from_secs(60);
/// A process is started after fewer deaths than this.
const LIVES: u32 = 3;
const TRIES: u32 = 2;

/// What the two files hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FilesLeft {
    kept: Option<Vec<u8>>,
    record: Option<Vec<u8>>,
}

/// What a process finds.
#[derive(Debug, Clone)]
struct FoundByStart {
    files: FilesLeft,
    /// The number in the document.
    holds: u32,
    /// How many processes have died.
    deaths: u32,
}

/// A folder for the two files.
struct TwoFiles {
    folder: tempfile::TempDir,
}

impl TwoFiles {
    fn kept(&self) -> PathBuf {
        self.folder.path().join("last.json")
    }

    fn record(&self) -> PathBuf {
        trial_file::beside(&self.kept())
    }

    /// Puts the files there, as another process has left them.
    fn put(&self, files: &FilesLeft) {
        for (path, content) in [(self.kept(), &files.kept), (self.record(), &files.record)] {
            let _ = fs::remove_file(&path);
            if let Some(content) = content {
                fs::write(path, content).unwrap();
            }
        }
    }

    /// The medium with these files on it.
    fn medium(&self, files: &FilesLeft) -> Medium {
        let mut medium = Medium::default();
        for (path, content) in [(self.kept(), &files.kept), (self.record(), &files.record)] {
            if let Some(content) = content {
                medium.synced.insert(path, medium.files.len());
                medium.files.push((content.clone(), content.len()));
            }
        }
        medium
    }

    /// Everything that the two files may hold after a loss of power: of what has happened to names since the folder was synced,
    /// any part may be missing, and of what was written to a file since it was synced, anything.
    fn possible(&self, medium: &Medium) -> BTreeSet<FilesLeft> {
        let since = medium.since.len();
        assert!(since <= 8, "the folder is synced after each file");
        let mut all = BTreeSet::new();
        for chosen in 0..1_usize << since {
            let mut names = medium.synced.clone();
            for (at, (path, file)) in medium.since.iter().enumerate() {
                if chosen >> at & 1 == 1 {
                    match file {
                        Some(file) => names.insert(path.clone(), *file),
                        None => names.remove(path),
                    };
                }
            }
            let contents = |path: &Path| match names.get(path) {
                None => vec![None],
                Some(file) => {
                    let (content, sure) = &medium.files[*file];
                    let lengths = *sure..=content.len();
                    lengths
                        .map(|length| Some(content[..length].to_vec()))
                        .collect()
                }
            };
            for kept in contents(&self.kept()) {
                for record in contents(&self.record()) {
                    let kept = kept.clone();
                    all.insert(FilesLeft { kept, record });
                }
            }
        }
        all
    }

    /// What the last known good file has for `n`; it is whole, or not there.
    fn kept_n(&self, files: &FilesLeft) -> Option<u32> {
        let bytes = files.kept.as_ref()?;
        self.put(files);
        let keep = KeepOnDisk::new(self.kept().display().to_string(), Secrets::Omit, None).unwrap();
        let read = keep.read(CONFIG);
        assert!(
            matches!(read, Ok(Some(_))),
            "half a file: {}",
            String::from_utf8_lossy(bytes)
        );
        let root: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let n = &root["layers"][0]["content"]["n"];
        Some(u32::try_from(n.as_u64().unwrap()).unwrap())
    }
}

/// The record; it is whole, or not there.
fn record(files: &FilesLeft) -> Option<TrialFile> {
    let bytes = files.record.as_ref()?;
    let record = trial_file::parse(CONFIG, bytes);
    assert!(
        record.is_some(),
        "half a record: {}",
        String::from_utf8_lossy(bytes)
    );
    record
}

/// No death is counted twice.
fn counts_at_most(record: &TrialFile, deaths: u32) {
    let record = &record.record;
    let on_trial = record.on_trial.iter().map(|trial| trial.deaths);
    let held = record.quarantined.iter().map(|content| content.deaths);
    let row = record.in_a_row.iter().map(|row| row.contents);
    for counted in on_trial.chain(held).chain(row) {
        assert!(counted <= deaths, "{counted} of {deaths}: {record:?}");
    }
}

/// The same files, but for times and the process that wrote them.
fn without_times(files: &FilesLeft) -> String {
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(entries) => {
                for name in ["process", "since", "until", "written", "last"] {
                    entries.remove(name);
                }
                entries.values_mut().for_each(strip);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let each = [&files.kept, &files.record].map(|content| {
        let content = content.as_ref()?;
        let mut root = serde_json::from_slice(content).unwrap();
        strip(&mut root);
        Some(root)
    });
    serde_json::json!(each).to_string()
}

/// The files as a process leaves them that is not this one.
fn of_another_process(files: &FilesLeft) -> FilesLeft {
    let own = crate::runtime::process::ProcessId::own().token;
    let other = |content: &Option<Vec<u8>>| {
        let text = String::from_utf8(content.clone()?).unwrap();
        Some(text.replace(&own, "of an earlier one").into_bytes())
    };
    FilesLeft {
        kept: other(&files.kept),
        record: other(&files.record),
    }
}

async fn until(capacitor: &Capacitor<PowerApp>, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(LIMIT, wait).await;
    assert!(waited.is_ok(), "never so: {}", capacitor.status());
}

/// A process from its start to a stop in good order: what was on the medium, and in the document, after each call; and whether it held
/// content back.
async fn live(place: &TwoFiles, found: &FoundByStart) -> (Vec<(Medium, u32)>, bool) {
    let kept = place.kept_n(&found.files);
    if let Some(record) = record(&found.files) {
        counts_at_most(&record, found.deaths);
    }
    place.put(&found.files);
    let medium = Arc::new(Mutex::new(place.medium(&found.files)));
    let mut disk = Faulty::stopping_after(&medium, usize::MAX);
    let sent = Arc::new(AtomicU32::new(found.holds));
    let documents = Arc::new(Mutex::new(Vec::new()));
    disk.after = Some({
        let (documents, sent) = (Arc::clone(&documents), Arc::clone(&sent));
        let after = move || documents.lock().unwrap().push(sent.load(SeqCst));
        AfterCall(Arc::new(after))
    });
    let (sender, channel) = Channel::buffered("app", 4);
    let capacitor = Capacitor::<PowerApp>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .debounce(Duration::ZERO)
        .last_known_good(place.kept().to_str().unwrap(), Secrets::Omit)
        .trial(TRIES)
        .build()
        .unwrap();
    let send = async |n: u32| {
        sent.store(n, SeqCst);
        sender.send(format!("n: {n}").into_bytes()).await.unwrap();
    };
    send(found.holds).await;
    on_disk(Arc::new(disk.clone()), capacitor.start())
        .await
        .unwrap();
    let status = capacitor.status();
    let held_back = !status.quarantined.is_empty() && status.state == State::Degraded;
    let (serves, expected) = match held_back {
        true => (capacitor.get().n, kept),
        false => (capacitor.get().n, Some(found.holds)),
    };
    assert_eq!(Some(serves), expected, "{found:?}\n{status}");
    assert!(!held_back || found.deaths >= TRIES, "{found:?}\n{status}");
    assert_eq!(status.state == State::Healthy, !held_back, "{status}");
    // The next good document, of which no process has died yet, is applied whatever was before.
    let new = 2 + 2 * found.deaths;
    let next = new + u32::from(found.holds == new);
    send(next).await;
    until(&capacitor, || {
        capacitor.get().n == next && capacitor.state() == State::Healthy
    })
    .await;
    if found.deaths == 0 {
        // It is trusted, and the next one is on trial.
        capacitor.trust().await.unwrap();
        send(3).await;
        until(&capacitor, || capacitor.get().n == 3).await;
    }
    capacitor.stop().await;
    let past = disk.past.lock().unwrap().clone();
    let documents = documents.lock().unwrap().clone();
    assert_eq!(past.len(), documents.len());
    (past.into_iter().zip(documents).collect(), held_back)
}

#[tokio::test]
async fn after_a_loss_of_power_between_any_two_calls_of_any_process_something_good_serves_and_no_death_counts_twice()
 {
    let place = TwoFiles {
        folder: tempfile::tempdir().unwrap(),
    };
    let first = FoundByStart {
        files: FilesLeft {
            kept: None,
            record: None,
        },
        holds: 1,
        deaths: 0,
    };
    let (mut calls, mut starts, mut held_back) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    let mut open = vec![first];
    while !open.is_empty() {
        let mut next = BTreeMap::new();
        for found in open {
            let (past, held) = live(&place, &found).await;
            starts += 1;
            calls += past.len();
            held_back += u32::from(held);
            let last = past.len();
            let mut known = BTreeSet::new();
            for (at, (medium, holds)) in past.into_iter().enumerate() {
                // After the last call the process has stopped in good order.
                let deaths = found.deaths + u32::from(at + 1 < last);
                for files in place.possible(&medium) {
                    if !known.insert((files.clone(), holds, deaths)) {
                        continue;
                    }
                    place.kept_n(&files);
                    if let Some(record) = record(&files) {
                        counts_at_most(&record, found.deaths);
                    }
                    let files = of_another_process(&files);
                    let key = (without_times(&files), holds, deaths);
                    if deaths < LIVES && seen.insert(key.clone()) {
                        let found = FoundByStart {
                            files,
                            holds,
                            deaths,
                        };
                        next.insert(key, found);
                    }
                }
            }
        }
        open = next.into_values().collect();
    }
    assert!(
        calls > 500 && starts > 30 && held_back > 1,
        "{calls} calls, {starts} starts, {held_back} held back"
    );
}
