//! What is declared in code, and how it is refused.

use crate::source::declare::*;
#[cfg(unix)]
use std::ffi::OsString;

fn opened(uri: &str) -> Result<String, String> {
    open(Source::uri(uri), None).map(|opened| opened.origin)
}

#[test]
fn a_uri_in_code_is_what_it_would_be_in_an_attribute() {
    for uri in ["redis://u:hunter2@h/k", "${X:-redis://u:hunter2@h/k}"] {
        let refused = opened(uri).expect_err("a password");
        assert!(refused.contains("a password does not belong"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    let refused = opened("nats://h/bucket/app.*").expect_err("a wildcard");
    assert!(refused.contains("wildcard"), "{refused}");
    let refused = opened("redis://${FLUX_UNSET_HOST}/k").expect_err("unset");
    assert!(refused.contains("FLUX_UNSET_HOST is not set"), "{refused}");
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_empty_or_no_unicode_is_reported_as_what_it_is() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = OsString::from_vec(vec![b'a', 0xff]);
    let variables = [
        ("EMPTY".to_owned(), OsString::new()),
        ("BYTES".to_owned(), bytes),
    ];
    let variables = Variables::given(variables.into_iter().collect());
    for uri in ["redis://${NAME}/k", "file:${NAME}/app.yaml", "${NAME}"] {
        for (name, sentence) in [
            ("EMPTY", "EMPTY is empty"),
            ("BYTES", "BYTES is not valid Unicode"),
            ("NONE", "NONE is not set"),
        ] {
            let mut source = Source::uri(uri.replace("NAME", name));
            source.variables = variables.clone();
            let refused = open(source, None).map(|opened| opened.origin);
            let refused = refused.expect_err(uri);
            assert!(refused.contains(sentence), "{refused}");
        }
    }
}

/// A pipe would keep the start waiting, and a device fill the memory.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_not_read_for_a_declaration() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    for path in [&*pipe.display().to_string(), "/dev/zero", "/"] {
        let refused = opened(&format!("redis://u:${{file:{path}}}@h/k"));
        let refused = refused.expect_err(path);
        assert!(
            refused.contains(path) && refused.contains("not readable"),
            "{refused}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_given_uri_is_reported_as_it_was_given() {
    for (given, sentence) in [
        (
            "consul://h/k?token=abc",
            "declare the source with `?token=${NAME}`",
        ),
        (
            "consul://h/k?token=${TOKEN}",
            "in a URI that comes from a variable no other one is replaced",
        ),
        (
            "$HOME/app.yaml",
            "it has no scheme; a file is written `file:PATH`",
        ),
        ("abcabc", "it has no scheme"),
        ("https//h/x.json?token=abc", "it has no scheme"),
        ("https://h/x.json#tokn=abc", "it is no source URI such as"),
        ("file:redis://app:abc@h/k", "it is no source URI such as"),
    ] {
        let source = Source::uri("${APP_CONFIG}").variables([("APP_CONFIG", given)]);
        let refused = open(source, None).map(|opened| opened.origin);
        let refused = refused.expect_err(given);
        assert!(refused.contains(sentence), "{refused}");
        assert!(
            !refused.contains("abc") && !refused.contains("$$"),
            "{refused}"
        );
    }
}

#[test]
#[cfg(all(feature = "file", feature = "yaml"))]
fn a_uri_that_comes_from_the_environment_has_defaults_in_defaults() {
    let uri = "${FLUX_UNSET:-file:${FLUX_UNSET_TOO:-app}.yaml}";
    assert_eq!(opened(uri).as_deref(), Ok("app.yaml"));
}

#[test]
#[cfg(not(feature = "redis"))]
fn a_server_without_its_feature_names_it() {
    let refused = opened("redis://h/k").expect_err("off");
    assert!(
        refused.contains("needs the cargo feature `redis`"),
        "{refused}"
    );
}

#[test]
#[cfg(feature = "redis")]
fn what_is_shown_of_a_server_is_its_place() {
    let shown = opened("redis://u:${FLUX_UNSET:-${PATH}}@h/app.yaml?db=2&poll=1s");
    assert_eq!(shown.as_deref(), Ok("redis://h/app.yaml?db=2"));
}

#[test]
fn nothing_in_an_origin_or_a_name_controls_a_terminal_and_both_are_cut() {
    let strange = "a\u{1b}[2J\n.yaml";
    let (_, channel) = crate::source::Channel::latest(strange);
    let long = "x".repeat(1 << 20);
    for source in [
        Source::uri("file:${CONF}").variables([("CONF", strange)]),
        Source::watcher(channel),
        Source::uri("file:app.yaml").named(strange),
        Source::uri("file:app.yaml").named(long),
    ] {
        let Ok(opened) = open(source, None) else {
            continue;
        };
        let origin = opened.origin;
        assert!(!origin.contains(char::is_control), "{origin:?}");
        assert!(origin.len() < 3_000, "{}", origin.len());
    }
}
