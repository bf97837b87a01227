//! Slips in the argument of a secret, and what reports show of them.

#![allow(clippy::unwrap_used)] // In helpers too.

use crate::{Capacitor, Error, Report, Source};
use proptest::prelude::*;

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
#[allow(dead_code, reason = "nothing reads it")]
struct Deployed {
    #[flux(default = 80, short = 'p')]
    port: u16,
    #[flux(default = false, short = 'v')]
    verbose: bool,
    #[flux(default)]
    tags: Vec<String>,
    #[flux(secret, arg = "token", short = 't')]
    token: Option<String>,
    /// No argument sets it, but somebody may try.
    #[flux(secret)]
    password: Option<String>,
    #[flux(nested, default)]
    auth: Auth,
}

#[derive(Debug, Default, flux_derive::Flux)]
#[flux(crate = crate)]
#[allow(dead_code, reason = "nothing reads it")]
struct Auth {
    #[flux(secret, arg = "api-key")]
    api_key: Option<String>,
    #[flux(default = "none")]
    realm: String,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
#[allow(dead_code, reason = "nothing reads it")]
struct Open {
    #[flux(default = 80)]
    port: u16,
}

fn refused(arguments: &[&str]) -> Report {
    let builder = Capacitor::<Deployed>::builder()
        .override_with(Source::args())
        .arguments(arguments.iter().copied());
    match builder.load() {
        Err(Error::Refused(report)) => report,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

/// Everything that is printed of a report.
fn printed(report: &Report) -> String {
    let json = serde_json::to_string(report).unwrap();
    let error = Error::Refused(report.clone());
    format!("{report}\n{report:?}\n{report:#?}\n{json}\n{error}\n{error:?}")
}

#[test]
fn a_slip_in_the_argument_of_a_secret_shows_nothing_of_it() {
    for arguments in [
        &[
            "--token",
            "-----BEGIN PRIVATE KEY-----\nQWZXKJ\n-----END PRIVATE KEY-----",
        ][..],
        &["--token", "--QWZXKJ"],
        &["--token", "--QWZXKJ=="],
        &["--token", "-QWZXKJ"],
        &["--token", "-pQWZXKJ"],
        &["--token", "-vQWZXKJ"],
        &["-t", "--QWZXKJ"],
        &["--token QWZXKJ"],
        &["--token  QWZXKJ"],
        &["--token\nQWZXKJ"],
        &["--token:QWZXKJ"],
        &["--token: QWZXKJ"],
        &["--token:", "--QWZXKJ"],
        &["--tokenQWZXKJ"],
        &["--TokenQWZXKJ=1"],
        &["--token-QWZXKJ"],
        &["--passwordQWZXKJ"],
        &["--password", "--QWZXKJ"],
        &["--password:QWZXKJ"],
        &["--password QWZXKJ"],
        &["--api_keyQWZXKJ"],
        &["--auth.api-keyQWZXKJ"],
        &["--auth.api-key", "--QWZXKJ"],
        &["--tokne", "--QWZXKJ"],
        &["--tokne:QWZXKJ"],
        &["-token", "--QWZXKJ"],
        &["---token=QWZXKJ"],
        &["---tokenQWZXKJ"],
        &["--token", "first", "second", "--QWZXKJ"],
        &["--token", "--first", "second", "--QWZXKJ"],
        &["--port 80 --token QWZXKJ"],
        &["--port=80 --token QWZXKJ"],
        &["--port", "80 --token=QWZXKJ"],
        &["--set token QWZXKJ"],
        &["--set", "token QWZXKJ"],
        &["--set", "token QWZXKJ=="],
        &["--set", "tokenQWZXKJ="],
        &["--set", "token:QWZXKJ="],
        &["--set", "password.QWZXKJ=1"],
        &["--set", "--QWZXKJ"],
        &["--set", "token", "--QWZXKJ"],
        &["--QWZXKJ/QWZXKJ+QWZXKJ"],
        &["--eyJhbGciOiJIUzI1NiJ9.QWZXKJQWZXKJQWZXKJQWZXKJQWZXKJQWZXKJ"],
        &["token=QWZXKJ", "--nothing"],
    ] {
        let report = refused(arguments);
        let printed = printed(&report);
        assert!(!printed.contains("QWZXKJ"), "{arguments:?}: {printed}");
        assert!(!printed.contains("PRIVATE"), "{arguments:?}: {printed}");
    }
}

#[cfg(unix)]
#[test]
fn a_slip_that_is_not_unicode_shows_nothing_of_a_secret() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};
    for (words, named) in [
        (&[&b"--tokenQWZXKJ\xff="[..]][..], None),
        (&[b"-tQWZXKJ\xff=1"], None),
        (&[b"--token", b"--QWZXKJ=\xff"], None),
        (&[b"--token=QWZXKJ\xff"], Some("--token")),
        (&[b"--prot=QWZXKJ\xff"], Some("--prot")),
    ] {
        let words = words.iter().map(|word| OsString::from_vec(word.to_vec()));
        let builder = Capacitor::<Deployed>::builder()
            .override_with(Source::args())
            .arguments(words);
        let Err(Error::Refused(report)) = builder.load() else {
            panic!("{named:?}");
        };
        let printed = printed(&report);
        assert!(!printed.contains("QWZXKJ"), "{printed}");
        let last = report.problems().last().unwrap();
        assert_eq!(last.argument.as_deref(), Some(named.unwrap_or("")));
    }
}

#[test]
fn a_hidden_argument_is_called_by_its_place_and_says_how_a_value_is_written() {
    let report = refused(&["--port=80", "--token", "--QWZXKJ"]);
    let [lacks, hidden] = report.problems() else {
        panic!("{report}");
    };
    assert_eq!(
        (lacks.argument.as_deref(), lacks.position),
        (Some("--token"), Some(2))
    );
    assert!(lacks.message.contains("`--token=-VALUE`"), "{report}");
    assert_eq!(
        (hidden.argument.as_deref(), hidden.position),
        (Some(""), Some(3))
    );
    for part in [
        "may have a secret in it",
        "`--token VALUE`",
        "`--token=VALUE`",
    ] {
        assert!(hidden.message.contains(part), "{report}");
    }
    assert!(hidden.path.is_empty() && hidden.fix.is_none(), "{report}");
    assert!(report.to_string().contains("--> argument 3"), "{report}");
}

#[test]
fn a_misspelt_argument_beside_a_secret_is_named_and_gets_what_was_meant() {
    for (arguments, named, says) in [
        (&["--prot", "81"][..], "--prot", "did you mean `--port`?"),
        (&["--tokne", "x"], "--tokne", "did you mean `--token`?"),
        (
            &["--token", "x", "--prot=1"],
            "--prot",
            "did you mean `--port`?",
        ),
        (&["--token=x", "--relam=1"], "--relam", "`--help` lists"),
        (&["--realm", "x"], "--realm", "did you mean `--auth.realm`?"),
        (&["--tags[0]=x"], "--tags[0]", "`--set tags[0]=VALUE`"),
        (&["--zebra"], "--zebra", "`--help` lists"),
        (&["-z"], "-z", "`--help` lists"),
        (
            &["--token", "--port=1", "--prot=1"],
            "--prot",
            "did you mean `--port`?",
        ),
        (&["--set", "prot=1"], "--set", "did you mean `port`?"),
    ] {
        let report = refused(arguments);
        let last = report.problems().last().unwrap();
        assert_eq!(last.argument.as_deref(), Some(named), "{report}");
        assert!(last.message.contains(says), "{report}");
    }
}

#[test]
fn every_argument_of_a_type_without_secrets_is_named_as_it_was_typed() {
    let builder = Capacitor::<Open>::builder()
        .override_with(Source::args())
        .arguments(["--port 81", "--token:QWZXKJ"]);
    let Err(Error::Refused(report)) = builder.load() else {
        panic!();
    };
    let text = report.to_string();
    assert!(text.contains("argument --port 81, position 1"), "{text}");
    assert!(
        text.contains("argument --token:QWZXKJ, position 2"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn no_value_of_a_secret_is_shown_however_it_was_joined_to_its_argument(
        name in prop_oneof![Just("--token"), Just("--password"), Just("--api-key"), Just("-t"), Just("--auth.api-key")],
        between in prop_oneof![Just(""), Just(" "), Just(":"), Just(": "), Just("-"), Just("\t"), Just("==")],
        is_one_word: bool,
        hyphens in "-{0,5}",
        before in "[a-zA-Z0-9+/=_.: \\-]{0,12}",
        after in "[a-zA-Z0-9+/=_.: \\-]{0,12}",
    ) {
        let value = format!("{hyphens}{before}QWZXKJQWZXKJ{after}");
        let one = format!("{name}{between}{value}");
        let arguments = match is_one_word {
            true => vec![one.as_str(), "--nothing"],
            false => vec![name, value.as_str(), "--nothing"],
        };
        // Some ask for the help, and some values are right.
        let loaded = Capacitor::<Deployed>::builder()
            .override_with(Source::args())
            .arguments(arguments.iter().copied())
            .load();
        if let Err(Error::Refused(report)) = loaded {
            let printed = printed(&report);
            prop_assert!(!printed.contains("QWZXKJ"), "{:?}: {}", arguments, printed);
        }
    }
}
