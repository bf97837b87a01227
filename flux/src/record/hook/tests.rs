//! What a start is recorded as, and what is recorded of files that variables name.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::*;
use crate::{Builder, Capacitor, Error, Source, problem::caught, record::Recording};

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct RecordedApp {
    #[flux(default = 1)]
    n: u32,
}

fn generation(hook: &RecorderOfStarts) -> Option<u64> {
    let mut generation = None;
    hook.with(|start| generation = Some(start.generation));
    generation
}

#[test]
fn a_start_is_used_without_a_lock_and_a_newer_one_replaces_it() {
    let hook = RecorderOfStarts::new(&Recorder::in_memory());
    let schema = Schema::of::<RecordedApp>();
    assert_eq!(generation(&hook), None);
    hook.begin(schema, (&[], &[]), 3);
    hook.with(|_| {
        assert!(hook.newest.try_lock().is_ok());
        assert_eq!(generation(&hook), None);
    });
    assert_eq!(generation(&hook), Some(3));
    hook.with(|_| hook.begin(schema, (&[], &[]), 7));
    assert_eq!(generation(&hook), Some(7));
    assert!(caught(|| hook.with(|_| panic!("a rule"))).is_err());
    assert_eq!(generation(&hook), Some(7));
}

#[cfg(feature = "figment")]
#[test]
fn what_a_provider_quotes_when_it_fails_is_recorded_for_a_type_without_secrets_alone() {
    struct Quoting;
    impl figment::Provider for Quoting {
        fn metadata(&self) -> figment::Metadata {
            figment::Metadata::named("quoting")
        }
        fn data(
            &self,
        ) -> Result<figment::value::Map<figment::Profile, figment::value::Dict>, figment::Error>
        {
            Err("cannot parse hunter2hunter2".to_owned().into())
        }
    }
    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct RecordedVault {
        #[flux(secret)]
        #[allow(dead_code, reason = "nothing reads it")]
        password: Option<String>,
    }
    let is_quoted = |schema: &'static Schema| {
        let opened = Opened {
            origin: "provider".to_owned(),
            decoder: None,
            optional: false,
            file: None,
            searched: Vec::new(),
            drop_ins: None,
            secrets: None,
            input: Input::Provider(Mutex::new(Box::new(Quoting))),
        };
        match Recorded::new(schema, &opened, None).input {
            RecordedInput::Given(Err(error)) => error.contains("hunter2"),
            _ => panic!("it was read"),
        }
    };
    assert!(is_quoted(Schema::of::<RecordedApp>()));
    assert!(!is_quoted(Schema::of::<RecordedVault>()));
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
#[allow(dead_code, reason = "nothing reads it")]
struct RecordedFiles {
    #[flux(default = 1)]
    port: u16,
    #[flux(secret)]
    password: Option<String>,
}

/// These variables, some of which name files.
fn with_files(variables: &[(&str, &str)]) -> Builder<RecordedFiles> {
    let variables: Vec<_> = variables.iter().map(|(n, v)| (*n, *v)).collect();
    let source = Source::env("APP_?files=true").variables(variables);
    Capacitor::<RecordedFiles>::builder().source(source)
}

#[tokio::test]
async fn a_file_that_a_variable_names_and_that_is_refused_is_refused_in_a_replay_and_is_not_quoted()
{
    for variables in [
        &[("APP_PORT_FILE", "/no/such/hunter2hunter2")][..],
        &[("APP_PASSWORD_FILE", "hunter2hunter2")],
        &[("APP_PORT_FILE", "/no/such/file"), ("APP_PORT", "80")],
        &[("APP_PASWORD_FILE", "/no/such/file"), ("APP_PORT", "80")],
    ] {
        let recorder = Recorder::in_memory();
        let capacitor = with_files(variables)
            .unknown(crate::Unknown::Deny)
            .record(&recorder)
            .build()
            .unwrap();
        let refused = capacitor.start().await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        capacitor.stop().await;
        let log = recorder.lines();
        assert!(!log.contains("hunter2"), "{log}");
        let recording = Recording::all(&log).unwrap().remove(0);
        let builder = with_files(&[]).unknown(crate::Unknown::Deny);
        let replay = recording.replay(builder).await.unwrap();
        assert_eq!(replay.difference(), None, "{variables:?}: {log}");
    }
}

/// A provider that is read after the variables writes the file anew.
#[cfg(feature = "figment")]
#[tokio::test]
async fn what_was_read_of_a_file_that_a_variable_names_is_what_is_recorded() {
    struct Writing(std::path::PathBuf);
    impl figment::Provider for Writing {
        fn metadata(&self) -> figment::Metadata {
            figment::Metadata::named("writing")
        }
        fn data(
            &self,
        ) -> Result<figment::value::Map<figment::Profile, figment::value::Dict>, figment::Error>
        {
            std::fs::write(&self.0, "90").unwrap();
            Ok(figment::value::Map::new())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    std::fs::write(&path, "80\n").unwrap();
    let recorder = Recorder::in_memory();
    let capacitor = with_files(&[("APP_PORT_FILE", path.to_str().unwrap())])
        .provider(Writing(path.clone()))
        .record(&recorder)
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    let port = capacitor.get().port;
    capacitor.stop().await;
    let log = recorder.lines();
    let recording = Recording::all(&log).unwrap().remove(0);
    let replay = recording.replay(with_files(&[])).await.unwrap();
    replay.assert_same();
    assert_eq!((port, replay.get().port), (80, 80), "{log}");
}
