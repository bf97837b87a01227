use super::*;
use crate::{Uri, parse_uri};
use proptest::prelude::*;

fn read(text: &str) -> Remote {
    match parse_uri(text) {
        Ok(Uri::Remote(remote)) => remote,
        other => panic!("{text}: {other:?}"),
    }
}

fn refused(text: &str) -> String {
    parse_uri(text).expect_err(text).message
}

fn lookup(name: &str) -> Option<String> {
    let known = match name {
        "HOST" => "db.local:7000",
        "HOSTS" => "a,b:7000",
        "PW" => "p@ss:w/rd?",
        "KEY" => "app?x",
        "STAR" => "app.*",
        "SNEAKY" => "u:hunter2@h",
        _ => return None,
    };
    Some(known.to_owned())
}

fn expanded(text: &str) -> Result<Remote<String>, String> {
    read(text).expand(&lookup)
}

#[test]
fn each_scheme_has_its_pieces_in_their_places() {
    for (text, hosts, path) in [
        ("redis://h:6379/app/config", "h:6379", "app/config"),
        ("rediss://h/app", "h", "app"),
        ("etcd://a:1,[::1]:2/app", "a:1 [::1]:2", "app"),
        ("etcd://a//app", "a", "/app"),
        ("consul://h/app/x", "h", "app/x"),
        ("nats://h:4222/bucket/a.b/c", "h:4222", "bucket a.b/c"),
        (
            "k8s://ns/configmap/app/app.yaml",
            "",
            "ns configmap app app.yaml",
        ),
        ("k8s://ns/secret/app/key", "", "ns secret app key"),
        ("zookeeper://a,b/x/y", "a b", "x/y"),
        ("firestore://p/c/d?field=f", "", "p c/d"),
        ("firestore://p/c/d/e/f", "", "p c/d/e/f"),
        ("https://h/a/b.yaml?v=1#resync=5m", "h", "/a/b.yaml?v=1"),
        ("http://h:80", "h:80", "/"),
        ("dir:/etc/app.d", "", "/etc/app.d"),
        ("dir:///etc/app.d", "", "/etc/app.d"),
        ("dir:app.d", "", "app.d"),
    ] {
        let remote = expanded(text).expect(text);
        assert_eq!(remote.hosts.join(" "), hosts, "{text}");
        assert_eq!(remote.path.join(" "), path, "{text}");
    }
}

#[test]
fn credentials_come_from_variables_whatever_they_hold() {
    let remote = expanded("redis://bob:${PW}@${HOST}/${KEY}?db=2").expect("a source");
    assert_eq!(remote.user.as_deref(), Some("bob"));
    assert_eq!(remote.password.as_deref(), Some("p@ss:w/rd?"));
    assert_eq!(remote.servers(), [("db.local".to_owned(), 7000)]);
    assert_eq!(remote.at(0), "app?x");
    assert_eq!(remote.get("db").map(String::as_str), Some("2"));

    let remote = expanded("redis://:${PW}@h/k").expect("a source");
    assert_eq!((remote.user, remote.password.is_some()), (None, true));
    let remote = expanded("etcd://h/k?user=bob&password=${PW}").expect("a source");
    assert_eq!(remote.user.as_deref(), Some("bob"));
    assert!(remote.password.is_some());
}

#[test]
fn nothing_secret_is_shown() {
    for text in [
        "redis://bob:${PW}@h/k?db=2&tls=true",
        "redis://h/k?db=2&user=bob&password=${PW}",
        "consul://h/k?token=${PW}&dc=x",
        "https://bob:${PW}@h/k",
        "https://h/k#token=${PW}",
    ] {
        let remote = expanded(text).expect(text);
        for shown in [remote.origin(), format!("{remote:?}")] {
            assert!(!shown.contains("p@ss") && !shown.contains("bob"), "{shown}");
        }
    }
    let shown = |text| expanded(text).expect(text).origin();
    assert_eq!(shown("rediss://u:${PW}@h/k?db=2"), "rediss://h/k?db=2");
    assert_eq!(shown("https://h/a?token=x#resync=1s"), "https://h/a");
    assert_eq!(shown("etcd://a,b/k?format=yaml"), "etcd://a,b/k");
    assert_eq!(shown("k8s://n/secret/s/k"), "k8s://n/secret/s/k");
    assert_eq!(shown("dir:/etc/app.d"), "dir:/etc/app.d");
}

#[test]
fn the_port_and_tls_have_defaults() {
    let server = |text| {
        let remote = expanded(text).expect(text);
        (remote.servers(), remote.tls())
    };
    let at = |host: &str, port| (host.to_owned(), port);
    assert_eq!(server("redis://h/k"), (vec![at("h", 6379)], false));
    assert_eq!(server("rediss://h/k"), (vec![at("h", 6379)], true));
    assert_eq!(server("etcd://h/k?tls=true"), (vec![at("h", 2379)], true));
    assert_eq!(server("etcd://h/k?ca=/ca.pem"), (vec![at("h", 2379)], true));
    assert_eq!(server("nats://[::1]/b/k"), (vec![at("::1", 4222)], false));
    assert_eq!(server("https://h/k"), (vec![at("h", 443)], true));
    assert_eq!(server("http://h/k"), (vec![at("h", 80)], false));
    assert_eq!(
        expanded("etcd://a,[::1]:1/k")
            .expect("a source")
            .addresses(),
        ["a:2379", "[::1]:1"]
    );
    assert_eq!(
        server("etcd://${HOSTS}/k").0,
        [at("a", 2379), at("b", 7000)]
    );
}

#[test]
fn the_format_is_named_or_told_by_the_ending_or_json() {
    for (text, format) in [
        ("redis://h/app", Some(Format::Json)),
        ("redis://h/app.conf", Some(Format::Json)),
        ("redis://h/app.yaml?db=1", Some(Format::Yaml)),
        ("redis://h/app.yaml?format=toml", Some(Format::Toml)),
        ("https://h/app.toml?v=1", Some(Format::Toml)),
        ("k8s://n/configmap/a/app.yml", Some(Format::Yaml)),
        ("redis://h/${KEY}", None),
        ("redis://h/${KEY}.toml", Some(Format::Toml)),
    ] {
        assert_eq!(read(text).format(), format, "{text}");
        if let Some(format) = format {
            assert_eq!(expanded(text).expect(text).format(), format, "{text}");
        }
    }
}

#[test]
fn characters_with_a_meaning_can_be_written_as_numbers() {
    assert_eq!(read("redis://h/a%3Fb%40%24{c}").path, ["a?b@${c}".into()]);
    assert!(refused("redis://h/a%3").contains("`%25`"));
    assert!(refused("redis://h/%ff").contains("not Unicode"));
}

#[test]
fn mistakes_are_told_with_their_mend() {
    for (text, says) in [
        ("redis:h/k", "`//` is missing"),
        ("redis://h", "the key is missing"),
        ("redis://h/", "the key is missing"),
        ("redis:///k", "the host is missing"),
        ("redis://a,b/k", "one host"),
        ("redis://h:port/k", "not a port"),
        ("redis://h:0/k", "not a port"),
        ("redis://h:70000/k", "not a port"),
        ("redis://h/k?bd=1", "did you mean `db`?"),
        ("redis://h/k?db", "needs a value"),
        ("redis://h/k?db=", "has no value"),
        ("redis://h/k?db=one", "expected a number"),
        ("redis://h/k?db=1&db=2", "set twice"),
        ("redis://h/k?tls=yes", "`true` or `false`"),
        ("redis://h/k?resync=5", "expected a duration"),
        ("redis://h/k?format=jsn", "did you mean `json`?"),
        ("redis://bob@h/k?user=eve", "named twice"),
        (
            "redis://h/k?password=hunter2",
            "take it from the environment",
        ),
        ("consul://h/k?token=x", "take it from the environment"),
        ("consul://h//k", "begins with `/`"),
        ("consul://h/a//k", "an empty step"),
        ("consul://h/a/../k", "an empty step"),
        ("zookeeper://h/a%0Ab", "\\u{a}"),
        ("zookeeper://h/\u{1f600}", "\\u{1f600}"),
        ("nats://s3cret@h/b/k", "take it from the environment"),
        ("nats://h/b", "the key is missing"),
        ("nats://h/b/app.*", "wildcard"),
        ("nats://h/b/>", "wildcard"),
        ("nats://h/b/.x", "begin or end with a dot"),
        ("nats://h/b/a..b", "two dots in a row"),
        ("nats://h/b/a b", "cannot hold ` `"),
        ("nats://h/b.c/k", "the bucket `b.c` cannot hold `.`"),
        ("k8s://ns/configmap/name", "the key is missing"),
        ("k8s://ns/pod/name/key", "write `configmap` or `secret`"),
        ("k8s://Ns/secret/name/key", "lower-case"),
        ("zookeeper://h/", "the path is missing"),
        ("zookeeper://h/a//b", "needs a name"),
        ("firestore://p/c", "pairs of a collection"),
        ("dir:", "the path is missing"),
        ("etcd://h/k?tls=${X", "no closing"),
    ] {
        let said = refused(text);
        assert!(said.contains(says), "{text}: {said}");
        assert!(
            !said.contains("hunter2") && !said.contains("s3cret"),
            "{said}"
        );
    }
}

#[test]
fn what_may_share_a_connection_is_equal_in_its_server() {
    let server = |text| expanded(text).expect(text).server();
    let one = server("redis://u:${PW}@h/a?db=1&resync=5m&tls=true");
    assert_eq!(one, server("redis://u:${PW}@h/b?tls=true&format=yaml&db=1"));
    assert_eq!(one.at(0), "");
    assert_ne!(one, server("redis://u:${PW}@h/a?db=2&tls=true"));
    assert_ne!(one, server("redis://u:${HOST}@h/a?db=1&tls=true"));
    assert_ne!(server("etcd://a/k"), server("etcd://b/k"));
}

#[test]
fn what_a_variable_brings_is_checked_at_start() {
    let refused = |text| expanded(text).expect_err(text);
    assert!(refused("nats://h/b/${STAR}").contains("wildcard"));
    assert!(refused("redis://h/${NONE}").contains("NONE is not set"));
    assert!(refused("redis://h/k?db=${KEY}").contains("expected a number"));
    let said = refused("redis://${SNEAKY}/k");
    assert!(
        said.contains("holds no user") && !said.contains("hunter2"),
        "{said}"
    );
}

proptest! {
    #[test]
    fn any_remote_text_is_read_or_refused_inside_itself(
        scheme in prop::sample::select(vec!["redis", "etcd", "nats", "k8s", "https", "dir", "firestore"]),
        rest in "[a-zA-Z0-9:/@?&=#,.%${}\\[\\] -]{0,40}",
    ) {
        let text = format!("{scheme}://{rest}");
        match parse_uri(&text) {
            Err(error) => prop_assert!(text.get(error.span).is_some()),
            // Nothing that was read may panic later.
            Ok(Uri::Remote(remote)) => {
                if let Ok(remote) = remote.expand(&|_| Some("x".to_owned())) {
                    prop_assert!(!remote.origin().is_empty());
                    remote.servers();
                }
            }
            Ok(_) => {}
        }
    }

    #[test]
    fn a_password_in_the_clear_is_never_accepted_nor_repeated(
        user in "[a-z]{0,5}", secret in "[A-Z0-9!?/#]{6,12}", key in "[a-z/]{1,8}",
    ) {
        let error = parse_uri(&format!("redis://{user}:{secret}@host/{key}")).expect_err("a password");
        prop_assert!(!error.message.contains(&secret));
    }

    #[test]
    fn any_key_comes_back(key in "[ -~]{1,30}") {
        let written: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let remote = read(&format!("redis://h/{written}"));
        prop_assert_eq!(remote.path, [Template::from(key)]);
    }
}

#[test]
fn a_token_with_a_line_break_at_its_end_is_refused_with_the_fix() {
    let place = match crate::parse_uri("consul://h/k?token=${TOKEN}") {
        Ok(crate::Uri::Remote(place)) => place,
        other => panic!("{other:?}"),
    };
    let lookup = |_: &str| Some("hunter2\n".to_owned());
    let error = place.expand(&lookup).unwrap_err();
    assert!(
        error.contains("the token ends with a line break"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_variable_with_a_line_break_at_its_end_is_refused_wherever_it_is() {
    for uri in [
        "redis://:${V}@h/k",
        "redis://${V}:${PASSWORD}@h/k",
        "redis://${V}/k",
        "redis://h/${V}",
        "etcd://app:${V}@h/k",
        "nats://${V}@h/bucket/k",
        "consul://h/k?token=${V}",
        "consul://h/k?dc=${V}",
        "https://${V}/app.yaml",
        "https://h/app.yaml?api_key=${V}",
        "https://h/${V}/app.yaml",
        "https://h/app.yaml?api_key=${UNSET:-${V}}",
        "zookeeper://app:${V}@h/k",
        "k8s://${V}/configmap/name/key",
        "firestore://project/${V}/name",
    ] {
        let Ok(crate::Uri::Remote(place)) = crate::parse_uri(uri) else {
            panic!("{uri}: {:?}", crate::parse_uri(uri));
        };
        for end in ["\n", "\r\n"] {
            let lookup = |name: &str| match name {
                "V" => Some(format!("hunter2{end}")),
                "PASSWORD" => Some("good".to_owned()),
                _ => None,
            };
            let error = place.expand(&lookup).expect_err(uri);
            let named = ["password", "token", "environment variable V"];
            let mut named = named
                .map(|name| format!("the {name} ends with a line break"))
                .into_iter();
            assert!(named.any(|text| error.contains(&text)), "{uri}: {error}");
            assert!(!error.contains("hunter2"), "{uri}: {error}");
        }
        let whole = |name: &str| (name != "UNSET").then(|| "whole".to_owned());
        place.expand(&whole).expect(uri);
    }
}

#[test]
fn a_variable_that_is_taken_for_a_port_or_an_option_is_not_quoted() {
    for (uri, named) in [
        ("redis://bob:${PW}/k", "`...` is not a port"),
        ("redis://h/k?db=${PW}", "`...`"),
        ("etcd://${PW}:x/k", "`x` is not a port"),
    ] {
        let Ok(crate::Uri::Remote(place)) = crate::parse_uri(uri) else {
            panic!("{uri}");
        };
        let error = place.expand(&|_| Some("hunter2".to_owned())).unwrap_err();
        assert!(error.contains(named), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_stands_where_a_variable_would() {
    let uri = "etcd://app:${file:/run/secrets/etcd:-${PASSWORD}}@h/app/${NAME}";
    let place = match crate::parse_uri(uri) {
        Ok(crate::Uri::Remote(place)) => place,
        other => panic!("{other:?}"),
    };
    assert!(place.reads_files());
    let of_file = |name: &str| match name {
        "file:/run/secrets/etcd" => Some("hunter2".to_owned()),
        "NAME" => Some("config".to_owned()),
        _ => None,
    };
    let expanded = place.expand(&of_file).unwrap();
    assert_eq!(expanded.password.as_deref(), Some("hunter2"));
    assert_eq!(expanded.given, ["hunter2"]);
    assert_eq!(expanded.origin(), "etcd://h/app/config");
    let of_none = |name: &str| (name == "NAME").then(|| "config".to_owned());
    let error = place.expand(&of_none).unwrap_err();
    assert!(error.contains("PASSWORD"), "{error}");
    assert!(crate::parse_uri("etcd://app:${file:}@h/k").is_err());
}

#[test]
fn what_would_be_passed_over_in_silence_is_refused() {
    for (text, says) in [
        ("redis://h/k?cert=/c", "`cert_key` is not"),
        ("redis://h/k?cert_key=/k", "`cert` is not"),
        ("https://h/k#cert_key=/k", "`cert` is not"),
        ("rediss://h/k?tls=false", "the scheme for one with it"),
        ("etcd://h/k?ca=/ca&tls=false", "`ca` for one with it"),
        (
            "nats://h/b/k?tls=false&cert=/c&cert_key=/k",
            "`cert` for one with it",
        ),
        ("etcd://h/k?ca=/ca&tls=${OFF}", "`ca` for one with it"),
        ("redis://bob@h/k", "a user is named and no password"),
        ("etcd://h/k?user=bob", "a user is named and no password"),
        ("zookeeper://bob@h/k", "a user is named and no password"),
        ("nats://h/b/k?user=bob", "`token=${NAME}`"),
        (
            "nats://h/b/k?password=${PW}",
            "a password is set and no user",
        ),
        ("etcd://:${PW}@h/k", "a password is set and no user"),
        (
            "nats://${PW}@h/b/k?token=${T}",
            "a user and a `token` are set",
        ),
        (
            "https://bob:${PW}@h/k#token=${T}",
            "a user and a `token` are set",
        ),
        ("redis://bob:${PW}@h/k?password=${PW}", "set twice"),
    ] {
        let said = match crate::parse_uri(text) {
            Err(error) => error.message,
            Ok(crate::Uri::Remote(place)) => {
                let variables = |name: &str| match name {
                    "PW" => Some("hunter2".to_owned()),
                    "OFF" => Some("false".to_owned()),
                    "T" => Some("tok".to_owned()),
                    _ => None,
                };
                place.expand(&variables).expect_err(text)
            }
            Ok(other) => panic!("{other:?}"),
        };
        assert!(said.contains(says), "{text}: {said}");
        assert!(!said.contains("hunter2"), "{text}: {said}");
    }
    for text in [
        "rediss://h/k?tls=true&ca=/ca&cert=/c&cert_key=/k",
        "redis://h/k?tls=false",
        "redis://:${PW}@h/k",
        "zookeeper://:${PW}@h/k",
        "nats://${PW}@h/b/k",
        "nats://h/b/k?token=${PW}",
        "https://bob@h/k",
        "consul://h/a/k/",
        "zookeeper://h/\u{fc}/\u{6f22}",
    ] {
        expanded(text).expect(text);
    }
}

#[test]
fn the_path_and_the_query_of_a_web_address_are_in_nothing_that_is_printed() {
    let built = Remote::<String>::new(crate::Scheme::Https)
        .host("h")
        .piece("/a.json?token=hunter2");
    let read = match crate::parse_uri("https://h/${P}/a.json?key=${P}") {
        Ok(crate::Uri::Remote(place)) => place.expand(&|_| Some("hunter2".to_owned())),
        other => panic!("{other:?}"),
    };
    for place in [built, read.unwrap()] {
        for shown in [
            format!("{place:?}"),
            format!("{place:#?}"),
            place.origin(),
            place.server().origin(),
        ] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
