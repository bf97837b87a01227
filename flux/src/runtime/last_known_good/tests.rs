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

#[cfg(unix)]
#[test]
fn a_file_that_a_source_reads_is_refused_with_what_would_be_done_to_it() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    symlink(path("app.json"), path("last.json")).unwrap();
    symlink(path("other.json"), path("kept.json.trial")).unwrap();
    for (kept, source, sentence) in [
        (
            "app.json",
            "app.json",
            "the last known good configuration would be written to FOLDER/app.json, which the source FOLDER/app.json reads; give it \
             a file of its own, in another folder",
        ),
        (
            "kept",
            "kept.trial",
            "the record of trials would be written to FOLDER/kept.trial, which the source FOLDER/kept.trial reads; give it a file of \
             its own, in another folder",
        ),
        (
            "last.json",
            "app.json",
            "the last known good configuration would be read from FOLDER/app.json (by the link FOLDER/last.json), which the source \
             FOLDER/app.json reads; give it a file of its own",
        ),
        (
            "kept.json",
            "other.json",
            "the record of trials would be read from FOLDER/other.json (by the link FOLDER/kept.json.trial), which the source \
             FOLDER/other.json reads; give it a file of its own",
        ),
    ] {
        let keep = KeepOnDisk::new(path(kept), Secrets::Omit, None).unwrap();
        let source = path(source);
        let refused = keep.beside_sources(std::iter::once(Path::new(&source)));
        let real = std::fs::canonicalize(folder.path()).unwrap();
        let refused = refused
            .unwrap_err()
            .replace(real.to_str().unwrap(), "FOLDER");
        assert_eq!(refused.replace(&path(""), "FOLDER/"), sentence);
    }
}

#[cfg(feature = "derive")]
mod alone {
    use crate::{Format, Source, source::Channel};
    use flux_derive::Flux;
    use std::time::Duration;

    #[derive(Debug, Clone, Flux)]
    #[flux(crate = crate, validate = is_long)]
    struct LonelyApp {
        #[flux(secret)]
        password: String,
        #[flux(secret, default)]
        pin: String,
        #[flux(default = 1)]
        port: u16,
    }

    fn is_long(app: &LonelyApp) -> Result<(), String> {
        match app.port == 443 && app.pin.is_empty() {
            true => Err("443 needs a pin".to_owned()),
            false => Ok(()),
        }
    }

    /// What the status has of the file, once it is written.
    async fn kept(document: &str, variables: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = crate::Capacitor::<LonelyApp>::builder()
            .clear_sources()
            .source(Source::watcher(channel).format(Format::Json))
            .source(Source::env("APP_").variables(variables.iter().copied()))
            .last_known_good(path.to_str().unwrap(), super::Secrets::Omit)
            .build()
            .unwrap();
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        capacitor.start().await.unwrap();
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let status = capacitor.status();
            if let Some(kept) = status
                .last_known_good
                .as_ref()
                .filter(|kept| kept.written.is_some())
            {
                return kept.problem.clone();
            }
        }
        panic!("{}", capacitor.status());
    }

    #[tokio::test]
    async fn a_required_secret_that_documents_alone_contain_is_reported_when_the_file_is_written() {
        let problem = kept(r#"{"password": "hunter22"}"#, &[]).await.unwrap();
        assert!(problem.contains("lacks `password`"), "{problem}");
        assert!(!problem.contains("hunter22"), "{problem}");
        let elsewhere = &[("APP_PASSWORD", "hunter22")];
        assert_eq!(
            kept(r#"{"password": "hunter23", "pin": "1234"}"#, elsewhere).await,
            None
        );
        assert_eq!(
            kept(
                r#"{"port": 443, "pin": "1234"}"#,
                &[("APP_PASSWORD", "x"), ("APP_PIN", "1")]
            )
            .await,
            None
        );
        let problem = kept(r#"{"port": 443, "pin": "1234"}"#, elsewhere)
            .await
            .unwrap();
        assert!(
            problem.contains("breaks the rules of the whole of it"),
            "{problem}"
        );
    }
}

/// A rename would put a file in its place, also of `/dev/null` where the program runs as root.
#[cfg(unix)]
#[test]
fn a_socket_a_pipe_or_a_device_is_never_replaced_or_removed() {
    use crate::runtime::disk;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let disk = disk::here();
    let failed = disk::replace(&*disk, &path, b"{}").unwrap_err();
    assert!(failed.to_string().contains("is left alone"), "{failed}");
    assert!(disk::remove(&*disk, &path).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(socket);
    std::fs::remove_file(&path).unwrap();
    disk::replace(&*disk, &path, b"{}").unwrap();
}

#[test]
fn a_file_with_two_contents_of_one_layer_is_none_and_one_of_a_time_to_come_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let keep = KeepOnDisk::new(path.to_str().unwrap().to_owned(), Secrets::Omit, None).unwrap();
    let with = |layers: &[&str], written: u64| {
        let layer = |name: &&str| {
            format!(r#"{{"layer": "{name}", "format": "json", "content": {{"n": 1}}}}"#)
        };
        let layers: Vec<String> = layers.iter().map(layer).collect();
        let text = format!(
            r#"{{"config": "App", "version": 2, "written": {written}, "layers": [{}]}}"#,
            layers.join(", ")
        );
        std::fs::write(&path, text).unwrap();
        keep.read("App")
    };
    let kept = with(&["a.json", "b.json"], 1_700_000_000).unwrap().unwrap();
    assert_eq!(
        kept.name("last.json"),
        "the last known good configuration, written at 2023-11-14 22:13:20 UTC, from last.json"
    );
    assert!(with(&["a.json", "a.json"], 1_700_000_000).is_err());
    let name = with(&["a.json"], 99_999_999_999)
        .unwrap()
        .unwrap()
        .name("last.json");
    assert!(
        name.contains("configuration, of a time to come (5138-11-16 09:46:39 UTC), from"),
        "{name}"
    );
}
