//! The files of a folder that a pattern names, each a layer of its own: from a change on the disk to what readers see, and what is
//! answered of it.

mod answers;
mod declared;
mod folders;
mod kept;
mod numbers;
mod watched;
mod whole;

use flux::{Capacitor, Config, Flux, Source};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What the files set.
#[derive(Flux, Debug)]
struct DropInApp {
    #[flux(default = 0, range = 0..=1000)]
    n: u32,
    #[flux(default = "nobody")]
    name: String,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default, merge = "append")]
    hosts: Vec<String>,
    #[flux(nested)]
    pool: DropInPool,
}

#[derive(Flux, Debug)]
struct DropInPool {
    #[flux(default = 1)]
    size: u32,
    #[flux(default = 2)]
    idle: u32,
}

/// A folder of drop-ins.
struct DropInFolder {
    _temp: tempfile::TempDir,
    path: PathBuf,
}

impl DropInFolder {
    fn new() -> Self {
        let folder = DropInFolder::absent();
        fs::create_dir(&folder.path).unwrap();
        folder
    }

    /// One that is not made yet.
    fn absent() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().canonicalize().unwrap().join("conf.d");
        DropInFolder { _temp: temp, path }
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let folder = DropInFolder::new();
        for (name, text) in files {
            folder.put(name, text);
        }
        folder
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the layer of a file is called.
    fn origin(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Written beside it, and renamed into its place.
    fn put(&self, name: &str, text: &str) {
        let aside = self.path.join(".aside");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, self.file(name)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    fn pattern(&self, pattern: &str) -> String {
        self.file(pattern).display().to_string()
    }

    fn source(&self) -> Source {
        source(&self.pattern("*.yaml"))
    }

    async fn started<C: Config>(&self) -> Capacitor<C> {
        let capacitor = built(self.source().optional());
        capacitor.start().await.unwrap();
        capacitor
    }
}

/// Read again by events alone, and without a long wait for writers.
fn source(pattern: &str) -> Source {
    Source::file(pattern)
        .settle(Duration::from_millis(50))
        .resync(Duration::from_secs(3600))
}

fn built<C: Config>(source: Source) -> Capacitor<C> {
    let builder = Capacitor::<C>::builder().source(source).generations(8);
    builder.debounce(Duration::ZERO).build().unwrap()
}

/// The names of the layers but the first, which is that of the folder.
fn files<C: Config>(capacitor: &Capacitor<C>) -> Vec<String> {
    let status = capacitor.status();
    let layers = status.layers.iter().skip(1);
    let present = layers.filter(|layer| layer.present);
    let name = |origin: &str| Path::new(origin).file_name()?.to_str().map(str::to_owned);
    present.filter_map(|layer| name(&layer.origin)).collect()
}
