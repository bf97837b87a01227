//! What is answered of the files of a folder names each file with its line.

use super::{DropInApp, DropInFolder};
use flux::{
    Capacitor, Flux,
    inspect::{CheckError, Inputs},
};

const FILES: [(&str, &str); 2] = [
    ("10-a.yaml", "name: a\nn: 1\npool: {size: 3}"),
    ("20-b.yaml", "\nn: 2\nnmae: b"),
];

async fn app(folder: &DropInFolder) -> Capacitor<DropInApp> {
    folder.started::<DropInApp>().await
}

#[tokio::test]
async fn explain_silent_and_blame_name_the_file() {
    let folder = DropInFolder::of(&FILES);
    let app = app(&folder).await;
    let place = |name: &str, at: &str| format!("{}:{at}", folder.origin(name));
    let n = app.explain("n").unwrap().to_string();
    assert!(n.contains(&place("20-b.yaml", "2:4")), "{n}");
    assert!(n.contains(&place("10-a.yaml", "2:4")), "{n}");
    let all = app.explain_all().unwrap();
    let all: String = all.iter().map(|one| format!("{one}\n")).collect();
    for one in [place("20-b.yaml", "2:4"), place("10-a.yaml", "3:14")] {
        assert!(all.contains(&one), "{one}: {all}");
    }
    let silent = app.silent().unwrap();
    let silent: Vec<String> = silent.iter().map(ToString::to_string).collect();
    assert!(
        silent
            .iter()
            .any(|one| one.contains(&place("10-a.yaml", "2:4"))),
        "{silent:?}"
    );
    assert!(
        silent
            .iter()
            .any(|one| one.contains(&place("20-b.yaml", "3:7"))),
        "{silent:?}"
    );
    let warning = app.status().warnings[0].to_string();
    assert!(warning.contains(&place("20-b.yaml", "3:7")), "{warning}");
    folder.put("15-c.yaml", "name: c");
    crate::until("the new file", || app.get().name == "c").await;
    folder.remove("15-c.yaml");
    crate::until("the old name", || app.get().name == "a").await;
    let blame = app.blame("name").unwrap();
    let lines: Vec<_> = blame
        .changes
        .iter()
        .map(|one| one.origins.clone())
        .collect();
    let added = folder.origin("15-c.yaml");
    assert_eq!(lines[0], [added.as_str()], "{blame}");
    assert_eq!(lines[1], [added.as_str()], "{blame}");
    let old = blame.changes[0].settings[0]
        .old
        .as_ref()
        .unwrap()
        .to_string();
    assert!(old.contains('c'), "{old}");
    assert!(
        blame.to_string().contains(&place("15-c.yaml", "1:7")),
        "{blame}"
    );
}

#[tokio::test]
async fn a_plan_takes_documents_for_files_that_are_there_and_for_new_ones() {
    let folder = DropInFolder::of(&FILES);
    let app = app(&folder).await;
    let plan = |inputs: &Inputs| app.plan(inputs).unwrap();
    let changed = plan(&Inputs::new().layer(folder.origin("20-b.yaml"), "n: 5"));
    assert_eq!(changed.changes.len(), 1, "{changed}");
    let text = changed.to_string();
    assert!(
        text.contains(&format!("{}:1:4", folder.origin("20-b.yaml"))),
        "{text}"
    );
    let new = plan(&Inputs::new().layer(folder.origin("15-c.yaml"), "name: c\nn: 7"));
    let text = new.to_string();
    assert!(
        text.contains(&format!("{}:1:7", folder.origin("15-c.yaml"))),
        "{text}"
    );
    assert_eq!(new.changes.len(), 1, "{text}");
    // What it sets is hidden by a file behind it.
    assert_eq!(new.hidden.len(), 1, "{text}");
    let refused = plan(&Inputs::new().layer(folder.origin("99-z.yaml"), "n: many"));
    let report = refused.refused.unwrap().to_string();
    assert!(
        report.contains(&format!("{}:1:4", folder.origin("99-z.yaml"))),
        "{report}"
    );
    let without = plan(&Inputs::new().without(folder.origin("20-b.yaml")));
    assert!(without.to_string().contains("n: 2"), "{without}");
    // A file of the same name in a checkout is for the file that is read, and a new one beside it for a new one.
    let checkout = tempfile::tempdir().unwrap();
    let there = checkout.path().join("conf.d");
    std::fs::create_dir(&there).unwrap();
    for (name, text) in [("20-b.yaml", "n: 8"), ("30-new.yaml", "name: new")] {
        std::fs::write(there.join(name), text).unwrap();
        let planned = plan(&Inputs::new().file(there.join(name)));
        assert_eq!(planned.changes.len(), 1, "{name}: {planned}");
        assert!(
            planned.to_string().contains(&folder.origin(name)),
            "{planned}"
        );
    }
    assert_eq!(app.get().n, 2, "nothing is applied");
}

#[test]
fn a_check_reads_the_folder_and_names_the_file() {
    let folder = DropInFolder::of(&FILES);
    let builder = || Capacitor::<DropInApp>::builder().source(folder.source());
    let checked = builder().check(Inputs::new()).unwrap();
    let layers: Vec<&str> = checked.layers.iter().map(|one| &*one.origin).collect();
    assert_eq!(
        layers,
        [
            folder.pattern("*.yaml"),
            folder.origin("10-a.yaml"),
            folder.origin("20-b.yaml")
        ]
    );
    let n = checked.explain("n").unwrap().to_string();
    assert!(
        n.contains(&format!("{}:2:4", folder.origin("20-b.yaml"))),
        "{n}"
    );
    let given = Inputs::new().layer(folder.origin("15-c.yaml"), "n: many");
    let Err(CheckError::Refused(report)) = builder().check(given) else {
        panic!("not refused");
    };
    let place = format!("{}:1:4", folder.origin("15-c.yaml"));
    assert!(report.to_string().contains(&place), "{report}");
    let empty = DropInFolder::new();
    let builder = Capacitor::<DropInApp>::builder().source(empty.source());
    let Err(CheckError::Refused(report)) = builder.check(Inputs::new()) else {
        panic!("not refused");
    };
    assert!(
        report.to_string().contains("names no file that exists"),
        "{report}"
    );
}

#[derive(Flux, Debug)]
#[flux(
    optional_source = "file:/nowhere/app.yaml",
    optional_source = "file:/nowhere/conf.d/*.yaml"
)]
struct CheckedApp {
    #[flux(default = 0, range = 0..=9)]
    #[allow(dead_code)]
    n: u32,
}

#[test]
fn the_command_line_knows_which_layer_a_file_belongs_to() {
    let checkout = tempfile::tempdir().unwrap();
    let there = checkout.path().join("conf.d");
    std::fs::create_dir(&there).unwrap();
    let file = there.join("20-b.yaml");
    std::fs::write(&file, "n: 10").unwrap();
    let path = file.to_str().unwrap();
    let (code, _, err) = crate::answers::cli::run::<CheckedApp>(&["check", path]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("--> /nowhere/conf.d/20-b.yaml:1:4"), "{err}");
    std::fs::write(&file, "n: 9").unwrap();
    let (code, out, err) = crate::answers::cli::run::<CheckedApp>(&["check", path]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.starts_with("configuration would be applied"), "{out}");
    let named = format!("/nowhere/conf.d/30-c.yaml={path}");
    assert_eq!(
        crate::answers::cli::run::<CheckedApp>(&["check", "--layer", &named]).0,
        0
    );
}

/// What a start refuses of a folder, a check refuses, in the same words.
#[tokio::test]
async fn a_check_judges_a_folder_as_a_start_does() {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};
    type Prepare = fn(&DropInFolder);
    let cases: [(Prepare, Option<&str>); 6] = [
        (
            |folder| symlink("nowhere", folder.file("20-b.yaml")).unwrap(),
            None,
        ),
        (
            |folder| std::fs::write(folder.file("20-\nb.yaml"), "n: 2").unwrap(),
            Some("a name that is not UTF-8, or of more than one line"),
        ),
        (
            |folder| {
                let name = std::ffi::OsStr::from_bytes(b"20-\xff.yaml");
                std::fs::write(folder.path.join(name), "n: 2").unwrap();
            },
            Some("a name that is not UTF-8, or of more than one line"),
        ),
        (
            |folder| {
                for number in 0..5 {
                    let file =
                        std::fs::File::create(folder.file(&format!("{number}.yaml"))).unwrap();
                    file.set_len(15 << 20).unwrap();
                }
            },
            Some("hold more than the limit of 64 MiB together"),
        ),
        (
            |folder| {
                for number in 0..4097 {
                    std::fs::write(folder.file(&format!("{number:04}.yaml")), "").unwrap();
                }
            },
            Some("names more than the limit of 4096 files"),
        ),
        (
            |folder| folder.remove("10-a.yaml"),
            Some("names no file that exists"),
        ),
    ];
    for (prepare, words) in cases {
        let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
        prepare(&folder);
        let builder = || Capacitor::<DropInApp>::builder().source(folder.source());
        let started = builder().build().unwrap();
        let started = started.start().await.map_err(|error| error.to_string());
        let checked = builder()
            .check(Inputs::new())
            .map(|_| ())
            .map_err(|error| error.to_string());
        for outcome in [started, checked] {
            match words {
                None => assert_eq!(outcome, Ok(())),
                Some(words) => {
                    let report = outcome.unwrap_err();
                    assert!(report.contains(words), "{words}: {report}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_layer_is_found_by_the_name_that_is_shown_of_it() {
    let odd = "20-\u{1b}b.yaml";
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), (odd, "n: 2")]);
    let app = folder.started::<DropInApp>().await;
    let shown = app.status().layers[2].origin.to_string();
    assert!(shown.contains("\\u{1b}"), "{shown}");
    let plan = app.plan(&Inputs::new().layer(&*shown, "n: 5")).unwrap();
    assert_eq!(plan.changes.len(), 1, "{plan}");
    let builder = Capacitor::<DropInApp>::builder().source(folder.source());
    let checked = builder.check(Inputs::new().layer(shown, "n: 5")).unwrap();
    assert_eq!(checked.layers.len(), 3);
}
