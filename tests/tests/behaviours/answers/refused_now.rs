//! What `check`, `plan` and `diff` answer about a document where what its layer contains now is missing or refused, or the document is
//! no text; without a process.

use super::cli::run;
use flux::{Capacitor, Flux, Root, Source};
use std::{cell::RefCell, fs, path::PathBuf};

#[derive(Flux, Debug)]
pub(super) struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    name: String,
    #[flux(default = 1)]
    size: u32,
}

std::thread_local! {
    /// The folder with the files of this test.
    static FOLDER: RefCell<PathBuf> = RefCell::default();
}

impl Root for App {
    fn declared() -> flux::Builder<Self> {
        let file =
            |name: &str| FOLDER.with_borrow(|folder| folder.join(name).display().to_string());
        Capacitor::builder()
            .source(Source::file(file("base.yaml")).optional())
            .source(Source::file(file("app.yaml")))
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

/// A folder with these files, in which the program of this test runs.
pub(super) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    FOLDER.set(folder.path().to_owned());
    folder
}

const NOTE: &str = "what a start would read now is refused, so this is compared with a configuration without the given documents";

#[test]
fn a_document_for_a_layer_that_is_missing_or_refused_is_judged_by_itself_and_all_of_it_is_new() {
    for now in [None, Some("port: many\n"), Some("name: [1]\n")] {
        let folder = folder(&[
            ("base.yaml", b"port: 81\nsize: 2\n"),
            ("good.yaml", b"name: a\nsize: 3\n"),
            ("bad.yaml", b"name: a\nport: 0\n"),
        ]);
        if let Some(now) = now {
            fs::write(folder.path().join("app.yaml"), now).unwrap();
        }
        let document = |name: &str| format!("app.yaml={}", folder.path().join(name).display());
        for command in ["plan", "diff"] {
            let (code, out, err) = run::<App>(&[command, "--layer", &document("good.yaml")]);
            assert_eq!(code, 0, "{command} {now:?} {out}{err}");
            let all = format!("{out}{err}");
            assert!(all.contains(&format!("note: {NOTE}")), "{all}");
            let changes: Vec<&str> = (out.lines())
                .filter_map(|line| line.split_once(" (").map(|(change, _)| change.trim()))
                .collect();
            assert_eq!(
                changes,
                ["name: nothing -> \"a\"", "size: 2 -> 3"],
                "{command} {out}"
            );
            let (code, out, err) = run::<App>(&[command, "--layer", &document("bad.yaml")]);
            let all = format!("{out}{err}");
            assert_eq!(code, 1, "{command} {all}");
            assert!(
                all.contains("port: must be in 1..=9999") && !all.contains("does not exist"),
                "{all}"
            );
            let words = [
                command,
                "--layer",
                &document("bad.yaml"),
                "--format",
                "github",
            ];
            let (code, out, _) = run::<App>(&words);
            let file = folder.path().join("bad.yaml");
            assert_eq!(code, 1);
            assert!(
                out.starts_with(&format!("::error file={},line=2,", file.display())),
                "{out}"
            );
            // Without a document for it, what is wrong with it counts.
            assert_eq!(run::<App>(&[command]).0, 1);
        }
    }
}

#[test]
fn another_layer_that_is_wrong_refuses_what_is_given_and_what_lets_it_be_read_does_not() {
    let folder = folder(&[
        ("base.yaml", b"port: many\n"),
        ("good.yaml", b"name: a\nport: 82\n"),
    ]);
    let good = format!("app.yaml={}", folder.path().join("good.yaml").display());
    let base = format!("base.yaml={}", folder.path().join("good.yaml").display());
    for command in ["plan", "diff", "check"] {
        let (code, out, err) = run::<App>(&[command, "--layer", &good]);
        let all = format!("{out}{err}");
        assert_eq!(code, 1, "{command} {all}");
        assert!(all.contains("base.yaml:1:7"), "{command} {all}");
        let (code, out, err) = run::<App>(&[command, "--layer", &good, "--layer", &base]);
        assert_eq!(code, 0, "{command} {out}{err}");
    }
    let unknown = run::<App>(&["plan", "--layer", &format!("other={good}")]);
    assert_eq!(unknown.0, 2, "{unknown:?}");
}

#[test]
fn a_document_that_is_no_utf_8_is_refused_by_every_command_in_the_same_words() {
    let folder = folder(&[
        ("app.yaml", b"name: a\n"),
        ("latin.yaml", b"name: caf\xe9\n"),
        ("wide.yaml", b"\xff\xfen\0a\0m\0e\0"),
    ]);
    for name in ["latin.yaml", "wide.yaml"] {
        let given = format!("app.yaml={}", folder.path().join(name).display());
        let mut sentences = Vec::new();
        for command in ["check", "plan", "diff"] {
            let (code, out, err) = run::<App>(&[command, "--layer", &given]);
            let all = format!("{out}{err}");
            assert_eq!(code, 1, "{command} {all}");
            let about = all.lines().find(|line| line.contains("UTF-8"));
            sentences.push(
                about
                    .unwrap_or_else(|| panic!("{command} {all}"))
                    .to_owned(),
            );
        }
        sentences.dedup();
        assert_eq!(sentences.len(), 1, "{sentences:?}");
    }
}

#[test]
fn a_schema_has_the_variables_by_the_names_that_the_program_reads() {
    #[derive(Flux, Debug)]
    #[flux(source = "file:/nowhere/app.yaml", override = "env:SHOP_")]
    struct Shop {
        #[flux(default = 80)]
        port: u16,
    }
    for words in [&["schema"][..], &["schema", "--of-layer"]] {
        let (code, out, _) = run::<Shop>(words);
        let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
        let variable = &schema["properties"]["port"]["x-flux-variable"];
        assert_eq!((code, variable), (0, &"SHOP_PORT".into()), "{out}");
    }
}

#[test]
fn a_file_that_does_not_exist_is_named_whichever_layer_it_may_be_for() {
    let _folder = folder(&[("app.yaml", b"name: a\n")]);
    for command in ["check", "diff", "plan"] {
        let (code, out, err) = run::<App>(&[command, "nosuch.yaml"]);
        assert_eq!((code, &*out), (2, ""), "{command} {err}");
        let error = "error: `nosuch.yaml` cannot be read: it does not exist\n";
        assert!(err.ends_with(error), "{command} {err}");
    }
    // One that is there may be for either.
    let own = std::env::current_dir().unwrap().join("Cargo.toml");
    let (code, _, err) = run::<App>(&["check", own.to_str().unwrap()]);
    assert!(code == 2 && err.contains(" may be any of "), "{err}");
}

#[test]
fn a_diff_without_a_process_has_every_problem_that_a_check_has() {
    for now in [None, Some("name: a\n"), Some("name: [1]\n")] {
        for base in ["port: 81\n", "port: many\nsize: x\n"] {
            let folder = folder(&[
                ("base.yaml", base.as_bytes()),
                ("bad.yaml", b"nmae: a\nport: 0\nsize: [2]\n"),
            ]);
            if let Some(now) = now {
                fs::write(folder.path().join("app.yaml"), now).unwrap();
            }
            let bad = folder.path().join("bad.yaml");
            let document = format!("app.yaml={}", bad.display());
            let (code, out, checked) = run::<App>(&["check", "--layer", &document]);
            assert_eq!((code, &*out), (1, ""));
            let (code, out, compared) = run::<App>(&["diff", "--layer", &document]);
            assert_eq!((code, &*out, compared), (1, "", checked), "{now:?} {base}");
        }
    }
}
