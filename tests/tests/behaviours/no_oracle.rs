//! That whether something is shown does not tell whether a guess at a secret of another layer is right; and that what variables and
//! recordings bring controls no terminal.

use crate::kit::{Ear, over_a_channel, settle, write};
use flux::{
    Capacitor, Flux, Secrets, Source,
    source::{ChannelSender, SourceError},
    testing::Recording,
};
use std::{collections::BTreeMap, fs, path::Path};

#[derive(Debug, Flux)]
struct Guessed {
    #[flux(default)]
    port: u16,
    #[flux(default, secret)]
    password: String,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Debug, Flux)]
struct Tenant {
    #[flux(secret, default = "default")]
    key: String,
}

const GUESS: &str = "Hq7vbelztwaBrm";

/// What is told of a folder with a file whose name is the guess, beside a variable with this secret.
async fn told_of_a_folder(folder: &Path, secret: &'static str) -> String {
    told_of(format!("dir:{}", folder.display()), secret).await
}

async fn told_of(uri: String, secret: &'static str) -> String {
    let (ear, _guard) = Ear::listen();
    let capacitor = Capacitor::<Guessed>::builder()
        .manual()
        .source(Source::uri(uri))
        .override_with(Source::env("APP_").variables([("APP_PASSWORD", secret)]))
        .build()
        .unwrap();
    let started = capacitor.start().await;
    let status = capacitor.status();
    let health = format!("{:?} {:?}", status.layers[0].health, status.error);
    capacitor.stop().await;
    let told = format!("{started:?} {health} {}", ear.text());
    // Times differ.
    told.split_whitespace()
        .filter(|word| !word.contains("tv_sec") && !word.contains("tv_nsec"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test]
async fn the_name_of_a_file_in_a_folder_is_shown_whether_it_is_a_secret_of_another_layer_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(GUESS);
    fs::write(&file, b"\xff").unwrap();
    let right = told_of_a_folder(folder.path(), GUESS).await;
    assert!(
        right.contains("is not UTF-8, so it cannot be a value"),
        "{right}"
    );
    assert_eq!(
        right,
        told_of_a_folder(folder.path(), "another-Secret").await
    );
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&file, &file).unwrap();
    let right = told_of_a_folder(folder.path(), GUESS).await;
    assert!(right.contains(GUESS), "{right}");
    assert_eq!(
        right,
        told_of_a_folder(folder.path(), "another-Secret").await
    );
}

#[tokio::test]
async fn the_name_of_a_drop_in_is_shown_whether_it_is_a_secret_of_another_layer_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{GUESS}.yaml"));
    std::os::unix::fs::symlink(&file, &file).unwrap();
    let pattern = || format!("file:{}/*.yaml", folder.path().display());
    let right = told_of(pattern(), GUESS).await;
    assert!(right.contains(GUESS), "{right}");
    assert_eq!(right, told_of(pattern(), "another-Secret").await);
}

/// A channel and a file for the last known good configuration, below a variable with this secret.
fn kept_below<C: flux::Config>(path: &Path, secret: &'static str) -> (Capacitor<C>, ChannelSender) {
    let (builder, sender) = over_a_channel::<C>();
    let capacitor = builder
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .override_with(Source::env("APP_").variables([("APP_PASSWORD", secret)]))
        .build()
        .unwrap();
    (capacitor, sender)
}

#[tokio::test(start_paused = true)]
async fn the_path_of_a_secret_that_is_not_kept_is_told_whatever_other_secrets_there_are() {
    for secret in [GUESS, "another-Secret", "default-pass"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let (capacitor, sender) = kept_below::<Guessed>(&path, secret);
        write(&sender, &format!("tenants: {{{GUESS}: {{key: abcdefgh}}}}")).await;
        capacitor.start().await.unwrap();
        capacitor.stop().await;
        let (ear, _guard) = Ear::listen();
        let (capacitor, sender) = kept_below::<Guessed>(&path, secret);
        sender
            .fail(SourceError::transient("no route"))
            .await
            .unwrap();
        capacitor.start().await.unwrap();
        settle().await;
        let told = ear.text();
        let warning = format!("`tenants.{GUESS}.key` was secret, so it was not kept");
        assert!(told.contains(&warning), "{secret}: {told}");
        capacitor.stop().await;
    }
}

macro_rules! rented {
    ($size:ty) => {
        use flux::Flux;

        #[derive(Debug, Flux)]
        pub(super) struct Rented {
            #[flux(default = 80, range = 1..=9000)]
            port: u16,
            #[flux(default, secret)]
            password: String,
            #[flux(default)]
            size: $size,
        }
    };
}

mod rented_before {
    rented!(String);
}

mod rented {
    rented!(u16);
}

#[tokio::test(start_paused = true)]
async fn why_the_last_known_good_file_does_not_serve_is_told_whatever_other_secrets_there_are() {
    for secret in ["channel", "another-Secret"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let (capacitor, sender) = kept_below::<rented_before::Rented>(&path, secret);
        write(&sender, "size: large").await;
        capacitor.start().await.unwrap();
        capacitor.stop().await;
        let (ear, _guard) = Ear::listen();
        let (capacitor, sender) = kept_below::<rented::Rented>(&path, secret);
        write(&sender, "port: 9500").await;
        capacitor.start().await.unwrap_err();
        let told = ear.text();
        let words = "what was kept of channel does not fit the configuration any more";
        let is_told = |line: &str| line.contains(words) && line.contains("; it does not serve");
        assert!(told.lines().any(is_told), "{secret}: {told}");
    }
}

/// What is said of a URI that a variable brings.
fn refused(uri: &str) -> String {
    let uri = uri.to_owned();
    let source = Source::uri("${APP_URI}").variables([("APP_URI", uri)]);
    let built = Capacitor::<Guessed>::builder().source(source).build();
    match built {
        Ok(capacitor) => format!("{capacitor:?} {}", capacitor.status()),
        Err(error) => format!("{error} {error:?}"),
    }
}

#[test]
fn a_uri_with_a_slip_that_a_variable_brings_is_not_quoted() {
    for uri in [
        "https//host/x.json?token=hunter2-Secret9",
        "https://host/x.json?tokn=hunter2-Secret9",
        "file:redis://app:hunter2-Secret9@host/k",
        "hunter2-Secret9",
        "htps://host/x.json#hunter2-Secret9",
    ] {
        let told = refused(uri);
        assert!(!told.contains("hunter2"), "{uri}: {told}");
        assert!(!told.contains("Secret9"), "{uri}: {told}");
    }
}

#[test]
fn a_declaration_that_a_variable_brings_controls_no_terminal_and_is_cut() {
    let odd = "\u{1b}[31m\u{202e}\u{9b}\nx";
    for form in [
        "env:@",
        "file:@",
        "file:x.@",
        "@:x",
        "redis://@/x",
        "env:APP_?@=1",
        "env:A?empty=@",
        "dotenv:.env?prefix=@",
    ] {
        let uri = form.replace('@', odd);
        let source = Source::uri("${APP_URI}").variables([("APP_URI", uri)]);
        let built = Capacitor::<Guessed>::builder().source(source).build();
        let Err(error) = built else { continue };
        for told in [error.to_string(), format!("{error:?}")] {
            let raw = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!told.contains(raw), "{form}: {told:?}");
        }
    }
    let long = refused(&format!("env:{}=", "A".repeat(200_000)));
    assert!(long.len() < 5_000, "{}", long.len());
    let recording = "{\"at\":0.0,\"start\":\"\\u001b[31mno\",\"layers\":[]}";
    let error = recording.parse::<Recording>().unwrap_err().to_string();
    assert!(!error.contains('\u{1b}'), "{error:?}");
}
