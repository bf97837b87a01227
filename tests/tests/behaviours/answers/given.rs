//! What commands are given to judge, what is left out, what comes later, and which file is judged in the place of which.

use super::{
    cli::run,
    refused_now::{App, folder},
};
use serde_json::Value;

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn a_layer_that_a_document_is_given_for_is_not_left_out_as_well() {
    let folder = folder(&[
        ("app.yaml", b"name: a\n"),
        ("bad.yaml", b"name: a\nport: 0\n"),
    ]);
    let given = format!("app.yaml={}", path(&folder, "bad.yaml"));
    for command in ["check", "diff", "plan", "show", "explain", "silent"] {
        let words = [
            command,
            "--without",
            "app.yaml",
            "--layer",
            &given,
            "--offline",
        ];
        let (code, out, err) = run::<App>(&words);
        assert_eq!((code, &*out), (2, ""), "{command}: {err}");
        assert!(
            err.contains("which is to be left out; give it, or leave it out"),
            "{err}"
        );
    }
}

#[test]
fn a_verdict_about_nothing_is_none() {
    let _folder = folder(&[("app.yaml", b"name: a\n")]);
    for command in ["check", "diff", "plan"] {
        let (code, out, err) = run::<App>(&[command, "--only-given"]);
        assert_eq!((code, &*out), (2, ""), "{command}");
        assert!(err.contains("there is nothing to judge"), "{err}");
    }
    let (code, out, _) = run::<App>(&["check", "--only-given", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["verdict"]), (2, &"unknown".into()));
    // What the defaults are is a question.
    assert_eq!(run::<App>(&["show", "--only-given", "--offline"]).0, 0);
}

#[test]
fn what_comes_later_refuses_no_check_and_no_comparison() {
    let folder = folder(&[("next.yaml", b"port: 82\n"), ("bad.yaml", b"port: 0\n")]);
    let layer = |name: &str| format!("app.yaml={}", path(&folder, name));
    let (next, bad) = (layer("next.yaml"), layer("bad.yaml"));
    for command in ["check", "diff", "plan"] {
        for terms in [
            &["--partial"][..],
            &["--only-given"],
            &["--without", "base.yaml"],
        ] {
            let words = [&[command, "--layer", &next, "--offline"], terms].concat();
            let (code, out, err) = run::<App>(&words);
            assert_eq!(code, 0, "{words:?} {out} {err}");
            assert!(
                out.contains("to come: name: is required"),
                "{words:?} {out}"
            );
            let has_change = out.contains("port: 80 -> 82 (");
            assert_eq!(has_change, command != "check", "{words:?} {out}");
            // What is wrong is wrong, whatever comes later.
            let words = [&[command, "--layer", &bad, "--offline"], terms].concat();
            assert_eq!(run::<App>(&words).0, 1, "{words:?}");
        }
        let (code, ..) = run::<App>(&[command, "--layer", &next, "--offline"]);
        assert_eq!(code, 1, "{command}");
    }
}

#[test]
fn a_report_names_the_file_that_stands_for_the_layer_s_own() {
    let folder = folder(&[
        ("app.yaml", b"name: a\n"),
        ("next.yaml", b"name: a\nport: 0\n"),
    ]);
    let (own, next) = (path(&folder, "app.yaml"), path(&folder, "next.yaml"));
    let layer = format!("app.yaml={next}");
    let (code, _, err) = run::<App>(&["check", "--layer", &layer]);
    assert_eq!(code, 1);
    assert!(
        err.starts_with(&format!("note: {own} is the file {next} here\n")),
        "{err}"
    );
    std::fs::write(&own, "name: a\nport: 0\n").unwrap();
    let (code, _, err) = run::<App>(&["check", &own]);
    assert_eq!((code, err.contains("note: ")), (1, false), "{err}");
}

#[test]
#[cfg(unix)]
fn a_file_that_this_user_may_not_read_is_not_judged() {
    use crate::broken_files::as_nobody::{again, is_superuser};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("app.yaml", b"name: a\n")]);
    let own = folder.path().join("app.yaml");
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o000)).unwrap();
    if is_superuser(folder.path()) {
        return again("answers::given::a_file_that_this_user_may_not_read_is_not_judged");
    }
    let (code, out, err) = run::<App>(&["check"]);
    assert_eq!((code, &*out), (2, ""), "{err}");
    assert!(err.contains("run this as the user of the program"), "{err}");
}

#[test]
fn the_name_of_a_file_controls_no_terminal() {
    let folder = folder(&[
        ("n\u{1b}[31m.yaml", b"name: [1]\n"),
        ("app.yaml", b"name: a\n"),
    ]);
    let (given, none) = (
        path(&folder, "n\u{1b}[31m.yaml"),
        path(&folder, "\u{1b}.yaml"),
    );
    for file in [given, none] {
        let layer = format!("app.yaml={file}");
        for format in ["human", "github", "json", "sarif"] {
            let words = ["check", "--layer", &layer, "--format", format];
            let (code, out, err) = run::<App>(&words);
            assert_ne!(code, 0);
            assert!(
                !format!("{out}{err}").contains('\u{1b}'),
                "{format}: {out}{err}"
            );
        }
    }
}
