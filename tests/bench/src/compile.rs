//! How long a crate takes to compile that holds nothing but an annotated struct: `cargo build` of that crate alone, after its
//! dependencies. Slow, so it runs only on request.

use crate::table::{Row, Table};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const SIZES: [usize; 3] = [20, 200, 1_000];
/// The best of so many builds counts, unless one takes long enough to be exact by itself.
const BUILDS: usize = 3;
const LONG: f64 = 10.0;

/// A way to annotate the struct.
struct Annotated {
    name: &'static str,
    what: &'static str,
    /// What stands above the struct.
    head: &'static str,
    /// What stands above every field.
    field: &'static str,
    /// What stands below the struct.
    tail: &'static str,
    /// Measured against this one's time.
    base: &'static str,
    at_most: Option<f64>,
    /// Whether five times the fields may take little more than five times the time.
    linear: bool,
}

const SERDE: Annotated = Annotated {
    name: "serde",
    what: "peer: serde's Deserialize alone",
    head: "#[derive(serde::Deserialize)]",
    field: "",
    tail: "",
    base: "serde",
    at_most: None,
    linear: false,
};

const OTHERS: &[Annotated] = &[
    Annotated {
        name: "section",
        what: "a section",
        head: "#[derive(flux::Flux)]",
        at_most: Some(1.0),
        linear: true,
        ..SERDE
    },
    Annotated {
        name: "formats",
        what: "peer: Deserialize, used with JSON, YAML and TOML",
        tail: "pub fn json(text: &str) -> Result<App, serde_json::Error> { serde_json::from_str(text) }
pub fn yaml(text: &str) -> Result<App, serde_yaml::Error> { serde_yaml::from_str(text) }
pub fn toml(text: &str) -> Result<App, toml::de::Error> { toml::from_str(text) }",
        ..SERDE
    },
    Annotated {
        name: "root",
        what: "a struct with a source, and the engine for it",
        head: "#[derive(flux::Flux)]\n#[flux(source = \"file:app.yaml\")]",
        base: "formats",
        at_most: Some(1.3),
        linear: true,
        ..SERDE
    },
    Annotated {
        name: "garde",
        what: "peer: Deserialize and garde's Validate",
        head: "#[derive(serde::Deserialize, garde::Validate)]",
        field: "#[garde(skip)]",
        ..SERDE
    },
    Annotated {
        name: "confique",
        what: "peer: confique's Config",
        head: "#[derive(confique::Config)]",
        ..SERDE
    },
    Annotated {
        name: "dynamic",
        what: "peer: Deserialize and dynamic-config's attribute",
        head: "#[dynamic_config::dynamic_config]\n#[derive(serde::Deserialize)]",
        ..SERDE
    },
];

const TYPES: [&str; 12] = [
    "u16",
    "u32",
    "i64",
    "f64",
    "bool",
    "u64",
    "String",
    "String",
    "String",
    "Option<u32>",
    "Option<String>",
    "Vec<String>",
];

/// A struct with a source, and the start of it.
const FOUR_FIELDS: &str = r#"
#[derive(flux::Flux)]
#[flux(source = "file:app.yaml")]
pub struct AppConfig {
    pub port: u16,
    pub host: String,
    pub debug: bool,
    pub tags: Vec<String>,
}

pub async fn start() -> Result<(), flux::Error> {
    AppConfig::start().await
}
"#;

pub(crate) fn run(table: &mut Table) {
    table.title("Compile time of the annotated crate alone (seconds of `cargo build`, unoptimised, not incremental)");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().expect("a folder");
    let workspace = Workspace {
        folder: folder.path().to_owned(),
        target: root.join("target/bench-compile"),
    };
    workspace.write(&root);
    workspace.cargo("build", "no-fields");
    let nothing = workspace.best("no-fields", false);
    table.add(Row::new("cargo itself, with nothing to do", nothing, "s"));
    let mut known: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut serde = Vec::new();
    for size in SIZES {
        let took = workspace.best(&krate(&SERDE, size), true);
        table.add(Row::new(
            format!("{}, {size} fields", SERDE.what),
            took,
            "s",
        ));
        serde.push(took);
    }
    known.push((SERDE.name, serde));
    for one in OTHERS {
        let (mut all, mut whole) = (Vec::new(), Vec::new());
        for (at, size) in SIZES.into_iter().enumerate() {
            let took = workspace.best(&krate(one, size), true);
            whole.push(took);
            let (_, base) = (known.iter())
                .find(|(name, _)| *name == one.base)
                .expect("a base that comes before");
            let row =
                Row::new(format!("{}, {size} fields", one.what), took, "s").of(one.base, base[at]);
            table.add(match one.at_most {
                Some(limit) => row.at_most(limit),
                None => row,
            });
            all.push(took - nothing);
        }
        known.push((one.name, whole));
        let what = format!("{}: from 200 to 1,000 fields", one.what);
        let growth = Row::new(what, all[2], "s").of("five times the time of 200", 5.0 * all[1]);
        table.add(match one.linear {
            true => growth.at_most(1.5),
            false => growth,
        });
    }
    // Last: the variable that it needs makes dependencies compile anew.
    let functions = workspace.functions();
    let functions = Row::new("functions of a root of four fields", functions as f64, "");
    table.add(functions.at_most(1_500.0));
}

fn krate(one: &Annotated, size: usize) -> String {
    format!("{}-{size}", one.name)
}

struct Workspace {
    folder: PathBuf,
    /// Beside Flux's own, so that the dependencies are compiled once for many runs.
    target: PathBuf,
}

impl Workspace {
    fn write(&self, root: &Path) {
        for file in ["Cargo.lock", "rust-toolchain.toml"] {
            fs::copy(root.join(file), self.folder.join(file)).expect("a file of the repository");
        }
        let flux = root.join("flux").canonicalize().expect("flux");
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[workspace.dependencies]\n\
             confique = {{ version = \"0.4\", default-features = false }}\n\
             dynamic-config = {{ version = \"0.10\", features = [\"watch\"] }}\n\
             flux = {{ package = \"flux-config\", path = {flux:?} }}\n\
             garde = {{ version = \"0.23\", features = [\"derive\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             serde_json = \"1\"\n\
             serde_yaml = {{ package = \"yaml_serde\", version = \"0.10\" }}\n\
             toml = {{ version = \"1\", default-features = false, features = [\"parse\", \"serde\", \"std\"] }}\n"
        );
        fs::write(self.folder.join("Cargo.toml"), manifest).expect("a file");
        self.member("no-fields", "");
        self.member("four-fields", FOUR_FIELDS);
        for one in [&SERDE].into_iter().chain(OTHERS) {
            for size in SIZES {
                self.member(&krate(one, size), &source(one, size));
            }
        }
    }

    /// Every crate has the same dependencies, so that none is compiled while another's crate is measured.
    fn member(&self, name: &str, source: &str) {
        let folder = self.folder.join(name);
        let mut manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n"
        );
        for dependency in [
            "confique",
            "dynamic-config",
            "flux",
            "garde",
            "serde",
            "serde_json",
            "serde_yaml",
            "toml",
        ] {
            writeln!(manifest, "{dependency}.workspace = true").expect("memory");
        }
        fs::create_dir_all(folder.join("src")).expect("a folder");
        fs::write(folder.join("Cargo.toml"), manifest).expect("a file");
        fs::write(folder.join("src/lib.rs"), source).expect("a file");
    }

    /// The seconds of the fastest build.
    fn best(&self, name: &str, anew: bool) -> f64 {
        let mut best = f64::INFINITY;
        for _ in 0..BUILDS {
            if anew {
                let file = self.folder.join(name).join("src/lib.rs");
                let text = fs::read(&file).expect("a file");
                fs::write(&file, text).expect("a file");
            }
            let start = Instant::now();
            self.cargo("build", name);
            best = best.min(start.elapsed().as_secs_f64());
            if best > LONG {
                break;
            }
        }
        best
    }

    /// How many functions the compiler instantiates for [`FOUR_FIELDS`]. It says so with an unstable option, which the variable
    /// makes a stable compiler take.
    fn functions(&self) -> usize {
        let output = Command::new("cargo")
            .args(["rustc", "--quiet", "--package", "four-fields", "--"])
            .arg("-Zprint-mono-items=yes")
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC_BOOTSTRAP", "four_fields")
            .output()
            .expect("cargo");
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let functions = printed
            .lines()
            .filter(|line| line.starts_with("MONO_ITEM fn"));
        functions.count()
    }

    fn cargo(&self, command: &str, name: &str) {
        let output = Command::new("cargo")
            .args([command, "--quiet", "--package", name])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .expect("cargo");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}");
    }
}

fn source(one: &Annotated, size: usize) -> String {
    let mut text = format!("{}\npub struct App {{\n", one.head);
    for (n, ty) in TYPES.iter().cycle().take(size).enumerate() {
        writeln!(text, "    {} pub field_{n}: {ty},", one.field).expect("memory");
    }
    text + "}\n" + one.tail + "\n"
}
