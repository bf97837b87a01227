//! From a change of a file to the value that readers see: Flux without debounce, against notify and a read by hand.

use crate::{
    config::{DynamicApp, PlainTenant, Tenant, plain},
    table::{Row, Table},
};
use arc_swap::ArcSwap;
use flux::{Capacitor, Flux, Source, State};
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::Notify};

const CHANGES: u64 = 300;
const LOOKED_AT: u64 = 1_000;

/// Half of it decodes all the same, into `last: 0`.
#[derive(Flux)]
struct Live {
    #[flux(default = 0)]
    first: u64,
    #[flux(nested)]
    tenant: Option<Tenant>,
    #[flux(default = 0)]
    last: u64,
}

#[derive(Serialize, Deserialize)]
struct PlainLive {
    first: u64,
    tenant: PlainTenant,
    last: u64,
}

impl PlainLive {
    fn new(n: u64) -> Self {
        let tenant = plain(20, 1).tenants.into_values().next();
        PlainLive {
            first: n,
            tenant: tenant.expect("a tenant"),
            last: n,
        }
    }

    fn json(n: u64) -> String {
        serde_json::to_string(&Self::new(n)).expect("JSON")
    }

    fn yaml(n: u64) -> String {
        serde_yaml::to_string(&Self::new(n)).expect("YAML")
    }
}

pub(crate) fn run(table: &mut Table) {
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    latency(table, &runtime);
    bad_reads(table, &runtime);
}

/// A folder in memory where there is one, so that no disk is measured.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    }
    .expect("a folder")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    InPlace,
    InPieces,
    Rename,
}

/// One change of a file; everything that is not the change itself is prepared before.
struct Change<'a> {
    way: Way,
    path: &'a Path,
    text: String,
    beside: PathBuf,
}

impl<'a> Change<'a> {
    fn prepare(way: Way, path: &'a Path, text: String) -> Self {
        let beside = path.with_extension("next");
        if way == Way::Rename {
            fs::write(&beside, &text).expect("a file");
        }
        Change {
            way,
            path,
            text,
            beside,
        }
    }

    fn make(self) {
        match self.way {
            Way::InPlace => fs::write(self.path, self.text).expect("a file"),
            Way::Rename => fs::rename(self.beside, self.path).expect("a rename"),
            Way::InPieces => {
                let mut file = fs::File::create(self.path).expect("a file");
                for piece in self.text.as_bytes().chunks(self.text.len() / 3) {
                    file.write_all(piece).expect("a write");
                    thread::sleep(Duration::from_micros(200));
                }
            }
        }
    }

    /// How long after the change `seen` says so.
    fn until(self, seen: impl Fn() -> bool) -> Duration {
        let start = Instant::now();
        self.make();
        while !seen() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "a change was never seen"
            );
            thread::yield_now();
        }
        let took = start.elapsed();
        // So that the next change finds every thread asleep.
        thread::sleep(Duration::from_millis(2));
        took
    }
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64() * 1e6
}

fn capacitor(path: &Path) -> flux::Builder<Live> {
    Capacitor::<Live>::builder()
        .source(Source::file(path.to_str().expect("Unicode")))
        .debounce(Duration::ZERO)
        .history(8)
}

/// What a program does without Flux: it reads and decodes when a writer closed the file or renamed one into its place.
struct ByHand {
    seen: Arc<ArcSwap<PlainLive>>,
    _watcher: RecommendedWatcher,
}

/// Whether a writer has finished with `path`.
fn finished(event: &Event, path: &Path) -> bool {
    let finishes = matches!(
        event.kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
    );
    finishes && event.paths.iter().any(|one| one == path)
}

impl ByHand {
    /// `tell` hears of every event.
    fn watch(
        path: &Path,
        tell: impl notify::EventHandler,
        seen: Arc<ArcSwap<PlainLive>>,
    ) -> ByHand {
        let mut watcher = notify::recommended_watcher(tell).expect("a watcher");
        let parent = path.parent().expect("a folder");
        let watched = watcher.watch(parent, RecursiveMode::NonRecursive);
        watched.expect("a watch");
        ByHand {
            seen,
            _watcher: watcher,
        }
    }

    fn nothing() -> (Arc<ArcSwap<PlainLive>>, Arc<ArcSwap<PlainLive>>) {
        let seen = Arc::new(ArcSwap::from_pointee(PlainLive::new(0)));
        (Arc::clone(&seen), seen)
    }

    fn take_up(path: &Path, seen: &ArcSwap<PlainLive>) {
        let read = |path: &Path| serde_json::from_slice(&fs::read(path).ok()?).ok();
        if let Some(config) = read(path) {
            seen.store(Arc::new(config));
        }
    }

    /// The least there is: on notify's own thread, where nothing may ever wait.
    fn on_its_thread(path: &Path) -> ByHand {
        let ((seen, told), own) = (Self::nothing(), path.to_owned());
        let tell = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| finished(&event, &own)) {
                Self::take_up(&own, &told);
            }
        };
        Self::watch(path, tell, seen)
    }

    /// As notify's own documentation shows it: the events go through a channel to a thread that does the work.
    fn by_channel(path: &Path) -> ByHand {
        let ((seen, told), own) = (Self::nothing(), path.to_owned());
        let (tell, events) = mpsc::channel::<notify::Result<Event>>();
        thread::spawn(move || {
            for event in events {
                if event.is_ok_and(|event| finished(&event, &own)) {
                    Self::take_up(&own, &told);
                }
            }
        });
        Self::watch(path, tell, seen)
    }

    /// In a task of the program's runtime, as Flux does it.
    fn in_a_task(path: &Path) -> ByHand {
        let ((seen, told), own) = (Self::nothing(), path.to_owned());
        let notify = Arc::new(Notify::new());
        let notified = Arc::clone(&notify);
        tokio::spawn(async move {
            loop {
                notified.notified().await;
                Self::take_up(&own, &told);
            }
        });
        let own = path.to_owned();
        let tell = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| finished(&event, &own)) {
                notify.notify_one();
            }
        };
        Self::watch(path, tell, seen)
    }
}

fn latency(table: &mut Table, runtime: &Runtime) {
    table
        .title("A changed file, until readers see it (no debounce; p50 of 300 in turn, in memory)");
    let folders = [(); 4].map(|()| folder());
    let paths = folders
        .each_ref()
        .map(|folder| folder.path().join("app.json"));
    for path in &paths {
        fs::write(path, PlainLive::json(0)).expect("a file");
    }
    let capacitor = capacitor(&paths[0]).build().expect("a layer");
    runtime.block_on(capacitor.start()).expect("a start");
    let peers = [
        ByHand::on_its_thread(&paths[1]),
        ByHand::by_channel(&paths[2]),
        ByHand::in_a_task(&paths[3]),
    ];
    for (way, name) in [(Way::InPlace, "in place"), (Way::Rename, "by rename")] {
        let mut took = [const { Vec::new() }; 4];
        for n in 1..=CHANGES {
            // Another number each time, so that the second way does not begin with what the first one left.
            let n = n + if way == Way::Rename { CHANGES } else { 0 };
            for (at, took) in took.iter_mut().enumerate() {
                let change = Change::prepare(way, &paths[at], PlainLive::json(n));
                took.push(match at {
                    0 => {
                        change.until(|| capacitor.try_snapshot().is_some_and(|now| now.first == n))
                    }
                    peer => change.until(|| peers[peer - 1].seen.load().first == n),
                });
            }
        }
        let [flux, thread, channel, task] = took.map(median);
        let row = |what: &str, figure| Row::new(format!("{what}, {name}"), figure, "microseconds");
        table.add(row("peer: by hand, on notify's thread", thread));
        table.add(row("peer: by hand, by notify's channel", channel));
        table.add(row("peer: by hand, in a task", task));
        let flux = || row("Flux", flux);
        table.add(flux().of("on notify's thread, where nothing may wait", thread));
        table.add(flux().of("by notify's channel", channel).at_most(1.3));
        table.add(flux().of("in a task", task).at_most(1.3));
    }
    runtime.block_on(capacitor.stop());
    let (in_place, rename) = dynamic_config();
    let us = "microseconds";
    table.add(Row::new(
        "peer: dynamic-config, debounce 1 ms, in place",
        in_place,
        us,
    ));
    table.add(Row::new(
        "peer: dynamic-config, debounce 1 ms, by rename",
        rename,
        us,
    ));
}

/// The shortest debounce that it is documented with, and the pause that it always makes before it reads.
fn dynamic_config() -> (f64, f64) {
    let folder = folder();
    let path = folder.path().join("app.json");
    let text = |n: u64| {
        let config = plain(20, n as u16);
        format!(
            "{{\"app\": {}}}",
            serde_json::to_string(&config).expect("JSON")
        )
    };
    fs::write(&path, text(0)).expect("a file");
    let builder = DynamicApp::builder("app").file(path.to_str().expect("Unicode"));
    builder.init().expect("a start");
    let handle = builder.watch(Duration::from_millis(1)).expect("a watch");
    let mut took = [const { Vec::new() }; 2];
    for n in 1..=60 {
        let way = n as usize % 2;
        let change = Change::prepare([Way::InPlace, Way::Rename][way], &path, text(n));
        took[way].push(change.until(|| DynamicApp::current().port == n as u16));
    }
    handle.stop();
    let [in_place, rename] = took.map(median);
    (in_place, rename)
}

/// Changes in every way, while a reader looks at every value that can be seen.
fn bad_reads(table: &mut Table, runtime: &Runtime) {
    table.title("What readers see meanwhile (1,000 changes, no debounce)");
    let folder = folder();
    let path = folder.path().join("app.yaml");
    fs::write(&path, PlainLive::yaml(0)).expect("a file");
    let bad = Arc::new(AtomicU64::new(0));
    let applied_bad = Arc::clone(&bad);
    let whole = |live: &Live| live.first == live.last && live.tenant.is_some();
    let capacitor = capacitor(&path)
        .on_apply(move |_, next| {
            applied_bad.fetch_add(u64::from(!whole(&next)), Ordering::Relaxed);
            async { Ok::<(), std::io::Error>(()) }
        })
        .build()
        .expect("a layer");
    runtime.block_on(capacitor.start()).expect("a start");
    let done = AtomicBool::new(false);
    let (looks, degraded) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looks, mut degraded) = (0_u64, 0_u64);
            let mut reader = capacitor.reader();
            while !done.load(Ordering::Relaxed) {
                looks += 1;
                bad.fetch_add(u64::from(!whole(reader.get())), Ordering::Relaxed);
                degraded += u64::from(capacitor.state() != State::Healthy);
                thread::yield_now();
            }
            (looks, degraded)
        });
        for n in 1..=LOOKED_AT {
            let way = [Way::InPlace, Way::InPieces, Way::Rename][n as usize % 3];
            let change = Change::prepare(way, &path, PlainLive::yaml(n));
            change.until(|| capacitor.try_snapshot().is_some_and(|now| now.last == n));
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader")
    });
    let status = capacitor.status();
    runtime.block_on(capacitor.stop());
    assert_eq!(status.generation, LOOKED_AT + 1, "every change once");
    table.add(Row::new("values looked at", looks as f64, ""));
    let bad = bad.load(Ordering::Relaxed);
    table.add(Row::new("torn, half or empty values", bad as f64, "").at_most(0.0));
    let refused = degraded.max(status.history.len() as u64);
    table.add(
        Row::new(
            "moments in which the state was not healthy",
            refused as f64,
            "",
        )
        .at_most(0.0),
    );
}
