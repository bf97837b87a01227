use super::*;

#[test]
fn a_path_that_names_no_file_is_refused_by_its_name() {
    let keep = |path: &str| KeepOnDisk::new(path.to_owned(), Secrets::Omit, None);
    for path in ["", "/", ".", "..", "k/", "k/..", "/var/lib/app/"] {
        let refused = keep(path).expect_err(path);
        assert!(
            refused.contains(&format!("`{path}` names none")),
            "{refused}"
        );
    }
    for path in [
        "last.json",
        "./last.json",
        "../last.json",
        "/var/lib/app/.last",
    ] {
        let kept = keep(path).expect(path);
        assert!(kept.path().is_absolute(), "{path}");
        assert_eq!(kept.shown(), path);
    }
}
